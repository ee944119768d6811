// Whichever operation fails while goroutines are looked at: an error, or a report in which every
// number that is known is the one of the clean look.
//
// Method: all goroutines of a recording, which never moves, with the scheduler's tables and the
// names of a census; then again with the first operation failing, and so on in steps until nothing
// is left to fail.  Each report is written in every form.
#include "goroutines/goroutines_run.h"

#include "census/census_run.h"
#include "render/render.h"
#include "target/fault.h"
#include "tests/support/recordings.h"
#include "tests/support/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define CLASSIC "go1.20.14"
#define SWISS "go1.26.11"

enum { FIRST = 20, STEPS = 25, STEPS_COMPLETE = 500 }; // The first, and so many others.

struct sweep {
	struct ms_target *recording, *fault;
	struct ms_go_runtime *rt;
	struct ms_census_report census;
	struct ms_goroutines_options options;
	struct ms_goroutines_report clean;
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
	((struct sweep *)context)->now = when;
}

static void sweep_init(struct sweep *s, const char *name)
{
	*s = (struct sweep){ .recording = recording_open(name), .now = 1000 };
	CHECK_OK(ms_fault_create(s->recording, &no_fault, &s->fault));
	CHECK_OK(ms_go_open(s->fault, NULL, &s->rt));
	CHECK_OK(ms_census_run(s->rt, &(struct ms_census_options){ 0 }, &s->census));
	s->options = (struct ms_goroutines_options){ .seconds = 1,
						     .sched = true,
						     .census = &s->census,
						     .now = clock_now,
						     .sleep_until = clock_sleep_until,
						     .context = s };
	ms_fault_restart(s->fault, &no_fault);
	CHECK_OK(ms_goroutines_run(s->rt, &s->options, &s->clean));
	s->operations = ms_fault_count(s->fault);
	CHECK(s->clean.row_count > 3 && s->clean.p_count > 0 && s->operations > 100);
}

static void sweep_deinit(struct sweep *s)
{
	ms_goroutines_report_deinit(&s->clean);
	ms_census_report_deinit(&s->census);
	ms_go_close(s->rt);
	ms_target_destroy(s->fault);
	ms_target_destroy(s->recording);
}

static const struct ms_goroutine_row *row_of(const struct ms_goroutines_report *r, uint64_t id)
{
	for (size_t i = 0; i < r->row_count; i++) {
		if (r->rows[i].id == id)
			return &r->rows[i];
	}
	return NULL;
}

static void check_rows(const struct sweep *s, const struct ms_goroutines_report *r)
{
	CHECK_EQ(r->seen, r->row_count);
	for (size_t i = 0; i < r->row_count; i++) {
		const struct ms_goroutine_row *row = &r->rows[i],
					      *clean = row_of(&s->clean, row->id);

		CHECK(clean != NULL);
		CHECK_EQ(row->address, clean->address);
		CHECK_STR(row->state, clean->state);
		CHECK(row->cluster < r->cluster_count);
		if (row->stack != MS_NO_STACK) // What was inlined may be unknown, nothing new.
			CHECK(r->stacks.items[row->stack].count <=
			      s->clean.stacks.items[clean->stack].count);
		if (row->place != MS_NO_PLACE && clean->place != MS_NO_PLACE)
			CHECK_EQ(r->places[row->place].address,
				 s->clean.places[clean->place].address);
	}
}

/** What is said of the scheduler is whole, or said to be unknown. */
static void check_scheduler(const struct sweep *s, const struct ms_goroutines_report *r)
{
	CHECK(r->has_sched || r->partial);
	if (!r->p_count) {
		CHECK(r->sched_unknown || r->partial);
		return;
	}
	CHECK_EQ(r->p_count, s->clean.p_count);
	for (size_t i = 0; i < r->p_count; i++) {
		CHECK_EQ(r->ps[i].id, s->clean.ps[i].id);
		CHECK(r->ps[i].queue_count <= s->clean.ps[i].queue_count);
	}
}

typedef struct ms_error *(*form_fn)(const struct ms_goroutines_report *, struct ms_sink *);

static void check_forms(const struct ms_goroutines_report *r)
{
	static const form_fn forms[] = { ms_render_goroutines_json, ms_render_goroutines_csv,
					 ms_render_goroutines_folded, ms_render_goroutines_svg };
	const struct ms_goroutines_view view = { .top = 20 };
	const struct ms_text_style style = { .width = 100 };
	struct ms_sink sink;

	for (size_t i = 0; i < MS_ARRAY_SIZE(forms); i++) {
		ms_sink_init_memory(&sink);
		CHECK_OK(forms[i](r, &sink));
		ms_sink_deinit(&sink);
	}
	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_goroutines_text(r, &view, &style, &sink));
	ms_sink_deinit(&sink);
}

static void look_with(struct sweep *s, uint64_t at, enum ms_fault_kind kind,
		      enum ms_fault_span span)
{
	const struct ms_fault_plan plan = { MS_FAULT_ANY, at, kind, span };
	struct ms_goroutines_report report;
	struct ms_error *err;

	printf("operation %" PRIu64 "\n", at);
	ms_fault_restart(s->fault, &plan);
	err = ms_goroutines_run(s->rt, &s->options, &report);
	CHECK(ms_fault_count(s->fault) > at);
	if (err) {
		CHECK_ERR(err, kind == MS_FAULT_GONE ? MS_ERR_GONE : MS_ERR_FAULT);
		return;
	}
	CHECK(kind != MS_FAULT_GONE || report.partial);
	check_rows(s, &report);
	check_scheduler(s, &report);
	check_forms(&report);
	ms_goroutines_report_deinit(&report);
}

static void sweep(const char *name, enum ms_fault_kind kind, enum ms_fault_span span)
{
	struct sweep s;
	uint64_t step;

	sweep_init(&s, name);
	step = s.operations / (getenv("MS_SWEEP") ? STEPS_COMPLETE : STEPS) + 1;
	for (uint64_t at = 0; at < s.operations; at += at < FIRST ? 1 : step)
		look_with(&s, at, kind, span);
	sweep_deinit(&s);
}

MS_TEST(goroutines_of_classic_maps_survive_each_fault)
{
	sweep(CLASSIC, MS_FAULT_FAULT, MS_FAULT_ONCE);
}

MS_TEST(goroutines_of_classic_maps_survive_all_faults_from_each_on)
{
	sweep(CLASSIC, MS_FAULT_FAULT, MS_FAULT_STICKY);
}

MS_TEST(goroutines_of_swiss_maps_survive_each_swapped_page)
{
	sweep(SWISS, MS_FAULT_SWAPPED, MS_FAULT_ONCE);
}

MS_TEST(goroutines_of_swiss_maps_end_when_their_target_does)
{
	sweep(SWISS, MS_FAULT_GONE, MS_FAULT_ONCE);
}
