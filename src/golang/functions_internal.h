// functions_internal.h - what loading and checking the function table share.
#pragma once

#include "golang/functions.h"

enum { MS_FUNCTIONS_PAIR_BYTES = 8 }; // Where a function and its record begin, as distances.

/** In place of a file that a unit does not use. */
#define MS_FUNCTIONS_NO_FILE UINT32_MAX

/**
 * Hold a sample of the functions against all around them: functions_check.c.  UNSUPPORTED when the
 * layout row cannot be this program's, with what was expected and found.
 */
MS_MUST_USE struct ms_error *ms_functions_check(const struct ms_functions *functions);
