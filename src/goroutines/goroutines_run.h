// goroutines_run.h - all goroutines of a process: their stacks, what they wait for, the clusters
// they make.
//
// Two looks: the first counts, by go statement, so that the second can say which became more. Its
// stacks are shown where the program ends before the second, which reads every stack once more.
// What else is to be known of a goroutine is a pass: it is shown each one with its frames, before
// those are forgotten, and writes into the same report.
#pragma once

#include "golang/unwind.h"
#include "report/census.h"
#include "report/goroutine_rows.h"
#include "stacks/book.h"

/** Memory by whose address on a stack a goroutine is known to hold @p map. */
struct ms_hold_range {
	ms_addr start, end;
	ms_addr map;
};

struct ms_goroutines_options {
	double seconds; // Between the two looks; 0: one look.
	/** Sorted by start; alike or apart: who holds these?  Borrowed; may be NULL. */
	const struct ms_hold_range *holds;
	size_t hold_count;
	bool sched; // Look at the scheduler's own tables, too.
	/** Sorted by address, for the owners of maps; NULL: none has one. */
	const struct ms_census_report *census;
	bool (*stop)(void *context);                     // True ends it early.  May be NULL.
	void (*sleep_until)(void *context, double when); // On the clock below; may return early.
	double (*now)(void *context);                    // Seconds, CLOCK_MONOTONIC.
	void (*progress)(void *context, double done, const char *what); // May be NULL.
	void *context;
};

/** What the passes share. */
struct ms_goroutines_run {
	struct ms_go_runtime *rt;
	const struct ms_goroutines_options *options;
	struct ms_goroutines_report *report;
	const struct ms_functions *functions;
	struct ms_stack_book *book; // Into the report's stacks.
	struct ms_unwinder *unwinder;
	// Of the look that is going on, by id; empty before, and afterwards without options.sched.
	struct ms_goroutines goroutines;
	double began;  // On options->now.
	double last_s; // ms_look_clock_find's.
};

/**
 * A pass.  Each function but goroutine and end may be NULL.  An error means that the target is
 * lost or memory is short; what cannot be found is said in the report.
 */
struct ms_goroutines_pass {
	const char *name;
	/** Before the first look.  May leave *ret_state NULL: there is nothing to do. */
	struct ms_error *(*start)(struct ms_goroutines_run *run, void **ret_state);
	/** Between the looks, every 50 ms or so. */
	struct ms_error *(*tick)(struct ms_goroutines_run *run, void *state);
	/**
	 * One goroutine as it was when its frames were read; @p row is the report's, and is its
	 * for good: rows are not moved before all passes have ended.  One that runs has no frames.
	 */
	struct ms_error *(*goroutine)(struct ms_goroutines_run *run, void *state,
				      const struct ms_goroutine *g, const struct ms_frames *frames,
				      struct ms_goroutine_row *row);
	/** After the last goroutine, before the clusters are made. */
	struct ms_error *(*end)(struct ms_goroutines_run *run, void *state);
	void (*destroy)(void *state); // Accepts NULL.
};

/**
 * Look for options->seconds and once more.  A target that goes away, or the caller's stop, leaves a
 * report marked partial.  target and the tool's own figures of cost are the caller's to fill in,
 * the report its to deinit.
 */
MS_MUST_USE struct ms_error *ms_goroutines_run(struct ms_go_runtime *rt,
					       const struct ms_goroutines_options *options,
					       struct ms_goroutines_report *ret_report);
