// Goal: of a map of libhmap every number that is said is the one that the map says itself; of one
// with a single thing broken that very invariant says so, or it is refused, and nothing crashes.
// Method: maps of both engines in this very process, brought into each stage and read through a
// process target by the registry alone; then with words of their memory changed.
#include "inspect/inspect_hmap.h"
#include "registry/hmap_census.h"
#include "target/fault.h"
#include "target/process.h"
#include "tests/support/test.h"

#include "base/cleanup.h"
#include "hmap/classic_internal.h"
#include "hmap/space.h"

#include <stdio.h>
#include <unistd.h>

struct self {
	struct ms_target *target;
	struct ms_registries registries;
	struct ms_census_report census;
	struct ms_hmap_places places;
};

static void self_read(struct self *s)
{
	*s = (struct self){ 0 };
	CHECK_OK(ms_process_open(getpid(), NULL, &s->target));
	CHECK_OK(ms_registries_find(s->target, &s->registries));
	CHECK_OK(ms_hmap_census_add(&s->registries, NULL, &s->census, &s->places));
}

static void self_end(struct self *s)
{
	ms_census_report_deinit(&s->census);
	ms_hmap_places_deinit(&s->places);
	ms_target_destroy(s->target);
}

static struct ms_inspect_report opened(struct self *s, const struct hmap *m, uint64_t unit)
{
	const struct ms_inspect_options options = { .unit = unit, .looks = 2, .keys = true };
	const struct ms_map_row *row = ms_census_row_at(&s->census, (uintptr_t)m);
	const struct ms_registry *registry;
	struct ms_inspect_report r;

	CHECK(row != NULL);
	CHECK_OK(ms_hmap_find(&s->registries, row->address, &registry));
	CHECK(registry != NULL);
	CHECK_OK(ms_inspect_hmap(s->target, registry, row, &options, &r));
	return r;
}

// --- Maps. ---

/** All keys have few hashes: chains. */
static uint64_t crowd_hash(const void *key, uint64_t seed, void *state)
{
	uint64_t k;

	(void)seed;
	(void)state;
	memcpy(&k, key, sizeof(k));
	return k << 56 | k % 3;
}

/** What a test counts on: Fibonacci's multiplier, and its high bits everywhere. */
static uint64_t even_hash(const void *key, uint64_t seed, void *state)
{
	uint64_t k;

	(void)state;
	memcpy(&k, key, sizeof(k));
	k = (k ^ seed) * UINT64_C(0x9e3779b97f4a7c15);
	return k ^ k >> 32;
}

#define TYPE(type_name, key, value, hash_fn, type_flags)                                           \
	{                                                                                          \
		.name = type_name, .key_name = "uint64_t", .value_name = "struct v",               \
		.key_size = (key), .value_size = (value), .hash = (hash_fn), .flags = (type_flags) \
	}

static const struct hmap_type plain = TYPE("plain", 8, 4, even_hash, 0);
static const struct hmap_type crowd = TYPE("crowd", 8, 8, crowd_hash, 0);
static const struct hmap_type set = TYPE("set", 8, 0, even_hash, 0);
static const struct hmap_type stored = TYPE("stored", 8, 24, even_hash, HMAP_STORE_HASH);
static const struct hmap_type large = TYPE("large", 8, 200, even_hash, 0);

static struct hmap *make(const struct hmap_type *type, const struct hmap_options *options,
			 uint64_t entries)
{
	static const uint8_t value[256];
	struct hmap *m;

	CHECK_EQ(hmap_create(type, options, &m), HMAP_OK);
	for (uint64_t i = 0; i < entries; i++)
		CHECK_EQ(hmap_put(m, &i, value), HMAP_OK);
	return m;
}

static struct hmap *make_of(const struct hmap_type *type, enum hmap_engine engine, uint64_t entries)
{
	const struct hmap_options options = { .engine = engine, .seed = 77, .name = "a map" };

	return make(type, &options, entries);
}

static struct hmap *in_segments(uint64_t entries)
{
	const struct hmap_options options = { .allocator = hmap_malloc_allocator(), .seed = 7 };

	return make(&plain, &options, entries);
}

static void erase(struct hmap *m, uint64_t from, uint64_t to)
{
	for (uint64_t i = from; i < to; i++)
		CHECK_EQ(hmap_erase(m, &i), HMAP_OK);
}

static void pass(struct hmap *m, enum hmap_pass which, size_t steps)
{
	CHECK_EQ(hmap_begin_pass(m, which), HMAP_OK);
	(void)hmap_step(m, steps);
}

// --- Whole. ---

struct oracle {
	const struct ms_inspect_report *r;
	uint64_t entries, overflow, old_overflow, moved;
};

static bool check_bucket(const struct hmap_bucket_view *v, void *state)
{
	struct oracle *o = state;
	const struct ms_inspect_array *a = v->old ? &o->r->old : &o->r->now;
	bool classic = ms_inspect_is_classic(o->r);

	CHECK(v->number < a->units);
	if (v->old && v->moved) {
		CHECK(a->bits[v->number] & MS_UNIT_MOVED);
		o->moved++;
		return true;
	}
	CHECK_EQ(a->fills[v->number], v->entries + v->overflow_entries);
	CHECK_EQ(a->chains[v->number], v->overflow_nodes + classic);
	CHECK_EQ(ms_inspect_unit_slots(o->r), v->slots);
	o->entries += v->entries + v->overflow_entries;
	*(v->old ? &o->old_overflow : &o->overflow) += v->overflow_nodes;
	return true;
}

static void all_hold(const struct ms_inspect_report *r)
{
	for (size_t i = 0; i < r->invariant_count; i++) {
		printf("%s: %s\n", r->invariants[i].name,
		       r->invariants[i].detail ? r->invariants[i].detail : "");
		CHECK_EQ(r->invariants[i].state, MS_INVARIANT_HOLDS);
	}
}

static void check_pass(const struct ms_inspect_report *r, const struct hmap_stats *stats)
{
	const uint64_t slots = ms_inspect_unit_slots(r);

	if (!stats->pass) {
		CHECK_EQ(r->stage, MS_STAGE_NONE);
		CHECK_EQ(r->pass.of + r->old.units, 0);
		return;
	}
	CHECK_EQ(r->stage, stats->pass == HMAP_PASS_GROW     ? MS_STAGE_DOUBLING
			   : stats->pass == HMAP_PASS_SHRINK ? MS_STAGE_HALVING
							     : MS_STAGE_SAME_SIZE);
	if (ms_inspect_is_classic(r)) {
		CHECK_EQ(r->frontier, stats->pass_done);
		CHECK_EQ(r->old.units, stats->pass_of);
		return;
	}
	CHECK_EQ(r->pass.from, stats->pass_from / slots);
	CHECK_EQ(r->pass.to, stats->pass_to / slots);
	CHECK_EQ(r->pass.of, stats->pass_of);
	CHECK_EQ(r->pass.done, stats->pass_done);
	CHECK_EQ(r->frontier, stats->pass == HMAP_PASS_SHRINK ? stats->pass_of - stats->pass_done
							      : stats->pass_done);
}

/** The report of a map against what it says itself. */
static void check_whole(struct hmap *m)
{
	struct hmap_stats stats;
	struct ms_inspect_report r;
	struct oracle o = { .r = &r };
	const char *wrong = "";
	struct self self;
	uint64_t sum = 0;

	CHECK_EQ(hmap_check(m, &wrong), HMAP_OK);
	CHECK_EQ(hmap_stats(m, HMAP_STATS_WALK, &stats), HMAP_OK);
	self_read(&self);
	r = opened(&self, m, 0);
	all_hold(&r);
	CHECK(r.settled);
	CHECK(r.is_read);
	CHECK_EQ(r.looks, 1);
	CHECK_EQ(r.now.units, stats.buckets);
	CHECK_EQ(r.row.entries, stats.entries);
	CHECK_EQ(r.row.capacity, stats.slots);
	CHECK_EQ(r.row.total_bytes, stats.total_bytes);
	if (r.displaced != MS_UNKNOWN) // A group counts no more than 254.
		CHECK_EQ(r.displaced, stats.displaced);
	else
		CHECK(stats.displaced >= UINT8_MAX);
	if (!r.old.units) // The map counts those of its old array, too.
		CHECK_EQ(r.longest, stats.longest_chain + ms_inspect_is_classic(&r));
	hmap_each_bucket(m, check_bucket, &o);
	CHECK_EQ(r.now.entries + r.old.entries, stats.entries);
	CHECK_EQ(o.entries, stats.entries);
	CHECK_EQ(r.now.overflow, o.overflow);
	CHECK_EQ(r.old.overflow, o.old_overflow);
	CHECK_EQ(r.old.moved, o.moved);
	for (size_t t = 0; t < MS_INSPECT_TAGS; t++)
		sum += r.tags[t];
	CHECK_EQ(sum, stats.entries);
	check_pass(&r, &stats);
	CHECK(r.layout.known);
	CHECK(r.unit.exists);
	CHECK_EQ(r.unit.tag_count, ms_inspect_unit_slots(&r));
	CHECK(!r.keys.known && r.keys.unknown_why);
	CHECK(r.view_count >= 4);
	ms_inspect_report_deinit(&r);
	self_end(&self);
	hmap_destroy(m);
}

MS_TEST(inspect_hmap_reads_maps_of_all_sizes)
{
	static const uint64_t sizes[] = { 1, 13, 14, 100, 1000, 20000 };
	static const struct hmap_type *const types[] = { &plain, &set, &stored, &large };

	for (size_t n = 0; n < MS_ARRAY_SIZE(sizes) * MS_ARRAY_SIZE(types); n++) {
		const struct hmap_type *type = types[n % MS_ARRAY_SIZE(types)];
		uint64_t size = sizes[n / MS_ARRAY_SIZE(types)];

		check_whole(make_of(type, HMAP_STEADY, size));
		check_whole(make_of(type, HMAP_CLASSIC, size));
	}
	check_whole(in_segments(3000));
	check_whole(in_segments(60000));
}

MS_TEST(inspect_hmap_reads_passes)
{
	static const size_t steps[] = { 0, 1, 7, 60 };

	for (size_t n = 0; n < MS_ARRAY_SIZE(steps); n++) {
		struct hmap *steady = make_of(&plain, HMAP_STEADY, 20000);
		struct hmap *classic = make_of(&plain, HMAP_CLASSIC, 20000);
		struct hmap *segments = in_segments(20000);

		pass(steady, HMAP_PASS_GROW, steps[n]);
		pass(classic, HMAP_PASS_GROW, steps[n]);
		pass(segments, HMAP_PASS_GROW, steps[n]);
		check_whole(steady);
		check_whole(classic);
		check_whole(segments);
		steady = make_of(&plain, HMAP_STEADY, 20000);
		classic = make_of(&plain, HMAP_CLASSIC, 20000);
		segments = in_segments(20000);
		erase(steady, 100, 19000);
		erase(segments, 100, 19000);
		pass(steady, HMAP_PASS_SHRINK, steps[n]);
		pass(segments, HMAP_PASS_SHRINK, steps[n]);
		pass(classic, HMAP_PASS_COMPACT, steps[n]);
		check_whole(steady);
		check_whole(classic);
		check_whole(segments);
		steady = make_of(&plain, HMAP_STEADY, 20000);
		pass(steady, HMAP_PASS_COMPACT, steps[n]);
		check_whole(steady);
	}
}

MS_TEST(inspect_hmap_follows_chains)
{
	for (unsigned engine = HMAP_STEADY; engine <= HMAP_CLASSIC; engine++) {
		struct hmap *m = make_of(&crowd, (enum hmap_engine)engine, 3000);

		check_whole(m);
		m = make_of(&crowd, (enum hmap_engine)engine, 700);
		pass(m, HMAP_PASS_COMPACT, 2);
		check_whole(m);
		m = make_of(&crowd, (enum hmap_engine)engine, 700);
		erase(m, 20, 650);
		check_whole(m);
	}
}

MS_TEST(inspect_hmap_counts_what_deletes_leave)
{
	struct hmap *m = make_of(&plain, HMAP_CLASSIC, 1000);
	struct ms_inspect_report r;
	struct self self;

	erase(m, 0, 300);
	self_read(&self);
	r = opened(&self, m, 0);
	all_hold(&r);
	CHECK(r.deleted > 0 && r.deleted <= 300);
	ms_inspect_report_deinit(&r);
	self_end(&self);
	hmap_destroy(m);
}

/** Without a table: empty, and never written to. */
MS_TEST(inspect_hmap_tells_of_maps_without_a_table)
{
	for (unsigned engine = HMAP_STEADY; engine <= HMAP_CLASSIC; engine++) {
		struct hmap *m = make_of(&plain, (enum hmap_engine)engine, 0);
		struct ms_inspect_report r;
		struct self self;

		self_read(&self);
		r = opened(&self, m, 3);
		CHECK_EQ(r.stage, MS_STAGE_NEVER_WRITTEN);
		CHECK(r.settled);
		CHECK(!r.is_read);
		CHECK_CONTAINS(r.unread_why, "has no table yet");
		CHECK(r.word_count >= 9);
		CHECK(!r.unit.exists);
		all_hold(&r);
		ms_inspect_report_deinit(&r);
		self_end(&self);
		hmap_destroy(m);
	}
}

MS_TEST(inspect_hmap_tells_layouts)
{
	struct hmap *steady = make_of(&stored, HMAP_STEADY, 100);
	struct hmap *classic = make_of(&large, HMAP_CLASSIC, 100);
	struct ms_inspect_report r;
	struct self self;

	self_read(&self);
	r = opened(&self, steady, MS_UNKNOWN);
	CHECK_EQ(r.layout.unit_bytes, 64 + 56 * 40);
	CHECK_EQ(r.layout.field_count, 6);
	CHECK_STR(r.layout.fields[0].name, "tags");
	CHECK_STR(r.layout.fields[5].name, "hash");
	CHECK_STR(r.layout.fields[3].type, "uint64_t");
	CHECK_EQ(r.layout.fields[3].offset, 64);
	CHECK_EQ(r.layout.fields[3].stride, 40);
	CHECK_EQ(r.layout.padding_bytes, 56 * 4);
	CHECK(!r.unit.asked);
	ms_inspect_report_deinit(&r);
	r = opened(&self, classic, 1);
	CHECK_EQ(r.layout.unit_bytes, 8 + 64 + 64 + 8);
	CHECK_STR(r.layout.fields[2].name, "elem (pointer)");
	CHECK_EQ(r.layout.padding_bytes, 0);
	CHECK_EQ(r.unit.index, 1);
	ms_inspect_report_deinit(&r);
	self_end(&self);
	hmap_destroy(steady);
	hmap_destroy(classic);
}

MS_TEST(inspect_hmap_says_nothing_of_a_block_that_is_none)
{
	struct hmap *m = make_of(&plain, HMAP_STEADY, 100);
	struct ms_inspect_report r;
	struct self self;

	self_read(&self);
	r = opened(&self, m, 4);
	CHECK(r.is_read);
	CHECK(r.unit.asked);
	CHECK(!r.unit.exists);
	ms_inspect_report_deinit(&r);
	self_end(&self);
	hmap_destroy(m);
}

// --- An older libhmap. ---

/** It names members up to those of its classic engine, and has the row alone. */
MS_TEST(inspect_hmap_of_an_older_library_is_its_row)
{
	struct hmap *maps[] = { make_of(&plain, HMAP_STEADY, 300),
				make_of(&plain, HMAP_CLASSIC, 300) };
	struct self self;

	self_read(&self);
	for (size_t n = HMAP_FIELD_TAGS; n < HMAP_FIELDS; n++)
		self.registries.items[0].fields[n] = (struct ms_registry_field){ 0 };
	for (size_t n = 0; n < MS_ARRAY_SIZE(maps); n++) {
		struct ms_inspect_report r = opened(&self, maps[n], 0);

		CHECK(!r.is_read);
		CHECK_EQ(r.looks, 0);
		CHECK_CONTAINS(r.unread_why, "its libhmap is older");
		CHECK_EQ(r.row.entries, 300);
		CHECK_EQ(r.invariant_count, 0);
		ms_inspect_report_deinit(&r);
	}
	self_end(&self);
	hmap_destroy(maps[0]);
	hmap_destroy(maps[1]);
}

// --- Broken. ---

static const struct ms_invariant *invariant(const struct ms_inspect_report *r, const char *name)
{
	for (size_t i = 0; i < r->invariant_count; i++) {
		if (!strcmp(r->invariants[i].name, name))
			return &r->invariants[i];
	}
	return NULL;
}

/** With @p size bytes at @p at changed for one inspection. */
static void breaks(const struct hmap *m, void *at, uint64_t value, size_t size, const char *name,
		   const char *detail)
{
	uint64_t kept = 0;
	const struct ms_invariant *v;
	struct ms_inspect_report r;
	struct self self;

	self_read(&self);
	memcpy(&kept, at, size);
	memcpy(at, &value, size);
	r = opened(&self, m, 1);
	memcpy(at, &kept, size);
	v = invariant(&r, name);
	CHECK(v != NULL);
	printf("%s: %s\n", name, v->detail ? v->detail : "");
	CHECK_EQ(v->state, MS_INVARIANT_BROKEN);
	CHECK_CONTAINS(v->detail, detail);
	CHECK(r.settled);
	CHECK_EQ(r.looks, 2);
	ms_inspect_report_deinit(&r);
	self_end(&self);
}

#define BREAKS(map, place, value, name, detail)                                                    \
	breaks((map), &(place), (value), sizeof(place), name, detail)

MS_TEST(inspect_hmap_finds_a_broken_steady_header)
{
	struct hmap *m = make_of(&plain, HMAP_STEADY, 1000);

	BREAKS(m, m->mask, 5, "header", "power of two");
	BREAKS(m, m->mask, 2 * m->mask + 1, "header", "groups and mask disagree");
	BREAKS(m, m->groups, (uint64_t)1 << 36, "header", "do not fit into all memory");
	BREAKS(m, m->groups, 3, "header", "do not fit into all memory");
	BREAKS(m, m->ready, (uint64_t)1 << 50, "header", "do not fit into all memory");
	BREAKS(m, m->pass, 9, "header", "no such pass");
	BREAKS(m, m->pass, HMAP_PASS_GROW, "header", "a pass and its flag disagree");
	BREAKS(m, m->block_mask, 2, "header", "no type has slots of such a shape");
	BREAKS(m, m->shape.slot_size, 0, "header", "no type has slots of such a shape");
	BREAKS(m, m->shape.slot_size, UINT32_MAX, "header", "no type has slots of such a shape");
	BREAKS(m, m->shape.links, 15, "header", "no type has slots of such a shape");
	BREAKS(m, m->shape.node_slots, 9, "header", "no type has slots of such a shape");
	BREAKS(m, m->shape.node_size, 8, "header", "no type has slots of such a shape");
	BREAKS(m, m->shape.node_slots_at, 1 << 20, "header", "no type has slots of such a shape");
	BREAKS(m, m->state, HMAPI_UNBORN, "header", "entries without a table");
	BREAKS(m, m->classic, (uintptr_t)m, "header", "other engine");
	BREAKS(m, m->ready, 4, "table", "groups are in use, and 4 have memory");
	hmap_destroy(m);
	m = in_segments(20000);
	BREAKS(m, m->segment_shift, 40, "header", "no type has slots of such a shape");
	BREAKS(m, m->segment_slots_at, 4, "header", "no type has slots of such a shape");
	BREAKS(m, m->segments[0][1], 0, "table", "segment 1 is not there");
	hmap_destroy(m);
}

/** Where a tag is that is none. */
static uint8_t *empty_tag(const struct hmap *m)
{
	uint8_t *tags = m->tags;

	while (*tags)
		tags++;
	return tags;
}

MS_TEST(inspect_hmap_finds_broken_steady_tags)
{
	struct hmap *m = make_of(&plain, HMAP_STEADY, 1000);

	BREAKS(m, *empty_tag(m), HMAP_TAG_LINK, "tags", "a link where none can be");
	BREAKS(m, *empty_tag(m), 0x77, "count", "1001 entries are in the table");
	BREAKS(m, m->count, 999, "count", "the header counts 999");
	hmap_destroy(m);
	m = make_of(&plain, HMAP_STEADY, 20000);
	pass(m, HMAP_PASS_GROW, 3);
	BREAKS(m, m->low, 7, "header", "the cursor is outside its pass");
	BREAKS(m, m->groups, m->low - 4, "header", "the cursor is outside its pass");
	BREAKS(m, m->tags[(m->groups + 1) * HMAP_GROUP_BYTES], 0x77, "frontier", "lies behind");
	BREAKS(m, m->tags[(m->groups + 1) * HMAP_GROUP_BYTES + HMAPI_COUNT], 1, "frontier",
	       "is not empty");
	hmap_destroy(m);
}

static unsigned char *slots_of_last(const struct hmap *m, size_t block)
{
	size_t group = block * HMAP_BLOCK_GROUPS + HMAP_BLOCK_GROUPS - 1;

	return m->slots + group * HMAP_GROUP_SLOTS * m->shape.slot_size;
}

static uint8_t *tags_of_last(const struct hmap *m, size_t block)
{
	return m->tags + (block * HMAP_BLOCK_GROUPS + HMAP_BLOCK_GROUPS - 1) * HMAP_GROUP_BYTES;
}

/** The first node of the first block. */
static struct hmapi_node **head_of(const struct hmap *m)
{
	unsigned char *link =
	    slots_of_last(m, 0) + (HMAP_GROUP_SLOTS - m->shape.links) * m->shape.slot_size;

	CHECK_EQ(tags_of_last(m, 0)[HMAP_GROUP_SLOTS - 1], HMAP_TAG_LINK);
	return (struct hmapi_node **)(void *)link;
}

MS_TEST(inspect_hmap_finds_broken_steady_chains)
{
	struct hmap *m = make_of(&crowd, HMAP_STEADY, 700);
	struct hmapi_node **head = head_of(m), *first = *head;

	CHECK(first->next && first->next->next);
	BREAKS(m, *head, 0xdead0000, "overflow", "block 0 leads to 0xdead0000");
	BREAKS(m, *head, (uintptr_t)first + 8, "overflow", "which is no node");
	BREAKS(m, first->next, (uintptr_t)m, "overflow", "which is no node");
	BREAKS(m, first->next, (uintptr_t)first, "chain_cycle", "comes back to itself");
	BREAKS(m, first->next->next, (uintptr_t)first, "chain_cycle", "comes back to itself");
	BREAKS(m, first->next, 0, "overflow_count", "are in chains, and the header counts");
	BREAKS(m, m->nodes_used, 1, "overflow_count", "the header counts 1");
	BREAKS(m, m->nodes_made, 1 << 20, "overflow_count", "that were made");
	BREAKS(m, first->tags[0], HMAP_TAG_LINK, "tags", "slot 0 of a node of block 0");
	BREAKS(m, tags_of_last(m, 0)[HMAP_GROUP_SLOTS - 1], 0x77, "overflow_count", "0 are in");
	if (m->shape.links > 1)
		BREAKS(m, tags_of_last(m, 0)[HMAP_GROUP_SLOTS - 2], 0x77, "tags",
		       "in the place of a link");
	hmap_destroy(m);
}

MS_TEST(inspect_hmap_knows_no_slabs_that_have_no_end)
{
	struct hmap *m = make_of(&crowd, HMAP_STEADY, 700);
	struct hmapi_slab *slab = m->slabs, *next = slab->next;
	struct ms_inspect_report r;
	struct self self;

	slab->next = slab;
	self_read(&self);
	r = opened(&self, m, 0);
	CHECK(r.is_read);
	CHECK_EQ(invariant(&r, "overflow")->state, MS_INVARIANT_UNKNOWN);
	CHECK_EQ(invariant(&r, "count")->state, MS_INVARIANT_HOLDS);
	ms_inspect_report_deinit(&r);
	self_end(&self);
	slab->next = next;
	hmap_destroy(m);
}

MS_TEST(inspect_hmap_knows_a_write_under_way)
{
	struct hmap *m = make_of(&plain, HMAP_STEADY, 1000);
	struct ms_inspect_report r;
	struct self self;

	self_read(&self);
	m->count++;
	m->state |= (HMAPI_DETOURS + 1) * 3;
	r = opened(&self, m, 0);
	m->state &= HMAPI_DETOURS;
	m->count--;
	CHECK(r.settled);
	CHECK_EQ(invariant(&r, "count")->state, MS_INVARIANT_UNKNOWN);
	CHECK_EQ(invariant(&r, "overflow")->state, MS_INVARIANT_HOLDS);
	ms_inspect_report_deinit(&r);
	self_end(&self);
	hmap_destroy(m);
}

MS_TEST(inspect_hmap_finds_a_broken_classic_header)
{
	struct hmap *m = make_of(&plain, HMAP_CLASSIC, 1000);
	struct hmap_classic *c = m->classic;

	BREAKS(m, c->h.B, 60, "header", "no libhmap leaves such a header");
	BREAKS(m, c->h.flags, 77, "header", "no libhmap leaves such a header");
	BREAKS(m, c->h.oldbuckets, (uintptr_t)c->h.buckets, "header", "no libhmap");
	BREAKS(m, c->h.buckets, 0, "header", "no libhmap leaves such a header");
	BREAKS(m, c->bucketsize, 16, "header", "no libhmap leaves such a header");
	BREAKS(m, c->keysize, 1 << 30, "header", "no libhmap leaves such a header");
	BREAKS(m, c->h.buckets, (uintptr_t)m, "table", "its record is of an array at");
	BREAKS(m, c->h.B, c->h.B + 1, "table", "its record has");
	BREAKS(m, c->now->B, 3, "table", "its record has");
	BREAKS(m, c->now->bytes, 100, "table", "its record has 100 bytes");
	BREAKS(m, c->h.count, 999, "count", "1000 entries are in the table");
	hmap_destroy(m);
}

MS_TEST(inspect_hmap_finds_broken_classic_buckets)
{
	struct hmap *m = make_of(&plain, HMAP_CLASSIC, 1000);
	struct hmap_classic *c = m->classic;
	bmap *b = c->h.buckets;

	BREAKS(m, b->tophash[0], 3, "tags", "slot 0 of bucket 0 has the tag 3");
	BREAKS(m, b->tophash[0], 0, "tags", "slot 1 of bucket 0 lies behind the mark");
	hmap_destroy(m);
	m = make_of(&plain, HMAP_CLASSIC, 1000);
	c = m->classic;
	pass(m, HMAP_PASS_GROW, 3);
	BREAKS(m, c->h.nevacuate, c->h.nevacuate + 1, "frontier", "lies below the frontier");
	BREAKS(m, c->old->B, 2, "old_table", "its record has");
	hmap_destroy(m);
}

static bmap **link_of(const struct hmap_classic *c, bmap *b)
{
	return (bmap **)(void *)((unsigned char *)b + c->bucketsize - sizeof(b));
}

MS_TEST(inspect_hmap_finds_broken_classic_chains)
{
	struct hmap *m = make_of(&crowd, HMAP_CLASSIC, 300);
	struct hmap_classic *c = m->classic;
	bmap *b = c->h.buckets, *first = overflow(c, b);

	CHECK(first && overflow(c, first));
	BREAKS(m, *link_of(c, b), 0xdead0000, "overflow", "bucket 0 leads to 0xdead0000");
	BREAKS(m, *link_of(c, b), (uintptr_t)first + 8, "overflow", "which is no bucket");
	BREAKS(m, *link_of(c, first), (uintptr_t)first, "chain_cycle", "comes back to itself");
	BREAKS(m, *link_of(c, bucket_at(c, b, 4)), (uintptr_t)first, "chain_cycle",
	       "joins another's");
	BREAKS(m, *link_of(c, first), 0, "overflow_count", "are in chains");
	BREAKS(m, c->h.noverflow, 1, "overflow_count", "the header counts 1");
	hmap_destroy(m);
}

// --- Memory that is not to be read, and noise. ---

MS_TEST(inspect_hmap_reads_no_table_that_is_elsewhere)
{
	struct hmap *m = make_of(&plain, HMAP_STEADY, 1000);
	uint8_t *tags = m->tags;
	struct ms_inspect_report r;
	struct self self;

	self_read(&self);
	m->tags = (uint8_t *)(uintptr_t)0x1000;
	r = opened(&self, m, 0);
	m->tags = tags;
	CHECK(!r.is_read);
	CHECK_CONTAINS(r.unread_why, "part of its table cannot be read");
	CHECK_EQ(invariant(&r, "count")->state, MS_INVARIANT_UNKNOWN);
	CHECK_EQ(ms_inspect_count(&r, MS_INVARIANT_BROKEN), 0);
	CHECK(!r.unit.exists);
	ms_inspect_report_deinit(&r);
	self_end(&self);
	hmap_destroy(m);
}

MS_TEST(inspect_hmap_reads_no_array_without_its_record)
{
	struct hmap *m = make_of(&plain, HMAP_CLASSIC, 1000);
	struct hmap_classic_table *now = m->classic->now;
	struct ms_inspect_report r;
	struct self self;

	self_read(&self);
	m->classic->now = (struct hmap_classic_table *)(uintptr_t)0x1000;
	r = opened(&self, m, 0);
	m->classic->now = now;
	CHECK(!r.is_read);
	CHECK_CONTAINS(r.unread_why, "the record of its array");
	CHECK_EQ(invariant(&r, "table")->state, MS_INVARIANT_UNKNOWN);
	CHECK_EQ(ms_inspect_count(&r, MS_INVARIANT_BROKEN), 0);
	ms_inspect_report_deinit(&r);
	self_end(&self);
	hmap_destroy(m);
}

/** Whichever read fails: what is said is right or unknown, and nothing is called broken by it. */
MS_TEST(inspect_hmap_survives_each_fault)
{
	static const enum ms_fault_kind kinds[] = { MS_FAULT_FAULT, MS_FAULT_SWAPPED,
						    MS_FAULT_GONE };
	struct hmap *maps[] = { make_of(&crowd, HMAP_STEADY, 300), in_segments(6000),
				make_of(&crowd, HMAP_CLASSIC, 100) };
	const struct ms_inspect_options options = { .unit = 1, .looks = 1 };
	struct self self;

	self_read(&self);
	for (size_t n = 0; n < MS_ARRAY_SIZE(maps) * MS_ARRAY_SIZE(kinds); n++) {
		const struct hmap *m = maps[n % MS_ARRAY_SIZE(maps)];
		const struct ms_map_row *row = ms_census_row_at(&self.census, (uintptr_t)m);
		bool has_failed = true;

		for (uint64_t at = 0; has_failed && at < 2000; at++) {
			const struct ms_fault_plan plan = { MS_FAULT_READ, at,
							    kinds[n / MS_ARRAY_SIZE(maps)],
							    MS_FAULT_ONCE };
			struct ms_inspect_report r;
			struct ms_target *faulty;
			struct ms_error *err;

			CHECK_OK(ms_fault_create(self.target, &plan, &faulty));
			err = ms_inspect_hmap(faulty, &self.registries.items[0], row, &options, &r);
			has_failed = ms_fault_count(faulty) > at;
			if (!err) {
				CHECK_EQ(ms_inspect_count(&r, MS_INVARIANT_BROKEN), 0);
				CHECK(r.is_read || r.unread_why);
				ms_inspect_report_deinit(&r);
			}
			CHECK(!err || kinds[n / MS_ARRAY_SIZE(maps)] == MS_FAULT_GONE);
			ms_error_free(err);
			ms_target_destroy(faulty);
		}
		CHECK(!has_failed);
	}
	self_end(&self);
	for (size_t n = 0; n < MS_ARRAY_SIZE(maps); n++)
		hmap_destroy(maps[n]);
}

static bool always(void *context)
{
	(void)context;
	return true;
}

MS_TEST(inspect_hmap_ends_when_it_is_told_to)
{
	const struct ms_inspect_options options = { .unit = MS_UNKNOWN, .stop = always };
	struct hmap *m = make_of(&plain, HMAP_STEADY, 1000);
	struct ms_inspect_report r;
	struct self self;

	self_read(&self);
	CHECK_OK(ms_inspect_hmap(self.target, &self.registries.items[0],
				 ms_census_row_at(&self.census, (uintptr_t)m), &options, &r));
	CHECK(r.partial);
	CHECK(!r.settled);
	CHECK_EQ(ms_inspect_count(&r, MS_INVARIANT_BROKEN), 0);
	ms_inspect_report_deinit(&r);
	self_end(&self);
	hmap_destroy(m);
}

/** Words of a map's own struct changed at random: whatever is said, it ends, and nothing breaks. */
MS_TEST(inspect_hmap_survives_noise)
{
	struct hmap *maps[] = { make_of(&crowd, HMAP_STEADY, 500), in_segments(20000),
				make_of(&plain, HMAP_STEADY, 20000),
				make_of(&crowd, HMAP_CLASSIC, 500),
				make_of(&plain, HMAP_CLASSIC, 2000) };
	struct self self;

	pass(maps[2], HMAP_PASS_GROW, 5);
	pass(maps[4], HMAP_PASS_GROW, 5);
	self_read(&self);
	for (unsigned round = 0; round < 1500; round++) {
		struct hmap *m = maps[round % MS_ARRAY_SIZE(maps)];
		struct hmap_classic *c = m->classic;
		uint64_t *words = c && round % 3 ? (uint64_t *)c : (uint64_t *)m;
		size_t count = ((void *)words == m ? sizeof(*m) : sizeof(*c)) / 8;
		uint64_t *at = &words[ms_test_random() % count], kept = *at;
		struct ms_inspect_report r;

		*at = round % 2 ? kept ^ (uint64_t)1 << ms_test_random() % 64
				: ms_test_random() >> ms_test_random() % 64;
		r = opened(&self, m, ms_test_random() % 40);
		*at = kept;
		ms_inspect_report_deinit(&r);
	}
	self_end(&self);
	for (size_t n = 0; n < MS_ARRAY_SIZE(maps); n++)
		hmap_destroy(maps[n]);
}
