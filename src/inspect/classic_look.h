// classic_look.h - one look at a classic map under way, shared by the files that take it.
#pragma once

#include "base/number_map.h"
#include "inspect/inspection.h"

/** A map's arrays: the current one, and the one that entries are moved out of. */
enum ms_classic_array { MS_CLASSIC_NOW, MS_CLASSIC_OLD };

/** A bucket's way to its overflow bucket. */
struct ms_classic_link {
	ms_addr addr;
	uint64_t unit;
	enum ms_classic_array which;
};

struct ms_classic_links {
	struct ms_classic_link *items;
	size_t count, capacity;
};

struct ms_classic_look {
	struct ms_inspection *i;
	struct ms_classic_map m;
	struct ms_inspect_array *arrays[2];
	uint64_t room[2]; // Buckets that each array's object has, with those kept for overflow.
	struct ms_classic_links links, next;
	struct ms_number_map seen; // Overflow buckets by address: unit * 2 + array.
	uint64_t overflow_seen;
	bool is_whole; // All that should be read was.
};

/** "old " or nothing, in front of "bucket 7". */
const char *ms_classic_array_name(enum ms_classic_array which);

/** Take the tags of one bucket of a chain in. */
void ms_classic_take_tags(struct ms_classic_look *look, enum ms_classic_array which, uint64_t unit,
			  const uint8_t *tags);

/** Note a link to be followed; 0 is none.  False when memory is short. */
bool ms_classic_add_link(struct ms_classic_look *look, enum ms_classic_array which, uint64_t unit,
			 ms_addr addr);

/** Follow all links that were noted, to the ends of their chains. */
MS_MUST_USE struct ms_error *ms_classic_follow_chains(struct ms_classic_look *look);

/** Tell of the bucket that was asked for. */
MS_MUST_USE struct ms_error *ms_classic_look_at_unit(struct ms_classic_look *look);
