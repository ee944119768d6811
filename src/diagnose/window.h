// window.h - what goes on beside everything else while a process is watched: polls of the largest
// maps, looks at its memory, collections counted.
#pragma once

#include "diagnose/diagnose.h"
#include "diagnose/limits.h"
#include "diagnose/watch.h"
#include "trace/trace.h"

struct ms_window {
	struct ms_go_runtime *rt; // NULL: a C program.
	struct ms_target *target;
	const struct ms_diagnose_options *options;
	struct ms_watch watch;
	struct ms_trace_run *trace; // Growths, collections, waiters; NULL once it has ended.
	struct ms_memory_trend memory;
	double next_poll, next_look; // When they are due.
	uint32_t sweepgen;
	double collected_at; // When a collection was seen to have ended; NAN for not yet.
};

/** Place probes and begin to trace, before the first census: growths are not waited for. */
MS_MUST_USE struct ms_error *ms_window_trace(struct ms_window *window);

/** Begin to watch; the maps are those that ms_watch_choose chose for window->watch. */
MS_MUST_USE struct ms_error *ms_window_start(struct ms_window *window);

/**
 * Do what is due and return at once; long work in between calls it as often as it likes.  An error
 * means that the target is lost.
 */
MS_MUST_USE struct ms_error *ms_window_tick(struct ms_window *window);

/** When the next tick has something to do. */
double ms_window_due(const struct ms_window *window);

/** A last look at everything, due or not. */
MS_MUST_USE struct ms_error *ms_window_end(struct ms_window *window);

/** End the trace, into @p report. */
MS_MUST_USE struct ms_error *ms_window_end_trace(struct ms_window *window,
						 struct ms_diagnosis_report *report);
