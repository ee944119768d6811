// process_tree.h - a process's children, and theirs.
#pragma once

#include "base/error.h"

#include <sys/types.h>

struct ms_pids {
	pid_t *items;
	size_t count, capacity;
};

/**
 * All descendants of @p root, not itself, in place of what @p pids held; as far as they can be seen
 * in one walk.  NO_MEMORY.  The caller frees the items.
 */
MS_MUST_USE struct ms_error *ms_process_tree(pid_t root, struct ms_pids *pids);
