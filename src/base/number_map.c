// number_map.c - open addressing, at most half full.  Keys come from a target: many that fall into
// one place make it slow, and nothing else.
#include "base/number_map.h"

#include "base/hash.h"

#include <stdlib.h>

enum { SLOTS_MIN = 1 << 10 };

/** Where @p key is, or would be. */
static size_t slot_of(const uint64_t *keys, size_t slot_count, uint64_t key)
{
	size_t at = ms_hash_number(key) & (slot_count - 1);

	while (keys[at] && keys[at] != key)
		at = (at + 1) & (slot_count - 1);
	return at;
}

static bool grow(struct ms_number_map *map)
{
	size_t wanted = map->slot_count ? map->slot_count * 2 : SLOTS_MIN;
	uint64_t *keys = calloc(wanted, sizeof(*keys));
	uint32_t *values = calloc(wanted, sizeof(*values));

	if (!keys || !values) {
		free(keys);
		free(values);
		return false;
	}
	for (size_t i = 0; i < map->slot_count; i++) {
		size_t at;

		if (!map->keys[i])
			continue;
		at = slot_of(keys, wanted, map->keys[i]);
		keys[at] = map->keys[i];
		values[at] = map->values[i];
	}
	free(map->keys);
	free(map->values);
	map->keys = keys;
	map->values = values;
	map->slot_count = wanted;
	return true;
}

uint32_t *ms_number_map_find(const struct ms_number_map *map, uint64_t key)
{
	size_t at;

	if (!map->slot_count || !key)
		return NULL;
	at = slot_of(map->keys, map->slot_count, key);
	return map->keys[at] ? &map->values[at] : NULL;
}

bool ms_number_map_add(struct ms_number_map *map, uint64_t key, uint32_t value)
{
	size_t at;

	if (map->count * 2 >= map->slot_count && !grow(map))
		return false;
	at = slot_of(map->keys, map->slot_count, key);
	map->keys[at] = key;
	map->values[at] = value;
	map->count++;
	return true;
}

void ms_number_map_deinit(struct ms_number_map *map)
{
	free(map->keys);
	free(map->values);
	*map = (struct ms_number_map){ 0 };
}
