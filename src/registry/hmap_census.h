// hmap_census.h - rows of a census for the maps that libhmap lists.
#pragma once

#include "registry/c_symbols.h"
#include "registry/registries.h"
#include "report/census.h"

/** What the row of a map has no room for. */
struct ms_hmap_place {
	ms_addr map;
	ms_addr created_at; // A return address; 0 unknown.
	const struct ms_registry *registry;
};

struct ms_hmap_places {
	struct ms_hmap_place *items; // Sorted by map.
	size_t count, capacity;
};

/**
 * Add the maps of @p registries to @p report: rows, seen, read, typed, skips, never_written.  Its
 * owners are to be summed anew.  Owners are the names that maps were given, or where they were
 * made, by @p symbols (NULL: those without a name have no owner).  GONE, DENIED, NO_MEMORY.
 */
MS_MUST_USE struct ms_error *ms_hmap_census_add(const struct ms_registries *registries,
						struct ms_c_symbols *symbols,
						struct ms_census_report *report,
						struct ms_hmap_places *ret_places);

/** The registry whose list has a map at @p address now; NULL: none has. */
MS_MUST_USE struct ms_error *ms_hmap_find(const struct ms_registries *registries, ms_addr address,
					  const struct ms_registry **ret_registry);

/** The place of the map at @p address, or NULL. */
const struct ms_hmap_place *ms_hmap_place_of(const struct ms_hmap_places *places, ms_addr address);

void ms_hmap_places_deinit(struct ms_hmap_places *places);

/** Entries, capacity, bytes and the pass under way, into a row; false: these words cannot be. */
bool ms_hmap_row_fill(const struct ms_hmap_look *look, uint64_t entry_bytes,
		      struct ms_map_row *row);
