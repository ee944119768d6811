// old_array.h - the array that an evacuation empties, read for what its tags say of each bucket.
//
// evacuate (runtime/map.go) leaves a tag in each slot of an old bucket: the entry went to the same
// bucket of the new array (X), to its twin in the upper half (Y), or there was none.  Where buckets
// hold pointers it then clears what lies behind the tags, the link to overflow buckets with it.  So
// what went from those can be counted only if the link was still there, or if it is known from an
// earlier look: that there was none, or which one it was, and no sweep has begun since that could
// have freed what it led to.  Else the counts are "at least".
#pragma once

#include "base/number_map.h"
#include "target/fetch.h"
#include "trace/map_units.h"

enum { MS_OLD_ARRAY_BUCKETS_MAX = 1 << 22 }; // Of a larger one only the frontier is told.

/** One old bucket that was emptied. */
struct ms_old_bucket {
	uint64_t index;
	uint64_t keys_x, keys_y;
	bool at_least;
};

typedef void (*ms_old_bucket_fn)(void *context, const struct ms_old_bucket *bucket);

struct ms_old_array {
	ms_addr start;
	uint64_t buckets;
	struct ms_map_unit unit;
	uint8_t *told;              // A bit for each bucket: it was emptied, and has been told.
	uint8_t *plain;             // It has no overflow bucket: seen before it was emptied.
	struct ms_number_map links; // By index + 1 of a bucket that waits: place in linked.
	struct ms_old_links {
		struct ms_old_link {
			uint64_t index;
			ms_addr link;
			uint32_t sweepgen; // When it was seen.
		} * items;
		size_t count, capacity;
	} linked;
	uint64_t told_count;
	uint64_t first; // The first that has not been told.
	uint64_t at;    // Where the pass under way goes on.
};

/** NO_MEMORY; LIMIT for one of too many buckets, or of buckets of unknown size. */
MS_MUST_USE struct ms_error *ms_old_array_init(struct ms_old_array *array, ms_addr start,
					       uint64_t buckets, struct ms_map_unit unit);

/** What was read of it and is not believed until the array is known to have been there still. */
struct ms_old_array_look {
	struct ms_old_seen {
		struct ms_old_bucket bucket;
		uint64_t head_x, head_y; // Of the array's own bucket.
		ms_addr link;            // To be followed; 0 at the end.
		uint32_t want;
		bool is_done; // All of its chain was emptied.
	} * items;
	size_t count, capacity;
	struct {
		uint64_t *items;
		size_t count, capacity;
	} plain;                    // Buckets that wait, without overflow.
	struct ms_old_links linked; // With overflow.
	uint32_t sweepgen;
	uint64_t reached; // The pass came so far.
	bool is_partial;  // Some of it could not be read, and was passed over.
	uint8_t *bytes;   // Room for a step.
	struct ms_fetch fetch;
};

/**
 * Read on from where the last look ended, @p bytes_max at most, and follow chains.  @p sweepgen is
 * mheap_.sweepgen from a moment at which the array was still in use.
 */
MS_MUST_USE struct ms_error *ms_old_array_read(const struct ms_old_array *array,
					       struct ms_target *t, uint64_t bytes_max,
					       uint32_t sweepgen, struct ms_old_array_look *look);

/**
 * Believe it, because sweepgen is still the same: tell each bucket that was emptied to @p fn, once.
 * *ret_end: this was the end of a pass.
 */
MS_MUST_USE struct ms_error *ms_old_array_take(struct ms_old_array *array,
					       const struct ms_old_array_look *look,
					       ms_old_bucket_fn fn, void *context, bool *ret_end);

void ms_old_array_look_deinit(struct ms_old_array_look *look);
void ms_old_array_deinit(struct ms_old_array *array);
