// diagnose.c - the window:
//
//	census, walk ── goroutines, polls of the largest maps ── census, walk ── findings, retained
//
// A trace of growths and collections begins before the first census and ends before the second.
// The polls go on while the first walk looks for types and owners.  The second census starts early
// enough, by the time the first one took, for the result to be there when the window ends; its
// walk is left out where the first one took too long, or cut short.  Then maps that were there in
// the first census keep the owners that they had.  A target that exits in between leaves the first
// census and the polls; the report then says how far it came.
#include "diagnose/diagnose.h"

#include "base/cleanup.h"
#include "diagnose/advice.h"
#include "diagnose/allocations.h"
#include "diagnose/code_sites.h"
#include "diagnose/fillers.h"
#include "diagnose/findings.h"
#include "diagnose/held.h"
#include "diagnose/hmap_advice.h"
#include "diagnose/lines.h"
#include "diagnose/more_findings.h"
#include "diagnose/next_growth.h"
#include "diagnose/owner_changes.h"
#include "diagnose/page.h"
#include "diagnose/sync_maps.h"
#include "diagnose/users.h"
#include "diagnose/window.h"
#include "registry/hmap_census.h"
#include "walk/walk.h"

#include <math.h>

static const double RESERVE =
    1.6; // Of the first census's time, kept for the second and for the page.
static const double FIRST_WALK_SHARE = 0.5;   // Of the time until the end.
static const double SECOND_WALK_SHARE = 0.25; // Of the whole: a longer walk is not made twice.
static const double NAMING_SHARE = 0.25;      // Of the whole, at most: as trace/waiters.c has it.
static const double WALK_SECONDS_MIN = 1;
static const double SAMPLE_SHARE = 0.3;  // Of the whole: how long threads are sampled at least ...
static const double SAMPLE_SECONDS = 3;  // ... up to this, where a target takes long to read.
static const double GOROUTINE_S = 10e-6; // One in two looks, and some to spare.
static const double HEAP_BYTES_A_SECOND = 1e9; // Gone through to see what maps retain ...
static const double HELD_SHARE = 0.2;          // ... in so much of the whole.
static const double HELD_SECONDS_MIN = 0.3;

struct diagnosis {
	struct ms_window window;
	struct ms_befores before;
	struct ms_allocations_before allocations;
	double start, end;            // Of the whole.
	double first_census_s;        // How long it took.
	double first_walk_s;          // Likewise, without the polls in between.
	struct ms_error *lost;        // What a poll met while a walk went on.
	double walk_until;            // When the walk that goes on has to end.
	uint64_t heap_bytes;          // In the first census.
	uint64_t goroutines;          // Entries of their table.
	struct ms_hmap_places places; // Of libhmap's maps in the first census.
	double first_at;              // When it began.
	uint64_t first_gc;
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

static void progress(const struct diagnosis *d, const char *what)
{
	const struct ms_diagnose_options *o = d->window.options;
	double whole = d->end - d->start;

	if (o->progress)
		o->progress(o->context, whole > 0 ? (now(d) - d->start) / whole : 1, what);
}

/** The maps of libhmap's in a Go program that has it, beside its own. */
static struct ms_error *hmaps_add(struct diagnosis *d, struct ms_census_report *census,
				  struct ms_hmap_places *ret_places)
{
	const struct ms_diagnose_options *o = d->window.options;
	struct ms_error *err;

	if (!o->registries || !o->registries->count)
		return NULL;
	err =
	    ms_hmap_census_add(o->registries, o->no_owners ? NULL : o->symbols, census, ret_places);
	return err ? err : ms_census_sum_owners(census);
}

/** While the first census is taken: growths wait in a ring that must not fill up. */
static bool tick_of_census(void *context)
{
	struct diagnosis *d = context;

	if (!d->lost && d->window.trace && ms_trace_due(d->window.trace) <= now(d))
		d->lost = ms_trace_tick(d->window.trace);
	return d->lost;
}

/** Between batches of a walk: what is due is done, and the time looked at. */
static bool tick_of_walk(void *context)
{
	struct diagnosis *d = context;

	progress(d, "finding types and owners");
	if (!d->lost && ms_window_due(&d->window) <= now(d))
		d->lost = ms_window_tick(&d->window);
	return d->lost || stopped(d) || now(d) >= d->walk_until;
}

/** The same when the window is over. */
static bool tick_of_last_walk(void *context)
{
	struct diagnosis *d = context;

	progress(d, "finding types and owners");
	return stopped(d) || now(d) >= d->walk_until;
}

static struct ms_error *first_walk(struct diagnosis *d, struct ms_census_report *census)
{
	const struct ms_walk_options options = { .tick = tick_of_walk, .tick_context = d };
	double started = now(d);
	struct ms_error *err = ms_window_start(&d->window);

	d->walk_until = started + (d->end - started) * FIRST_WALK_SHARE;
	if (!err && !d->window.options->no_owners)
		err = ms_walk_run(d->window.rt, &options, census);
	d->first_walk_s = now(d) - started;
	if (err)
		ms_error_free(d->lost);
	else
		err = d->lost;
	d->lost = NULL;
	return err;
}

/** What is kept for a second walk; 0 when there will be none. */
static double second_walk_s(const struct diagnosis *d)
{
	double whole = d->end - d->start;

	return !d->window.options->no_owners && d->first_walk_s <= whole * SECOND_WALK_SHARE
		   ? d->first_walk_s
		   : 0;
}

/** Types and owners for the last census: by a walk of its own, and from the first. */
static struct ms_error *second_walk(struct diagnosis *d, const struct ms_census_report *first,
				    struct ms_census_report *census)
{
	const struct ms_walk_options options = { .tick = tick_of_last_walk, .tick_context = d };
	struct ms_error *err = NULL;

	d->walk_until = now(d) + fmax(3 * d->first_walk_s, WALK_SECONDS_MIN);
	if (second_walk_s(d) > 0)
		err = ms_walk_run(d->window.rt, &options, census);
	else
		census->coverage.walk = first->coverage.walk;
	// What a walk that was cut counts in a trie is a part, and would grow or fall by chance.
	d->before.tries_compare =
	    second_walk_s(d) > 0 && !first->coverage.walk.cut && !census->coverage.walk.cut;
	if (!err)
		err = ms_census_inherit(census, first);
	if (!err)
		ms_census_split_memory(census);
	return err;
}

/** What is kept for the trace's end: a walk that names the locks for which somebody waited. */
static double naming_s(const struct diagnosis *d)
{
	double most = (d->end - d->start) * NAMING_SHARE;

	return d->window.trace && !d->window.options->no_owners ? fmin(d->first_walk_s, most) : 0;
}

/** What is kept for the look at what the findings retain. */
static double held_s(const struct diagnosis *d)
{
	double most = (d->end - d->start) * HELD_SHARE;

	if (d->window.options->no_owners)
		return 0;
	return d->heap_bytes == MS_UNKNOWN
		   ? most
		   : fmin((double)d->heap_bytes / HEAP_BYTES_A_SECOND, most);
}

/** When what comes behind the window has to begin. */
static double window_due(const struct diagnosis *d)
{
	return d->end - (d->first_census_s + second_walk_s(d)) * RESERVE - naming_s(d) - held_s(d);
}

/** Between the two looks at goroutines: what the window has left. */
static double sample_s(const struct diagnosis *d)
{
	double least = fmin((d->end - d->start) * SAMPLE_SHARE, SAMPLE_SECONDS);

	return fmax(window_due(d) - now(d) - (double)d->goroutines * GOROUTINE_S, least);
}

// --- Goroutines. ---

static double look_now(void *context)
{
	return now(context);
}

static bool look_stopped(void *context)
{
	const struct diagnosis *d = context;

	return d->lost || stopped(d);
}

/** Between two looks at goroutines the window goes on. */
static void look_sleep_until(void *context, double when)
{
	struct diagnosis *d = context;
	const struct ms_diagnose_options *o = d->window.options;

	while (!d->lost && now(d) < when && !stopped(d)) {
		d->lost = ms_window_tick(&d->window);
		progress(d, "watching the largest maps");
		if (!d->lost)
			o->sleep_until(o->context, fmin(ms_window_due(&d->window), when));
	}
}

static struct ms_error *users_look(struct diagnosis *d, const struct ms_census_report *census,
				   struct ms_diagnosis_report *report)
{
	const struct ms_goroutines_options options = { .seconds = sample_s(d),
						       .stop = look_stopped,
						       .sleep_until = look_sleep_until,
						       .now = look_now,
						       .context = d };
	struct ms_error *err;

	progress(d, "looking at goroutines");
	err = ms_users_look(d->window.rt, &d->window.watch, census, &options, report);
	if (err)
		ms_error_free(d->lost);
	else
		err = d->lost;
	d->lost = NULL;
	return err;
}

/** The window goes on where goroutines could not be looked at.  A lost target is an error. */
static struct ms_error *tick_until_due(struct diagnosis *d)
{
	const struct ms_diagnose_options *o = d->window.options;
	double due = window_due(d);
	struct ms_error *err = NULL;

	while (!err && now(d) < due && !stopped(d)) {
		err = ms_window_tick(&d->window);
		progress(d, "watching the largest maps");
		if (!err)
			o->sleep_until(o->context, fmin(ms_window_due(&d->window), due));
	}
	return err;
}

/** What bounds the target, as far as it is there to be asked. */
static struct ms_error *limits_read(struct diagnosis *d, uint64_t in_use_bytes,
				    struct ms_diagnosis_report *report)
{
	const struct ms_diagnose_options *o = d->window.options;
	struct ms_go_runtime *rt = d->window.rt;
	struct ms_memory_bounds bounds =
	    ms_memory_bounds_read(rt->target->pid, o->root ? o->root : "");
	struct ms_go_pacer pacer;
	struct ms_error *err = ms_go_pacer_find(rt, in_use_bytes, &pacer);
	bool found = !err;

	if (err && ms_error_code(err) == MS_ERR_NO_MEMORY)
		return err;
	ms_error_free(err); // Not found, or gone: the page says that it is not known.
	ms_limits_fill(&bounds, found ? &pacer : NULL, &d->window.memory, report);
	return NULL;
}

/** The next growth of each finding, and what to do about it. */
static struct ms_error *findings_complete(struct diagnosis *d, struct ms_diagnosis_report *report)
{
	const struct ms_go_layout *l = d->window.rt->layout;
	struct ms_error *err = ms_code_sites_find(d->window.rt, report);

	if (err)
		return err;
	for (size_t i = 0; i < report->finding_count; i++) {
		struct ms_finding *f = &report->findings[i];

		if (ms_map_row_is_hmap(&f->map)) {
			err = ms_hmap_finding_complete(report, f);
			if (err)
				return err;
			continue;
		}
		f->next = ms_next_growth_of(l, &f->map);
		err = ms_next_split_read(d->window.rt, &f->map, &f->next);
		if (err && ms_error_code(err) == MS_ERR_NO_MEMORY)
			return err;
		ms_error_free(err); // A target that is gone has no next growth.
		err = ms_advise(report, l, i);
		if (err)
			return err;
	}
	return NULL;
}

static bool tick_of_held(void *context)
{
	struct diagnosis *d = context;

	progress(d, "finding what maps retain");
	return stopped(d);
}

/** What the findings retain; a target that is gone by then takes nothing else along. */
static struct ms_error *held_fill(struct diagnosis *d, const struct ms_census_report *census,
				  struct ms_diagnosis_report *report)
{
	const struct ms_retained_options options = { .seconds =
							 fmax(2 * held_s(d), HELD_SECONDS_MIN),
						     .tick = tick_of_held,
						     .tick_context = d };
	struct ms_error *err;

	if (d->window.options->no_owners) {
		ms_held_leave(report, "--no-owners leaves it out");
		return NULL;
	}
	err = ms_held_fill(d->window.rt, &options, census, report);
	if (!err || !ms_page_is_loss(err))
		return err;
	ms_error_free(err);
	ms_held_leave(report, "the process was gone");
	return NULL;
}

/** Everything that is said of findings beside their own counts. */
static struct ms_error *findings_fill(struct diagnosis *d, const struct ms_census_report *first,
				      const struct ms_census_report *census, double window_s,
				      struct ms_diagnosis_report *report)
{
	struct ms_error *err = NULL;

	if (first)
		err = ms_owner_changes_make(first, census, window_s, report);
	if (!err)
		err = ms_allocations_end(d->window.rt, now(d), &d->allocations, report);
	if (err && ms_page_is_loss(err)) {
		ms_error_free(err);
		report->allocations.unknown = "the process was gone";
		err = NULL;
	}
	if (err)
		return err;
	err = ms_more_findings_make(census, report);
	if (!err)
		err = ms_sync_maps_look(d->window.rt, census, report);
	if (err && ms_page_is_loss(err)) {
		ms_error_free(err);
		err = NULL;
	}
	ms_users_name_types(report);
	ms_leaks_join(report);
	ms_fillers_fill(census, report); // A line that grows a map is no line that makes maps anew.
	if (!err)
		err = ms_code_findings_make(census, report);
	if (!err)
		err = held_fill(d, census, report);
	if (!err)
		err = ms_garbage_drop(report);
	if (!err)
		err = findings_complete(d, report);
	if (err)
		return err;
	ms_users_fill(report);
	ms_sites_join(report);
	err = ms_made_at_find(d->window.rt, report);
	ms_lines_name(report);
	return err;
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
	report->gc_cycles = census->cost.gc_cycle - d->first_gc;
	report->coverage = census->coverage;
	census->coverage = (struct ms_coverage){ 0 };
	report->heap_bytes = census->heap_bytes;
	report->memory = census->memory;
	census->memory = (struct ms_memory){ 0 };
	report->rss_bytes = census->rss_bytes;
	report->window_s = window_s > 0 ? window_s : now(d) - d->first_at;
	report->arena = census->arena; // The rows' names live there.
	census->arena = (struct ms_arena){ 0 };
	err = ms_page_keep_owners(census, report);
	if (!err)
		err = ms_window_end_trace(&d->window,
					  report); // When the target did not live to the end.
	if (!err)
		err = limits_read(d, census->heap_bytes, report);
	report->looked_ago_s = now(d) - d->first_at - report->window_s;
	if (!err)
		err = findings_fill(d, first, census, window_s, report);
	report->cost.probes = report->trace.cost.probes;
	report->cost.read_bytes = d->window.rt->target->cost.read_bytes;
	report->cost.gc_age_s = now(d) - d->window.collected_at;
	return err;
}

/** The second census, or the first once more when the target did not live to see it. */
static struct ms_error *window_run(struct diagnosis *d, struct ms_census_report *census,
				   struct ms_diagnosis_report *report)
{
	struct ms_census_report second;
	double second_at = 0;
	bool early;
	struct ms_error *err = stopped(d) ? NULL : users_look(d, census, report);

	if (!err)
		err = tick_until_due(d);
	early = stopped(d);
	if (!err)
		err = ms_window_end(&d->window);
	if (!err)
		err = ms_window_end_trace(&d->window, report);
	if (!err) {
		second_at = now(d);
		progress(d, "second census");
		err = ms_census_run(d->window.rt, &(struct ms_census_options){ .memory = true },
				    &second);
		if (!err) {
			struct ms_hmap_places places MS_CLEANUP(ms_hmap_places_deinit) = { 0 };

			err = hmaps_add(d, &second, &places);
			if (!err)
				err = second_walk(d, census, &second);
			if (err)
				ms_census_report_deinit(&second);
		}
	}
	if (err && ms_page_is_loss(err)) {
		MS_AUTO_ERROR struct ms_error *loss = err;
		double after = now(d) - d->start;

		err = report_fill(d, NULL, census, 0, report);
		return err ? err
			   : ms_page_set_partial(report, ms_error_message(loss), after,
						 d->window.options->seconds);
	}
	if (err)
		return err;
	err = report_fill(d, census, &second, second_at - d->first_at, report);
	ms_census_report_deinit(&second);
	if (!err && early)
		err = ms_page_set_partial(report, "interrupted", second_at - d->start,
					  d->window.options->seconds);
	return err;
}

static struct ms_error *first_census(struct diagnosis *d, struct ms_census_report *ret_census)
{
	const struct ms_census_options options = { .stop = tick_of_census, .stop_context = d };
	struct ms_error *err = ms_window_trace(&d->window);

	if (!err)
		err = ms_census_run(d->window.rt, &options, ret_census);
	if (!err && d->lost)
		ms_census_report_deinit(ret_census);
	if (err)
		ms_error_free(d->lost);
	else
		err = d->lost;
	d->lost = NULL;
	if (err)
		return err;
	err = hmaps_add(d, ret_census, &d->places);
	if (err)
		ms_census_report_deinit(ret_census);
	return err;
}

struct ms_error *ms_diagnose_run(struct ms_go_runtime *rt,
				 const struct ms_diagnose_options *options,
				 struct ms_diagnosis_report *ret_report)
{
	struct ms_diagnosis_report report = { 0 };
	struct ms_census_report first;
	MS_AUTO_FREE struct diagnosis *d = calloc(1, sizeof(*d));
	struct ms_error *err;

	if (!d)
		return ms_error_no_memory();
	d->window.rt = rt;
	d->window.target = rt->target;
	d->window.options = options;
	d->window.collected_at = NAN;
	d->start = d->first_at = now(d);
	d->end = d->start + options->seconds;
	progress(d, "first census");
	err = first_census(d, &first);
	if (err) {
		ms_trace_drop(d->window.trace);
		return err;
	}
	d->first_census_s = now(d) - d->start;
	d->first_gc = first.cost.gc_cycle;
	d->heap_bytes = first.heap_bytes;
	d->goroutines = ms_goroutines_expected(rt);
	err = ms_allocations_begin(rt, now(d), &first.arena, &d->allocations);
	if (!err)
		err = ms_watch_choose(&d->window.watch, &first, &d->places, rt->target);
	if (!err)
		err = first_walk(d, &first);
	if (err && ms_page_is_loss(err)) {
		ms_error_free(err); // The window meets it again, and says what was known.
		err = NULL;
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
	ms_allocations_before_deinit(&d->allocations);
	if (err) {
		ms_diagnosis_report_deinit(&report);
		return err;
	}
	*ret_report = report;
	return NULL;
}
