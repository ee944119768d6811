// map_finder.h - what finding a map's use and finding open loops share.
#pragma once

#include "base/number_map.h"
#include "golang/argument_places.h"
#include "goroutines/map_uses.h"

/** One function of the program, as far as maps go. */
struct ms_map_function_known {
	struct ms_map_function is;
	struct ms_argument_places *places; // NULL: not known.
	bool is_followed;
	bool has_loop; // It calls what takes an iterator on.
	bool is_scanned;
};

struct ms_map_finder {
	struct ms_go_runtime *rt;
	const struct ms_functions *functions;
	const struct ms_census_report *census; // May be NULL.
	const struct ms_types *types;
	struct ms_number_map type_of; // Address of a map type to its index.
	struct ms_code *code;
	struct ms_number_map known_of; // Entry of a function to an index in known.
	struct {
		struct ms_map_function_known *items;
		size_t count, capacity;
	} known;
};

/** What is known of a function; NULL when memory is short.  Holds until the next is asked for. */
struct ms_map_function_known *ms_map_finder_function(struct ms_map_finder *finder,
						     const struct ms_function *function);

/** Whether a map of type @p type (0: not known) is at @p map. */
MS_MUST_USE struct ms_error *ms_map_finder_check(struct ms_map_finder *finder, ms_addr map,
						 ms_addr type, bool *ret_is_map);
