// diagnose_c.c - the window over a C program: the same as over a Go program, without what only a
// runtime knows.
//
//	census ── polls of the largest maps ── census ── findings
//
// A census of libhmap's maps takes milliseconds, as they are listed, so nothing is kept for the
// second one.  Growths come from libhmap's own probes; owners are the maps' names, or where they
// were made.
#include "diagnose/diagnose.h"

#include "base/cleanup.h"
#include "diagnose/fillers.h"
#include "diagnose/findings.h"
#include "diagnose/hmap_advice.h"
#include "diagnose/lines.h"
#include "diagnose/more_findings.h"
#include "diagnose/owner_changes.h"
#include "diagnose/page.h"
#include "diagnose/window.h"

#include <math.h>

struct diagnosis {
	struct ms_window window;
	struct ms_befores before;
	struct ms_hmap_places places; // Of the last census.
	double start, end;
	double first_at;
};

static double now(const struct diagnosis *d)
{
	return d->window.options->now(d->window.options->context);
}

static bool stopped(const struct diagnosis *d)
{
	const struct ms_diagnose_options *o = d->window.options;

	return o->stop && o->stop(o->stop_context);
}

static struct ms_error *census_take(struct diagnosis *d, struct ms_census_report *ret_census)
{
	const struct ms_diagnose_options *o = d->window.options;
	struct ms_census_report census = { .heap_bytes = MS_UNKNOWN,
					   .rss_bytes = MS_UNKNOWN,
					   .cost = { .gc_cycle = MS_UNKNOWN, .gc_age_s = NAN } };
	struct ms_hmap_places places = { 0 };
	struct ms_error *err =
	    ms_hmap_census_add(o->registries, o->no_owners ? NULL : o->symbols, &census, &places);

	if (!err)
		err = ms_census_sum_owners(&census);
	if (err) {
		ms_hmap_places_deinit(&places);
		ms_census_report_deinit(&census);
		return err;
	}
	ms_hmap_places_deinit(&d->places);
	d->places = places;
	*ret_census = census;
	return NULL;
}

static struct ms_error *window_pass(struct diagnosis *d)
{
	const struct ms_diagnose_options *o = d->window.options;
	struct ms_error *err = ms_window_start(&d->window);

	while (!err && now(d) < d->end && !stopped(d)) {
		double whole = d->end - d->start;

		err = ms_window_tick(&d->window);
		if (o->progress)
			o->progress(o->context, whole > 0 ? (now(d) - d->start) / whole : 1,
				    "watching the largest maps");
		if (!err)
			o->sleep_until(o->context, fmin(ms_window_due(&d->window), d->end));
	}
	return err ? err : ms_window_end(&d->window);
}

/** Where the maps of a finding were made, where that is one line. */
static struct ms_error *made_at_fill(struct diagnosis *d, struct ms_diagnosis_report *report,
				     const struct ms_census_report *census, struct ms_finding *f)
{
	const struct ms_diagnose_options *o = d->window.options;
	struct ms_stack_call calls[MS_C_INLINED_MAX];
	const struct ms_hmap_place *place = NULL;
	size_t count, own = 0;
	struct ms_error *err;

	if (f->kind == MS_FINDING_MAP)
		place = ms_hmap_place_of(&d->places, f->map.address);
	for (size_t i = 0; f->kind == MS_FINDING_OWNER && i < census->map_count; i++) {
		const struct ms_hmap_place *one =
		    ms_finding_has_map(f, &census->maps[i])
			? ms_hmap_place_of(&d->places, census->maps[i].address)
			: NULL;

		if (one && place && one->created_at != place->created_at)
			return NULL;
		place = one ? one : place;
	}
	if (!place || !place->created_at || !o->symbols || o->no_owners)
		return NULL;
	err =
	    ms_c_symbols_calls(o->symbols, place->created_at, true, &report->arena, calls, &count);
	if (err)
		return err;
	while (own + 1 < count && calls[own].is_runtime)
		own++;
	f->sites.made.items[0] = calls[own];
	f->sites.made.count = f->sites.made.lines = 1;
	f->sites.made.is_of_place = true;
	return NULL;
}

static struct ms_error *findings_fill(struct diagnosis *d, const struct ms_census_report *first,
				      const struct ms_census_report *census, double window_s,
				      struct ms_diagnosis_report *report)
{
	struct ms_error *err =
	    first ? ms_owner_changes_make(first, census, window_s, report) : NULL;

	if (!err)
		err = ms_more_findings_make(census, report);
	if (err)
		return err;
	ms_fillers_fill(census, report);
	for (size_t i = 0; i < report->finding_count && !err; i++) {
		err = made_at_fill(d, report, census, &report->findings[i]);
		if (!err)
			err = ms_hmap_finding_complete(report, &report->findings[i]);
	}
	ms_lines_name(report);
	return err;
}

static void limits_read(struct diagnosis *d, struct ms_diagnosis_report *report)
{
	const char *root = d->window.options->root;
	struct ms_memory_bounds bounds =
	    ms_memory_bounds_read(d->window.target->pid, root ? root : "");

	ms_limits_fill(&bounds, NULL, &d->window.memory, report);
	if (!bounds.cgroup_hidden)
		report->limits_hidden = NULL; // What is Go's is not missed.
}

/** @p first is the census to compare with, NULL when @p census is the only one. */
static struct ms_error *report_fill(struct diagnosis *d, const struct ms_census_report *first,
				    struct ms_census_report *census, double window_s,
				    struct ms_diagnosis_report *report)
{
	struct ms_error *err =
	    ms_findings_make(&d->before, census, &d->window.watch, window_s, report);

	if (err)
		return err;
	report->cost = census->cost;
	report->coverage = census->coverage;
	census->coverage = (struct ms_coverage){ 0 };
	report->heap_bytes = report->rss_bytes = MS_UNKNOWN;
	report->gc_cycles = MS_UNKNOWN;
	report->goroutine_count = MS_UNKNOWN;
	report->no_goroutines = "this is a C program";
	report->window_s = window_s > 0 ? window_s : now(d) - d->first_at;
	report->arena = census->arena; // The rows' names live there.
	census->arena = (struct ms_arena){ 0 };
	err = ms_page_keep_owners(census, report);
	if (!err)
		err = ms_window_end_trace(&d->window, report);
	if (err)
		return err;
	limits_read(d, report);
	report->looked_ago_s = now(d) - d->first_at - report->window_s;
	err = findings_fill(d, first, census, window_s, report);
	report->cost.probes = report->trace.cost.probes;
	report->cost.read_bytes = d->window.target->cost.read_bytes;
	return err;
}

/** The window, and the second census; the first once more when the target did not live so long. */
static struct ms_error *window_run(struct diagnosis *d, struct ms_census_report *first,
				   struct ms_diagnosis_report *report)
{
	double seconds = d->window.options->seconds, second_at;
	struct ms_census_report second;
	struct ms_error *err = window_pass(d);
	bool early = stopped(d);

	second_at = now(d);
	if (!err)
		err = ms_window_end_trace(&d->window, report);
	if (!err)
		err = census_take(d, &second);
	if (err && ms_page_is_loss(err)) {
		MS_AUTO_ERROR struct ms_error *loss = err;

		err = report_fill(d, NULL, first, 0, report);
		return err ? err
			   : ms_page_set_partial(report, ms_error_message(loss),
						 second_at - d->start, seconds);
	}
	if (err)
		return err;
	err = report_fill(d, first, &second, second_at - d->first_at, report);
	ms_census_report_deinit(&second);
	if (!err && early)
		err = ms_page_set_partial(report, "interrupted", second_at - d->start, seconds);
	return err;
}

struct ms_error *ms_diagnose_c_run(const struct ms_diagnose_options *options,
				   struct ms_diagnosis_report *ret_report)
{
	struct ms_diagnosis_report report = { 0 };
	struct ms_census_report first = { 0 };
	MS_AUTO_FREE struct diagnosis *d = calloc(1, sizeof(*d));
	struct ms_error *err;

	if (!d)
		return ms_error_no_memory();
	d->window.options = options;
	d->window.target = options->registries->target;
	d->window.collected_at = NAN;
	d->start = now(d);
	d->end = d->start + options->seconds;
	err = ms_window_trace(&d->window);
	d->first_at = now(d);
	if (!err)
		err = census_take(d, &first);
	if (!err) {
		ms_trace_use_census(d->window.trace, &first);
		err = ms_watch_choose(&d->window.watch, &first, &d->places, d->window.target);
	}
	if (!err)
		err = ms_befores_take(&first, &d->before);
	if (!err)
		err = window_run(d, &first, &report);
	ms_trace_drop(d->window.trace);
	report.first_arena = first.arena;
	first.arena = (struct ms_arena){ 0 };
	ms_census_report_deinit(&first);
	ms_befores_deinit(&d->before);
	ms_hmap_places_deinit(&d->places);
	if (err) {
		ms_diagnosis_report_deinit(&report);
		return err;
	}
	*ret_report = report;
	return NULL;
}
