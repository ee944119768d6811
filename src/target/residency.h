// residency.h - which pages of a process are present, so that none is pulled in by reading it.
#pragma once

#include "base/error.h"
#include "base/types.h"

enum {
	MS_PAGE_SIZE = 4096,
	MS_BLOCK_PAGES = 512, // Pages asked for at once: 2 MiB of address space.
};

#define MS_USER_END ((ms_addr)1 << 47) // Behind it: the kernel's vsyscall page, in no pagemap.

enum ms_page_state {
	MS_PAGE_PRESENT,
	MS_PAGE_ABSENT, // Never touched, or a clean page of a file that is not mapped in.
	MS_PAGE_SWAPPED,
};

struct ms_block {
	uint64_t number; // Address / 2 MiB, plus one; 0 is an empty slot.
	uint64_t present[MS_BLOCK_PAGES / 64];
	uint64_t swapped[MS_BLOCK_PAGES / 64];
};

/** Blocks by number.  Zero-initialised is empty. */
struct ms_residency {
	struct ms_block *slots; // Open addressing, a power of two of them.
	size_t slot_count, used;
};

/** The block that holds @p addr, or NULL when it was not loaded. */
const struct ms_block *ms_residency_find(const struct ms_residency *r, ms_addr addr);

/** Take in the 512 words that /proc/PID/pagemap has for the block of @p addr; false: no memory. */
bool ms_residency_put(struct ms_residency *r, ms_addr addr, const uint64_t words[MS_BLOCK_PAGES]);

static inline bool ms_block_holds(const struct ms_block *block, ms_addr addr)
{
	return block->number == addr / (MS_BLOCK_PAGES * MS_PAGE_SIZE) + 1;
}

/** True when [addr, addr + size) lies in the block and all its pages are present. */
static inline bool ms_block_all_present(const struct ms_block *block, ms_addr addr, uint32_t size)
{
	ms_addr last = (addr + size - 1) / MS_PAGE_SIZE;

	if (last / MS_BLOCK_PAGES + 1 != block->number)
		return false;
	for (ms_addr page = addr / MS_PAGE_SIZE; page <= last; page++) {
		if (!(block->present[page % MS_BLOCK_PAGES / 64] >> (page % 64) & 1))
			return false;
	}
	return true;
}

enum ms_page_state ms_block_page(const struct ms_block *block, ms_addr addr);

/**
 * Have the kernel (from 6.7 on) list the pages from @p start on that are present or swapped out,
 * as words like those of the file, all of them zero before.  False where it cannot; then they may
 * be anything.
 */
bool ms_pagemap_scan(int pagemap_fd, ms_addr start, uint64_t *words, size_t count);

/** The state that one word of /proc/PID/pagemap tells. */
enum ms_page_state ms_pagemap_state(uint64_t word);

/** Forget everything: pages come and go. */
void ms_residency_clear(struct ms_residency *r);

void ms_residency_deinit(struct ms_residency *r);
