// Goal: whichever allocation of a classic map is refused, the map is as it was, and goes on.
// Method: a script of writes, iterations and clones, once for each N with the N-th allocation
// refused and once with it and all later ones; each call that says HMAP_NO_MEMORY must have changed
// nothing, and the same call, with memory, must work.  Then maps that cannot grow, since no array
// is to be had: entries go on into chains, and the growth is made up for.
#include "tests/hmap/classic_support.h"

#include "tests/support/test.h"

enum { KEYS = 60 };

struct script {
	const struct classic_kind *kind;
	struct classic_memory memory;
	struct hmap_classic *c;
	bool there[KEYS];
	unsigned refused;
};

static void check_all_keys(const struct script *s)
{
	_Alignas(8) unsigned char key[CLASSIC_KEY_BYTES_MAX];
	size_t count = 0;

	for (unsigned k = 0; k < KEYS; k++) {
		s->kind->make_key(k, key);
		CHECK_EQ(hmap_classic_get(s->c, key) != NULL, s->there[k]);
		count += s->there[k];
	}
	CHECK_EQ(hmap_classic_count(s->c), count);
	classic_must_hold(s->c);
}

/** Memory is there for as long as it takes to repeat what was refused. */
static void with_memory(struct script *s, enum hmap_status status, bool put, const void *key,
			const void *value)
{
	size_t refuse_at = s->memory.refuse_at;

	CHECK_EQ(status, HMAP_NO_MEMORY);
	check_all_keys(s);
	s->refused++;
	s->memory.refuse_at = 0;
	CHECK_EQ(put ? hmap_classic_put(s->c, key, value) : hmap_classic_erase(s->c, key), HMAP_OK);
	s->memory.refuse_at = refuse_at;
}

static void write_key(struct script *s, unsigned k, bool put)
{
	_Alignas(8) unsigned char key[CLASSIC_KEY_BYTES_MAX], value[CLASSIC_VALUE_BYTES_MAX];
	enum hmap_status status;

	s->kind->make_key(k, key);
	s->kind->make_value(k + 1, value);
	status = put ? hmap_classic_put(s->c, key, value) : hmap_classic_erase(s->c, key);
	if (status != HMAP_OK)
		with_memory(s, status, put, key, value);
	s->there[k] = put;
	check_all_keys(s);
}

static void iterate_all(struct script *s)
{
	struct hmap_iterator it;
	size_t count = 0;

	for (hmap_classic_iterate(s->c, &it); hmap_classic_next(&it);)
		count++;
	if (it.status == HMAP_NO_MEMORY)
		s->refused++;
	else
		CHECK_EQ(count, hmap_classic_count(s->c));
}

static void clone(struct script *s)
{
	struct hmap_classic *copy;
	enum hmap_status status = hmap_classic_clone(s->c, NULL, &copy);

	if (status == HMAP_NO_MEMORY) {
		s->refused++;
		return;
	}
	CHECK_EQ(status, HMAP_OK);
	CHECK_EQ(hmap_classic_count(copy), hmap_classic_count(s->c));
	classic_must_hold(copy);
	hmap_classic_destroy(copy);
}

/** All of it; how many calls were refused. */
static unsigned run(const struct classic_kind *kind, const struct hmap_type *type, size_t refuse_at,
		    bool once)
{
	struct script s = { .kind = kind };
	struct hmap_allocator allocator = classic_allocator(&s.memory);
	struct hmap_options options = { .allocator = &allocator };

	s.memory.refuse_at = refuse_at;
	s.memory.once = once;
	options.hint = 20;
	if (hmap_classic_create(NULL, type, &options, 99, &s.c) != HMAP_OK) {
		CHECK_EQ(s.memory.blocks, 0);
		s.refused++;
		s.memory.refuse_at = 0;
		CHECK_EQ(hmap_classic_create(NULL, type, &options, 99, &s.c), HMAP_OK);
		s.memory.refuse_at = refuse_at;
	}
	for (unsigned k = 0; k < KEYS / 2; k++)
		write_key(&s, k, true);
	iterate_all(&s);
	clone(&s);
	for (unsigned k = 0; k < KEYS / 2; k += 2)
		write_key(&s, k, false);
	for (unsigned k = 0; k < KEYS; k++)
		write_key(&s, k, true);
	CHECK_EQ(hmap_classic_clear(s.c), HMAP_OK);
	memset(s.there, 0, sizeof(s.there));
	for (unsigned k = 0; k < 10; k++)
		write_key(&s, k, true);
	hmap_classic_destroy(s.c);
	CHECK_EQ(s.memory.blocks, 0);
	return s.refused;
}

static void refuse_each(const struct classic_kind *kind, const struct hmap_type *type)
{
	unsigned refused = 0;

	for (size_t n = 1; n < 1000; n++) {
		unsigned now = run(kind, type, n, true);

		refused += now;
		if (n % 7 == 0)
			CHECK(run(kind, type, n, false) >= now);
	}
	CHECK(refused > 2);
	CHECK_EQ(run(kind, type, 1000000, true), 0);
}

MS_TEST(classic_outlives_each_allocation_that_is_refused)
{
	struct hmap_type colliding = classic_colliding(&classic_kinds[0].type);

	refuse_each(&classic_kinds[0], &classic_kinds[0].type);
	refuse_each(&classic_kinds[0], &colliding);
	refuse_each(&classic_kinds[3], &classic_kinds[3].type); // By reference: many allocations.
}

MS_TEST(classic_goes_on_without_growing_while_no_array_is_to_be_had)
{
	struct classic_memory memory = { .refuse_from = 20000 };
	struct hmap_allocator allocator = classic_allocator(&memory);
	struct hmap_classic *c = classic_map(&classic_kinds[0].type, &allocator, 5);
	struct hmap_stats stats;
	uint8_t B;

	for (uint64_t k = 0; k < 3000; k++)
		CHECK_EQ(hmap_classic_put(c, &k, &k), HMAP_OK);
	classic_must_hold(c);
	B = c->h.B;
	CHECK(c->h.count > ((size_t)13 << B) / 2 + 1000);
	CHECK_EQ(hmap_classic_stats(c, HMAP_STATS_WALK, &stats), HMAP_OK);
	CHECK(stats.longest_chain > 2);
	memory.refuse_from = 0;
	for (uint64_t k = 3000; k < 3600; k++)
		CHECK_EQ(hmap_classic_put(c, &k, &k), HMAP_OK);
	CHECK(c->h.B > B);
	classic_must_hold(c);
	for (uint64_t k = 0; k < 3600; k++)
		CHECK_EQ(*(uint64_t *)hmap_classic_get(c, &k), k);
	hmap_classic_destroy(c);
	CHECK_EQ(memory.blocks, 0);
}

/** A bucket with a chain cannot be moved without memory, but what is in it can be used. */
MS_TEST(classic_erases_and_replaces_where_a_bucket_cannot_be_moved)
{
	struct hmap_type type = classic_colliding(&classic_kinds[0].type);
	struct classic_memory memory = { 0 };
	struct hmap_allocator allocator = classic_allocator(&memory);
	struct hmap_classic *c = classic_map(&type, &allocator, 5);
	unsigned refused = 0;

	for (uint64_t k = 0; k < 200; k++)
		CHECK_EQ(hmap_classic_put(c, &k, &k), HMAP_OK);
	while (c->h.oldbuckets)
		hmap_classic_step(c, 1);
	CHECK_EQ(hmap_classic_begin_pass(c, HMAP_PASS_GROW), HMAP_OK);
	memory.refuse_at = 1;
	for (uint64_t k = 0; k < 200; k++) {
		uint64_t fresh = 1000 + k, other = k + 7;
		enum hmap_status status = hmap_classic_put(c, &fresh, &k);

		refused += status == HMAP_NO_MEMORY;
		CHECK_EQ(hmap_classic_get(c, &fresh) != NULL, status == HMAP_OK);
		CHECK_EQ(hmap_classic_put(c, &k, &other), HMAP_OK);
		CHECK_EQ(*(uint64_t *)hmap_classic_get(c, &k), other);
		CHECK_EQ(hmap_classic_erase(c, &k), HMAP_OK);
		CHECK(!hmap_classic_get(c, &k));
		classic_must_hold(c);
	}
	CHECK(refused > 0);
	CHECK_EQ(hmap_classic_count(c), 200 - refused);
	hmap_classic_destroy(c);
	CHECK_EQ(memory.blocks, 0);
}
