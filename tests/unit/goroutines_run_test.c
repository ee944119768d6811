// Goal: every goroutine of a process is one row with what is true of it, and whatever fails on the
// way leaves an error or a report that holds together. Method: every recording, which never moves;
// then one with a read that fails, each in turn.
#include "goroutines/goroutines_run.h"

#include "target/fault.h"
#include "tests/support/recordings.h"
#include "tests/support/test.h"

#include <math.h>
#include <stdlib.h>

enum { FAULTS = 60 };

static double clock_s;

static double clock_now(void *context)
{
	(void)context;
	return clock_s;
}

static void clock_sleep_until(void *context, double when)
{
	(void)context;
	CHECK(when > clock_s);
	clock_s = when;
}

static bool stop_at_once(void *context)
{
	(void)context;
	return true;
}

static const struct ms_goroutines_options two_looks = {
	.seconds = 1,
	.now = clock_now,
	.sleep_until = clock_sleep_until,
};

static void check_clusters(const struct ms_goroutines_report *r)
{
	uint64_t *counts = calloc(r->cluster_count + 1, sizeof(*counts));

	CHECK(counts != NULL);
	for (size_t i = 0; i < r->row_count; i++) {
		CHECK(r->rows[i].cluster < r->cluster_count);
		counts[r->rows[i].cluster]++;
	}
	for (size_t i = 0; i < r->cluster_count; i++) {
		const struct ms_goroutine_cluster *c = &r->clusters[i];

		CHECK_EQ(c->count, counts[i]);
		CHECK(c->state != NULL && c->example_count > 0);
		CHECK(c->stack == MS_NO_STACK || c->stack < r->stacks.count);
		if (i && c->is_system == r->clusters[i - 1].is_system)
			CHECK(c->count <= r->clusters[i - 1].count);
	}
	free(counts);
}

static void check_report(const struct ms_goroutines_report *r)
{
	CHECK_EQ(r->seen, r->row_count);
	for (size_t i = 0; i < r->row_count; i++) {
		const struct ms_goroutine_row *row = &r->rows[i];

		CHECK(row->id > 0 && row->state != NULL);
		CHECK(!i || row->id > r->rows[i - 1].id);
		CHECK(row->stack == MS_NO_STACK || row->stack < r->stacks.count);
		CHECK_EQ(row->stack == MS_NO_STACK, row->stack_source == MS_STACK_NONE);
		CHECK(strcmp(row->state, "waiting") == 0 || row->wait_reason == NULL ||
		      strcmp(row->state, "leaked") == 0);
	}
	check_clusters(r);
	CHECK_EQ(r->suspect_count, 0); // Nothing moves in a recording.
}

static const struct ms_goroutine_row *find_start(const struct ms_goroutines_report *r,
						 const char *function)
{
	for (size_t i = 0; i < r->row_count; i++) {
		const struct ms_stack *stack;

		if (r->rows[i].stack == MS_NO_STACK)
			continue;
		stack = &r->stacks.items[r->rows[i].stack];
		for (uint32_t k = 0; k < stack->count; k++) {
			if (!strcmp(stack->calls[k].function, function))
				return &r->rows[i];
		}
	}
	return NULL;
}

static void check_recording(const char *name)
{
	struct ms_target *t = recording_open(name);
	const struct ms_goroutine_row *sweeper;
	struct ms_goroutines_report report;
	struct ms_go_runtime *rt;

	clock_s = 1000;
	CHECK_OK(ms_go_open(t, NULL, &rt));
	CHECK_OK(ms_goroutines_run(rt, &two_looks, &report));
	CHECK(!report.partial);
	check_report(&report);
	CHECK(report.apart_s > 0.99 && report.apart_s < 1.1);
	CHECK_EQ(report.rows[0].id, 1);
	CHECK(!report.rows[0].created_by.function && !report.rows[0].is_system);
	CHECK(find_start(&report, "main.main") == &report.rows[0]);
	sweeper = find_start(&report, "runtime.bgsweep");
	CHECK(sweeper && sweeper->is_system);
	CHECK_STR(sweeper->wait_reason, "GC sweep wait");
	CHECK_STR(sweeper->created_by.function, "runtime.gcenable");
	CHECK_EQ(report.frame_pointer_differs, 0);
	CHECK_EQ(report.cut, 0);
	ms_goroutines_report_deinit(&report);
	ms_go_close(rt);
	ms_target_destroy(t);
}

MS_TEST(goroutines_of_every_recording)
{
	static struct recording_names names;

	recordings_list(&names);
	for (size_t i = 0; i < names.count; i++)
		check_recording(names.items[i]);
}

MS_TEST(goroutines_of_one_look_have_no_suspects_and_say_so)
{
	const struct ms_goroutines_options once = { .now = clock_now };
	struct ms_target *t = recording_open("go1.26.11");
	struct ms_goroutines_report report;
	struct ms_go_runtime *rt;

	CHECK_OK(ms_go_open(t, NULL, &rt));
	CHECK_OK(ms_goroutines_run(rt, &once, &report));
	check_report(&report);
	CHECK(isnan(report.apart_s));
	CHECK_CONTAINS(report.proof, "GOEXPERIMENT=goroutineleakprofile");
	ms_goroutines_report_deinit(&report);
	ms_go_close(rt);
	ms_target_destroy(t);
}

MS_TEST(goroutines_are_shown_when_the_wait_is_stopped)
{
	struct ms_goroutines_options o = two_looks;
	struct ms_target *t = recording_open("go1.19.4");
	struct ms_goroutines_report report;
	struct ms_go_runtime *rt;

	o.stop = stop_at_once;
	CHECK_OK(ms_go_open(t, NULL, &rt));
	CHECK_OK(ms_goroutines_run(rt, &o, &report));
	CHECK(report.partial && report.row_count > 0);
	check_report(&report);
	CHECK(report.proof == NULL);
	ms_goroutines_report_deinit(&report);
	ms_go_close(rt);
	ms_target_destroy(t);
}

static struct ms_target *ends_at_once;

static void clock_sleep_and_end(void *context, double when)
{
	const struct ms_fault_plan gone = { MS_FAULT_ANY, 0, MS_FAULT_GONE, MS_FAULT_STICKY };

	clock_sleep_until(context, when);
	ms_fault_restart(ends_at_once, &gone);
}

MS_TEST(goroutines_of_the_first_look_are_shown_when_there_is_no_second)
{
	const struct ms_fault_plan none = { MS_FAULT_ANY, UINT64_MAX, MS_FAULT_FAULT,
					    MS_FAULT_ONCE };
	struct ms_goroutines_options o = two_looks;
	struct ms_target *recording = recording_open("go1.26.11");
	struct ms_goroutines_report whole, report;
	struct ms_go_runtime *rt;

	CHECK_OK(ms_fault_create(recording, &none, &ends_at_once));
	CHECK_OK(ms_go_open(ends_at_once, NULL, &rt));
	CHECK_OK(ms_goroutines_run(rt, &two_looks, &whole));
	o.sleep_until = clock_sleep_and_end;
	CHECK_OK(ms_goroutines_run(rt, &o, &report));
	check_report(&report);
	CHECK(report.partial && isnan(report.apart_s));
	CHECK_CONTAINS(report.partial_reason, "the first one saw");
	CHECK_EQ(report.row_count, whole.row_count);
	CHECK_EQ(report.unwound, whole.unwound);
	CHECK_EQ(report.cluster_count, whole.cluster_count);
	ms_goroutines_report_deinit(&whole);
	ms_goroutines_report_deinit(&report);
	ms_go_close(rt);
	ms_target_destroy(ends_at_once);
	ms_target_destroy(recording);
}

/** Whichever read fails, once or for ever: an error, or a report that holds together. */
MS_TEST(goroutines_with_faults)
{
	const struct ms_fault_plan none = { MS_FAULT_ANY, UINT64_MAX, MS_FAULT_FAULT,
					    MS_FAULT_ONCE };
	struct ms_target *recording = recording_open("go1.26.11"), *fault;
	struct ms_goroutines_report report;
	struct ms_go_runtime *rt;
	uint64_t operations;

	CHECK_OK(ms_fault_create(recording, &none, &fault));
	CHECK_OK(ms_go_open(fault, NULL, &rt));
	ms_fault_restart(fault, &none);
	CHECK_OK(ms_goroutines_run(rt, &two_looks, &report));
	ms_goroutines_report_deinit(&report);
	operations = ms_fault_count(fault);
	for (uint64_t n = 0; n < operations; n += operations / FAULTS + 1) {
		struct ms_fault_plan plan = { MS_FAULT_ANY, n,
					      n % 2 ? MS_FAULT_FAULT : MS_FAULT_GONE,
					      n % 3 ? MS_FAULT_ONCE : MS_FAULT_STICKY };
		struct ms_error *err;

		ms_fault_restart(fault, &plan);
		err = ms_goroutines_run(rt, &two_looks, &report);
		if (!err) {
			check_report(&report);
			ms_goroutines_report_deinit(&report);
		}
		ms_error_free(err);
	}
	ms_go_close(rt);
	ms_target_destroy(fault);
	ms_target_destroy(recording);
}
