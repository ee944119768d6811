// census_run.h - every map of a Go process: found, verified, counted.
#pragma once

#include "golang/types.h"
#include "report/census.h"

/** Asked now and then; true ends the census early, with what was found so far. */
typedef bool (*ms_stop_fn)(void *context);

struct ms_census_options {
	ms_stop_fn stop; // May be NULL.
	void *stop_context;
	bool memory; // Say where all resident memory is as well (measure_memory.h).
	// Maps where spans are missing, of which types alone tell how large they are; NULL: none.
	const struct ms_typed_maps *typed;
};

/**
 * Take a census.  Fills maps, owners, coverage, heap_bytes, never_written, partial, memory where it
 * was asked for (with rss_bytes), and of cost what reading tells; target, wall_s and the process's
 * own memory are the caller's to fill in.
 *
 * One bad map never ends a census: it becomes a counted skip.  An error means that the target as a
 * whole could not be read: GONE, DENIED, LIMIT, NO_MEMORY.  The caller deinits the report.
 */
MS_MUST_USE struct ms_error *ms_census_run(struct ms_go_runtime *rt,
					   const struct ms_census_options *options,
					   struct ms_census_report *ret_report);
