// render_all.c - what is written is looked at as far as all forms have something in common: it is
// written to its end, and text has no bytes that steer a terminal.
#include "tests/fuzz/render_all.h"

#include "render/render.h"
#include "tests/fuzz/input.h"

#include <string.h>

static const struct ms_text_style page = { 100, MS_COLOR_OFF, MS_CHARSET_UNICODE };
static const struct ms_text_style narrow = { 40, MS_COLOR_OFF, MS_CHARSET_ASCII };

/** No error, and no control bytes but line ends and, in a table, carriage returns. */
static void text_end(struct ms_sink *sink, struct ms_error *err)
{
	const char *text = ms_sink_text(sink);

	FUZZ_CHECK(fuzz_worked(err) && text);
	for (; *text; text++)
		FUZZ_CHECK((unsigned char)*text >= ' ' || strchr("\n\r\t", *text));
	ms_sink_deinit(sink);
}

typedef struct ms_error *(*census_fn)(const struct ms_census_report *,
				      const struct ms_census_view *, struct ms_sink *);
typedef struct ms_error *(*trace_fn)(const struct ms_trace_report *, struct ms_sink *);
typedef struct ms_error *(*goroutines_fn)(const struct ms_goroutines_report *, struct ms_sink *);

void render_all_census(const struct ms_census_report *report)
{
	static const census_fn forms[] = { ms_render_census_json, ms_render_census_csv };
	struct ms_census_view view = { .top = SIZE_MAX };
	struct ms_sink sink;

	for (size_t i = 0; i < MS_ARRAY_SIZE(forms); i++) {
		ms_sink_init_memory(&sink);
		text_end(&sink, forms[i](report, &view, &sink));
	}
	for (unsigned rows = MS_ROWS_GROUPED; rows <= MS_ROWS_EXPANDED; rows++) {
		view.rows = rows;
		ms_sink_init_memory(&sink);
		text_end(&sink,
			 ms_render_census_text(report, &view, rows ? &narrow : &page, &sink));
	}
}

static void trace_words(const struct ms_trace_report *report, const struct ms_text_style *style)
{
	struct ms_trace_mark mark = { 0 };
	struct ms_sink sink;

	ms_sink_init_memory(&sink);
	text_end(&sink, ms_render_trace_text(report, style, &sink));
	ms_sink_init_memory(&sink);
	text_end(&sink, ms_render_trace_maptrace(report, &mark, &sink));
}

void render_all_trace(const struct ms_trace_report *report)
{
	static const trace_fn forms[] = { ms_render_trace_json, ms_render_trace_csv,
					  ms_render_trace_folded, ms_render_trace_svg,
					  ms_render_trace_chrome };
	struct ms_sink sink;

	for (size_t i = 0; i < MS_ARRAY_SIZE(forms); i++) {
		ms_sink_init_memory(&sink);
		text_end(&sink, forms[i](report, &sink));
	}
	ms_sink_init_memory(&sink);
	FUZZ_CHECK(fuzz_worked(ms_render_trace_pprof(report, &sink)) && sink.size > 0);
	ms_sink_deinit(&sink);
	trace_words(report, &page);
	trace_words(report, &narrow);
}

void render_all_goroutines(const struct ms_goroutines_report *report)
{
	static const goroutines_fn forms[] = { ms_render_goroutines_json, ms_render_goroutines_csv,
					       ms_render_goroutines_folded,
					       ms_render_goroutines_svg };
	struct ms_goroutines_view view = { .top = 20 };
	struct ms_sink sink;

	for (size_t i = 0; i < MS_ARRAY_SIZE(forms); i++) {
		ms_sink_init_memory(&sink);
		text_end(&sink, forms[i](report, &sink));
	}
	for (unsigned i = 0; i < 4; i++) {
		view.stuck = (i & 1) != 0;
		view.expanded = (i & 2) != 0;
		ms_sink_init_memory(&sink);
		text_end(&sink,
			 ms_render_goroutines_text(report, &view, i & 1 ? &narrow : &page, &sink));
	}
}

static void inspect_check(const struct ms_inspect_report *r)
{
	uint64_t units = 0;

	FUZZ_CHECK(!r->is_read || (r->now.fills && r->now.bits && r->now.chains));
	FUZZ_CHECK(r->is_read || r->unread_why);
	FUZZ_CHECK(r->settled || r->unsettled_why);
	FUZZ_CHECK(r->old.moved <= r->old.units);
	for (size_t i = 0; i < MS_INSPECT_FILLS; i++)
		units += r->fills[i];
	FUZZ_CHECK(!r->is_read || units == r->now.units);
	for (size_t i = 0; i < r->invariant_count; i++)
		FUZZ_CHECK(r->invariants[i].state == MS_INVARIANT_HOLDS || r->invariants[i].detail);
}

void render_all_inspect(const struct ms_inspect_report *r)
{
	static const struct ms_text_style style = { .width = 80 };
	static const struct ms_inspect_view view = { .gdb = true, .dlv = true };
	struct ms_sink sink;

	inspect_check(r);
	ms_sink_init_memory(&sink);
	(void)fuzz_worked(ms_render_inspect_text(r, &view, &style, &sink));
	(void)fuzz_worked(ms_render_inspect_json(r, &sink));
	(void)fuzz_worked(ms_render_inspect_svg(r, &sink));
	ms_sink_deinit(&sink);
}
