// Goal: a safe map holds what a plain one would, is still once frozen, and lets go of a value no
// sooner than its last reader.
// Method: random operations beside a plain map; a mirror that knows only what the barrier says;
// values that own memory; each allocation refused in turn.
#include "tests/hmap/safe_support.h"

#include <hmap/hmap_registry.h>

#include <stdio.h>
#include <stdlib.h>

enum { KEYS = 700, STEPS = 20000 };

/** A value that owns memory, so that a copy too few or too many is a leak or a double free. */
struct deep {
	uint64_t *number;
};

struct life {
	long objects;
	long until_failure; // of copies; 0: never
};

static bool copy_deep(void *to, const void *from, void *state)
{
	const struct deep *old = from;
	struct deep *made = to;
	struct life *life = state;

	if (life->until_failure > 0 && --life->until_failure == 0)
		return false;
	made->number = malloc(sizeof(*made->number));
	CHECK(made->number != NULL);
	*made->number = *old->number;
	__atomic_fetch_add(&life->objects, 1, __ATOMIC_RELAXED);
	return true;
}

static void destroy_deep(void *object, void *state)
{
	struct life *life = state;

	free(((struct deep *)object)->number);
	__atomic_fetch_sub(&life->objects, 1, __ATOMIC_RELAXED);
}

static struct hmap_type deep_type(struct life *life)
{
	return (struct hmap_type){ .name = "deep",
				   .key_size = 8,
				   .value_size = sizeof(struct deep),
				   .hash = safe_hash,
				   .value_copy = copy_deep,
				   .value_destroy = destroy_deep,
				   .state = life };
}

/* ------------------------------------------------------------------------------------------- */
/* Beside a plain map                                                                          */

struct visited {
	const struct hmap *model;
	size_t count;
};

static bool is_in_model(const void *key, const void *value, void *state)
{
	struct visited *visited = state;
	const struct pair *wanted = hmap_get(visited->model, key);

	CHECK(wanted != NULL);
	CHECK(memcmp(wanted, value, sizeof(*wanted)) == 0);
	visited->count++;
	return true;
}

static void check_against(const struct hmap_safe *map, const struct hmap *model)
{
	struct visited visited = { model, 0 };
	struct hmap_safe_stats stats;

	CHECK_EQ(hmap_safe_count(map), hmap_count(model));
	CHECK_EQ(hmap_safe_each(map, is_in_model, &visited), HMAP_OK);
	CHECK_EQ(visited.count, hmap_count(model));
	CHECK_EQ(hmap_safe_stats(map, HMAP_STATS_WALK, &stats), HMAP_OK);
	CHECK_EQ(stats.table.entries, hmap_count(model));
	CHECK_EQ(stats.version, hmap_safe_version(map));
	if (stats.table.grow_at)
		CHECK_EQ(stats.capacity, stats.table.grow_at);
	for (uint64_t k = 0; k < KEYS; k++) {
		const struct pair *wanted = hmap_get(model, &k);
		struct pair have = { 0, 0 };

		CHECK_EQ(hmap_safe_get(map, &k, &have), wanted ? HMAP_OK : HMAP_NOT_FOUND);
		if (wanted)
			CHECK_EQ(have.number, wanted->number);
		CHECK_EQ(hmap_safe_get(map, &k, NULL), wanted ? HMAP_OK : HMAP_NOT_FOUND);
	}
}

static void get_or_put_both(struct hmap_safe *map, struct hmap *model, uint64_t key,
			    struct pair value)
{
	struct pair have = { 0, 0 };
	bool added = false, added_to_model;
	void *wanted;

	CHECK_EQ(hmap_get_or_put(model, &key, &value, &wanted, &added_to_model), HMAP_OK);
	CHECK_EQ(hmap_safe_get_or_put(map, &key, &value, &have, &added), HMAP_OK);
	CHECK_EQ(added, added_to_model);
	CHECK(memcmp(&have, wanted, sizeof(have)) == 0);
}

static void step_both(struct hmap_safe *map, struct hmap *model)
{
	uint64_t key = ms_test_random() % KEYS, what = ms_test_random() % 1000;
	struct pair value = pair_of(ms_test_random());
	uint64_t version = hmap_safe_version(map);
	enum hmap_status status;

	if (what < 450) {
		CHECK_EQ(hmap_put(model, &key, &value), HMAP_OK);
		CHECK_EQ(hmap_safe_put(map, &key, &value), HMAP_OK);
		CHECK_EQ(hmap_safe_version(map), version + 1);
	} else if (what < 550) {
		get_or_put_both(map, model, key, value);
	} else if (what < 995) {
		status = hmap_erase(model, &key);
		CHECK_EQ(hmap_safe_erase(map, &key), status);
		CHECK_EQ(hmap_safe_version(map), version + (status == HMAP_OK));
	} else if (what < 998) {
		CHECK_EQ(hmap_safe_reserve(map, key, HMAP_RESERVE_PLAIN), HMAP_OK);
	} else {
		CHECK_EQ(hmap_clear(model), HMAP_OK);
		CHECK_EQ(hmap_safe_clear(map), HMAP_OK);
	}
}

MS_TEST(a_safe_map_holds_what_a_plain_one_does)
{
	for (unsigned kind = 0; kind < 4; kind++) {
		const struct hmap_safe_options options = {
			.map = { .shrink = kind & 1 ? 0.2 : 0,
				 .allocator = kind & 1 ? hmap_malloc_allocator() : NULL },
			.values = kind & 2 ? HMAP_SAFE_COPY_ON_WRITE : HMAP_SAFE_IN_TABLE,
		};
		struct hmap_safe *map = safe_of(&safe_pairs, &options);
		struct hmap *model;

		CHECK_EQ(hmap_create(&safe_pairs, NULL, &model), HMAP_OK);
		for (unsigned i = 0; i < STEPS; i++) {
			step_both(map, model);
			if (i % 1000 == 0)
				check_against(map, model);
		}
		CHECK_EQ(hmap_safe_freeze(map), HMAP_OK);
		check_against(map, model);
		CHECK_EQ(hmap_safe_destroy(map), HMAP_OK);
		hmap_destroy(model);
	}
}

MS_TEST(values_are_copied_deeply)
{
	for (unsigned cow = 0; cow < 2; cow++) {
		struct life life = { 0, 0 };
		const struct hmap_type type = deep_type(&life);
		const struct hmap_safe_options options = { .values = (enum hmap_safe_values)cow };
		struct hmap_safe *map = safe_of(&type, &options);
		uint64_t number = 7, key = 1;
		struct deep mine = { &number }, copy, other;
		bool added;

		CHECK_EQ(hmap_safe_put(map, &key, &mine), HMAP_OK);
		CHECK_EQ(hmap_safe_get(map, &key, &copy), HMAP_OK);
		CHECK_EQ(life.objects, 2);
		number = 8;
		CHECK_EQ(hmap_safe_put(map, &key, &mine), HMAP_OK);
		CHECK_EQ(*copy.number, 7);
		CHECK_EQ(life.objects, 2); // The old value is gone.
		key = 2;
		CHECK_EQ(hmap_safe_get_or_put(map, &key, &mine, &other, &added), HMAP_OK);
		CHECK(added && *other.number == 8 && other.number != mine.number);
		life.until_failure = 1;
		CHECK_EQ(hmap_safe_get(map, &key, &number), HMAP_NO_MEMORY);
		key = 3;
		life.until_failure = 2; // The copy that is handed out has been made by then.
		CHECK_EQ(hmap_safe_get_or_put(map, &key, &mine, &number, &added), HMAP_NO_MEMORY);
		CHECK_EQ(hmap_safe_count(map), 2);
		destroy_deep(&copy, &life);
		destroy_deep(&other, &life);
		CHECK_EQ(life.objects, 2);
		CHECK_EQ(hmap_safe_destroy(map), HMAP_OK);
		CHECK_EQ(life.objects, 0);
	}
}

MS_TEST(a_value_may_be_large_aligned_or_nothing)
{
	static const struct hmap_type types[] = {
		{ .key_size = 8, .value_size = 0, .hash = safe_hash },
		{ .key_size = 8, .value_size = 1, .hash = safe_hash },
		{ .key_size = 8, .value_size = 64, .value_align = 64, .hash = safe_hash },
		{ .key_size = 8, .value_size = 5000, .hash = safe_hash },
	};

	for (unsigned i = 0; i < 8; i++) {
		const struct hmap_safe_options options = { .values =
							       (enum hmap_safe_values)(i & 1) };
		const struct hmap_type *type = &types[i / 2];
		struct hmap_safe *map = safe_of(type, &options);
		struct hmap_safe_ref ref = { NULL, 0, NULL };
		unsigned char value[5000], have[5000];
		uint64_t key = 5;

		memset(value, 0xa5, sizeof(value));
		CHECK_EQ(hmap_safe_put(map, &key, NULL), HMAP_OK);
		memset(have, 1, sizeof(have));
		CHECK_EQ(hmap_safe_get(map, &key, have), HMAP_OK);
		for (size_t at = 0; at < type->value_size; at++)
			CHECK_EQ(have[at], 0);
		CHECK_EQ(hmap_safe_put(map, &key, value), HMAP_OK);
		CHECK_EQ(hmap_safe_get(map, &key, have), HMAP_OK);
		CHECK(memcmp(have, value, type->value_size) == 0);
		CHECK_EQ(hmap_safe_borrow(map, &key, &ref), i & 1 ? HMAP_OK : HMAP_NOT_SUPPORTED);
		if (type->value_align)
			CHECK_EQ((uintptr_t)ref.value % type->value_align, 0);
		hmap_safe_release(&ref);
		CHECK(!ref.value && !ref.own);
		hmap_safe_release(&ref);
		CHECK_EQ(hmap_safe_destroy(map), HMAP_OK);
	}
}

MS_TEST(what_cannot_be_meant_is_refused)
{
	static const struct hmap_safe_hooks barrier = { .barrier = (void (*)(
							    struct hmap_safe *, const void *,
							    const void *, const void *, void *))1 };
	static const struct hmap_allocator half = { .release = NULL };
	static const struct hmap_type unhashed = { .key_size = 8 };
	const struct hmap_safe_options bad[] = {
		{ .watermark = -0.5 },      { .watermark = 1.5 },
		{ .map.load = 7 },          { .hooks = &barrier },
		{ .map.allocator = &half }, { .values = (enum hmap_safe_values)2 },
	};
	const struct hmap_safe_options classic = { .map.engine = HMAP_CLASSIC };
	struct hmap_safe *map = NULL;
	struct hmap_safe_stats stats;
	struct hmap_safe_ref ref;
	uint64_t key = 1;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK_EQ(hmap_safe_create(&safe_pairs, &bad[i], &map), HMAP_BAD_ARGUMENT);
	CHECK_EQ(hmap_safe_create(&safe_pairs, &classic, &map), HMAP_NOT_SUPPORTED);
	CHECK_EQ(hmap_safe_create(NULL, NULL, &map), HMAP_BAD_ARGUMENT);
	CHECK_EQ(hmap_safe_create(&unhashed, NULL, &map), HMAP_BAD_ARGUMENT);
	CHECK_EQ(hmap_safe_create(&safe_pairs, NULL, NULL), HMAP_BAD_ARGUMENT);
	CHECK(!map);
	CHECK_EQ(hmap_safe_count(NULL), 0);
	CHECK_EQ(hmap_safe_get(NULL, &key, NULL), HMAP_NOT_FOUND);
	CHECK_EQ(hmap_safe_borrow(NULL, &key, &ref), HMAP_NOT_FOUND);
	CHECK_EQ(hmap_safe_put(NULL, &key, NULL), HMAP_NULL_MAP);
	CHECK_EQ(hmap_safe_freeze(NULL), HMAP_NULL_MAP);
	CHECK_EQ(hmap_safe_stats(NULL, HMAP_STATS_QUICK, &stats), HMAP_NULL_MAP);
	CHECK_EQ(hmap_safe_destroy(NULL), HMAP_OK);
	map = safe_of(&safe_pairs, NULL);
	CHECK_EQ(hmap_safe_set_watermark(map, 0), HMAP_BAD_ARGUMENT);
	CHECK_EQ(hmap_safe_set_watermark(map, 1.01), HMAP_BAD_ARGUMENT);
	CHECK_EQ(hmap_safe_reserve(map, SIZE_MAX / 2, HMAP_RESERVE_PLAIN), HMAP_TOO_LARGE);
	CHECK_EQ(hmap_safe_reserve(map, 1, (enum hmap_reserve_how)9), HMAP_BAD_ARGUMENT);
	CHECK_EQ(hmap_safe_destroy(map), HMAP_OK);
}

static bool find_caller(const struct hmap *map, void *state)
{
	*(uintptr_t *)state = (uintptr_t)hmap_created_at(map);
	return true;
}

MS_TEST(the_list_of_maps_has_the_maker_of_a_safe_one)
{
	struct hmap_safe *map = safe_of(&safe_pairs, NULL);
	uintptr_t at = 0;

	hmap_each_map(find_caller, &at);
	CHECK(at > (uintptr_t)safe_of && at < (uintptr_t)safe_of + 4096);
	CHECK_EQ(hmap_safe_destroy(map), HMAP_OK);
}

MS_TEST(a_frozen_map_takes_no_writes)
{
	struct hmap_safe *map = safe_of(&safe_pairs, NULL);
	struct pair value = pair_of(3), have;
	struct hmap_safe_stats stats;
	uint64_t key = 0, entries = 0;
	bool added = false;

	do { // Until a growth is under way, which the freeze must finish.
		put_pair(map, entries++, 5);
		CHECK_EQ(hmap_safe_stats(map, HMAP_STATS_QUICK, &stats), HMAP_OK);
	} while (stats.table.pass != HMAP_PASS_GROW);
	CHECK(!hmap_safe_is_frozen(map));
	CHECK_EQ(hmap_safe_freeze(map), HMAP_OK);
	CHECK_EQ(hmap_safe_freeze(map), HMAP_OK);
	CHECK(hmap_safe_is_frozen(map));
	CHECK_EQ(hmap_safe_stats(map, HMAP_STATS_QUICK, &stats), HMAP_OK);
	CHECK_EQ(stats.table.pass, 0);
	CHECK(stats.frozen);
	CHECK_EQ(hmap_safe_put(map, &key, &value), HMAP_FROZEN);
	CHECK_EQ(hmap_safe_get_or_put(map, &key, &value, &have, &added), HMAP_FROZEN);
	CHECK_EQ(hmap_safe_erase(map, &key), HMAP_FROZEN);
	CHECK_EQ(hmap_safe_clear(map), HMAP_FROZEN);
	CHECK_EQ(hmap_safe_reserve(map, 100, HMAP_RESERVE_PLAIN), HMAP_FROZEN);
	CHECK_EQ(hmap_safe_set_capacity(map, 100), HMAP_FROZEN);
	CHECK_EQ(hmap_safe_set_watermark(map, 0.5), HMAP_FROZEN);
	CHECK_EQ(hmap_safe_get(map, &key, &have), HMAP_OK);
	CHECK_EQ(have.number, 5);
	CHECK_EQ(hmap_safe_count(map), entries);
	CHECK_EQ(hmap_safe_version(map), entries);
	CHECK_EQ(hmap_safe_destroy(map), HMAP_OK);
}

/* ------------------------------------------------------------------------------------------- */
/* Copy-on-write                                                                               */

MS_TEST(the_last_to_let_go_of_a_value_destroys_it)
{
	struct life life = { 0, 0 };
	const struct hmap_type type = deep_type(&life);
	const struct hmap_safe_options options = { .values = HMAP_SAFE_COPY_ON_WRITE };
	struct hmap_safe *map = safe_of(&type, &options);
	uint64_t key = 1, number = 1;
	struct deep value = { &number };
	struct hmap_safe_ref one, two, gone = { &key, 0, NULL };

	CHECK_EQ(hmap_safe_borrow(map, &key, &gone), HMAP_NOT_FOUND);
	CHECK(gone.value == &key); // Untouched.
	CHECK_EQ(hmap_safe_put(map, &key, &value), HMAP_OK);
	CHECK_EQ(hmap_safe_borrow(map, &key, &one), HMAP_OK);
	CHECK_EQ(hmap_safe_borrow(map, &key, &two), HMAP_OK);
	CHECK(one.value == two.value); // No copy.
	CHECK_EQ(life.objects, 1);
	number = 2;
	CHECK_EQ(hmap_safe_put(map, &key, &value), HMAP_OK);
	CHECK_EQ(life.objects, 2);
	hmap_safe_release(&one);
	CHECK_EQ(life.objects, 2);
	CHECK_EQ(*((const struct deep *)two.value)->number, 1);
	hmap_safe_release(&two);
	CHECK_EQ(life.objects, 1);
	CHECK_EQ(hmap_safe_borrow(map, &key, &one), HMAP_OK);
	CHECK_EQ(one.version, 2);
	CHECK_EQ(hmap_safe_erase(map, &key), HMAP_OK);
	CHECK_EQ(hmap_safe_erase(map, &key), HMAP_NOT_FOUND);
	CHECK_EQ(hmap_safe_put(map, &key, &value), HMAP_OK);
	CHECK_EQ(hmap_safe_clear(map), HMAP_OK);
	CHECK_EQ(hmap_safe_version(map), 5);
	CHECK_EQ(life.objects, 1);
	CHECK_EQ(hmap_safe_destroy(map), HMAP_OK);
	CHECK_EQ(*((const struct deep *)one.value)->number, 2);
	hmap_safe_release(&one);
	CHECK_EQ(life.objects, 0);
}

/** What the barrier says that the map holds. */
struct mirror {
	uint64_t held[KEYS]; // 0: not there
	size_t count;
	unsigned calls;
};

static void mirror_write(struct hmap_safe *map, const void *key, const void *old_value,
			 const void *new_value, void *state)
{
	const struct pair *from = old_value, *to = new_value;
	struct mirror *mirror = state;
	struct pair now = { 0, 0 };
	uint64_t k;
	bool there;

	memcpy(&k, key, sizeof(k));
	CHECK_EQ(from ? from->number : 0, mirror->held[k]);
	CHECK(!to || to->check == ~to->number);
	// It has not taken effect: readers see the old one (after a failure, too).
	there = hmap_safe_get(map, key, &now) == HMAP_OK;
	CHECK_EQ(there, now.number != 0);
	CHECK(now.number == (from ? from->number : 0) || now.number == (to ? to->number : 0));
	mirror->calls++;
	mirror->count += (size_t)(to != NULL) - (size_t)(from != NULL);
	mirror->held[k] = to ? to->number : 0;
}

static void check_mirror(const struct hmap_safe *map, const struct mirror *mirror)
{
	CHECK_EQ(hmap_safe_count(map), mirror->count);
	for (uint64_t k = 0; k < KEYS; k++) {
		struct pair have = { 0, 0 };

		CHECK_EQ(hmap_safe_get(map, &k, &have) == HMAP_OK, mirror->held[k] != 0);
		CHECK_EQ(have.number, mirror->held[k]);
	}
}

MS_TEST(the_barrier_is_told_of_every_write)
{
	static struct mirror mirror;
	const struct hmap_safe_hooks hooks = { .barrier = mirror_write, .state = &mirror };
	const struct hmap_safe_options options = { .values = HMAP_SAFE_COPY_ON_WRITE,
						   .hooks = &hooks };
	struct hmap_safe *map = safe_of(&safe_pairs, &options);
	struct hmap *model;

	CHECK_EQ(hmap_create(&safe_pairs, NULL, &model), HMAP_OK);
	for (unsigned i = 0; i < STEPS; i++) {
		step_both(map, model);
		if (i % 1000 == 0)
			check_mirror(map, &mirror);
	}
	CHECK(mirror.calls > STEPS / 3);
	check_mirror(map, &mirror);
	CHECK_EQ(hmap_safe_destroy(map), HMAP_OK);
	hmap_destroy(model);
}

/* ------------------------------------------------------------------------------------------- */
/* Memory that is refused                                                                      */

/** A map is filled and changed while one allocation is refused; false: none was. */
static bool play_with_refusal(long n, enum hmap_safe_values values)
{
	struct mirror mirror = { { 0 }, 0, 0 };
	const struct hmap_safe_hooks hooks = { .barrier = mirror_write, .state = &mirror };
	bool cow = values == HMAP_SAFE_COPY_ON_WRITE, refused;
	struct hmap_safe *map = NULL;
	struct safe_memory r;
	struct hmap_safe_options options = { .values = values, .map.allocator = &r.allocator };
	uint64_t held[KEYS] = { 0 };
	enum hmap_status status;

	safe_memory_init(&r);
	r.until_refusal = n;
	options.hooks = cow ? &hooks : NULL;
	status = hmap_safe_create(&safe_pairs, &options, &map);
	if (status == HMAP_NO_MEMORY) {
		CHECK(!map);
		CHECK_EQ(r.blocks, 0);
		return true;
	}
	CHECK_EQ(status, HMAP_OK);
	for (uint64_t i = 1; i <= 2 * KEYS; i++) {
		uint64_t key = i % KEYS, version = hmap_safe_version(map);
		struct pair value = pair_of(i), have = { 0, 0 };
		bool added = false;

		status = i % 3 ? hmap_safe_put(map, &key, &value)
			       : hmap_safe_get_or_put(map, &key, &value, &have, &added);
		CHECK(status == HMAP_OK || status == HMAP_NO_MEMORY);
		if (status == HMAP_OK && (i % 3 || added))
			held[key] = i;
		CHECK_EQ(hmap_safe_version(map) - version,
			 status == HMAP_OK && (i % 3 || added) ? 1 : 0);
		have = (struct pair){ 0, 0 };
		CHECK_EQ(hmap_safe_get(map, &key, &have), held[key] ? HMAP_OK : HMAP_NOT_FOUND);
		CHECK_EQ(have.number, held[key]);
	}
	if (cow)
		check_mirror(map, &mirror);
	CHECK_EQ(hmap_safe_count(map), KEYS);
	status = hmap_safe_reserve(map, 3 * KEYS, HMAP_RESERVE_PLAIN);
	CHECK(status == HMAP_OK || status == HMAP_NO_MEMORY);
	for (uint64_t k = 0; k < KEYS; k++)
		CHECK_EQ(hmap_safe_get(map, &k, NULL), HMAP_OK);
	refused = r.until_refusal == 0;
	CHECK_EQ(hmap_safe_destroy(map), HMAP_OK);
	CHECK_EQ(r.blocks, 0);
	return refused;
}

MS_TEST(each_refusal_of_memory_leaves_a_safe_map_as_it_was)
{
	for (unsigned cow = 0; cow < 2; cow++) {
		long n = 1;

		while (play_with_refusal(n, (enum hmap_safe_values)cow))
			n++;
		CHECK(n > (cow ? KEYS : 5));
		printf("%ld allocations refused\n", n - 1);
	}
}
