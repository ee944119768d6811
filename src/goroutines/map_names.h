// map_names.h - owners of the few maps that goroutines were seen to work on.
#pragma once

#include "golang/runtime.h"
#include "report/census.h"

enum { MS_MAP_NAMES_MAX = 256 };

/** Addresses of maps, as often as each was seen. */
struct ms_map_sightings {
	ms_addr *items;
	size_t count, capacity;
};

/**
 * Walk from the program's variables to the maps that were seen most, MS_MAP_NAMES_MAX of them, for
 * @p seconds at most; @p sightings are sorted.  *ret_report has a row for each, by address, and
 * what the walk found out: a map without an owner was not reached.  The caller deinits it.
 */
MS_MUST_USE struct ms_error *ms_map_names_find(struct ms_go_runtime *rt, double seconds,
					       struct ms_map_sightings *sightings,
					       struct ms_census_report *ret_report);
