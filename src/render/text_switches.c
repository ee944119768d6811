// text_switches.c - who took whose place on a P, growth by growth.
//
// A line each, with its distance from the nearest growth; the first growths that have any.
#include "render/text_switches.h"

#include <inttypes.h>
#include <math.h>

enum { LINES_MAX = 24, INDENT = 2 };

static const struct ms_growth_event *nearest(const struct ms_trace_report *r, double time_s)
{
	const struct ms_growth_event *best = NULL;
	size_t low = 0, high = r->event_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (r->events[middle].time_s < time_s)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < r->event_count)
		best = &r->events[low];
	if (low && (!best || time_s - r->events[low - 1].time_s < best->time_s - time_s))
		best = &r->events[low - 1];
	return best;
}

static void text_goroutine(struct ms_text *t, uint64_t id)
{
	if (id)
		ms_text_printf(t, "go %" PRIu64, id);
	else
		ms_text_printf(t, "idle");
}

static void text_switch(struct ms_text *t, const struct ms_trace_report *r,
			const struct ms_switch_event *s)
{
	const struct ms_growth_event *growth = nearest(r, s->time_s);

	ms_text_printf(t, "p %" PRIu32 ": ", s->p);
	text_goroutine(t, s->from);
	ms_text_printf(t, " -> ");
	text_goroutine(t, s->to);
	if (growth) {
		double apart_ms = (s->time_s - growth->time_s) * 1000;

		ms_text_printf(t, ", %.1f ms %s growth #%" PRIu64, fabs(apart_ms),
			       apart_ms < 0 ? "before" : "behind", growth->number);
	}
	ms_text_end(t, INDENT);
}

void ms_text_switches(struct ms_text *t, const struct ms_trace_report *r)
{
	if (r->switches_unknown) {
		ms_text_printf(t, "who took whose place is not known: ");
		ms_text_name(t, r->switches_unknown, 0);
		ms_text_end(t, 0);
	}
	if (!r->has_switches)
		return;
	ms_text_printf(t, "at least %zu switch%s within 5 ms of a growth", r->switch_count,
		       r->switch_count == 1 ? "" : "es");
	if (r->switches_unseen)
		ms_text_printf(t,
			       ", at least %" PRIu64 " more in the window fell between two looks",
			       r->switches_unseen);
	ms_text_end(t, 0);
	for (size_t i = 0; i < r->switch_count && i < LINES_MAX; i++)
		text_switch(t, r, &r->switches[i]);
	if (r->switch_count > LINES_MAX) {
		ms_text_printf(t, "and %zu more", r->switch_count - LINES_MAX);
		ms_text_end(t, INDENT);
	}
}
