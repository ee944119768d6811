// render.h - reports as pages, documents and tables.
//
// A renderer reads a finished report and writes to a sink; it never looks at a target, a clock or
// a terminal.  Strings in a report come from a target and are hostile: text pages escape control
// bytes and terminal sequences, JSON and CSV replace what is not UTF-8.  No renderer has anything
// of a key or a value to print: a report holds types, counts and addresses.
//
// Every function ends with ms_sink_finish: its error is IO when the output could not be written,
// NO_MEMORY, or NULL.
//
// To add a format: 1. one file here per report, over the same sink; 2. its prototypes below;
// 3. a case in tests/unit/render_*_test.c with its goldens in tests/golden/render/.
#pragma once

#include "render/sink.h"
#include "report/census.h"
#include "report/crash.h"
#include "report/diagnosis.h"
#include "report/diff.h"
#include "report/doctor.h"
#include "report/goroutine_rows.h"
#include "report/growth_trace.h"
#include "report/inspect.h"
#include "report/run.h"
#include "report/top.h"

enum ms_color {
	MS_COLOR_OFF,
	MS_COLOR_ON,
};

enum ms_charset {
	MS_CHARSET_UNICODE,
	MS_CHARSET_ASCII, // Everything else is escaped.
};

struct ms_text_style {
	unsigned width; // Columns to stay within, 0 for no limit.
	enum ms_color color;
	enum ms_charset charset;
};

MS_MUST_USE struct ms_error *ms_render_census_text(const struct ms_census_report *report,
						   const struct ms_census_view *view,
						   const struct ms_text_style *style,
						   struct ms_sink *sink);
/** One look of top, for a log; @p filter as it was typed, or NULL. */
MS_MUST_USE struct ms_error *ms_render_top_text(const struct ms_top_report *report,
						const char *filter,
						const struct ms_text_style *style,
						struct ms_sink *sink);
MS_MUST_USE struct ms_error *ms_render_top_json(const struct ms_top_report *report,
						struct ms_sink *sink);
/** What a core file says of its end, and its census. */
MS_MUST_USE struct ms_error *ms_render_crash_text(const struct ms_crash_report *report,
						  const struct ms_census_view *view,
						  const struct ms_text_style *style,
						  struct ms_sink *sink);
MS_MUST_USE struct ms_error *ms_render_crash_json(const struct ms_crash_report *report,
						  const struct ms_census_view *view,
						  struct ms_sink *sink);
MS_MUST_USE struct ms_error *ms_render_diagnosis_text(const struct ms_diagnosis_report *report,
						      const struct ms_text_style *style,
						      struct ms_sink *sink);
MS_MUST_USE struct ms_error *ms_render_doctor_text(const struct ms_doctor_report *report,
						   const struct ms_text_style *style,
						   struct ms_sink *sink);
MS_MUST_USE struct ms_error *ms_render_heap_text(const struct ms_census_report *report,
						 const struct ms_census_view *view,
						 const struct ms_text_style *style,
						 struct ms_sink *sink);
/** Rows that are the same in both are shown only where all were asked for. */
MS_MUST_USE struct ms_error *ms_render_diff_text(const struct ms_diff_report *report,
						 const struct ms_census_view *view,
						 const struct ms_text_style *style,
						 struct ms_sink *sink);
/** One line, without an end: what grew most, of a diff of censuses @p apart_s from each other. */
MS_MUST_USE struct ms_error *ms_render_growth_line(const struct ms_diff_report *report,
						   double apart_s, struct ms_sink *sink);
MS_MUST_USE struct ms_error *ms_render_run_text(const struct ms_run_report *report,
						const struct ms_census_view *view,
						const struct ms_text_style *style,
						struct ms_sink *sink);
MS_MUST_USE struct ms_error *ms_render_goroutines_text(const struct ms_goroutines_report *report,
						       const struct ms_goroutines_view *view,
						       const struct ms_text_style *style,
						       struct ms_sink *sink);

MS_MUST_USE struct ms_error *ms_render_inspect_text(const struct ms_inspect_report *report,
						    const struct ms_inspect_view *view,
						    const struct ms_text_style *style,
						    struct ms_sink *sink);

/** "mapscope.census/1": streamed row by row. */
MS_MUST_USE struct ms_error *ms_render_census_json(const struct ms_census_report *report,
						   const struct ms_census_view *view,
						   struct ms_sink *sink);
/** "mapscope.diagnosis/1" */
MS_MUST_USE struct ms_error *ms_render_diagnosis_json(const struct ms_diagnosis_report *report,
						      struct ms_sink *sink);
/** "mapscope.doctor/1" */
MS_MUST_USE struct ms_error *ms_render_doctor_json(const struct ms_doctor_report *report,
						   struct ms_sink *sink);
/** "mapscope.heap/1": of a census that measured memory as well. */
MS_MUST_USE struct ms_error *ms_render_heap_json(const struct ms_census_report *report,
						 const struct ms_census_view *view,
						 struct ms_sink *sink);
/** "mapscope.inspect/1" */
MS_MUST_USE struct ms_error *ms_render_inspect_json(const struct ms_inspect_report *report,
						    struct ms_sink *sink);

/** "mapscope.diff/1" */
MS_MUST_USE struct ms_error *ms_render_diff_json(const struct ms_diff_report *report,
						 const struct ms_census_view *view,
						 struct ms_sink *sink);
/** "mapscope.run/1" */
MS_MUST_USE struct ms_error *ms_render_run_json(const struct ms_run_report *report,
						const struct ms_census_view *view,
						struct ms_sink *sink);
/** "mapscope.goroutines/1": all of them, whatever a page shows. */
MS_MUST_USE struct ms_error *ms_render_goroutines_json(const struct ms_goroutines_report *report,
						       struct ms_sink *sink);
/** "mapscope.trace/1" */
MS_MUST_USE struct ms_error *ms_render_trace_json(const struct ms_trace_report *report,
						  struct ms_sink *sink);

/** RFC 4180 with a header line; the columns are the fields of a row in the JSON document. */
MS_MUST_USE struct ms_error *ms_render_census_csv(const struct ms_census_report *report,
						  const struct ms_census_view *view,
						  struct ms_sink *sink);
MS_MUST_USE struct ms_error *ms_render_diagnosis_csv(const struct ms_diagnosis_report *report,
						     struct ms_sink *sink);
/** A row for each size class. */
MS_MUST_USE struct ms_error *ms_render_heap_csv(const struct ms_census_report *report,
						const struct ms_census_view *view,
						struct ms_sink *sink);
MS_MUST_USE struct ms_error *ms_render_diff_csv(const struct ms_diff_report *report,
						const struct ms_census_view *view,
						struct ms_sink *sink);
MS_MUST_USE struct ms_error *ms_render_run_csv(const struct ms_run_report *report,
					       const struct ms_census_view *view,
					       struct ms_sink *sink);
/** A row for each goroutine. */
MS_MUST_USE struct ms_error *ms_render_goroutines_csv(const struct ms_goroutines_report *report,
						      struct ms_sink *sink);
/** A row for each growth. */
MS_MUST_USE struct ms_error *ms_render_trace_csv(const struct ms_trace_report *report,
						 struct ms_sink *sink);

/** What of a trace has been written; zeros at first. */
struct ms_trace_mark {
	size_t events, creations, migrations, cycles;
};

/** Whether a collection that ended since @p mark has a line of the runtime's own. */
bool ms_trace_mark_has_gc_lines(const struct ms_trace_mark *mark,
				const struct ms_trace_report *report);

/** A line for each event that came since @p mark, which is moved on. */
MS_MUST_USE struct ms_error *ms_render_trace_text_events(const struct ms_trace_report *report,
							 struct ms_trace_mark *mark,
							 const struct ms_text_style *style,
							 struct ms_sink *sink);
/** What the events add up to. */
MS_MUST_USE struct ms_error *ms_render_trace_text_summary(const struct ms_trace_report *report,
							  const struct ms_text_style *style,
							  struct ms_sink *sink);
/** Both. */
MS_MUST_USE struct ms_error *ms_render_trace_text(const struct ms_trace_report *report,
						  const struct ms_text_style *style,
						  struct ms_sink *sink);

/**
 * A line in fixed words for each creation, growth and migration that came since @p mark, which is
 * moved on, by time.
 */
MS_MUST_USE struct ms_error *ms_render_trace_maptrace(const struct ms_trace_report *report,
						      struct ms_trace_mark *mark,
						      struct ms_sink *sink);

/** The table of one map as a heat map. */
MS_MUST_USE struct ms_error *ms_render_inspect_svg(const struct ms_inspect_report *report,
						   struct ms_sink *sink);

/** A line for each stack, as flame graph tools read it: "main.main;main.fill 12". */
MS_MUST_USE struct ms_error *ms_render_trace_folded(const struct ms_trace_report *report,
						    struct ms_sink *sink);
MS_MUST_USE struct ms_error *ms_render_goroutines_folded(const struct ms_goroutines_report *report,
							 struct ms_sink *sink);

/** A flame graph. */
MS_MUST_USE struct ms_error *ms_render_trace_svg(const struct ms_trace_report *report,
						 struct ms_sink *sink);
MS_MUST_USE struct ms_error *ms_render_goroutines_svg(const struct ms_goroutines_report *report,
						      struct ms_sink *sink);

/** Chrome trace events. */
MS_MUST_USE struct ms_error *ms_render_trace_chrome(const struct ms_trace_report *report,
						    struct ms_sink *sink);

/** What maps hold, as a gzipped profile.proto: the owner's path is the stack. */
MS_MUST_USE struct ms_error *ms_render_owners_pprof(const struct ms_report_target *target,
						    const struct ms_owner_row *rows, size_t count,
						    const char *partial_reason,
						    struct ms_sink *sink);

/** One file with script and style; UNSUPPORTED in a build without them. */
MS_MUST_USE struct ms_error *ms_render_diagnosis_html(const struct ms_diagnosis_report *report,
						      struct ms_sink *sink);

/** A gzipped profile.proto for `go tool pprof`: growths and allocated bytes by stack. */
MS_MUST_USE struct ms_error *ms_render_trace_pprof(const struct ms_trace_report *report,
						   struct ms_sink *sink);
