// safe_support.h - what tests of the safe map share: a value that shows when it is torn, and an
// allocator that refuses.
#pragma once

#include "tests/support/test.h"

#include <hmap/hmap_safe.h>

/** hmap_hash_u64 of a key of eight bytes. */
uint64_t safe_hash(const void *key, uint64_t seed, void *state);

/** A value of two halves that must agree: one torn in two would show. */
struct pair {
	uint64_t number, check;
};

static inline struct pair pair_of(uint64_t number)
{
	return (struct pair){ number, ~number };
}

/** uint64_t to struct pair. */
extern const struct hmap_type safe_pairs;

/** A map that can be made. */
struct hmap_safe *safe_of(const struct hmap_type *type, const struct hmap_safe_options *options);

/** Puts pair_of(@p number), for which there is memory. */
void put_pair(struct hmap_safe *map, uint64_t key, uint64_t number);

/** The capacity that its watermark is a share of. */
size_t safe_capacity(const struct hmap_safe *map);

/** A visit that counts, in *state, pairs that must be whole. */
bool is_whole(const void *key, const void *value, void *state);

/** malloc that counts what is out, and refuses one allocation or all. */
struct safe_memory {
	struct hmap_allocator allocator;
	const struct hmap_allocator *real;
	long blocks;
	long until_refusal; // 0: never
	bool always;        // refuses everything
};

/** Refuses nothing yet.  @p r must stay where it is. */
void safe_memory_init(struct safe_memory *r);
