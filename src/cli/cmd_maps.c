// cmd_maps.c - `mapscope maps`: one census, shown.
#include "cli/cmd.h"

#include "base/cleanup.h"
#include "cli/fail_ifs.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/take_census.h"
#include "snapshot/snapshot_file.h"

static struct ms_error *page_text(const void *report, const struct ms_options *o,
				  const struct ms_text_style *style, struct ms_sink *sink)
{
	return ms_render_census_text(report, &o->view, style, sink);
}

static struct ms_error *page_json(const void *report, const struct ms_options *o,
				  struct ms_sink *sink)
{
	return ms_render_census_json(report, &o->view, sink);
}

static struct ms_error *page_csv(const void *report, const struct ms_options *o,
				 struct ms_sink *sink)
{
	return ms_render_census_csv(report, &o->view, sink);
}

static struct ms_error *page_pprof(const void *report, const struct ms_options *o,
				   struct ms_sink *sink)
{
	const struct ms_census_report *r = report;

	(void)o;
	return ms_render_owners_pprof(&r->target, r->owners, r->owner_count,
				      r->partial ? r->partial_reason : NULL, sink);
}

/** A snapshot has every map, whatever the page shows. */
static struct ms_error *page_msnap(const void *report, const struct ms_options *o,
				   struct ms_sink *sink)
{
	struct ms_bytes file = { 0 };
	struct ms_error *err =
	    ms_snapshot_pack(report, MS_SNAPSHOT_MAPS, ms_clock_wall_ns(), &file);

	(void)o;
	if (err)
		return err;
	ms_sink_write(sink, file.items, file.count);
	free(file.items);
	return ms_sink_finish(sink);
}

static struct ms_error *show(const struct ms_options *typed, const struct ms_census_report *report)
{
	struct ms_row_filter filter MS_CLEANUP(ms_row_filter_deinit) = { 0 };
	struct ms_options o = *typed;
	const struct ms_page page = { .text = page_text,
				      .documents = { [MS_FORMAT_JSON] = page_json,
						     [MS_FORMAT_CSV] = page_csv,
						     [MS_FORMAT_PPROF] = page_pprof,
						     [MS_FORMAT_MSNAP] = page_msnap },
				      .report = report };
	struct ms_error *err = ms_row_filter_init(&filter, o.owner, o.type);

	if (err)
		return err;
	o.view.filter = &filter;
	if (report->target.lacks_program)
		o.view.rows = MS_ROWS_EXPANDED; // Without owners all would be one row.
	return ms_output_write(&o, &page);
}

struct ms_error *ms_cmd_maps(const struct ms_options *o, double started,
			     enum ms_exit_code *ret_exit)
{
	struct ms_session s;
	struct ms_census_report report;
	struct ms_error *err = ms_fail_ifs_are_of_census(o);

	if (err)
		return err;
	err = ms_session_find(&s, o, started);
	if (!err)
		err = ms_session_open(&s);
	if (!err)
		err = ms_take_census(&s, MS_TAKE_MEMORY, &report);
	if (!err) {
		err = show(o, &report);
		if (report.partial)
			ms_output_say_partial(report.partial_reason);
		*ret_exit = report.partial ? MS_EXIT_PARTIAL : MS_EXIT_DONE;
		if (!err)
			err =
			    ms_fail_ifs_check(o, report.owners, report.owner_count, NULL, ret_exit);
		ms_census_report_deinit(&report);
	}
	ms_session_deinit(&s);
	return err;
}
