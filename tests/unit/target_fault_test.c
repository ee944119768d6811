// The fault target fails the operation it was told to, counts exactly, and nothing else changes.
#include "target/fault.h"

#include "tests/support/fake_process.h"
#include "tests/unit/target_contract.h"

static struct fake_process p;

static struct ms_target *wrap(unsigned ops, uint64_t at, enum ms_fault_kind kind,
			      enum ms_fault_span span)
{
	const struct ms_fault_plan plan = { ops, at, kind, span };
	struct ms_target *t = NULL;

	fake_process_init(&p);
	CHECK_OK(ms_fault_create(&p.fake.target, &plan, &t));
	return t;
}

static void unwrap(struct ms_target *t)
{
	ms_target_destroy(t);
	fake_process_deinit(&p);
}

/** Three batches of ten reads; *ret_failed is a bit for each read that did not work. */
static struct ms_error *thirty_reads(struct ms_target *t, uint32_t *ret_failed)
{
	uint8_t bufs[10][8];
	struct ms_read reads[10];

	*ret_failed = 0;
	for (unsigned batch = 0; batch < 3; batch++) {
		struct ms_error *err;

		for (unsigned i = 0; i < 10; i++) {
			memset(bufs[i], 0xa5, 8);
			reads[i] = (struct ms_read){ FAKE_HEAP + 8 * i, bufs[i], 8, 77 };
		}
		err = ms_target_read_many(t, reads, 10);
		if (err)
			return err;
		for (unsigned i = 0; i < 10; i++) {
			bool failed = reads[i].status != MS_READ_OK;

			CHECK(memcmp(bufs[i], p.heap + 8 * i, 8) == 0 || failed);
			CHECK(!failed || bufs[i][0] == 0xa5);
			*ret_failed |= (uint32_t)failed << (batch * 10 + i);
		}
	}
	return NULL;
}

MS_TEST(fault_target_without_a_fault_keeps_the_contract)
{
	struct ms_target *t = wrap(MS_FAULT_ANY, UINT64_MAX, MS_FAULT_FAULT, MS_FAULT_ONCE);
	const struct target_facts facts = {
		.addr = FAKE_HEAP,
		.bytes = p.heap,
		.size = 0x1800,
		.bad = FAKE_DEVICE,
		.exe = p.exe,
		.exe_bytes = 64,
	};

	check_target_contract(t, &facts);
	CHECK_EQ(t->cost.read_bytes, p.fake.target.cost.read_bytes);
	unwrap(t);
}

MS_TEST(fault_target_fails_exactly_one_read)
{
	for (unsigned n = 0; n < 32; n++) {
		struct ms_target *t = wrap(MS_FAULT_READ, n, MS_FAULT_FAULT, MS_FAULT_ONCE);
		uint32_t failed;

		CHECK_OK(thirty_reads(t, &failed));
		CHECK_EQ(failed, n < 30 ? 1u << n : 0);
		CHECK_EQ(ms_fault_count(t), 30);
		CHECK_EQ(p.fake.reads, n < 30 ? 29 : 30);
		unwrap(t);
	}
}

MS_TEST(fault_target_sticks)
{
	for (unsigned n = 0; n <= 30; n++) {
		struct ms_target *t = wrap(MS_FAULT_READ, n, MS_FAULT_FAULT, MS_FAULT_STICKY);
		uint32_t failed;

		CHECK_OK(thirty_reads(t, &failed));
		CHECK_EQ(failed, 0x3fffffffu & (uint32_t)(0xffffffffull << n));
		unwrap(t);
	}
}

MS_TEST(fault_target_gone_stays_gone)
{
	for (unsigned n = 0; n < 30; n++) {
		struct ms_target *t = wrap(MS_FAULT_READ, n, MS_FAULT_GONE, MS_FAULT_ONCE);
		struct ms_regions regions;
		uint32_t failed;
		uint8_t byte;

		CHECK_OK(ms_target_check(t));
		CHECK_ERR(thirty_reads(t, &failed), MS_ERR_GONE);
		CHECK_EQ(ms_fault_count(t), n + 1);
		CHECK_ERR(thirty_reads(t, &failed), MS_ERR_GONE);
		CHECK_ERR(ms_target_regions(t, &regions), MS_ERR_GONE);
		CHECK_ERR(ms_target_exe_read(t, 0, &byte, 1), MS_ERR_GONE);
		CHECK_ERR(ms_target_check(t), MS_ERR_GONE);
		unwrap(t);
	}
}

MS_TEST(fault_target_tells_its_kinds_apart)
{
	const struct {
		enum ms_fault_kind kind;
		uint32_t status;
		uint64_t swapped, stuck;
	} cases[] = {
		{ MS_FAULT_FAULT, MS_READ_FAULT, 0, 0 },
		{ MS_FAULT_SWAPPED, MS_READ_SWAPPED, 1, 0 },
		{ MS_FAULT_STUCK, MS_READ_STUCK, 0, 1 },
	};

	for (size_t i = 0; i < MS_ARRAY_SIZE(cases); i++) {
		struct ms_target *t = wrap(MS_FAULT_READ, 0, cases[i].kind, MS_FAULT_ONCE);
		uint8_t buf[8];
		struct ms_read read = { FAKE_HEAP, buf, 8, 77 };

		CHECK_OK(ms_target_read_many(t, &read, 1));
		CHECK_EQ(read.status, cases[i].status);
		CHECK_EQ(t->cost.swapped_pages, cases[i].swapped);
		CHECK_EQ(t->cost.stuck_reads, cases[i].stuck);
		unwrap(t);
	}
}

MS_TEST(fault_target_counts_only_what_the_plan_names)
{
	struct ms_target *t =
	    wrap(MS_FAULT_EXE_READ | MS_FAULT_REGIONS, 1, MS_FAULT_FAULT, MS_FAULT_ONCE);
	struct ms_regions regions;
	uint32_t failed;
	uint8_t byte;

	CHECK_OK(thirty_reads(t, &failed));
	CHECK_EQ(failed, 0);
	CHECK_OK(ms_target_exe_read(t, 0, &byte, 1));
	CHECK_ERR(ms_target_regions(t, &regions), MS_ERR_FAULT);
	CHECK_OK(ms_target_exe_read(t, 0, &byte, 1));
	CHECK_EQ(ms_fault_count(t), 3);
	unwrap(t);
}

MS_TEST(fault_target_starts_over)
{
	const struct ms_fault_plan next = { MS_FAULT_READ, 3, MS_FAULT_FAULT, MS_FAULT_ONCE };
	struct ms_target *t = wrap(MS_FAULT_READ, 5, MS_FAULT_GONE, MS_FAULT_STICKY);
	uint32_t failed;

	CHECK_ERR(thirty_reads(t, &failed), MS_ERR_GONE);
	ms_fault_restart(t, &next);
	CHECK_EQ(ms_fault_count(t), 0);
	CHECK_OK(ms_target_check(t));
	CHECK_OK(thirty_reads(t, &failed));
	CHECK_EQ(failed, 1u << 3);
	CHECK_EQ(ms_fault_count(t), 30);
	unwrap(t);
}
