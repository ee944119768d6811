// Goal: a safe map holds what a plain one would, whatever threads do to it, is silent and still
// once frozen, never waits for itself, and lets go of a value no sooner than its last reader.
// Method: random operations beside a plain map; threads that own their keys and know what each must
// hold; hooks and callbacks that call back; each allocation refused in turn.
#include "tests/support/test.h"

#include <hmap/hmap_hash.h>
#include <hmap/hmap_registry.h>
#include <hmap/hmap_safe.h>

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

enum { KEYS = 700, STEPS = 20000 };

static uint64_t hash_u64(const void *key, uint64_t seed, void *state)
{
	uint64_t k;

	(void)state;
	memcpy(&k, key, sizeof(k));
	return hmap_hash_u64(k, seed);
}

/** A value of two halves that must agree: one torn in two would show. */
struct pair {
	uint64_t number, check;
};

static struct pair pair_of(uint64_t number)
{
	return (struct pair){ number, ~number };
}

static const struct hmap_type pairs = {
	.name = "pairs",
	.key_size = 8,
	.value_size = sizeof(struct pair),
	.hash = hash_u64,
};

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
				   .hash = hash_u64,
				   .value_copy = copy_deep,
				   .value_destroy = destroy_deep,
				   .state = life };
}

static struct hmap_safe *safe_of(const struct hmap_type *type,
				 const struct hmap_safe_options *options)
{
	struct hmap_safe *map = NULL;

	CHECK_EQ(hmap_safe_create(type, options, &map), HMAP_OK);
	return map;
}

static void put_pair(struct hmap_safe *map, uint64_t key, uint64_t number)
{
	struct pair value = pair_of(number);

	CHECK_EQ(hmap_safe_put(map, &key, &value), HMAP_OK);
}

static size_t capacity_of(const struct hmap_safe *map)
{
	struct hmap_safe_stats stats;

	CHECK_EQ(hmap_safe_stats(map, HMAP_STATS_QUICK, &stats), HMAP_OK);
	return stats.capacity;
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
		struct hmap_safe *map = safe_of(&pairs, &options);
		struct hmap *model;

		CHECK_EQ(hmap_create(&pairs, NULL, &model), HMAP_OK);
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
		{ .key_size = 8, .value_size = 0, .hash = hash_u64 },
		{ .key_size = 8, .value_size = 1, .hash = hash_u64 },
		{ .key_size = 8, .value_size = 64, .value_align = 64, .hash = hash_u64 },
		{ .key_size = 8, .value_size = 5000, .hash = hash_u64 },
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
		CHECK_EQ(hmap_safe_create(&pairs, &bad[i], &map), HMAP_BAD_ARGUMENT);
	CHECK_EQ(hmap_safe_create(&pairs, &classic, &map), HMAP_NOT_SUPPORTED);
	CHECK_EQ(hmap_safe_create(NULL, NULL, &map), HMAP_BAD_ARGUMENT);
	CHECK_EQ(hmap_safe_create(&unhashed, NULL, &map), HMAP_BAD_ARGUMENT);
	CHECK_EQ(hmap_safe_create(&pairs, NULL, NULL), HMAP_BAD_ARGUMENT);
	CHECK(!map);
	CHECK_EQ(hmap_safe_count(NULL), 0);
	CHECK_EQ(hmap_safe_get(NULL, &key, NULL), HMAP_NOT_FOUND);
	CHECK_EQ(hmap_safe_borrow(NULL, &key, &ref), HMAP_NOT_FOUND);
	CHECK_EQ(hmap_safe_put(NULL, &key, NULL), HMAP_NULL_MAP);
	CHECK_EQ(hmap_safe_freeze(NULL), HMAP_NULL_MAP);
	CHECK_EQ(hmap_safe_stats(NULL, HMAP_STATS_QUICK, &stats), HMAP_NULL_MAP);
	CHECK_EQ(hmap_safe_destroy(NULL), HMAP_OK);
	map = safe_of(&pairs, NULL);
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

__attribute__((noinline)) static struct hmap_safe *made_here(void)
{
	struct hmap_safe *map = safe_of(&pairs, NULL);

	CHECK(map != NULL);
	return map;
}

MS_TEST(the_list_of_maps_has_the_maker_of_a_safe_one)
{
	struct hmap_safe *map = made_here();
	uintptr_t at = 0;

	hmap_each_map(find_caller, &at);
	CHECK(at > (uintptr_t)safe_of && at < (uintptr_t)safe_of + 4096);
	CHECK_EQ(hmap_safe_destroy(map), HMAP_OK);
}

/* ------------------------------------------------------------------------------------------- */
/* Threads                                                                                     */

enum { WRITERS = 4, READERS = 4, OWN = 300, ROUNDS = 6000 };

struct worker {
	struct hmap_safe *map;
	uint64_t first; // of its keys: no other thread writes them
	uint64_t seed;
	uint64_t held[OWN]; // 0: not there
	uint64_t writes;
	bool *stop;
	pthread_t thread;
};

static uint64_t next_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return *state >> 33;
}

static bool is_whole(const void *key, const void *value, void *state)
{
	const struct pair *pair = value;

	(void)key;
	CHECK_EQ(pair->check, ~pair->number);
	++*(size_t *)state;
	return true;
}

/** One write to a key of its own; false: the map is frozen. */
static bool write_own(struct worker *w)
{
	uint64_t i = next_random(&w->seed) % OWN, key = w->first + i, number = ++w->writes;
	struct pair value = pair_of(number);
	enum hmap_status status, wanted = HMAP_OK;

	if (next_random(&w->seed) % 3) {
		status = hmap_safe_put(w->map, &key, &value);
	} else {
		status = hmap_safe_erase(w->map, &key);
		wanted = w->held[i] ? HMAP_OK : HMAP_NOT_FOUND;
		number = 0;
	}
	if (status == HMAP_FROZEN)
		return false;
	CHECK_EQ(status, wanted);
	w->held[i] = number;
	return true;
}

static void *writes(void *state)
{
	struct worker *w = state;

	for (unsigned i = 0; i < ROUNDS; i++) {
		uint64_t own = next_random(&w->seed) % OWN, key = w->first + own;
		struct pair have;

		if (!write_own(w))
			return NULL;
		// Nobody else writes it: it is as this thread left it.
		CHECK_EQ(hmap_safe_get(w->map, &key, &have),
			 w->held[own] ? HMAP_OK : HMAP_NOT_FOUND);
		if (w->held[own])
			CHECK_EQ(have.number, w->held[own]);
		if (i % 1000 == 999)
			CHECK_EQ(hmap_safe_reserve(w->map, i, HMAP_RESERVE_PLAIN), HMAP_OK);
	}
	return NULL;
}

static void *writes_until_frozen(void *state)
{
	while (write_own(state))
		;
	return NULL;
}

static void *reads(void *state)
{
	struct worker *w = state;

	while (!__atomic_load_n(w->stop, __ATOMIC_ACQUIRE)) {
		uint64_t key = next_random(&w->seed) % ((uint64_t)WRITERS * OWN);
		struct hmap_safe_stats stats;
		struct hmap_safe_ref ref;
		struct pair have;
		size_t seen = 0;

		if (hmap_safe_get(w->map, &key, &have) == HMAP_OK)
			CHECK_EQ(have.check, ~have.number);
		if (hmap_safe_borrow(w->map, &key, &ref) == HMAP_OK) {
			const struct pair *value = ref.value;

			sched_yield(); // Others replace it meanwhile.
			CHECK_EQ(value->check, ~value->number);
			CHECK(ref.version <= hmap_safe_version(w->map));
			hmap_safe_release(&ref);
		}
		if (next_random(&w->seed) % 64 == 0)
			CHECK_EQ(hmap_safe_each(w->map, is_whole, &seen), HMAP_OK);
		CHECK(seen <= (size_t)WRITERS * OWN);
		CHECK_EQ(hmap_safe_stats(w->map, HMAP_STATS_QUICK, &stats), HMAP_OK);
		CHECK(hmap_safe_count(w->map) <= (size_t)WRITERS * OWN);
	}
	return NULL;
}

static void begin_workers(struct worker *workers, struct hmap_safe *map, bool *stop,
			  void *(*write)(void *))
{
	for (size_t i = 0; i < WRITERS + READERS; i++) {
		workers[i] = (struct worker){
			.map = map, .first = i * OWN, .seed = ms_test_random(), .stop = stop
		};
		CHECK_EQ(pthread_create(&workers[i].thread, NULL, i < WRITERS ? write : reads,
					&workers[i]),
			 0);
	}
}

static void join(const struct worker *workers, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		CHECK_EQ(pthread_join(workers[i].thread, NULL), 0);
}

static void check_held(const struct worker *workers, const struct hmap_safe *map)
{
	size_t count = 0;

	for (size_t i = 0; i < WRITERS; i++)
		for (uint64_t k = 0; k < OWN; k++) {
			uint64_t key = workers[i].first + k, wanted = workers[i].held[k];
			struct pair have = { 0, 0 };

			CHECK_EQ(hmap_safe_get(map, &key, &have),
				 wanted ? HMAP_OK : HMAP_NOT_FOUND);
			CHECK_EQ(have.number, wanted);
			count += wanted != 0;
		}
	CHECK_EQ(hmap_safe_count(map), count);
}

MS_TEST(threads_read_and_write_one_map)
{
	static struct worker workers[WRITERS + READERS];

	for (unsigned cow = 0; cow < 2; cow++) {
		const struct hmap_safe_options options = { .values = (enum hmap_safe_values)cow,
							   .map = { .shrink = 0.2 } };
		struct hmap_safe *map = safe_of(&pairs, &options);
		bool stop = false;

		begin_workers(workers, map, &stop, writes);
		join(workers, 0, WRITERS);
		__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
		join(workers, WRITERS, WRITERS + READERS);
		check_held(workers, map);
		CHECK_EQ(hmap_safe_destroy(map), HMAP_OK);
	}
}

MS_TEST(a_map_is_frozen_under_load)
{
	static struct worker workers[WRITERS + READERS];

	for (unsigned round = 0; round < 12; round++) {
		const struct hmap_safe_options options = { .values =
							       (enum hmap_safe_values)(round & 1) };
		struct hmap_safe *map = safe_of(&pairs, &options);
		bool stop = false;
		uint64_t version;

		begin_workers(workers, map, &stop, writes_until_frozen);
		while (hmap_safe_version(map) < round * 400)
			sched_yield();
		CHECK_EQ(hmap_safe_freeze(map), HMAP_OK);
		version = hmap_safe_version(map);
		join(workers, 0, WRITERS); // Each of them was told.
		CHECK_EQ(hmap_safe_version(map), version);
		check_held(workers, map);
		__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
		join(workers, WRITERS, WRITERS + READERS);
		CHECK_EQ(hmap_safe_destroy(map), HMAP_OK);
	}
}

MS_TEST(a_frozen_map_takes_no_writes)
{
	struct hmap_safe *map = safe_of(&pairs, NULL);
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
/* Hooks                                                                                       */

struct told {
	size_t before, after, high;
	bool open; // between a before and its after
	struct hmap_safe_event last;
	uint64_t version;
};

/** All that a hook may try with its own map: reads succeed, writes are told off. */
static void call_back(struct hmap_safe *map)
{
	struct hmap_safe_stats stats;
	struct pair value = pair_of(1);
	size_t seen = 0;
	uint64_t key = 0;

	CHECK_EQ(hmap_safe_get(map, &key, &value), HMAP_OK);
	CHECK_EQ(hmap_safe_stats(map, HMAP_STATS_QUICK, &stats), HMAP_OK);
	CHECK_EQ(hmap_safe_each(map, is_whole, &seen), HMAP_OK);
	CHECK_EQ(seen, hmap_safe_count(map));
	CHECK_EQ(hmap_safe_put(map, &key, &value), HMAP_BUSY);
	CHECK_EQ(hmap_safe_get_or_put(map, &key, &value, NULL, NULL), HMAP_BUSY);
	CHECK_EQ(hmap_safe_erase(map, &key), HMAP_BUSY);
	CHECK_EQ(hmap_safe_clear(map), HMAP_BUSY);
	CHECK_EQ(hmap_safe_reserve(map, 10, HMAP_RESERVE_PLAIN), HMAP_BUSY);
	CHECK_EQ(hmap_safe_set_capacity(map, 10), HMAP_BUSY);
	CHECK_EQ(hmap_safe_set_watermark(map, 0.5), HMAP_BUSY);
	CHECK_EQ(hmap_safe_freeze(map), HMAP_BUSY);
	CHECK_EQ(hmap_safe_destroy(map), HMAP_BUSY);
}

static void told_before(struct hmap_safe *map, const struct hmap_safe_event *event, void *state)
{
	struct told *told = state;

	CHECK(!told->open);
	CHECK(event->new_capacity > event->old_capacity);
	CHECK_EQ(event->entries, hmap_safe_count(map));
	told->open = true;
	told->before++;
	told->last = *event;
	call_back(map);
}

static void told_after(struct hmap_safe *map, const struct hmap_safe_event *event, void *state)
{
	struct told *told = state;

	CHECK(told->open);
	CHECK_EQ(event->old_capacity, told->last.old_capacity);
	CHECK_EQ(event->new_capacity, told->last.new_capacity);
	CHECK_EQ(capacity_of(map), event->new_capacity);
	told->open = false;
	told->after++;
	call_back(map);
}

static void told_high(struct hmap_safe *map, const struct hmap_safe_event *event, void *state)
{
	struct told *told = state;

	CHECK((double)event->entries > 0.85 * (double)event->old_capacity);
	CHECK(event->new_capacity > event->old_capacity);
	told->high++;
	call_back(map);
}

static struct hmap_safe_hooks hooks_of(struct told *told)
{
	return (struct hmap_safe_hooks){ .before_growth = told_before,
					 .after_growth = told_after,
					 .high_load = told_high,
					 .state = told };
}

MS_TEST(hooks_are_told_of_growth_and_load_and_may_read)
{
	for (unsigned cow = 0; cow < 2; cow++) {
		struct told told = { 0 };
		const struct hmap_safe_hooks hooks = hooks_of(&told);
		const struct hmap_safe_options options = { .hooks = &hooks,
							   .values = (enum hmap_safe_values)cow };
		struct hmap_safe *map = safe_of(&pairs, &options);
		struct hmap_safe_stats stats;

		for (uint64_t k = 0; k < 13; k++) {
			CHECK_EQ(told.high, k > 11);
			put_pair(map, k, k);
			put_pair(map, k, k); // Of a key that is there nothing grows.
		}
		CHECK_EQ(told.before, 0);
		put_pair(map, 13, 13);
		CHECK_EQ(told.before, 1);
		CHECK_EQ(told.after, 1); // A small table grows at once.
		CHECK_EQ(told.last.old_capacity, 14);
		CHECK_EQ(told.last.new_capacity, 46);
		for (uint64_t k = 14; k < 20000; k++)
			put_pair(map, k, k);
		CHECK_EQ(hmap_safe_stats(map, HMAP_STATS_QUICK, &stats), HMAP_OK);
		CHECK_EQ(told.before, stats.table.growths);
		CHECK_EQ(told.before - told.after, stats.table.pass != 0);
		CHECK_EQ(told.high, told.before + ((double)stats.table.entries >
						   0.85 * (double)stats.capacity));
		CHECK_EQ(hmap_safe_reserve(map, 100000, HMAP_RESERVE_PLAIN), HMAP_OK);
		CHECK_EQ(told.before, told.after);
		CHECK_EQ(hmap_safe_stats(map, HMAP_STATS_QUICK, &stats), HMAP_OK);
		CHECK(stats.table.pass == 0 && stats.capacity >= 100000);
		CHECK_EQ(hmap_safe_destroy(map), HMAP_OK);
	}
}

MS_TEST(a_freeze_tells_of_the_growth_that_it_ends)
{
	struct told told = { 0 };
	const struct hmap_safe_hooks hooks = hooks_of(&told);
	const struct hmap_safe_options options = { .hooks = &hooks };
	struct hmap_safe *map = safe_of(&pairs, &options);

	for (uint64_t k = 0; !told.open; k++)
		put_pair(map, k, k);
	CHECK_EQ(hmap_safe_freeze(map), HMAP_OK);
	CHECK(!told.open);
	CHECK_EQ(hmap_safe_destroy(map), HMAP_OK);
}

static void count_high(struct hmap_safe *map, const struct hmap_safe_event *event, void *state)
{
	(void)map;
	*(struct hmap_safe_event *)state = *event;
	((struct hmap_safe_event *)state)->new_capacity = 1; // Told.
}

static bool was_told(struct hmap_safe_event *last)
{
	bool told = last->new_capacity != 0;

	last->new_capacity = 0;
	return told;
}

MS_TEST(high_load_is_told_once_for_each_crossing)
{
	struct hmap_safe_event last = { 0, 0, 0 };
	const struct hmap_safe_hooks hooks = { .high_load = count_high, .state = &last };
	const struct hmap_safe_options options = { .hooks = &hooks,
						   .capacity = 100,
						   .map.hint = 5000 };
	struct hmap_safe *map = safe_of(&pairs, &options);
	uint64_t key;

	for (key = 0; key < 85; key++)
		put_pair(map, key, key);
	CHECK(!was_told(&last));
	put_pair(map, key++, 0);
	CHECK(was_told(&last));
	CHECK_EQ(last.entries, 86);
	CHECK_EQ(last.old_capacity, 100);
	while (key < 95)
		put_pair(map, key++, 0);
	CHECK(!was_told(&last));
	while (key > 86) {
		key--;
		CHECK_EQ(hmap_safe_erase(map, &key), HMAP_OK);
	}
	put_pair(map, key++, 0); // It did not fall to the watermark.
	CHECK(!was_told(&last));
	for (unsigned i = 0; i < 2; i++) {
		key--;
		CHECK_EQ(hmap_safe_erase(map, &key), HMAP_OK);
	}
	put_pair(map, key++, 0); // It did: this is a second crossing.
	CHECK(was_told(&last));

	CHECK_EQ(hmap_safe_set_capacity(map, 200), HMAP_OK);
	CHECK(!was_told(&last)); // 86 of 200
	CHECK_EQ(hmap_safe_set_watermark(map, 0.4), HMAP_OK);
	CHECK(was_told(&last));
	CHECK_EQ(hmap_safe_set_capacity(map, 210), HMAP_OK);
	CHECK(was_told(&last)); // The capacity rose, and it is high again.
	CHECK_EQ(hmap_safe_set_capacity(map, 150), HMAP_OK);
	CHECK(!was_told(&last)); // It fell: that it is high was said.
	CHECK_EQ(hmap_safe_clear(map), HMAP_OK);
	CHECK_EQ(hmap_safe_set_capacity(map, 0), HMAP_OK);
	CHECK(capacity_of(map) > 5000); // The table's own.
	CHECK_EQ(hmap_safe_destroy(map), HMAP_OK);
}

/** Of a type whose callbacks call back: each notes what it was told. */
struct caller {
	struct hmap_safe *map;
	bool calls;
	unsigned busy, done;
};

static void note(struct caller *c, enum hmap_status status)
{
	c->busy += status == HMAP_BUSY;
	c->done += status == HMAP_OK;
	CHECK(status == HMAP_BUSY || status == HMAP_OK);
}

static void call_from_callback(struct caller *c)
{
	struct hmap_safe *map = c->map;
	uint64_t key = 1, value = 1, have;

	if (!c->calls)
		return;
	c->calls = false;
	note(c, hmap_safe_get(map, &key, &have));
	CHECK_EQ(hmap_safe_put(map, &key, &value), HMAP_BUSY);
	CHECK_EQ(hmap_safe_erase(map, &key), HMAP_BUSY);
	c->calls = true;
}

static uint64_t calling_hash(const void *key, uint64_t seed, void *state)
{
	call_from_callback(state);
	return hash_u64(key, seed, NULL);
}

static bool calling_copy(void *to, const void *from, void *state)
{
	call_from_callback(state);
	memcpy(to, from, sizeof(uint64_t));
	return true;
}

static bool calling_visit(const void *key, const void *value, void *state)
{
	(void)key;
	(void)value;
	call_from_callback(state);
	return true;
}

MS_TEST(callbacks_that_call_back_never_wait_for_themselves)
{
	for (unsigned cow = 0; cow < 2; cow++) {
		struct caller c = { 0 };
		const struct hmap_type type = { .key_size = 8,
						.value_size = 8,
						.hash = calling_hash,
						.value_copy = calling_copy,
						.state = &c };
		const struct hmap_safe_options options = { .values = (enum hmap_safe_values)cow };
		uint64_t key = 1, value = 2;

		c.map = safe_of(&type, &options);
		CHECK_EQ(hmap_safe_put(c.map, &key, &value), HMAP_OK);
		c.calls = true;
		for (key = 1; key < 100; key++)
			CHECK_EQ(hmap_safe_put(c.map, &key, &value), HMAP_OK);
		CHECK(c.busy >= 99); // The hash, while the table is written.
		c.busy = c.done = 0;
		key = 1;
		CHECK_EQ(hmap_safe_get(c.map, &key, &value), HMAP_OK);
		CHECK_EQ(hmap_safe_each(c.map, calling_visit, &c), HMAP_OK);
		CHECK_EQ(c.busy, 0);
		CHECK_EQ(c.done, 101); // The hash and the copy of the get, and 99 visits.
		c.calls = false;
		CHECK_EQ(hmap_safe_destroy(c.map), HMAP_OK);
	}
}

static void *puts_one(void *map)
{
	put_pair(map, 9, 9);
	return NULL;
}

/** Reads while a writer waits: with a second lock it would wait for that one. */
static bool visit_beside_writer(const void *key, const void *value, void *state)
{
	struct worker *w = state;
	struct pair have;

	(void)value;
	if (w->writes++ == 0) {
		CHECK_EQ(pthread_create(&w->thread, NULL, puts_one, w->map), 0);
		for (unsigned i = 0; i < 1000; i++)
			sched_yield();
	}
	CHECK_EQ(hmap_safe_get(w->map, key, &have), HMAP_OK);
	CHECK_EQ(hmap_safe_count(w->map), 2);
	return true;
}

MS_TEST(a_visit_reads_although_a_writer_waits)
{
	struct worker w = { .map = safe_of(&pairs, NULL) };

	put_pair(w.map, 1, 1);
	put_pair(w.map, 2, 2);
	CHECK_EQ(hmap_safe_each(w.map, visit_beside_writer, &w), HMAP_OK);
	CHECK_EQ(pthread_join(w.thread, NULL), 0);
	CHECK_EQ(hmap_safe_count(w.map), 3);
	CHECK_EQ(hmap_safe_destroy(w.map), HMAP_OK);
}

static bool stop_at_three(const void *key, const void *value, void *state)
{
	(void)key;
	(void)value;
	return ++*(unsigned *)state < 3;
}

MS_TEST(a_visit_ends_the_round)
{
	struct hmap_safe *map = safe_of(&pairs, NULL);
	unsigned seen = 0;

	for (uint64_t k = 0; k < 500; k++)
		put_pair(map, k, k);
	CHECK_EQ(hmap_safe_each(map, stop_at_three, &seen), HMAP_OK);
	CHECK_EQ(seen, 3);
	CHECK_EQ(hmap_safe_destroy(map), HMAP_OK);
}

/* ------------------------------------------------------------------------------------------- */
/* Copy-on-write                                                                               */

static void *replaces(void *state)
{
	struct worker *w = state;

	for (uint64_t i = 0; i < ROUNDS; i++) {
		uint64_t key = i % 8;

		if (i % 11 == 0) {
			enum hmap_status status = hmap_safe_erase(w->map, &key);

			CHECK(status == HMAP_OK || status == HMAP_NOT_FOUND);
		} else {
			put_pair(w->map, key, w->first + i);
		}
	}
	return NULL;
}

MS_TEST(a_borrowed_value_stays_while_others_replace_it)
{
	const struct hmap_safe_options options = { .values = HMAP_SAFE_COPY_ON_WRITE };
	struct hmap_safe *map = safe_of(&pairs, &options);
	struct hmap_safe_ref first[8], ref;
	struct worker workers[WRITERS];

	for (uint64_t key = 0; key < 8; key++) {
		put_pair(map, key, 1000 + key);
		CHECK_EQ(hmap_safe_borrow(map, &key, &first[key]), HMAP_OK);
		CHECK_EQ(first[key].version, key + 1);
	}
	for (size_t i = 0; i < WRITERS; i++) {
		workers[i] = (struct worker){ .map = map, .first = (i + 1) * 1000000 };
		CHECK_EQ(pthread_create(&workers[i].thread, NULL, replaces, &workers[i]), 0);
	}
	for (unsigned i = 0; i < ROUNDS; i++) {
		uint64_t key = i % 8;
		const struct pair *value = first[key].value;

		CHECK_EQ(value->number, 1000 + key);
		if (hmap_safe_borrow(map, &key, &ref) != HMAP_OK)
			continue;
		value = ref.value;
		CHECK_EQ(value->check, ~value->number);
		hmap_safe_release(&ref);
	}
	join(workers, 0, WRITERS);
	CHECK_EQ(hmap_safe_destroy(map), HMAP_OK);
	for (uint64_t key = 0; key < 8; key++) { // They outlive the map.
		const struct pair *value = first[key].value;

		CHECK_EQ(value->number, 1000 + key);
		CHECK_EQ(value->check, ~value->number);
		hmap_safe_release(&first[key]);
	}
}

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
	struct hmap_safe *map = safe_of(&pairs, &options);
	struct hmap *model;

	CHECK_EQ(hmap_create(&pairs, NULL, &model), HMAP_OK);
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

struct refusing {
	struct hmap_allocator allocator;
	const struct hmap_allocator *real;
	long blocks;
	long until_refusal; // 0: never
	bool always;        // refuses everything
};

static bool refuses(struct refusing *r)
{
	return r->always || (r->until_refusal > 0 && --r->until_refusal == 0);
}

static void *refusing_allocate(void *state, size_t size, size_t align)
{
	struct refusing *r = state;
	void *memory = refuses(r) ? NULL : r->real->allocate(r->real->state, size, align);

	r->blocks += memory != NULL;
	return memory;
}

static void refusing_release(void *state, void *memory, size_t size, size_t align)
{
	struct refusing *r = state;

	r->blocks--;
	r->real->release(r->real->state, memory, size, align);
}

static void refusing_init(struct refusing *r)
{
	*r = (struct refusing){ .real = hmap_malloc_allocator() };
	r->allocator = (struct hmap_allocator){ .allocate = refusing_allocate,
						.release = refusing_release,
						.state = r };
}

/** A map is filled and changed while one allocation is refused; false: none was. */
static bool play_with_refusal(long n, enum hmap_safe_values values)
{
	struct mirror mirror = { { 0 }, 0, 0 };
	const struct hmap_safe_hooks hooks = { .barrier = mirror_write, .state = &mirror };
	bool cow = values == HMAP_SAFE_COPY_ON_WRITE, refused;
	struct hmap_safe *map = NULL;
	struct refusing r;
	struct hmap_safe_options options = { .values = values, .map.allocator = &r.allocator };
	uint64_t held[KEYS] = { 0 };
	enum hmap_status status;

	refusing_init(&r);
	r.until_refusal = n;
	options.hooks = cow ? &hooks : NULL;
	status = hmap_safe_create(&pairs, &options, &map);
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

struct growths {
	unsigned before, after, refused;
	size_t capacity;
	bool open;
};

static void growth_begins(struct hmap_safe *map, const struct hmap_safe_event *event, void *state)
{
	struct growths *g = state;

	(void)map;
	CHECK(!g->open);
	CHECK_EQ(event->old_capacity, g->capacity);
	g->open = true;
	g->before++;
}

static void growth_ends(struct hmap_safe *map, const struct hmap_safe_event *event, void *state)
{
	struct growths *g = state;

	(void)map;
	CHECK(g->open);
	CHECK_EQ(event->old_capacity, g->capacity);
	g->open = false;
	g->after++;
	g->refused += event->new_capacity == event->old_capacity;
	g->capacity = event->new_capacity;
}

MS_TEST(growths_that_are_refused_are_told_of_in_pairs)
{
	struct growths g = { .capacity = 14 };
	const struct hmap_safe_hooks hooks = { .before_growth = growth_begins,
					       .after_growth = growth_ends,
					       .state = &g };
	struct refusing r;
	const struct hmap_safe_options options = { .hooks = &hooks, .map.allocator = &r.allocator };
	struct hmap_safe_stats stats;
	struct hmap_safe *map;
	struct pair value = pair_of(1);

	refusing_init(&r);
	map = safe_of(&pairs, &options);
	for (uint64_t k = 0; k < 20000; k++) {
		enum hmap_status status;

		// Most of the time there is none, so that passes end late, or cannot begin.
		r.always = k % 128 > 9;
		status = hmap_safe_put(map, &k, &value);
		CHECK(status == HMAP_OK || status == HMAP_NO_MEMORY);
	}
	CHECK(g.refused > 0);
	r.always = true;
	CHECK_EQ(hmap_safe_stats(map, HMAP_STATS_QUICK, &stats), HMAP_OK);
	if (stats.table.pass && hmap_safe_freeze(map) == HMAP_NO_MEMORY)
		CHECK(!hmap_safe_is_frozen(map));
	r.always = false;
	CHECK_EQ(hmap_safe_freeze(map), HMAP_OK);
	CHECK_EQ(g.before, g.after);
	CHECK(!g.open);
	CHECK_EQ(g.capacity, capacity_of(map));
	CHECK_EQ(hmap_safe_destroy(map), HMAP_OK);
	CHECK_EQ(r.blocks, 0);
}
