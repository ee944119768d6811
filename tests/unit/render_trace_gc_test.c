// Goal: the page of a trace says of collections what is known, in whole sentences, and no more.
// Method: reports made by hand, and the lines they give.
#include "render/text_trace_gc.h"

#include "tests/support/test.h"

#include <math.h>

enum { MB = 1000000 };

static struct ms_gc_cycle cycles[] = {
	{ .number = 6,
	  .pause_s = 0.0005,
	  .assist_s = 0.002,
	  .is_forced_known = true,
	  .gctrace = "gc 6 @1.000s 1%: ..." },
	{ .number = 7,
	  .pause_s = 0.0021,
	  .assist_s = 0.001,
	  .is_forced = true,
	  .is_forced_known = true,
	  .gctrace = "gc 7 @1.100s 1%: ..." },
	{ .number = 8, .pause_s = NAN, .assist_s = NAN },
};

static struct ms_heap_sample heap[] = {
	{ 0, 60 * MB, 100 * MB, false },
	{ 1, 90 * MB, 100 * MB, true },
	{ 2, 70 * MB, 120 * MB, false },
};

static struct ms_trace_report a_report(void)
{
	return (struct ms_trace_report){ .gc_cycles = 2,
					 .gc_pause_s = 0.0026,
					 .cycles = cycles,
					 .cycle_count = 3,
					 .heap = heap,
					 .heap_count = 3 };
}

static void check_page(const struct ms_trace_report *report, const char *page)
{
	const struct ms_text_style style = { .width = 200 };
	struct ms_text t;
	struct ms_sink sink;

	ms_sink_init_memory(&sink);
	ms_text_init(&t, &style, &sink);
	ms_text_trace_gc(&t, report);
	CHECK_OK(ms_text_finish(&t));
	CHECK_STR(ms_sink_text(&sink), page);
	ms_sink_deinit(&sink);
}

MS_TEST(render_trace_gc_counts)
{
	struct ms_trace_report r = a_report();

	check_page(&r,
		   "2 collections (1 forced), 2.6 ms paused, at most 2.1 ms at once, 3.0 ms of CPU "
		   "taken from allocating goroutines; heap up to 90 MB, goal now 120 MB\n");
	cycles[0].assist_s = NAN; // Of one it is not known, so the sum is not.
	cycles[0].is_forced_known = false;
	heap[2].goal_bytes = MS_UNKNOWN;
	check_page(&r, "2 collections, 2.6 ms paused, at most 2.1 ms at once; heap up to 90 MB\n");
	r.gc_pause_s = NAN;
	r.gc_cycles = 1;
	r.heap_count = 0;
	check_page(&r, "1 collection, paused for an unknown time\n");
	r.gc_cycles = 0;
	check_page(&r, "no collection ended\n");
	r.gc_unknown = "the counts were looked for and 2 places could be them";
	check_page(&r, "collections are unknown: the counts were looked for and 2 places could be "
		       "them\n");
}

MS_TEST(render_trace_gc_brought)
{
	struct ms_growth_event events[] = {
		{ .to_bytes = 40 * MB, .brought_gc = true },
		{ .to_bytes = 40 * MB },
		{ .to_bytes = 60 * MB, .brought_gc = true },
	};
	struct ms_trace_report r = { .events = events, .event_count = 1 };

	check_page(&r, "no collection ended\n"
		       "1 growth brought a collection forward: without its new table of 40 MB the "
		       "heap had not been large enough to begin one\n");
	r.event_count = 3;
	check_page(&r, "no collection ended\n"
		       "2 growths brought a collection forward: without their new tables, 100 MB "
		       "together, the heap had not been large enough to begin one\n");
}

MS_TEST(render_trace_gc_lines)
{
	const struct ms_text_style style = { .width = 10 };
	struct ms_trace_report r = a_report();
	struct ms_trace_mark mark = { 0 };
	struct ms_text t;
	struct ms_sink sink;

	ms_sink_init_memory(&sink);
	ms_text_init(&t, &style, &sink);
	CHECK(ms_trace_mark_has_gc_lines(&mark, &r));
	ms_text_trace_gc_lines(&t, &r, &mark);
	CHECK_EQ(mark.cycles, 2); // The third still runs.
	CHECK(!ms_trace_mark_has_gc_lines(&mark, &r));
	ms_text_trace_gc_lines(&t, &r, &mark);
	CHECK_OK(ms_text_finish(&t));
	CHECK_STR(ms_sink_text(&sink), "gc 6 @1.000s 1%: ...\ngc 7 @1.100s 1%: ...\n");
	ms_sink_deinit(&sink);
}
