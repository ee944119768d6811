// trace_run.c - each sleep may change the target's memory, and each trace ends after some sleeps.
#include "tests/fuzz/trace_run.h"

#include "tests/fuzz/render_all.h"

#include <math.h>

enum { SLEEPS_MAX = 120 };

static double clock_now(void *context)
{
	return ((const struct trace_run *)context)->now;
}

static void clock_sleep(void *context, double when)
{
	struct trace_run *run = context;
	struct changed_target *changed = &run->recorded->changed;

	run->now = when > run->now + 0.0001 ? when : run->now + 0.0001;
	run->sleeps++;
	changed->count = (size_t)ms_min_u64(changed->count + run->per_sleep, run->changes);
}

static bool clock_stop(void *context)
{
	return ((const struct trace_run *)context)->sleeps > SLEEPS_MAX;
}

static void check(const struct ms_trace_report *r)
{
	FUZZ_CHECK(!r->partial || r->partial_reason);
	for (size_t i = 0; i < r->event_count; i++) {
		const struct ms_growth_event *e = &r->events[i];

		FUZZ_CHECK(e->number == i + 1);
		FUZZ_CHECK(!(e->earliest_s > e->time_s));
		FUZZ_CHECK(e->stack == MS_NO_STACK || e->stack < r->stacks.count);
		FUZZ_CHECK(isnan(e->duration_s) || e->duration_s >= 0);
		FUZZ_CHECK(e->to == MS_UNKNOWN || e->to >= e->from || e->from == MS_UNKNOWN);
	}
	for (size_t i = 0; i < r->cycle_count; i++)
		FUZZ_CHECK(!(r->cycles[i].end_s < r->cycles[i].start_s));
	for (size_t i = 0; i < r->waiter_count; i++)
		FUZZ_CHECK(r->waiters[i].stack == MS_NO_STACK ||
			   r->waiters[i].stack < r->stacks.count);
}

void trace_run(struct trace_run *run)
{
	const struct ms_trace_options options = {
		.seconds = 3,
		.no_probes = !run->by_probes,
		.small_growths = true,
		.switches = !(run->bits & 1),
		.migrations = !(run->bits & 2),
		.gctrace = !(run->bits & 4),
		.stop = clock_stop,
		.sleep_until = clock_sleep,
		.now = clock_now,
		.context = run,
	};
	const struct ms_census_report *census = run->bits & 8 ? NULL : &run->recorded->census;
	struct ms_trace_report report;

	run->now = 1000;
	if (fuzz_worked(ms_trace_run(run->recorded->rt, census, &options, &report))) {
		check(&report);
		render_all_trace(&report);
		ms_trace_report_deinit(&report);
	}
}
