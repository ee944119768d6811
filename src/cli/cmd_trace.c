// cmd_trace.c - `mapscope trace`: growths as they happen, printed as they come.
//
// The probes are placed first, so that nothing is missed; then a census says what the maps are
// called, and takes its time while events are taken in between.  It reads through a session of its
// own: the trace's parts read at the same moments.  Maps that were made after it have their type
// from the probe, and no owner.
//
// What is printed as it comes has no owner before the census is done; documents have all of them.
#include "cli/cmd.h"

#include "census/census_run.h"
#include "cli/interrupt.h"
#include "cli/look_calls.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "cli/take_census.h"
#include "cli/terminal.h"
#include "trace/name_maps.h"
#include "trace/trace.h"
#include "walk/walk.h"

#include <errno.h>
#include <math.h>

static const double WALK_SECONDS_MAX = 60, LAST_CENSUS_SECONDS_MAX = 5;

struct tracing {
	struct ms_session *session;
	const struct ms_options *options;
	struct ms_progress progress;
	struct ms_trace_run *run;
	struct ms_trace_mark mark;
	struct ms_census_report census;
	bool has_census;
	double until, last_until; // The last is of the census behind the window.
	bool reader_gone;         // It closed its end of stdout, which ends the trace.
	struct ms_error *failed;  // While the census was taken.
};

// --- Pages. ---

static struct ms_error *page_text(const void *report, const struct ms_options *o,
				  const struct ms_text_style *style, struct ms_sink *sink)
{
	(void)o;
	return ms_render_trace_text(report, style, sink);
}

static struct ms_error *page_json(const void *report, const struct ms_options *o,
				  struct ms_sink *sink)
{
	(void)o;
	return ms_render_trace_json(report, sink);
}

static struct ms_error *page_csv(const void *report, const struct ms_options *o,
				 struct ms_sink *sink)
{
	(void)o;
	return ms_render_trace_csv(report, sink);
}

static struct ms_error *page_maptrace(const void *report, const struct ms_options *o,
				      struct ms_sink *sink)
{
	struct ms_trace_mark mark = { 0 };

	(void)o;
	return ms_render_trace_maptrace(report, &mark, sink);
}

static struct ms_error *page_folded(const void *report, const struct ms_options *o,
				    struct ms_sink *sink)
{
	(void)o;
	return ms_render_trace_folded(report, sink);
}

static struct ms_error *page_svg(const void *report, const struct ms_options *o,
				 struct ms_sink *sink)
{
	(void)o;
	return ms_render_trace_svg(report, sink);
}

static struct ms_error *page_chrome(const void *report, const struct ms_options *o,
				    struct ms_sink *sink)
{
	(void)o;
	return ms_render_trace_chrome(report, sink);
}

static struct ms_error *page_pprof(const void *report, const struct ms_options *o,
				   struct ms_sink *sink)
{
	(void)o;
	return ms_render_trace_pprof(report, sink);
}

static bool is_printed_as_it_comes(const struct ms_options *o)
{
	return o->format == MS_FORMAT_TEXT || o->format == MS_FORMAT_MAPTRACE;
}

/** Print what came since the last time; a reader that closed its end ends the trace. */
static struct ms_error *print_new(struct tracing *t, const struct ms_trace_report *report,
				  bool is_end)
{
	const struct ms_text_style style = ms_terminal_style(stdout, t->options);
	struct ms_sink sink;
	struct ms_error *err;

	if (t->reader_gone)
		return NULL;
	ms_progress_end(&t->progress);
	ms_sink_init_file(&sink, stdout);
	if (t->options->format == MS_FORMAT_MAPTRACE)
		err = ms_render_trace_maptrace(report, &t->mark, &sink);
	else
		err = ms_render_trace_text_events(report, &t->mark, &style, &sink);
	if (!err && is_end && t->options->format == MS_FORMAT_TEXT)
		err = ms_render_trace_text_summary(report, &style, &sink);
	t->reader_gone = sink.failed_errno == EPIPE;
	err = ms_output_forgive_closed(err, &sink);
	ms_sink_deinit(&sink);
	return err ? ms_error_wrap(err, "stdout") : NULL;
}

static bool has_news(const struct tracing *t, const struct ms_trace_report *r)
{
	if (t->mark.events < r->event_count)
		return true;
	if (t->options->format == MS_FORMAT_TEXT)
		return ms_trace_mark_has_gc_lines(&t->mark, r);
	return t->options->format == MS_FORMAT_MAPTRACE &&
	       (t->mark.creations < r->creation_count || t->mark.migrations < r->migration_count);
}

static struct ms_error *added(void *context, const struct ms_trace_report *report)
{
	struct tracing *t = context;

	if (!is_printed_as_it_comes(t->options) || !has_news(t, report))
		return NULL;
	return print_new(t, report, false);
}

// --- The census meanwhile. ---

static bool is_over(const struct tracing *t)
{
	return t->reader_gone || ms_interrupted() || ms_clock_now() >= t->until;
}

/** Asked by the census: the moment to give the trace its turn. */
static bool give_turn(void *context)
{
	struct tracing *t = context;

	if (!t->failed && ms_trace_due(t->run) <= ms_clock_now())
		t->failed = ms_trace_tick(t->run);
	return t->failed || is_over(t) || ms_trace_so_far(t->run)->partial;
}

/** Asked by the census behind the window. */
static bool is_enough(void *context)
{
	const struct tracing *t = context;

	return ms_clock_now() >= t->last_until;
}

static struct ms_error *read_maps(struct tracing *t, ms_stop_fn stop,
				  struct ms_census_report *ret_census)
{
	const struct ms_census_options options = { .stop = stop, .stop_context = t };
	const struct ms_walk_options walk = { .tick = stop,
					      .tick_context = t,
					      .seconds = WALK_SECONDS_MAX };
	struct ms_census_report census = { 0 };
	struct ms_session own = *t->session;
	struct ms_error *err;

	own.target = NULL;
	own.rt = NULL;
	own.symbols = NULL;
	err = ms_session_open(&own);
	if (!err && own.rt)
		err = ms_census_run(own.rt, &options, &census);
	if (!err) {
		if (own.rt && !t->options->no_owners)
			err = ms_walk_run(own.rt, &walk, &census);
		if (!err && own.registries.count)
			err = ms_take_hmaps(&own, &census);
		if (err)
			ms_census_report_deinit(&census);
		else
			*ret_census = census;
	}
	if (own.target)
		t->session->target->cost.read_bytes += own.target->cost.read_bytes;
	ms_session_deinit(&own);
	return err;
}

/** A process that went away meanwhile ends the window, not the trace. */
static struct ms_error *forgive_gone(struct ms_error *err)
{
	if (!err || ms_error_code(err) != MS_ERR_GONE)
		return err;
	ms_error_free(err);
	return NULL;
}

/**
 * Growths are worth having without owners: a census that a table on the move has failed is said and
 * forgiven, as is one of a process that went away, which ends the window by itself.
 */
static struct ms_error *forgive_census(struct ms_error *err)
{
	char line[512];

	if (!ms_error_is_unreadable(err))
		return forgive_gone(err);
	snprintf(line, sizeof(line), "owners are missing: %s", ms_error_message(err));
	ms_output_say(line);
	ms_error_free(err);
	return NULL;
}

static struct ms_error *take_census(struct tracing *t)
{
	struct ms_error *err = read_maps(t, give_turn, &t->census);

	t->has_census = !err;
	if (!t->failed)
		return forgive_census(err);
	ms_error_free(err);
	return forgive_gone(t->failed);
}

// --- The window. ---

static struct ms_error *watch(struct tracing *t)
{
	struct ms_error *err = take_census(t);

	if (!err && t->has_census)
		ms_trace_use_census(t->run, &t->census);
	while (!err && !is_over(t) && !ms_trace_so_far(t->run)->partial) {
		double due = ms_trace_due(t->run);

		ms_interrupt_sleep(due < t->until ? due : t->until);
		err = ms_trace_tick(t->run);
	}
	return err;
}

/** The moment from which nothing is missed; whoever waits for it reads stderr. */
static void say_begun(const struct tracing *t)
{
	const struct ms_trace_report *r = ms_trace_so_far(t->run);
	char line[128];

	if (t->options->quiet)
		return;
	snprintf(line, sizeof(line), "tracing process %d %s; Ctrl-C ends it", (int)t->session->pid,
		 r->source == MS_TRACE_PROBES ? "with probes" : "by polling");
	ms_output_say(line);
}

/** Owners of what came before the first census, and of maps made after it. */
static struct ms_error *name_maps(struct tracing *t, struct ms_trace_report *r)
{
	struct ms_error *err = t->has_census ? ms_trace_name_maps(r, &t->census) : NULL;
	struct ms_census_report last;

	if (err || t->options->no_owners || r->partial || !ms_trace_has_nameless(r))
		return err;
	t->last_until = ms_clock_now() + LAST_CENSUS_SECONDS_MAX;
	err = read_maps(t, is_enough, &last);
	if (err)
		return forgive_census(err);
	err = ms_trace_name_maps(r, &last);
	ms_census_report_deinit(&last);
	return err;
}

static struct ms_error *trace(struct tracing *t, struct ms_trace_report *ret_report)
{
	const struct ms_trace_options options = {
		.seconds = t->options->seconds,
		.no_probes = t->options->no_probes,
		.small_growths = t->options->small,
		.gctrace = t->options->gctrace,
		.switches = t->options->sched,
		.migrations = t->options->migrations,
		.creations = t->options->creations,
		.now = ms_look_now,
		.added = added,
		.placed = ms_look_placed,
		.context = t,
		.registries = &t->session->registries,
		.symbols = t->session->symbols,
	};
	struct ms_error *err = ms_trace_begin(t->session->rt, NULL, &options, &t->run);

	if (err)
		return err;
	say_begun(t);
	err = watch(t);
	if (err) {
		ms_trace_drop(t->run);
		return err;
	}
	err = ms_trace_finish(t->run, ret_report);
	return err ? err : name_maps(t, ret_report);
}

static struct ms_error *show(struct tracing *t, struct ms_trace_report *r)
{
	struct ms_page page = {
		.text = page_text,
		.documents = { [MS_FORMAT_JSON] = page_json,
			       [MS_FORMAT_CSV] = page_csv,
			       [MS_FORMAT_MAPTRACE] = page_maptrace,
			       [MS_FORMAT_CHROME] = page_chrome,
			       [MS_FORMAT_PPROF] = page_pprof,
			       [MS_FORMAT_FOLDED] = page_folded,
			       [MS_FORMAT_SVG] = page_svg },
		.report = r,
		.is_printed = is_printed_as_it_comes(t->options),
	};
	struct ms_error *err = page.is_printed ? print_new(t, r, true) : NULL;
	struct ms_error *more = ms_output_write(t->options, &page);

	if (err)
		ms_error_free(more);
	return err ? err : more;
}

static struct ms_error *run(struct tracing *t, enum ms_exit_code *ret_exit)
{
	struct ms_trace_report report;
	struct ms_report_cost *cost = &report.cost;
	struct ms_error *err = trace(t, &report);

	if (err)
		return err;
	if (ms_interrupted() && isfinite(t->until) && !report.partial) {
		report.partial = true;
		report.partial_reason = "stopped early";
	}
	err = ms_session_describe(t->session, &report.arena, &report.target);
	cost->read_bytes = t->session->target->cost.read_bytes;
	cost->gc_cycle = MS_UNKNOWN;
	cost->gc_age_s = NAN;
	ms_session_account(t->session, cost);
	if (!err)
		err = show(t, &report);
	if (!err && report.partial)
		ms_output_say_partial(report.partial_reason);
	*ret_exit = report.partial ? MS_EXIT_PARTIAL : MS_EXIT_DONE;
	ms_trace_report_deinit(&report);
	return err;
}

struct ms_error *ms_cmd_trace(const struct ms_options *o, double started,
			      enum ms_exit_code *ret_exit)
{
	struct ms_session s;
	struct tracing t = { .session = &s, .options = o };
	struct ms_error *err = ms_session_find(&s, o, started);

	if (!err)
		err = ms_session_open(&s);
	if (!err) {
		t.until = ms_clock_now() + o->seconds;
		ms_progress_init(&t.progress, o, started);
		err = run(&t, ret_exit);
		ms_progress_end(&t.progress);
	}
	if (t.has_census)
		ms_census_report_deinit(&t.census);
	ms_session_deinit(&s);
	return err;
}
