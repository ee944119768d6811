// memory_bound.h - everything outside a process that bounds its memory, as the kernel tells it.
#pragma once

#include "base/types.h"

#include <sys/types.h>

/** One bound and what counts against it.  Both MS_UNKNOWN where there is none. */
struct ms_memory_bound {
	uint64_t limit_bytes;
	uint64_t used_bytes;
};

struct ms_memory_bounds {
	struct ms_memory_bound cgroup2, cgroup2_high, cgroup1;
	struct ms_memory_bound machine;       // What is available and what the process has.
	struct ms_memory_bound address_space; // RLIMIT_AS
	struct ms_memory_bound data;          // RLIMIT_DATA
	bool cgroup_hidden;                   // See struct ms_cgroup_bounds.
};

#define MS_NO_BOUND ((struct ms_memory_bound){ MS_UNKNOWN, MS_UNKNOWN })

/** What is left under a bound; 0 when it is passed, MS_UNKNOWN when there is none. */
uint64_t ms_memory_bound_left(const struct ms_memory_bound *bound);

/** The one of the two that leaves less. */
struct ms_memory_bound ms_memory_bound_nearer(struct ms_memory_bound a, struct ms_memory_bound b);

/**
 * All bounds of a process.  What cannot be read is no bound.  @p root is put before every path: ""
 * unless a test plants another.
 */
struct ms_memory_bounds ms_memory_bounds_read(pid_t pid, const char *root);

/** Resident bytes of the process by /proc/PID/statm; MS_UNKNOWN when it is gone. */
uint64_t ms_memory_resident(pid_t pid, const char *root);
