// Goal: an access that was asked for is looked at, as it is, once, and nothing else changes.
// Method: maps whose hashes are known, asked for one access at a time, in each state that a map can
// be in; then a thread that asks without end while others write and read, also under TSan.
#include <hmap/hmap_registry.h>
#include <hmap/hmap_typed.h>

#include "tests/support/test.h"

#include <pthread.h>
#include <string.h>

static uint64_t hash_itself(const void *key, uint64_t seed, void *state)
{
	uint64_t number;

	(void)seed;
	(void)state;
	memcpy(&number, key, sizeof(number));
	return number;
}

static bool equal_numbers(const void *a, const void *b, void *state)
{
	(void)state;
	return memcmp(a, b, sizeof(uint64_t)) == 0;
}

static const struct hmap_type plain = { .name = "plain",
					.key_size = sizeof(uint64_t),
					.value_size = sizeof(uint64_t),
					.hash = hash_itself,
					.equal = equal_numbers };

static struct hmap_access last;
static uint64_t looks;

static void take(const struct hmap_access *access, void *state)
{
	(void)state;
	last = *access;
	looks++;
}

static void watch(struct hmap_observer *observer)
{
	*observer = (struct hmap_observer){ .access = take };
	CHECK_EQ(hmap_observe(observer), HMAP_OK);
	looks = 0;
	last = (struct hmap_access){ .map = NULL };
}

static struct hmap *map_of(size_t entries, enum hmap_engine engine)
{
	const struct hmap_options options = { .engine = engine };
	struct hmap *map;

	CHECK_EQ(hmap_create(&plain, &options, &map), HMAP_OK);
	for (uint64_t i = 0; i < entries; i++)
		CHECK_EQ(hmap_put(map, &i, &i), HMAP_OK);
	return map;
}

static void look_at_each_kind(enum hmap_engine engine)
{
	struct hmap_observer observer;
	uint64_t there = 77, missing = 1 << 20, new_one = 1 << 21;
	struct hmap *map;
	struct hmap_stats stats;

	watch(&observer);
	map = map_of(5000, engine);
	CHECK_EQ(hmap_step(map, SIZE_MAX), 0);
	CHECK(hmap_get(map, &there) != NULL);
	CHECK_EQ(looks, 0);
	CHECK(hmap_audit_next(map));
	CHECK(*(uint64_t *)hmap_get(map, &there) == 77);
	CHECK(hmap_get(map, &there) != NULL);
	CHECK_EQ(looks, 1);
	CHECK(last.map == map && last.hash == 77 && last.found && last.kind == HMAP_ACCESS_GET);
	CHECK(last.probes >= 1 && last.probes < 10);
	CHECK_EQ(hmap_stats(map, HMAP_STATS_QUICK, &stats), HMAP_OK);
	CHECK_EQ((size_t)1 << last.shift, stats.buckets);
	CHECK(last.bucket < stats.buckets);
	CHECK(hmap_audit_next(map));
	CHECK(hmap_get(map, &missing) == NULL);
	CHECK(looks == 2 && !last.found);
	CHECK(hmap_audit_next(map));
	CHECK_EQ(hmap_put(map, &new_one, &there), HMAP_OK);
	CHECK(looks == 3 && last.kind == HMAP_ACCESS_PUT && !last.found);
	CHECK(*(uint64_t *)hmap_get(map, &new_one) == 77);
	CHECK(hmap_audit_next(map));
	CHECK_EQ(hmap_erase(map, &new_one), HMAP_OK);
	CHECK(looks == 4 && last.kind == HMAP_ACCESS_ERASE && last.found);
	CHECK(hmap_get(map, &new_one) == NULL);
	CHECK_EQ(looks, 4);
	CHECK_EQ(hmap_check(map, NULL), HMAP_OK);
	hmap_destroy(map);
	CHECK_EQ(hmap_observe(NULL), HMAP_OK);
}

MS_TEST(an_access_that_was_asked_for_is_looked_at_once)
{
	look_at_each_kind(HMAP_STEADY);
	look_at_each_kind(HMAP_CLASSIC);
}

static void look_while_it_grows(enum hmap_engine engine)
{
	struct hmap_observer observer;
	struct hmap *map;

	watch(&observer);
	map = map_of(3000, engine);
	CHECK_EQ(hmap_step(map, SIZE_MAX), 0);
	CHECK_EQ(hmap_begin_pass(map, HMAP_PASS_GROW), HMAP_OK);
	for (uint64_t i = 0; i < 3000; i++) {
		CHECK(hmap_audit_next(map));
		if (i % 3)
			CHECK(*(uint64_t *)hmap_get(map, &i) == i);
		else
			CHECK_EQ(hmap_put(map, &i, &i), HMAP_OK); // Moves a block, while there are.
		CHECK(looks == i + 1 && last.found && last.hash == i);
	}
	CHECK_EQ(hmap_check(map, NULL), HMAP_OK);
	hmap_destroy(map);
	CHECK_EQ(hmap_observe(NULL), HMAP_OK);
}

MS_TEST(an_access_is_looked_at_in_the_middle_of_a_growth)
{
	look_while_it_grows(HMAP_STEADY);
	look_while_it_grows(HMAP_CLASSIC);
}

MS_TEST(what_has_no_accesses_to_look_at_says_so)
{
	struct hmap *unborn = map_of(0, HMAP_STEADY), *empty = map_of(0, HMAP_CLASSIC);
	struct hmap_observer observer;
	uint64_t key = 1;

	watch(&observer);
	CHECK(!hmap_audit_next(unborn));
	CHECK(hmap_get(unborn, &key) == NULL);
	CHECK_EQ(looks, 0);
	CHECK(hmap_audit_next(empty)); // Which has no array yet, but is asked all the same.
	CHECK(hmap_get(empty, &key) == NULL);
	CHECK(looks == 1 && !last.found && last.probes == 0 && last.hash == 1);
	hmap_destroy(unborn);
	hmap_destroy(empty);
	CHECK_EQ(hmap_observe(NULL), HMAP_OK);
}

/** Long chains are long lookups: keys that differ only where the table does not look. */
MS_TEST(probes_are_counted_as_far_as_a_lookup_goes)
{
	struct hmap_observer observer;
	uint64_t most = 0;
	struct hmap *map;

	watch(&observer);
	map = map_of(1000, HMAP_STEADY);
	for (uint64_t i = 1; i <= 200; i++) {
		uint64_t key = i << 40;

		CHECK_EQ(hmap_put(map, &key, &i), HMAP_OK);
	}
	for (uint64_t i = 1; i <= 200; i++) {
		uint64_t key = i << 40;

		CHECK(hmap_audit_next(map));
		CHECK(hmap_get(map, &key) != NULL);
		CHECK(last.found);
		most = last.probes > most ? last.probes : most;
	}
	CHECK(most > 10);
	hmap_destroy(map);
	CHECK_EQ(hmap_observe(NULL), HMAP_OK);
}

static bool give_ids(uint8_t trace_id[16], uint8_t span_id[8], void *state)
{
	memset(trace_id, 0xab, 16);
	memset(span_id, 0xcd, 8);
	return *(bool *)state;
}

MS_TEST(the_callers_ids_go_along)
{
	struct hmap_observer observer;
	bool has_ids = true;
	uint64_t key = 5;
	struct hmap *map;

	watch(&observer);
	map = map_of(10, HMAP_STEADY);
	hmap_set_trace_id(give_ids, &has_ids);
	CHECK(hmap_audit_next(map));
	CHECK(hmap_get(map, &key) != NULL);
	CHECK(last.trace_id[15] == 0xab && last.span_id[7] == 0xcd);
	has_ids = false;
	CHECK(hmap_audit_next(map));
	CHECK(hmap_get(map, &key) != NULL);
	CHECK(last.trace_id[15] == 0 && last.span_id[7] == 0 && looks == 2);
	hmap_set_trace_id(NULL, NULL);
	hmap_destroy(map);
	CHECK_EQ(hmap_observe(NULL), HMAP_OK);
}

static void count(const struct hmap_access *access, void *state)
{
	__atomic_add_fetch((uint64_t *)state, access->map != NULL, __ATOMIC_RELAXED);
}

static bool ask(const struct hmap *map, void *state)
{
	(void)state;
	(void)hmap_audit_next(map);
	return true;
}

static bool is_over;

static void *ask_on(void *state)
{
	while (!__atomic_load_n(&is_over, __ATOMIC_RELAXED))
		hmap_each_map(ask, state);
	return NULL;
}

static void *write_on(void *state)
{
	enum hmap_engine engine = HMAP_STEADY;
	uint64_t i = 0;

	// As many as it takes for two looks at least, and a growth or two.
	while (__atomic_load_n((uint64_t *)state, __ATOMIC_RELAXED) < 8 || i < 40000) {
		struct hmap *map = map_of(100, engine);

		engine = engine == HMAP_STEADY ? HMAP_CLASSIC : HMAP_STEADY;
		for (uint64_t k = 0; k < 2000; k++, i++) {
			CHECK_EQ(hmap_put(map, &i, &i), HMAP_OK);
			CHECK(*(uint64_t *)hmap_get(map, &i) == i);
			if (k % 3 == 0)
				CHECK_EQ(hmap_erase(map, &i), HMAP_OK);
		}
		CHECK_EQ(hmap_check(map, NULL), HMAP_OK);
		hmap_destroy(map);
	}
	return NULL;
}

MS_TEST(a_thread_that_asks_without_end_disturbs_nobody)
{
	uint64_t seen = 0;
	struct hmap_observer observer = { .access = count, .state = &seen };
	pthread_t asker, writers[3];

	CHECK_EQ(hmap_observe(&observer), HMAP_OK);
	is_over = false;
	CHECK_EQ(pthread_create(&asker, NULL, ask_on, NULL), 0);
	for (size_t i = 0; i < 3; i++)
		CHECK_EQ(pthread_create(&writers[i], NULL, write_on, &seen), 0);
	for (size_t i = 0; i < 3; i++)
		CHECK_EQ(pthread_join(writers[i], NULL), 0);
	__atomic_store_n(&is_over, true, __ATOMIC_RELAXED);
	CHECK_EQ(pthread_join(asker, NULL), 0);
	CHECK(seen >= 8);
	CHECK_EQ(hmap_observe(NULL), HMAP_OK);
}
