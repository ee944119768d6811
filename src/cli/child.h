// child.h - the command of `mapscope run`: started, waited for, never touched.
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <sys/types.h>

struct ms_child {
	pid_t pid;
	bool ended;
	int status; // As waitpid gives it, once it ended.
};

/**
 * Start @p command, which ends with NULL, as the user who called sudo where that is how we were
 * called.  Its standard files and its process group are ours.  IO with the reason when it could not
 * be started, USAGE when sudo's words about the user make no sense.  Children that lose their
 * parent become ours, so that they are still found.
 */
MS_MUST_USE struct ms_error *ms_child_start(char **command, struct ms_child *ret_child);

/** Note whether it has ended, and reap what else has. */
void ms_child_poll(struct ms_child *child);
