// cmd_heap.c - `mapscope heap`: where all memory of a process is, maps among the rest.
#include "cli/cmd.h"

#include "cli/output.h"
#include "cli/session.h"
#include "cli/take_census.h"

static struct ms_error *page_text(const void *report, const struct ms_options *o,
				  const struct ms_text_style *style, struct ms_sink *sink)
{
	return ms_render_heap_text(report, &o->view, style, sink);
}

static struct ms_error *page_json(const void *report, const struct ms_options *o,
				  struct ms_sink *sink)
{
	return ms_render_heap_json(report, &o->view, sink);
}

static struct ms_error *page_csv(const void *report, const struct ms_options *o,
				 struct ms_sink *sink)
{
	return ms_render_heap_csv(report, &o->view, sink);
}

struct ms_error *ms_cmd_heap(const struct ms_options *o, double started,
			     enum ms_exit_code *ret_exit)
{
	struct ms_session s;
	struct ms_census_report report;
	struct ms_arena none = { 0 };
	struct ms_error *err = ms_session_find(&s, o, started);

	if (!err)
		err = ms_session_open_go(&s);
	if (!err && s.rt->lacks_spans)
		err = ms_error_new(MS_ERR_UNSUPPORTED,
				   "core file %s: %s, and the runtime's table of spans is among "
				   "them: what its heap holds is in no other place; for the maps "
				   "that variables lead to type: mapscope maps %s",
				   o->core, ms_session_cut_text(&s, &none), o->core);
	if (!err)
		err = ms_take_census(&s, MS_TAKE_MEMORY, &report);
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
		ms_census_report_deinit(&report);
	}
	ms_arena_deinit(&none);
	ms_session_deinit(&s);
	return err;
}
