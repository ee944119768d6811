// residency.c - a hash table of 2 MiB blocks, each with a bit per page.
//
// Source of the bits: Documentation/admin-guide/mm/pagemap.rst, bit 63 present, bit 62 swapped.
#include "target/residency.h"

#include <stdlib.h>

enum { BLOCK_SHIFT = 21 };

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
	if (word >> 63)
		return MS_PAGE_PRESENT;
	return (word >> 62) & 1 ? MS_PAGE_SWAPPED : MS_PAGE_ABSENT;
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
