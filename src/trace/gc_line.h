// gc_line.h - the line that GODEBUG=gctrace=1 would have printed for a cycle.
#pragma once

#include "base/arena.h"
#include "golang/collections.h"

struct ms_gc_line {
	uint32_t number;
	int64_t began_ns; // runtime.main's start, CLOCK_MONOTONIC of the target; 0 unknown.
	bool is_forced, is_forced_known;
	uint64_t stacks_bytes; // MS_UNKNOWN, or of all stacks to be scanned.
	const struct ms_go_collections_now
	    *look; // Right behind it; NULL: only its number is known.
};

/** In the arena, without a line break; "?" stands for what is unknown.  NULL: memory is short. */
const char *ms_gc_line(struct ms_arena *arena, const struct ms_gc_line *line);
