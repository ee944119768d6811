// find_crash.h - a core file's end, from its goroutines and its census.
#pragma once

#include "golang/runtime.h"
#include "report/crash.h"

/**
 * Find who died of a fatal error of map code, in which map, and who else was in it or could have
 * been.  @p report has census and goroutines; texts go into the census's arena.  What cannot be
 * found is said to be unknown.
 */
MS_MUST_USE struct ms_error *ms_crash_find(struct ms_go_runtime *rt,
					   struct ms_crash_report *report);
