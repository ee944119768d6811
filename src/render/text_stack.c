// text_stack.c - a stack is folded around the line a reader looks for: the program's own innermost.
#include "render/text_stack.h"

#include <inttypes.h>

enum { NAME_COLUMNS = 70, CALLERS_MAX = 5, PLACE_INDENT = 4 };

static const char *file_of(const struct ms_stack_call *call)
{
	const char *slash = strrchr(call->file, '/');

	return slash && slash[1] ? slash + 1 : call->file;
}

/** Where the last part of a package's path begins; 0: it is short. */
static size_t path_end(const char *name)
{
	size_t first = strcspn(name, "/"), end = strcspn(name, "(["), at = 0;

	if (!name[first] || !memchr(name, '.', first))
		return 0;
	for (size_t i = 0; i < end; i++) {
		if (name[i] == '/')
			at = i + 1;
	}
	return at;
}

void ms_text_function(struct ms_text *t, const char *name)
{
	size_t skipped = path_end(name);

	if (skipped)
		ms_text_printf(t, t->style->charset == MS_CHARSET_ASCII ? ".../" : "…/");
	ms_text_name(t, name + skipped, NAME_COLUMNS);
}

void ms_text_call(struct ms_text *t, const struct ms_stack_call *call)
{
	ms_text_function(t, call->function);
	if (!call->file)
		return;
	ms_text_printf(t, " ");
	ms_text_name(t, file_of(call), NAME_COLUMNS);
	if (call->line)
		ms_text_printf(t, ":%" PRIu32, call->line);
}

/** What the program's line called: the outermost of the calls within that is not the runtime's. */
static void text_within(struct ms_text *t, const struct ms_stack *stack, uint32_t own)
{
	for (uint32_t i = own; i-- > 0;) {
		if (stack->calls[i].is_runtime)
			continue;
		ms_text_printf(t, ", in ");
		ms_text_function(t, stack->calls[i].function);
		return;
	}
}

/** Who called it, recursion as one. */
static void text_callers(struct ms_text *t, const struct ms_stack *stack, uint32_t own,
			 unsigned indent)
{
	uint32_t shown = 0, left = 0;

	for (uint32_t i = own + 1, end; i < stack->count; i = end) {
		const char *name = stack->calls[i].function;

		for (end = i + 1; end < stack->count && !strcmp(stack->calls[end].function, name);)
			end++;
		if (stack->calls[i].is_runtime)
			continue;
		if (shown == CALLERS_MAX) {
			left += end - i;
			continue;
		}
		ms_text_printf(t, shown++ ? ", " : "called by ");
		ms_text_function(t, name);
		if (end - i > 1)
			ms_text_printf(t, " (%" PRIu32 " times)", end - i);
	}
	if (left)
		ms_text_printf(t, " and %" PRIu32 " more", left);
	if (stack->cut) {
		ms_text_printf(t, "%scut: ", shown ? "; " : "");
		ms_text_name(t, stack->cut, 0);
	}
	if (shown || stack->cut)
		ms_text_end(t, indent);
}

void ms_text_callers(struct ms_text *t, const struct ms_stack *stack, unsigned indent)
{
	const struct ms_stack_call *own = ms_stack_program_line(stack);

	if (own)
		text_callers(t, stack, (uint32_t)(own - stack->calls), indent);
}

void ms_text_stack(struct ms_text *t, const struct ms_stack *stack, unsigned indent)
{
	const struct ms_stack_call *own = ms_stack_program_line(stack);

	if (!own)
		return;
	ms_text_call(t, own);
	text_within(t, stack, (uint32_t)(own - stack->calls));
	ms_text_end(t, indent);
	text_callers(t, stack, (uint32_t)(own - stack->calls), indent);
}

void ms_text_stack_whole(struct ms_text *t, const struct ms_stack *stack)
{
	for (uint32_t i = 0; i < stack->count; i++) {
		const struct ms_stack_call *call = &stack->calls[i];

		ms_text_name(t, call->function, 0);
		ms_text_printf(t, "(...)");
		ms_text_end(t, 0);
		if (!call->file)
			continue;
		ms_text_name(t, call->file, 0);
		if (call->line)
			ms_text_printf(t, ":%" PRIu32, call->line);
		ms_text_end(t, PLACE_INDENT);
	}
	if (stack->cut) {
		ms_text_printf(t, "... ");
		ms_text_name(t, stack->cut, 0);
		ms_text_end(t, 0);
	}
}
