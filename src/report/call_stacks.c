// call_stacks.c - what a page shows of a stack.
#include "report/call_stacks.h"

#include <stdlib.h>

uint32_t ms_stack_own_start(const struct ms_stack *stack)
{
	uint32_t i = 0;

	while (i < stack->count && stack->calls[i].is_runtime)
		i++;
	return i;
}

const struct ms_stack_call *ms_stack_line(const struct ms_stack *stack)
{
	uint32_t own = ms_stack_own_start(stack);

	if (!stack->count)
		return NULL;
	return &stack->calls[own < stack->count ? own : 0];
}

void ms_stacks_deinit(struct ms_stacks *stacks)
{
	free(stacks->items);
	*stacks = (struct ms_stacks){ 0 };
}
