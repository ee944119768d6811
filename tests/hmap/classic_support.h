// classic_support.h - what tests of the classic engine share: types of several shapes, an allocator
// that counts and refuses, and a map that is made in one line.
#pragma once

#include "hmap/classic.h"

#include <hmap/hmap_hash.h>

enum { CLASSIC_KEY_BYTES_MAX = 200, CLASSIC_VALUE_BYTES_MAX = 300 };

/** A type, and how a number becomes a key or a value of it and what a value's number is. */
struct classic_kind {
	const char *name;
	struct hmap_type type;
	void (*make_key)(uint64_t number, void *ret_key);
	void (*make_value)(uint64_t number, void *ret_value);
	uint64_t (*value_number)(const void *value);
	uint64_t (*key_number)(const void *key);
};

/** uint64 to uint64, uint32 set, 24 bytes to uint16, 200 bytes to 300, owned text to owned text. */
extern const struct classic_kind classic_kinds[];
extern const size_t classic_kind_count;

/** Seven hashes for all keys: long chains, same-size growths; for types with @p base. */
struct hmap_type classic_colliding(const struct hmap_type *base);

/** Malloc that counts what is out, and refuses from the `refuse_at`th allocation on. */
struct classic_memory {
	size_t blocks, bytes; // Out now.
	size_t calls;
	size_t refuse_at;   // 0: never.
	size_t refuse_from; // Bytes; every larger one is refused; 0: none.
	bool once;          // Refuses only that one.
};
struct hmap_allocator classic_allocator(struct classic_memory *memory);

/** A map of @p type; fails the test when it cannot be had. */
struct hmap_classic *classic_map(const struct hmap_type *type, const struct hmap_allocator *a,
				 uint64_t seed);

/** Fails the test with what is wrong with the map, if anything is. */
void classic_must_hold(const struct hmap_classic *c);
