// process.h - a live Linux process as a target.
#pragma once

#include "target/target.h"

/** How a process's memory is read; AUTO tries process_vm_readv first, then /proc/PID/mem. */
enum ms_process_access {
	MS_PROCESS_AUTO,
	MS_PROCESS_VM_READV,
	MS_PROCESS_MEM,
};

struct ms_process_options {
	enum ms_process_access access;
	const char *proc_root; // "/proc" unless a test plants another.
};

/**
 * Open @p pid.  Nothing is stopped, signalled or written.  GONE when there is no such process,
 * DENIED with the command to type when it may not be read.  The caller destroys it.
 */
MS_MUST_USE struct ms_error *ms_process_open(pid_t pid, const struct ms_process_options *options,
					     struct ms_target **ret_target);

/** "process_vm_readv" or "/proc/PID/mem": what this process is read with. */
const char *ms_process_access_name(const struct ms_target *t);
