// Goal: pages, documents and tables look as they were last reviewed.
// Method: render fixed reports and compare with tests/golden/render/; every page also at 80
// columns, where no line but the last may be longer, and every output searched for raw control
// bytes.  MS_ACCEPT=1 rewrites the files.
#include "base/cleanup.h"
#include "render/render.h"
#include "tests/support/golden.h"
#include "tests/support/goroutine_reports.h"
#include "tests/support/reports.h"
#include "tests/support/test.h"
#include "tests/support/trace_reports.h"

#include <stdio.h>

static const struct ms_text_style narrow = { .width = 80 };
static const struct ms_text_style wide = { .width = 0 };
static const struct ms_text_style ascii = { .width = 80, .charset = MS_CHARSET_ASCII };
static const struct ms_text_style colored = { .width = 80, .color = MS_COLOR_ON };
static const struct ms_census_view by_bytes = { .top = 20 };

enum allowed {
	ALLOW_LF = 1,
	ALLOW_ESC = 2,
	ALLOW_CSV = 4, // Carriage return and tab.
};

static void check_no_control(const char *text, unsigned allowed)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '\n')
			CHECK(allowed & ALLOW_LF);
		else if (c == 0x1b)
			CHECK(allowed & ALLOW_ESC);
		else if (c == '\r' || c == '\t')
			CHECK(allowed & ALLOW_CSV);
		else
			CHECK(c >= 0x20 && c != 0x7f &&
			      (c != 0xc2 || (unsigned char)text[1] >= 0xa0));
	}
}

/** No line of a page is wider than @p width but the last, and the runtime's own of a collection. */
static void check_width(const char *text, size_t width)
{
	while (*text) {
		const char *end = strchr(text, '\n');
		size_t columns = 0;

		CHECK(end != NULL);
		for (const char *p = text; p < end; p++)
			columns += ((unsigned char)*p & 0xc0) != 0x80;
		if (end[1] && strncmp(text, "gc ", 3) != 0)
			CHECK(columns <= width);
		text = end + 1;
	}
}

static const char *last_line(const char *text)
{
	const char *line = text;

	for (const char *p = text; *p; p++) {
		if (*p == '\n' && p[1])
			line = p + 1;
	}
	return line;
}

static void golden(struct ms_sink *sink, const char *name)
{
	MS_AUTO_FREE char *path = NULL;

	CHECK(asprintf(&path, "render/%s", name) > 0);
	CHECK_GOLDEN(ms_sink_text(sink), sink->size, path);
}

static void page(struct ms_sink *sink, const struct ms_text_style *style, const char *name)
{
	bool colors = style->color == MS_COLOR_ON;

	golden(sink, name);
	check_no_control(ms_sink_text(sink), colors ? ALLOW_LF | ALLOW_ESC : ALLOW_LF);
	if (style->width && !colors)
		check_width(ms_sink_text(sink), style->width);
	ms_sink_deinit(sink);
}

static void document(struct ms_sink *sink, const char *name)
{
	golden(sink, name);
	check_no_control(ms_sink_text(sink), ALLOW_LF);
	ms_sink_deinit(sink);
}

static void csv_file(struct ms_sink *sink, const char *name)
{
	golden(sink, name);
	check_no_control(ms_sink_text(sink), ALLOW_LF | ALLOW_CSV);
	ms_sink_deinit(sink);
}

static void census_page(struct ms_census_report report, const struct ms_census_view *view,
			const struct ms_text_style *style, const char *name)
{
	struct ms_sink sink;

	CHECK_OK(ms_census_sum_owners(&report));
	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_census_text(&report, view, style, &sink));
	page(&sink, style, name);
	free(report.owners);
}

static void diagnosis_page(struct ms_diagnosis_report report, const struct ms_text_style *style,
			   const char *name)
{
	struct ms_sink sink;

	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_diagnosis_text(&report, style, &sink));
	page(&sink, style, name);
}

static void doctor_page(struct ms_doctor_report report, const struct ms_text_style *style,
			const char *name)
{
	struct ms_sink sink;

	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_doctor_text(&report, style, &sink));
	page(&sink, style, name);
}

static void heap_page(struct ms_census_report report, const struct ms_census_view *view,
		      const struct ms_text_style *style, const char *name)
{
	struct ms_sink sink;

	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_heap_text(&report, view, style, &sink));
	page(&sink, style, name);
}

MS_TEST(render_heap_pages)
{
	const struct ms_census_view two = { .top = 2 };

	heap_page(ms_census_example_classic(), &by_bytes, &wide, "heap_classic_wide.txt");
	heap_page(ms_census_example_classic(), &two, &narrow, "heap_classic_two.txt");
	heap_page(ms_heap_example_others(), &by_bytes, &colored, "heap_others_color.txt");
	heap_page(ms_heap_example_hostile(), &by_bytes, &ascii, "heap_hostile.txt");
}

MS_TEST(render_census_pages)
{
	const struct ms_census_view all = { .top = SIZE_MAX,
					    .sort = MS_SORT_LOAD,
					    .rows = MS_ROWS_EXPANDED };
	const struct ms_census_view two = { .top = 2, .sort = MS_SORT_ENTRIES };
	const struct ms_census_view expanded = { .top = 5, .rows = MS_ROWS_EXPANDED };
	const struct ms_census_view by_maps = { .top = SIZE_MAX, .sort = MS_SORT_MAPS };

	census_page(ms_census_example_classic(), &by_bytes, &narrow, "census_classic.txt");
	census_page(ms_census_example_classic(), &all, &wide, "census_classic_all_wide.txt");
	census_page(ms_census_example_classic(), &two, &colored, "census_classic_two_color.txt");
	census_page(ms_census_example_swiss(), &by_bytes, &narrow, "census_swiss.txt");
	census_page(ms_census_example_fleet(), &by_bytes, &narrow, "census_fleet.txt");
	census_page(ms_census_example_fleet(), &by_maps, &wide, "census_fleet_maps_wide.txt");
	census_page(ms_census_example_fleet(), &expanded, &narrow, "census_fleet_expanded.txt");
	census_page(ms_census_example_unknown(), &by_bytes, &narrow, "census_unknown.txt");
	census_page(ms_census_example_empty(), &by_bytes, &narrow, "census_empty.txt");
	census_page(ms_census_example_hostile(), &by_bytes, &wide, "census_hostile_wide.txt");
	census_page(ms_census_example_hostile(), &by_bytes, &ascii, "census_hostile_ascii.txt");
	census_page(ms_census_example_partial(), &by_bytes, &narrow, "census_partial.txt");
}

MS_TEST(render_census_filtered)
{
	struct ms_census_report report = ms_census_example_fleet();
	struct ms_row_filter filter;
	const struct ms_census_view view = { .top = 2, .filter = &filter };
	struct ms_sink sink;

	CHECK_OK(ms_row_filter_init(&filter, "session\\.", "int$"));
	census_page(report, &view, &narrow, "census_filtered.txt");
	ms_sink_init_memory(&sink);
	CHECK_OK(ms_census_sum_owners(&report));
	CHECK_OK(ms_render_census_json(&report, &view, &sink));
	document(&sink, "census_filtered.json");
	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_census_csv(&report, &view, &sink));
	csv_file(&sink, "census_filtered.csv");
	free(report.owners);
	ms_row_filter_deinit(&filter);
}

MS_TEST(render_diagnosis_pages)
{
	diagnosis_page(ms_diagnosis_example_growing(), &narrow, "diagnosis_growing.txt");
	diagnosis_page(ms_diagnosis_example_kinds(), &narrow, "diagnosis_kinds.txt");
	diagnosis_page(ms_diagnosis_example_growing(), &colored, "diagnosis_growing_color.txt");
	diagnosis_page(ms_diagnosis_example_swiss(), &narrow, "diagnosis_swiss.txt");
	diagnosis_page(ms_diagnosis_example_quiet(), &narrow, "diagnosis_quiet.txt");
	diagnosis_page(ms_diagnosis_example_partial(), &narrow, "diagnosis_partial.txt");
	diagnosis_page(ms_diagnosis_example_hostile(), &ascii, "diagnosis_hostile.txt");
}

MS_TEST(render_doctor_pages)
{
	doctor_page(ms_doctor_example_good(), &narrow, "doctor_good.txt");
	doctor_page(ms_doctor_example_c(), &narrow, "doctor_c.txt");
	doctor_page(ms_doctor_example_refused(), &ascii, "doctor_refused.txt");
}

MS_TEST(render_pages_end_with_the_cost)
{
	struct ms_census_report report = ms_census_example_classic();
	struct ms_sink sink;

	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_census_text(&report, &by_bytes, &narrow, &sink));
	CHECK_STR(last_line(ms_sink_text(&sink)),
		  "read 3.1 GB in 0.4 s, stopped 0 times, own memory 96 MB, "
		  "0 probes placed and removed\n");
	ms_sink_deinit(&sink);
}

static void census_files(struct ms_census_report report, const char *json, const char *csv)
{
	const struct ms_census_view all = { .top = SIZE_MAX };
	struct ms_sink sink;

	CHECK_OK(ms_census_sum_owners(&report));
	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_census_json(&report, &all, &sink));
	document(&sink, json);
	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_census_csv(&report, &all, &sink));
	csv_file(&sink, csv);
	free(report.owners);
}

MS_TEST(render_census_documents)
{
	census_files(ms_census_example_classic(), "census_classic.json", "census_classic.csv");
	census_files(ms_census_example_swiss(), "census_swiss.json", "census_swiss.csv");
	census_files(ms_census_example_unknown(), "census_unknown.json", "census_unknown.csv");
	census_files(ms_census_example_empty(), "census_empty.json", "census_empty.csv");
	census_files(ms_census_example_hostile(), "census_hostile.json", "census_hostile.csv");
	census_files(ms_census_example_partial(), "census_partial.json", "census_partial.csv");
}

/** What died of a map: a census and goroutines that are examples of other pages. */
static struct ms_crash_report crash_example(struct ms_census_report *census,
					    struct ms_goroutines_report *goroutines, bool is_known)
{
	*census = ms_census_example_classic();
	*goroutines = ms_goroutines_example_busy();
	census->target.core = "/cores/core.4711";
	return (struct ms_crash_report){
		.target = census->target,
		.cost = census->cost,
		.signal = "ABRT",
		.thread = 4713,
		.threads = 9,
		.error = is_known ? MS_CRASH_WRITES : MS_CRASH_ITERATION_AND_WRITE,
		.goroutine = goroutines->rows[0].id,
		.stack = goroutines->rows[0].stack,
		.role = is_known ? MS_ROLE_WRITES : MS_ROLE_NONE,
		.map = is_known ? &census->maps[0] : NULL,
		.map_address = is_known ? census->maps[0].address : 0,
		.map_source = is_known ? MS_CRASH_MAP_CALLER : MS_CRASH_MAP_UNKNOWN,
		.map_type = is_known ? census->maps[0].type : NULL,
		.candidates = { { &census->maps[0], true }, { &census->maps[1], true } },
		.candidate_count = is_known ? 0 : 2,
		.more_candidates = is_known ? 0 : 1,
		.users = { { .goroutine = goroutines->rows[1].id,
			     .state = goroutines->rows[1].state,
			     .stack = goroutines->rows[1].stack,
			     .role = MS_ROLE_GROWS,
			     .how = is_known ? MS_SECOND_IN_MAP_CODE : MS_SECOND_CAN_WRITE } },
		.user_count = is_known,
		.more_users = is_known,
		.missing_bytes = is_known ? 0 : 33 << 20,
		.file_bytes = 100 << 20,
		.exe_is = is_known ? NULL : "the program's file is not here",
		.census = census,
		.goroutines = goroutines,
		.partial = !is_known,
		.partial_reason = is_known ? NULL : "the core file is cut off",
	};
}

static void crash_page(bool is_known, const struct ms_text_style *style, const char *name)
{
	struct ms_goroutines_report goroutines;
	struct ms_census_report census;
	struct ms_crash_report r = crash_example(&census, &goroutines, is_known);
	struct ms_sink sink;

	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_crash_text(&r, &by_bytes, style, &sink));
	page(&sink, style, name);
}

MS_TEST(render_crash_pages)
{
	struct ms_goroutines_report goroutines;
	struct ms_census_report census;
	struct ms_crash_report r = crash_example(&census, &goroutines, true);
	struct ms_sink sink;

	crash_page(true, &wide, "crash_known.txt");
	crash_page(false, &narrow, "crash_unknown.txt");
	crash_page(true, &colored, "crash_color.txt");
	r.error = MS_CRASH_OTHER;
	r.ended_by = MS_ENDED_FATAL;
	r.words = "runtime: out of memory";
	r.role = MS_ROLE_GROWS;
	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_crash_text(&r, &by_bytes, &wide, &sink));
	page(&sink, &wide, "crash_memory.txt");
	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_crash_json(&r, &by_bytes, &sink));
	document(&sink, "crash_memory.json");
	r.error = MS_CRASH_NONE;
	r.ended_by = MS_ENDED_PANIC;
	r.words = NULL;
	r.raised_in = "main.(*cache).must";
	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_crash_text(&r, &by_bytes, &narrow, &sink));
	page(&sink, &narrow, "crash_panic.txt");
	r.ended_by = MS_ENDED_UNKNOWN;
	r.raised_in = NULL;
	r.role = MS_ROLE_NONE;
	r.map_type = NULL;
	r.signal = NULL;
	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_crash_text(&r, &by_bytes, &wide, &sink));
	page(&sink, &wide, "crash_alive.txt");
	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_crash_json(&r, &by_bytes, &sink));
	document(&sink, "crash_alive.json");
}

static void heap_files(struct ms_census_report report, const char *json, const char *csv)
{
	const struct ms_census_view all = { .top = SIZE_MAX };
	struct ms_sink sink;

	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_heap_json(&report, &all, &sink));
	document(&sink, json);
	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_heap_csv(&report, &all, &sink));
	csv_file(&sink, csv);
}

MS_TEST(render_heap_documents)
{
	heap_files(ms_census_example_classic(), "heap_classic.json", "heap_classic.csv");
	heap_files(ms_heap_example_hostile(), "heap_hostile.json", "heap_hostile.csv");
}

static void diagnosis_files(struct ms_diagnosis_report report, const char *json, const char *csv)
{
	struct ms_sink sink;

	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_diagnosis_json(&report, &sink));
	document(&sink, json);
	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_diagnosis_csv(&report, &sink));
	csv_file(&sink, csv);
}

/** How often @p word is in @p text. */
static size_t occurrences(const char *text, const char *word)
{
	size_t count = 0;

	for (; (text = strstr(text, word)); text += strlen(word))
		count++;
	return count;
}

/** A page for a browser; written to a file for tests/web where the environment says so. */
static void html_page(struct ms_diagnosis_report report, const char *name)
{
	const char *folder = getenv("MS_PAGES");
	MS_AUTO_ERROR struct ms_error *err = NULL;
	struct ms_sink sink;

	ms_sink_init_memory(&sink);
	err = ms_render_diagnosis_html(&report, &sink);
	if (err) { // A build without npm.
		CHECK_EQ(ms_error_code(err), MS_ERR_UNSUPPORTED);
		ms_sink_deinit(&sink);
		return;
	}
	CHECK(ms_sink_text(&sink) != NULL);
	CHECK_EQ(occurrences(ms_sink_text(&sink), "</script>"), 3);
	CHECK_EQ(occurrences(ms_sink_text(&sink), "<!--"), 0);
	if (folder) {
		MS_AUTO_FREE char *path = NULL;
		FILE *f;

		CHECK(asprintf(&path, "%s/%s", folder, name) > 0);
		f = fopen(path, "w");
		CHECK(f != NULL);
		CHECK(fputs(ms_sink_text(&sink), f) >= 0);
		CHECK_EQ(fclose(f), 0);
	}
	ms_sink_deinit(&sink);
}

MS_TEST(render_html_pages)
{
	html_page(ms_diagnosis_example_growing(), "growing.html");
	html_page(ms_diagnosis_example_kinds(), "kinds.html");
	html_page(ms_diagnosis_example_quiet(), "quiet.html");
	html_page(ms_diagnosis_example_partial(), "partial.html");
	html_page(ms_diagnosis_example_hostile(), "hostile.html");
}

MS_TEST(render_diagnosis_documents)
{
	diagnosis_files(ms_diagnosis_example_growing(), "diagnosis_growing.json",
			"diagnosis_growing.csv");
	diagnosis_files(ms_diagnosis_example_partial(), "diagnosis_partial.json",
			"diagnosis_partial.csv");
	diagnosis_files(ms_diagnosis_example_hostile(), "diagnosis_hostile.json",
			"diagnosis_hostile.csv");
}

static void doctor_file(struct ms_doctor_report report, const char *json)
{
	struct ms_sink sink;

	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_doctor_json(&report, &sink));
	document(&sink, json);
}

MS_TEST(render_doctor_documents)
{
	doctor_file(ms_doctor_example_good(), "doctor_good.json");
	doctor_file(ms_doctor_example_c(), "doctor_c.json");
	doctor_file(ms_doctor_example_refused(), "doctor_refused.json");
}

MS_TEST(render_growth_line)
{
	const struct ms_diff_report report = ms_diff_example(), none = { 0 };
	struct ms_sink sink;

	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_growth_line(&report, 720, &sink));
	ms_sink_puts(&sink, "\n");
	CHECK_OK(ms_render_growth_line(&none, 5.4, &sink));
	ms_sink_puts(&sink, "\n");
	page(&sink, &wide, "growth_line.txt");
}

MS_TEST(render_diff)
{
	const struct ms_census_view everything = { .top = SIZE_MAX };
	const struct ms_diff_report report = ms_diff_example();
	struct ms_sink sink;

	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_diff_text(&report, &by_bytes, &narrow, &sink));
	page(&sink, &narrow, "diff.txt");
	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_diff_text(&report, &everything, &wide, &sink));
	page(&sink, &wide, "diff_all_wide.txt");
	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_diff_json(&report, &everything, &sink));
	document(&sink, "diff.json");
	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_diff_csv(&report, &everything, &sink));
	csv_file(&sink, "diff.csv");
}

static void run_page(struct ms_run_report report, const struct ms_text_style *style,
		     const char *name)
{
	struct ms_sink sink;

	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_run_text(&report, &by_bytes, style, &sink));
	page(&sink, style, name);
}

MS_TEST(render_run)
{
	const struct ms_run_report report = ms_run_example();
	struct ms_sink sink;

	run_page(report, &narrow, "run.txt");
	run_page(report, &wide, "run_wide.txt");
	run_page(ms_run_example_nothing(), &narrow, "run_nothing.txt");
	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_run_json(&report, &by_bytes, &sink));
	document(&sink, "run.json");
	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_run_csv(&report, &by_bytes, &sink));
	csv_file(&sink, "run.csv");
}

/** The same trace in each form. */
static void trace_files(struct ms_trace_report report, const char *name)
{
	MS_AUTO_FREE char *json = NULL, *csv = NULL, *lines = NULL, *folded = NULL, *svg = NULL,
			  *chrome = NULL;
	struct ms_trace_mark mark = { 0 };
	struct ms_sink sink;

	CHECK(asprintf(&json, "trace_%s.json", name) > 0);
	CHECK(asprintf(&csv, "trace_%s.csv", name) > 0);
	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_trace_json(&report, &sink));
	document(&sink, json);
	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_trace_csv(&report, &sink));
	csv_file(&sink, csv);
	CHECK(asprintf(&lines, "trace_%s.maptrace", name) > 0);
	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_trace_maptrace(&report, &mark, &sink));
	document(&sink, lines);
	CHECK(asprintf(&folded, "trace_%s.folded", name) > 0);
	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_trace_folded(&report, &sink));
	document(&sink, folded);
	CHECK(asprintf(&svg, "trace_%s.svg", name) > 0);
	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_trace_svg(&report, &sink));
	document(&sink, svg);
	CHECK(asprintf(&chrome, "trace_%s.chrome.json", name) > 0);
	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_trace_chrome(&report, &sink));
	document(&sink, chrome);
}

MS_TEST(render_trace_documents)
{
	trace_files(ms_trace_example_classic(), "classic");
	trace_files(ms_trace_example_swiss(), "swiss");
	trace_files(ms_trace_example_polled(), "polled");
	trace_files(ms_trace_example_empty(), "empty");
	trace_files(ms_trace_example_hostile(), "hostile");
}

static void goroutines_page(struct ms_goroutines_report report,
			    const struct ms_goroutines_view *view,
			    const struct ms_text_style *style, const char *name)
{
	struct ms_sink sink;

	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_goroutines_text(&report, view, style, &sink));
	page(&sink, style, name);
}

MS_TEST(render_goroutines_pages)
{
	const struct ms_goroutines_view some = { .top = 20 }, two = { .top = 2 };
	const struct ms_goroutines_view all = { .top = SIZE_MAX };
	const struct ms_goroutines_view stuck = { .top = 20, .stuck = true };
	const struct ms_goroutines_view rows = { .top = 4, .expanded = true };
	const struct ms_goroutines_view stuck_rows = { 20, true, true };

	goroutines_page(ms_goroutines_example_busy(), &some, &narrow, "goroutines_busy.txt");
	goroutines_page(ms_goroutines_example_busy(), &two, &colored,
			"goroutines_busy_two_color.txt");
	goroutines_page(ms_goroutines_example_busy(), &all, &wide, "goroutines_busy_all_wide.txt");
	goroutines_page(ms_goroutines_example_busy(), &stuck, &wide, "goroutines_stuck_wide.txt");
	goroutines_page(ms_goroutines_example_busy(), &rows, &wide, "goroutines_rows_wide.txt");
	goroutines_page(ms_goroutines_example_busy(), &stuck_rows, &wide,
			"goroutines_stuck_rows_wide.txt");
	goroutines_page(ms_goroutines_example_unknown(), &some, &narrow, "goroutines_unknown.txt");
	goroutines_page(ms_goroutines_example_unknown(), &stuck, &narrow,
			"goroutines_unknown_stuck.txt");
	goroutines_page(ms_goroutines_example_empty(), &some, &narrow, "goroutines_empty.txt");
	goroutines_page(ms_goroutines_example_hostile(), &some, &narrow, "goroutines_hostile.txt");
	goroutines_page(ms_goroutines_example_hostile(), &rows, &ascii,
			"goroutines_hostile_rows_ascii.txt");
}

/** The same report in each other form. */
static void goroutines_files(struct ms_goroutines_report report, const char *name)
{
	MS_AUTO_FREE char *json = NULL, *csv = NULL, *folded = NULL, *svg = NULL;
	struct ms_sink sink;

	CHECK(asprintf(&json, "goroutines_%s.json", name) > 0);
	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_goroutines_json(&report, &sink));
	document(&sink, json);
	CHECK(asprintf(&csv, "goroutines_%s.csv", name) > 0);
	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_goroutines_csv(&report, &sink));
	csv_file(&sink, csv);
	CHECK(asprintf(&folded, "goroutines_%s.folded", name) > 0);
	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_goroutines_folded(&report, &sink));
	document(&sink, folded);
	CHECK(asprintf(&svg, "goroutines_%s.svg", name) > 0);
	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_goroutines_svg(&report, &sink));
	document(&sink, svg);
}

MS_TEST(render_goroutines_documents)
{
	goroutines_files(ms_goroutines_example_busy(), "busy");
	goroutines_files(ms_goroutines_example_unknown(), "unknown");
	goroutines_files(ms_goroutines_example_empty(), "empty");
	goroutines_files(ms_goroutines_example_hostile(), "hostile");
}

static void trace_page(struct ms_trace_report report, const struct ms_text_style *style,
		       const char *name)
{
	struct ms_sink sink;

	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_trace_text(&report, style, &sink));
	page(&sink, style, name);
}

MS_TEST(render_trace_pages)
{
	trace_page(ms_trace_example_classic(), &narrow, "trace_classic.txt");
	trace_page(ms_trace_example_classic(), &wide, "trace_classic_wide.txt");
	trace_page(ms_trace_example_swiss(), &colored, "trace_swiss_color.txt");
	trace_page(ms_trace_example_polled(), &narrow, "trace_polled.txt");
	trace_page(ms_trace_example_empty(), &narrow, "trace_empty.txt");
	trace_page(ms_trace_example_hostile(), &ascii, "trace_hostile_ascii.txt");
}
