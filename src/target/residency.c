// residency.c - a hash table of 2 MiB blocks, each with a bit per page.
//
// Source of the bits: Documentation/admin-guide/mm/pagemap.rst, bit 63 present, bit 62 swapped.
// Reading the file has the kernel look at its record of every page, a cache miss each; the ioctl
// PAGEMAP_SCAN answers the same question from the page tables alone.
#include "target/residency.h"

#include <stdlib.h>
#include <sys/ioctl.h>

enum { BLOCK_SHIFT = 21 };

static const uint64_t WORD_PRESENT = (uint64_t)1 << 63, WORD_SWAPPED = (uint64_t)1 << 62;

// linux/fs.h, which may be older than the kernel that we run on.
enum {
	SCAN_PRESENT = 1 << 3,
	SCAN_SWAPPED = 1 << 4,
	SCAN_REGIONS_AT_ONCE = 256,
};

struct scan_region {
	uint64_t start, end, categories;
};

struct scan_arg {
	uint64_t size, flags;
	uint64_t start, end, walk_end;
	uint64_t regions, region_count, pages_max;
	uint64_t inverted, all_of, any_of, returned;
};

static size_t slot_of(const struct ms_residency *r, uint64_t number)
{
	size_t slot = (size_t)((number * 0x9e3779b97f4a7c15u) >> 20) & (r->slot_count - 1);

	while (r->slots[slot].number && r->slots[slot].number != number)
		slot = (slot + 1) & (r->slot_count - 1);
	return slot;
}

const struct ms_block *ms_residency_find(const struct ms_residency *r, ms_addr addr)
{
	const struct ms_block *block;

	if (!r->slot_count)
		return NULL;
	block = &r->slots[slot_of(r, (addr >> BLOCK_SHIFT) + 1)];
	return block->number ? block : NULL;
}

static bool grow(struct ms_residency *r)
{
	struct ms_residency bigger = { .slot_count = r->slot_count ? r->slot_count * 2 : 64 };

	bigger.slots = calloc(bigger.slot_count, sizeof(*bigger.slots));
	if (!bigger.slots)
		return false;
	bigger.used = r->used;
	for (size_t i = 0; i < r->slot_count; i++) {
		if (r->slots[i].number)
			bigger.slots[slot_of(&bigger, r->slots[i].number)] = r->slots[i];
	}
	free(r->slots);
	*r = bigger;
	return true;
}

bool ms_residency_put(struct ms_residency *r, ms_addr addr, const uint64_t words[MS_BLOCK_PAGES])
{
	uint64_t number = (addr >> BLOCK_SHIFT) + 1;
	struct ms_block *block;

	if (r->used * 2 >= r->slot_count && !grow(r))
		return false;
	block = &r->slots[slot_of(r, number)];
	r->used += !block->number;
	*block = (struct ms_block){ .number = number };
	for (size_t page = 0; page < MS_BLOCK_PAGES; page++) {
		enum ms_page_state state = ms_pagemap_state(words[page]);
		uint64_t bit = (uint64_t)1 << (page % 64);

		if (state == MS_PAGE_PRESENT)
			block->present[page / 64] |= bit;
		else if (state == MS_PAGE_SWAPPED)
			block->swapped[page / 64] |= bit;
	}
	return true;
}

enum ms_page_state ms_block_page(const struct ms_block *block, ms_addr addr)
{
	size_t page = (size_t)(addr / MS_PAGE_SIZE) % MS_BLOCK_PAGES;
	uint64_t bit = (uint64_t)1 << (page % 64);

	if (block->present[page / 64] & bit)
		return MS_PAGE_PRESENT;
	return block->swapped[page / 64] & bit ? MS_PAGE_SWAPPED : MS_PAGE_ABSENT;
}

enum ms_page_state ms_pagemap_state(uint64_t word)
{
	if (word & WORD_PRESENT)
		return MS_PAGE_PRESENT;
	return word & WORD_SWAPPED ? MS_PAGE_SWAPPED : MS_PAGE_ABSENT;
}

/** Enter one region of the answer; false when it lies outside of what was asked. */
static bool region_enter(const struct scan_region *r, const struct scan_arg *arg, ms_addr start,
			 uint64_t *words)
{
	if (r->start < arg->start || r->end > arg->end || r->start >= r->end)
		return false;
	for (ms_addr at = r->start; at < r->end; at += MS_PAGE_SIZE)
		words[(at - start) / MS_PAGE_SIZE] =
		    r->categories & SCAN_PRESENT ? WORD_PRESENT : WORD_SWAPPED;
	return true;
}

bool ms_pagemap_scan(int pagemap_fd, ms_addr start, uint64_t *words, size_t count)
{
	struct scan_region regions[SCAN_REGIONS_AT_ONCE];
	struct scan_arg arg = {
		.size = sizeof(arg),
		.start = start,
		.end = start + count * MS_PAGE_SIZE,
		.regions = (uintptr_t)regions,
		.region_count = SCAN_REGIONS_AT_ONCE,
		.any_of = SCAN_PRESENT | SCAN_SWAPPED,
		.returned = SCAN_PRESENT | SCAN_SWAPPED,
	};

	while (arg.start < arg.end) {
		int n = ioctl(pagemap_fd, _IOWR('f', 16, struct scan_arg), &arg);

		if (n < 0 || n > SCAN_REGIONS_AT_ONCE || arg.walk_end <= arg.start)
			return false;
		for (int i = 0; i < n; i++) {
			if (!region_enter(&regions[i], &arg, start, words))
				return false;
		}
		arg.start = arg.walk_end;
	}
	return true;
}

void ms_residency_clear(struct ms_residency *r)
{
	if (r->slot_count)
		memset(r->slots, 0, r->slot_count * sizeof(*r->slots));
	r->used = 0;
}

void ms_residency_deinit(struct ms_residency *r)
{
	free(r->slots);
	*r = (struct ms_residency){ 0 };
}
