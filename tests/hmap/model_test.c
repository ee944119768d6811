// Goal: whatever is done to a map, it holds what a stupid model holds.
// Method: random operations on many types, hashes, sizes and allocators, mirrored in a plain array;
// all invariants of the table are checked as it goes, and growth, halving and tidying up are begun
// at any time.  Keys are drawn from a small set, so that operations meet.
#include "tests/support/test.h"

#include <hmap/hmap_typed.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { KEYS = 4096, LARGEST = 1024 };

/** What the model knows of a key: there or not, and the first bytes of its value. */
struct model {
	bool there[KEYS];
	uint64_t value[KEYS];
	size_t count;
};

/** How a kind of map is made and how its keys look. */
struct kind {
	const char *name;
	uint32_t key_size, value_size, key_align, value_align, flags;
	unsigned hash; // which hash, see hash_of
	bool callbacks;
	unsigned keys; // how many different ones there are
};

struct living {
	long objects; // copies made and not destroyed
	long until_failure;
};

struct run {
	const struct kind *kind;
	struct living living;
};

static uint64_t number_of(const void *key, uint32_t size)
{
	uint64_t number = 0;
	uint8_t small;

	if (size == 1) {
		memcpy(&small, key, 1);
		return small;
	}
	if (size < 4) {
		uint16_t some;

		memcpy(&some, key, 2);
		return some;
	}
	memcpy(&number, key, size < 8 ? 4 : 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	if (size < 8)
		number >>= 32;
#endif
	return number;
}

/** Good, all the same, same low bits, same tag, identity, few values. */
static uint64_t hash_of(const void *key, uint64_t seed, void *state)
{
	const struct run *run = state;
	uint64_t number = number_of(key, run->kind->key_size);
	uint64_t good = hmap_hash_u64(number, seed);

	switch (run->kind->hash) {
	case 1:
		return UINT64_C(0x0123456789abcdef);
	case 2:
		return good & ~UINT64_C(0xfff);
	case 3:
		return (good & UINT64_MAX >> 8) | UINT64_C(0x42) << 56;
	case 4:
		return number;
	case 5:
		return number % 7 * UINT64_C(0x9e3779b97f4a7c15);
	case 6:
		return number << 20;
	}
	return good;
}

static bool copy_object(void *to, const void *from, void *state)
{
	struct run *run = state;

	if (run->living.until_failure > 0 && --run->living.until_failure == 0)
		return false;
	memcpy(to, from, run->kind->key_size);
	run->living.objects++;
	return true;
}

static void destroy_object(void *object, void *state)
{
	struct run *run = state;

	(void)object;
	run->living.objects--;
}

static const struct kind kinds[] = {
	{ "u64 to u64", 8, 8, 0, 0, 0, 0, false, KEYS },
	{ "u64 to u64, all collide", 8, 8, 0, 0, 0, 1, false, 200 },
	{ "u64 to u64, low bits collide", 8, 8, 0, 0, 0, 2, false, 700 },
	{ "u64 to u64, tags collide", 8, 8, 0, 0, 0, 3, false, 1000 },
	{ "u64 to u64, identity", 8, 8, 0, 0, 0, 4, false, KEYS },
	{ "u64 to u64, seven hashes", 8, 8, 0, 0, 0, 5, false, 500 },
	{ "u64 to u64, multiples of a power", 8, 8, 0, 0, 0, 6, false, 1000 },
	{ "u8 set", 1, 0, 0, 0, 0, 0, false, 256 },
	{ "u16 set, same hash", 2, 0, 0, 0, 0, 1, false, 100 },
	{ "u32 to u8", 4, 1, 0, 0, 0, 0, false, KEYS },
	{ "u32 to u8, few hashes", 4, 1, 0, 0, HMAP_STORE_HASH, 5, false, 300 },
	{ "12 bytes to 24", 12, 24, 4, 8, 0, 0, false, 2000 },
	{ "stored hash", 8, 16, 0, 0, HMAP_STORE_HASH, 0, false, 2000 },
	{ "stored hash, low bits", 8, 16, 0, 0, HMAP_STORE_HASH, 2, false, 500 },
	{ "hash in key", 16, 8, 8, 8, HMAP_STORE_HASH | HMAP_HASH_IN_KEY, 0, false, 2000 },
	{ "200 byte keys", 200, 8, 0, 0, 0, 0, false, 1000 },
	{ "300 byte values", 8, 300, 0, 4, 0, 0, false, 1000 },
	{ "1024 bytes in place", 8, 1016, 0, 0, HMAP_KEEP_IN_PLACE, 2, false, 300 },
	{ "copied keys and values", 24, 24, 8, 8, 0, 0, true, 1000 },
	{ "copied, by reference", 160, 160, 8, 8, HMAP_STORE_HASH, 0, true, 500 },
	{ "aligned to 64", 64, 64, 64, 64, 0, 0, false, 500 },
};

/* Keys as they are compared: bytes, without the four that the map may use. */
static bool equal_keys(const void *a, const void *b, void *state)
{
	const struct run *run = state;
	uint32_t size = run->kind->key_size;

	if (run->kind->flags & HMAP_HASH_IN_KEY)
		size -= 4;
	return memcmp(a, b, size) == 0;
}

static void make_key(const struct kind *kind, uint64_t number, unsigned char *key)
{
	uint8_t small = (uint8_t)number;
	uint16_t some = (uint16_t)number;
	uint32_t middle = (uint32_t)number;

	memset(key, (int)(number % 251), kind->key_size);
	if (kind->key_size == 1)
		memcpy(key, &small, 1);
	else if (kind->key_size < 4)
		memcpy(key, &some, 2);
	else if (kind->key_size < 8)
		memcpy(key, &middle, 4);
	else
		memcpy(key, &number, 8);
}

static void make_value(const struct kind *kind, uint64_t number, unsigned char *value)
{
	memset(value, (int)(number % 253), LARGEST);
	memcpy(value, &number, 8);
	if (kind->value_size < 8)
		value[0] = (unsigned char)number;
}

static void check_value(const struct kind *kind, const unsigned char *have, uint64_t number)
{
	unsigned char wanted[LARGEST];

	make_value(kind, number, wanted);
	CHECK(memcmp(have, wanted, kind->value_size) == 0);
}

static void check_map(const struct hmap *m, const struct model *model)
{
	const char *text = NULL;

	CHECK_EQ(hmap_count(m), model->count);
	if (hmap_check(m, &text) != HMAP_OK)
		CHECK_STR(text, "nothing wrong");
}

static void check_all(struct hmap *m, const struct kind *kind, const struct model *model)
{
	unsigned char key[LARGEST];

	check_map(m, model);
	for (unsigned i = 0; i < kind->keys; i++) {
		unsigned char *value;

		make_key(kind, i, key);
		value = hmap_get(m, key);
		CHECK_EQ(value != NULL, model->there[i]);
		if (value)
			check_value(kind, value, model->value[i]);
	}
}

/** An iteration under which other things go on: what was there at its begin and stays is seen once.
 */
static void iterate_and_change(struct hmap *m, const struct kind *kind, struct model *model)
{
	unsigned char key[LARGEST], value[LARGEST];
	uint8_t *seen = calloc(kind->keys, 1), *stayed = calloc(kind->keys, 1);
	uint8_t *came = calloc(kind->keys, 1);
	struct hmap_iterator it;
	unsigned busy = (unsigned)(ms_test_random() % 4);
	uint64_t give_up = ms_test_random() % 8 ? UINT64_MAX : ms_test_random() % 100;

	for (unsigned i = 0; i < kind->keys; i++)
		stayed[i] = model->there[i];
	for (hmap_iterate(m, &it); hmap_next(&it);) {
		uint64_t number = number_of(it.key, kind->key_size);

		CHECK(number < kind->keys);
		CHECK(model->there[number]);
		if (kind->value_size)
			check_value(kind, it.value, model->value[number]);
		CHECK(!seen[number] || came[number]);
		seen[number] = 1;
		if (give_up-- == 0)
			break;
		for (unsigned k = 0; k < busy; k++) {
			unsigned i = (unsigned)(ms_test_random() % kind->keys);
			unsigned what = (unsigned)(ms_test_random() % 12);

			make_key(kind, i, key);
			if (what < 5) {
				uint64_t v = ms_test_random();

				make_value(kind, v, value);
				CHECK_EQ(hmap_put(m, key, value), HMAP_OK);
				if (!model->there[i]) {
					came[i] = 1;
					stayed[i] = 0;
				}
				model->count += !model->there[i];
				model->there[i] = true;
				model->value[i] = v;
			} else if (what < 10) {
				CHECK_EQ(hmap_erase(m, key),
					 model->there[i] ? HMAP_OK : HMAP_NOT_FOUND);
				model->count -= model->there[i];
				model->there[i] = false;
				stayed[i] = 0;
			} else {
				(void)hmap_begin_pass(m,
						      (enum hmap_pass)(1 + ms_test_random() % 3));
			}
		}
	}
	for (unsigned i = 0; i < kind->keys && !it.state; i++)
		CHECK(!stayed[i] || seen[i]);
	CHECK_EQ(it.status, HMAP_OK);
	if (ms_test_random() % 4)
		hmap_iterate_end(&it); // else it is forgotten
	free(seen);
	free(stayed);
	free(came);
}

static struct hmap *cloned(struct hmap *m)
{
	struct hmap *copy = NULL;

	CHECK_EQ(hmap_clone(m, &copy), HMAP_OK);
	hmap_destroy(m);
	return copy;
}

static struct hmap *one_step(struct hmap *m, const struct kind *kind, struct model *model)
{
	unsigned char key[LARGEST], value[LARGEST];
	unsigned i = (unsigned)(ms_test_random() % kind->keys),
		 what = (unsigned)(ms_test_random() % 200);
	uint64_t v = ms_test_random();
	void *found = NULL;
	bool added = false;

	make_key(kind, i, key);
	make_value(kind, v, value);
	if (what < 80) {
		CHECK_EQ(hmap_put(m, key, value), HMAP_OK);
		model->count += !model->there[i];
		model->there[i] = true;
		model->value[i] = v;
	} else if (what < 100) {
		CHECK_EQ(hmap_get_or_put(m, key, value, &found, &added), HMAP_OK);
		CHECK_EQ(added, !model->there[i]);
		if (added)
			model->value[i] = v;
		model->count += added;
		model->there[i] = true;
		if (kind->value_size)
			check_value(kind, found, model->value[i]);
		CHECK(found == hmap_get(m, key));
	} else if (what < 180) {
		CHECK_EQ(hmap_erase(m, key), model->there[i] ? HMAP_OK : HMAP_NOT_FOUND);
		model->count -= model->there[i];
		model->there[i] = false;
	} else if (what < 190) {
		(void)hmap_begin_pass(m, (enum hmap_pass)(1 + v % 3));
	} else if (what < 196) {
		(void)hmap_step(m, v % 10);
	} else if (what == 196) {
		iterate_and_change(m, kind, model);
	} else if (what == 197 && v % 4 == 0) {
		CHECK_EQ(hmap_clear(m), HMAP_OK);
		memset(model, 0, sizeof(*model));
	} else if (what == 198 && v % 4 == 0) {
		enum hmap_status status = hmap_reserve(m, v % 2000, HMAP_RESERVE_PLAIN);

		CHECK(status == HMAP_OK || status == HMAP_NOT_SUPPORTED);
	} else if (what == 199 && v % 4 == 0) {
		m = cloned(m);
	} else if (what == 199) {
		(void)hmap_shrink(m);
	}
	return m;
}

static void play(const struct kind *kind, const struct hmap_options *options, unsigned steps)
{
	struct model *model = calloc(1, sizeof(*model));
	struct run run = { .kind = kind };
	struct hmap_type type = { .name = kind->name,
				  .key_size = kind->key_size,
				  .value_size = kind->value_size,
				  .key_align = kind->key_align,
				  .value_align = kind->value_align,
				  .flags = kind->flags,
				  .hash = hash_of,
				  .equal = kind->flags & HMAP_HASH_IN_KEY ? equal_keys : NULL,
				  .state = &run };
	struct hmap *m = NULL;

	if (kind->callbacks) {
		type.key_copy = type.value_copy = copy_object;
		type.key_destroy = type.value_destroy = destroy_object;
	}
	CHECK_EQ(hmap_create(&type, options, &m), HMAP_OK);
	for (unsigned i = 0; i < steps; i++) {
		m = one_step(m, kind, model);
		if (i % (1 + model->count / 8) == 0)
			check_map(m, model);
	}
	check_all(m, kind, model);
	if (kind->callbacks)
		CHECK_EQ(run.living.objects, (long)model->count * 2);
	hmap_destroy(m);
	CHECK_EQ(run.living.objects, 0);
	free(model);
}

/* ------------------------------------------------------------------------------------------- */
/* Allocators that refuse                                                                      */

struct refusing {
	struct hmap_allocator allocator;
	const struct hmap_allocator *real;
	long blocks;        // not given back
	long until_refusal; // 0: never
	size_t most_range;  // 0: any
	unsigned moves;
};

static bool refuses(struct refusing *r)
{
	return r->until_refusal > 0 && --r->until_refusal == 0;
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

static void *refusing_reserve(void *state, size_t size)
{
	struct refusing *r = state;
	void *range = refuses(r) || (r->most_range && size > r->most_range)
			  ? NULL
			  : r->real->reserve(r->real->state, size);

	r->blocks += range != NULL;
	return range;
}

static bool refusing_commit(void *state, void *part, size_t size)
{
	struct refusing *r = state;

	return !refuses(r) && r->real->commit(r->real->state, part, size);
}

static bool refusing_populate(void *state, void *part, size_t size)
{
	struct refusing *r = state;

	return !refuses(r) && r->real->populate(r->real->state, part, size);
}

static void refusing_decommit(void *state, void *part, size_t size)
{
	struct refusing *r = state;

	r->real->decommit(r->real->state, part, size);
}

static void refusing_unreserve(void *state, void *range, size_t size)
{
	struct refusing *r = state;

	r->blocks--;
	r->real->unreserve(r->real->state, range, size);
}

static bool refusing_move(void *state, void *to, void *part, size_t size)
{
	struct refusing *r = state;
	void *taken;

	if (refuses(r) || !r->real->move(r->real->state, to, part, size))
		return false;
	// Nobody's memory may come to lie where the pages were: it would go with the range.
	taken =
	    mmap(part, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	CHECK(taken == MAP_FAILED);
	r->moves++;
	return true;
}

static void refusing_init(struct refusing *r, size_t most_range, bool populate, bool move)
{
	memset(r, 0, sizeof(*r));
	r->real = hmap_default_allocator();
	r->most_range = most_range;
	r->allocator = (struct hmap_allocator){ .allocate = refusing_allocate,
						.release = refusing_release,
						.state = r };
	if (!r->real->reserve)
		return;
	r->allocator.reserve = refusing_reserve;
	r->allocator.commit = refusing_commit;
	r->allocator.populate = populate ? refusing_populate : NULL;
	r->allocator.decommit = refusing_decommit;
	r->allocator.unreserve = refusing_unreserve;
	r->allocator.move = move ? refusing_move : NULL;
}

enum { STEPS = 20000 };

MS_TEST(model_of_every_kind)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct hmap_options options = { .shrink = ms_test_random() % 2 ? 0.2 : 0 };

		printf("%s\n", kinds[i].name);
		play(&kinds[i], &options, STEPS);
	}
}

MS_TEST(model_of_every_kind_in_segments)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct hmap_options options = { .allocator = hmap_malloc_allocator(),
						.shrink = ms_test_random() % 2 ? 0.25 : 0 };

		printf("%s\n", kinds[i].name);
		play(&kinds[i], &options, STEPS);
	}
}

MS_TEST(model_of_the_classic_engine)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct hmap_options options = { .engine = HMAP_CLASSIC };

		printf("%s\n", kinds[i].name);
		play(&kinds[i], &options, STEPS / 4);
	}
}

MS_TEST(model_with_any_load_and_hint)
{
	static const double loads[] = { 0.25, 0.5, 0.8, 0.9, 0.95 };

	for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {
		struct hmap_options options = { .load = loads[i],
						.shrink = loads[i] / 3,
						.hint = (size_t)(ms_test_random() % 5000),
						.high_load = loads[i] * 0.9,
						.seed = ms_test_random() | 1 };

		play(&kinds[0], &options, STEPS * 2);
		play(&kinds[12], &options, STEPS);
	}
}

MS_TEST(model_with_small_ranges)
{
	for (unsigned how = 0; how < 4; how++) {
		struct refusing r;
		struct hmap_options options = { .allocator = &r.allocator, .shrink = 0.2 };

		refusing_init(&r, (size_t)9 << 20, how & 1, how & 2);
		play(&kinds[0], &options, STEPS * 2);
		play(&kinds[16], &options, STEPS);
		CHECK_EQ(r.blocks, 0);
		refusing_init(&r, 1, how & 1, how & 2); // no range at all
		play(&kinds[0], &options, STEPS);
		CHECK_EQ(r.blocks, 0);
	}
}

/** One run in which the n-th request for memory is refused; true: it was made. */
static bool play_with_refusal(const struct kind *kind, enum hmap_engine engine, long n, bool ranges)
{
	struct refusing r;
	struct run run = { .kind = kind };
	struct hmap_type type = { .key_size = kind->key_size,
				  .value_size = kind->value_size,
				  .flags = kind->flags,
				  .hash = hash_of,
				  .state = &run };
	struct hmap_options options = { .allocator = &r.allocator,
					.shrink = 0.2,
					.engine = engine };
	struct hmap *m = NULL;
	unsigned char key[LARGEST], value[LARGEST];
	bool *there = calloc(kind->keys, sizeof(*there));
	size_t count = 0;
	enum hmap_status status;
	bool refused;

	refusing_init(&r, ranges ? 0 : 1, true, true);
	if (kind->callbacks) {
		type.key_copy = type.value_copy = copy_object;
		type.key_destroy = type.value_destroy = destroy_object;
		run.living.until_failure = n;
	}
	r.until_refusal = n;
	status = hmap_create(&type, &options, &m);
	if (status == HMAP_NO_MEMORY) {
		CHECK(!m);
		CHECK_EQ(r.blocks, 0);
		free(there);
		return true;
	}
	CHECK_EQ(status, HMAP_OK);
	// A key can be refused twice: its copy in one round, a block for its entry in the next.
	for (unsigned i = 0; i < 3 * kind->keys; i++) {
		unsigned k = i % kind->keys;

		make_key(kind, k, key);
		make_value(kind, k, value);
		status = hmap_put(m, key, value);
		CHECK(status == HMAP_OK || status == HMAP_NO_MEMORY);
		if (status == HMAP_OK) {
			count += !there[k];
			there[k] = true;
		}
		CHECK_EQ(hmap_count(m), count);
		if (status != HMAP_OK) {
			const char *text = "";

			if (hmap_check(m, &text) != HMAP_OK)
				CHECK_STR(text, "nothing wrong");
			for (unsigned j = 0; j < kind->keys; j++) {
				make_key(kind, j, key);
				CHECK_EQ(hmap_get(m, key) != NULL, there[j]);
			}
		}
	}
	CHECK_EQ(count, kind->keys); // in the third round nothing was refused
	for (unsigned k = 0; k < kind->keys; k++) {
		make_key(kind, k, key);
		CHECK_EQ(hmap_erase(m, key), HMAP_OK);
	}
	refused = r.until_refusal == 0 || (kind->callbacks && run.living.until_failure == 0);
	hmap_destroy(m);
	CHECK_EQ(r.blocks, 0);
	CHECK_EQ(run.living.objects, 0);
	free(there);
	return refused;
}

static void refuse_each(const struct kind *kind, enum hmap_engine engine, bool ranges)
{
	long n = 1;

	while (play_with_refusal(kind, engine, n, ranges))
		n += 1 + n / 50;
	CHECK(n > 3);
}

MS_TEST(every_refusal_of_memory_leaves_the_map_as_it_was)
{
	static const struct kind some[] = {
		{ "u64 to u64", 8, 8, 0, 0, 0, 0, false, 3500 },
		{ "low bits collide", 8, 8, 0, 0, 0, 2, false, 300 },
		{ "keys away", 200, 200, 0, 0, 0, 0, false, 100 },
		{ "copied", 24, 24, 0, 0, 0, 0, true, 100 },
		{ "copied, away", 160, 160, 0, 0, 0, 0, true, 100 },
	};

	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
		printf("%s\n", some[i].name);
		refuse_each(&some[i], HMAP_STEADY, true);
		refuse_each(&some[i], HMAP_STEADY, false);
		refuse_each(&some[i], HMAP_CLASSIC, false);
	}
}

static void check_numbers(struct hmap *m, const struct kind *kind, unsigned from, unsigned to)
{
	const char *text = "";
	unsigned char key[LARGEST];

	CHECK_EQ(hmap_count(m), to - from);
	if (hmap_check(m, &text) != HMAP_OK)
		CHECK_STR(text, "nothing wrong");
	for (unsigned i = from; i < to; i++) {
		make_key(kind, i, key);
		CHECK(hmap_get(m, key) != NULL);
	}
}

/** hmap_reserve in the middle of a pass, with the n-th request for memory refused; true: it was
 *  made. */
static bool reserve_with_refusal(const struct kind *kind, long n, bool ranges, bool emptied,
				 size_t entries)
{
	enum { SOME = 9000, MORE = 6000 };
	struct refusing r;
	struct run run = { .kind = kind };
	struct hmap_type type = { .key_size = kind->key_size,
				  .value_size = kind->value_size,
				  .hash = hash_of,
				  .state = &run };
	struct hmap_options options = { .allocator = &r.allocator };
	unsigned char key[LARGEST], value[LARGEST] = { 0 };
	struct hmap_stats stats = { 0 };
	struct hmap *m = NULL;
	enum hmap_status status;
	unsigned count = 0, from;
	bool refused;

	refusing_init(&r, ranges ? 0 : 1, true, true);
	CHECK_EQ(hmap_create(&type, &options, &m), HMAP_OK);
	while (count < SOME || !stats.pass) {
		make_key(kind, count++, key);
		CHECK_EQ(hmap_put(m, key, value), HMAP_OK);
		CHECK_EQ(hmap_stats(m, HMAP_STATS_QUICK, &stats), HMAP_OK);
	}
	if (emptied)
		CHECK_EQ(hmap_clear(m), HMAP_OK);
	from = emptied ? count : 0;
	r.until_refusal = n;
	status = hmap_reserve(m, entries, HMAP_RESERVE_PLAIN);
	CHECK(status == HMAP_OK || status == HMAP_NO_MEMORY);
	refused = r.until_refusal == 0;
	r.until_refusal = 0;
	check_numbers(m, kind, from, count);
	for (unsigned i = 0; i < MORE; i++) {
		make_key(kind, count++, key);
		CHECK_EQ(hmap_put(m, key, value), HMAP_OK);
	}
	check_numbers(m, kind, from, count);
	hmap_destroy(m);
	CHECK_EQ(r.blocks, 0);
	return refused;
}

MS_TEST(reserve_in_the_middle_of_a_pass_leaves_a_map_whose_memory_is_refused)
{
	static const struct kind numbers = { "u64 to u64", 8, 8, 0, 0, 0, 0, false, KEYS };
	static const size_t entries[] = { 12000, 30000, 100000 };

	for (unsigned how = 0; how < 4; how++)
		for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++)
			for (long n = 1;
			     reserve_with_refusal(&numbers, n, how & 1, how & 2, entries[i]);)
				n += 1 + n / 10;
}

MS_TEST(a_table_that_outgrows_its_range_leaves_no_hole_where_it_was)
{
	static const struct kind numbers = { "u64 to u64", 8, 8, 0, 0, 0, 0, false, KEYS };
	struct run run = { .kind = &numbers };
	const struct hmap_type type = {
		.key_size = 8, .value_size = 8, .hash = hash_of, .state = &run
	};
	struct refusing r;
	struct hmap_options options = { .allocator = &r.allocator };
	struct hmap *m = NULL;

	refusing_init(&r, (size_t)9 << 20, true, true);
	if (!r.real->move)
		SKIP("pages cannot be moved here");
	CHECK_EQ(hmap_create(&type, &options, &m), HMAP_OK);
	for (uint64_t i = 0; i < 1000000; i++) {
		if (i == 20000)
			r.most_range = 0; // Its first range was a small one.
		CHECK_EQ(hmap_put(m, &i, &i), HMAP_OK);
	}
	CHECK_EQ(r.moves, 2); // Tags, then slots.
	CHECK_EQ(hmap_check(m, NULL), HMAP_OK);
	for (uint64_t i = 0; i < 1000000; i++) {
		const uint64_t *value = hmap_get(m, &i);

		CHECK(value && *value == i);
	}
	hmap_destroy(m);
	CHECK_EQ(r.blocks, 0);
}
