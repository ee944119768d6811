// trace_sums.c - who grew, and where in the source: all growths of a trace by owner and by stack.
//
// Growths of many maps at one line of the source are one row: a service makes its maps in one
// place.  What more maps than could be kept apart did is a row that says so.
#include "render/text_trace.h"

#include "render/text_stack.h"

#include "base/cleanup.h"
#include "base/vec.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { OWNERS_MAX = 10, STACKS_MAX = 5, CALLS_MAX = 16, FIGURES = 32, WIDE = 120 };

struct row {
	const char *owner, *type;
	uint32_t stack;
	uint64_t count, bytes, maps; // bytes may be MS_UNKNOWN.
};

struct rows {
	struct row *items;
	size_t count, capacity;
	uint64_t total, total_bytes; // Of what is known.
};

typedef int (*order_fn)(const struct ms_stacks *stacks, const struct ms_growth_sum *a,
			const struct ms_growth_sum *b);

/** What sums are put in order by. */
struct order {
	order_fn compare;
	const struct ms_stacks *stacks;
};

static int compare_text(const char *a, const char *b)
{
	if (!a || !b)
		return (a != NULL) - (b != NULL);
	return strcmp(a, b);
}

static int by_owner(const struct ms_stacks *stacks, const struct ms_growth_sum *a,
		    const struct ms_growth_sum *b)
{
	int order = (a->map == 0) - (b->map == 0); // Those of several maps by themselves.

	(void)stacks;
	if (!order)
		order = compare_text(a->owner, b->owner);
	return order ? order : compare_text(a->type, b->type);
}

/** A stack with calls of the program's own, as all but some of the runtime's have. */
static const struct ms_stack *own_stack(const struct ms_stacks *stacks, uint32_t index)
{
	const struct ms_stack *stack = index < stacks->count ? &stacks->items[index] : NULL;

	return stack && ms_stack_own_start(stack) < stack->count ? stack : NULL;
}

/** By the program's part: which of the runtime's functions stands below it is all the same. */
static int by_stack(const struct ms_stacks *stacks, const struct ms_growth_sum *a,
		    const struct ms_growth_sum *b)
{
	const struct ms_stack *x = own_stack(stacks, a->stack), *y = own_stack(stacks, b->stack);

	if (!x || !y)
		return x ? -1 : y ? 1 : (a->stack > b->stack) - (a->stack < b->stack);
	return ms_stack_compare_own(x, y);
}

static int compare_sums(const void *a, const void *b, void *context)
{
	const struct order *order = context;
	const struct ms_growth_sum *x = a, *y = b;
	int result = order->compare(order->stacks, x, y);

	return result ? result : (x->map > y->map) - (x->map < y->map);
}

static int by_bytes(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	uint64_t p = x->bytes == MS_UNKNOWN ? 0 : x->bytes;
	uint64_t q = y->bytes == MS_UNKNOWN ? 0 : y->bytes;

	if (p != q)
		return p < q ? 1 : -1;
	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return x->stack < y->stack ? -1 : x->stack > y->stack;
}

/** The report's sums, or its events as sums; NULL when memory is short. */
static struct ms_growth_sum *copy_sums(const struct ms_trace_report *r, size_t *ret_count)
{
	size_t count = r->sum_count ? r->sum_count : r->event_count;
	struct ms_growth_sum *sums = calloc(count + 1, sizeof(*sums));

	for (size_t i = 0; i < count && sums; i++) {
		const struct ms_growth_event *e;

		if (r->sum_count) {
			sums[i] = r->sums[i];
			continue;
		}
		e = &r->events[i];
		sums[i] = (struct ms_growth_sum){ e->map,   e->type, e->owner,   e->kind,
						  e->stack, 1,       e->to_bytes };
	}
	*ret_count = count;
	return sums;
}

/** Sums end before the value that stands for unknown. */
static uint64_t plus(uint64_t a, uint64_t b)
{
	return b > MS_UNKNOWN - 1 - a ? MS_UNKNOWN - 1 : a + b;
}

static void add_to(struct rows *rows, struct row *row, const struct ms_growth_sum *s, bool new_map)
{
	uint64_t count = s->count == MS_UNKNOWN ? 0 : s->count;

	row->count = plus(row->count, count);
	row->maps += new_map;
	if (s->to_bytes == MS_UNKNOWN || row->bytes == MS_UNKNOWN)
		row->bytes = MS_UNKNOWN;
	else
		row->bytes = plus(row->bytes, s->to_bytes);
	rows->total = plus(rows->total, count);
	if (s->to_bytes != MS_UNKNOWN)
		rows->total_bytes = plus(rows->total_bytes, s->to_bytes);
}

/** Sums that the order takes for equal become one row; the largest come first. */
static bool merge(const struct ms_trace_report *r, order_fn compare, struct rows *rows)
{
	struct order order = { compare, &r->stacks };
	size_t count;
	MS_AUTO_FREE struct ms_growth_sum *sums = copy_sums(r, &count);

	if (!sums)
		return false;
	qsort_r(sums, count, sizeof(*sums), compare_sums, &order);
	for (size_t i = 0; i < count; i++) {
		const struct ms_growth_sum *s = &sums[i];
		bool is_new = i == 0 || compare(&r->stacks, s, s - 1) != 0;

		if (is_new && !ms_vec_push(rows, { s->owner, s->type, s->stack, 0, 0, 0 }))
			return false;
		add_to(rows, &rows->items[rows->count - 1], s,
		       s->map && (is_new || s->map != s[-1].map));
	}
	if (rows->count)
		qsort(rows->items, rows->count, sizeof(*rows->items), by_bytes);
	return true;
}

static void text_owner_row(struct ms_text *t, const struct row *row)
{
	struct ms_human count, maps, bytes;
	unsigned width = t->style->width ? t->style->width : WIDE;
	size_t room = width > FIGURES + 20 ? width - FIGURES : 20;
	size_t type = row->type ? ms_min_u64(strlen(row->type), row->owner ? room / 2 : room) : 0;

	ms_text_printf(t, "%10s%8s%12s  ", ms_human_count(&count, row->count),
		       row->maps ? ms_human_count(&maps, row->maps) : "?",
		       ms_human_bytes(&bytes, row->bytes));
	if (row->owner) {
		ms_text_owner(t, row->owner, room - type - (type ? 1 : 0));
		ms_text_printf(t, "%s", type ? " " : "");
	}
	if (row->type)
		ms_text_name(t, row->type, type);
	else if (!row->owner)
		ms_text_printf(t, "%s", row->maps ? "map of unknown type" : "maps not kept apart");
	ms_text_end_hanging(t, 0, FIGURES);
}

static void text_owners(struct ms_text *t, const struct ms_trace_report *r)
{
	struct rows rows = { 0 };

	if (!merge(r, by_owner, &rows))
		ms_sink_fail_no_memory(t->out);
	if (rows.count) {
		ms_text_printf(t, "%10s%8s%12s  grew", "growths", "maps", "allocated");
		ms_text_end_whole(t);
	}
	for (size_t i = 0; i < rows.count && i < OWNERS_MAX; i++)
		text_owner_row(t, &rows.items[i]);
	if (rows.count > OWNERS_MAX) {
		ms_text_printf(t, "and %zu more", rows.count - OWNERS_MAX);
		ms_text_end(t, FIGURES);
	}
	if (rows.count)
		ms_text_end_whole(t);
	ms_vec_free(&rows);
}

/** A line for each of the program's calls, the runtime's folded into the first. */
static void text_calls(struct ms_text *t, const struct ms_stack *stack, unsigned indent)
{
	uint32_t from = ms_stack_own_start(stack), end = stack->count;

	if (from == stack->count)
		from = 0;
	else
		while (stack->calls[end - 1].is_runtime) // Where every goroutine begins.
			end--;
	for (uint32_t i = from; i < end && i < from + CALLS_MAX; i++) {
		ms_text_call(t, &stack->calls[i]);
		if (stack->calls[i].is_inlined)
			ms_text_printf(t, " (inlined)");
		ms_text_end(t, indent);
	}
	if (end > from + CALLS_MAX)
		ms_text_printf(t, "and %" PRIu32 " more", end - from - CALLS_MAX);
	else if (stack->cut)
		ms_text_name(t, stack->cut, 0);
	if (t->line.size)
		ms_text_end(t, indent);
}

static void text_stack_row(struct ms_text *t, const struct ms_trace_report *r,
			   const struct rows *rows, const struct row *row)
{
	struct ms_human count, share, bytes;
	bool has_stack = row->stack < r->stacks.count && r->stacks.items[row->stack].count;

	ms_text_printf(t, "%s of growths (%s)",
		       ms_human_percent(&share, (double)row->count / (double)rows->total),
		       ms_human_count(&count, row->count));
	if (row->bytes != MS_UNKNOWN && rows->total_bytes)
		ms_text_printf(
		    t, ", %s of bytes (%s)",
		    ms_human_percent(&share, (double)row->bytes / (double)rows->total_bytes),
		    ms_human_bytes(&bytes, row->bytes));
	ms_text_printf(t, "%s", has_stack ? "" : ": no stack");
	ms_text_end(t, 2);
	if (has_stack)
		text_calls(t, &r->stacks.items[row->stack], 6);
}

static void text_stacks(struct ms_text *t, const struct ms_trace_report *r)
{
	struct rows rows = { 0 };

	if (!merge(r, by_stack, &rows))
		ms_sink_fail_no_memory(t->out);
	// Without any stack the reason is said elsewhere.
	if (rows.total && r->stacks.count) {
		ms_text_printf(t, "where");
		ms_text_end_whole(t);
		for (size_t i = 0; i < rows.count && i < STACKS_MAX; i++)
			text_stack_row(t, r, &rows, &rows.items[i]);
		if (rows.count > STACKS_MAX) {
			ms_text_printf(t, "and %zu other stacks", rows.count - STACKS_MAX);
			ms_text_end(t, 2);
		}
		ms_text_end_whole(t);
	}
	ms_vec_free(&rows);
}

void ms_text_trace_sums(struct ms_text *t, const struct ms_trace_report *r)
{
	text_owners(t, r);
	text_stacks(t, r);
}
