// take_census.c - a census asks now and then whether to go on: a good moment to say that it does.
#include "cli/take_census.h"

#include "base/cleanup.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "inspect/inspect_run.h"
#include "registry/hmap_census.h"
#include "target/core.h"
#include "walk/walk.h"

#include <math.h>

static const double WALK_SECONDS_MAX = 60;

static bool should_stop(void *context)
{
	ms_progress_show(context, "reading maps");
	return ms_interrupted();
}

/** The same while types and owners are looked for. */
static bool should_stop_walking(void *context)
{
	ms_progress_show(context, "finding types and owners");
	return ms_interrupted();
}

/** Types and owners.  A process that ends meanwhile leaves its census. */
static struct ms_error *walk(struct ms_session *s, struct ms_progress *progress,
			     struct ms_walk_missed *missed, struct ms_census_report *report)
{
	const struct ms_walk_options options = { .tick = should_stop_walking,
						 .tick_context = progress,
						 .seconds = WALK_SECONDS_MAX,
						 .missed = missed };
	struct ms_error *err = ms_walk_run(s->rt, &options, report);

	if (!err || ms_error_code(err) != MS_ERR_GONE)
		return err;
	ms_error_free(err);
	report->partial = true;
	report->partial_reason = "it ended before types and owners were found";
	return NULL;
}

/** Of a core without its program: what a look for types would have found is not here. */
static struct ms_error *say_untyped(const struct ms_session *s, struct ms_census_report *report)
{
	bool tries = s->rt->build.release >= MS_GO(1, 24);

	report->partial = true;
	report->partial_reason = ms_arena_printf(
	    &report->arena, "%s%s", ms_core_info(s->target)->missing_why,
	    tries ? "; its sync.Maps are found by their type, and are not among these maps" : "");
	return report->partial_reason ? NULL : ms_error_no_memory();
}

/** The maps of a Go program's runtime. */
static struct ms_error *go_census(struct ms_session *s, struct ms_progress *progress,
				  enum ms_take_what what, struct ms_walk_missed *missed,
				  struct ms_census_report *ret_report)
{
	const struct ms_census_options options = { .stop = should_stop,
						   .stop_context = progress,
						   .memory = what == MS_TAKE_MEMORY };
	struct ms_error *err = ms_census_run(s->rt, &options, ret_report);

	if (err)
		return err;
	if (s->target->lacks_program)
		err = say_untyped(s, ret_report);
	else if (missed && missed->count)
		err = ms_inspect_add_rows(s->rt, missed->items, missed->count, ret_report);
	if (!err && !s->options->no_owners && !s->target->lacks_program)
		err = walk(s, progress, missed, ret_report);
	if (err)
		ms_census_report_deinit(ret_report);
	return err;
}

struct ms_error *ms_take_hmaps(struct ms_session *s, struct ms_census_report *report)
{
	struct ms_hmap_places places MS_CLEANUP(ms_hmap_places_deinit) = { 0 };
	struct ms_c_symbols *symbols = s->options->no_owners ? NULL : s->symbols;
	struct ms_error *err = ms_hmap_census_add(&s->registries, symbols, report, &places);

	return err ? err : ms_census_sum_owners(report);
}

struct ms_error *ms_take_census(struct ms_session *s, enum ms_take_what what,
				struct ms_census_report *ret_report)
{
	return ms_take_census_with(s, what, NULL, ret_report);
}

struct ms_error *ms_take_census_with(struct ms_session *s, enum ms_take_what what,
				     struct ms_walk_missed *missed,
				     struct ms_census_report *ret_report)
{
	struct ms_progress progress;
	struct ms_census_report report = { .heap_bytes = MS_UNKNOWN,
					   .rss_bytes = MS_UNKNOWN,
					   .cost = { .gc_cycle = MS_UNKNOWN, .gc_age_s = NAN } };
	struct ms_error *err = NULL;

	ms_progress_init(&progress, s->options, s->started);
	if (s->rt)
		err = go_census(s, &progress, what, missed, &report);
	if (!err && s->registries.count) {
		err = ms_take_hmaps(s, &report);
		if (err)
			ms_census_report_deinit(&report);
	}
	if (!err && what == MS_TAKE_MEMORY)
		ms_census_split_memory(&report);
	ms_progress_end(&progress);
	if (err)
		return err;
	err = ms_session_describe(s, &report.arena, &report.target);
	if (err) {
		ms_census_report_deinit(&report);
		return err;
	}
	if (!report.memory.known)
		report.rss_bytes = ms_session_rss_bytes(s);
	report.cost.read_bytes = s->target->cost.read_bytes; // To be ready and for the walk, too.
	ms_session_account(s, &report.cost);
	*ret_report = report;
	return NULL;
}
