// cmd_diff.c - `mapscope diff A B`: two censuses, each from a file or taken now.
//
// Both sides end as a census, so what is compared never asks where it came from.
#include "cli/cmd.h"

#include "base/cleanup.h"
#include "cli/output.h"
#include "cli/sides.h"
#include "cli/take_census.h"

#include <math.h>

static struct ms_error *page_text(const void *report, const struct ms_options *o,
				  const struct ms_text_style *style, struct ms_sink *sink)
{
	return ms_render_diff_text(report, &o->view, style, sink);
}

static struct ms_error *page_json(const void *report, const struct ms_options *o,
				  struct ms_sink *sink)
{
	return ms_render_diff_json(report, &o->view, sink);
}

static struct ms_error *page_csv(const void *report, const struct ms_options *o,
				 struct ms_sink *sink)
{
	return ms_render_diff_csv(report, &o->view, sink);
}

/** A census of a process or core, taken now; what it cost is added to @p cost. */
static struct ms_error *look(const struct ms_options *typed, unsigned which, double started,
			     struct ms_report_cost *cost, struct ms_snapshot *ret_side)
{
	struct ms_options o = *typed;
	struct ms_snapshot side = { .all_maps = true };
	struct ms_session s;
	struct ms_error *err;

	o.pid = typed->sides[which].pid;
	o.core = typed->sides[which].is_core ? typed->sides[which].name : NULL;
	err = ms_session_find(&s, &o, started);
	if (!err)
		err = ms_session_open(&s);
	if (!err)
		err = ms_take_census(&s, MS_TAKE_MAPS, &side.census);
	ms_session_deinit(&s);
	if (err)
		return err;
	cost->read_bytes += side.census.cost.read_bytes;
	cost->reads_retried += side.census.cost.reads_retried;
	cost->reads_given_up += side.census.cost.reads_given_up;
	*ret_side = side;
	return NULL;
}

static struct ms_error *take_side(const struct ms_options *o, unsigned side, double started,
				  struct ms_report_cost *cost, struct ms_snapshot *ret_side)
{
	if (o->sides[side].pid || o->sides[side].is_core)
		return look(o, side, started, cost, ret_side);
	return ms_side_read(o->sides[side].name, ret_side);
}

static struct ms_error *show(const struct ms_options *typed, const struct ms_diff_report *report)
{
	struct ms_row_filter filter MS_CLEANUP(ms_row_filter_deinit) = { 0 };
	struct ms_options o = *typed;
	const struct ms_page page = {
		.text = page_text,
		.documents = { [MS_FORMAT_JSON] = page_json, [MS_FORMAT_CSV] = page_csv },
		.report = report
	};
	struct ms_error *err = ms_row_filter_init(&filter, o.owner, o.type);

	if (err)
		return err;
	o.view.filter = &filter;
	return ms_output_write(&o, &page);
}

static struct ms_error *compare(const struct ms_options *o, const struct ms_snapshot sides[2],
				const char *const names[2], double started,
				struct ms_report_cost *cost)
{
	struct ms_diff_input inputs[2];
	const struct ms_session own = { .started = started };
	struct ms_diff_report report;
	struct ms_error *err;

	for (unsigned i = 0; i < 2; i++)
		inputs[i] = (struct ms_diff_input){ names[i], &sides[i].census, sides[i].filtered,
						    sides[i].all_maps };
	err = ms_diff_make(&inputs[0], &inputs[1], &report);
	if (err)
		return err;
	ms_session_account(&own, cost);
	report.cost = *cost;
	err = show(o, &report);
	ms_diff_report_deinit(&report);
	return err;
}

/** Compare both, whose censuses end here. */
static struct ms_error *finish(const struct ms_options *o, struct ms_snapshot sides[2],
			       const char *const names[2], double started,
			       struct ms_report_cost *cost, enum ms_exit_code *ret_exit)
{
	struct ms_error *err = compare(o, sides, names, started, cost);

	for (unsigned i = 0; i < 2; i++) {
		if (!err && sides[i].census.partial) {
			ms_output_say_partial(sides[i].census.partial_reason);
			*ret_exit = MS_EXIT_PARTIAL;
		}
		ms_census_report_deinit(&sides[i].census);
	}
	return err;
}

static struct ms_error *diff_ring(const struct ms_options *o, double started,
				  struct ms_report_cost *cost, enum ms_exit_code *ret_exit)
{
	struct ms_ring_sides ring;
	struct ms_error *err = ms_ring_file_sides(o->sides[0].name, &ring);
	const char *const names[] = { ring.names[0], ring.names[1] };

	return err ? err : finish(o, ring.sides, names, started, cost, ret_exit);
}

struct ms_error *ms_cmd_diff(const struct ms_options *o, double started,
			     enum ms_exit_code *ret_exit)
{
	const char *const names[] = { o->sides[0].name, o->sides[1].name };
	struct ms_snapshot sides[2] = { 0 };
	struct ms_report_cost cost = { .gc_cycle = MS_UNKNOWN, .gc_age_s = NAN };
	struct ms_error *err;

	if (!o->sides[1].name)
		return diff_ring(o, started, &cost, ret_exit);
	err = take_side(o, 0, started, &cost, &sides[0]);
	if (!err)
		err = take_side(o, 1, started, &cost, &sides[1]);
	if (!err)
		return finish(o, sides, names, started, &cost, ret_exit);
	ms_census_report_deinit(&sides[0].census);
	return err;
}
