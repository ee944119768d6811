// Goal: whatever is done to a classic map, it holds what a stupid model holds.
// Method: random operations on keys 0 to N for types of every shape, in phases that fill, empty and
// churn, with growths forced at any time; each answer against an array, and every invariant of the
// table after each operation.  At the end nothing may be left of the map's memory.
#include "tests/hmap/classic_support.h"

#include "tests/support/test.h"

enum { KEYS = 700 };

struct model {
	const struct classic_kind *kind;
	struct hmap_classic *c;
	bool there[KEYS];
	uint64_t value[KEYS];
	size_t count;
	uint64_t next_value;
};

static uint64_t kept(const struct model *m, uint64_t number)
{
	_Alignas(8) unsigned char value[CLASSIC_VALUE_BYTES_MAX];

	m->kind->make_value(number, value);
	return m->kind->value_number(value);
}

static void check_get(struct model *m, uint64_t k)
{
	_Alignas(8) unsigned char key[CLASSIC_KEY_BYTES_MAX];
	void *value;

	m->kind->make_key(k, key);
	value = hmap_classic_get(m->c, key);
	CHECK_EQ(value != NULL, m->there[k]);
	if (value)
		CHECK_EQ(m->kind->value_number(value), m->value[k]);
}

static void do_put(struct model *m, uint64_t k)
{
	_Alignas(8) unsigned char key[CLASSIC_KEY_BYTES_MAX], value[CLASSIC_VALUE_BYTES_MAX];
	uint64_t number = m->next_value++ % 50000;

	m->kind->make_key(k, key);
	m->kind->make_value(number, value);
	CHECK_EQ(hmap_classic_put(m->c, key, value), HMAP_OK);
	m->count += !m->there[k];
	m->there[k] = true;
	m->value[k] = kept(m, number);
}

static void do_get_or_put(struct model *m, uint64_t k)
{
	_Alignas(8) unsigned char key[CLASSIC_KEY_BYTES_MAX], value[CLASSIC_VALUE_BYTES_MAX];
	uint64_t number = m->next_value++ % 50000;
	void *found;
	bool added;

	m->kind->make_key(k, key);
	m->kind->make_value(number, value);
	CHECK_EQ(hmap_classic_get_or_put(m->c, key, value, &found, &added), HMAP_OK);
	CHECK_EQ(added, !m->there[k]);
	if (added)
		m->value[k] = kept(m, number);
	m->count += added;
	m->there[k] = true;
	CHECK_EQ(m->kind->value_number(found), m->value[k]);
}

static void do_erase(struct model *m, uint64_t k)
{
	_Alignas(8) unsigned char key[CLASSIC_KEY_BYTES_MAX];

	m->kind->make_key(k, key);
	CHECK_EQ(hmap_classic_erase(m->c, key), m->there[k] ? HMAP_OK : HMAP_NOT_FOUND);
	m->count -= m->there[k];
	m->there[k] = false;
}

static void do_clear(struct model *m)
{
	CHECK_EQ(hmap_classic_clear(m->c), HMAP_OK);
	memset(m->there, 0, sizeof(m->there));
	m->count = 0;
}

static void check_all(struct model *m, struct hmap_classic *c)
{
	bool seen[KEYS] = { false };
	size_t count = 0;
	struct hmap_iterator it;

	CHECK_EQ(hmap_classic_count(c), m->count);
	for (hmap_classic_iterate(c, &it); hmap_classic_next(&it); count++) {
		uint64_t k = m->kind->key_number(it.key);

		CHECK(k < KEYS && m->there[k] && !seen[k]);
		CHECK_EQ(m->kind->value_number(it.value), m->value[k]);
		seen[k] = true;
	}
	CHECK_EQ(it.status, HMAP_OK);
	CHECK_EQ(count, m->count);
}

static void do_clone(struct model *m)
{
	struct hmap_classic *clone;

	CHECK_EQ(hmap_classic_clone(m->c, NULL, &clone), HMAP_OK);
	classic_must_hold(clone);
	check_all(m, clone);
	hmap_classic_destroy(clone);
}

static void do_pass(struct model *m)
{
	bool under_way = m->c->h.oldbuckets != NULL;
	enum hmap_pass pass =
	    ms_test_random() % 4 && m->c->h.B < 9 ? HMAP_PASS_GROW : HMAP_PASS_COMPACT;

	if (m->c->h.B > 10)
		return;
	CHECK_EQ(hmap_classic_begin_pass(m->c, pass), under_way ? HMAP_NOT_SUPPORTED : HMAP_OK);
	CHECK(m->c->h.oldbuckets);
}

static void run(const struct classic_kind *kind, const struct hmap_type *type, unsigned operations,
		bool force)
{
	struct classic_memory memory = { 0 };
	struct hmap_allocator allocator = classic_allocator(&memory);
	struct model m = { .kind = kind, .c = classic_map(type, &allocator, ms_test_random()) };

	for (unsigned i = 0; i < operations; i++) {
		unsigned phase = i / 600 % 4; // Fill, churn, empty, churn.
		unsigned puts = phase == 0 ? 80 : phase == 2 ? 10 : 45;
		uint64_t random = ms_test_random(), k = random % KEYS;

		random = (random >> 32) % 1000;
		if (force && !m.c->h.oldbuckets && random % 7 == 0)
			do_pass(&m);
		if (random < 8)
			check_all(&m, m.c);
		else if (random < 9)
			do_clone(&m);
		else if (random < 10)
			do_clear(&m);
		else if (random < 30)
			hmap_classic_step(m.c, random % 5);
		else if (random < 100)
			check_get(&m, k);
		else if (random % 100 < puts)
			(random % 5 ? do_put : do_get_or_put)(&m, k);
		else
			do_erase(&m, k);
		check_get(&m, (k + 1) % KEYS);
		CHECK_EQ(m.c->bytes, memory.bytes);
		classic_must_hold(m.c);
	}
	check_all(&m, m.c);
	hmap_classic_destroy(m.c);
	CHECK_EQ(memory.blocks, 0);
	CHECK_EQ(memory.bytes, 0);
}

MS_TEST(classic_maps_of_every_shape_hold_what_a_model_holds)
{
	for (size_t i = 0; i < classic_kind_count; i++)
		run(&classic_kinds[i], &classic_kinds[i].type, 4000, false);
}

MS_TEST(classic_maps_hold_through_growths_forced_at_any_time)
{
	for (size_t i = 0; i < classic_kind_count; i++)
		run(&classic_kinds[i], &classic_kinds[i].type, 3000, true);
}

MS_TEST(classic_maps_hold_with_few_hashes)
{
	for (size_t i = 0; i < 3; i++) {
		struct hmap_type type = classic_colliding(&classic_kinds[i].type);

		run(&classic_kinds[i], &type, 2500, i % 2);
	}
}
