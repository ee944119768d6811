// Goal: an iteration sees each entry at most once, none that stays is missed, none that is gone is
// seen, and each with the value it has now, whatever happens to the map meanwhile.
// Method: several iterations at a time over maps of every shape; between two steps of them entries
// come, change and go, growths of either kind are forced, and pieces of them done.  Each iteration
// is held against a record of what was there from its begin on.  Keys that are owned by the map are
// given back when they are erased, so that the address sanitizer sees who still looks at them.
#include "tests/hmap/classic_support.h"

#include "tests/support/test.h"

#include <math.h>

enum { KEYS = 400, ITERATIONS = 3 };

struct walk {
	struct hmap_iterator it;
	bool active;
	bool stayed[KEYS]; // There since the iteration began.
	bool seen[KEYS];   // Since it was put.
};

struct world {
	const struct classic_kind *kind;
	struct hmap_classic *c;
	bool there[KEYS];
	uint64_t value[KEYS];
	struct walk walks[ITERATIONS];
	unsigned ended, grown;
};

static uint64_t kept(const struct world *w, uint64_t number)
{
	_Alignas(8) unsigned char value[CLASSIC_VALUE_BYTES_MAX];

	w->kind->make_value(number, value);
	return w->kind->value_number(value);
}

static void put(struct world *w, uint64_t k)
{
	_Alignas(8) unsigned char key[CLASSIC_KEY_BYTES_MAX], value[CLASSIC_VALUE_BYTES_MAX];
	uint64_t number = ms_test_random() % 60000;

	w->kind->make_key(k, key);
	w->kind->make_value(number, value);
	CHECK_EQ(hmap_classic_put(w->c, key, value), HMAP_OK);
	for (unsigned i = 0; i < ITERATIONS && !w->there[k]; i++)
		w->walks[i].seen[k] = false;
	w->there[k] = true;
	w->value[k] = kept(w, number);
}

static void forget(struct world *w, uint64_t k)
{
	w->there[k] = false;
	for (unsigned i = 0; i < ITERATIONS; i++)
		w->walks[i].stayed[k] = false;
}

static void erase(struct world *w, uint64_t k)
{
	_Alignas(8) unsigned char key[CLASSIC_KEY_BYTES_MAX];

	w->kind->make_key(k, key);
	CHECK_EQ(hmap_classic_erase(w->c, key), w->there[k] ? HMAP_OK : HMAP_NOT_FOUND);
	forget(w, k);
}

static void step(struct world *w, struct walk *walk)
{
	uint64_t k;

	if (!walk->active) {
		memcpy(walk->stayed, w->there, sizeof(w->there));
		memset(walk->seen, 0, sizeof(walk->seen));
		hmap_classic_iterate(w->c, &walk->it);
		walk->active = true;
	}
	if (!hmap_classic_next(&walk->it)) {
		CHECK_EQ(walk->it.status, HMAP_OK);
		for (k = 0; k < KEYS; k++)
			CHECK(!walk->stayed[k] || walk->seen[k]);
		walk->active = false;
		w->ended++;
		CHECK(!hmap_classic_next(&walk->it)); // It does not begin anew.
		return;
	}
	k = w->kind->key_number(walk->it.key);
	CHECK(k < KEYS && w->there[k] && !walk->seen[k]);
	CHECK_EQ(w->kind->value_number(walk->it.value), w->value[k]);
	walk->seen[k] = true;
	if (ms_test_random() % 16 == 0) { // The one just seen, by its own key.
		CHECK_EQ(hmap_classic_erase(w->c, walk->it.key), HMAP_OK);
		forget(w, k);
	}
}

static void change(struct world *w)
{
	uint64_t random = ms_test_random(), k = (random >> 32) % KEYS;

	if (random % 100 < 30)
		put(w, k);
	else if (random % 100 < 45)
		erase(w, k);
	else if (random % 100 < 48 && !w->c->h.oldbuckets && w->c->h.B < 8)
		CHECK_EQ(hmap_classic_begin_pass(w->c, random & 1024 ? HMAP_PASS_GROW
								     : HMAP_PASS_COMPACT),
			 HMAP_OK);
	else if (random % 100 < 53 && !w->c->h.oldbuckets && w->c->h.B > 0)
		CHECK_EQ(hmap_classic_begin_pass(w->c, HMAP_PASS_COMPACT), HMAP_OK);
	else if (random % 100 < 62)
		hmap_classic_step(w->c, random >> 8 & 15);
	w->grown += w->c->h.oldbuckets != NULL;
}

static void run(const struct classic_kind *kind, const struct hmap_type *type, unsigned steps)
{
	struct classic_memory memory = { 0 };
	struct hmap_allocator allocator = classic_allocator(&memory);
	struct world w = { .kind = kind };

	for (unsigned map = 0; map < 12; map++) {
		memset(&w, 0, sizeof(w));
		w.kind = kind;
		w.c = classic_map(type, &allocator, ms_test_random());
		for (uint64_t k = 0; k < map * 20; k++)
			put(&w, k);
		for (unsigned i = 0; i < steps; i++) {
			struct walk *walk = &w.walks[ms_test_random() % ITERATIONS];

			step(&w, walk);
			if (ms_test_random() % 2)
				change(&w);
			if (walk->active && ms_test_random() % 900 == 0) {
				hmap_classic_iterate_end(&walk->it);
				walk->active = false;
			}
			if (i % 16 == 0)
				classic_must_hold(w.c);
		}
		CHECK(w.ended > 2);
		CHECK(w.grown > 20);
		hmap_classic_destroy(w.c); // With iterations that nobody ended.
		CHECK_EQ(memory.blocks, 0);
	}
}

MS_TEST(classic_iterations_keep_their_rules_while_the_map_changes)
{
	for (size_t i = 0; i < classic_kind_count; i++)
		run(&classic_kinds[i], &classic_kinds[i].type, 2500);
}

MS_TEST(classic_iterations_keep_their_rules_in_long_chains)
{
	for (size_t i = 0; i < 3; i++) {
		struct hmap_type type = classic_colliding(&classic_kinds[i].type);

		run(&classic_kinds[i], &type, 1500);
	}
}

/** Arrays that an iteration looks at are kept for it, and no others. */
MS_TEST(classic_iterations_left_behind_cost_a_bounded_memory)
{
	struct classic_memory memory = { 0 };
	struct hmap_allocator allocator = classic_allocator(&memory);
	struct hmap_classic *c = classic_map(&classic_kinds[0].type, &allocator, 5);
	struct hmap_iterator it;
	size_t blocks;

	for (uint64_t k = 0; k < 500; k++)
		CHECK_EQ(hmap_classic_put(c, &k, &k), HMAP_OK);
	while (c->h.oldbuckets)
		hmap_classic_step(c, 100);
	blocks = memory.blocks;
	hmap_classic_iterate(c, &it);
	CHECK(hmap_classic_next(&it));
	for (unsigned i = 0; i < 50; i++) {
		CHECK_EQ(hmap_classic_begin_pass(c, HMAP_PASS_COMPACT), HMAP_OK);
		while (c->h.oldbuckets)
			hmap_classic_step(c, 100);
	}
	CHECK(memory.blocks <= blocks + 12); // Two arrays, their overflow, the iteration.
	hmap_classic_iterate_end(&it);
	CHECK(memory.blocks <= blocks + 4);
	hmap_classic_iterate_end(&it); // It does not mind.
	hmap_classic_iterate(c, &it);
	CHECK_EQ(hmap_classic_clear(c), HMAP_OK);
	CHECK(!hmap_classic_next(&it));
	hmap_classic_destroy(c);
	CHECK_EQ(memory.blocks, 0);
}

/** As hmap_hash_double does: a NaN has another hash each time. */
static uint64_t hash_double(const void *key, uint64_t seed, void *state)
{
	double value;

	(void)state;
	memcpy(&value, key, sizeof(value));
	if (value != value) // NOLINT: that is what a NaN is.
		return ms_test_random();
	return hmap_hash_u64((uint64_t)value, seed);
}

static bool equal_doubles(const void *a, const void *b, void *state)
{
	double one, other;

	(void)state;
	memcpy(&one, a, sizeof(one));
	memcpy(&other, b, sizeof(other));
	return one >= other && one <= other;
}

MS_TEST(classic_iterations_see_each_nan_once)
{
	struct hmap_type type = {
		.key_size = 8,
		.value_size = 4,
		.flags = HMAP_IRREFLEXIVE,
		.hash = hash_double,
		.equal = equal_doubles,
	};

	for (unsigned times = 0; times < 60; times++) {
		struct hmap_classic *c = classic_map(&type, hmap_malloc_allocator(), times + 1);
		bool seen[200] = { false };
		struct hmap_iterator it;
		unsigned count = 0;

		for (uint32_t i = 0; i < 100; i++) {
			double key = i % 2 ? NAN : (double)i;

			CHECK_EQ(hmap_classic_put(c, &key, &i), HMAP_OK);
			CHECK_EQ(hmap_classic_get(c, &key) != NULL, i % 2 == 0);
		}
		if (times % 2 && !c->h.oldbuckets)
			CHECK_EQ(hmap_classic_begin_pass(c, HMAP_PASS_GROW), HMAP_OK);
		for (hmap_classic_iterate(c, &it); hmap_classic_next(&it); count++) {
			uint32_t i;

			memcpy(&i, it.value, sizeof(i));
			CHECK(!seen[i]);
			seen[i] = true;
			if (count < 90) { // More of them: growth goes on.
				double key = NAN;

				i = 100 + count;
				CHECK_EQ(hmap_classic_put(c, &key, &i), HMAP_OK);
			}
		}
		for (unsigned i = 0; i < 100; i++)
			CHECK(seen[i]);
		classic_must_hold(c);
		hmap_classic_destroy(c);
	}
}
