// What tests of the safe map share.
#include "tests/hmap/safe_support.h"

#include <hmap/hmap_hash.h>

uint64_t safe_hash(const void *key, uint64_t seed, void *state)
{
	uint64_t k;

	(void)state;
	memcpy(&k, key, sizeof(k));
	return hmap_hash_u64(k, seed);
}

const struct hmap_type safe_pairs = {
	.name = "safe_pairs",
	.key_size = 8,
	.value_size = sizeof(struct pair),
	.hash = safe_hash,
};

struct hmap_safe *safe_of(const struct hmap_type *type, const struct hmap_safe_options *options)
{
	struct hmap_safe *map = NULL;

	CHECK_EQ(hmap_safe_create(type, options, &map), HMAP_OK);
	return map;
}

void put_pair(struct hmap_safe *map, uint64_t key, uint64_t number)
{
	struct pair value = pair_of(number);

	CHECK_EQ(hmap_safe_put(map, &key, &value), HMAP_OK);
}

size_t safe_capacity(const struct hmap_safe *map)
{
	struct hmap_safe_stats stats;

	CHECK_EQ(hmap_safe_stats(map, HMAP_STATS_QUICK, &stats), HMAP_OK);
	return stats.capacity;
}

bool is_whole(const void *key, const void *value, void *state)
{
	const struct pair *pair = value;

	(void)key;
	CHECK_EQ(pair->check, ~pair->number);
	++*(size_t *)state;
	return true;
}

static bool refuses(struct safe_memory *r)
{
	return r->always || (r->until_refusal > 0 && --r->until_refusal == 0);
}

static void *refusing_allocate(void *state, size_t size, size_t align)
{
	struct safe_memory *r = state;
	void *memory = refuses(r) ? NULL : r->real->allocate(r->real->state, size, align);

	r->blocks += memory != NULL;
	return memory;
}

static void refusing_release(void *state, void *memory, size_t size, size_t align)
{
	struct safe_memory *r = state;

	r->blocks--;
	r->real->release(r->real->state, memory, size, align);
}

void safe_memory_init(struct safe_memory *r)
{
	*r = (struct safe_memory){ .real = hmap_malloc_allocator() };
	r->allocator = (struct hmap_allocator){ .allocate = refusing_allocate,
						.release = refusing_release,
						.state = r };
}
