// Goal: the steady engine keeps what is put into it, through growth, halving and overflow.
// Method: small scenarios whose outcome is known; the model test has the rest.
#include "tests/support/test.h"

#include <hmap/hmap_typed.h>
#include <stdlib.h>

HMAP_DEFINE(numbers, uint64_t, uint64_t)

static uint64_t mixed(uint64_t x)
{
	return hmap_hash_u64(x + 1, UINT64_C(0x9e3779b97f4a7c15));
}

static void fill_and_empty(const struct hmap_options *options, size_t count)
{
	struct numbers *m = NULL;
	struct hmap_iterator it;
	size_t seen = 0;

	CHECK_EQ(numbers_create(options, &m), HMAP_OK);
	for (size_t i = 0; i < count; i++)
		CHECK_EQ(numbers_put(m, mixed(i), i), HMAP_OK);
	CHECK_EQ(numbers_count(m), count);
	for (size_t i = 0; i < count; i++) {
		uint64_t *value = numbers_get(m, mixed(i));

		CHECK(value && *value == i);
		CHECK(!numbers_get(m, mixed(i + count)));
	}
	for (hmap_iterate(&m->map, &it); hmap_next(&it);)
		seen++;
	CHECK_EQ(seen, count);
	for (size_t i = 0; i < count; i++)
		CHECK_EQ(numbers_erase(m, mixed(i)), HMAP_OK);
	CHECK_EQ(numbers_count(m), 0);
	CHECK_EQ(numbers_erase(m, mixed(0)), HMAP_NOT_FOUND);
	numbers_destroy(m);
}

MS_TEST(steady_fills_and_empties)
{
	struct hmap_options shrinking = { .shrink = 0.25 };
	struct hmap_options classic = { .engine = HMAP_CLASSIC };
	struct hmap_options segments = { .allocator = hmap_malloc_allocator(), .shrink = 0.25 };

	for (size_t count = 1; count < 100000; count = count * 3 + 1) {
		fill_and_empty(NULL, count);
		fill_and_empty(&shrinking, count);
		fill_and_empty(&segments, count);
		fill_and_empty(&classic, count);
	}
}

static uint64_t hash_page(const void *key, uint64_t seed, void *state)
{
	uint64_t number;

	(void)state;
	memcpy(&number, key, sizeof(number));
	return hmap_hash_u64(number, seed);
}

/** With values so large that a growth is prepared: the block it moves to is made ahead. */
static void fill_empty_and_reserve(const struct hmap_options *options, size_t entries)
{
	static const unsigned char value[1016] = { 7 };
	static const struct hmap_type pages = { .key_size = 8,
						.value_size = sizeof(value),
						.flags = HMAP_KEEP_IN_PLACE,
						.hash = hash_page };
	struct hmap *m = NULL;

	CHECK_EQ(hmap_create(&pages, options, &m), HMAP_OK);
	for (uint64_t i = 0; i < entries; i++)
		CHECK_EQ(hmap_put(m, &i, value), HMAP_OK);
	for (uint64_t i = 0; i < entries; i++)
		CHECK_EQ(hmap_erase(m, &i), HMAP_OK);
	CHECK_EQ(hmap_reserve(m, entries * 4, HMAP_RESERVE_PLAIN), HMAP_OK);
	for (uint64_t i = 0; i < entries * 4; i++)
		CHECK_EQ(hmap_put(m, &i, value), HMAP_OK);
	CHECK_EQ(hmap_count(m), entries * 4);
	CHECK_EQ(hmap_check(m, NULL), HMAP_OK);
	hmap_destroy(m);
}

MS_TEST(steady_reserve_of_an_emptied_map_frees_each_block_once)
{
	struct hmap_options in_segments = { .allocator = hmap_malloc_allocator() };

	for (size_t entries = 1; entries < 100; entries++) {
		fill_empty_and_reserve(NULL, entries);
		fill_empty_and_reserve(&in_segments, entries);
	}
}

MS_TEST(steady_null_map_reads_as_empty)
{
	CHECK(!numbers_get(NULL, 1));
	CHECK_EQ(numbers_count(NULL), 0);
	CHECK_EQ(numbers_put(NULL, 1, 1), HMAP_NULL_MAP);
	CHECK_EQ(numbers_erase(NULL, 1), HMAP_NULL_MAP);
	numbers_destroy(NULL);
}
