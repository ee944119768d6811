// golden.h - comparing what was produced with a file of the tree.
#pragma once

#include <stddef.h>

/**
 * Fail unless @p size bytes of @p text are what the file @p relative holds.  With MS_ACCEPT=1 in
 * the environment the file is written instead.
 */
void ms_golden_check(const char *relative, const char *text, size_t size);
