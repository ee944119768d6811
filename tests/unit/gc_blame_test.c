// Goal: a growth is blamed for a collection only when it can be shown.
// Method: one growth, one look at the heap before it and one cycle behind it, for which the blame
// is right; then each condition broken in turn.
#include "trace/gc_blame.h"

#include "tests/support/test.h"

#include <math.h>

enum { MB = 1 << 20 };

/** 60 MB live of 100, a table of 40 MB at 1.005 s, a cycle 2 ms later. */
struct scene {
	struct ms_heap_sample heap[4];
	struct ms_gc_cycle cycles[3];
	struct ms_gc_note items[3];
	struct ms_growth_event event;
	struct ms_trace_report report;
	struct ms_gc_notes notes;
};

static struct ms_gc_cycle cycle_at(double start_s, double end_s, uint64_t heap_bytes)
{
	return (struct ms_gc_cycle){ .start_s = start_s,
				     .end_s = end_s,
				     .heap_start_bytes = heap_bytes,
				     .is_forced_known = true };
}

static void scene_init(struct scene *s)
{
	*s = (struct scene){
		.heap = { { 0.98, 60 * MB, 100 * MB, false },
			  { 0.99, 60 * MB, 100 * MB, false },
			  { 1.00, 60 * MB, 100 * MB, false },
			  { 1.01, 101 * MB, 100 * MB, true } },
		.cycles = { cycle_at(0.5, 0.6, 90 * MB), cycle_at(1.007, 1.02, 101 * MB),
			    cycle_at(2, 2.1, 150 * MB) },
		.items = { { 80 * MB, 1 }, { 85 * MB, 1 }, { 85 * MB, 1 } },
		.event = { .time_s = 1.005,
			   .earliest_s = 1.005,
			   .to_bytes = 40 * MB,
			   .duration_s = NAN },
	};
	s->report = (struct ms_trace_report){ .events = &s->event,
					      .event_count = 1,
					      .cycles = s->cycles,
					      .cycle_count = 3,
					      .heap = s->heap,
					      .heap_count = 4 };
	s->notes.items = s->items;
	s->notes.count = 3;
}

static void check_blame(struct scene *s, double runway, double sooner, bool brought)
{
	ms_gc_blame(&s->report, &s->notes);
	CHECK(isnan(runway) ? isnan(s->event.gc_runway_bytes) : s->event.gc_runway_bytes == runway);
	CHECK(isnan(sooner) ? isnan(s->event.gc_sooner_bytes) : s->event.gc_sooner_bytes == sooner);
	CHECK_EQ(s->event.brought_gc, brought);
}

MS_TEST(gc_blame_right)
{
	struct scene s;

	scene_init(&s);
	check_blame(&s, 40 * MB, 40 * MB, true);
}

MS_TEST(gc_blame_takes_no_more_than_was_left)
{
	struct scene s;

	scene_init(&s);
	s.heap[2].live_bytes = 70 * MB; // And others allocate fast.
	check_blame(&s, 30 * MB, 30 * MB, false);
	scene_init(&s);
	s.heap[0].live_bytes = s.heap[1].live_bytes = s.heap[2].live_bytes = 120 * MB;
	check_blame(&s, 0, 0, false);
}

MS_TEST(gc_blame_not_shown)
{
	struct scene s;

	scene_init(&s); // The heap reached the trigger without it.
	s.items[1].trigger_least = 60 * MB;
	check_blame(&s, 40 * MB, 40 * MB, false);
	scene_init(&s); // The trigger is not known.
	s.items[1].trigger_least = MS_UNKNOWN;
	check_blame(&s, 40 * MB, 40 * MB, false);
	scene_init(&s);
	s.notes.count = 1;
	check_blame(&s, 40 * MB, 40 * MB, false);
	scene_init(&s); // The program asked for it.
	s.cycles[1].is_forced = true;
	check_blame(&s, 40 * MB, 40 * MB, false);
	scene_init(&s); // Or may have.
	s.cycles[1].is_forced_known = false;
	check_blame(&s, 40 * MB, 40 * MB, false);
	scene_init(&s); // Or two minutes were over.
	s.items[1].idle_s = 120;
	check_blame(&s, 40 * MB, 40 * MB, false);
	scene_init(&s);
	s.items[1].idle_s = NAN;
	check_blame(&s, 40 * MB, 40 * MB, false);
	scene_init(&s); // Its table was not in the heap yet.
	s.cycles[1].heap_start_bytes = 86 * MB;
	check_blame(&s, 40 * MB, 40 * MB, false);
	scene_init(&s);
	s.cycles[1].heap_start_bytes = MS_UNKNOWN;
	check_blame(&s, 40 * MB, 40 * MB, false);
	scene_init(&s); // Others allocate 4 MB a millisecond.
	s.heap[1].live_bytes = 20 * MB;
	check_blame(&s, 40 * MB, 40 * MB, false);
	scene_init(&s); // How fast, is not known.
	s.report.heap = s.heap + 2;
	s.report.heap_count = 2;
	check_blame(&s, 40 * MB, 40 * MB, false);
}

MS_TEST(gc_blame_too_late)
{
	struct scene s;

	scene_init(&s);
	s.cycles[1].start_s = 1.11;
	s.cycles[1].end_s = 1.2;
	check_blame(&s, 40 * MB, 40 * MB, false);
	scene_init(&s); // No cycle behind it at all.
	s.report.cycle_count = 1;
	check_blame(&s, 40 * MB, 40 * MB, false);
}

MS_TEST(gc_blame_unknown)
{
	struct scene s;

	scene_init(&s); // The last look is too old.
	s.event.time_s = s.event.earliest_s = 1.2;
	s.report.heap_count = 3;
	check_blame(&s, NAN, NAN, false);
	scene_init(&s); // There is none before it.
	s.event.time_s = s.event.earliest_s = 0.9;
	check_blame(&s, NAN, NAN, false);
	scene_init(&s); // A cycle is under way.
	s.event.time_s = s.event.earliest_s = 1.011;
	check_blame(&s, NAN, NAN, false);
	scene_init(&s); // One began between look and growth.
	s.cycles[1].start_s = 1.003;
	check_blame(&s, NAN, NAN, false);
	scene_init(&s); // Or it is not known when it began.
	s.cycles[1].start_s = NAN;
	check_blame(&s, NAN, NAN, false);
	scene_init(&s); // By polling, it may have begun before the growth.
	s.event.time_s = 1.009;
	check_blame(&s, NAN, NAN, false);
	scene_init(&s);
	s.heap[2].goal_bytes = MS_UNKNOWN;
	check_blame(&s, NAN, NAN, true);
	scene_init(&s);
	s.event.to_bytes = MS_UNKNOWN;
	check_blame(&s, NAN, NAN, false);
	scene_init(&s); // Nothing is known of collections.
	s.report.heap_count = s.report.cycle_count = s.notes.count = 0;
	s.event.gc_runway_bytes = s.event.gc_sooner_bytes = 0;
	check_blame(&s, NAN, NAN, false);
}

static uint32_t cycles_seen(struct scene *s, double time_s, double duration_s)
{
	s->event.time_s = s->event.earliest_s = time_s;
	s->event.duration_s = duration_s;
	ms_gc_blame(&s->report, &s->notes);
	return s->event.gc_cycles;
}

MS_TEST(gc_blame_cycles_while_both_tables_were_held)
{
	struct scene s;

	scene_init(&s);
	CHECK_EQ(cycles_seen(&s, 0.4, 0.05), 0);
	CHECK_EQ(cycles_seen(&s, 0.4, 0.15), 1);
	CHECK_EQ(cycles_seen(&s, 0.55, 0.3), 0); // It had begun before.
	CHECK_EQ(cycles_seen(&s, 0.55, 1), 1);
	CHECK_EQ(cycles_seen(&s, 0.4, 1.7), 3);
	s.cycles[1].start_s = NAN; // It ended within, and the one before it ended within, too.
	CHECK_EQ(cycles_seen(&s, 0.4, 1), 2);
	CHECK_EQ(cycles_seen(&s, 0.7, 0.5), 0); // It may have begun before.
	s.cycles[2].end_s = NAN;                // Still running at the end of the window.
	CHECK_EQ(cycles_seen(&s, 1.5, 1), 1);
}
