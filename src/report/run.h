// run.h - the result of `mapscope run`: the most that each owner's maps held while a command ran.
#pragma once

#include "report/budget.h"

/** The maps of one owner and type in one program: each figure is the most of any census. */
struct ms_peak_row {
	const char *exe; // The program; NULL when unknown.
	const char *owner, *type;
	uint64_t maps, entries, total_bytes, slack_bytes;
	uint64_t pid; // Of the process that held so many bytes, and when.
	double at_s;
	uint8_t kind; // ms_map_kind
};

/** One Go process that was looked at. */
struct ms_run_process {
	struct ms_report_target target;
	uint64_t censuses; // Complete ones.
	double last_s;     // When the last of these began, in seconds since the start of the run.
	double gone_s;     // When it was seen to be gone; NAN: it was there at the end.
	uint64_t maps, entries, total_bytes, slack_bytes; // In the last one.
	uint64_t peak_bytes;                              // All maps together, in any.
	double peak_s;
};

struct ms_run_report {
	struct ms_report_target target; // The command itself: its pid.
	struct ms_report_cost cost;
	const char *command; // Its words with spaces between.
	int exit_code;       // -1 when a signal ended it, or nothing did yet.
	int exit_signal;     // 0 without one.
	double ran_s;
	uint64_t processes_seen; // The command and its children, Go or not.
	struct ms_run_process *processes;
	size_t process_count;
	struct ms_peak_row *peaks;
	size_t peak_count;
	uint64_t peaks_left_out; // Beyond the bound.
	uint64_t censuses;
	double own_cpu_s;
	struct ms_budget *budget; // NULL: none was given.  Not owned.
	bool partial;             // Cut short; partial_reason says by what.
	const char *partial_reason;
	struct ms_arena arena;
};

/** Take the owners of a complete census into the peaks.  NO_MEMORY. */
MS_MUST_USE struct ms_error *ms_run_take(struct ms_run_report *report,
					 const struct ms_census_report *census, double at_s);

/** By bytes, the most first; the processes likewise. */
void ms_run_sort(struct ms_run_report *report);

/** A process with its target's strings copied; its index, or NO_MEMORY. */
MS_MUST_USE struct ms_error *ms_run_add_process(struct ms_run_report *report,
						const struct ms_report_target *target,
						size_t *ret_index);

void ms_run_report_deinit(struct ms_run_report *report);
