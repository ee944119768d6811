// switches.c - looks at every P about a thousand times a second; a growth picks what stays of it.
//
//	looks ── a P runs another goroutine than before ── ring of the last changes
//	                                                       │ old enough for growths to be known
//	                                  within 5 ms of a growth: into the report; else forgotten
//
// A P counts how often it takes up a goroutine that was not next in its queue.  So what happened
// between two looks is counted, though not seen: what is shown is at least what there was.  A probe
// where goroutines are switched would see all of it, and would cost the program more than the
// switch itself.
//
// Looks take at most a twentieth of a core: where there are many Ps they come less often.
#include "trace/switches.h"

#include "base/cleanup.h"
#include "base/vec.h"
#include "golang/scheduler.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	RING = 1 << 15,
	SWITCHES_MAX = 1 << 16, // In the report.
};

static const double NEAR_S = 0.005;
static const double APART_S = 0.001;    // Between two looks, at least ...
static const double SHARE = 0.05;       // ... and so much of a core at most.
static const double SETTLED_S = 0.5;    // A growth is in the report after this time.
static const double COST_WEIGHT = 0.05; // Of one look in the average of what they cost.

struct switches {
	struct ms_go_scheduler_place place;
	struct ms_go_running now[MS_GO_PS_MAX], last[MS_GO_PS_MAX];
	bool is_known[MS_GO_PS_MAX];
	struct ms_switch_event ring[RING];
	size_t first, count; // Of the ring.
	double due, cost_s;
};

static struct ms_error *look_up(struct ms_trace *trace, struct switches *s)
{
	struct ms_error *err = ms_go_scheduler_find(trace->rt, NULL, &s->place);

	if (!ms_error_is_unreadable(err))
		return err;
	trace->report->switches_unknown =
	    ms_arena_printf(&trace->report->arena, "%s", ms_error_message(err));
	ms_error_free(err);
	return trace->report->switches_unknown ? NULL : ms_error_no_memory();
}

static struct ms_error *start(struct ms_trace *trace, void **ret_state)
{
	MS_AUTO_FREE struct switches *s = NULL;
	struct ms_error *err;

	*ret_state = NULL;
	if (!trace->options->switches)
		return NULL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return ms_error_no_memory();
	err = look_up(trace, s);
	if (err || trace->report->switches_unknown)
		return err;
	trace->report->has_switches = true;
	*ret_state = MS_STEAL(s);
	return NULL;
}

static double due(const void *state)
{
	return ((const struct switches *)state)->due;
}

// --- What stays. ---

static bool is_near_growth(const struct ms_trace_report *r, double time_s)
{
	size_t low = 0, high = r->event_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (r->events[middle].time_s < time_s - NEAR_S)
			low = middle + 1;
		else
			high = middle;
	}
	return low < r->event_count && r->events[low].time_s <= time_s + NEAR_S;
}

static struct ms_error *keep(struct ms_trace_report *r, const struct ms_switch_event *e)
{
	struct {
		struct ms_switch_event *items;
		size_t count, capacity;
	} kept = { r->switches, r->switch_count, r->switch_capacity };
	bool added;

	if (r->switch_count == SWITCHES_MAX) {
		r->switches_unseen++;
		return NULL;
	}
	added = ms_vec_push(&kept, *e);
	r->switches = kept.items;
	r->switch_count = kept.count;
	r->switch_capacity = kept.capacity;
	return added ? NULL : ms_error_no_memory();
}

/** Keep or forget what is older than @p until_s. */
static struct ms_error *settle(struct ms_trace_report *r, struct switches *s, double until_s)
{
	struct ms_error *err = NULL;

	while (s->count && s->ring[s->first].time_s < until_s && !err) {
		const struct ms_switch_event *e = &s->ring[s->first];

		if (is_near_growth(r, e->time_s))
			err = keep(r, e);
		s->first = (s->first + 1) % RING;
		s->count--;
	}
	return err;
}

// --- Looks. ---

static void see(struct switches *s, const struct ms_switch_event *e, uint64_t *unseen)
{
	if (s->count == RING) { // The oldest makes room.
		s->first = (s->first + 1) % RING;
		s->count--;
		++*unseen;
	}
	s->ring[(s->first + s->count++) % RING] = *e;
}

static void compare(struct ms_trace_report *r, struct switches *s, size_t i, double time_s)
{
	const struct ms_go_running *now = &s->now[i], *last = &s->last[i];
	bool changed = now->goroutine != last->goroutine;
	uint32_t taken;

	if (now->moved)
		return; // The next look counts what was taken up since the last good one.
	if (s->is_known[i]) {
		taken = now->ticks - last->ticks;
		if (changed)
			see(s,
			    &(struct ms_switch_event){ .time_s = time_s,
						       .p = (uint32_t)i,
						       .from = last->goroutine,
						       .to = now->goroutine },
			    &r->switches_unseen);
		r->switches_unseen += taken - (taken && changed && now->goroutine);
	}
	s->is_known[i] = true;
	s->last[i] = *now;
}

static struct ms_error *look(struct ms_trace *trace, struct switches *s)
{
	size_t count = 0;
	struct ms_error *err =
	    ms_go_running_read(trace->rt, &s->place, s->now, MS_GO_PS_MAX, &count);
	double time_s = ms_trace_time(trace);

	if (err && (ms_error_code(err) == MS_ERR_FAULT || ms_error_code(err) == MS_ERR_BAD_DATA)) {
		ms_error_free(err); // GOMAXPROCS is being changed.
		return NULL;
	}
	for (size_t i = 0; i < count && !err; i++)
		compare(trace->report, s, i, time_s);
	if (count < MS_GO_PS_MAX)
		memset(s->is_known + count, 0, MS_GO_PS_MAX - count);
	return err;
}

static struct ms_error *tick(struct ms_trace *trace, void *state)
{
	const struct ms_trace_options *o = trace->options;
	struct switches *s = state;
	double began = o->now(o->context), cost;
	struct ms_error *err = look(trace, s);

	if (!err)
		err = settle(trace->report, s, ms_trace_time(trace) - SETTLED_S);
	cost = o->now(o->context) - began;
	s->cost_s += (cost - s->cost_s) * (s->cost_s > 0 ? COST_WEIGHT : 1);
	s->due = began + fmax(APART_S, s->cost_s / SHARE);
	return err;
}

static struct ms_error *end(struct ms_trace *trace, void *state)
{
	return settle(trace->report, state, INFINITY);
}

const struct ms_trace_part ms_trace_switches = {
	.name = "switches",
	.start = start,
	.due = due,
	.tick = tick,
	.end = end,
	.destroy = free,
};
