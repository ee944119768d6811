// cluster_frames.h - what of a stack makes it like another.
#pragma once

#include "report/call_stacks.h"

enum { MS_CLUSTER_FRAMES = 8 };

/** The innermost calls of a stack that are not the runtime's, as numbers of their folded names. */
struct ms_cluster_frames {
	uint32_t names[MS_CLUSTER_FRAMES];
	uint32_t count;
	uint32_t own; // The name of the innermost call of the program itself.
};

/**
 * Write @p name without what the compiler put on it: type arguments, "-fm", ".abi0", ".cold" and
 * the like.  Numbers of closures stay: they are different code.  Cut to @p size bytes with the
 * terminator; returns the whole length.
 */
size_t ms_frame_fold(const char *name, char *buf, size_t size);

/** How many names must be put in, left out or changed to make one of the other. */
unsigned ms_frames_distance(const struct ms_cluster_frames *a, const struct ms_cluster_frames *b);

/**
 * Near enough to be one: at most two names of eight differ, fewer where there are fewer, and the
 * program's own innermost call is the same.
 */
bool ms_frames_are_near(const struct ms_cluster_frames *a, const struct ms_cluster_frames *b);
