// html_diagnosis.c - the page of `mapscope PID` as one file that needs no network.
//
// The page is the script and the style of web/, bundled when the tool was built, and two documents:
// the diagnosis as --json has it, and what only pictures need.  Names of the target are in these
// documents alone.  In them each "<" is written as an escape, so that no name can end the element
// that it stands in; the script sets text, never markup; and the page's own policy forbids whatever
// is not in it.
#include "render/json.h"
#include "render/page_assets.h"
#include "render/render.h"

#include <math.h>
#include <string.h>

enum { GROWTHS_MAX = 4096, CLUSTERS_MAX = 200, STACKS_MAX = 400 };

#ifdef MS_HAVE_PAGE

static void put_pair(struct ms_json *j, double a, double b)
{
	ms_json_open_array(j);
	ms_json_double(j, a);
	ms_json_double(j, b);
	ms_json_close_array(j);
}

static void put_line(struct ms_json *j, const struct ms_trace_report *t)
{
	ms_json_row(j);
	ms_json_key(j, "growths");
	ms_json_open_array(j);
	for (size_t i = 0; i < t->event_count && i < GROWTHS_MAX; i++)
		put_pair(j, t->events[i].time_s, (double)t->events[i].to_bytes);
	ms_json_close_array(j);
	ms_json_row(j);
	ms_json_key(j, "heap");
	ms_json_open_array(j);
	for (size_t i = 0; i < t->heap_count; i++)
		put_pair(j, t->heap[i].time_s, (double)t->heap[i].live_bytes);
	ms_json_close_array(j);
	ms_json_row(j);
	ms_json_key(j, "marking");
	ms_json_open_array(j);
	for (size_t i = 0; i < t->cycle_count; i++) {
		double start = t->cycles[i].start_s, end = t->cycles[i].end_s;

		if (isfinite(start) && isfinite(end))
			put_pair(j, start, end);
	}
	ms_json_close_array(j);
	ms_json_row(j);
	ms_json_key(j, "waiting");
	ms_json_open_array(j);
	for (size_t i = 0; i < t->waiter_count; i++)
		put_pair(j, t->waiters[i].time_s, (double)t->waiters[i].waiting);
	ms_json_close_array(j);
}

/** "main.(*Cart).Add cart.go:51" */
static void put_call_text(struct ms_json *j, const struct ms_stack_call *call)
{
	const char *slash = call->file ? strrchr(call->file, '/') : NULL;
	struct ms_sink text;

	ms_sink_init_memory(&text);
	ms_sink_puts(&text, call->function);
	if (call->file)
		ms_sink_printf(&text, " %s:%u", slash ? slash + 1 : call->file, call->line);
	if (ms_sink_text(&text))
		ms_json_string(j, ms_sink_text(&text));
	else
		ms_json_null(j);
	ms_sink_deinit(&text);
}

static void put_stacks(struct ms_json *j, const struct ms_trace_report *t)
{
	ms_json_row(j);
	ms_json_key(j, "stacks");
	ms_json_open_array(j);
	for (size_t i = 0; i < t->sum_count && i < STACKS_MAX; i++) {
		const struct ms_growth_sum *sum = &t->sums[i];
		const struct ms_stack *stack;

		if (sum->stack >= t->stacks.count || sum->to_bytes == MS_UNKNOWN)
			continue;
		stack = &t->stacks.items[sum->stack];
		ms_json_row(j);
		ms_json_open_object(j);
		ms_json_put_u64(j, "bytes", sum->to_bytes);
		ms_json_key(j, "calls");
		ms_json_open_array(j);
		for (uint32_t k = ms_stack_own_start(stack); k < stack->count; k++)
			put_call_text(j, &stack->calls[k]);
		ms_json_close_array(j);
		ms_json_close_object(j);
	}
	ms_json_close_array(j);
}

static void put_call_of(struct ms_json *j, const char *key, const struct ms_stack_call *call)
{
	ms_json_key(j, key);
	if (call && call->function)
		put_call_text(j, call);
	else
		ms_json_null(j);
}

static void put_clusters(struct ms_json *j, const struct ms_goroutines_report *g)
{
	ms_json_row(j);
	ms_json_key(j, "clusters");
	ms_json_open_array(j);
	for (size_t i = 0; i < g->cluster_count && i < CLUSTERS_MAX; i++) {
		const struct ms_goroutine_cluster *c = &g->clusters[i];
		const struct ms_wait_place *place =
		    c->place < g->place_count ? &g->places[c->place] : NULL;

		if (c->is_system)
			continue;
		ms_json_row(j);
		ms_json_open_object(j);
		ms_json_put_u64(j, "count", c->count);
		ms_json_put_string(j, "state", c->wait_reason ? c->wait_reason : c->state);
		ms_json_put_string(j, "waits_for", place ? place->name : NULL);
		ms_json_put_double(j, "oldest_s", c->oldest_s);
		put_call_of(j, "where",
			    c->stack < g->stacks.count
				? ms_stack_program_line(&g->stacks.items[c->stack])
				: NULL);
		put_call_of(j, "created_by", &c->created_by);
		ms_json_close_object(j);
	}
	ms_json_close_array(j);
}

static void put_owners(struct ms_json *j, const struct ms_diagnosis_report *r)
{
	ms_json_row(j);
	ms_json_key(j, "owners");
	ms_json_open_array(j);
	for (size_t i = 0; i < r->owner_count; i++) {
		const struct ms_owner_row *row = &r->owners[i];

		ms_json_row(j);
		ms_json_open_object(j);
		ms_json_put_string(j, "owner", row->owner);
		ms_json_put_string(j, "type", row->type);
		ms_json_put_u64(j, "maps", row->maps);
		ms_json_put_u64(j, "entries", row->entries);
		ms_json_put_u64(j, "capacity", row->capacity);
		ms_json_put_u64(j, "total_bytes", row->total_bytes);
		ms_json_put_u64(j, "slack_bytes", row->slack_bytes);
		ms_json_close_object(j);
	}
	ms_json_close_array(j);
}

static struct ms_error *extra_document(const struct ms_diagnosis_report *report,
				       struct ms_sink *sink)
{
	struct ms_json j;
	struct ms_error *err =
	    ms_json_begin(&j, sink, "mapscope.page/1", &report->target, &report->cost);

	if (err)
		return err;
	ms_json_put_string(&j, "no_growths",
			   report->is_traced ? report->trace.no_probes_reason : NULL);
	put_line(&j, &report->trace);
	put_stacks(&j, &report->trace);
	put_clusters(&j, &report->goroutines);
	put_owners(&j, report);
	return ms_json_end(&j);
}

/** "<" occurs in strings alone, where it may be written as an escape. */
static void put_document(struct ms_sink *sink, const char *id, const char *json)
{
	ms_sink_printf(sink, "<script type=\"application/json\" id=\"%s\">", id);
	while (*json) {
		size_t run = strcspn(json, "<");

		ms_sink_write(sink, json, run);
		json += run;
		if (*json == '<') {
			ms_sink_puts(sink, "\\u003c");
			json++;
		}
	}
	ms_sink_puts(sink, "</script>\n");
}

struct ms_error *ms_render_diagnosis_html(const struct ms_diagnosis_report *report,
					  struct ms_sink *sink)
{
	struct ms_sink document, extra;
	struct ms_error *err;

	ms_sink_init_memory(&document);
	ms_sink_init_memory(&extra);
	err = ms_render_diagnosis_json(report, &document);
	if (!err)
		err = extra_document(report, &extra);
	if (!err && (!ms_sink_text(&document) || !ms_sink_text(&extra)))
		err = ms_error_no_memory();
	if (!err) {
		ms_sink_puts(sink, "<!doctype html>\n<html lang=\"en\">\n<head>\n"
				   "<meta charset=\"utf-8\">\n"
				   "<meta name=\"viewport\" content=\"width=device-width, "
				   "initial-scale=1\">\n"
				   "<meta http-equiv=\"Content-Security-Policy\" content=\""
				   "default-src 'none'; style-src 'unsafe-inline'; "
				   "script-src 'unsafe-inline'; img-src data:\">\n"
				   "<title>mapscope</title>\n<style>");
		ms_sink_write(sink, ms_page_css, ms_page_css_size);
		ms_sink_puts(sink, "</style>\n</head>\n<body>\n<p>This page needs a browser that "
				   "runs scripts.</p>\n");
		put_document(sink, "report", ms_sink_text(&document));
		put_document(sink, "extra", ms_sink_text(&extra));
		ms_sink_puts(sink, "<script>");
		ms_sink_write(sink, ms_page_js, ms_page_js_size);
		ms_sink_puts(sink, "</script>\n</body>\n</html>\n");
		err = ms_sink_finish(sink);
	}
	ms_sink_deinit(&document);
	ms_sink_deinit(&extra);
	return err;
}

#else

struct ms_error *ms_render_diagnosis_html(const struct ms_diagnosis_report *report,
					  struct ms_sink *sink)
{
	(void)report;
	(void)sink;
	return ms_error_new(
	    MS_ERR_UNSUPPORTED,
	    "this mapscope was built without npm and has no page for .html: install "
	    "npm and build it again, or use -o FILE.json");
}

#endif
