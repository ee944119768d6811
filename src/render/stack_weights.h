// stack_weights.h - how often each stack was met: what pictures of stacks are drawn from.
//
// Drawn is a stack from its root to the program's own line: the runtime's calls below that line
// and above the program's first are left out, unless there are no others.
#pragma once

#include "render/render.h"
#include "report/call_stacks.h"

struct ms_stack_weights {
	const struct ms_stacks *stacks;
	uint64_t *counts;  // By index in stacks.
	uint64_t without;  // What has no stack.
	uint64_t total;    // That too.
	const char *unit;  // Static: "growths".
	const char *title; // The arena's, as are the other two; not escaped.
	const char *note;  // What is not in the picture; NULL for nothing.
	const char *empty; // The sentence in place of a picture.
	struct ms_arena arena;
};

/** Of all growths.  NO_MEMORY. */
MS_MUST_USE struct ms_error *ms_stack_weights_of_trace(const struct ms_trace_report *report,
						       struct ms_stack_weights *ret_weights);

/** Of all goroutines.  NO_MEMORY. */
MS_MUST_USE struct ms_error *
ms_stack_weights_of_goroutines(const struct ms_goroutines_report *report,
			       struct ms_stack_weights *ret_weights);

/**
 * Indices of the stacks with a count, in the order of their calls' names from the root; NULL when
 * memory is short.  The caller frees it.
 */
uint32_t *ms_stack_weights_order(const struct ms_stack_weights *weights, size_t *ret_count);

/** The call at @p depth from the root of what is drawn; NULL beyond its end. */
const struct ms_stack_call *ms_stack_drawn(const struct ms_stack *stack, uint32_t depth);

/** The name that is drawn, never NULL. */
const char *ms_stack_drawn_name(const struct ms_stack_call *call);

void ms_stack_weights_deinit(struct ms_stack_weights *weights);
