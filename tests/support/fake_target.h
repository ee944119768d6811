// fake_target.h - a target over byte buffers, which can be told to fail.
//
//	struct fake_target fake;
//	uint8_t header[48] = { 0 };
//
//	fake_target_init(&fake);
//	fake_target_map(&fake, 0xc000010000, header, sizeof(header), MS_REGION_ANON,
//			MS_PROT_READ | MS_PROT_WRITE);
//	... fake.target goes wherever a struct ms_target * is asked for ...
//	fake_target_deinit(&fake);
//
// Buffers are borrowed and looked at when a read happens, so a test may change them in between.
// Regions are the buffers' pages; a read has to lie inside the buffers themselves.  Calls that
// cannot be meant (overlapping buffers, no memory) abort the test.
#pragma once

#include "target/resident.h"

/** Called before each single read, @p index counted from 0 over the life of the fake. */
typedef void (*fake_target_read_fn)(void *arg, uint64_t index, const struct ms_read *read);

struct fake_mapping {
	ms_addr start;
	uint64_t size;
	const uint8_t *bytes; // NULL reads as zeros.
	uint64_t file_offset;
	enum ms_region_kind kind;
	unsigned prot;
};

struct fake_target {
	struct ms_target target;
	struct {
		struct fake_mapping *items; // Sorted by start, without overlap.
		size_t count, capacity;
	} mappings;
	int exe_fd;
	uint64_t reads;   // Single reads seen.
	uint64_t fail_at; // Index of the read to fail, UINT64_MAX for none.
	uint32_t fail_status;
	uint64_t gone_at;            // Index of the first read that finds the target gone.
	struct ms_resident resident; // Known from the first call of fake_target_resident on.
	fake_target_read_fn before_read;
	void *before_read_arg;
};

void fake_target_init(struct fake_target *fake);
void fake_target_deinit(struct fake_target *fake);

/** Put @p bytes at @p addr; NULL stands for @p size zeros. */
void fake_target_map(struct fake_target *fake, ms_addr addr, const void *bytes, uint64_t size,
		     enum ms_region_kind kind, unsigned prot);

/** Put @p bytes at @p addr as a mapping of the executable from @p file_offset on. */
void fake_target_map_exe(struct fake_target *fake, ms_addr addr, const void *bytes, uint64_t size,
			 uint64_t file_offset, unsigned prot);

/** Take the buffers that start at @p addr away again, as munmap would. */
void fake_target_unmap(struct fake_target *fake, ms_addr addr);

/** The bytes of the executable file; copied.  Without this call it has none. */
void fake_target_exe(struct fake_target *fake, const void *bytes, size_t size);

/** Let [addr, addr + size), behind all that were named before, be in memory, and RSS @p rss_bytes.
 */
void fake_target_resident(struct fake_target *fake, ms_addr addr, uint64_t size,
			  uint64_t rss_bytes);

/** Fail the @p n-th single read from now on (0: the next one) with FAULT; the others work. */
void fake_target_fail_read(struct fake_target *fake, uint64_t n);

/** Likewise with another status: MS_READ_SWAPPED, MS_READ_STUCK. */
void fake_target_fail_read_as(struct fake_target *fake, uint64_t n, enum ms_read_status status);

/** Let @p n more single reads work; then every operation but exe_fd says GONE. */
void fake_target_gone_after(struct fake_target *fake, uint64_t n);

/** Call @p fn before each single read: the way to let memory move under a reader. */
void fake_target_before_read(struct fake_target *fake, fake_target_read_fn fn, void *arg);
