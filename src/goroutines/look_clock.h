// look_clock.h - the moment up to which goroutines are said to wait.
#pragma once

#include "goroutines/goroutines_run.h"

/**
 * In a core file: the last moment that the runtime wrote down, on the program's CLOCK_MONOTONIC, in
 * seconds: when its last collection began or ended.  NAN where that is not known, and in a live
 * process, which has the host's clock.
 */
MS_MUST_USE struct ms_error *ms_look_clock_find(struct ms_go_runtime *rt, double *ret_last_s);

/** Now, or in a core file the moment above, or the last one at which a goroutine began to wait. */
double ms_look_clock(const struct ms_goroutines_run *run);
