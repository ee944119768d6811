// record_pieces.h - bytes seen at places, and the ranges they add up to.
#pragma once

#include "base/error.h"
#include "base/types.h"

/** Bytes seen at one place; NULL stands for zeros. */
struct ms_record_piece {
	uint64_t start;
	uint64_t size;
	uint8_t *bytes;
};

/** Everything seen so far, in the order it was seen.  Zero-initialised is empty. */
struct ms_record_pieces {
	struct ms_record_piece *items;
	size_t count, capacity;
	uint64_t bytes; // Held in memory.
};

/** Remember @p size bytes seen at @p start; @p bytes is copied.  LIMIT or NO_MEMORY. */
MS_MUST_USE struct ms_error *ms_record_pieces_add(struct ms_record_pieces *pieces, uint64_t start,
						  const void *bytes, size_t size);

/**
 * Make @p pieces what they add up to: sorted by start, none touching the next, and where several
 * were seen at one place the last one counts.
 */
MS_MUST_USE struct ms_error *ms_record_pieces_merge(struct ms_record_pieces *pieces);

/** Accepts an empty set. */
void ms_record_pieces_deinit(struct ms_record_pieces *pieces);
