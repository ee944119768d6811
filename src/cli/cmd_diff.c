// cmd_diff.c - `mapscope diff A B`: two censuses, each from a document or taken now.
//
// Both sides end as a census, so what is compared never asks where it came from.
#include "cli/cmd.h"

#include "base/cleanup.h"
#include "cli/output.h"
#include "cli/take_census.h"
#include "snapshot/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>

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

static struct ms_error *read_document(const char *path, struct ms_snapshot *ret_side)
{
	MS_AUTO_FCLOSE FILE *in = fopen(path, "re");
	struct ms_error *err;
	struct stat found;

	if (in && fstat(fileno(in), &found) == 0 && S_ISDIR(found.st_mode)) {
		errno = EISDIR;
		return ms_error_errno(MS_ERR_IO, errno, "could not read %s", path);
	}
	if (!in)
		return ms_error_errno(MS_ERR_IO, errno, "could not open %s", path);
	err = ms_snapshot_read(in, ret_side);
	return err ? ms_error_wrap(err, "%s", path) : NULL;
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
	return read_document(o->sides[side].name, ret_side);
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
				double started, struct ms_report_cost *cost)
{
	struct ms_diff_input inputs[2];
	const struct ms_session own = { .started = started };
	struct ms_diff_report report;
	struct ms_error *err;

	for (unsigned i = 0; i < 2; i++)
		inputs[i] = (struct ms_diff_input){ o->sides[i].name, &sides[i].census,
						    sides[i].filtered, sides[i].all_maps };
	err = ms_diff_make(&inputs[0], &inputs[1], &report);
	if (err)
		return err;
	ms_session_account(&own, cost);
	report.cost = *cost;
	err = show(o, &report);
	ms_diff_report_deinit(&report);
	return err;
}

struct ms_error *ms_cmd_diff(const struct ms_options *o, double started,
			     enum ms_exit_code *ret_exit)
{
	struct ms_snapshot sides[2] = { 0 };
	struct ms_report_cost cost = { .gc_cycle = MS_UNKNOWN, .gc_age_s = NAN };
	struct ms_error *err = take_side(o, 0, started, &cost, &sides[0]);

	if (!err)
		err = take_side(o, 1, started, &cost, &sides[1]);
	if (!err)
		err = compare(o, sides, started, &cost);
	for (unsigned i = 0; i < 2 && !err; i++) {
		if (!sides[i].census.partial)
			continue;
		ms_output_say_partial(sides[i].census.partial_reason);
		*ret_exit = MS_EXIT_PARTIAL;
	}
	ms_census_report_deinit(&sides[0].census);
	ms_census_report_deinit(&sides[1].census);
	return err;
}
