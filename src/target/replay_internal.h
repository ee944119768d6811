// replay_internal.h - a recording in memory: what replay_load.c fills in and replay.c reads.
#pragma once

#include "base/arena.h"
#include "target/record_format.h"
#include "target/replay.h"

/** Recorded bytes of one place. */
struct ms_replay_range {
	uint64_t start, size;
	uint64_t run_end;     // End of the ranges that follow each other without a gap from here.
	uint64_t exe_offset;  // For MS_RECORD_SAME.
	const uint8_t *bytes; // For MS_RECORD_BYTES; in one of the blocks.
	enum ms_record_source source;
};

/** Sorted by start, without overlap. */
struct ms_replay_ranges {
	struct ms_replay_range *items;
	size_t count, capacity;
};

struct ms_recording {
	uint64_t exe_size;
	struct ms_record_info info; // Strings in the arena.
	struct ms_regions regions;
	struct ms_replay_ranges exe, memory;
	struct {
		uint8_t **items; // Unpacked chunks.
		size_t count, capacity;
	} blocks;
	struct ms_arena arena;
};

/** Take the bytes of a recording apart and check all of them.  @p recording is zeroed before. */
MS_MUST_USE struct ms_error *ms_recording_load(const uint8_t *bytes, size_t size,
					       struct ms_recording *recording);

void ms_recording_deinit(struct ms_recording *recording);

/** The range that holds @p at, or NULL. */
const struct ms_replay_range *ms_replay_find(const struct ms_replay_ranges *ranges, uint64_t at);

/** True when all of [start, start + size) was recorded. */
bool ms_replay_holds(const struct ms_replay_ranges *ranges, uint64_t start, uint64_t size);
