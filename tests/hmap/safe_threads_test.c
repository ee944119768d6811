// Goal: threads that use one safe map at once find it whole, frozen or not, and what they borrowed
// of it unchanged.
// Method: each writer owns its keys and knows what they must hold; readers look for values that are
// torn.  Run under a thread sanitizer, too.
#include "tests/hmap/safe_support.h"

#include <pthread.h>
#include <sched.h>

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
		struct hmap_safe *map = safe_of(&safe_pairs, &options);
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
		struct hmap_safe *map = safe_of(&safe_pairs, &options);
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
	struct worker w = { .map = safe_of(&safe_pairs, NULL) };

	put_pair(w.map, 1, 1);
	put_pair(w.map, 2, 2);
	CHECK_EQ(hmap_safe_each(w.map, visit_beside_writer, &w), HMAP_OK);
	CHECK_EQ(pthread_join(w.thread, NULL), 0);
	CHECK_EQ(hmap_safe_count(w.map), 3);
	CHECK_EQ(hmap_safe_destroy(w.map), HMAP_OK);
}

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
	struct hmap_safe *map = safe_of(&safe_pairs, &options);
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
