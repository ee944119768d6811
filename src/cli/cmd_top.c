// cmd_top.c - `mapscope top`: a screen, or one look after the other.
#include "cli/cmd.h"

#include "base/cleanup.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/top_screen.h"

#include <unistd.h>

static struct ms_error *page_text(const void *report, const struct ms_options *o,
				  const struct ms_text_style *style, struct ms_sink *sink)
{
	return ms_render_top_text(report, o->owner ? o->owner : o->type, style, sink);
}

static struct ms_error *page_json(const void *report, const struct ms_options *o,
				  struct ms_sink *sink)
{
	(void)o;
	return ms_render_top_json(report, sink);
}

static struct ms_error *print(const struct ms_top_look *look, const struct ms_live_view *view)
{
	struct ms_top_report report;
	const struct ms_page page = { .text = page_text,
				      .documents = { [MS_FORMAT_JSON] = page_json },
				      .report = &report };
	struct ms_error *err = ms_top_look_report(look, view, &report);

	if (err)
		return err;
	err = ms_output_write(&look->options, &page);
	free(report.rows);
	return err;
}

/** A process that ends meanwhile ends it, and is no error: everything there was has been shown. */
static struct ms_error *batch(struct ms_top_look *look)
{
	const struct ms_options *o = &look->options;
	struct ms_row_filter filter MS_CLEANUP(ms_row_filter_deinit) = { 0 };
	const struct ms_live_view view = { .sort = o->looks.sort,
					   .expanded = o->view.rows == MS_ROWS_EXPANDED,
					   .top = o->view.top,
					   .filter = &filter };
	struct ms_error *err = ms_row_filter_init(&filter, o->owner, o->type);

	for (uint64_t i = 0; !err && !ms_interrupted(); i++) {
		err = ms_top_look_now(look);
		if (!err)
			err = print(look, &view);
		if (!err && look->trouble)
			ms_output_say(look->trouble);
		if (i + 1 == o->looks.count)
			break;
		if (!err)
			ms_interrupt_sleep(ms_clock_now() + look->every_s);
	}
	return err;
}

struct ms_error *ms_cmd_top(const struct ms_options *o, double started, enum ms_exit_code *ret_exit)
{
	bool is_batch = o->looks.batch || o->format != MS_FORMAT_TEXT || o->looks.count;
	struct ms_session s;
	struct ms_top_look look;
	struct ms_error *err;

	if (!is_batch && (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)))
		return ms_error_new(MS_ERR_USAGE, "top needs a terminal; type mapscope top --batch "
						  "PID for one look after the other");
	err = ms_session_find(&s, o, started);
	if (!err)
		err = ms_session_open(&s);
	if (!err) {
		ms_top_look_init(&look, &s);
		err = is_batch ? batch(&look) : ms_top_screen_run(&look);
		ms_top_look_deinit(&look);
		*ret_exit = MS_EXIT_DONE;
	}
	ms_session_deinit(&s);
	return err;
}
