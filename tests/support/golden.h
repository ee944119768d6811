// golden.h - compare a text with a file under tests/golden/.
#pragma once

#include <stddef.h>

/**
 * Fail, showing the first line that differs, unless @p text is what tests/golden/@p name holds.
 * With MS_ACCEPT=1 in the environment (`make accept`) the file is written instead.
 */
#define CHECK_GOLDEN(text, size, name) ms_golden_check(__FILE__, __LINE__, (text), (size), (name))

void ms_golden_check(const char *file, int line, const char *text, size_t size, const char *name);

/** The bytes of a file under tests/golden/, NUL-terminated; the caller frees them. */
char *ms_golden_read(const char *name, size_t *ret_size);
