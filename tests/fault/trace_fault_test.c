// Whichever operation fails while a process is traced: an error, or a trace in which nothing grew,
// because in a recording nothing does.
//
// Method: a trace by polling of a recording with all parts there are, then again with the first
// operation failing, and so on in steps until nothing is left to fail.  Each report is written in
// every form.
#include "trace/trace.h"

#include "census/census_run.h"
#include "render/render.h"
#include "target/fault.h"
#include "tests/support/recordings.h"
#include "tests/support/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define CLASSIC "go1.23.12"
#define SWISS "go1.27.4"

enum { FIRST = 20, STEPS = 20, STEPS_COMPLETE = 500 }; // The first, and so many others.

struct sweep {
	struct ms_target *recording, *fault;
	struct ms_go_runtime *rt;
	struct ms_census_report census;
	struct ms_trace_options options;
	struct ms_trace_report clean;
	uint64_t operations;
	double now;
};

static const struct ms_fault_plan no_fault = { MS_FAULT_ANY, UINT64_MAX, MS_FAULT_FAULT,
					       MS_FAULT_ONCE };

static double clock_now(void *context)
{
	return ((const struct sweep *)context)->now;
}

static void clock_sleep_until(void *context, double when)
{
	struct sweep *s = context;

	s->now = when > s->now + 0.01 ? when : s->now + 0.01; // A busy machine.
}

static void sweep_init(struct sweep *s, const char *name)
{
	*s = (struct sweep){ .recording = recording_open(name), .now = 1000 };
	CHECK_OK(ms_fault_create(s->recording, &no_fault, &s->fault));
	CHECK_OK(ms_go_open(s->fault, NULL, &s->rt));
	CHECK_OK(ms_census_run(s->rt, &(struct ms_census_options){ 0 }, &s->census));
	s->options = (struct ms_trace_options){ .seconds = 1,
						.no_probes = true,
						.migrations = true,
						.gctrace = true,
						.switches = true,
						.now = clock_now,
						.sleep_until = clock_sleep_until,
						.context = s };
	ms_fault_restart(s->fault, &no_fault);
	CHECK_OK(ms_trace_run(s->rt, &s->census, &s->options, &s->clean));
	s->operations = ms_fault_count(s->fault);
	CHECK(s->clean.followed > 100 && s->operations > 300);
}

static void sweep_deinit(struct sweep *s)
{
	ms_trace_report_deinit(&s->clean);
	ms_census_report_deinit(&s->census);
	ms_go_close(s->rt);
	ms_target_destroy(s->fault);
	ms_target_destroy(s->recording);
}

static void check_report(const struct sweep *s, const struct ms_trace_report *r)
{
	CHECK_EQ(r->event_count, 0);
	CHECK_EQ(r->counted, 0);
	CHECK_EQ(r->switch_count, 0);
	CHECK(r->followed <= s->clean.followed);
	CHECK(r->gc_unknown || r->partial || r->gc_cycles == s->clean.gc_cycles);
	CHECK(r->cycle_count <= s->clean.cycle_count);
	CHECK(r->has_switches == s->clean.has_switches || r->switches_unknown || r->partial);
	for (size_t i = 0; i < r->heap_count; i++) {
		const struct ms_heap_sample *h = &r->heap[i];

		CHECK_EQ(h->live_bytes, s->clean.heap[0].live_bytes);
		CHECK(h->goal_bytes == s->clean.heap[0].goal_bytes || h->goal_bytes == MS_UNKNOWN);
	}
}

typedef struct ms_error *(*form_fn)(const struct ms_trace_report *, struct ms_sink *);

static void check_forms(const struct ms_trace_report *r)
{
	static const form_fn forms[] = { ms_render_trace_json,   ms_render_trace_csv,
					 ms_render_trace_folded, ms_render_trace_svg,
					 ms_render_trace_chrome, ms_render_trace_pprof };
	const struct ms_text_style style = { .width = 100 };
	struct ms_sink sink;

	for (size_t i = 0; i < MS_ARRAY_SIZE(forms); i++) {
		ms_sink_init_memory(&sink);
		CHECK_OK(forms[i](r, &sink));
		ms_sink_deinit(&sink);
	}
	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_trace_text(r, &style, &sink));
	ms_sink_deinit(&sink);
}

static void trace_with(struct sweep *s, uint64_t at, enum ms_fault_kind kind,
		       enum ms_fault_span span)
{
	const struct ms_fault_plan plan = { MS_FAULT_ANY, at, kind, span };
	struct ms_trace_report report;
	struct ms_error *err;

	printf("operation %" PRIu64 "\n", at);
	s->now = 1000;
	ms_fault_restart(s->fault, &plan);
	err = ms_trace_run(s->rt, &s->census, &s->options, &report);
	if (err) {
		CHECK_ERR(err, kind == MS_FAULT_GONE ? MS_ERR_GONE : MS_ERR_FAULT);
		return;
	}
	CHECK(kind != MS_FAULT_GONE || report.partial || ms_fault_count(s->fault) <= at);
	check_report(s, &report);
	check_forms(&report);
	ms_trace_report_deinit(&report);
}

static void sweep(const char *name, enum ms_fault_kind kind, enum ms_fault_span span)
{
	struct sweep s;
	uint64_t step;

	sweep_init(&s, name);
	step = s.operations / (getenv("MS_SWEEP") ? STEPS_COMPLETE : STEPS) + 1;
	for (uint64_t at = 0; at < s.operations; at += at < FIRST ? 1 : step)
		trace_with(&s, at, kind, span);
	sweep_deinit(&s);
}

MS_TEST(trace_of_classic_maps_survives_each_fault)
{
	sweep(CLASSIC, MS_FAULT_FAULT, MS_FAULT_ONCE);
}

MS_TEST(trace_of_classic_maps_survives_all_faults_from_each_on)
{
	sweep(CLASSIC, MS_FAULT_FAULT, MS_FAULT_STICKY);
}

MS_TEST(trace_of_swiss_maps_survives_each_stuck_read)
{
	sweep(SWISS, MS_FAULT_STUCK, MS_FAULT_ONCE);
}

MS_TEST(trace_of_swiss_maps_ends_when_its_target_does)
{
	sweep(SWISS, MS_FAULT_GONE, MS_FAULT_ONCE);
}
