// json.h - a yajl generator over a sink, and the parts every document has.
//
// Values go out as they come; nothing but the nesting is held in memory.  Each member of the
// document and each row of a long list starts on a line of its own (ms_json_row), so that a
// document of a million rows can be read with line tools and compared with diff.
#pragma once

#include "render/render.h"
#include "report/call_stacks.h"

#include <yajl/yajl_gen.h>

struct ms_json {
	yajl_gen gen;
	struct ms_sink *sink;
	struct ms_sink scratch; // A string with its invalid bytes replaced.
	bool row_due;
	bool unsafe; // The string going out holds characters that yajl does not escape.
};

/** A generator over @p sink, for a document whose form is not ours.  NO_MEMORY. */
MS_MUST_USE struct ms_error *ms_json_open(struct ms_json *j, struct ms_sink *sink);

/** Open a document of @p schema: schema, tool, target and cost.  NO_MEMORY. */
MS_MUST_USE struct ms_error *ms_json_begin(struct ms_json *j, struct ms_sink *sink,
					   const char *schema,
					   const struct ms_report_target *target,
					   const struct ms_report_cost *cost);

/** Close the document, free the generator and finish the sink. */
MS_MUST_USE struct ms_error *ms_json_end(struct ms_json *j);

/** Let what comes next start on a new line. */
void ms_json_row(struct ms_json *j);

void ms_json_open_object(struct ms_json *j);
void ms_json_close_object(struct ms_json *j);
void ms_json_open_array(struct ms_json *j);
void ms_json_close_array(struct ms_json *j);
/** A key of ours; one from elsewhere goes through ms_json_string. */
void ms_json_key(struct ms_json *j, const char *key);

/** Values; what is unknown becomes null. */
void ms_json_null(struct ms_json *j);
void ms_json_bool(struct ms_json *j, int value);
void ms_json_u64(struct ms_json *j, uint64_t value);
/** @p after less @p before, with its sign. */
void ms_json_change(struct ms_json *j, uint64_t before, uint64_t after);
void ms_json_double(struct ms_json *j, double value);
void ms_json_string(struct ms_json *j, const char *value);
void ms_json_address(struct ms_json *j, ms_addr value);

/** A key and its value. */
void ms_json_put_bool(struct ms_json *j, const char *key, int value);
void ms_json_put_u64(struct ms_json *j, const char *key, uint64_t value);
void ms_json_put_double(struct ms_json *j, const char *key, double value);
void ms_json_put_string(struct ms_json *j, const char *key, const char *value);
void ms_json_put_address(struct ms_json *j, const char *key, ms_addr value);
/** A number that is written already. */
void ms_json_put_number(struct ms_json *j, const char *key, const char *digits);
/** Seconds in a window, to the nanosecond. */
void ms_json_put_time(struct ms_json *j, const char *key, double seconds);

/** "gc": the collections of a trace. */
void ms_json_put_collections(struct ms_json *j, const struct ms_trace_report *report);

/** One call as an object; null where its function is. */
void ms_json_call(struct ms_json *j, const struct ms_stack_call *call);

/** The same as a member. */
void ms_json_put_call(struct ms_json *j, const char *key, const struct ms_stack_call *call);

/** "stack" and "stack_cut" of the stack at @p index; both null for MS_NO_STACK. */
void ms_json_put_stack(struct ms_json *j, const struct ms_stacks *stacks, uint32_t index);

/** "partial" and "partial_reason". */
void ms_json_put_partial(struct ms_json *j, bool partial, const char *reason);

/** A process as an object under @p key. */
void ms_json_put_target(struct ms_json *j, const char *key, const struct ms_report_target *target);

/** One map as an object: the row of a census. */
void ms_json_map(struct ms_json *j, const struct ms_map_row *row);

/** One side of an owner's change (report/diff.h) as an object. */
void ms_json_put_side(struct ms_json *j, const char *key, const struct ms_diff_side *side);

void ms_json_put_coverage(struct ms_json *j, const struct ms_coverage *coverage);
/** The rows that the view's filter lets through. */
void ms_json_put_owners(struct ms_json *j, const struct ms_census_report *report,
			const struct ms_census_view *view);

/** What "memory" has of every document: live_heap_bytes, map_share, parts, excess_bytes. */
void ms_json_put_memory_parts(struct ms_json *j, const struct ms_memory *m);
