// cmd_maps.c - `mapscope maps`: one census, shown.
#include "cli/cmd.h"

#include "census/census_run.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "walk/walk.h"

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

/** A census asks now and then whether to go on: a good moment to say that it does. */
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

static struct ms_error *take_census(struct ms_session *s, struct ms_census_report *ret_report)
{
	struct ms_progress progress;
	const struct ms_census_options options = { .stop = should_stop,
						   .stop_context = &progress,
						   .memory = true };
	struct ms_walk_summary summary;
	struct ms_census_report report;
	struct ms_error *err;

	ms_progress_init(&progress, s->options, s->started);
	err = ms_census_run(s->rt, &options, &report);
	if (!err) {
		const struct ms_walk_options walk = { .tick = should_stop_walking,
						      .tick_context = &progress };

		err = ms_walk_run(s->rt, &walk, &report, &summary);
		if (err)
			ms_census_report_deinit(&report);
		else
			ms_census_split_memory(&report);
	}
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
	ms_session_account(s, &report.cost);
	*ret_report = report;
	return NULL;
}

struct ms_error *ms_cmd_maps(const struct ms_options *o, double started,
			     enum ms_exit_code *ret_exit)
{
	struct ms_session s;
	struct ms_census_report report;
	struct ms_error *err = ms_session_find(&s, o, started);

	if (!err)
		err = ms_session_open(&s);
	if (!err)
		err = take_census(&s, &report);
	if (!err) {
		const struct ms_page page = { page_text, page_json, page_csv, &report };

		err = ms_output_write(o, &page);
		if (report.partial)
			ms_output_say_partial(report.partial_reason);
		*ret_exit = report.partial ? MS_EXIT_PARTIAL : MS_EXIT_DONE;
		ms_census_report_deinit(&report);
	}
	ms_session_deinit(&s);
	return err;
}
