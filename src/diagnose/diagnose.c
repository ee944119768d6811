// diagnose.c - the window:
//
//	census ── polls of the largest maps, ten a second ── census ── findings
//
// The second census starts early enough, by the time the first one took, for the result to be
// there when the window ends.  A target that exits in between leaves the first census and the
// polls; the report then says how far it came.
#include "diagnose/diagnose.h"

#include "base/cleanup.h"
#include "diagnose/findings.h"
#include "diagnose/watch.h"

#include <math.h>

static const double POLL_EVERY_S = 0.1;
static const double RESERVE = 1.2; // Of the first census's time, kept for the second.

struct window {
	struct ms_go_runtime *rt;
	const struct ms_diagnose_options *options;
	struct ms_watch watch;
	struct ms_befores before;
	double start, end;     // Of the whole.
	double first_census_s; // How long it took.
	double first_at;       // When it began.
	uint32_t sweepgen;
	double collected_at; // When a collection was seen to have ended; NAN for not yet.
	uint64_t first_gc;
};

static double now(const struct window *w)
{
	return w->options->now(w->options->context);
}

static bool stopped(const struct window *w)
{
	return w->options->stop && w->options->stop(w->options->stop_context);
}

static void progress(const struct window *w, const char *what)
{
	double whole = w->end - w->start;

	if (w->options->progress)
		w->options->progress(w->options->context,
				     whole > 0 ? (now(w) - w->start) / whole : 1, what);
}

/** Collections are counted by the heap's sweepgen; note when it moved. */
static struct ms_error *collection_note(struct window *w)
{
	uint32_t sweepgen;
	struct ms_error *err = ms_go_sweepgen(w->rt, &sweepgen);

	if (!err && sweepgen != w->sweepgen) {
		w->sweepgen = sweepgen;
		w->collected_at = now(w);
	}
	return err;
}

/** Poll until it is time for the second census.  A lost target is an error. */
static struct ms_error *poll_until_due(struct window *w)
{
	double due = w->end - w->first_census_s * RESERVE;
	double next = now(w);
	struct ms_error *err = ms_go_sweepgen(w->rt, &w->sweepgen);

	while (!err && now(w) < due && !stopped(w)) {
		err = ms_watch_poll(&w->watch, w->rt, now(w));
		if (!err)
			err = collection_note(w);
		if (!err)
			err = ms_target_check(w->rt->target);
		progress(w, "watching the largest maps");
		next += POLL_EVERY_S;
		w->options->sleep_until(w->options->context, next < due ? next : due);
	}
	if (!err)
		err = ms_watch_poll(&w->watch, w->rt, now(w));
	return err;
}

/** Whether @p err means that the target went away, so that what is known can still be told. */
static bool is_loss(const struct ms_error *err)
{
	return ms_error_code(err) == MS_ERR_GONE || ms_error_code(err) == MS_ERR_FAULT ||
	       ms_error_code(err) == MS_ERR_BAD_DATA;
}

static struct ms_error *report_fill(struct window *w, struct ms_census_report *census,
				    double window_s, struct ms_diagnosis_report *report)
{
	struct ms_error *err = ms_findings_make(&w->before, census, &w->watch, window_s, report);

	if (err)
		return err;
	report->cost = census->cost;
	report->cost.read_bytes = w->rt->target->cost.read_bytes;
	report->cost.gc_age_s = now(w) - w->collected_at;
	report->gc_cycles = census->cost.gc_cycle - w->first_gc;
	report->coverage = census->coverage;
	census->coverage = (struct ms_coverage){ 0 };
	report->heap_bytes = census->heap_bytes;
	report->memory = census->memory;
	census->memory = (struct ms_memory){ 0 };
	report->rss_bytes = census->rss_bytes;
	report->window_s = window_s > 0 ? window_s : now(w) - w->first_at;
	report->arena = census->arena; // The rows' names live there.
	census->arena = (struct ms_arena){ 0 };
	return NULL;
}

static struct ms_error *partial_set(struct ms_diagnosis_report *report, const char *what,
				    double after_s, double of_s)
{
	report->partial = true;
	report->partial_reason =
	    ms_arena_printf(&report->arena, "%s, after %.1f s of %.1f s", what, after_s, of_s);
	return report->partial_reason ? NULL : ms_error_no_memory();
}

/** The second census, or the first once more when the target did not live to see it. */
static struct ms_error *window_run(struct window *w, struct ms_census_report *census,
				   struct ms_diagnosis_report *report)
{
	struct ms_census_report second;
	double second_at = 0;
	bool early;
	struct ms_error *err = poll_until_due(w);

	early = stopped(w);
	if (!err) {
		second_at = now(w);
		progress(w, "second census");
		err = ms_census_run(w->rt, &(struct ms_census_options){ .memory = true }, &second);
	}
	if (err && is_loss(err)) {
		MS_AUTO_ERROR struct ms_error *loss = err;
		double after = now(w) - w->start;

		err = report_fill(w, census, 0, report);
		return err ? err
			   : partial_set(report, ms_error_message(loss), after,
					 w->options->seconds);
	}
	if (err)
		return err;
	err = report_fill(w, &second, second_at - w->first_at, report);
	ms_census_report_deinit(&second);
	if (!err && early)
		err = partial_set(report, "interrupted", second_at - w->start, w->options->seconds);
	return err;
}

struct ms_error *ms_diagnose_run(struct ms_go_runtime *rt,
				 const struct ms_diagnose_options *options,
				 struct ms_diagnosis_report *ret_report)
{
	struct ms_diagnosis_report report = { 0 };
	struct ms_census_report first;
	MS_AUTO_FREE struct window *w = calloc(1, sizeof(*w));
	struct ms_error *err;

	if (!w)
		return ms_error_no_memory();
	w->rt = rt;
	w->options = options;
	w->collected_at = NAN;
	w->start = w->first_at = now(w);
	w->end = w->start + options->seconds;
	progress(w, "first census");
	err = ms_census_run(rt, NULL, &first);
	if (err)
		return err;
	w->first_census_s = now(w) - w->start;
	w->first_gc = first.cost.gc_cycle;
	err = ms_befores_take(&first, &w->before);
	if (!err)
		err = ms_watch_choose(&w->watch, &first);
	if (!err)
		err = window_run(w, &first, &report);
	ms_census_report_deinit(&first);
	ms_befores_deinit(&w->before);
	if (err) {
		ms_diagnosis_report_deinit(&report);
		return err;
	}
	*ret_report = report;
	return NULL;
}
