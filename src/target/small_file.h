// small_file.h - files of /proc and /sys, read whole, within a bound.
#pragma once

#include "base/types.h"

enum { MS_SMALL_FILE_BYTES_MAX = 4 << 20 };

/** The text of a file, NUL-terminated; the caller frees it.  NULL when it cannot be had whole. */
char *ms_small_file_read(const char *path);

/** A decimal number that is all there is in a line; MS_UNKNOWN for anything else ("max"). */
uint64_t ms_small_file_number(const char *path);

/**
 * The number behind @p key at the beginning of a line of @p text, blanks between; MS_UNKNOWN when
 * there is no such line.
 */
uint64_t ms_text_number(const char *text, const char *key);
