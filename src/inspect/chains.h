// chains.h - what overflows from units, followed level by level: overflow buckets, or nodes.
#pragma once

#include "base/number_map.h"
#include "inspect/inspection.h"

/** A unit's way to its next overflow bucket or node. */
struct ms_chain_link {
	ms_addr addr;
	uint64_t unit;
	unsigned which; // Of the arrays.
};

struct ms_chain_links {
	struct ms_chain_link *items;
	size_t count, capacity;
};

struct ms_chains {
	struct ms_inspection *i;
	struct ms_inspect_array *arrays[2];
	const char *unit_names[2]; // "bucket", "old bucket", as sentences have them.
	const char *name;          // Of what a link leads to: "bucket", "node".
	uint32_t tags_at, next_at; // In it.

	/** Whether a link leads to memory that is one. */
	bool (*leads)(const struct ms_chains *chains, const struct ms_chain_link *link);

	/** Take its eight bytes of tags in. */
	void (*take)(struct ms_chains *chains, const struct ms_chain_link *link,
		     const uint8_t *tags);

	struct ms_chain_links links, next;
	struct ms_number_map seen; // By address: unit * 2 + array.
	uint64_t overflow_seen;
	bool is_whole; // All that should be read was.
};

/** Note a link to be followed; 0 is none.  False when memory is short. */
bool ms_chains_add(struct ms_chains *chains, unsigned which, uint64_t unit, ms_addr addr);

/** Follow all links that were noted, to the ends of their chains. */
MS_MUST_USE struct ms_error *ms_chains_follow(struct ms_chains *chains);

void ms_chains_deinit(struct ms_chains *chains);
