// cgroup.h - what a process's control groups leave it of memory.
#pragma once

#include "target/memory_bound.h"

struct ms_cgroup_bounds {
	struct ms_memory_bound max;  // memory.max of cgroup v2.
	struct ms_memory_bound high; // memory.high: above it the kernel slows the process down.
	struct ms_memory_bound v1;   // memory.limit_in_bytes.
	bool hidden; // It is in a group that no mount we can see shows: nothing is known.
};

/** The group whose limit is nearest, to be asked again and again at little cost. */
struct ms_cgroup_limit {
	char *dir; // malloc'ed; the process's own group where none has a limit, NULL: none is seen.
	bool is_v2;
	uint64_t limit_bytes; // MS_UNKNOWN: there is none.
	uint64_t left_bytes;  // When it was looked for.
};

/** The caller deinits it.  @p root as below. */
struct ms_cgroup_limit ms_cgroup_limit_find(pid_t pid, const char *root);

/**
 * Bytes that the group uses, pages of files not counted; MS_UNKNOWN when it is gone.  Below @p from
 * it may be more than that: what files have of it is asked for only from there on.
 */
uint64_t ms_cgroup_limit_used(const struct ms_cgroup_limit *limit, uint64_t from);

/** How many processes of the group the kernel killed for memory; MS_UNKNOWN where it does not say.
 */
uint64_t ms_cgroup_limit_kills(const struct ms_cgroup_limit *limit);

void ms_cgroup_limit_deinit(struct ms_cgroup_limit *limit);

/**
 * Of every group from the process's own up to the highest that can be seen, the bound that leaves
 * least.  @p root is put before every path: "" unless a test plants another.
 */
struct ms_cgroup_bounds ms_cgroup_read(pid_t pid, const char *root);
