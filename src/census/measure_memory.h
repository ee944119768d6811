// measure_memory.h - measuring where the resident memory of a Go process is.
#pragma once

#include "golang/spans.h"
#include "report/census.h"
#include "report/memory.h"

/** What the parts are made from; all borrowed. */
struct ms_memory_input {
	struct ms_go_runtime *rt; // Its regions as fresh as the spans.
	const struct ms_spans *spans;
	const struct ms_census_report *census; // The maps, and their sums by owner.
	const struct ms_type_total *types;     // Of a typed walk; NULL for none.
	size_t type_count;
};

/**
 * Measure.  Where the target cannot say which pages are resident, the size classes are there and
 * ret_memory->known is false.  The caller deinits it.  GONE, DENIED, LIMIT, NO_MEMORY.
 */
MS_MUST_USE struct ms_error *ms_memory_measure(const struct ms_memory_input *in,
					       struct ms_memory *ret_memory);
