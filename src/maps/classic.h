// classic.h - Go's map of bucket arrays: runtime.hmap, up to Go 1.23 and with noswissmap.
//
// Pure functions over bytes that were read elsewhere: nothing here touches a target.
#pragma once

#include "golang/layout.h"

enum {
	MS_CLASSIC_SLOTS = 8, // Slots of a bucket (abi.MapBucketCount).
	MS_CLASSIC_TAG_EMPTY_REST = 0,
	MS_CLASSIC_TAG_EMPTY_ONE = 1,
	MS_CLASSIC_TAG_MIN = 5,          // runtime.minTopHash: a tag of a filled slot.
	MS_CLASSIC_NOVERFLOW_EXACT = 16, // Below this B, noverflow is counted, above estimated.
};

struct ms_classic_map {
	uint64_t count;
	ms_addr buckets, oldbuckets, extra;
	uint64_t nevacuate;
	uint32_t seed;
	uint16_t noverflow;
	uint8_t bucket_log2;
	bool same_size; // The growth under way keeps the size.
};

enum ms_classic_header {
	MS_CLASSIC_NOT,           // No Go program leaves such a header.
	MS_CLASSIC_NEVER_WRITTEN, // A seed and nothing else.
	MS_CLASSIC_MAP,
};

/** Take a header apart and hold it against what the runtime keeps true. */
enum ms_classic_header ms_classic_parse(const struct ms_go_layout *layout, const uint8_t *raw,
					struct ms_classic_map *ret_map);

/** Old buckets of a map that is growing, 0 when it is not. */
uint64_t ms_classic_old_buckets(const struct ms_classic_map *map);

/**
 * Twice the load factor, entries for each bucket: 13, but 12 in Go 1.21, which rounded 8 * 13 / 16
 * down before it doubled it (loadFactorNum in runtime/map.go).
 */
static inline uint32_t ms_classic_load_twice(const struct ms_go_layout *layout)
{
	return layout->since >= MS_GO(1, 21) && layout->until <= MS_GO(1, 22) ? 12 : 13;
}

/** Entries at which the next growth starts: the first count over the load factor. */
uint64_t ms_classic_grow_at(const struct ms_go_layout *layout, unsigned bucket_log2);

/**
 * Filled slots among the 8 tags of a bucket in a current array, or -1 when the tags are none:
 * a tag of an evacuated slot, or a filled slot behind emptyRest.
 */
int ms_classic_bucket_entries(const uint8_t tags[8]);

/** True when the tags of an old bucket say that it was evacuated: each X, Y or evacuatedEmpty. */
bool ms_classic_bucket_evacuated(const uint8_t tags[8]);
