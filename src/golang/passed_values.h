// passed_values.h - what a function was called with, computed anew from what its callers still
// have.
//
// A function drops an argument as soon as it needs it no more.  The code of its caller says where
// it had it from: a constant, a variable, a word of its own frame, a field behind one of these, or
// an argument of its own, for which its caller is asked in turn.  A frame belongs to its goroutine,
// and is as it was when it called on.  Memory elsewhere may have been written since: what is read
// there is what the place holds now.
#pragma once

#include "golang/code_ways.h"
#include "golang/unwind.h"

/**
 * What register @p reg had as the function of frame @p index was called.  False in *ret_is_known
 * where the code of its callers does not lead to it.
 */
MS_MUST_USE struct ms_error *ms_passed_value(const struct ms_functions *functions,
					     struct ms_code *code, const struct ms_frames *frames,
					     size_t index, unsigned reg, bool *ret_is_known,
					     ms_addr *ret_value);

/** The register that an argument is passed in; MS_CODE_NONE for one that is none of the first. */
unsigned ms_argument_register(enum ms_arch arch, unsigned argument);
