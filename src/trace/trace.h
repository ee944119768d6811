// trace.h - watching a process for a while: growths as they happen, and what goes on beside them.
//
// A trace is made of parts: probes on growth, polls of headers, collections, waiters, switches.
// Each is started, is given its turn when it is due, and writes what it saw into one report, on one
// line of time: seconds since the trace began, by CLOCK_MONOTONIC, which the kernel's probes and
// the Go runtime use too.
#pragma once

#include "golang/runtime.h"
#include "registry/c_symbols.h"
#include "registry/registries.h"
#include "report/growth_trace.h"
#include "stacks/book.h"
#include "trace/followed.h"

/** The caller's clock and terminal, and what was asked for. */
struct ms_trace_options {
	const struct ms_registries *registries; // libhmap's maps are traced, too; NULL for none.
	struct ms_c_symbols *symbols;           // For their stacks; may be NULL.
	double seconds;                         // INFINITY: until it is stopped.
	bool no_probes;                         // Poll even where probes could be placed.
	bool no_polling;       // Where none are, see no growths: the caller has looks of its own.
	bool no_small_growths; // Do not even count first groups: their function is not so cold.
	uint64_t events_max;   // Kept one by one, at most; 0: a default.  Sums have all of them.
	bool small_growths;    // Keep first groups of empty maps as events, not only their count.
	bool creations;        // Look at maps being made.
	bool migrations;       // Look into old arrays for where entries went.
	bool gctrace;          // Write the runtime's own line for each collection.
	bool switches;         // Look at which goroutine each P runs.
	bool (*stop)(void *context);                     // True ends it early.  May be NULL.
	void (*sleep_until)(void *context, double when); // On the clock below; may return early.
	double (*now)(void *context);                    // Seconds, CLOCK_MONOTONIC.
	void (*progress)(void *context, double done, const char *what); // May be NULL.
	/** Called when events were added, so that they can be printed as they come.  May be NULL.
	 */
	struct ms_error *(*added)(void *context, const struct ms_trace_report *report);
	/** Called once everything is placed that needs a right to be placed.  May be NULL. */
	void (*placed)(void *context);
	void *context;
};

/** What the parts share. */
struct ms_trace {
	struct ms_go_runtime *rt; // NULL: a C program.
	struct ms_target *target;
	const struct ms_trace_options *options;
	const struct ms_census_report *census; // Sorted by address, for types and owners.
	struct ms_trace_report *report;
	struct ms_stack_book *book;   // Into the report's stacks.
	double began;                 // On options->now.
	struct ms_followed *followed; // Set by growth_polls.c, for the parts behind it; else NULL.
};

/** A part of a trace.  An error means that the target is lost or memory is short. */
struct ms_trace_part {
	const char *name;
	/** May leave *ret_state NULL: it has nothing to do here (and has said so in the report). */
	struct ms_error *(*start)(struct ms_trace *trace, void **ret_state);
	double (*due)(const void *state); // On options->now; INFINITY for never.
	struct ms_error *(*tick)(struct ms_trace *trace, void *state);
	/** The last look, also when the target is gone; may correct what it wrote. */
	struct ms_error *(*end)(struct ms_trace *trace, void *state);
	void (*destroy)(void *state);
};

/** Seconds since the trace began. */
double ms_trace_time(const struct ms_trace *trace);

/** The census's row of the map at @p address, or NULL. */
const struct ms_map_row *ms_trace_map(const struct ms_trace *trace, ms_addr address);

/**
 * Write into the report why there are no probes; @p more is put behind the command that would be
 * allowed to place them.  An error that means something else is passed on.  Takes @p err over.
 */
MS_MUST_USE struct ms_error *ms_trace_refuse_probes(struct ms_trace *trace, struct ms_error *err,
						    const char *more);

struct ms_trace_run;

/**
 * Begin a trace that the caller gives its turns: for whoever does more than trace.  @p rt is NULL
 * for a C program, of which options->registries says where libhmap is.  @p census may
 * be NULL or come later; it must outlive the run.  options->seconds, sleep_until, stop and progress
 * are not used.
 */
MS_MUST_USE struct ms_error *ms_trace_begin(struct ms_go_runtime *rt,
					    const struct ms_census_report *census,
					    const struct ms_trace_options *options,
					    struct ms_trace_run **ret_run);

/** From now on @p census says what maps are called. */
void ms_trace_use_census(struct ms_trace_run *run, const struct ms_census_report *census);

/** What was seen so far; partial when the target went away and there is nothing left but to finish.
 */
const struct ms_trace_report *ms_trace_so_far(const struct ms_trace_run *run);

/** When the next tick has something to do. */
double ms_trace_due(const struct ms_trace_run *run);

/** Do what is due and return at once. */
MS_MUST_USE struct ms_error *ms_trace_tick(struct ms_trace_run *run);

/** End the run, which is gone afterwards, with what it saw. */
MS_MUST_USE struct ms_error *ms_trace_finish(struct ms_trace_run *run,
					     struct ms_trace_report *ret_report);

/** End the run without a report.  Accepts NULL. */
void ms_trace_drop(struct ms_trace_run *run);

/**
 * Trace for options->seconds.  @p census may be NULL: then nothing has an owner.  A target that
 * goes away, or the caller's stop, leaves a report marked partial.  target, rss and the
 * tool's own figures of cost are the caller's to fill in, the report its to deinit.
 */
MS_MUST_USE struct ms_error *ms_trace_run(struct ms_go_runtime *rt,
					  const struct ms_census_report *census,
					  const struct ms_trace_options *options,
					  struct ms_trace_report *ret_report);
