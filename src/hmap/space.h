// space.h - where a steady table's groups lie: nothing, one small block, a range, or segments.
//
// A table begins as nothing, becomes one block from the allocator (up to 64 KiB), and then a range
// of addresses that is given memory piece by piece, or, where ranges are not to be had, segments of
// at most 64 KiB.  Functions that fail leave the table as it was.
#pragma once

#include <hmap/hmap_steady.h>

enum { HMAPI_SMALL_BYTES = 65536, HMAPI_SEGMENT_BYTES = 65536, HMAPI_PIECE = 32768 };

/** Nodes of overflow, a few at a time. */
struct hmapi_slab {
	struct hmapi_slab *next;
	size_t size;
};

/** A part of a range, in bytes from its start: what may be written, and what has memory. */
struct hmapi_part {
	size_t open, ready;
};

/** A range: tags from its start, slots from `slots_at`. */
struct hmapi_space {
	unsigned char *range;
	size_t reserved;
	size_t slots_at;
	struct hmapi_part tags, slots;
	size_t piece;   // asked for at a time
	unsigned since; // pieces since the pass began: its first ones are small
	unsigned slow;  // pieces one after the other that took long
	// The range that will take this one's place, once it is there; its tags move before its
	// slots.
	unsigned char *next;
	size_t next_reserved, next_slots_at;
	bool tags_moved;
};

/** Bytes of the slots of one group. */
size_t hmapi_group_bytes(const struct hmap *m);

/** A small block, or a range or segments, for a table of @p groups without an entry. */
bool hmapi_space_make(struct hmap *m, size_t groups, enum hmap_reserve_how how);

enum hmapi_preparation {
	HMAPI_PREPARED = 0, // the next doubling is as cheap as it gets
	HMAPI_PREPARING = 1,
	HMAPI_REFUSED = 2,
};

/** Whether the next doubling deserves to be prepared: it needs another kind of memory, or place. */
bool hmapi_space_needs_preparation(const struct hmap *m);

/** One step towards the next doubling, as large as one write can bear. */
enum hmapi_preparation hmapi_space_prepare(struct hmap *m);

/** Room for the table's groups twice, later if not now: tags and slots may move. */
bool hmapi_space_double(struct hmap *m);

/** The table's memory, and its nodes', goes back. */
void hmapi_space_free(struct hmap *m);

/** After a halving: a small table gets a smaller block where it can. */
void hmapi_space_tighten(struct hmap *m);

/** No node is in use: their memory goes back, a little with each piece that does. */
void hmapi_retire_nodes(struct hmap *m);

/** Bytes of memory, and of addresses, that the table and its nodes hold. */
size_t hmapi_space_bytes(const struct hmap *m, size_t *ret_reserved);

/** The same, kept where other threads and tools may read it: after every change. */
void hmapi_space_note(struct hmap *m);

/** A reading table for maps that nothing was put into. */
extern const uint8_t hmapi_no_tags[64];
