// Goal: hooks are told of each growth and each crossing of the watermark, once, and whoever calls
// back from a hook or a callback is answered and never waits for himself.
// Method: hooks that try every call; a type whose callbacks do; growths that are refused.
#include "tests/hmap/safe_support.h"

struct told {
	size_t before, after, high;
	bool open; // between a before and its after
	struct hmap_safe_event last;
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
	CHECK_EQ(safe_capacity(map), event->new_capacity);
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
		struct hmap_safe *map = safe_of(&safe_pairs, &options);
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
	struct hmap_safe *map = safe_of(&safe_pairs, &options);

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
	struct hmap_safe *map = safe_of(&safe_pairs, &options);
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
	CHECK(safe_capacity(map) > 5000); // The table's own.
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
	return safe_hash(key, seed, NULL);
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

static bool stop_at_three(const void *key, const void *value, void *state)
{
	(void)key;
	(void)value;
	return ++*(unsigned *)state < 3;
}

MS_TEST(a_visit_ends_the_round)
{
	struct hmap_safe *map = safe_of(&safe_pairs, NULL);
	unsigned seen = 0;

	for (uint64_t k = 0; k < 500; k++)
		put_pair(map, k, k);
	CHECK_EQ(hmap_safe_each(map, stop_at_three, &seen), HMAP_OK);
	CHECK_EQ(seen, 3);
	CHECK_EQ(hmap_safe_destroy(map), HMAP_OK);
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
	struct safe_memory r;
	const struct hmap_safe_options options = { .hooks = &hooks, .map.allocator = &r.allocator };
	struct hmap_safe_stats stats;
	struct hmap_safe *map;
	struct pair value = pair_of(1);

	safe_memory_init(&r);
	map = safe_of(&safe_pairs, &options);
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
	CHECK_EQ(g.capacity, safe_capacity(map));
	CHECK_EQ(hmap_safe_destroy(map), HMAP_OK);
	CHECK_EQ(r.blocks, 0);
}
