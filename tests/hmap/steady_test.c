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

MS_TEST(steady_null_map_reads_as_empty)
{
	CHECK(!numbers_get(NULL, 1));
	CHECK_EQ(numbers_count(NULL), 0);
	CHECK_EQ(numbers_put(NULL, 1, 1), HMAP_NULL_MAP);
	CHECK_EQ(numbers_erase(NULL, 1), HMAP_NULL_MAP);
	numbers_destroy(NULL);
}
