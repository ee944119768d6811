// Goal: every cycle is counted and every pause summed, however many end between two looks; what is
// not known of a cycle is unknown. Method: a made-up collector whose cycles are put in between the
// looks of the part, on a clock of the test's own.
#include "trace/gc_watch.h"

#include "tests/support/fake_collector.h"
#include "tests/support/test.h"

#include <math.h>

static const double BEGAN = 1000;
static const int64_t MS = 1000000;
static const int64_t WALL_AHEAD = 1795000000000000000;

struct stage {
	struct fake_collector fake;
	struct ms_trace trace;
	struct ms_trace_options options;
	struct ms_trace_report report;
	struct ms_census_report census;
	double now;
	void *state;
};

static double now(void *context)
{
	return ((const struct stage *)context)->now;
}

static void stage_init(struct stage *s)
{
	memset(s, 0, sizeof(*s));
	fake_collector_init(&s->fake,
			    ms_go_layout_find(MS_GO(1, 24), MS_ARCH_AMD64, MS_GO_EXP_SWISS));
	s->now = BEGAN;
	s->options = (struct ms_trace_options){ .now = now, .context = s };
	s->census.heap_bytes = 8 << 20;
	s->trace = (struct ms_trace){ .rt = &s->fake.rt,
				      .options = &s->options,
				      .census = &s->census,
				      .report = &s->report,
				      .began = BEGAN };
}

static void stage_start(struct stage *s)
{
	CHECK_OK(ms_trace_gc.start(&s->trace, &s->state));
	CHECK(s->state);
}

/** The next look, when it is due. */
static void stage_look(struct stage *s)
{
	s->now = ms_trace_gc.due(s->state);
	CHECK_OK(ms_trace_gc.tick(&s->trace, s->state));
}

static void stage_end(struct stage *s)
{
	CHECK_OK(ms_trace_gc.end(&s->trace, s->state));
	ms_trace_gc.destroy(s->state);
}

static void stage_deinit(struct stage *s)
{
	ms_trace_report_deinit(&s->report);
	fake_collector_deinit(&s->fake);
}

/** A cycle of 1 ms that began @p start_ms after the trace; 30 microseconds stopped. */
static void collect(struct stage *s, int64_t start_ms, bool is_forced)
{
	int64_t start_ns = (int64_t)BEGAN * 1000 * MS + start_ms * MS;

	fake_collector_cycle(&s->fake, (struct fake_cycle){
					   .start_ns = start_ns,
					   .mark_ns = start_ns + 20000,
					   .mark_end_ns = start_ns + MS - 10000,
					   .end_ns = start_ns + MS,
					   .end_unix_ns = (uint64_t)(start_ns + MS + WALL_AHEAD),
					   .heap_start_bytes = 6 << 20,
					   .heap_end_bytes = 7 << 20,
					   .heap_marked_bytes = 3 << 20,
					   .is_forced = is_forced,
				       });
}

static bool near(double a, double b)
{
	return fabs(a - b) < 1e-6;
}

MS_TEST(gc_watch_one_cycle_between_two_looks)
{
	static struct stage s;
	const struct ms_gc_cycle *c;

	stage_init(&s);
	collect(&s, -500, false);
	stage_start(&s);
	stage_look(&s);
	CHECK_EQ(s.report.cycle_count, 0); // It was over before.
	CHECK_EQ(s.report.gc_cycles, 0);
	CHECK(s.report.gc_pause_s == 0);
	collect(&s, 3, false);
	stage_look(&s);
	collect(&s, 12, true);
	stage_end(&s);
	CHECK_EQ(s.report.gc_cycles, 2);
	CHECK(near(s.report.gc_pause_s, 60e-6));
	CHECK_EQ(s.report.cycle_count, 2);
	c = s.report.cycles;
	CHECK_EQ(c[0].number, 2);
	CHECK(near(c[0].start_s, 0.003) && near(c[0].end_s, 0.004));
	CHECK(near(c[0].pause_s, 30e-6) && near(c[0].pause_sweep_s, 20e-6) &&
	      near(c[0].pause_mark_s, 10e-6));
	CHECK(near(c[0].background_s, 970e-6) && c[0].assist_s == 0);
	CHECK_EQ(c[0].heap_start_bytes, 6 << 20);
	CHECK_EQ(c[0].heap_marked_bytes, 3 << 20);
	CHECK_EQ(c[0].goal_bytes, 8 << 20);
	CHECK_EQ(c[0].procs, 4);
	CHECK(!c[0].is_forced && c[0].is_forced_known && !c[0].gctrace);
	CHECK(c[1].is_forced && c[1].is_forced_known);
	CHECK_EQ(s.report.heap_count, 2);
	CHECK_EQ(s.report.heap[1].live_bytes, 3 << 20);
	CHECK_EQ(s.report.heap[1].goal_bytes, 6 << 20);
	stage_deinit(&s);
}

MS_TEST(gc_watch_several_cycles_between_two_looks)
{
	static struct stage s;
	const struct ms_gc_cycle *c;
	double due;

	stage_init(&s);
	s.options.gctrace = true;
	collect(&s, -500, false);
	stage_start(&s);
	stage_look(&s);
	collect(&s, 1, false);
	collect(&s, 3, true);
	collect(&s, 5, false);
	stage_look(&s);
	due = ms_trace_gc.due(s.state);
	CHECK(due - s.now < 0.003); // It looks more often now.
	for (int i = 0; i < 500; i++)
		stage_look(&s);
	CHECK(ms_trace_gc.due(s.state) - s.now > 0.009);
	stage_end(&s);
	CHECK_EQ(s.report.cycle_count, 3);
	CHECK(near(s.report.gc_pause_s, 90e-6));
	c = s.report.cycles;
	for (size_t i = 0; i < 3; i++) {
		CHECK_EQ(c[i].number, i + 2);
		CHECK(near(c[i].end_s, 0.002 * (double)(i + 1)));
		CHECK(near(c[i].pause_s, 30e-6));
		CHECK(!c[i].is_forced && !c[i].is_forced_known); // One of the three was.
	}
	CHECK(isnan(c[0].start_s) && isnan(c[0].pause_sweep_s) && isnan(c[0].assist_s));
	CHECK_EQ(c[1].heap_start_bytes, MS_UNKNOWN);
	CHECK_EQ(c[1].procs, 0);
	CHECK(near(c[2].start_s, 0.005));
	CHECK_STR(c[1].gctrace, "gc 3 @?s ?%: ?+?+? ms clock, ?+?/?/?+? ms cpu, ?->?->? MB, "
				"? MB goal, ? MB stacks, ? MB globals, ? P (forced?)");
	CHECK_CONTAINS(c[2].gctrace, "gc 4 @?s 1%: 0.020+0.97+0.010 ms clock, 0.040+0/0.97/0+0.020 "
				     "ms cpu, 6->7->3 MB, 8 MB goal, 0 MB stacks, 0 MB globals, 4 "
				     "P (forced?)");
	stage_deinit(&s);
}

MS_TEST(gc_watch_looks_while_a_forced_cycle_is_counted)
{
	static struct stage s;
	const struct ms_gc_cycle *c;

	stage_init(&s);
	collect(&s, -500, false);
	stage_start(&s);
	collect(&s, 1, false);
	fake_collector_count_forced(&s.fake);
	stage_look(&s);
	collect(&s, 3, false); // It was counted before.
	stage_look(&s);
	collect(&s, 5, true);
	stage_end(&s);
	CHECK_EQ(s.report.cycle_count, 3);
	c = s.report.cycles;
	CHECK(!c[0].is_forced_known && !c[1].is_forced_known);
	CHECK(c[2].is_forced && c[2].is_forced_known);
	stage_deinit(&s);
}

MS_TEST(gc_watch_more_than_the_runtime_keeps)
{
	static struct stage s;

	stage_init(&s);
	stage_start(&s);
	for (int i = 0; i < 300; i++)
		collect(&s, i * 2, false);
	s.now += 1;
	stage_look(&s);
	CHECK_EQ(s.report.gc_cycles, 300);
	CHECK(isnan(s.report.gc_pause_s)); // Of 44 it is lost.
	CHECK_EQ(s.report.cycle_count, 256);
	CHECK_EQ(s.report.cycles[0].number, 45);
	collect(&s, 1500, false);
	stage_end(&s);
	CHECK(isnan(s.report.gc_pause_s));
	CHECK_EQ(s.report.cycles[256].number, 301);
	stage_deinit(&s);
}

MS_TEST(gc_watch_cycles_across_the_window)
{
	static struct stage s;
	const struct ms_gc_cycle *c;
	int64_t began_ns = (int64_t)BEGAN * 1000 * MS;

	stage_init(&s);
	collect(&s, -500, false);
	stage_start(&s);
	stage_look(&s);
	fake_collector_begin(&s.fake, began_ns + 4 * MS);
	stage_look(&s);
	CHECK_EQ(s.report.cycle_count, 1); // Seen before it ended.
	CHECK(near(s.report.cycles[0].start_s, 0.004) && isnan(s.report.cycles[0].end_s));
	CHECK(s.report.heap[1].is_marking);
	stage_look(&s);
	CHECK_EQ(s.report.cycle_count, 1);
	CHECK_EQ(s.report.gc_cycles, 0);
	collect(&s, 4, false);
	stage_look(&s);
	CHECK_EQ(s.report.cycle_count, 1);
	CHECK(near(s.report.cycles[0].end_s, 0.005));
	fake_collector_begin(&s.fake, began_ns + 35 * MS);
	stage_end(&s);
	c = s.report.cycles;
	CHECK_EQ(s.report.cycle_count, 2);
	CHECK_EQ(s.report.gc_cycles, 1);
	CHECK_EQ(c[1].number, 3);
	CHECK(near(c[1].start_s, 0.035) && isnan(c[1].end_s) && isnan(c[1].pause_s));
	stage_deinit(&s);
}

MS_TEST(gc_watch_unknown)
{
	static struct stage s;
	static struct ms_growth_event event;

	stage_init(&s);
	collect(&s, -500, false);
	collect(&s, -400, false);
	memset(s.fake.memstats, 0, 4096);
	event = (struct ms_growth_event){ .duration_s = NAN };
	s.report.events = &event;
	s.report.event_count = 1;
	stage_start(&s);
	CHECK_CONTAINS(s.report.gc_unknown, "0 places could be them");
	CHECK(isnan(s.report.gc_pause_s));
	CHECK(isinf(ms_trace_gc.due(s.state)));
	stage_end(&s);
	CHECK(isnan(event.gc_sooner_bytes) && isnan(event.gc_runway_bytes));
	s.report.events = NULL;
	stage_deinit(&s);
}

/** Without the pacer only counts, ends and pauses are known; a lost place ends it. */
MS_TEST(gc_watch_without_a_pacer_and_lost)
{
	static struct stage s;

	stage_init(&s);
	collect(&s, -500, false);
	s.fake.pacer[4] = 1;
	stage_start(&s);
	stage_look(&s);
	collect(&s, 4, false);
	s.fake.pacer[4] = 1;
	stage_look(&s);
	CHECK_EQ(s.report.heap_count, 0);
	CHECK_EQ(s.report.gc_cycles, 1);
	CHECK(near(s.report.gc_pause_s, 30e-6));
	CHECK(isnan(s.report.cycles[0].start_s));
	fake_target_unmap(&s.fake.target, 0x600000);
	stage_look(&s);
	CHECK_CONTAINS(s.report.gc_unknown, "cannot be read");
	CHECK(isnan(s.report.gc_pause_s));
	CHECK(isinf(ms_trace_gc.due(s.state)));
	stage_end(&s);
	stage_deinit(&s);
}
