// crash_words.h - what the runtime says of an end that is not of two goroutines in one map.
#pragma once

#include "diagnose/crash_map.h"

/**
 * Set what @p report has of a fatal error's or a panic's words, from the stack of @p dead (NULL:
 * none is known) and that of the thread that died.  What cannot be read is left unknown.
 */
MS_MUST_USE struct ms_error *ms_crash_find_words(struct ms_crash_stacks *stacks,
						 struct ms_crash_report *report,
						 const struct ms_goroutine_row *dead);
