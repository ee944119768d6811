// start_time.h - the moment from which the runtime counts the seconds it prints.
#pragma once

#include "golang/runtime.h"

/**
 * runtime.runtimeInitTime: CLOCK_MONOTONIC of the target, nanoseconds, when runtime.main began.
 * BAD_DATA when the program's code does not say where it is kept.
 */
MS_MUST_USE struct ms_error *ms_go_start_time(struct ms_go_runtime *rt, int64_t *ret_start_ns);
