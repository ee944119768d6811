// inspect_run.h - one map of a Go process opened: every word of its header and tag of its table.
#pragma once

#include "golang/runtime.h"
#include "report/inspect.h"

/** Asked between reads; true ends the look with what was found so far. */
typedef bool (*ms_inspect_stop_fn)(void *context);

struct ms_inspect_options {
	ms_inspect_stop_fn stop; // May be NULL.
	void *stop_context;
	uint64_t unit;  // Of which more is told; MS_UNKNOWN for none.
	bool keys;      // Say what keys look like.
	unsigned looks; // Until one held still, so many at most; 0: the usual number.
};

/**
 * Open the map of @p row, a row of a census of this process or of ms_inspect_add_row.  Fills
 * everything but target and cost; strings are copied.  What could not be
 * read is unknown in the report, with the reason; an error means that the target as a whole could
 * not be read.  The caller deinits the report.
 */
MS_MUST_USE struct ms_error *ms_inspect_run(struct ms_go_runtime *rt, const struct ms_map_row *row,
					    const struct ms_inspect_options *options,
					    struct ms_inspect_report *ret_report);

/**
 * Add rows for objects that the census did not take for maps, so that a walk may still meet them.
 * An address that is neither a heap object nor on a stack, and one that has a row, is left out.
 */
MS_MUST_USE struct ms_error *ms_inspect_add_rows(struct ms_go_runtime *rt, const ms_addr *addresses,
						 size_t count, struct ms_census_report *census);
