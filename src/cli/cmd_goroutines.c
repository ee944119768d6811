// cmd_goroutines.c - `mapscope goroutines`: who waits for what, for how long, and who made them.
#include "cli/cmd.h"

#include "cli/look_calls.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "goroutines/goroutines_run.h"
#include "target/core.h"
#include "trace/write_burst.h"

#include <inttypes.h>

static struct ms_goroutines_view view_of(const struct ms_options *o)
{
	return (struct ms_goroutines_view){ .top = o->view.top,
					    .stuck = o->stuck,
					    .expanded = o->view.rows == MS_ROWS_EXPANDED };
}

static struct ms_error *page_text(const void *report, const struct ms_options *o,
				  const struct ms_text_style *style, struct ms_sink *sink)
{
	const struct ms_goroutines_view view = view_of(o);

	return ms_render_goroutines_text(report, &view, style, sink);
}

static struct ms_error *page_json(const void *report, const struct ms_options *o,
				  struct ms_sink *sink)
{
	(void)o;
	return ms_render_goroutines_json(report, sink);
}

static struct ms_error *page_csv(const void *report, const struct ms_options *o,
				 struct ms_sink *sink)
{
	(void)o;
	return ms_render_goroutines_csv(report, sink);
}

static struct ms_error *page_folded(const void *report, const struct ms_options *o,
				    struct ms_sink *sink)
{
	(void)o;
	return ms_render_goroutines_folded(report, sink);
}

static struct ms_error *page_svg(const void *report, const struct ms_options *o,
				 struct ms_sink *sink)
{
	(void)o;
	return ms_render_goroutines_svg(report, sink);
}

/** Of a core that was cut off: how many are in what is missing, and stacks that may end in it. */
static struct ms_error *say_cut(const struct ms_session *s, struct ms_goroutines_report *r)
{
	const char *cut = ms_session_cut_text(s, &r->arena);

	r->partial = true;
	r->partial_reason =
	    cut ? ms_arena_printf(&r->arena,
				  "%s: %" PRIu64 " entries of its table of goroutines could not "
				  "be read, and %" PRIu64 " stacks were not followed to their end",
				  cut, r->unread, r->cut)
		: NULL;
	return r->partial_reason ? NULL : ms_error_no_memory();
}

static struct ms_error *look(struct ms_session *s, struct ms_goroutines_report *ret_report)
{
	struct ms_progress progress;
	const struct ms_goroutines_options options = {
		.seconds = s->options->once || s->options->core ? 0 : s->options->seconds,
		.sched = s->options->sched,
		.stop = ms_look_stop,
		.now = ms_look_now,
		.sleep_until = ms_look_sleep_until,
		.progress = ms_look_progress,
		.context = &progress,
	};
	struct ms_write_burst *burst = NULL;
	struct ms_goroutines_report report;
	struct ms_error *err =
	    s->options->burst ? ms_write_burst_open(s->rt, &burst) : NULL; // Before the wait.

	if (err)
		return err;
	ms_progress_init(&progress, s->options, s->started);
	err = ms_goroutines_run(s->rt, &options, &report);
	ms_progress_end(&progress);
	if (err) {
		ms_write_burst_close(burst);
		return err;
	}
	if (burst && !report.partial)
		err = ms_write_burst_take(burst, &options, &report);
	ms_write_burst_close(burst);
	if (!err && s->target->is_cut)
		err = say_cut(s, &report);
	if (!err)
		err = ms_session_describe(s, &report.arena, &report.target);
	if (err) {
		ms_goroutines_report_deinit(&report);
		return err;
	}
	ms_session_account(s, &report.cost);
	*ret_report = report;
	return NULL;
}

struct ms_error *ms_cmd_goroutines(const struct ms_options *o, double started,
				   enum ms_exit_code *ret_exit)
{
	struct ms_session s;
	struct ms_goroutines_report report;
	struct ms_error *err = ms_session_find(&s, o, started);

	if (!err)
		err = ms_session_open_go(&s);
	if (!err)
		err = look(&s, &report);
	if (err && s.target && s.target->is_cut)
		err = ms_error_wrap(ms_core_error_if_cut(ms_core_info(s.target)->file, err),
				    "core file %s", o->core);
	if (!err) {
		const struct ms_page page = { .text = page_text,
					      .documents = { [MS_FORMAT_JSON] = page_json,
							     [MS_FORMAT_CSV] = page_csv,
							     [MS_FORMAT_FOLDED] = page_folded,
							     [MS_FORMAT_SVG] = page_svg },
					      .report = &report };

		err = ms_output_write(o, &page);
		if (report.partial)
			ms_output_say_partial(report.partial_reason);
		*ret_exit = report.partial ? MS_EXIT_PARTIAL : MS_EXIT_DONE;
		ms_goroutines_report_deinit(&report);
	}
	ms_session_deinit(&s);
	return err;
}
