// target_contract.h - what target.h promises, checked over any kind of target.
//
// A test describes one place of its target that can be read and one that cannot; the checks are
// the same for all.
#pragma once

#include "target/target.h"
#include "tests/support/test.h"

#include <stdlib.h>
#include <unistd.h>

/** What a test knows about its target. */
struct target_facts {
	ms_addr addr; // Readable, with these bytes; at least 64 of them.
	const uint8_t *bytes;
	size_t size;         // At most MS_READ_BYTES_MAX.
	ms_addr bad;         // Not readable, nor the byte behind it.
	uint64_t exe_offset; // Of the executable, with these bytes.
	const uint8_t *exe;
	size_t exe_bytes;
};

static inline void contract_single_reads(struct ms_target *t, const struct target_facts *f)
{
	uint8_t *buf = malloc(f->size);

	CHECK_OK(ms_target_read(t, f->addr, buf, f->size));
	CHECK(memcmp(buf, f->bytes, f->size) == 0);
	CHECK_OK(ms_target_read(t, f->addr + f->size - 1, buf, 1));
	CHECK_EQ(buf[0], f->bytes[f->size - 1]);
	for (size_t at = 0; at + 8 <= 64; at += 3) {
		CHECK_OK(ms_target_read(t, f->addr + at, buf, 8));
		CHECK(memcmp(buf, f->bytes + at, 8) == 0);
	}
	free(buf);
}

static inline void contract_faults(struct ms_target *t, const struct target_facts *f)
{
	const ms_addr bad[] = { f->bad, 0, 1, UINT64_MAX - 7, UINT64_MAX, (ms_addr)1 << 63 };
	uint8_t buf[16];

	for (size_t i = 0; i < MS_ARRAY_SIZE(bad); i++) {
		memset(buf, 0xa5, sizeof(buf));
		CHECK_ERR(ms_target_read(t, bad[i], buf, sizeof(buf)), MS_ERR_FAULT);
		for (size_t k = 0; k < sizeof(buf); k++)
			CHECK_EQ(buf[k], 0xa5);
	}
}

/** Good and bad reads in one batch: each has its own status, and the order does not matter. */
static inline void contract_batches(struct ms_target *t, const struct target_facts *f)
{
	enum { COUNT = 40 };
	struct ms_read reads[COUNT];
	uint8_t bufs[COUNT][8];
	struct ms_target_cost before = t->cost;

	for (size_t i = 0; i < COUNT; i++) {
		memset(bufs[i], 0xa5, 8);
		reads[i] = (struct ms_read){
			.addr = i % 3 == 1 ? f->bad : f->addr + (COUNT - i),
			.buf = bufs[i],
			.size = 8,
			.status = 77,
		};
	}
	CHECK_OK(ms_target_read_many(t, reads, COUNT));
	for (size_t i = 0; i < COUNT; i++) {
		const uint8_t untouched[8] = { 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5 };
		bool good = i % 3 != 1;

		CHECK_EQ(reads[i].status, good ? MS_READ_OK : MS_READ_FAULT);
		CHECK(memcmp(bufs[i], good ? f->bytes + (COUNT - i) : untouched, 8) == 0);
	}
	CHECK(t->cost.reads > before.reads);
	CHECK(t->cost.read_bytes >= before.read_bytes + 8 * 27);
	CHECK_OK(ms_target_read_many(t, reads, 0));
}

/** Lent or not, the bytes are where buf points. */
static inline void contract_lent(struct ms_target *t, const struct target_facts *f)
{
	uint8_t bufs[3][8];
	struct ms_read reads[3] = {
		{ f->addr + 3, bufs[0], 8, 77 },
		{ f->bad, bufs[1], 8, 77 },
		{ f->addr, bufs[2], 8, 77 },
	};

	CHECK_OK(ms_target_read_lent(t, reads, 3));
	CHECK_EQ(reads[0].status, MS_READ_OK);
	CHECK_EQ(reads[1].status, MS_READ_FAULT);
	CHECK_EQ(reads[2].status, MS_READ_OK);
	CHECK(memcmp(reads[0].buf, f->bytes + 3, 8) == 0);
	CHECK(memcmp(reads[2].buf, f->bytes, 8) == 0);
}

static inline void contract_regions(struct ms_target *t, const struct target_facts *f)
{
	struct ms_regions regions = { 0 };
	const struct ms_region *region;

	CHECK_OK(ms_target_regions(t, &regions));
	CHECK(regions.count > 0);
	for (size_t i = 0; i < regions.count; i++) {
		CHECK(regions.items[i].start < regions.items[i].end);
		CHECK_EQ(regions.items[i].start % 4096, 0);
		CHECK_EQ(regions.items[i].end % 4096, 0);
		CHECK(i == 0 || regions.items[i - 1].end <= regions.items[i].start);
	}
	region = ms_regions_find(&regions, f->addr);
	CHECK(region != NULL);
	CHECK(region->kind != MS_REGION_OTHER);
	CHECK(region->prot & MS_PROT_READ);
	ms_regions_deinit(&regions);
}

static inline void contract_exe(struct ms_target *t, const struct target_facts *f)
{
	uint8_t *buf = malloc(f->exe_bytes);

	CHECK(t->exe_size >= f->exe_offset + f->exe_bytes);
	CHECK_OK(ms_target_exe_read(t, f->exe_offset, buf, f->exe_bytes));
	CHECK(memcmp(buf, f->exe, f->exe_bytes) == 0);
	CHECK_EQ(pread(ms_target_exe_fd(t), buf, f->exe_bytes, (off_t)f->exe_offset), f->exe_bytes);
	CHECK(memcmp(buf, f->exe, f->exe_bytes) == 0);
	CHECK_ERR(ms_target_exe_read(t, t->exe_size, buf, 1), MS_ERR_FAULT);
	CHECK_ERR(ms_target_exe_read(t, t->exe_size - 1, buf, 2), MS_ERR_FAULT);
	CHECK_ERR(ms_target_exe_read(t, UINT64_MAX, buf, 2), MS_ERR_FAULT);
	free(buf);
}

/** All of the above. */
static inline void check_target_contract(struct ms_target *t, const struct target_facts *f)
{
	CHECK(t->ops->kind[0] != '\0');
	CHECK_OK(ms_target_check(t));
	contract_single_reads(t, f);
	contract_faults(t, f);
	contract_batches(t, f);
	contract_lent(t, f);
	contract_regions(t, f);
	contract_exe(t, f);
	CHECK_OK(ms_target_check(t));
}
