// gc_blame.c - a new table counts as live heap at once, and the old one until a collection has
// freed it.  So a growth takes its new table's bytes out of what is left to the goal.
//
// That it brought the next cycle forward is said only of a growth
//   - after which a cycle began, within the time that such a table takes to be made, which neither
//     runtime.GC asked for nor two minutes without one can have;
//   - whose table was in the heap at that cycle's start: since the look before the growth the heap
//     had grown by at least as much, and at the rate of the looks before it others would have made
//     less than half of that;
//   - without whose table the heap would have been below the lowest trigger that the pacer allows.
// A growth that polling found has no moment, only an interval; the cycle has to begin behind it.
#include "trace/gc_blame.h"

#include <math.h>

static const double LOOK_AGE_MAX_S = 0.1; // An older look says nothing of the heap at a growth.
static const double BEGINS_WITHIN_S = 0.01;
static const double CLEARED_BYTES_PER_S = 5e8; // Of fresh memory, on a slow machine.
static const double IDLE_MAX_S = 119;          // The runtime collects after two minutes without.

struct blame {
	struct ms_trace_report *report;
	const struct ms_gc_notes *notes;
};

/** The last sample at or before @p time_s, or NULL. */
static const struct ms_heap_sample *sample_before(const struct ms_trace_report *r, double time_s)
{
	size_t low = 0, high = r->heap_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (r->heap[middle].time_s <= time_s)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &r->heap[low - 1] : NULL;
}

/** The first cycle that was not over at @p time_s, or the count of cycles. */
static size_t cycle_after(const struct ms_trace_report *r, double time_s)
{
	size_t low = 0, high = r->cycle_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (r->cycles[middle].end_s <= time_s)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/** Whether @p cycle may have been under way at some moment up to @p time_s. */
static bool may_overlap(const struct ms_gc_cycle *cycle, double time_s)
{
	return !(cycle->start_s > time_s); // Not known is NAN.
}

/** What others can have allocated up to @p until_s, going by the two looks up to @p look. */
static double others_bytes(const struct ms_trace_report *r, const struct ms_heap_sample *look,
			   double until_s)
{
	const struct ms_heap_sample *before;
	double took_s;

	if (look == r->heap)
		return INFINITY;
	before = look - 1;
	if (before->is_marking || look->is_marking || before->live_bytes > look->live_bytes)
		return INFINITY;
	took_s = look->time_s - before->time_s;
	if (!(took_s > 0) || took_s > LOOK_AGE_MAX_S)
		return INFINITY;
	return (double)(look->live_bytes - before->live_bytes) / took_s * (until_s - look->time_s);
}

static bool brought(const struct blame *b, const struct ms_growth_event *e, size_t next,
		    const struct ms_heap_sample *look)
{
	const struct ms_gc_cycle *c;
	double table = (double)e->to_bytes, trigger, grown;

	if (next >= b->report->cycle_count || next >= b->notes->count ||
	    b->notes->items[next].trigger_least == MS_UNKNOWN)
		return false;
	c = &b->report->cycles[next];
	if (c->is_forced || !c->is_forced_known || c->heap_start_bytes == MS_UNKNOWN)
		return false;
	if (!(c->start_s - e->time_s <= BEGINS_WITHIN_S + table / CLEARED_BYTES_PER_S))
		return false;
	if (!(b->notes->items[next].idle_s < IDLE_MAX_S))
		return false;
	trigger = (double)b->notes->items[next].trigger_least;
	grown = (double)c->heap_start_bytes - (double)look->live_bytes;
	return grown >= table && others_bytes(b->report, look, c->start_s) <= table / 2 &&
	       (double)c->heap_start_bytes - table < trigger;
}

static void event_blame(const struct blame *b, struct ms_growth_event *e)
{
	double from_s = fmin(e->earliest_s, e->time_s);
	const struct ms_heap_sample *look = sample_before(b->report, from_s);
	size_t next;

	if (!look || from_s - look->time_s > LOOK_AGE_MAX_S || look->is_marking ||
	    e->to_bytes == MS_UNKNOWN)
		return;
	next = cycle_after(b->report, look->time_s);
	if (next < b->report->cycle_count && may_overlap(&b->report->cycles[next], e->time_s))
		return;
	if (look->goal_bytes != MS_UNKNOWN && look->live_bytes != MS_UNKNOWN) {
		uint64_t left =
		    look->goal_bytes > look->live_bytes ? look->goal_bytes - look->live_bytes : 0;

		e->gc_runway_bytes = (double)left;
		e->gc_sooner_bytes = (double)ms_min_u64(left, e->to_bytes);
	}
	e->brought_gc = brought(b, e, next, look);
}

/** Collections that began while old and new table were both held. */
static uint32_t cycles_during(const struct ms_trace_report *r, double from_s, double until_s)
{
	uint32_t count = 0;

	for (size_t i = cycle_after(r, from_s); i < r->cycle_count; i++) {
		const struct ms_gc_cycle *c = &r->cycles[i];
		bool ended = c->end_s <= until_s;

		if (c->start_s > until_s)
			break;
		if (c->start_s > from_s ||
		    (isnan(c->start_s) && ended && i > 0 && r->cycles[i - 1].end_s >= from_s))
			count++;
		if (!ended)
			break;
	}
	return count;
}

void ms_gc_blame(struct ms_trace_report *report, const struct ms_gc_notes *notes)
{
	const struct blame b = { report, notes };

	for (size_t i = 0; i < report->event_count; i++) {
		struct ms_growth_event *e = &report->events[i];

		e->gc_runway_bytes = e->gc_sooner_bytes = NAN;
		e->brought_gc = false;
		event_blame(&b, e);
		if (!isnan(e->duration_s))
			e->gc_cycles = cycles_during(report, e->time_s, e->time_s + e->duration_s);
	}
}
