// classic.h - the classic engine, as the calls of hmap.h see it.
//
// What each does is what the call of the same name in hmap.h says, for a map that is there.  A map
// of this engine is used by one thread at a time; who breaks that is told in Go's words through
// hmap_misuse_found(), and HMAP_MISUSE comes back where there is a status, NULL or false elsewhere.
#pragma once

#include <hmap/hmap.h>
#include <hmap/hmap_classic.h>
#include <hmap/hmap_registry.h>

struct hmap_classic_table;
struct hmap_classic_iteration;

/** How keys are compared: what the compiler knows of their size. */
enum hmap_classic_keys {
	HMAP_CLASSIC_KEYS_64,    // Eight bytes, equal when the bytes are.
	HMAP_CLASSIC_KEYS_32,    // Four of them.
	HMAP_CLASSIC_KEYS_BYTES, // Any number.
	HMAP_CLASSIC_KEYS_CALL,  // The type has a function for it.
};

/** A classic map.  Its first bytes are Go's: its address is the address of an hmap. */
struct hmap_classic {
	struct go_hmap h;
	struct go_mapextra extra; // What h.extra points to, once Go's would.
	uintptr_t writer;         // Who is writing just now; 0: nobody.

	// What follows from the type, in the words of Go's maptype.
	uint32_t keysize, elemsize; // In a slot.
	uint32_t bucketsize;
	uint32_t elems_at; // In a bucket.
	uint8_t keys;      // enum hmap_classic_keys
	bool indirectkey, indirectelem;
	bool key_points, elem_points; // To something: an erased one is cleared.
	bool reflexivekey;
	uint32_t load_num; // loadFactorNum: halves of an entry for each bucket.

	uint64_t random; // The state of fastrand().
	struct hmap_classic_table *now, *old;
	struct hmap_classic_table *dropped;        // Goes with the end of the write under way.
	struct hmap_classic_table *retired;        // Kept for iterations that began on them.
	struct hmap_classic_iteration *iterations; // All that have not ended.
	uint64_t clears;                           // An iteration ends when this has moved.

	hmap_hash_fn hash;
	void *state;
	const struct hmap_type *type;
	const struct hmap *map; // For hooks.
	const struct hmap_allocator *allocator;
	size_t bytes; // All memory of the map.
	uint64_t growths, compactions;
};

enum hmap_status hmap_classic_create(struct hmap *map, const struct hmap_type *type,
				     const struct hmap_options *options, uint64_t seed,
				     struct hmap_classic **ret);
void hmap_classic_destroy(struct hmap_classic *c);
size_t hmap_classic_count(const struct hmap_classic *c);
uint8_t hmap_classic_B(const struct hmap_classic *c);

/** What a search for @p key looks at: hash, bucket, shift, tag, probes, found. */
void hmap_classic_look(const struct hmap_classic *c, const void *key,
		       struct hmap_access *ret_access);

void *hmap_classic_get(const struct hmap_classic *c, const void *key);
enum hmap_status hmap_classic_put(struct hmap_classic *c, const void *key, const void *value);
enum hmap_status hmap_classic_get_or_put(struct hmap_classic *c, const void *key, const void *value,
					 void **ret_value, bool *ret_added);
enum hmap_status hmap_classic_erase(struct hmap_classic *c, const void *key);
enum hmap_status hmap_classic_clear(struct hmap_classic *c);

void hmap_classic_iterate(struct hmap_classic *c, struct hmap_iterator *ret_iterator);
bool hmap_classic_next(struct hmap_iterator *iterator);
void hmap_classic_iterate_end(struct hmap_iterator *iterator);

/** A copy as Go 1.21 makes it: the same hash0, a table of its own, no growth under way. */
enum hmap_status hmap_classic_clone(const struct hmap_classic *c, struct hmap *map,
				    struct hmap_classic **ret);

/** Go has no way to ask for more room or less: HMAP_PASS_SHRINK is not supported, and neither is a
 *  pass while another one is under way. */
enum hmap_status hmap_classic_begin_pass(struct hmap_classic *c, enum hmap_pass pass);

/** Moves up to @p blocks old buckets; how many are left. */
size_t hmap_classic_step(struct hmap_classic *c, size_t blocks);

enum hmap_status hmap_classic_stats(const struct hmap_classic *c, enum hmap_stats_how how,
				    struct hmap_stats *ret_stats);
void hmap_classic_each_bucket(const struct hmap_classic *c, hmap_bucket_fn visit, void *state);
enum hmap_status hmap_classic_check(const struct hmap_classic *c, const char **ret_text);
