// growth_types.h - the map types that growth functions are called with.
#pragma once

#include "base/number_map.h"
#include "golang/types.h"

struct ms_arena;

struct ms_growth_type {
	const char *name;    // "map[string]int"; NULL when it cannot be read.
	uint32_t unit_bytes; // Of a bucket or group; 0 unknown.
	bool has_pointers;
};

struct ms_growth_types {
	const struct ms_types *types; // Borrowed.
	const struct ms_go_layout *layout;
	struct ms_arena *arena; // Names are its.
	struct ms_number_map known;
	struct ms_growth_type *items;
	size_t count, capacity;
};

/** The type described at @p address, looked up once; one without a name where it is none. */
MS_MUST_USE struct ms_error *ms_growth_type_find(struct ms_growth_types *types, ms_addr address,
						 struct ms_growth_type *ret_type);

void ms_growth_types_deinit(struct ms_growth_types *types);
