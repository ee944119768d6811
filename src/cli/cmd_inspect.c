// cmd_inspect.c - `mapscope inspect`: one map opened.
//
// The census and the walk say which map is meant, and what its type and owner are; then it is read
// whole.  A map that is broken, or that does not hold still, is none by its looks, and the census
// does not have it; but what holds it still says that it is one.  So an address is added to the
// census before the walk, and an owner that nothing is called is looked for among what the walk
// met.
#include "cli/cmd.h"

#include "base/vec.h"
#include "cli/find_map.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/take_census.h"
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

static struct ms_error *page_text(const void *report, const struct ms_options *o,
				  const struct ms_text_style *style, struct ms_sink *sink)
{
	const struct ms_inspect_view view = { .gdb = o->gdb, .dlv = o->dlv };

	return ms_render_inspect_text(report, &view, style, sink);
}

static struct ms_error *page_json(const void *report, const struct ms_options *o,
				  struct ms_sink *sink)
{
	(void)o;
	return ms_render_inspect_json(report, sink);
}

static struct ms_error *page_svg(const void *report, const struct ms_options *o,
				 struct ms_sink *sink)
{
	(void)o;
	return ms_render_inspect_svg(report, sink);
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

static struct ms_error *open_map(struct ms_session *s, const struct ms_map_row *row,
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
	return ms_error_new(MS_ERR_USAGE,
			    "there is no map at 0x%" PRIx64
			    " in process %d; type: mapscope maps %d "
			    "--all --json for all addresses",
			    row->address, (int)s->pid, (int)s->pid);
}

static bool is_checked(const struct ms_inspect_report *r)
{
	return r->invariant_count && !ms_inspect_count(r, MS_INVARIANT_UNKNOWN);
}

static struct ms_error *show(struct ms_session *s, const struct ms_census_report *census,
			     struct ms_inspect_report *r, enum ms_exit_code *ret_exit)
{
	const struct ms_page page = {
		.text = page_text,
		.documents = { [MS_FORMAT_JSON] = page_json, [MS_FORMAT_SVG] = page_svg },
		.report = r
	};
	struct ms_error *err;

	r->target = census->target;
	r->cost = census->cost;
	r->cost.read_bytes = s->target->cost.read_bytes;
	ms_session_account(s, &r->cost);
	err = ms_output_write(s->options, &page);
	*ret_exit = MS_EXIT_DONE;
	if (r->partial) {
		ms_output_say_partial(r->partial_reason);
		*ret_exit = MS_EXIT_PARTIAL;
	}
	if (s->options->check && ms_inspect_count(r, MS_INVARIANT_BROKEN)) {
		*ret_exit = MS_EXIT_BROKEN;
	} else if (s->options->check && !r->partial && !is_checked(r)) {
		ms_output_say_partial(r->settled ? "not all invariants could be checked"
						 : "the map never held still, and so was not "
						   "checked");
		*ret_exit = MS_EXIT_PARTIAL;
	}
	return err;
}

/**
 * Find the map; where none is called so, among those that the walk met and the census did not have.
 * The caller deinits the census, of which *ret_row is a row.
 */
static struct ms_error *find(struct ms_session *s, struct ms_census_report *census,
			     const struct ms_map_row **ret_row)
{
	struct ms_walk_missed missed = { 0 };
	const char *word = s->options->map;
	ms_addr address;
	struct ms_error *err = NULL;

	if (ms_map_word_is_address(word, &address) && !ms_vec_push(&missed, address))
		err = ms_error_no_memory();
	if (!err)
		err = ms_take_census_with(s, MS_TAKE_MAPS, &missed, census);
	if (err) {
		ms_vec_free(&missed);
		return err;
	}
	err = ms_find_map(census, word, ret_row);
	if (err && ms_find_map_count(census, word) == 0 && missed.count && !s->options->no_owners &&
	    !ms_map_word_is_address(word, &address)) {
		ms_error_free(err);
		ms_census_report_deinit(census);
		err = ms_take_census_with(s, MS_TAKE_MAPS, &missed, census);
		if (!err)
			err = ms_find_map(census, word, ret_row);
	}
	ms_vec_free(&missed);
	return err;
}

static struct ms_error *inspect(struct ms_session *s, struct ms_census_report *census,
				enum ms_exit_code *ret_exit)
{
	const struct ms_map_row *row;
	struct ms_inspect_report report;
	struct ms_error *err = find(s, census, &row);

	if (!err)
		err = open_map(s, row, &report);
	if (err)
		return err;
	err = show(s, census, &report, ret_exit);
	ms_inspect_report_deinit(&report);
	return err;
}

struct ms_error *ms_cmd_inspect(const struct ms_options *o, double started,
				enum ms_exit_code *ret_exit)
{
	struct ms_session s;
	struct ms_census_report census = { 0 };
	struct ms_error *err = ms_session_find(&s, o, started);

	if (!err)
		err = ms_session_open(&s);
	if (!err)
		err = inspect(&s, &census, ret_exit);
	ms_census_report_deinit(&census);
	ms_session_deinit(&s);
	return err;
}
