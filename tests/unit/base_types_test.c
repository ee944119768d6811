// Goal: range checks cannot be fooled by numbers near 2^64, and loads do not care for alignment.
// Method: the edges of each helper, and random ranges against a 128-bit model.
#include "base/types.h"
#include "tests/support/test.h"

MS_TEST(types_range_holds_its_edges)
{
	CHECK(ms_range_holds(0x1000, 0x2000, 0x1000, 0x1000));
	CHECK(ms_range_holds(0x1000, 0x2000, 0x2000, 0));
	CHECK(!ms_range_holds(0x1000, 0x2000, 0x1000, 0x1001));
	CHECK(!ms_range_holds(0x1000, 0x2000, 0xfff, 1));
	CHECK(!ms_range_holds(0x1000, 0x2000, 0x2001, 0));
	CHECK(!ms_range_holds(0x1000, 0x2000, 0x1800, UINT64_MAX));
	CHECK(!ms_range_holds(0x1000, UINT64_MAX, UINT64_MAX - 1, 2));
}

MS_TEST(types_range_holds_agrees_with_wide_arithmetic)
{
	for (unsigned i = 0; i < 100000; i++) {
		uint64_t start = ms_test_random() >> (ms_test_random() % 64);
		uint64_t end = start + ((UINT64_MAX - start) & ms_test_random());
		uint64_t addr = start + (ms_test_random() >> (ms_test_random() % 64));
		uint64_t size = ms_test_random() >> (ms_test_random() % 64);
		bool want = addr >= start && (unsigned __int128)addr + size <= end;

		CHECK_EQ(ms_range_holds(start, end, addr, size), want);
	}
}

MS_TEST(types_loads_are_little_endian_at_any_alignment)
{
	const unsigned char bytes[] = { 0xff, 1, 2, 3, 4, 5, 6, 7, 8 };

	CHECK_EQ(ms_load_u16(bytes + 1), 0x0201);
	CHECK_EQ(ms_load_u32(bytes + 1), 0x04030201);
	CHECK_EQ(ms_load_u64(bytes + 1), 0x0807060504030201);
}

MS_TEST(types_round_up_and_powers)
{
	CHECK_EQ(ms_round_up(0, 8), 0);
	CHECK_EQ(ms_round_up(1, 8), 8);
	CHECK_EQ(ms_round_up(8, 8), 8);
	CHECK(!ms_is_power_of_two(0));
	CHECK(ms_is_power_of_two(1));
	CHECK(!ms_is_power_of_two(6));
	CHECK(ms_is_power_of_two(UINT64_C(1) << 63));
	CHECK_EQ(ms_min_u64(3, UINT64_MAX), 3);
	CHECK_EQ(ms_max_u64(3, UINT64_MAX), UINT64_MAX);
}
