// common.h - what every document of ours starts with: the tool, the target, the cost.
//
// Report structs are plain copies: filled by a command, read by the renderers, never followed back
// into a target.  Strings are owned by the report's arena or are static; arrays (maps, owners,
// skips, findings, checks) are heap blocks that the report's deinit frees.  A value that is not
// known is MS_UNKNOWN (integers), NAN (fractions) or NULL (strings) and is rendered as unknown or
// null.
#pragma once

#include "base/arena.h"
#include "base/types.h"

struct ms_report_target {
	uint64_t pid;         // MS_UNKNOWN where there is no process.
	uint64_t start_ticks; // Of the process, since boot: with the pid it names one process.
	const char *core;     // The core file that it is; NULL: a process, or not known.
	const char *exe;
	const char *go_version;    // "go1.24.13", or NULL.
	const char *libhmap;       // Its version, "0.1.0", where the process has it; or NULL.
	const char *experiments;   // "noswissmap", "" for none, NULL for unknown.
	const char *arch;          // "amd64", "arm64".
	const char *layout_source; // "table", "dwarf".
	bool stripped;
	bool symbols_unknown; // Whether it is stripped: there is no file of it, as of some cores.
	bool lacks_program;   // Nor is it in the core: no type and no owner is known.
	bool proved;          // The ground-truth test of this release runs in our suite.
};

/** A C program with libhmap: it has neither collector nor goroutines. */
static inline bool ms_report_target_is_c(const struct ms_report_target *target)
{
	return target->libhmap && !target->go_version;
}

struct ms_report_cost {
	double wall_s;
	uint64_t read_bytes;
	uint64_t own_peak_bytes;
	uint64_t stops;  // Always 0: nothing is stopped.
	uint64_t probes; // Placed and removed.
	uint64_t reads_retried;
	uint64_t reads_given_up;
	uint64_t gc_cycle; // Number of the collection the census is "as of".
	double gc_age_s;   // Seconds since it ended; NAN when it was not seen to end.
};
