// memory_pressure.c - cgroup v2's memory.pressure, and v1's memory.pressure_level.
//
// v2 (PSI, Linux 5.2): some task of the group stood still for memory, for so long of each window.
// v1: the kernel had to look hard for pages it could take from the group.
#include "target/memory_pressure.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>

static const char psi_trigger[] = "some 150000 1000000"; // Microseconds: 150 ms of a second.

static int open_in(const char *dir, const char *name, int flags)
{
	MS_AUTO_FREE char *path = NULL;

	return asprintf(&path, "%s/%s", dir, name) > 0 ? open(path, flags | O_CLOEXEC | O_NONBLOCK)
						       : -1;
}

static int listen_v2(const char *dir)
{
	int fd = open_in(dir, "memory.pressure", O_RDWR);

	if (fd < 0 || write(fd, psi_trigger, sizeof(psi_trigger)) > 0)
		return fd;
	close(fd);
	return -1;
}

static int listen_v1(const char *dir)
{
	MS_AUTO_CLOSE int level = open_in(dir, "memory.pressure_level", O_RDONLY);
	MS_AUTO_CLOSE int control = open_in(dir, "cgroup.event_control", O_WRONLY);
	int fd = level >= 0 && control >= 0 ? eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) : -1;
	char line[64];
	int size = snprintf(line, sizeof(line), "%d %d medium", fd, level);

	if (fd < 0 || write(control, line, (size_t)size) == size)
		return fd;
	close(fd);
	return -1;
}

struct ms_memory_pressure ms_memory_pressure_listen(const struct ms_cgroup_limit *group)
{
	if (!group->dir)
		return (struct ms_memory_pressure){ .fd = -1 };
	if (group->is_v2)
		return (struct ms_memory_pressure){ listen_v2(group->dir), POLLPRI };
	return (struct ms_memory_pressure){ listen_v1(group->dir), POLLIN };
}

bool ms_memory_pressure_told(struct ms_memory_pressure *p)
{
	struct pollfd event = { .fd = p->fd, .events = p->events };
	uint64_t count;

	if (p->fd < 0 || poll(&event, 1, 0) <= 0)
		return false;
	if (event.revents & (POLLERR | POLLHUP)) {
		ms_memory_pressure_close(p); // The group is gone.
		return false;
	}
	if (!(event.revents & p->events))
		return false;
	// An event descriptor becomes quiet by being read; and it is also told of a group's end.
	return p->events != POLLIN || read(p->fd, &count, sizeof(count)) == sizeof(count);
}

void ms_memory_pressure_close(struct ms_memory_pressure *p)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}
