// call_stacks.h - stacks in source words, each kept once: what traces and goroutines point to.
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/types.h"

enum { MS_NO_STACK = UINT32_MAX };

/** One call, as the source has it.  Strings last as long as the report. */
struct ms_stack_call {
	const char *function; // As Go prints it: "main.(*Cart).Add", "main.fill[...]".
	const char *file;     // NULL when the table does not say.
	uint32_t line;
	bool is_inlined; // Into the next call of the stack.
	bool is_runtime; // The machinery below the program: map code, package runtime.
	ms_addr pc;      // Where the call is; 0 when it was not kept.
};

struct ms_stack {
	struct ms_stack_call *calls; // Innermost first.
	uint32_t count;
	const char *cut; // Static: why it ends before the stack's own end; NULL when it does not.
};

/** Unique stacks; an index into items names one. */
struct ms_stacks {
	struct ms_stack *items;
	size_t count, capacity;
};

/**
 * The first call of a stack that is the program's own: the line to show.  The innermost where all
 * are the runtime's; NULL for an empty stack.
 */
const struct ms_stack_call *ms_stack_line(const struct ms_stack *stack);

/** Whether a call is in Go's standard library, which is told by its package's path. */
bool ms_stack_call_is_standard(const struct ms_stack_call *call);

/** Whether both are known, and in the same function and line. */
bool ms_stack_call_is_same_line(const struct ms_stack_call *a, const struct ms_stack_call *b);

/**
 * The first call that is neither the runtime's nor the standard library's; where there is none, as
 * ms_stack_line.
 */
const struct ms_stack_call *ms_stack_program_line(const struct ms_stack *stack);

/** Index of the first call that is not the runtime's; count when all are. */
uint32_t ms_stack_own_start(const struct ms_stack *stack);

/**
 * An order of stacks by the program's part: 0 where the same lines of the source called each other,
 * whatever the runtime did below them.  Stacks that are all the runtime's are equal.
 */
int ms_stack_compare_own(const struct ms_stack *a, const struct ms_stack *b);

/** Accepts one that is all zeros.  The calls are the arena's. */
void ms_stacks_deinit(struct ms_stacks *stacks);
