// stack_weights.c - counts by stack, from traces and from goroutines.
//
// A stack that was cut begins with a call that says so: its root is not where the others have
// theirs, and must not be drawn as if it were.
#include "render/stack_weights.h"

#include "render/human.h"

#include <stdlib.h>
#include <string.h>

const char *ms_stack_drawn_name(const struct ms_stack_call *call)
{
	return call->function ? call->function : "?";
}

const struct ms_stack_call *ms_stack_drawn(const struct ms_stack *stack, uint32_t depth)
{
	static const struct ms_stack_call cut = { .function = "[stack cut]" };
	uint32_t first = ms_stack_own_start(stack), end = stack->count;

	if (stack->cut) {
		if (depth == 0)
			return &cut;
		depth--;
	}
	if (first == end) // The runtime's own.
		first = 0;
	else
		while (stack->calls[end - 1].is_runtime)
			end--;
	return depth < end - first ? &stack->calls[end - 1 - depth] : NULL;
}

static int compare(const void *a, const void *b, void *context)
{
	const struct ms_stacks *stacks = context;
	const uint32_t *x = a, *y = b;

	for (uint32_t depth = 0;; depth++) {
		const struct ms_stack_call *p = ms_stack_drawn(&stacks->items[*x], depth);
		const struct ms_stack_call *q = ms_stack_drawn(&stacks->items[*y], depth);
		int order;

		if (!p || !q) // The shorter one first, equal ones by their index.
			return p ? 1 : q ? -1 : *x < *y ? -1 : *x > *y;
		order = strcmp(ms_stack_drawn_name(p), ms_stack_drawn_name(q));
		if (order)
			return order;
	}
}

uint32_t *ms_stack_weights_order(const struct ms_stack_weights *w, size_t *ret_count)
{
	uint32_t *order = calloc(w->stacks->count + 1, sizeof(*order));
	size_t count = 0;

	if (!order)
		return NULL;
	for (size_t i = 0; i < w->stacks->count; i++) {
		if (w->counts[i])
			order[count++] = (uint32_t)i;
	}
	qsort_r(order, count, sizeof(*order), compare, (void *)w->stacks);
	*ret_count = count;
	return order;
}

static bool init(struct ms_stack_weights *w, const struct ms_stacks *stacks, const char *unit)
{
	*w = (struct ms_stack_weights){ .stacks = stacks, .unit = unit };
	w->counts = calloc(stacks->count + 1, sizeof(*w->counts));
	return w->counts != NULL;
}

static uint64_t sum(uint64_t a, uint64_t b)
{
	return b > MS_UNKNOWN - 1 - a ? MS_UNKNOWN - 1 : a + b;
}

/** One without any call has nothing to draw either. */
static void add(struct ms_stack_weights *w, uint32_t stack, uint64_t count)
{
	bool drawn = stack < w->stacks->count && w->stacks->items[stack].count > 0;
	uint64_t *place = drawn ? &w->counts[stack] : &w->without;

	if (count == MS_UNKNOWN)
		return;
	*place = sum(*place, count);
	w->total = sum(w->total, count);
}

static const char *title(struct ms_arena *arena, const char *what,
			 const struct ms_report_target *target)
{
	const char *slash = target->exe ? strrchr(target->exe, '/') : NULL;
	const char *name = slash && slash[1] ? slash + 1 : target->exe ? target->exe : "?";

	if (target->pid == MS_UNKNOWN)
		return ms_arena_printf(arena, "%s, %s", what, name);
	return ms_arena_printf(arena, "%s, %s (pid %llu)", what, name,
			       (unsigned long long)target->pid);
}

/** The strings are there, or memory was short. */
static struct ms_error *check(struct ms_stack_weights *w)
{
	if (w->title && w->empty)
		return NULL;
	ms_stack_weights_deinit(w);
	return ms_error_no_memory();
}

struct ms_error *ms_stack_weights_of_trace(const struct ms_trace_report *r,
					   struct ms_stack_weights *w)
{
	struct ms_human seconds, dropped;

	if (!init(w, &r->stacks, "growths"))
		return ms_error_no_memory();
	for (size_t i = 0; i < r->event_count && !r->sum_count; i++)
		add(w, r->events[i].stack, 1);
	for (size_t i = 0; i < r->sum_count; i++)
		add(w, r->sums[i].stack, r->sums[i].count);
	ms_human_seconds(&seconds, r->window_s);
	w->title = title(&w->arena, "growths of maps", &r->target);
	w->empty = ms_arena_printf(&w->arena, "no map grew in %s", seconds.text);
	if (r->dropped && !r->sum_count)
		w->note = ms_arena_printf(&w->arena, "%s more found no room",
					  ms_human_count(&dropped, r->dropped));
	return check(w);
}

struct ms_error *ms_stack_weights_of_goroutines(const struct ms_goroutines_report *r,
						struct ms_stack_weights *w)
{
	if (!init(w, &r->stacks, "goroutines"))
		return ms_error_no_memory();
	for (size_t i = 0; i < r->row_count; i++)
		add(w, r->rows[i].stack, 1);
	w->title = title(&w->arena, "goroutines", &r->target);
	w->empty = ms_arena_printf(&w->arena, "no goroutine was seen");
	return check(w);
}

void ms_stack_weights_deinit(struct ms_stack_weights *w)
{
	free(w->counts);
	ms_arena_deinit(&w->arena);
	*w = (struct ms_stack_weights){ 0 };
}
