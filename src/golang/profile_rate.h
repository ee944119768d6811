// profile_rate.h - how much of what a program allocates is in its memory profile.
#pragma once

#include "golang/runtime.h"

/**
 * The value of runtime.MemProfileRate, in bytes, as it is now; MS_UNKNOWN when the code does not
 * tell where it is.  An error means that the target is lost or memory is short.
 */
MS_MUST_USE struct ms_error *ms_profile_rate_read(struct ms_go_runtime *rt, uint64_t *ret_rate);
