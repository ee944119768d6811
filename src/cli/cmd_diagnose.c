// cmd_diagnose.c - `mapscope PID`: what the maps did in the last seconds, on one page.
//
// The window is counted from the start of the command, so that the page is there when it ends.
#include "cli/cmd.h"

#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "diagnose/diagnose.h"

static struct ms_error *page_text(const void *report, const struct ms_options *o,
				  const struct ms_text_style *style, struct ms_sink *sink)
{
	(void)o;
	return ms_render_diagnosis_text(report, style, sink);
}

static struct ms_error *page_json(const void *report, const struct ms_options *o,
				  struct ms_sink *sink)
{
	(void)o;
	return ms_render_diagnosis_json(report, sink);
}

static struct ms_error *page_csv(const void *report, const struct ms_options *o,
				 struct ms_sink *sink)
{
	(void)o;
	return ms_render_diagnosis_csv(report, sink);
}

static double clock_now(void *context)
{
	(void)context;
	return ms_clock_now();
}

static void clock_sleep_until(void *context, double when)
{
	(void)context;
	ms_interrupt_sleep(when);
}

static void show_progress(void *context, double done, const char *what)
{
	ms_progress_show_share(context, what, done);
}

static bool should_stop(void *context)
{
	(void)context;
	return ms_interrupted();
}

static struct ms_error *watch(struct ms_session *s, struct ms_diagnosis_report *ret_report)
{
	double left = s->started + s->options->seconds - ms_clock_now();
	struct ms_progress progress;
	const struct ms_diagnose_options options = {
		.seconds = left > 0 ? left : 0,
		.no_owners = s->options->no_owners,
		.no_probes = s->options->no_probes,
		.stop = should_stop,
		.now = clock_now,
		.sleep_until = clock_sleep_until,
		.progress = show_progress,
		.context = &progress,
	};
	struct ms_diagnosis_report report;
	struct ms_error *err;

	ms_progress_init(&progress, s->options, s->started);
	err = ms_diagnose_run(s->rt, &options, &report);
	ms_progress_end(&progress);
	if (err)
		return err;
	err = ms_session_describe(s, &report.arena, &report.target);
	if (err) {
		ms_diagnosis_report_deinit(&report);
		return err;
	}
	if (!report.memory.known)
		report.rss_bytes = ms_session_rss_bytes(s);
	ms_session_account(s, &report.cost);
	*ret_report = report;
	return NULL;
}

struct ms_error *ms_cmd_diagnose(const struct ms_options *o, double started,
				 enum ms_exit_code *ret_exit)
{
	struct ms_session s;
	struct ms_diagnosis_report report;
	struct ms_error *err = ms_session_find(&s, o, started);

	if (!err)
		err = ms_session_open(&s);
	if (!err)
		err = watch(&s, &report);
	if (!err) {
		const struct ms_page page = {
			.text = page_text,
			.documents = { [MS_FORMAT_JSON] = page_json, [MS_FORMAT_CSV] = page_csv },
			.report = &report
		};

		err = ms_output_write(o, &page);
		if (report.partial)
			ms_output_say_partial(report.partial_reason);
		*ret_exit = report.partial ? MS_EXIT_PARTIAL : MS_EXIT_DONE;
		ms_diagnosis_report_deinit(&report);
	}
	ms_session_deinit(&s);
	return err;
}
