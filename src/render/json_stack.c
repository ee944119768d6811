// json_stack.c - calls and stacks as they stand in every document that has them.
#include "render/json.h"

static void call_members(struct ms_json *j, const struct ms_stack_call *call)
{
	ms_json_put_string(j, "function", call->function);
	ms_json_put_string(j, "file", call->file);
	ms_json_put_u64(j, "line", call->file && call->line ? call->line : MS_UNKNOWN);
}

void ms_json_call(struct ms_json *j, const struct ms_stack_call *call)
{
	if (!call->function) {
		ms_json_null(j);
		return;
	}
	ms_json_open_object(j);
	call_members(j, call);
	ms_json_close_object(j);
}

void ms_json_put_call(struct ms_json *j, const char *key, const struct ms_stack_call *call)
{
	ms_json_key(j, key);
	ms_json_call(j, call);
}

void ms_json_put_stack(struct ms_json *j, const struct ms_stacks *stacks, uint32_t index)
{
	const struct ms_stack *stack = index < stacks->count ? &stacks->items[index] : NULL;

	ms_json_key(j, "stack");
	if (!stack) {
		ms_json_null(j);
		ms_json_put_string(j, "stack_cut", NULL);
		return;
	}
	ms_json_open_array(j);
	for (uint32_t i = 0; i < stack->count; i++) {
		ms_json_open_object(j);
		call_members(j, &stack->calls[i]);
		ms_json_put_bool(j, "inlined", stack->calls[i].is_inlined);
		ms_json_put_bool(j, "runtime", stack->calls[i].is_runtime);
		ms_json_close_object(j);
	}
	ms_json_close_array(j);
	ms_json_put_string(j, "stack_cut", stack->cut);
}
