// table_look.h - the tables of a Swiss map as its directory names them, and what became of them.
//
// A Swiss map's header does not say that one of its tables grew or was split; its directory does:
// such a table is another one afterwards.  So the directory is read again, and of its tables only
// those that were not there before.
//
//	look 1    [A A A A B B C D]      A of depth 1, B of depth 2, C and D of depth 3
//	look 2    [E E F F B B G D]      A was split into E and F; C was replaced by a larger one
#pragma once

#include "golang/layout.h"
#include "target/fetch.h"

enum {
	MS_TABLE_LOOK_MAX = 1 << 16, // Entries of a directory; of a larger one nothing is known.
	MS_TABLE_FIRST_SLOTS = 16,   // Of a small map's first table.
};

/** One table: it holds the keys whose hash begins as the bits of place, depth of them. */
struct ms_table_seen {
	ms_addr address;
	uint64_t place; // Its share of the directory, as if that had 2^MS_SWISS_DEPTH_MAX entries.
	uint16_t slots;
	uint8_t depth;
};

struct ms_table_look {
	struct ms_table_seen *items; // By place.
	size_t count, capacity;
};

/** What happened to one table between two looks. */
struct ms_table_change {
	uint64_t from, to; // Slots of it, and of what stands in its place.
	bool is_split;
};

/** At least so many growths led from one look to the next: each is given to @p fn. */
typedef struct ms_error *(*ms_table_change_fn)(void *context, const struct ms_table_change *change,
					       size_t index, size_t count);

/** A small map's first table, before anything was read of it. */
MS_MUST_USE struct ms_error *ms_table_look_first(struct ms_table_look *look);

/**
 * The directory's bytes taken apart: runs of one table.  Those that @p before has at the same place
 * are taken over, the others are queued in @p fetch; *ret_want is the first of them.  BAD_DATA when
 * no directory is like that, which a change under way may leave behind.
 */
MS_MUST_USE struct ms_error *ms_table_look_begin(struct ms_table_look *look,
						 const struct ms_table_look *before,
						 const struct ms_go_layout *layout,
						 const uint8_t *directory, uint64_t entries,
						 struct ms_fetch *fetch, uint32_t *ret_want);

/** Take the queued tables in, which were fetched meanwhile.  BAD_DATA as above, or unreadable. */
MS_MUST_USE struct ms_error *ms_table_look_end(struct ms_table_look *look,
					       const struct ms_go_layout *layout,
					       const struct ms_fetch *fetch, uint32_t want);

/** Slots of all tables. */
uint64_t ms_table_look_slots(const struct ms_table_look *look);

/** Growths between two looks of one map.  BAD_DATA when the second cannot follow upon the first. */
MS_MUST_USE struct ms_error *ms_table_look_compare(const struct ms_table_look *before,
						   const struct ms_table_look *now,
						   ms_table_change_fn fn, void *context);

void ms_table_look_deinit(struct ms_table_look *look);
