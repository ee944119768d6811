// calls.h - the calls that one instruction stands in, as the source has them: inlined ones too.
#pragma once

#include "golang/functions.h"

enum { MS_CALLS_MAX = 64 }; // Inlined into each other; the compiler stops far below.

struct ms_call {
	const char *name; // As the linker wrote it.
	const char *file; // NULL when the table does not say.
	uint32_t line;
	bool is_inlined;
	bool is_wrapper; // The compiler's: Go leaves it out of the stacks it prints.
};

/**
 * Write the calls at @p pc of @p function, innermost first, the function itself last; returns how
 * many, 1 at least.  What cannot be read of inlined calls leaves the function alone.
 */
size_t ms_function_calls(const struct ms_functions *functions, const struct ms_function *function,
			 ms_addr pc, struct ms_call ret_calls[MS_CALLS_MAX]);
