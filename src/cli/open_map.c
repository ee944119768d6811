// open_map.c - a map that is broken off after a while is shown as far as it was read.
#include "cli/open_map.h"

#include "cli/interrupt.h"
#include "cli/progress.h"
#include "inspect/inspect_hmap.h"
#include "inspect/inspect_run.h"
#include "registry/hmap_census.h"

#include <inttypes.h>

static const double READ_SECONDS_MAX = 60;

struct deadline {
	struct ms_progress progress;
	double end;
};

static bool should_stop(void *context)
{
	struct deadline *d = context;

	ms_progress_show(&d->progress, "reading the map");
	return ms_interrupted() || ms_clock_now() > d->end;
}

/** A row that the census does not stand for, and that nothing in the program leads to. */
static bool is_a_guess(const struct ms_map_row *row, const struct ms_inspect_report *r)
{
	return row->confidence == MS_CONFIDENCE_CHANGED && !row->type && !row->owner &&
	       r->invariant_count && r->invariants[0].state == MS_INVARIANT_BROKEN;
}

/** A map of libhmap, of whichever of the process's lists has it now. */
static struct ms_error *read_hmap(struct ms_session *s, const struct ms_map_row *row,
				  const struct ms_inspect_options *options,
				  struct ms_inspect_report *ret_report)
{
	const struct ms_registry *registry;
	struct ms_error *err = ms_hmap_find(&s->registries, row->address, &registry);

	if (err)
		return err;
	if (registry)
		return ms_inspect_hmap(s->target, registry, row, options, ret_report);
	*ret_report = ms_inspect_row_alone(row, "it was ended meanwhile: no list has it any more");
	return NULL;
}

/** A map of a Go program. */
static struct ms_error *read_go_map(struct ms_session *s, const struct ms_map_row *row,
				    const struct ms_inspect_options *options,
				    struct ms_inspect_report *ret_report)
{
	struct ms_error *err = ms_inspect_run(s->rt, row, options, ret_report);

	if (err || !is_a_guess(row, ret_report))
		return err;
	ms_inspect_report_deinit(ret_report);
	if (s->options->core)
		return ms_error_new(MS_ERR_USAGE,
				    "there is no map at 0x%" PRIx64 " in %s; type: mapscope maps "
				    "%s --all --json for all addresses",
				    row->address, s->options->core, s->options->core);
	return ms_error_new(MS_ERR_USAGE,
			    "there is no map at 0x%" PRIx64
			    " in process %d; type: mapscope maps %d "
			    "--all --json for all addresses",
			    row->address, (int)s->pid, (int)s->pid);
}

static struct ms_error *read_map(struct ms_session *s, const struct ms_map_row *row,
				 struct ms_inspect_report *ret_report)
{
	struct deadline d = { .end = ms_clock_now() + READ_SECONDS_MAX };
	const struct ms_inspect_options options = { .stop = should_stop,
						    .stop_context = &d,
						    .unit = s->options->unit,
						    .keys = s->options->show_keys };
	struct ms_error *err;

	if (row->kind == MS_MAP_SYNC_TRIE) {
		*ret_report = ms_inspect_row_alone(
		    row, "a sync.Map from Go 1.24 on is a hash trie, which has no table");
		return NULL;
	}
	ms_progress_init(&d.progress, s->options, s->started);
	err = ms_map_row_is_hmap(row) ? read_hmap(s, row, &options, ret_report)
				      : read_go_map(s, row, &options, ret_report);
	ms_progress_end(&d.progress);
	return err;
}

struct ms_error *ms_open_map(struct ms_session *s, const struct ms_census_report *census,
			     const struct ms_map_row *row, struct ms_inspect_report *ret_report)
{
	struct ms_error *err = read_map(s, row, ret_report);

	if (err)
		return err;
	ret_report->target = census->target;
	ret_report->cost = census->cost;
	ret_report->cost.read_bytes = s->target->cost.read_bytes;
	ms_session_account(s, &ret_report->cost);
	return NULL;
}
