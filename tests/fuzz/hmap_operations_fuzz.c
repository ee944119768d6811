// A stream of operations on a map of libhmap, held against an array, with all invariants checked.
//
// The first byte chooses type, hash, engine and allocator; then an operation for each two bytes.
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/input.h"

#include <hmap/hmap.h>
#include <hmap/hmap_hash.h>
#include <stdlib.h>
#include <string.h>

enum { KEYS = 256, OPERATIONS_MOST = 4096 };

static uint64_t hash(const void *key, uint64_t seed, void *state)
{
	const unsigned *kind = state;
	uint64_t number = 0;

	memcpy(&number, key, 8);
	switch (*kind) {
	case 1:
		return UINT64_C(0x4200000000000001);
	case 2:
		return number << 12;
	case 3:
		return hmap_hash_u64(number, seed) & ~UINT64_C(0x3f);
	}
	return hmap_hash_u64(number, seed);
}

struct model {
	bool there[KEYS];
	unsigned char value[KEYS];
	size_t count;
};

static void check(const struct hmap *map, const struct model *model)
{
	FUZZ_CHECK(hmap_count(map) == model->count);
	FUZZ_CHECK(hmap_check(map, NULL) == HMAP_OK);
}

static void iterate(struct hmap *map, struct model *model, unsigned char erase_every)
{
	struct hmap_iterator it;
	bool seen[KEYS] = { false };
	size_t count = 0, all = model->count;

	for (hmap_iterate(map, &it); hmap_next(&it); count++) {
		uint64_t number;

		memcpy(&number, it.key, 8);
		FUZZ_CHECK(number < KEYS && model->there[number] && !seen[number]);
		seen[number] = true;
		if (erase_every && count % erase_every == 0) {
			FUZZ_CHECK(hmap_erase(map, it.key) == HMAP_OK);
			model->there[number] = false;
			model->count--;
		}
	}
	FUZZ_CHECK(count == all);
}

MS_FUZZ_TARGET(hmap_operations)
{
	static const uint32_t values[4] = { 0, 1, 24, 200 };
	unsigned kind = size ? data[0] & 3 : 0;
	struct hmap_type type = { .key_size = 8, .hash = hash, .state = &kind };
	struct hmap_options options = { .seed = 1 };
	struct model *model;
	struct hmap *map = NULL;

	if (size < 3 || size > OPERATIONS_MOST)
		return;
	type.value_size = values[data[0] >> 2 & 3];
	type.flags = data[0] & 16 ? HMAP_STORE_HASH : 0;
	options.engine = data[0] & 32 ? HMAP_CLASSIC : HMAP_STEADY;
	options.allocator = data[0] & 64 ? hmap_malloc_allocator() : NULL;
	options.shrink = data[0] & 128 ? 0.2 : 0;
	model = calloc(1, sizeof(*model));
	if (!model || hmap_create(&type, &options, &map) != HMAP_OK)
		abort();
	for (size_t i = 1; i + 1 < size; i += 2) {
		uint64_t key = data[i + 1];
		unsigned char value[256];

		memset(value, (int)(i & 255), sizeof(value));
		switch (data[i] & 15) {
		case 0:
		case 1:
		case 2:
		case 3:
		case 4:
			FUZZ_CHECK(hmap_put(map, &key, value) == HMAP_OK);
			model->count += !model->there[key];
			model->there[key] = true;
			model->value[key] = value[0];
			break;
		case 5:
		case 6:
		case 7:
			FUZZ_CHECK(hmap_erase(map, &key) ==
				   (model->there[key] ? HMAP_OK : HMAP_NOT_FOUND));
			model->count -= model->there[key];
			model->there[key] = false;
			break;
		case 8: {
			unsigned char *found = hmap_get(map, &key);

			FUZZ_CHECK((found != NULL) == model->there[key]);
			FUZZ_CHECK(!found || !type.value_size || *found == model->value[key]);
			break;
		}
		case 9:
			(void)hmap_begin_pass(map, (enum hmap_pass)(1 + key % 3));
			break;
		case 10:
			(void)hmap_step(map, key % 8);
			break;
		case 11:
			iterate(map, model, (unsigned char)(key % 4));
			break;
		case 12:
			(void)hmap_reserve(map, key * 4, HMAP_RESERVE_PLAIN);
			break;
		case 13:
			(void)hmap_shrink(map);
			break;
		case 14: {
			struct hmap *copy = NULL;

			FUZZ_CHECK(hmap_clone(map, &copy) == HMAP_OK);
			hmap_destroy(map);
			map = copy;
			break;
		}
		default:
			if (key % 16 == 0) {
				FUZZ_CHECK(hmap_clear(map) == HMAP_OK);
				memset(model, 0, sizeof(*model));
			}
		}
		check(map, model);
	}
	hmap_destroy(map);
	free(model);
}
