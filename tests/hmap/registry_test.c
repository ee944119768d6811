// Goal: every map is listed while it is there, its sums are those of its maps, an observer is told
// of all of them, and a reader that knows only the note finds what the map itself says.
// Method: maps of both engines in numbers that fill several leaves; readers that follow the note as
// one from outside would, through this process's own program headers.
#include "tests/support/test.h"

#include <hmap/hmap_registry.h>
#include <hmap/hmap_typed.h>

#include <link.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MANY = 1000, THREADS = 4, ROUNDS = 2000 };

static uint64_t hash_u64(const void *key, uint64_t seed, void *state)
{
	uint64_t k;

	(void)state;
	memcpy(&k, key, sizeof(k));
	return hmap_hash_u64(k, seed);
}

static const struct hmap_type numbers = {
	.name = "numbers",
	.key_name = "uint64_t",
	.value_name = "uint32_t",
	.key_size = 8,
	.value_size = 4,
	.hash = hash_u64,
};

static struct hmap *map_of(size_t entries, const char *name, enum hmap_engine engine)
{
	const struct hmap_options options = { .name = name, .engine = engine };
	struct hmap *map;

	CHECK_EQ(hmap_create(&numbers, &options, &map), HMAP_OK);
	for (uint64_t k = 0; k < entries; k++)
		CHECK_EQ(hmap_put(map, &k, NULL), HMAP_OK);
	return map;
}

static bool count_one(const struct hmap *map, void *state)
{
	(void)map;
	++*(size_t *)state;
	return true;
}

static size_t listed(void)
{
	size_t count = 0;

	hmap_each_map(count_one, &count);
	return count;
}

MS_TEST(maps_are_listed_while_they_are_there)
{
	static struct hmap *maps[MANY];
	struct hmap *clone;
	struct hmap_totals totals;

	CHECK_EQ(listed(), 0);
	for (size_t i = 0; i < MANY; i++)
		maps[i] = map_of(i % 7, NULL, i % 3 ? HMAP_STEADY : HMAP_CLASSIC);
	CHECK_EQ(listed(), MANY);
	for (size_t i = 0; i < MANY; i += 2)
		hmap_destroy(maps[i]);
	CHECK_EQ(listed(), MANY / 2);
	for (size_t i = 0; i < MANY; i += 2)
		CHECK_EQ(hmap_clone(maps[1], &maps[i]), HMAP_OK);
	CHECK_EQ(hmap_clone(maps[3], &clone), HMAP_OK); // Of the other engine.
	CHECK_EQ(listed(), MANY + 1);
	hmap_totals(&totals);
	CHECK_EQ(totals.maps, MANY + 1);
	CHECK_EQ(totals.created, MANY + MANY / 2 + 1);
	CHECK_EQ(totals.freed, MANY / 2);
	CHECK_EQ(totals.unlisted, 0);
	hmap_destroy(clone);
	for (size_t i = 0; i < MANY; i++)
		hmap_destroy(maps[i]);
	CHECK_EQ(listed(), 0);
}

/** The sums by hmap_stats, which asks each map itself. */
static bool add_stats(const struct hmap *map, void *state)
{
	struct hmap_totals *t = state;
	struct hmap_stats s, peeked;

	CHECK_EQ(hmap_stats(map, HMAP_STATS_QUICK, &s), HMAP_OK);
	hmap_peek(map, &peeked);
	CHECK_EQ(peeked.entries, s.entries);
	CHECK_EQ(peeked.slots, s.slots);
	CHECK_EQ(peeked.grow_at, s.grow_at);
	CHECK_EQ(peeked.buckets, s.buckets);
	CHECK_EQ(peeked.overflow, s.overflow);
	CHECK_EQ(peeked.total_bytes, s.total_bytes);
	CHECK_EQ(peeked.reserved_bytes, s.reserved_bytes);
	CHECK_EQ(peeked.pass, s.pass);
	CHECK_EQ(peeked.pass_from, s.pass_from);
	CHECK_EQ(peeked.pass_to, s.pass_to);
	CHECK_EQ(peeked.pass_done, s.pass_done);
	CHECK_EQ(peeked.pass_of, s.pass_of);
	t->maps++;
	t->entries += s.entries;
	t->slots += s.slots;
	t->total_bytes += s.total_bytes;
	t->passes += s.pass != 0;
	t->growths += s.growths;
	return true;
}

MS_TEST(sums_are_those_of_the_maps)
{
	static struct hmap *maps[64];
	struct hmap_totals totals, added = { 0 };

	for (size_t i = 0; i < 64; i++)
		maps[i] = map_of(i * i * 3, i % 4 ? "orders" : "users",
				 i % 2 ? HMAP_STEADY : HMAP_CLASSIC);
	for (size_t i = 1; i < 64; i += 8) {
		CHECK_EQ(hmap_begin_pass(maps[i], HMAP_PASS_COMPACT) != HMAP_BAD_ARGUMENT, true);
		(void)hmap_step(maps[i], 3);
	}
	hmap_each_map(add_stats, &added);
	hmap_totals(&totals);
	CHECK_EQ(totals.maps, 64);
	CHECK_EQ(totals.entries, added.entries);
	CHECK_EQ(totals.slots, added.slots);
	CHECK_EQ(totals.total_bytes, added.total_bytes);
	CHECK_EQ(totals.slack_bytes, totals.total_bytes - totals.live_bytes);
	CHECK_EQ(totals.passes, added.passes);
	CHECK(totals.passes > 0);
	CHECK_EQ(totals.growths, added.growths);
	for (size_t i = 0; i < 64; i++)
		hmap_destroy(maps[i]);
}

MS_TEST(sums_by_name_fold_what_is_left_into_other)
{
	static const char *const names[] = { "a", "b", "c", "d" };
	struct hmap_named_totals sums[8];
	struct hmap_totals all;
	struct hmap *maps[20];

	for (size_t i = 0; i < 20; i++)
		maps[i] =
		    map_of((i % 5) * (i % 5) * 1000, i % 5 < 4 ? names[i % 5] : NULL, HMAP_STEADY);
	CHECK_EQ(hmap_totals_by_name(sums, 8, &all), 5);
	CHECK_STR(sums[0].name,
		  "numbers"); // The type's, where the map has none: 16,000 entries each.
	CHECK_EQ(sums[0].totals.entries, 64000);
	CHECK_EQ(all.maps, 20);
	CHECK_EQ(all.entries, 4 * (0 + 1000 + 4000 + 9000 + 16000));
	CHECK_STR(sums[1].name, "d");
	CHECK_EQ(sums[1].totals.maps, 4);
	CHECK_EQ(hmap_totals_by_name(sums, 3, NULL), 5);
	CHECK_STR(sums[2].name, "other");
	CHECK_EQ(sums[2].totals.maps, 12);
	CHECK_EQ(sums[2].totals.entries, 4 * (0 + 1000 + 4000));
	for (size_t i = 0; i < 20; i++)
		hmap_destroy(maps[i]);
}

__attribute__((noinline)) static struct hmap *made_here(void)
{
	struct hmap *map;

	CHECK_EQ(hmap_create(&numbers, NULL, &map), HMAP_OK);
	return map;
}

MS_TEST(a_map_knows_where_it_was_made)
{
	struct hmap *map = made_here(), *clone;
	uintptr_t at = (uintptr_t)hmap_created_at(map), from = (uintptr_t)made_here;

	CHECK(at > from && at < from + 4096);
	CHECK_EQ(hmap_clone(map, &clone), HMAP_OK);
	CHECK((uintptr_t)hmap_created_at(clone) != at);
	CHECK(hmap_created_at(clone) != NULL);
	CHECK(!hmap_created_at(NULL));
	hmap_destroy(map);
	hmap_destroy(clone);
}

/* ------------------------------------------------------------------------------------------- */

struct told {
	size_t of[HMAP_EVENT_FREED + 1];
	size_t hooks;
	size_t moved;
};

static void told_all(const struct hmap *map, const struct hmap_event *event, void *state)
{
	struct told *told = state;

	CHECK(map != NULL);
	told->of[event->kind]++;
	if (event->kind == HMAP_EVENT_MIGRATES)
		told->moved += event->entries;
}

static void told_hook(const struct hmap *map, const struct hmap_event *event, void *state)
{
	struct hmap_stats stats;

	hmap_peek(map, &stats);
	CHECK_EQ(event->kind, HMAP_EVENT_GROWS);
	CHECK_EQ(event->adding, 1);
	CHECK_EQ(event->entries + (stats.engine == HMAP_STEADY), stats.entries);
	((struct told *)state)->hooks++;
}

MS_TEST(an_observer_is_told_of_all_maps_beside_their_own_hooks)
{
	static struct told told;
	static const struct hmap_observer observer = {
		.event = told_all, .kinds = ~0u, .shrink = true, .state = &told
	};
	const struct hmap_hooks hooks = { .event = told_hook,
					  .kinds = 1u << HMAP_EVENT_GROWS,
					  .state = &told };

	CHECK_EQ(hmap_observe(&observer), HMAP_OK);
	CHECK_EQ(hmap_observe(&observer), HMAP_NOT_SUPPORTED); // There is one.
	for (unsigned engine = HMAP_STEADY; engine <= HMAP_CLASSIC; engine++) {
		const struct hmap_options options = { .engine = (enum hmap_engine)engine,
						      .hooks = &hooks };
		struct hmap *map;

		memset(&told, 0, sizeof(told));
		CHECK_EQ(hmap_create(&numbers, &options, &map), HMAP_OK);
		CHECK_EQ(told.of[HMAP_EVENT_CREATED], 1);
		for (uint64_t k = 0; k < 5000; k++)
			CHECK_EQ(hmap_put(map, &k, NULL), HMAP_OK);
		CHECK(told.of[HMAP_EVENT_GROWS] > 4);
		CHECK_EQ(told.hooks, told.of[HMAP_EVENT_GROWS]);
		CHECK(told.of[HMAP_EVENT_MIGRATES] > 20);
		CHECK(told.moved > 2000 && told.moved < 10000); // About half of all, each time.
		for (uint64_t k = 0; k < 5000; k++)
			CHECK_EQ(hmap_erase(map, &k), HMAP_OK);
		CHECK_EQ(told.of[HMAP_EVENT_SHRINKS] > 0, engine == HMAP_STEADY);
		hmap_destroy(map);
		CHECK_EQ(told.of[HMAP_EVENT_FREED], 1);
	}
	CHECK_EQ(hmap_observe(NULL), HMAP_OK);
	CHECK_EQ(hmap_observe(&(struct hmap_observer){ .kinds = 1 }), HMAP_BAD_ARGUMENT);
}

/* ------------------------------------------------------------------------------------------- */
/* As one from outside reads it                                                                */

static int find_note(struct dl_phdr_info *info, size_t size, void *state)
{
	(void)size;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		const char *at = (const char *)info->dlpi_addr + p->p_vaddr, *end = at + p->p_memsz;

		while (p->p_type == PT_NOTE && end - at > 12) {
			const ElfW(Nhdr) *note = (const void *)at;
			const char *owner = at + sizeof(*note);
			const char *text = owner + (note->n_namesz + 3) / 4 * 4;

			if (note->n_namesz == 5 && !strcmp(owner, HMAP_NOTE_OWNER) &&
			    note->n_type == HMAP_NOTE_REGISTRY && note->n_descsz == 8) {
				int64_t distance;

				memcpy(&distance, text, sizeof(distance));
				*(const char **)state = text + distance;
				return 1;
			}
			at = text + (note->n_descsz + 3) / 4 * 4;
		}
	}
	return 0;
}

static uint64_t member(const struct hmap_registry *r, const void *object, enum hmap_field field)
{
	uint64_t value = 0;

	CHECK(field < r->field_count);
	memcpy(&value, (const char *)object + r->fields[field].offset, r->fields[field].size);
	return value;
}

MS_TEST(a_reader_that_knows_only_the_note_finds_all_maps)
{
	struct hmap *maps[200];
	const struct hmap_registry *r = NULL;
	size_t found = 0;

	for (size_t i = 0; i < 200; i++)
		maps[i] = map_of(i * 5, i % 2 ? "odd" : NULL, i % 5 ? HMAP_STEADY : HMAP_CLASSIC);
	hmap_destroy(maps[7]);
	CHECK_EQ(dl_iterate_phdr(find_note, &r), 1);
	CHECK(!memcmp(r->cookie, HMAP_REGISTRY_COOKIE, 16));
	CHECK_EQ(r->version, HMAP_REGISTRY_VERSION);
	CHECK_EQ(r->size, sizeof(*r));
	CHECK_STR(r->library, hmap_version());
	CHECK_EQ(r->changes % 2, 0);
	CHECK_EQ(r->maps, 199);
	for (uint64_t place = 0, leaf = 0, in = 0; place < r->used; place++, in++) {
		const uint64_t *words;
		const char *map, *type, *name;

		if (in == (uint64_t)HMAP_REGISTRY_FIRST_LEAF << leaf) {
			leaf++;
			in = 0;
		}
		words = (const uint64_t *)(uintptr_t)r->leaves[leaf];
		if (!words[in] || (words[in] & 1))
			continue;
		map = (const char *)(uintptr_t)words[in];
		type = (const char *)(uintptr_t)member(r, map, HMAP_FIELD_TYPE);
		name = (const char *)(uintptr_t)member(r, map, HMAP_FIELD_NAME);
		CHECK_STR((const char *)(uintptr_t)member(r, type, HMAP_FIELD_TYPE_NAME),
			  "numbers");
		CHECK_EQ(member(r, type, HMAP_FIELD_TYPE_VALUE_SIZE), 4);
		for (size_t i = 0; i < 200; i++) {
			const char *classic =
			    (const char *)(uintptr_t)member(r, map, HMAP_FIELD_CLASSIC);

			if (i == 7 || (const char *)maps[i] != map)
				continue;
			found++;
			CHECK_EQ(classic != NULL, i % 5 == 0);
			CHECK_EQ(name != NULL, i % 2);
			CHECK_EQ(classic ? member(r, classic, HMAP_FIELD_CLASSIC_COUNT)
					 : member(r, map, HMAP_FIELD_COUNT),
				 i * 5);
		}
	}
	CHECK_EQ(found, 199);
	for (size_t i = 0; i < 200; i++)
		if (i != 7)
			hmap_destroy(maps[i]);
}

/** Entries by the tags of @p runs runs, each @p stride behind the last; tags below @p least are
 *  none. */
static size_t tags_count(const uint8_t *at, size_t runs, size_t stride, size_t tags, uint8_t least)
{
	size_t found = 0;

	for (size_t r = 0; r < runs; r++, at += stride)
		for (size_t t = 0; t < tags; t++)
			found += at[t] >= least;
	return found;
}

MS_TEST(a_reader_that_knows_only_the_registry_opens_tables)
{
	struct hmap *steady = map_of(1000, NULL, HMAP_STEADY);
	struct hmap *classic = map_of(1000, NULL, HMAP_CLASSIC);
	const struct hmap_registry *r = NULL;
	const void *c, *array;
	struct hmap_stats stats;

	CHECK_EQ(dl_iterate_phdr(find_note, &r), 1);
	CHECK_EQ(r->field_count, HMAP_FIELDS);
	for (unsigned i = HMAP_FIELD_TYPE_NAME; i < HMAP_FIELDS; i++)
		CHECK(r->fields[i].size || (i >= HMAP_FIELD_GROUP_BYTES && r->fields[i].offset));
	// None of these overflows.
	CHECK_EQ(hmap_stats(steady, HMAP_STATS_WALK, &stats), HMAP_OK);
	CHECK_EQ(stats.overflow, 0);
	CHECK_EQ(tags_count((const uint8_t *)(uintptr_t)member(r, steady, HMAP_FIELD_TAGS),
			    member(r, steady, HMAP_FIELD_GROUPS),
			    r->fields[HMAP_FIELD_GROUP_BYTES].offset, r->group_slots, 2),
		 1000);
	c = (const void *)(uintptr_t)member(r, classic, HMAP_FIELD_CLASSIC);
	array = (const void *)(uintptr_t)member(r, c, HMAP_FIELD_CLASSIC_ARRAY);
	CHECK_EQ(member(r, array, HMAP_FIELD_ARRAY_BUCKETS),
		 member(r, c, HMAP_FIELD_CLASSIC_BUCKETS));
	CHECK_EQ(member(r, array, HMAP_FIELD_ARRAY_B), member(r, c, HMAP_FIELD_CLASSIC_B));
	if (!member(r, c, HMAP_FIELD_CLASSIC_OVERFLOW))
		CHECK_EQ(
		    tags_count((const uint8_t *)(uintptr_t)member(r, c, HMAP_FIELD_CLASSIC_BUCKETS),
			       (size_t)1 << member(r, c, HMAP_FIELD_CLASSIC_B),
			       member(r, c, HMAP_FIELD_CLASSIC_BUCKET_BYTES), 8, 5),
		    1000);
	hmap_destroy(steady);
	hmap_destroy(classic);
}

/* ------------------------------------------------------------------------------------------- */

static void *makes_and_ends(void *state)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct hmap *map;
		uint64_t key = i;

		CHECK_EQ(hmap_create(&numbers, NULL, &map), HMAP_OK);
		CHECK_EQ(hmap_put(map, &key, NULL), HMAP_OK);
		hmap_destroy(map);
	}
	return state;
}

MS_TEST(threads_make_and_end_maps_while_others_look)
{
	struct hmap *kept = map_of(3, "kept", HMAP_STEADY);
	pthread_t threads[THREADS];
	struct hmap_totals totals;

	for (size_t i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, makes_and_ends, NULL), 0);
	for (unsigned i = 0; i < ROUNDS / 10; i++) {
		hmap_totals(&totals);
		CHECK(totals.maps >= 1 && totals.maps <= THREADS + 1);
		CHECK(totals.entries >= 3);
	}
	for (size_t i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
	hmap_totals(&totals);
	CHECK_EQ(totals.maps, 1);
	CHECK_EQ(totals.created, totals.freed + 1);
	hmap_destroy(kept);
}

static void *allocate_here(void *state, size_t size, size_t align)
{
	static unsigned char room[1 << 16] __attribute__((aligned(64)));
	static size_t used;

	(void)state;
	used = (used + align - 1) / align * align;
	CHECK(used + size <= sizeof(room));
	used += size;
	return room + used - size;
}

static void release_nothing(void *state, void *memory, size_t size, size_t align)
{
	(void)state;
	(void)memory;
	(void)size;
	(void)align;
}

MS_TEST(a_child_has_a_list_of_its_own)
{
	// A sanitizer's malloc may be locked in the child.
	const struct hmap_allocator here = { .allocate = allocate_here,
					     .release = release_nothing };
	const struct hmap_options options = { .allocator = &here };
	pthread_t threads[THREADS];
	int status;

	for (size_t i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, makes_and_ends, NULL), 0);
	for (unsigned i = 0; i < 5; i++) {
		struct hmap *map;
		pid_t child = fork();

		CHECK(child >= 0);
		if (!child) {
			alarm(20); // The list would be locked for ever.
			if (hmap_create(&numbers, &options, &map) != HMAP_OK)
				_exit(1);
			hmap_destroy(map);
			_exit(0);
		}
		CHECK_EQ(waitpid(child, &status, 0), child);
		CHECK_EQ(status, 0);
	}
	for (size_t i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
}
