// trace.c - the order of a trace: parts started, each given its turn when it is due, all ended.
//
// What is added to the trace is a row in the table of parts.  A target that goes away ends the
// window, not the trace: every part still ends, and what was seen stands, marked partial.
#include "trace/trace.h"

#include "trace/gc_watch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PARTS_MAX = 16 };

static const struct ms_trace_part *const parts[PARTS_MAX] = { &ms_trace_gc, NULL };

double ms_trace_time(const struct ms_trace *trace)
{
	return trace->options->now(trace->options->context) - trace->began;
}

const struct ms_map_row *ms_trace_map(const struct ms_trace *trace, ms_addr address)
{
	size_t low = 0, high = trace->census ? trace->census->map_count : 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct ms_map_row *row = &trace->census->maps[middle];

		if (row->address == address)
			return row;
		if (row->address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static void cut(struct ms_trace *trace, const char *reason)
{
	if (trace->report->partial)
		return;
	trace->report->partial = true;
	trace->report->partial_reason = reason;
}

/** An error that says the target is gone cuts the trace short; any other is returned. */
static struct ms_error *forgive_gone(struct ms_trace *trace, struct ms_error *err)
{
	if (!err || ms_error_code(err) != MS_ERR_GONE)
		return err;
	ms_error_free(err);
	cut(trace, "the process went away");
	return NULL;
}

static double next_due(void *const states[PARTS_MAX])
{
	double due = INFINITY;

	for (size_t i = 0; i < PARTS_MAX && parts[i]; i++) {
		if (states[i] && parts[i]->due(states[i]) < due)
			due = parts[i]->due(states[i]);
	}
	return due;
}

static struct ms_error *tick_all(struct ms_trace *trace, void *const states[PARTS_MAX], double now)
{
	const struct ms_trace_options *o = trace->options;

	for (size_t i = 0; i < PARTS_MAX && parts[i]; i++) {
		struct ms_error *err = NULL;

		if (states[i] && parts[i]->due(states[i]) <= now)
			err = forgive_gone(trace, parts[i]->tick(trace, states[i]));
		if (err)
			return err;
	}
	return o->added ? o->added(o->context, trace->report) : NULL;
}

static struct ms_error *window(struct ms_trace *trace, void *const states[PARTS_MAX])
{
	const struct ms_trace_options *o = trace->options;
	double until = trace->began + o->seconds;

	while (!trace->report->partial) {
		double now = o->now(o->context), due;
		struct ms_error *err;

		if (now >= until)
			return NULL;
		if (o->stop && o->stop(o->context)) {
			cut(trace, "stopped early");
			return NULL;
		}
		err = tick_all(trace, states, now);
		if (err)
			return err;
		if (o->progress)
			o->progress(o->context,
				    isinf(o->seconds) ? NAN : (now - trace->began) / o->seconds,
				    "tracing");
		due = next_due(states);
		o->sleep_until(o->context, due < until ? due : until);
	}
	return NULL;
}

static struct ms_error *run_parts(struct ms_trace *trace)
{
	void *states[PARTS_MAX] = { NULL };
	struct ms_error *err = NULL;
	size_t i;

	for (i = 0; !err && i < PARTS_MAX && parts[i]; i++)
		err = forgive_gone(trace, parts[i]->start(trace, &states[i]));
	if (!err)
		err = window(trace, states);
	for (i = 0; i < PARTS_MAX && parts[i]; i++) {
		if (!err && states[i])
			err = forgive_gone(trace, parts[i]->end(trace, states[i]));
		if (states[i])
			parts[i]->destroy(states[i]);
	}
	return err;
}

static int64_t wall_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

struct ms_error *ms_trace_run(struct ms_go_runtime *rt, const struct ms_census_report *census,
			      const struct ms_trace_options *options,
			      struct ms_trace_report *ret_report)
{
	const struct ms_functions *functions;
	struct ms_trace_report report = { .gc_pause_s = NAN };
	struct ms_stack_book book;
	struct ms_trace trace = { .rt = rt,
				  .options = options,
				  .census = census,
				  .report = &report,
				  .book = &book,
				  .began = options->now(options->context) };
	struct ms_error *err = ms_go_functions(rt, &functions);

	if (err)
		return err;
	ms_stack_book_init(&book, functions, &report.arena, &report.stacks);
	report.began_unix_ns = wall_now_ns();
	err = run_parts(&trace);
	report.window_s = ms_trace_time(&trace);
	ms_stack_book_deinit(&book);
	if (err) {
		ms_trace_report_deinit(&report);
		return err;
	}
	*ret_report = report;
	return NULL;
}
