// proc_file.h - the short files of /proc/PID that say who a process is.
#pragma once

#include "base/types.h"

#include <sys/types.h>

/** The beginning of a /proc file, NUL-terminated; it may hold NULs of its own. */
struct ms_proc_text {
	char bytes[4096];
	size_t size;
};

/** Read /proc/PID/NAME; false when that is not possible, errno says why. */
bool ms_proc_text(pid_t pid, const char *name, struct ms_proc_text *ret_text);

/** The number behind @p key at the beginning of a line ("Tgid:"); false when there is none. */
bool ms_proc_number(const struct ms_proc_text *text, const char *key, int *ret_number);

/** Read the link /proc/PID/NAME; false when that is not possible, errno says why. */
bool ms_proc_link(pid_t pid, const char *name, char *ret_path, size_t size);

/** When a process started, in clock ticks since boot; MS_UNKNOWN when that is not possible. */
uint64_t ms_proc_start_ticks(pid_t pid);
