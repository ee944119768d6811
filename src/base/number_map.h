// number_map.h - numbers by number.  Zero-initialised is empty; 0 is no key.
#pragma once

#include "base/types.h"

struct ms_number_map {
	uint64_t *keys; // 0: an empty slot.
	uint32_t *values;
	size_t count, slot_count;
};

/** The value of @p key; NULL when it has none.  Holds until the next one is added. */
uint32_t *ms_number_map_find(const struct ms_number_map *map, uint64_t key);

/** Give a new @p key a value; false when memory is short. */
bool ms_number_map_add(struct ms_number_map *map, uint64_t key, uint32_t value);

void ms_number_map_deinit(struct ms_number_map *map);
