// take_census.c - a census asks now and then whether to go on: a good moment to say that it does.
#include "cli/take_census.h"

#include "base/cleanup.h"
#include "base/vec.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "golang/spans.h"
#include "inspect/inspect_run.h"
#include "registry/hmap_census.h"
#include "target/core.h"
#include "walk/walk.h"

#include <math.h>

static const double WALK_SECONDS_MAX = 60;

static void typed_deinit(struct ms_typed_maps *typed)
{
	ms_vec_free(typed);
}

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
			     struct ms_walk_missed *missed, struct ms_typed_maps *typed,
			     struct ms_census_report *report)
{
	const struct ms_walk_options options = { .tick = should_stop_walking,
						 .tick_context = progress,
						 .seconds = typed ? WALK_SECONDS_MAX / 2
								  : WALK_SECONDS_MAX,
						 .missed = missed,
						 .typed = typed };
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

// --- Cores that were cut off. ---

static int typed_compare(const void *a, const void *b)
{
	const struct ms_typed_map *x = a, *y = b;

	return (x->address > y->address) - (x->address < y->address);
}

/** Whether spans are missing: of a core that was cut off behind them, all may be there. */
static struct ms_error *ask_holes(const struct ms_session *s, bool *ret_has_holes)
{
	struct ms_spans spans;
	struct ms_error *err;

	*ret_has_holes = false;
	if (!s->target->is_cut || s->target->lacks_program)
		return NULL;
	err = ms_spans_load(s->rt, &spans);
	if (err)
		return err;
	*ret_has_holes = spans.has_holes;
	ms_spans_deinit(&spans);
	return NULL;
}

/**
 * The maps that types lead to, where spans are missing.  The walk enters all that it meets; of
 * these the census keeps what fits, and the next walk enters no others.  *ret_limit: what kept it
 * from coming to all of them, or NULL.
 */
static struct ms_error *find_typed(struct ms_session *s, struct ms_progress *progress,
				   struct ms_typed_maps *typed, const char **ret_limit)
{
	struct ms_census_report none = { 0 };
	struct ms_error *err = walk(s, progress, NULL, typed, &none);

	*ret_limit = none.partial ? none.partial_reason : none.coverage.walk.limit;
	ms_census_report_deinit(&none);
	if (!err && typed->count)
		qsort(typed->items, typed->count, sizeof(*typed->items), typed_compare);
	return err;
}

/**
 * Drop those that nothing but what the census has not kept leads to, or that a walk which was cut
 * short did not come to: nothing says that they are maps of the program.  Of the others who else
 * holds them may be in what is missing.
 */
static struct ms_error *drop_unreached(const struct ms_typed_maps *typed,
				       struct ms_census_report *report)
{
	const char *reason =
	    report->coverage.walk.limit
		? "met as a map, and not again by the walk for owners, which was cut short"
		: "met as a map, but only by way of what is none";
	struct ms_error *err;
	size_t kept = 0;

	for (size_t i = 0; i < report->map_count; i++) {
		const struct ms_map_row *row = &report->maps[i];
		const struct ms_typed_map key = { .address = row->address };

		if (!row->owners && typed->count &&
		    bsearch(&key, typed->items, typed->count, sizeof(key), typed_compare)) {
			report->never_written -= ms_map_row_never_written(row);
			report->coverage.typed -= row->type != NULL;
			report->coverage.walk.unreached -= report->coverage.walk.unreached > 0;
			continue;
		}
		report->maps[kept] = *row;
		report->maps[kept++].owners = 0;
	}
	err = ms_coverage_skip(&report->coverage, reason, report->map_count - kept);
	report->coverage.read -= report->map_count - kept;
	report->map_count = kept;
	return err ? err : ms_census_sum_owners(report);
}

/** What is missing, @p limit of the way to what is left, and what else the report says of it. */
static struct ms_error *say_cut(const struct ms_session *s, bool has_holes, const char *limit,
				struct ms_census_report *report)
{
	const char *cut = ms_session_cut_text(s, &report->arena);
	const char *before = report->partial ? report->partial_reason : NULL;
	const char *holes = "";

	if (has_holes)
		holes = s->rt->lacks_spans
			    ? "; the runtime's table of spans is among them, so that these are the "
			      "maps that typed variables lead to, and what only a stack or an "
			      "untyped word holds is not here"
			    : "; a part of the runtime's spans is among them, so that where these "
			      "are missing, the maps that typed variables lead to are all that is "
			      "here";
	report->partial_reason =
	    cut ? ms_arena_printf(&report->arena, "%s%s%s%s%s%s", cut, holes,
				  limit ? "; the look for these did not get to its end: " : "",
				  limit ? limit : "", before ? "; " : "", before ? before : "")
		: NULL;
	report->partial = true;
	return report->partial_reason ? NULL : ms_error_no_memory();
}

// --- The whole. ---

/** The maps of a Go program's runtime. */
static struct ms_error *go_census(struct ms_session *s, struct ms_progress *progress,
				  enum ms_take_what what, struct ms_walk_missed *missed,
				  struct ms_census_report *ret_report)
{
	MS_CLEANUP(typed_deinit) struct ms_typed_maps typed = { 0 };
	const struct ms_census_options options = { .stop = should_stop,
						   .stop_context = progress,
						   .memory = what == MS_TAKE_MEMORY,
						   .typed = &typed };
	bool is_cut = s->target->is_cut, has_types = !s->target->lacks_program, has_holes;
	struct ms_error *err = ask_holes(s, &has_holes);
	const char *limit = NULL;

	if (!err && has_holes)
		err = find_typed(s, progress, &typed, &limit);
	if (!err)
		err = ms_census_run(s->rt, &options, ret_report);
	if (err)
		return err;
	if (!has_types)
		err = say_untyped(s, ret_report);
	else if (missed && missed->count)
		err = ms_inspect_add_rows(s->rt, missed->items, missed->count, ret_report);
	if (!err && has_types && (typed.count || !s->options->no_owners))
		err = walk(s, progress, missed, NULL, ret_report);
	if (!err && typed.count)
		err = drop_unreached(&typed, ret_report);
	if (!err && is_cut && has_types)
		err = say_cut(s, has_holes, limit, ret_report);
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
