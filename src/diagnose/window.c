// window.c - ten polls a second, a look at the process's memory each second.
//
// A poll that is late is not made up for: the next one is due a tenth of a second after it.  A
// trace goes on beside it, with its own times.
#include "diagnose/window.h"

static const double POLL_EVERY_S = 0.1;
static const double LOOK_EVERY_S = 1;

enum { EVENTS_MAX = 4096 }; // For the line of time; sums count them all.

static double now(const struct ms_window *w)
{
	return w->options->now(w->options->context);
}

/** Collections are counted by the heap's sweepgen; note when it moved. */
static struct ms_error *collection_note(struct ms_window *w)
{
	uint32_t sweepgen = w->sweepgen;
	struct ms_error *err = w->rt ? ms_go_sweepgen(w->rt, &sweepgen) : NULL;

	if (!err && sweepgen != w->sweepgen) {
		w->sweepgen = sweepgen;
		w->collected_at = now(w);
	}
	return err;
}

static void memory_look(struct ms_window *w)
{
	const char *root = w->options->root ? w->options->root : "";
	pid_t pid = w->target->pid;

	if (pid)
		ms_memory_trend_add(&w->memory, now(w), ms_memory_resident(pid, root));
	w->next_look = now(w) + LOOK_EVERY_S;
}

static struct ms_error *poll(struct ms_window *w)
{
	struct ms_error *err = ms_watch_poll(&w->watch, w->rt, now(w));

	if (!err)
		err = collection_note(w);
	if (!err)
		err = ms_target_check(w->target);
	w->next_poll = now(w) + POLL_EVERY_S;
	return err;
}

struct ms_error *ms_window_start(struct ms_window *w)
{
	w->next_poll = now(w);
	w->memory = (struct ms_memory_trend){ 0 };
	memory_look(w);
	return w->rt ? ms_go_sweepgen(w->rt, &w->sweepgen) : NULL;
}

struct ms_error *ms_window_trace(struct ms_window *w)
{
	const struct ms_trace_options options = { .registries = w->options->registries,
						  .symbols = w->options->symbols,
						  .seconds = w->options->seconds,
						  .no_probes = w->options->no_probes,
						  .no_polling = true,
						  .no_small_growths = true,
						  .events_max = EVENTS_MAX,
						  .now = w->options->now,
						  .placed = w->options->placed,
						  .context = w->options->context };

	return ms_trace_begin(w->rt, NULL, &options, &w->trace);
}

struct ms_error *ms_window_tick(struct ms_window *w)
{
	struct ms_error *err = NULL;

	if (now(w) >= w->next_look)
		memory_look(w);
	if (now(w) >= w->next_poll)
		err = poll(w);
	if (!err && w->trace && now(w) >= ms_trace_due(w->trace))
		err = ms_trace_tick(w->trace);
	return err;
}

double ms_window_due(const struct ms_window *w)
{
	double due = w->next_poll < w->next_look ? w->next_poll : w->next_look;
	double trace_due = w->trace ? ms_trace_due(w->trace) : due;

	return trace_due < due ? trace_due : due;
}

struct ms_error *ms_window_end(struct ms_window *w)
{
	memory_look(w);
	return ms_watch_poll(&w->watch, w->rt, now(w));
}

struct ms_error *ms_window_end_trace(struct ms_window *w, struct ms_diagnosis_report *report)
{
	struct ms_trace_run *trace = w->trace;
	struct ms_error *err;

	if (!trace)
		return NULL;
	w->trace = NULL;
	err = ms_trace_finish(trace, &report->trace);
	report->is_traced = !err;
	return err;
}
