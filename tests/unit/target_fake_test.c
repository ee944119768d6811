// The fake target keeps the contract, and fails exactly where it is told to.
#include "tests/support/fake_process.h"
#include "tests/unit/target_contract.h"

MS_TEST(fake_target_keeps_the_contract)
{
	static struct fake_process p;
	struct target_facts facts;

	fake_process_init(&p);
	facts = (struct target_facts){
		.addr = FAKE_HEAP + 0x21000,
		.bytes = p.heap + 0x21000,
		.size = 0x1000,
		.bad = FAKE_DEVICE,
		.exe_offset = 0x1ff0,
		.exe = p.exe + 0x1ff0,
		.exe_bytes = 0x120,
	};
	check_target_contract(&p.fake.target, &facts);
	fake_process_deinit(&p);
}

MS_TEST(fake_target_reads_across_buffers_but_not_past_them)
{
	const uint8_t a[24] = { 1, 2, 3 }, b[24] = { 4, 5, 6 };
	struct fake_target fake;
	uint8_t buf[64];

	fake_target_init(&fake);
	fake_target_map(&fake, 0x10018, b, sizeof(b), MS_REGION_ANON, MS_PROT_READ);
	fake_target_map(&fake, 0x10000, a, sizeof(a), MS_REGION_ANON, MS_PROT_READ);
	CHECK_OK(ms_target_read(&fake.target, 0x10000, buf, 48));
	CHECK(memcmp(buf, a, 24) == 0 && memcmp(buf + 24, b, 24) == 0);
	CHECK_ERR(ms_target_read(&fake.target, 0x10000, buf, 49), MS_ERR_FAULT);
	CHECK_ERR(ms_target_read(&fake.target, 0xffff, buf, 2), MS_ERR_FAULT);
	fake_target_unmap(&fake, 0x10018);
	CHECK_ERR(ms_target_read(&fake.target, 0x10018, buf, 1), MS_ERR_FAULT);
	CHECK_OK(ms_target_read(&fake.target, 0x10017, buf, 1));
	fake_target_deinit(&fake);
}

MS_TEST(fake_target_fails_the_read_it_was_told_to)
{
	uint8_t bytes[64] = { 0 }, buf[8];
	struct fake_target fake;
	struct ms_read reads[4];

	fake_target_init(&fake);
	fake_target_map(&fake, 0x10000, bytes, sizeof(bytes), MS_REGION_ANON, MS_PROT_READ);
	CHECK_OK(ms_target_read(&fake.target, 0x10000, buf, 8)); // Not counted: it came before.
	for (size_t i = 0; i < 4; i++)
		reads[i] = (struct ms_read){ .addr = 0x10000, .buf = buf, .size = 8 };
	fake_target_fail_read_as(&fake, 2, MS_READ_SWAPPED);
	CHECK_OK(ms_target_read_many(&fake.target, reads, 4));
	CHECK_EQ(reads[1].status, MS_READ_OK);
	CHECK_EQ(reads[2].status, MS_READ_SWAPPED);
	CHECK_EQ(reads[3].status, MS_READ_OK);
	fake_target_fail_read(&fake, 0);
	CHECK_ERR(ms_target_read(&fake.target, 0x10000, buf, 8), MS_ERR_FAULT);
	CHECK_OK(ms_target_read(&fake.target, 0x10000, buf, 8));
	fake_target_deinit(&fake);
}

MS_TEST(fake_target_goes_away_when_told_to)
{
	uint8_t bytes[64] = { 0 }, buf[8];
	struct fake_target fake;
	struct ms_regions regions;

	fake_target_init(&fake);
	fake_target_map(&fake, 0x10000, bytes, sizeof(bytes), MS_REGION_ANON, MS_PROT_READ);
	fake_target_exe(&fake, bytes, sizeof(bytes));
	fake_target_gone_after(&fake, 1);
	CHECK_OK(ms_target_check(&fake.target));
	CHECK_OK(ms_target_read(&fake.target, 0x10000, buf, 8));
	CHECK_ERR(ms_target_read(&fake.target, 0x10000, buf, 8), MS_ERR_GONE);
	CHECK_ERR(ms_target_regions(&fake.target, &regions), MS_ERR_GONE);
	CHECK_ERR(ms_target_exe_read(&fake.target, 0, buf, 8), MS_ERR_GONE);
	CHECK_ERR(ms_target_check(&fake.target), MS_ERR_GONE);
	fake_target_deinit(&fake);
}

static void count_up(void *arg, uint64_t index, const struct ms_read *read)
{
	uint8_t *bytes = arg;

	bytes[read->addr - 0x10000] = (uint8_t)(index + 1);
}

MS_TEST(fake_target_can_move_under_its_reader)
{
	uint8_t bytes[64] = { 0 }, seen;
	struct fake_target fake;

	fake_target_init(&fake);
	fake_target_map(&fake, 0x10000, bytes, sizeof(bytes), MS_REGION_ANON, MS_PROT_READ);
	fake_target_before_read(&fake, count_up, bytes);
	for (unsigned i = 1; i <= 3; i++) {
		CHECK_OK(ms_target_read(&fake.target, 0x10005, &seen, 1));
		CHECK_EQ(seen, i);
	}
	fake_target_deinit(&fake);
}

MS_TEST(fake_target_regions_join_and_round)
{
	uint8_t bytes[64] = { 0 };
	struct fake_target fake;
	struct ms_regions regions;

	fake_target_init(&fake);
	fake_target_map(&fake, 0x10010, bytes, 16, MS_REGION_ANON, MS_PROT_READ);
	fake_target_map(&fake, 0x10ff8, bytes, 16, MS_REGION_ANON, MS_PROT_READ);
	fake_target_map(&fake, 0x12000, bytes, 16, MS_REGION_OTHER, MS_PROT_READ);
	fake_target_map_exe(&fake, 0x20010, bytes, 16, 0x3010, MS_PROT_READ);
	CHECK_OK(ms_target_regions(&fake.target, &regions));
	CHECK_EQ(regions.count, 3);
	CHECK_EQ(regions.items[0].start, 0x10000);
	CHECK_EQ(regions.items[0].end, 0x12000);
	CHECK_EQ(regions.items[1].kind, MS_REGION_OTHER);
	CHECK_EQ(regions.items[2].start, 0x20000);
	CHECK_EQ(regions.items[2].file_offset, 0x3000);
	ms_regions_deinit(&regions);
	fake_target_deinit(&fake);
}
