// process_tree.c - the tree below a process, from /proc/PID/task/TID/children.
//
// A child belongs to the thread that forked it.  A kernel that was built without these files has
// the parent of each process in its stat: then all of /proc is walked, which costs more.
#include "cli/process_tree.h"

#include "base/cleanup.h"
#include "base/vec.h"
#include "cli/proc_file.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>

enum { DESCENDANTS_MAX = 1 << 16, THREADS_MAX = 1 << 14 };

static void closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static bool is_known(const struct ms_pids *pids, pid_t pid)
{
	for (size_t i = 0; i < pids->count; i++) {
		if (pids->items[i] == pid)
			return true;
	}
	return false;
}

static bool add(struct ms_pids *pids, pid_t pid)
{
	return pids->count == DESCENDANTS_MAX || is_known(pids, pid) || ms_vec_push(pids, pid);
}

/** The children of one thread; false: no memory. */
static bool add_children(pid_t pid, const char *thread, struct ms_pids *pids, bool *ret_readable)
{
	char path[512]; // A name in /proc is shorter; the compiler does not know.

	snprintf(path, sizeof(path), "/proc/%d/task/%s/children", (int)pid, thread);
	MS_AUTO_FCLOSE FILE *in = fopen(path, "re");
	int child;

	if (!in)
		return true;
	*ret_readable = true;
	while (fscanf(in, "%d", &child) == 1) {
		if (!add(pids, (pid_t)child))
			return false;
	}
	return true;
}

static bool add_children_of(pid_t pid, struct ms_pids *pids, bool *ret_readable)
{
	DIR *threads MS_CLEANUP(closedirp) = NULL;
	struct dirent *entry;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	threads = opendir(path);
	for (unsigned n = 0; threads && n < THREADS_MAX && (entry = readdir(threads)); n++) {
		if (isdigit((unsigned char)entry->d_name[0]) &&
		    !add_children(pid, entry->d_name, pids, ret_readable))
			return false;
	}
	return true;
}

/** The parent of a process; 0 when it is gone. */
static pid_t parent_of(pid_t pid)
{
	struct ms_proc_text stat;
	const char *after;
	int parent;

	if (!ms_proc_text(pid, "stat", &stat))
		return 0;
	after = strrchr(stat.bytes, ')');
	return after && sscanf(after + 1, " %*s %d", &parent) == 1 ? (pid_t)parent : 0;
}

/** One walk through /proc: adds whose parent is known; true when any was added. */
static bool add_from_all(pid_t root, struct ms_pids *pids, bool *ret_short)
{
	DIR *proc MS_CLEANUP(closedirp) = opendir("/proc");
	size_t before = pids->count;
	struct dirent *entry;

	while (proc && (entry = readdir(proc))) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		pid_t parent = pid > 0 && !is_known(pids, pid) ? parent_of(pid) : 0;

		if (parent && (parent == root || is_known(pids, parent)) && !add(pids, pid))
			*ret_short = true;
	}
	return !*ret_short && pids->count > before;
}

struct ms_error *ms_process_tree(pid_t root, struct ms_pids *pids)
{
	bool readable = false, short_of_memory = false;

	pids->count = 0;
	if (!add_children_of(root, pids, &readable))
		return ms_error_no_memory();
	for (size_t i = 0; i < pids->count; i++) {
		if (!add_children_of(pids->items[i], pids, &readable))
			return ms_error_no_memory();
	}
	while (!readable && add_from_all(root, pids, &short_of_memory))
		continue; // Until a walk finds no grandchild more.
	return short_of_memory ? ms_error_no_memory() : NULL;
}
