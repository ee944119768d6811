// call_stacks.c - what a page shows of a stack.
#include "report/call_stacks.h"

#include <stdlib.h>
#include <string.h>

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

static int compare_text(const char *a, const char *b)
{
	if (!a || !b)
		return (a != NULL) - (b != NULL);
	return strcmp(a, b);
}

static int compare_calls(const struct ms_stack_call *a, const struct ms_stack_call *b)
{
	int order = compare_text(a->function, b->function);

	if (!order)
		order = compare_text(a->file, b->file);
	return order ? order : (a->line > b->line) - (a->line < b->line);
}

int ms_stack_compare_own(const struct ms_stack *a, const struct ms_stack *b)
{
	uint32_t i = ms_stack_own_start(a), k = ms_stack_own_start(b);

	for (; i < a->count && k < b->count; i++, k++) {
		int order = compare_calls(&a->calls[i], &b->calls[k]);

		if (order)
			return order;
	}
	return (i < a->count) - (k < b->count);
}

bool ms_stack_call_is_same_line(const struct ms_stack_call *a, const struct ms_stack_call *b)
{
	return a && b && a->function && b->function && a->line == b->line &&
	       !strcmp(a->function, b->function);
}

void ms_stacks_deinit(struct ms_stacks *stacks)
{
	free(stacks->items);
	*stacks = (struct ms_stacks){ 0 };
}

bool ms_stack_call_is_standard(const struct ms_stack_call *call)
{
	// The first parts of its packages' paths, Go 1.18 to 1.27.
	static const char *const parts[] = {
		"archive",  "bufio",    "bytes",   "cmp",     "compress", "container", "context",
		"crypto",   "database", "debug",   "embed",   "encoding", "errors",    "expvar",
		"flag",     "fmt",      "go",      "hash",    "html",     "image",     "index",
		"internal", "io",       "iter",    "log",     "maps",     "math",      "mime",
		"net",      "os",       "path",    "plugin",  "reflect",  "regexp",    "runtime",
		"slices",   "sort",     "strconv", "strings", "structs",  "sync",      "syscall",
		"testing",  "text",     "time",    "unicode", "unique",   "unsafe",    "vendor",
		"weak",
	};
	size_t size = strcspn(call->function, "/.");

	for (size_t i = 0; i < MS_ARRAY_SIZE(parts); i++) {
		if (!strncmp(parts[i], call->function, size) && !parts[i][size])
			return true;
	}
	return false;
}

const struct ms_stack_call *ms_stack_program_line(const struct ms_stack *stack)
{
	for (uint32_t i = 0; i < stack->count; i++) {
		if (!stack->calls[i].is_runtime && !ms_stack_call_is_standard(&stack->calls[i]))
			return &stack->calls[i];
	}
	return ms_stack_line(stack);
}
