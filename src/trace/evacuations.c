// evacuations.c - an evacuation is known by the array that it empties.
//
//	looks at the header     rest    rest │ A │ A │ A    rest
//	                             └─begun─┘       └─ended─┘
//
// It belongs to the growth that a probe saw begin on that array: the last one before it was seen,
// because memory is used again.  That growth's time is exact, and some time before the header shows
// it, since the new array is allocated first.  By polling, events do not name an array; there it is
// the last growth of the map, whose time is a bracket as wide as this one.  An evacuation that came
// and went between two looks was not seen, and its duration stays unknown.
#include "trace/evacuations.h"

#include "base/vec.h"

#include <math.h>

enum { WAITING_MAX = 1 << 16 };

static const double CLOCK_SLACK_S = 1e-6; // Of a double at some days of uptime.
static const double ALLOCATION_MAX_S = 1; // Of the new array.

static bool is_classic_growth(const struct ms_growth_event *e)
{
	return e->kind == MS_GROWTH_EVENT_DOUBLE || e->kind == MS_GROWTH_EVENT_SAME_SIZE;
}

static struct ms_error *end_note(struct ms_evacuations *all, struct ms_followed_map *m,
				 struct ms_moment at, uint32_t sweepgen)
{
	struct ms_evacuation ended = m->evacuation;

	m->evacuation.map = 0;
	if (!ended.map || isnan(ended.begun_after))
		return NULL; // It was under way when the trace began.
	ended.ended_after = m->last_at.from;
	ended.ended_before = at.to;
	ended.sweepgen = sweepgen - ended.sweepgen;
	if (all->count == WAITING_MAX) {
		all->dropped++;
		return NULL;
	}
	return ms_vec_push(all, ended) ? NULL : ms_error_no_memory();
}

struct ms_error *ms_evacuations_look(struct ms_evacuations *all, struct ms_followed_map *m,
				     const struct ms_followed_look *look, uint32_t sweepgen)
{
	const struct ms_poll *now = look->now;
	struct ms_evacuation *open = &m->evacuation;
	struct ms_error *err = NULL;

	if (open->map && (!now->growing || open->old_table != now->old_table))
		err = end_note(all, m, look->at, sweepgen);
	if (err || !now->growing || open->map)
		return err;
	*open = (struct ms_evacuation){
		.map = m->address,
		.old_table = now->old_table,
		.begun_after = look->is_first ? NAN : m->last_at.from,
		.begun_before = look->at.to,
		.sweepgen = sweepgen,
	};
	return NULL;
}

static void event_fill(struct ms_growth_event *e, const struct ms_evacuation *v, double next_s)
{
	double ended_before = fmin(v->ended_before, next_s);
	double least = fmax(v->ended_after - e->time_s, 0);
	double most = fmax(ended_before - e->earliest_s, least);

	e->duration_s = (least + most) / 2;
	e->duration_error_s = (most - least) / 2;
	e->gc_cycles = v->sweepgen / 2;
	if (e->from_bytes != MS_UNKNOWN && e->to_bytes != MS_UNKNOWN)
		e->together_bytes = e->from_bytes + e->to_bytes;
}

/** False when the growth it belongs to is not there, or not there yet. */
static bool settle(const struct ms_evacuation *v, struct ms_trace_report *report)
{
	double next_s = INFINITY; // When the map grew again.

	for (size_t i = report->event_count; i-- > 0;) {
		struct ms_growth_event *e = &report->events[i];

		if (e->time_s < v->begun_after - ALLOCATION_MAX_S)
			return false;
		if (e->map != v->map || !is_classic_growth(e))
			continue;
		if (e->time_s <= v->begun_before + CLOCK_SLACK_S) {
			if (!isnan(e->duration_s) || (e->table && e->table != v->old_table))
				return false; // Another's: this one's own is missing.
			event_fill(e, v, next_s);
			return true;
		}
		next_s = e->time_s;
	}
	return false;
}

void ms_evacuations_settle(struct ms_evacuations *all, struct ms_trace_report *report, double now,
			   double patience_s)
{
	size_t kept = 0;

	for (size_t i = 0; i < all->count; i++) {
		if (!settle(&all->items[i], report) &&
		    now < all->items[i].ended_before + patience_s)
			all->items[kept++] = all->items[i];
	}
	all->count = kept;
}

void ms_evacuations_deinit(struct ms_evacuations *all)
{
	ms_vec_free(all);
}
