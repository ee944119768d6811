// Goal: what was added is found through every growth, and nothing else.
// Method: add past several growths, with keys that differ in high bits only.
#include "base/number_map.h"

#include "tests/support/test.h"

MS_TEST(number_map_keeps_what_was_added)
{
	struct ms_number_map map = { 0 };

	CHECK(!ms_number_map_find(&map, 1));
	for (uint32_t i = 1; i <= 10000; i++)
		CHECK(ms_number_map_add(&map, (uint64_t)i << 40, i));
	CHECK_EQ(map.count, 10000);
	for (uint32_t i = 1; i <= 10000; i++) {
		const uint32_t *value = ms_number_map_find(&map, (uint64_t)i << 40);

		CHECK(value && *value == i);
		CHECK(!ms_number_map_find(&map, i));
	}
	CHECK(!ms_number_map_find(&map, 0));
	ms_number_map_deinit(&map);
	CHECK(!map.keys && !map.count);
}
