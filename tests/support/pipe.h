// pipe.h - what another program says of our output.
#pragma once

#include <stddef.h>

/**
 * Run @p command (found by PATH, ends with NULL) with @p bytes on its stdin.  Returns its exit
 * code; the test is skipped where the program is not installed.  *ret_output, which may be NULL,
 * gets what it printed, NUL-terminated; the caller frees it.
 */
int ms_test_pipe(const char *const *command, const void *bytes, size_t size, char **ret_output);
