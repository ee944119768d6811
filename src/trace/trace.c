// trace.c - the order of a trace: parts started, each given its turn when it is due, all ended.
//
// What is added to the trace is a row in the table of parts.  A target that goes away ends the
// window, not the trace: every part still ends, and what was seen stands, marked partial.
#include "trace/trace.h"

#include "trace/creations.h"
#include "trace/gc_watch.h"
#include "trace/growth_polls.h"
#include "trace/growth_probes.h"
#include "trace/growth_sums.h"
#include "trace/hmap_probes.h"
#include "trace/migrations.h"
#include "trace/switches.h"
#include "trace/waiters.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PARTS_MAX = 16 };

/** In the order of their turns: growths, which maps are made before, are there before anything is
 * said of them. */
static const struct ms_trace_part *const parts[PARTS_MAX] = {
	&ms_creations,     &ms_growth_probes,  &ms_growth_polls,
	&ms_migrations, // Told of the polls' looks.
	&ms_hmap_probes,   &ms_trace_switches,
	&ms_trace_gc, // Behind whatever adds or times growths.
	&ms_trace_waiters,
};

double ms_trace_time(const struct ms_trace *trace)
{
	return trace->options->now(trace->options->context) - trace->began;
}

const struct ms_map_row *ms_trace_map(const struct ms_trace *trace, ms_addr address)
{
	return trace->census ? ms_census_row_at(trace->census, address) : NULL;
}

struct ms_error *ms_trace_refuse_probes(struct ms_trace *trace, struct ms_error *err,
					const char *more)
{
	struct ms_trace_report *r = trace->report;

	if (ms_error_code(err) == MS_ERR_GONE || ms_error_code(err) == MS_ERR_NO_MEMORY)
		return err;
	if (ms_error_code(err) == MS_ERR_DENIED)
		r->no_probes_reason =
		    ms_arena_printf(&r->arena, "%s; type sudo mapscope trace %d%s",
				    ms_error_message(err), (int)trace->target->pid, more);
	else
		r->no_probes_reason = ms_arena_printf(&r->arena, "%s", ms_error_message(err));
	ms_error_free(err);
	return r->no_probes_reason ? NULL : ms_error_no_memory();
}

/** A trace under way: what its parts share, and what each of them keeps. */
struct ms_trace_run {
	struct ms_trace trace;
	struct ms_trace_report report;
	struct ms_stack_book book;
	struct ms_trace_options options;
	void *states[PARTS_MAX];
};

static void cut(struct ms_trace *trace, const char *reason)
{
	if (trace->report->partial)
		return;
	trace->report->partial = true;
	trace->report->partial_reason = reason;
}

/** An error that says the target is gone cuts the trace short; any other is returned. */
static struct ms_error *forgive_gone(struct ms_trace *trace, const char *part, struct ms_error *err)
{
	if (!err)
		return NULL;
	if (ms_error_code(err) != MS_ERR_GONE)
		return ms_error_wrap(err, "%s", part);
	ms_error_free(err);
	cut(trace, "the process went away");
	return NULL;
}

static int64_t wall_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static struct ms_error *start_parts(struct ms_trace_run *run)
{
	struct ms_error *err = NULL;

	for (size_t i = 0; !err && i < PARTS_MAX && parts[i]; i++) {
		if (run->trace.rt || parts[i] == &ms_hmap_probes) // The others are about Go.
			err = forgive_gone(&run->trace, parts[i]->name,
					   parts[i]->start(&run->trace, &run->states[i]));
	}
	return err;
}

_Static_assert((int)MS_STACK_RESOLVED_MAX == (int)MS_C_INLINED_MAX, "one place is one array");

static struct ms_error *resolve(void *context, ms_addr pc, bool is_return, struct ms_arena *arena,
				struct ms_stack_call *ret_calls, size_t *ret_count)
{
	return ms_c_symbols_calls(context, pc, is_return, arena, ret_calls, ret_count);
}

struct ms_error *ms_trace_begin(struct ms_go_runtime *rt, const struct ms_census_report *census,
				const struct ms_trace_options *options,
				struct ms_trace_run **ret_run)
{
	const struct ms_functions *functions = NULL;
	struct ms_error *err = rt ? ms_go_functions(rt, &functions) : NULL;
	struct ms_trace_run *run;

	if (err)
		return err;
	run = calloc(1, sizeof(*run));
	if (!run)
		return ms_error_no_memory();
	run->options = *options;
	run->trace = (struct ms_trace){ .rt = rt,
					.target = rt ? rt->target : options->registries->target,
					.options = &run->options,
					.census = census,
					.report = &run->report,
					.book = &run->book,
					.began = options->now(options->context) };
	run->report.gc_pause_s = NAN;
	run->report.gc_unknown = rt ? NULL : "a C program has no collector";
	run->report.began_unix_ns = wall_now_ns();
	ms_stack_book_init(&run->book, functions, &run->report.arena, &run->report.stacks);
	if (options->symbols) {
		run->book.resolve = resolve;
		run->book.resolve_context = options->symbols;
	}
	err = start_parts(run);
	if (err) {
		ms_trace_drop(run);
		return err;
	}
	if (options->placed) {
		ms_target_end_threads(run->trace.target);
		options->placed(options->context);
	}
	*ret_run = run;
	return NULL;
}

void ms_trace_use_census(struct ms_trace_run *run, const struct ms_census_report *census)
{
	run->trace.census = census;
}

const struct ms_trace_report *ms_trace_so_far(const struct ms_trace_run *run)
{
	return &run->report;
}

double ms_trace_due(const struct ms_trace_run *run)
{
	double due = INFINITY;

	for (size_t i = 0; i < PARTS_MAX && parts[i]; i++) {
		if (run->states[i] && parts[i]->due(run->states[i]) < due)
			due = parts[i]->due(run->states[i]);
	}
	return due;
}

struct ms_error *ms_trace_tick(struct ms_trace_run *run)
{
	const struct ms_trace_options *o = &run->options;
	double now = o->now(o->context);

	for (size_t i = 0; i < PARTS_MAX && parts[i] && !run->report.partial; i++) {
		struct ms_error *err = NULL;

		if (run->states[i] && parts[i]->due(run->states[i]) <= now)
			err = forgive_gone(&run->trace, parts[i]->name,
					   parts[i]->tick(&run->trace, run->states[i]));
		if (err)
			return err;
	}
	return o->added ? o->added(o->context, &run->report) : NULL;
}

struct ms_error *ms_trace_finish(struct ms_trace_run *run, struct ms_trace_report *ret_report)
{
	struct ms_error *err = NULL;

	for (size_t i = 0; !err && i < PARTS_MAX && parts[i]; i++) {
		if (run->states[i])
			err = forgive_gone(&run->trace, parts[i]->name,
					   parts[i]->end(&run->trace, run->states[i]));
	}
	ms_growth_sums_order(&run->report);
	run->report.window_s = ms_trace_time(&run->trace);
	if (!err) {
		*ret_report = run->report;
		run->report = (struct ms_trace_report){ 0 };
	}
	ms_trace_drop(run);
	return err;
}

void ms_trace_drop(struct ms_trace_run *run)
{
	if (!run)
		return;
	for (size_t i = 0; i < PARTS_MAX && parts[i]; i++) {
		if (run->states[i])
			parts[i]->destroy(run->states[i]);
	}
	ms_stack_book_deinit(&run->book);
	ms_trace_report_deinit(&run->report);
	free(run);
}

static struct ms_error *window(struct ms_trace_run *run)
{
	const struct ms_trace_options *o = &run->options;
	double until = run->trace.began + o->seconds, now;

	while (!run->report.partial && (now = o->now(o->context)) < until) {
		struct ms_error *err;
		double due;

		if (o->stop && o->stop(o->context)) {
			cut(&run->trace, "stopped early");
			return NULL;
		}
		err = ms_trace_tick(run);
		if (err)
			return err;
		if (o->progress)
			o->progress(o->context,
				    isinf(until) ? NAN : (now - run->trace.began) / o->seconds,
				    "tracing");
		due = ms_trace_due(run);
		if (!run->report.partial)
			o->sleep_until(o->context, due < until ? due : until);
	}
	return NULL;
}

struct ms_error *ms_trace_run(struct ms_go_runtime *rt, const struct ms_census_report *census,
			      const struct ms_trace_options *options,
			      struct ms_trace_report *ret_report)
{
	struct ms_trace_run *run;
	struct ms_error *err = ms_trace_begin(rt, census, options, &run);

	if (err)
		return err;
	err = window(run);
	if (err) {
		ms_trace_drop(run);
		return err;
	}
	return ms_trace_finish(run, ret_report);
}
