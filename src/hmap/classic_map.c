// classic_map.c - Go's map of 1.19 to 1.23 in C: what a map is, how it begins, how it is read.
//
// This is the design that articles about Go's map describe, with its names; hmap_classic.h draws
// it.  It lives here as the reference that the steady engine is measured against, and as maps whose
// state is known, for whoever writes tools that read Go's.  Traces of a real Go program are
// replayed against it and have to leave the same bytes.
//
// What differs is what C needs: there is no collector, so arrays and overflow buckets have owners
// (classic_buckets.c), iterations hold what they look at (classic_iter.c), and every allocation may
// fail without harm.  And eight tags are compared at once, where Go's code looks at one after the
// other, or, for integer keys, at the keys themselves: the result is the same.
//
// A type says nothing about pointers in it, but Go needs to know: it clears an erased slot only
// where something could be kept alive by it.  Here a key or value has pointers when the type has a
// function to copy or destroy it, or when it lies outside of the bucket.
#include "hmap/classic_internal.h"

#include <time.h>

static uint32_t natural_align(uint32_t size, uint32_t given)
{
	if (given)
		return given;
	return size % 8 == 0 ? 8 : size % 4 == 0 ? 4 : size % 2 == 0 ? 2 : 1;
}

/** Go knows no alignment over 8; what needs more lies elsewhere, as what is large does. */
static bool by_reference(uint32_t size, uint32_t align)
{
	return size > HMAP_GO_MAX_SIZE || natural_align(size, align) > 8;
}

static void take_shape(struct hmap_classic *c, const struct hmap_type *type)
{
	uint32_t align = sizeof(void *), size;

	c->indirectkey = by_reference(type->key_size, type->key_align);
	c->indirectelem = type->value_size && by_reference(type->value_size, type->value_align);
	c->keysize = c->indirectkey ? (uint32_t)sizeof(void *) : type->key_size;
	c->elemsize = c->indirectelem ? (uint32_t)sizeof(void *) : type->value_size;
	c->elems_at = dataOffset + bucketCnt * c->keysize;
	if (natural_align(c->keysize, type->key_align) == 8 ||
	    (c->elemsize && natural_align(c->elemsize, type->value_align) == 8))
		align = 8;
	size = c->elems_at + bucketCnt * c->elemsize + (uint32_t)sizeof(void *);
	c->bucketsize = (size + align - 1) & ~(align - 1);
	c->key_points = c->indirectkey || type->key_copy || type->key_destroy;
	c->elem_points = c->indirectelem || type->value_copy || type->value_destroy;
	c->reflexivekey = !(type->flags & HMAP_IRREFLEXIVE);
	c->keys = type->equal           ? HMAP_CLASSIC_KEYS_CALL
		  : c->indirectkey      ? HMAP_CLASSIC_KEYS_BYTES
		  : type->key_size == 8 ? HMAP_CLASSIC_KEYS_64
		  : type->key_size == 4 ? HMAP_CLASSIC_KEYS_32
					: HMAP_CLASSIC_KEYS_BYTES;
}

static enum hmap_status first_table(struct hmap_classic *c, size_t hint)
{
	struct hmap_classic_table *table;
	uint8_t B = 0;

	if (hint > SIZE_MAX / 4 / c->bucketsize)
		return HMAP_TOO_LARGE;
	while (overLoadFactor(c, hint, B))
		B++;
	if (!B)
		return HMAP_OK; // The one bucket comes with the first entry.
	table = hmap_classic_makeBucketArray(c, B);
	if (!table)
		return HMAP_NO_MEMORY;
	hmap_classic_use_table(c, table);
	return HMAP_OK;
}

/** Another number each time, also where the seed is a fixed one: iteration does not repeat. */
static uint64_t first_random(const struct hmap_classic *c, uint64_t seed)
{
	struct timespec now = { 0 };

	(void)timespec_get(&now, TIME_UTC);
	return seed ^ (uint64_t)(uintptr_t)c << 16 ^ (uint64_t)now.tv_sec << 32 ^
	       (uint64_t)now.tv_nsec;
}

enum hmap_status hmap_classic_create(struct hmap *map, const struct hmap_type *type,
				     const struct hmap_options *options, uint64_t seed,
				     struct hmap_classic **ret)
{
	const struct hmap_allocator *allocator = options->allocator;
	struct hmap_classic *c = allocator->allocate(allocator->state, sizeof(*c), 64);
	enum hmap_status status;

	if (!c)
		return HMAP_NO_MEMORY;
	memset(c, 0, sizeof(*c));
	c->map = map;
	c->type = type;
	c->hash = type->hash;
	c->state = type->state;
	c->allocator = allocator;
	c->bytes = sizeof(*c);
	c->h.hash0 = (uint32_t)seed;
	c->random = first_random(c, seed);
	c->load_num = options->load > 0 ? (uint32_t)(options->load * 16 + 0.5) : HMAP_GO_LOAD_NUM;
	take_shape(c, type);
	status = first_table(c, options->hint);
	if (status != HMAP_OK) {
		allocator->release(allocator->state, c, sizeof(*c), 64);
		return status;
	}
	*ret = c;
	return HMAP_OK;
}

void hmap_classic_destroy(struct hmap_classic *c)
{
	if (!c)
		return;
	hmap_classic_end_iterations(c);
	hmap_classic_destroy_entries(c);
	if (c->now)
		hmap_classic_drop_table(c, c->now);
	if (c->old)
		hmap_classic_drop_table(c, c->old);
	c->allocator->release(c->allocator->state, c, sizeof(*c), 64);
}

size_t hmap_classic_count(const struct hmap_classic *c)
{
	return c->h.count;
}

uint8_t hmap_classic_B(const struct hmap_classic *c)
{
	return c->h.B;
}

/** mapaccess1. */
INLINE void *mapaccess1(const struct hmap_classic *c, const void *key, enum hmap_classic_keys keys)
{
	uint64_t hash;
	unsigned i;
	bmap *b;

	if (UNLIKELY(!c->h.count) || begin_read(c, "concurrent map read and map write") != HMAP_OK)
		return NULL;
	hash = hash_of(c, key);
	b = find_in_chain(c, bucket_of_hash(c, hash), key, tophash(hash), keys, &i);
	return b ? elem_of(c, b, i) : NULL;
}

void *hmap_classic_get(const struct hmap_classic *c, const void *key)
{
	switch ((enum hmap_classic_keys)c->keys) {
	case HMAP_CLASSIC_KEYS_64:
		return mapaccess1(c, key, HMAP_CLASSIC_KEYS_64);
	case HMAP_CLASSIC_KEYS_32:
		return mapaccess1(c, key, HMAP_CLASSIC_KEYS_32);
	default:
		return mapaccess1(c, key, (enum hmap_classic_keys)c->keys);
	}
}
