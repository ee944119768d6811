// steady_look.h - one look at a steady map under way, shared by the files that take it.
#pragma once

#include "inspect/chains.h"
#include "inspect/hmap_look.h"

enum { MS_STEADY_GROUP_BYTES_MAX = 64, MS_STEADY_BLOCK_GROUPS_MAX = 16 };

struct ms_steady_look {
	struct ms_chains c; // First: what is told of a chain is told of its look.
	uint64_t groups, ready, mask, low, pass, state;
	uint32_t group_bytes, group_slots, block_groups, slot_bytes, link_slots, node_slots;
	uint32_t strays_at;
	bool in_segments;
	unsigned segment_shift;
	uint64_t segment_slots_at;
	struct addresses {
		ms_addr *items;
		size_t count, capacity;
	} segments;
	struct ms_chain_links heads; // Where a link lies, by block.
};

/**
 * Tell what the header says, and hold it against what libhmap keeps true of it.  False: its table
 * is not to be read, and why not was told.
 */
bool ms_steady_header_take(struct ms_steady_look *look);
