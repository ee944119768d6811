// run_watch.h - the Go programs in a process tree, looked at again and again within a share of one
// core.
#pragma once

#include "cli/options.h"
#include "cli/process_tree.h"
#include "report/run.h"

struct ms_run_watch {
	const struct ms_options *options;
	struct ms_run_report *report; // Filled in as it goes.
	double started;
	struct ms_run_target **targets;
	size_t target_count, target_capacity;
	struct ms_run_program *programs; // The executables that were met.
	size_t program_count, program_capacity;
	struct ms_pids tree;
};

void ms_run_watch_init(struct ms_run_watch *watch, const struct ms_options *options, double started,
		       struct ms_run_report *report);

/**
 * See which processes there are, and look at what is due of them while the share of processor time
 * allows.  One call takes no longer than one census.  NO_MEMORY.
 */
MS_MUST_USE struct ms_error *ms_run_watch_step(struct ms_run_watch *watch);

void ms_run_watch_deinit(struct ms_run_watch *watch);
