// text_trace.c - growths as they come, a line each, and what they add up to.
//
// The lines are written while the window is open; the summary follows when it ends.  Growths of
// many maps at one line of the source are one row there: a service makes its maps in one place.
#include "render/text.h"

#include "base/vec.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_MAX = 10, STACK_CALLS_MAX = 24, NAME_COLUMNS_MAX = 60 };

// --- Events. ---

static const char *const verbs[] = {
	[MS_GROWTH_EVENT_DOUBLE] = "doubles",
	[MS_GROWTH_EVENT_SAME_SIZE] = "grows at its size",
	[MS_GROWTH_EVENT_SPLIT] = "splits a table",
	[MS_GROWTH_EVENT_TO_TABLE] = "gets a table",
	[MS_GROWTH_EVENT_TO_SMALL] = "gets its first group",
	[MS_GROWTH_EVENT_SHRINK] = "shrinks",
};

static void text_call(struct ms_text *t, const struct ms_stack_call *call)
{
	const char *slash = call->file ? strrchr(call->file, '/') : NULL;

	ms_text_name(t, call->function, 0);
	if (!call->file)
		return;
	ms_text_printf(t, " ");
	ms_text_name(t, slash ? slash + 1 : call->file, 0);
	ms_text_printf(t, ":%u", call->line);
}

static void text_sizes(struct ms_text *t, const struct ms_growth_event *e)
{
	struct ms_human a, b, c, d, n;

	ms_text_printf(t, ": %s -> %s slots, %s -> %s, %s entries", ms_human_count(&a, e->from),
		       ms_human_count(&b, e->to), ms_human_bytes(&c, e->from_bytes),
		       ms_human_bytes(&d, e->to_bytes), ms_human_count(&n, e->entries));
}

static void text_who(struct ms_text *t, const struct ms_trace_report *r,
		     const struct ms_growth_event *e)
{
	const struct ms_stack_call *line =
	    e->stack < r->stacks.count ? ms_stack_line(&r->stacks.items[e->stack]) : NULL;

	if (line) {
		ms_text_printf(t, "; ");
		text_call(t, line);
	}
	if (e->goroutine == MS_UNKNOWN)
		return;
	ms_text_printf(t, ", goroutine %" PRIu64, e->goroutine);
	if (e->p != UINT32_MAX)
		ms_text_printf(t, " on P %u", e->p);
	if (e->created_by.function) {
		ms_text_printf(t, ", created by ");
		text_call(t, &e->created_by);
	}
}

static void text_event(struct ms_text *t, const struct ms_trace_report *r,
		       const struct ms_growth_event *e)
{
	if (e->earliest_s < e->time_s)
		ms_text_printf(t, "%.3f to %.3f s  ", e->earliest_s, e->time_s);
	else
		ms_text_printf(t, "%.6f s  ", e->time_s);
	ms_text_name(t, e->type, NAME_COLUMNS_MAX);
	ms_text_printf(t, " 0x%" PRIx64, e->map);
	if (e->owner) {
		ms_text_printf(t, " ");
		ms_text_owner(t, e->owner, NAME_COLUMNS_MAX);
	}
	ms_text_printf(t, " %s", verbs[e->kind]);
	text_sizes(t, e);
	text_who(t, r, e);
	ms_text_end(t, 0);
}

static void text_events(struct ms_text *t, const struct ms_trace_report *r,
			struct ms_trace_mark *mark)
{
	for (; mark->events < r->event_count; mark->events++)
		text_event(t, r, &r->events[mark->events]);
}

struct ms_error *ms_render_trace_text_events(const struct ms_trace_report *report,
					     struct ms_trace_mark *mark,
					     const struct ms_text_style *style,
					     struct ms_sink *sink)
{
	struct ms_text t;

	ms_text_init(&t, style, sink);
	text_events(&t, report, mark);
	return ms_text_finish(&t);
}

// --- What they add up to. ---

struct row {
	const char *owner, *type;
	uint64_t count, to_bytes, maps;
	uint32_t stack;
};

struct rows {
	struct row *items;
	size_t count, capacity;
};

static int by_text(const char *a, const char *b)
{
	if (!a || !b)
		return (a != NULL) - (b != NULL);
	return strcmp(a, b);
}

static int by_place(const void *a, const void *b)
{
	const struct ms_growth_sum *x = a, *y = b;
	int order = by_text(x->owner, y->owner);

	if (!order)
		order = by_text(x->type, y->type);
	if (!order && x->stack != y->stack)
		order = x->stack < y->stack ? -1 : 1;
	return order ? order : (x->map > y->map) - (x->map < y->map);
}

static int by_bytes(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	uint64_t p = x->to_bytes == MS_UNKNOWN ? 0 : x->to_bytes;
	uint64_t q = y->to_bytes == MS_UNKNOWN ? 0 : y->to_bytes;

	if (p != q)
		return p < q ? 1 : -1;
	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return x->stack < y->stack ? -1 : x->stack > y->stack;
}

static bool is_same_place(const struct row *row, const struct ms_growth_sum *sum)
{
	return row->stack == sum->stack && !by_text(row->owner, sum->owner) &&
	       !by_text(row->type, sum->type);
}

/** Sums of one owner, type and stack put together; false when memory is short. */
static bool merge(const struct ms_trace_report *r, struct rows *rows)
{
	struct ms_growth_sum *sums = malloc((r->sum_count + 1) * sizeof(*sums));
	struct row *row = NULL;
	ms_addr map = 0;
	bool done = sums != NULL;

	if (done && r->sum_count) {
		memcpy(sums, r->sums, r->sum_count * sizeof(*sums));
		qsort(sums, r->sum_count, sizeof(*sums), by_place);
	}
	for (size_t i = 0; i < r->sum_count && done; i++) {
		const struct ms_growth_sum *s = &sums[i];

		if (!row || !is_same_place(row, s)) {
			done = ms_vec_push(rows, { s->owner, s->type, 0, 0, 0, s->stack });
			row = done ? &rows->items[rows->count - 1] : NULL;
			map = 0;
		}
		if (!row)
			break;
		row->count += s->count;
		if (s->to_bytes == MS_UNKNOWN || row->to_bytes == MS_UNKNOWN)
			row->to_bytes = MS_UNKNOWN;
		else
			row->to_bytes += s->to_bytes;
		row->maps += s->map && s->map != map;
		map = s->map;
	}
	free(sums);
	if (done && rows->count)
		qsort(rows->items, rows->count, sizeof(*rows->items), by_bytes);
	return done;
}

static void text_stack(struct ms_text *t, const struct ms_trace_report *r, uint32_t index)
{
	const struct ms_stack *stack;
	uint32_t start, end;

	if (index >= r->stacks.count)
		return;
	stack = &r->stacks.items[index];
	start = ms_stack_own_start(stack);
	if (start == stack->count)
		start = 0;
	end = stack->count - start > STACK_CALLS_MAX ? start + STACK_CALLS_MAX : stack->count;
	for (uint32_t i = start; i < end; i++) {
		text_call(t, &stack->calls[i]);
		ms_text_end(t, 8);
	}
	if (end < stack->count) {
		ms_text_printf(t, "and %u more", stack->count - end);
		ms_text_end(t, 8);
	} else if (stack->cut) {
		ms_text_printf(t, "(%s)", stack->cut);
		ms_text_end(t, 8);
	}
}

static void text_row(struct ms_text *t, const struct ms_trace_report *r, const struct row *row)
{
	struct ms_human count, maps, bytes;

	ms_text_printf(t,
		       "%s growths of %s maps, %s allocated: ", ms_human_count(&count, row->count),
		       ms_human_count(&maps, row->maps), ms_human_bytes(&bytes, row->to_bytes));
	ms_text_name(t, row->type, NAME_COLUMNS_MAX);
	if (row->owner) {
		ms_text_printf(t, " ");
		ms_text_owner(t, row->owner, NAME_COLUMNS_MAX);
	}
	ms_text_end(t, 4);
	text_stack(t, r, row->stack);
}

static void text_rows(struct ms_text *t, const struct ms_trace_report *r)
{
	struct rows rows = { 0 };

	if (!merge(r, &rows))
		ms_sink_fail_no_memory(t->out);
	for (size_t i = 0; i < rows.count && i < ROWS_MAX; i++)
		text_row(t, r, &rows.items[i]);
	if (rows.count > ROWS_MAX) {
		ms_text_printf(t, "and %zu more places", rows.count - ROWS_MAX);
		ms_text_end(t, 4);
	}
	ms_vec_free(&rows);
}

static void text_counts(struct ms_text *t, const struct ms_trace_report *r)
{
	struct ms_human counted, dropped, repeated, small, window;

	ms_text_printf(t, "%s growths in %s", ms_human_count(&counted, r->counted),
		       ms_human_seconds(&window, r->window_s));
	if (r->source == MS_TRACE_POLLING) {
		ms_text_printf(t, ", seen by polling: at least so many");
	} else {
		ms_text_printf(t, ": %s of them not kept one by one, %s hits repeated",
			       ms_human_count(&dropped, r->dropped),
			       ms_human_count(&repeated, r->repeated));
	}
	if (r->to_small)
		ms_text_printf(t, "; %s first groups of empty maps",
			       ms_human_count(&small, r->to_small));
	ms_text_end(t, 0);
}

static void text_source(struct ms_text *t, const struct ms_trace_report *r)
{
	if (!r->no_probes_reason)
		return;
	ms_text_printf(t, "no probes: ");
	ms_text_name(t, r->no_probes_reason, 0);
	ms_text_printf(t, "; growths are found by polling, without stacks");
	ms_text_end(t, 0);
}

static void text_summary(struct ms_text *t, const struct ms_trace_report *r)
{
	ms_text_partial(t, r->partial, r->partial_reason);
	ms_text_target(t, &r->target);
	ms_text_end(t, 0);
	ms_text_unproved(t, &r->target);
	text_source(t, r);
	text_counts(t, r);
	text_rows(t, r);
	ms_text_cost(t, &r->cost);
}

struct ms_error *ms_render_trace_text_summary(const struct ms_trace_report *report,
					      const struct ms_text_style *style,
					      struct ms_sink *sink)
{
	struct ms_text t;

	ms_text_init(&t, style, sink);
	if (report->event_count)
		ms_text_end_whole(&t);
	text_summary(&t, report);
	return ms_text_finish(&t);
}

struct ms_error *ms_render_trace_text(const struct ms_trace_report *report,
				      const struct ms_text_style *style, struct ms_sink *sink)
{
	struct ms_trace_mark mark = { 0 };
	struct ms_text t;

	ms_text_init(&t, style, sink);
	text_events(&t, report, &mark);
	if (report->event_count)
		ms_text_end_whole(&t);
	text_summary(&t, report);
	return ms_text_finish(&t);
}
