// open_map.c - a map that is broken off after a while is shown as far as it was read.
#include "cli/open_map.h"

#include "cli/interrupt.h"
#include "cli/progress.h"
#include "inspect/inspect_run.h"

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

/** A map of a kind whose table is not read here: its row, and why no more. */
static void tell_row(const struct ms_map_row *row, struct ms_inspect_report *r)
{
	*r = (struct ms_inspect_report){ .row = *row };
	r->layout.unit_bytes = 0;
	r->stage = row->growing && row->growth.same_size ? MS_STAGE_SAME_SIZE
		   : row->growing                        ? MS_STAGE_DOUBLING
							 : MS_STAGE_NONE;
	r->settled = true;
	r->unread_why = ms_map_row_is_hmap(row)
			    ? "of a map of libhmap only what its registry says is shown; in gdb, "
			      "hmap show and hmap chains open it"
			    : "a sync.Map from Go 1.24 on is a hash trie, which has no table";
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

	if (row->kind != MS_MAP_CLASSIC && row->kind != MS_MAP_SWISS) {
		tell_row(row, ret_report);
		return NULL;
	}
	ms_progress_init(&d.progress, s->options, s->started);
	err = ms_inspect_run(s->rt, row, &options, ret_report);
	ms_progress_end(&d.progress);
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
