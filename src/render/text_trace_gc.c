// text_trace_gc.c - collections beside growths: how many, what they cost, and which growths brought
// one forward.
#include "render/text_trace_gc.h"

#include <inttypes.h>
#include <math.h>

/** A cycle that has ended, or one behind which others have. */
static bool is_complete(const struct ms_gc_cycle *c)
{
	return !isnan(c->pause_s);
}

bool ms_trace_mark_has_gc_lines(const struct ms_trace_mark *mark, const struct ms_trace_report *r)
{
	return mark->cycles < r->cycle_count && is_complete(&r->cycles[mark->cycles]) &&
	       r->cycles[mark->cycles].gctrace;
}

void ms_text_trace_gc_lines(struct ms_text *t, const struct ms_trace_report *r,
			    struct ms_trace_mark *mark)
{
	for (; ms_trace_mark_has_gc_lines(mark, r); mark->cycles++) {
		ms_text_name(t, r->cycles[mark->cycles].gctrace, 0);
		ms_text_end_whole(t);
	}
}

/** What single cycles add, as far as each of them is known. */
struct sums {
	double longest_s, assist_s;
	uint64_t forced, heap_most, goal;
	bool assist_known, forced_known;
};

static struct sums sums_of(const struct ms_trace_report *r)
{
	struct sums s = { .assist_known = true, .forced_known = true, .goal = MS_UNKNOWN };

	for (size_t i = 0; i < r->cycle_count; i++) {
		const struct ms_gc_cycle *c = &r->cycles[i];

		if (!is_complete(c))
			continue;
		s.longest_s = fmax(s.longest_s, c->pause_s);
		s.assist_known &= !isnan(c->assist_s);
		s.assist_s += c->assist_s;
		s.forced_known &= c->is_forced_known;
		s.forced += c->is_forced;
	}
	for (size_t i = 0; i < r->heap_count; i++) {
		if (r->heap[i].live_bytes != MS_UNKNOWN)
			s.heap_most = r->heap[i].live_bytes > s.heap_most ? r->heap[i].live_bytes
									  : s.heap_most;
		s.goal = r->heap[i].goal_bytes;
	}
	return s;
}

static void text_counts(struct ms_text *t, const struct ms_trace_report *r, const struct sums *s)
{
	struct ms_human paused, longest, assist;

	if (!r->gc_cycles) {
		ms_text_printf(t, "no collection ended");
		return;
	}
	ms_text_printf(t, "%" PRIu64 " collection%s", r->gc_cycles, r->gc_cycles == 1 ? "" : "s");
	if (s->forced_known && s->forced)
		ms_text_printf(t, " (%" PRIu64 " forced)", s->forced);
	if (isnan(r->gc_pause_s))
		ms_text_printf(t, ", paused for an unknown time");
	else
		ms_text_printf(t, ", %s paused", ms_human_pause(&paused, r->gc_pause_s));
	if (r->gc_cycles > 1 && r->cycle_count)
		ms_text_printf(t, ", at most %s at once", ms_human_pause(&longest, s->longest_s));
	if (s->assist_known && s->assist_s > 0)
		ms_text_printf(t, ", %s of CPU taken from allocating goroutines",
			       ms_human_pause(&assist, s->assist_s));
}

static void text_brought(struct ms_text *t, const struct ms_trace_report *r)
{
	uint64_t brought = 0, bytes = 0;
	struct ms_human took;

	for (size_t i = 0; i < r->event_count; i++) {
		if (!r->events[i].brought_gc || r->events[i].to_bytes == MS_UNKNOWN)
			continue;
		brought++;
		bytes += r->events[i].to_bytes;
	}
	if (!brought)
		return;
	ms_human_bytes(&took, bytes);
	if (brought == 1)
		ms_text_printf(t,
			       "1 growth brought a collection forward: without its new table of %s "
			       "the heap had not been large enough to begin one",
			       took.text);
	else
		ms_text_printf(
		    t,
		    "%" PRIu64 " growths brought a collection forward: without their new "
		    "tables, %s together, the heap had not been large enough to begin one",
		    brought, took.text);
	ms_text_end(t, 0);
}

void ms_text_trace_gc(struct ms_text *t, const struct ms_trace_report *r)
{
	struct sums s = sums_of(r);
	struct ms_human live, goal;

	if (ms_report_target_is_c(&r->target))
		return;
	if (r->gc_unknown) {
		ms_text_printf(t, "collections are unknown: ");
		ms_text_name(t, r->gc_unknown, 0);
		ms_text_end(t, 0);
		return;
	}
	text_counts(t, r, &s);
	if (s.heap_most)
		ms_text_printf(t, "; heap up to %s", ms_human_bytes(&live, s.heap_most));
	if (s.heap_most && s.goal != MS_UNKNOWN)
		ms_text_printf(t, ", goal now %s", ms_human_bytes(&goal, s.goal));
	ms_text_end(t, 0);
	text_brought(t, r);
}
