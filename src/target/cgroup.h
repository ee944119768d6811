// cgroup.h - what a process's control groups leave it of memory.
#pragma once

#include "target/memory_bound.h"

struct ms_cgroup_bounds {
	struct ms_memory_bound max;  // memory.max of cgroup v2.
	struct ms_memory_bound high; // memory.high: above it the kernel slows the process down.
	struct ms_memory_bound v1;   // memory.limit_in_bytes.
	bool hidden; // It is in a group that no mount we can see shows: nothing is known.
};

/**
 * Of every group from the process's own up to the highest that can be seen, the bound that leaves
 * least.  @p root is put before every path: "" unless a test plants another.
 */
struct ms_cgroup_bounds ms_cgroup_read(pid_t pid, const char *root);
