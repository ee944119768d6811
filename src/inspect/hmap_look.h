// hmap_look.h - looks at a map of libhmap, shared by the files that take them.
//
// The header of such a map is its struct ms_hmap_head: what the registry names of it, by number.
#pragma once

#include "inspect/inspection.h"
#include "registry/registries.h"

/** What an inspection of a map of libhmap has beside the rest; ms_inspection.own. */
struct ms_hmap_own {
	const struct ms_registry *registry;
	uint64_t key_bytes, value_bytes; // Of its type; MS_UNKNOWN where that could not be read.
	struct ms_hmap_pieces {
		struct ms_hmap_piece {
			ms_addr start, end;
		} * items; // Sorted; what lies in a piece ends where it does.
		size_t count, capacity;
		uint64_t units; // In all of them.
		uint32_t unit_bytes;
		bool is_known; // The list was read to its end.
	} pieces[2];           // Of overflow: by array, or nodes of the one table.
};

static inline struct ms_hmap_own *ms_hmap_own(const struct ms_inspection *i)
{
	return i->own;
}

/** A word of the header. */
static inline uint64_t ms_hmap_member(const struct ms_inspection *i, enum hmap_field field)
{
	return ms_load_u64(i->raw + 8 * (size_t)field);
}

/** A number of the registry. */
static inline uint32_t ms_hmap_number(const struct ms_inspection *i, enum hmap_field field)
{
	return ms_hmap_own(i)->registry->fields[field].offset;
}

/**
 * Read a list of pieces from @p first on, whose members @p next and the one behind it are address
 * and bytes of each.  Pieces hold things of @p unit_bytes; all of them no more than @p bytes_max.
 * What cannot be read, or is longer, is not known.
 */
MS_MUST_USE struct ms_error *ms_hmap_pieces_read(struct ms_inspection *i, ms_addr first,
						 enum hmap_field next, uint32_t unit_bytes,
						 uint64_t bytes_max, struct ms_hmap_pieces *pieces);

/** Whether one of its things begins at @p addr; so it is taken for one where that is not known. */
bool ms_hmap_pieces_have(const struct ms_hmap_pieces *pieces, ms_addr addr);

/** Why what overflows could not be held to them. */
extern const char ms_hmap_pieces_unknown[];

/** Take into the row what the header says now; false: its words cannot be. */
bool ms_hmap_renew_row(struct ms_inspection *i);

/** One look at a steady map. */
MS_MUST_USE struct ms_error *ms_inspect_steady(struct ms_inspection *i);

/** Fields of a bucket or block, and where a debugger can see the same. */
void ms_hmap_layout(struct ms_inspection *i);
void ms_hmap_views(struct ms_inspection *i);
