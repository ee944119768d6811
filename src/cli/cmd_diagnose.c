// cmd_diagnose.c - `mapscope PID`: what the maps did in the last seconds, on one page.
//
// The window is counted from the start of the command, so that the page is there when it ends.
#include "cli/cmd.h"

#include "cli/fail_ifs.h"
#include "cli/interrupt.h"
#include "cli/look_calls.h"
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

static struct ms_error *page_html(const void *report, const struct ms_options *o,
				  struct ms_sink *sink)
{
	(void)o;
	return ms_render_diagnosis_html(report, sink);
}

static struct ms_error *page_pprof(const void *report, const struct ms_options *o,
				   struct ms_sink *sink)
{
	const struct ms_diagnosis_report *r = report;

	(void)o;
	return ms_render_owners_pprof(&r->target, r->owners, r->owner_count,
				      r->partial ? r->partial_reason : NULL, sink);
}

/** What a picture of growths says when there are none, on stderr. */
static void say_no_growths(const struct ms_diagnosis_report *r)
{
	if (!r->is_traced || r->trace.source != MS_TRACE_PROBES)
		ms_output_say("no growth was traced, so the picture is empty: see the page's line "
			      "on probes");
	else if (!r->trace.sum_count && !r->trace.event_count)
		ms_output_say("no map grew in the window, so the picture of growths is empty");
}

static struct ms_error *page_svg(const void *report, const struct ms_options *o,
				 struct ms_sink *sink)
{
	const struct ms_diagnosis_report *r = report;

	(void)o;
	say_no_growths(r);
	return ms_render_trace_svg(&r->trace, sink);
}

static struct ms_error *page_folded(const void *report, const struct ms_options *o,
				    struct ms_sink *sink)
{
	const struct ms_diagnosis_report *r = report;

	(void)o;
	return ms_render_trace_folded(&r->trace, sink);
}

static struct ms_error *page_chrome(const void *report, const struct ms_options *o,
				    struct ms_sink *sink)
{
	const struct ms_diagnosis_report *r = report;

	(void)o;
	return ms_render_trace_chrome(&r->trace, sink);
}

static struct ms_error *watch(struct ms_session *s, struct ms_diagnosis_report *ret_report)
{
	double left = s->started + s->options->seconds - ms_clock_now();
	struct ms_progress progress;
	const struct ms_diagnose_options options = {
		.seconds = left > 0 ? left : 0,
		.no_owners = s->options->no_owners,
		.no_probes = s->options->no_probes,
		.stop = ms_look_stop,
		.now = ms_look_now,
		.sleep_until = ms_look_sleep_until,
		.progress = ms_look_progress,
		.placed = ms_look_placed,
		.context = &progress,
		.registries = &s->registries,
		.symbols = s->symbols,
	};
	struct ms_diagnosis_report report;
	struct ms_error *err;

	ms_progress_init(&progress, s->options, s->started);
	err = s->rt ? ms_diagnose_run(s->rt, &options, &report)
		    : ms_diagnose_c_run(&options, &report);
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
	report.trace.target = report.target; // For the forms that a trace has.
	report.trace.cost = report.cost;
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
		const struct ms_page page = { .text = page_text,
					      .documents = { [MS_FORMAT_JSON] = page_json,
							     [MS_FORMAT_CSV] = page_csv,
							     [MS_FORMAT_PPROF] = page_pprof,
							     [MS_FORMAT_FOLDED] = page_folded,
							     [MS_FORMAT_SVG] = page_svg,
							     [MS_FORMAT_CHROME] = page_chrome,
							     [MS_FORMAT_HTML] = page_html },
					      .report = &report };

		err = ms_output_write(o, &page);
		if (report.partial)
			ms_output_say_partial(report.partial_reason);
		*ret_exit = report.partial ? MS_EXIT_PARTIAL : MS_EXIT_DONE;
		if (!err)
			err = ms_fail_ifs_check(o, report.owners, report.owner_count, &report,
						ret_exit);
		ms_diagnosis_report_deinit(&report);
	}
	ms_session_deinit(&s);
	return err;
}
