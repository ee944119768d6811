// memory_pressure.h - told by the kernel that a group runs short of memory.
//
// A listener is registered at the group's own files, which takes the right to write them; it goes
// with the descriptor.  Where there is none, nothing is told.
#pragma once

#include "target/cgroup.h"

struct ms_memory_pressure {
	int fd; // -1: the kernel tells nothing here.
	short events;
};

/** The caller closes it. */
struct ms_memory_pressure ms_memory_pressure_listen(const struct ms_cgroup_limit *group);

/** Whether it ran short since the last time this was asked. */
bool ms_memory_pressure_told(struct ms_memory_pressure *pressure);

void ms_memory_pressure_close(struct ms_memory_pressure *pressure);
