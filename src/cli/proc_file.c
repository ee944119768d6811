// proc_file.c - /proc/PID/status and its neighbours: read once, searched by line.
//
// The target writes some of these (comm, cmdline), so nothing is assumed of their form: reads are
// bounded and a number that does not parse is no number.
#include "cli/proc_file.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

bool ms_proc_text(pid_t pid, const char *name, struct ms_proc_text *ret_text)
{
	char path[64];
	size_t size = 0;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	MS_AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	do {
		n = read(fd, ret_text->bytes + size, sizeof(ret_text->bytes) - 1 - size);
		if (n < 0 && errno != EINTR)
			return false;
		size += n > 0 ? (size_t)n : 0;
	} while (n != 0 && size < sizeof(ret_text->bytes) - 1);
	ret_text->bytes[size] = '\0';
	ret_text->size = size;
	return true;
}

bool ms_proc_number(const struct ms_proc_text *text, const char *key, int *ret_number)
{
	const char *line = text->bytes;

	while (line && strncmp(line, key, strlen(key)) != 0) {
		line = strchr(line, '\n');
		line += line != NULL;
	}
	return line && sscanf(line + strlen(key), "%d", ret_number) == 1;
}

bool ms_proc_link(pid_t pid, const char *name, char *ret_path, size_t size)
{
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	n = readlink(path, ret_path, size - 1);
	if (n < 0)
		return false;
	ret_path[n] = '\0';
	return true;
}

uint64_t ms_proc_start_ticks(pid_t pid)
{
	struct ms_proc_text stat;
	unsigned long long ticks;
	const char *after;

	// The command name, in brackets, may hold anything; what is wanted is the 20th word after
	// it.
	if (!ms_proc_text(pid, "stat", &stat))
		return MS_UNKNOWN;
	after = strrchr(stat.bytes, ')');
	if (!after || sscanf(after + 1,
			     " %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
			     "%*s %*s %llu",
			     &ticks) != 1)
		return MS_UNKNOWN;
	return ticks;
}
