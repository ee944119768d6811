// next_growth.h - when a map grows next, and what that takes.
#pragma once

#include "golang/runtime.h"
#include "report/diagnosis.h"

/** From a row of the census alone.  A Swiss map of several tables has no at_entries by it. */
struct ms_next_growth ms_next_growth_of(const struct ms_go_layout *layout,
					const struct ms_map_row *row);

/** Tables of a Swiss map that are alike: so many inserts away from a split, of such a share. */
struct ms_table_group {
	uint32_t growth_left;
	double share; // Of all hashes, that each of these tables gets.
	uint64_t tables;
};

/**
 * Inserts after which the first of the tables is expected to split: after fewer in half of all
 * cases.  MS_UNKNOWN for none.
 */
uint64_t ms_next_split_expected(const struct ms_table_group *groups, size_t count);

/**
 * Read the tables of a Swiss map of several, and fill in at_entries of @p next, which
 * ms_next_growth_of made, and whether the directory doubles.  What cannot be read leaves it as it
 * is; an error means that the target is lost.
 */
MS_MUST_USE struct ms_error *ms_next_split_read(struct ms_go_runtime *rt,
						const struct ms_map_row *row,
						struct ms_next_growth *next);

/** Bytes of a table made for this many entries, as make(map[K]V, entries) would; or MS_UNKNOWN. */
uint64_t ms_rebuilt_bytes(const struct ms_go_layout *layout, const struct ms_map_row *row,
			  uint64_t entries);
