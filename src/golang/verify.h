// verify.h - is this layout row the right one?  Asked of the program and of the running process.
#pragma once

#include "golang/runtime.h"

/**
 * Hold rt->layout against what never changes: functions, type descriptors.  Needs rt->modules.
 * UNSUPPORTED with the sentence that says what was expected and what was found.
 */
MS_MUST_USE struct ms_error *ms_go_verify_program(struct ms_go_runtime *rt);

/**
 * Hold rt->layout against spans and goroutines as they are now.  UNSUPPORTED likewise; a process
 * that moves while it is looked at may seem wrong once, so ask again before believing it.
 */
MS_MUST_USE struct ms_error *ms_go_verify_process(struct ms_go_runtime *rt);

/** Against the goroutines alone, of a target whose spans are missing. */
MS_MUST_USE struct ms_error *ms_go_verify_goroutines(struct ms_go_runtime *rt);
