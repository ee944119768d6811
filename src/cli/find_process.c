// find_process.c - a walk through /proc that compares three names of each process:
//
//	comm     what top shows, cut at 15 bytes and changeable by the process
//	exe      the base name of the executable; only the same user or root may see it
//	argv[0]  its base name, as it was started
//
// A name that is exactly one of these is preferred; only where no process has it, the name is taken
// as a regular expression that one of them contains.  A process without an executable (a kernel
// thread, a zombie) cannot be read and is not found.
#include "cli/find_process.h"

#include "base/cleanup.h"
#include "base/vec.h"
#include "cli/proc_file.h"
#include "report/filter.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

enum { MATCHES_SHOWN = 20 };

struct matches {
	struct match {
		pid_t pid;
		char command[64];
	} * items;
	size_t count, capacity;
};

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/** What was typed to start the process, on one line, safe to print. */
static void command_line(const struct ms_proc_text *cmdline, char *ret_text, size_t size)
{
	size_t i;

	for (i = 0; i < cmdline->size && i < size - 1; i++) {
		char c = cmdline->bytes[i];

		ret_text[i] = c == '\0' ? ' ' : (c < ' ' || c > '~') ? '?' : c;
	}
	while (i && ret_text[i - 1] == ' ')
		i--;
	ret_text[i] = '\0';
}

/** True when @p text is what is looked for: like @p pattern, or @p name itself without one. */
static bool fits(const char *text, const char *name, struct ms_pattern *pattern)
{
	if (!text[0])
		return false;
	if (!pattern)
		return !strcmp(text, name);
	pattern->last = NULL; // The texts of all processes stand in the same place.
	return ms_pattern_matches(pattern, text);
}

static bool is_called(pid_t pid, const char *name, struct ms_pattern *pattern,
		      const struct ms_proc_text *cmdline)
{
	struct ms_proc_text comm;
	char exe[PATH_MAX];

	if (!ms_proc_link(pid, "exe", exe, sizeof(exe)))
		exe[0] = '\0';
	if (!exe[0] && errno == ENOENT)
		return false;
	if (fits(base_name(exe), name, pattern) || fits(base_name(cmdline->bytes), name, pattern))
		return true;
	if (!ms_proc_text(pid, "comm", &comm))
		return false;
	comm.bytes[strcspn(comm.bytes, "\n")] = '\0';
	return fits(comm.bytes, name, pattern);
}

/** @p pattern is NULL for the name as it stands. */
static struct ms_error *collect(const char *name, struct ms_pattern *pattern, struct matches *m)
{
	struct dirent *entry;
	DIR *proc = opendir("/proc");

	if (!proc)
		return ms_error_errno(MS_ERR_GONE, errno, "/proc, where processes are listed");
	while ((entry = readdir(proc))) {
		struct ms_proc_text cmdline;
		struct match match = { 0 };

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		match.pid = (pid_t)strtol(entry->d_name, NULL, 10);
		if (match.pid == getpid() || !ms_proc_text(match.pid, "cmdline", &cmdline) ||
		    !is_called(match.pid, name, pattern, &cmdline))
			continue;
		command_line(&cmdline, match.command, sizeof(match.command));
		if (!ms_vec_push(m, match)) {
			closedir(proc);
			return ms_error_no_memory();
		}
	}
	closedir(proc);
	return NULL;
}

static struct ms_error *collect_like(const char *name, struct matches *m)
{
	struct ms_pattern pattern;
	struct ms_error *err = ms_pattern_init(&pattern, "--name", name);

	if (!err)
		err = collect(name, &pattern, m);
	ms_pattern_deinit(&pattern);
	return err;
}

static struct ms_error *error_several(const struct matches *m, const char *name, const char *verb)
{
	MS_AUTO_FREE char *text = NULL;
	size_t size = 0;
	FILE *list = open_memstream(&text, &size);

	if (!list)
		return ms_error_no_memory();
	for (size_t i = 0; i < m->count && i < MATCHES_SHOWN; i++)
		fprintf(list, "\n  mapscope %s %d\t# %s", verb, (int)m->items[i].pid,
			m->items[i].command);
	if (m->count > MATCHES_SHOWN)
		fprintf(list, "\n  and %zu more", m->count - MATCHES_SHOWN);
	if (fclose(list) != 0)
		return ms_error_no_memory();
	return ms_error_new(MS_ERR_USAGE, "%zu processes are called %s; type one of%s", m->count,
			    name, text);
}

struct ms_error *ms_find_process(const char *name, const char *verb, pid_t *ret_pid)
{
	struct matches m = { 0 };
	struct ms_error *err = collect(name, NULL, &m);

	if (!err && m.count == 0)
		err = collect_like(name, &m);
	if (!err && m.count == 0)
		err = ms_error_new(MS_ERR_GONE, "there is no process called %s; type: pgrep -af %s",
				   name, name);
	else if (!err && m.count > 1)
		err = error_several(&m, name, verb);
	if (!err)
		*ret_pid = m.items[0].pid;
	ms_vec_free(&m);
	return err;
}
