// verify.h - is this layout row the right one?  Asked of the running process itself.
#pragma once

#include "golang/runtime.h"

/**
 * Hold rt->layout against the process by invariants that a wrong offset breaks.  UNSUPPORTED with
 * the sentence that says what was expected and what was found.
 */
MS_MUST_USE struct ms_error *ms_go_verify(struct ms_go_runtime *rt);
