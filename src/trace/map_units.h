// map_units.h - what a map's tables take, by the name of its type or by how they were allocated.
#pragma once

#include "base/number_map.h"
#include "golang/spans.h"
#include "golang/types.h"
#include "maps/shape.h"

/** One bucket or group. */
struct ms_map_unit {
	uint32_t bytes; // 0: not known.
	bool has_pointers;
};

struct ms_map_units {
	const struct ms_go_layout *layout;
	const struct ms_types *types;
	struct ms_number_map by_name; // Hash of the name: place in types, and whether it says all.
	struct ms_shapes *shapes;
};

/** Of all map types of the program.  @p rt must outlive the result, the caller deinits it. */
MS_MUST_USE struct ms_error *ms_map_units_load(struct ms_go_runtime *rt,
					       struct ms_map_units *ret_units);

/** By "map[string]int"; not known for NULL, and where types of one name differ in it. */
struct ms_map_unit ms_map_units_find(const struct ms_map_units *units, const char *type);

/**
 * Of a classic map of @p buckets at @p table, by the object that they lie in.  Not known where more
 * than one size would fit it.
 */
struct ms_map_unit ms_map_units_measure(const struct ms_map_units *units,
					const struct ms_spans *spans, ms_addr table,
					uint64_t buckets);

/** What a table of @p slots was allocated as, overflow kept with it; MS_UNKNOWN. */
uint64_t ms_map_unit_table_bytes(const struct ms_map_units *units, struct ms_map_unit unit,
				 uint64_t slots);

void ms_map_units_deinit(struct ms_map_units *units);
