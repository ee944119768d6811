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
#include "cli/open_map.h"
#include "cli/output.h"
#include "cli/take_census.h"
#include "render/human.h"
#include "target/core.h"

#include <inttypes.h>
#include <unistd.h>

/** What a look keeps for the next one to be compared with. */
struct kept {
	double at; // 0: there was none.
	ms_addr address;
	uint64_t entries, units, moved;
};

/** A report, and the look before it. */
struct shown {
	const struct ms_inspect_report *report;
	struct kept before;
	double at;
};

/** Units that the growth or pass under way is done with. */
static uint64_t done_of(const struct ms_inspect_report *r)
{
	return r->pass.of ? r->pass.done : r->frontier;
}

/** "2.0 s later: +120 entries, 8 buckets more, 512 old ones moved" */
static void put_since(const struct shown *shown, struct ms_sink *sink)
{
	const struct ms_inspect_report *r = shown->report;
	const struct kept *before = &shown->before;
	struct ms_human h;

	if (!(before->at > 0))
		return;
	ms_sink_printf(sink, "%s later: ", ms_human_seconds(&h, shown->at - before->at));
	if (before->address != r->row.address) {
		ms_sink_puts(sink, "it is another map\n");
		return;
	}
	ms_sink_printf(sink, "%+" PRId64 " entries", (int64_t)(r->row.entries - before->entries));
	if (r->now.units != before->units)
		ms_sink_printf(sink, ", %+" PRId64 " %ss", (int64_t)(r->now.units - before->units),
			       ms_inspect_unit_name(r));
	if (r->stage != MS_STAGE_NONE && done_of(r) >= before->moved)
		ms_sink_printf(sink, ", %s %s", ms_human_count(&h, done_of(r) - before->moved),
			       r->pass.of ? "blocks done" : "old buckets moved");
	ms_sink_puts(sink, "\n");
}

static struct ms_error *page_text(const void *report, const struct ms_options *o,
				  const struct ms_text_style *style, struct ms_sink *sink)
{
	const struct ms_inspect_view view = { .gdb = o->gdb, .dlv = o->dlv };
	const struct shown *shown = report;

	if (o->every_s > 0 && isatty(STDOUT_FILENO))
		ms_sink_puts(sink, "\x1b[H\x1b[2J"); // In place of the last look.
	put_since(shown, sink);
	return ms_render_inspect_text(shown->report, &view, style, sink);
}

static struct ms_error *page_json(const void *report, const struct ms_options *o,
				  struct ms_sink *sink)
{
	(void)o;
	return ms_render_inspect_json(((const struct shown *)report)->report, sink);
}

static struct ms_error *page_svg(const void *report, const struct ms_options *o,
				 struct ms_sink *sink)
{
	(void)o;
	return ms_render_inspect_svg(((const struct shown *)report)->report, sink);
}

static bool is_checked(const struct ms_inspect_report *r)
{
	return r->invariant_count && !ms_inspect_count(r, MS_INVARIANT_UNKNOWN);
}

static struct ms_error *show(struct ms_session *s, struct ms_inspect_report *r, struct kept *kept,
			     enum ms_exit_code *ret_exit)
{
	const struct shown shown = { r, *kept, ms_clock_now() };
	const struct ms_page page = {
		.text = page_text,
		.documents = { [MS_FORMAT_JSON] = page_json, [MS_FORMAT_SVG] = page_svg },
		.report = &shown
	};
	struct ms_error *err = ms_output_write(s->options, &page);

	*kept = (struct kept){ shown.at, r->row.address, r->row.entries, r->now.units, done_of(r) };
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

static struct ms_error *look(struct ms_session *s, struct kept *kept, enum ms_exit_code *ret_exit)
{
	const struct ms_map_row *row;
	struct ms_inspect_report report;
	struct ms_census_report census = { 0 };
	struct ms_error *err = find(s, &census, &row);

	if (!err)
		err = ms_open_map(s, &census, row, &report);
	if (!err) {
		err = show(s, &report, kept, ret_exit);
		ms_inspect_report_deinit(&report);
	}
	ms_census_report_deinit(&census);
	return err;
}

/** With --every until it is told to end, or the process goes away. */
static struct ms_error *look_again(struct ms_session *s, struct kept *kept,
				   enum ms_exit_code *ret_exit)
{
	const struct ms_options *o = s->options;
	struct ms_error *err = NULL;

	for (uint64_t i = 1; !err && i != o->looks.count; i++) {
		ms_interrupt_sleep(kept->at + o->every_s);
		if (ms_interrupted())
			return NULL;
		err = ms_target_check(s->target);
		if (!err)
			err = look(s, kept, ret_exit);
	}
	return err;
}

struct ms_error *ms_cmd_inspect(const struct ms_options *o, double started,
				enum ms_exit_code *ret_exit)
{
	struct ms_session s;
	struct kept kept = { 0 };
	struct ms_error *err = ms_session_find(&s, o, started);

	if (!err)
		err = ms_session_open(&s);
	if (!err)
		err = look(&s, &kept, ret_exit);
	if (!err && o->every_s > 0)
		err = look_again(&s, &kept, ret_exit);
	if (err && s.target && s.target->is_cut) // It may be a map that is in what is missing.
		err = ms_core_error_if_cut(ms_core_info(s.target)->file, err);
	ms_session_deinit(&s);
	return err;
}
