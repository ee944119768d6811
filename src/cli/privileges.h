// privileges.h - what the tool gives up of what it was started with, before it reads a byte of a
// target.  docs/privileges.md says which command keeps what, and why.
#pragma once

#include "cli/options.h"

#include <sys/capability.h>

#ifndef CAP_PERFMON // Headers older than Linux 5.8.
#define CAP_PERFMON 38
#define CAP_BPF 39
#endif

/**
 * Give up every capability that the command has no use for, for good, and the way back to them.
 * Before there are threads.  What cannot be given up is said on stderr.
 */
void ms_privileges_shrink(const struct ms_options *options);

/** Probes are placed: give up what that alone took.  Threads that there are keep it: end them. */
void ms_privileges_placed(void);

/** Whether capability @p cap is in effect now. */
bool ms_privileges_has(cap_value_t cap);

/** Between these two, a file of ours may be written where root may write. */
void ms_privileges_write_begin(void);
void ms_privileges_write_end(void);
