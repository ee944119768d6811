// Goal: eight tags taken as one word are judged like one tag after the other.
// Method: words of random tags, mostly small ones, against a loop written down from the rules.
#include "maps/classic.h"

#include "tests/support/test.h"

static int entries_one_by_one(const uint8_t tags[8])
{
	int entries = 0;
	bool rest = false;

	for (unsigned i = 0; i < 8; i++) {
		if (tags[i] > 1 && tags[i] < 5)
			return -1;
		if (rest && tags[i])
			return -1;
		rest = tags[i] == 0;
		entries += tags[i] >= 5;
	}
	return entries;
}

MS_TEST(classic_bucket_entries_of_any_tags)
{
	enum { TIMES = 200000 };
	unsigned valid = 0;

	for (unsigned i = 0; i < TIMES; i++) {
		static const uint8_t some[16] = { 0, 1,  5,   6,   127, 128, 129, 254,
						  1, 40, 200, 255, 2,   3,   4,   0 };
		uint64_t random = ms_test_random();
		unsigned kinds = i % 2 ? 12 : 16; // Half without what makes it none.
		unsigned filled = i % 9;
		uint8_t tags[8] = { 0 };

		for (unsigned k = 0; k < (i % 4 == 3 ? 8 : filled); k++)
			tags[k] = some[(random >> (4 * k)) % kinds];
		CHECK_EQ(ms_classic_bucket_entries(tags), entries_one_by_one(tags));
		valid += entries_one_by_one(tags) >= 0;
	}
	CHECK(valid > TIMES / 8);
	CHECK(valid < TIMES);
}

MS_TEST(classic_bucket_entries_of_each_tag)
{
	for (unsigned tag = 0; tag < 256; tag++) {
		for (unsigned i = 0; i < 8; i++) {
			uint8_t low[8] = { 1, 1, 1, 1, 1, 1, 1, 1 };
			uint8_t high[8] = { 255, 255, 255, 255, 255, 255, 255, 255 };

			low[i] = high[i] = (uint8_t)tag;
			CHECK_EQ(ms_classic_bucket_entries(low), entries_one_by_one(low));
			CHECK_EQ(ms_classic_bucket_entries(high), entries_one_by_one(high));
		}
	}
}

MS_TEST(classic_growth_starts_at_the_load_of_the_release)
{
	struct ms_go_layout go119 = { .since = MS_GO_PATCH(1, 19, 4), .until = MS_GO(1, 20) };
	struct ms_go_layout go121 = { .since = MS_GO(1, 21), .until = MS_GO(1, 22) };
	struct ms_go_layout go124 = { .since = MS_GO(1, 24), .until = MS_GO(1, 25) };

	CHECK_EQ(ms_classic_grow_at(&go119, 0), 9);
	CHECK_EQ(ms_classic_grow_at(&go121, 0), 9);
	CHECK_EQ(ms_classic_grow_at(&go119, 1), 14);
	CHECK_EQ(ms_classic_grow_at(&go121, 1), 13);
	CHECK_EQ(ms_classic_grow_at(&go119, 10), 6657);
	CHECK_EQ(ms_classic_grow_at(&go121, 10), 6145);
	CHECK_EQ(ms_classic_grow_at(&go124, 10), 6657);
}
