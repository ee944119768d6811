// Goal: from two looks at a map follow the growths that certainly lie between them and no others;
// a header caught between two stores makes none; an evacuation finds the growth it belongs to.
// Method: a map's header on the fake target, moved by hand; a model of Swiss tables that grow at
// random, looked at now and then; a trace of recordings, in which nothing ever moves, with faults.
#include "base/vec.h"
#include "target/fault.h"
#include "tests/support/fake_target.h"
#include "tests/support/recordings.h"
#include "tests/support/test.h"
#include "trace/evacuations.h"
#include "trace/growth_steps.h"
#include "trace/trace.h"

#include <math.h>
#include <stdio.h>

#define MAP ((ms_addr)0xc000010000)
#define TABLES ((ms_addr)0xc000100000)
#define DIRECTORIES ((ms_addr)0xc000200000)
#define RUNTIME ((ms_addr)0x900000)
#define BUCKETS                                                                                    \
	((ms_addr)0x1000) // Where tables of classic maps lie, and a Swiss map's first group.

enum { STEPS_MAX = 4096, RUNTIME_BYTES = 1 << 20, BUCKETS_BYTES = 0xf000, SEED = 0x12345678 };

static double clock_s;

static double clock_of(void *context)
{
	(void)context;
	return clock_s;
}

// --- A map that is followed. ---

struct made {
	struct ms_growth_step items[STEPS_MAX];
	size_t count;
};

struct followed_map {
	struct fake_target fake;
	struct ms_go_runtime rt;
	struct ms_followed followed;
	struct ms_evacuations evacuations;
	uint8_t header[64];
	uint8_t runtime[RUNTIME_BYTES];
	uint8_t buckets[BUCKETS_BYTES];
	struct made made;
	size_t looks;
};

static struct followed_map f;

static struct ms_error *step_keep(void *context, const struct ms_growth_step *step)
{
	struct made *made = context;

	CHECK(made->count < STEPS_MAX);
	made->items[made->count++] = *step;
	return NULL;
}

static struct ms_error *look_take(void *context, struct ms_followed_map *map,
				  const struct ms_followed_look *look)
{
	struct ms_error *err = NULL;

	(void)context;
	f.looks++;
	if (f.rt.layout->maps == MS_GO_MAPS_CLASSIC) {
		if (!look->is_first)
			err = ms_growth_steps_classic(f.rt.layout, map, look->now, step_keep,
						      &f.made);
		return err ? err : ms_evacuations_look(&f.evacuations, map, look, 8);
	}
	if (look->is_first)
		return NULL;
	err = ms_growth_steps_swiss(map, look->now, step_keep, &f.made);
	if (!err && look->tables)
		err = ms_growth_steps_tables(map, look->tables, step_keep, &f.made);
	return err;
}

static void put(uint32_t offset, uint64_t value, size_t size)
{
	memcpy(f.header + offset, &value, size);
}

static void begin(const struct ms_go_layout *layout)
{
	memset(&f, 0, sizeof(f));
	CHECK(layout != NULL);
	f.rt.layout = layout;
	f.rt.target = &f.fake.target;
	f.rt.allspans = RUNTIME + layout->mheap_sweepgen_to_allspans;
	CHECK(layout->mheap_sweepgen_to_allspans < RUNTIME_BYTES);
	fake_target_init(&f.fake);
	fake_target_map(&f.fake, MAP, f.header, sizeof(f.header), MS_REGION_ANON, MS_PROT_READ);
	fake_target_map(&f.fake, RUNTIME, f.runtime, sizeof(f.runtime), MS_REGION_ANON,
			MS_PROT_READ);
	memset(f.buckets, 0x20, sizeof(f.buckets)); // Full buckets.
	fake_target_map(&f.fake, BUCKETS, f.buckets, sizeof(f.buckets), MS_REGION_ANON,
			MS_PROT_READ);
	ms_followed_init(&f.followed, &f.rt);
	CHECK(ms_followed_add(&f.followed, MAP) != NULL);
	clock_s = 1;
}

static void end(void)
{
	ms_evacuations_deinit(&f.evacuations);
	ms_followed_deinit(&f.followed);
	ms_regions_deinit(&f.rt.regions);
	fake_target_deinit(&f.fake);
}

/** The table at @p table begins with so many filled slots. */
static void filled(ms_addr table, unsigned count, uint8_t empty)
{
	memset(f.buckets + (table - BUCKETS), empty, 8);
	memset(f.buckets + (table - BUCKETS), 0x20, count);
}

/** Read it now; true when the look was taken. */
static bool look(void)
{
	size_t before = f.looks;

	ms_followed_hurry(&f.followed, ms_followed_find(&f.followed, MAP));
	clock_s += 0.001;
	CHECK_OK(ms_followed_round(&f.followed, clock_of, look_take, NULL));
	clock_s += 0.001;
	return f.looks > before;
}

// --- Classic maps. ---

struct header {
	uint64_t count;
	uint8_t log2;
	ms_addr buckets, old;
	uint64_t moved;
	bool same_size;
	uint32_t seed; // 0: SEED.
};

static void classic(struct header h)
{
	const struct ms_go_layout *l = f.rt.layout;

	put(l->hmap_count, h.count, 8);
	put(l->hmap_flags, h.same_size ? 8 : 0, 1);
	put(l->hmap_bucket_log2, h.log2, 1);
	put(l->hmap_seed, h.seed ? h.seed : SEED, 4);
	put(l->hmap_buckets, h.buckets, 8);
	put(l->hmap_oldbuckets, h.old, 8);
	put(l->hmap_nevacuate, h.moved, 8);
}

/** A census finds the map. */
static void confirm(uint64_t entries, unsigned log2)
{
	ms_followed_confirm(&f.followed, ms_followed_find(&f.followed, MAP), 8u << log2, entries,
			    8);
}

static void begin_classic(struct header h)
{
	begin(ms_go_layout_find(MS_GO_PATCH(1, 23, 12), MS_ARCH_AMD64, 0));
	classic(h);
	confirm(h.count, h.log2);
	CHECK(look());
	CHECK_EQ(f.made.count, 0); // What was before is not known.
}

static void check_step(size_t at, enum ms_growth_event_kind kind, uint64_t from, uint64_t to,
		       uint64_t entries)
{
	const struct ms_growth_step *s = &f.made.items[at];

	CHECK(at < f.made.count);
	CHECK_EQ(s->kind, kind);
	CHECK_EQ(s->from, from);
	CHECK_EQ(s->to, to);
	CHECK_EQ(s->entries, entries);
	CHECK_EQ(s->capacity, from);
	CHECK_EQ(s->one_of_several, f.made.count > 1);
}

MS_TEST(polls_see_one_doubling)
{
	begin_classic((struct header){ .count = 400, .log2 = 6, .buckets = 0x1000 });
	classic((struct header){ 417, 7, 0x2000, 0x1000, 3, false, 0 });
	CHECK(look());
	CHECK_EQ(f.made.count, 1);
	check_step(0, MS_GROWTH_EVENT_DOUBLE, 512, 1024, 416);
	CHECK_EQ(f.followed.growing, 1);
	classic((struct header){ 450, 7, 0x2000, 0, 64, false, 0 });
	CHECK(look());
	CHECK_EQ(f.made.count, 1);
	CHECK_EQ(f.followed.growing, 0);
	end();
}

/** A rebuild may have come between: what it began with is not certain. */
MS_TEST(polls_are_not_certain_of_a_doubling_that_has_ended)
{
	begin_classic((struct header){ .count = 400, .log2 = 6, .buckets = 0x1000 });
	classic((struct header){ 500, 7, 0x2000, 0, 64, false, 0 });
	CHECK(look());
	check_step(0, MS_GROWTH_EVENT_DOUBLE, 512, 1024, MS_UNKNOWN);
	end();
}

MS_TEST(polls_see_doublings_between_two_looks)
{
	begin_classic((struct header){ .count = 8, .log2 = 0, .buckets = 0x1000 });
	classic((struct header){ 60, 4, 0x9000, 0x8000, 1, false, 0 });
	CHECK(look());
	CHECK_EQ(f.made.count, 4);
	for (size_t i = 0; i < 4; i++)
		check_step(i, MS_GROWTH_EVENT_DOUBLE, 8u << i, 16u << i, MS_UNKNOWN);
	end();
}

MS_TEST(polls_see_rebuilds)
{
	begin_classic((struct header){ .count = 100, .log2 = 6, .buckets = 0x1000 });
	classic((struct header){ 101, 6, 0x2000, 0x1000, 1, true, 0 });
	CHECK(look());
	CHECK_EQ(f.made.count, 1);
	check_step(0, MS_GROWTH_EVENT_SAME_SIZE, 512, 512, MS_UNKNOWN);
	f.made.count = 0;
	classic((struct header){ 101, 6, 0x4000, 0x3000, 1, true, 0 }); // And two more.
	CHECK(look());
	CHECK_EQ(f.made.count, 2);
	check_step(1, MS_GROWTH_EVENT_SAME_SIZE, 512, 512, MS_UNKNOWN);
	f.made.count = 0;
	classic((struct header){ 500, 7, 0x6000, 0x5000, 1, false, 0 }); // Rebuilt, then doubled.
	CHECK(look());
	CHECK_EQ(f.made.count, 2);
	check_step(0, MS_GROWTH_EVENT_SAME_SIZE, 512, 512, MS_UNKNOWN);
	check_step(1, MS_GROWTH_EVENT_DOUBLE, 512, 1024, MS_UNKNOWN);
	end();
}

/** The first bucket of a map is no growth. */
MS_TEST(polls_see_no_growth_in_a_first_bucket)
{
	begin_classic((struct header){ 0 });
	filled(0x1000, 1, 0);
	classic((struct header){ .count = 1, .buckets = 0x1000 });
	CHECK(look());
	CHECK_EQ(f.made.count, 0);
	end();
}

/** The stores of hashGrow, one by one: each state between them is passed over. */
MS_TEST(polls_pass_over_torn_headers)
{
	const struct header torn[] = {
		{ 417, 7, 0x1000, 0, 0, false, 0 },      // B.
		{ 417, 6, 0x1000, 0, 0, true, 0 },       // A flag.
		{ 417, 7, 0x1000, 0x1000, 0, false, 0 }, // Old buckets.
		{ 417, 6, 0x1000, 0x0800, 0, false, 0 }, // Old buckets of nothing.
	};

	begin_classic((struct header){ .count = 416, .log2 = 6, .buckets = 0x1000 });
	for (size_t i = 0; i < MS_ARRAY_SIZE(torn); i++) {
		bool taken;

		classic(torn[i]);
		taken = look();
		CHECK(i == 1 || !taken); // A flag alone says nothing yet.
		CHECK_EQ(f.made.count, 0);
		CHECK_EQ(f.followed.growing, 0);
	}
	classic((struct header){ 417, 7, 0x2000, 0x1000, 0, false, 0 });
	CHECK(look());
	check_step(0, MS_GROWTH_EVENT_DOUBLE, 512, 1024, 416);
	end();
}

/** Another map at this address: its growths were not seen, and the name is not its own. */
MS_TEST(polls_begin_anew_with_another_map)
{
	begin_classic((struct header){ .count = 400, .log2 = 6, .buckets = 0x1000 });
	ms_followed_find(&f.followed, MAP)->owner = "main.orders";
	classic((struct header){ 400, 6, 0x1000, 0, 0, false, SEED + 1 }); // Cleared and refilled.
	CHECK(look());
	classic((struct header){ 417, 7, 0x2000, 0x1000, 1, false, SEED + 2 }); // Its old table.
	CHECK(look());
	CHECK_EQ(f.made.count, 1);
	CHECK_STR(ms_followed_find(&f.followed, MAP)->owner, "main.orders");
	filled(0x3000, 3, 0);
	classic((struct header){ 3, 0, 0x3000, 0, 0, false, SEED + 3 });
	CHECK(look()); // A small one is borne out by its tags.
	CHECK_EQ(f.made.count, 1);
	CHECK_EQ(f.followed.growing, 0);
	CHECK(ms_followed_find(&f.followed, MAP)->owner == NULL);
	end();
}

/** What looks like a larger map is none until a census finds one there. */
MS_TEST(polls_leave_what_may_be_no_map)
{
	begin_classic((struct header){ .count = 400, .log2 = 6, .buckets = 0x1000 });
	for (unsigned i = 1; i < 40; i++) {
		classic((struct header){ 90, (uint8_t)(5 + i % 5), 0x2000 + i * 8, 0, 0, false,
					 SEED + i });
		if (ms_followed_find(&f.followed, MAP)->is_parked)
			break;
		CHECK(!look());
	}
	CHECK(ms_followed_find(&f.followed, MAP)->is_parked);
	CHECK_EQ(f.made.count, 0);
	classic((struct header){ 90, 5, 0x2000, 0, 0, false, SEED });
	confirm(90, 5);
	CHECK(look());
	classic((struct header){ 209, 6, 0x3000, 0x2000, 1, false, SEED });
	CHECK(look());
	CHECK_EQ(f.made.count, 1);
	end();
}

/** From nothing to many buckets between two looks: growth has left its mark. */
MS_TEST(polls_follow_a_map_from_nothing_on)
{
	begin_classic((struct header){ 0 });
	classic((struct header){ 400, 6, 0x2000, 0, 0, false, 0 }); // It never grew, so it is none.
	CHECK(!look());
	classic((struct header){ 400, 6, 0x2000, 0, 32, false, 0 });
	CHECK(look());
	CHECK_EQ(f.made.count, 6);
	check_step(0, MS_GROWTH_EVENT_DOUBLE, 8, 16, MS_UNKNOWN);
	check_step(5, MS_GROWTH_EVENT_DOUBLE, 256, 512, MS_UNKNOWN);
	end();
}

/** A header whose table does not begin with tags is a dead map's, or a torn one. */
MS_TEST(polls_ask_the_table)
{
	begin_classic((struct header){ .count = 400, .log2 = 6, .buckets = 0x1000 });
	filled(0x2000, 3, 4); // Tags of an emptied bucket.
	classic((struct header){ 417, 7, 0x2000, 0, 64, false, 0 });
	CHECK(!look());
	filled(0x2000, 3, 0);
	CHECK(look());
	CHECK_EQ(f.made.count, 1);
	classic((struct header){ 850, 8, 0x7f0000000000, 0, 128, false, 0 }); // Nowhere.
	CHECK(!look());
	CHECK_EQ(f.made.count, 1);
	end();
}

/** One bucket is never rebuilt: it is another map, of another table. */
MS_TEST(polls_see_no_rebuild_of_one_bucket)
{
	begin_classic((struct header){ .count = 8, .buckets = 0x1000 });
	classic((struct header){ .count = 8, .buckets = 0x2000 });
	CHECK(look());
	CHECK_EQ(f.made.count, 0);
	end();
}

/** A map that rests is read ever less often, one that grows in every round. */
MS_TEST(polls_wait_for_maps_that_rest)
{
	size_t before;

	begin_classic((struct header){ .count = 400, .log2 = 6, .buckets = 0x1000 });
	before = f.looks;
	for (unsigned i = 0; i < 800; i++)
		CHECK_OK(ms_followed_round(&f.followed, clock_of, look_take, NULL));
	CHECK(f.looks - before >= 800 / MS_FOLLOWED_REST && f.looks - before <= 110);
	classic((struct header){ 417, 7, 0x2000, 0x1000, 3, false, 0 });
	CHECK(look());
	before = f.looks;
	for (unsigned i = 0; i < 100; i++)
		CHECK_OK(ms_followed_round(&f.followed, clock_of, look_take, NULL));
	CHECK_EQ(f.looks - before, 100);
	end();
}

// --- Evacuations. ---

static void event_put(struct ms_trace_report *r, double time_s, double earliest_s)
{
	const struct ms_growth_event e = { .time_s = time_s,
					   .earliest_s = earliest_s,
					   .map = MAP,
					   .kind = MS_GROWTH_EVENT_DOUBLE,
					   .from_bytes = 1000,
					   .to_bytes = 2000,
					   .duration_s = NAN,
					   .duration_error_s = NAN,
					   .together_bytes = MS_UNKNOWN };

	if (r->event_count == r->event_capacity)
		CHECK(ms_vec_reserve_raw((void **)&r->events, &r->event_capacity,
					 r->event_count + 1, sizeof(e)));
	r->events[r->event_count++] = e;
}

/** Events of probes come late, and the evacuation waits for its own: the last before it was seen.
 */
MS_TEST(polls_bracket_an_evacuation)
{
	struct ms_trace_report r = { 0 };
	double rest, seen, last, gone;

	begin_classic((struct header){ .count = 400, .log2 = 6, .buckets = 0x1000 });
	rest = clock_s;
	classic((struct header){ 417, 7, 0x2000, 0x1000, 3, false, 0 });
	CHECK(look());
	seen = clock_s;
	CHECK(look());
	last = clock_s - 0.001;
	classic((struct header){ 450, 7, 0x2000, 0, 64, false, 0 });
	CHECK(look());
	gone = clock_s;
	CHECK_EQ(f.evacuations.count, 1);
	ms_evacuations_settle(&f.evacuations, &r, clock_s, 1);
	CHECK_EQ(f.evacuations.count, 1); // Its event may still come.
	event_put(&r, 0.5, 0.5);
	event_put(&r, rest + 0.0002, rest + 0.0002);
	r.events[1].table = 0x3000; // An earlier growth: its own is not here yet.
	ms_evacuations_settle(&f.evacuations, &r, clock_s, 1);
	CHECK_EQ(f.evacuations.count, 1);
	r.event_count--;
	event_put(&r, rest + 0.0005, rest + 0.0005);
	r.events[1].table = 0x1000;
	event_put(&r, gone + 5, gone + 5); // The next growth.
	ms_evacuations_settle(&f.evacuations, &r, clock_s, 1);
	CHECK_EQ(f.evacuations.count, 0);
	CHECK(isnan(r.events[0].duration_s) && isnan(r.events[2].duration_s));
	CHECK_EQ(r.events[1].together_bytes, 3000);
	CHECK(r.events[1].duration_s - r.events[1].duration_error_s <= last - rest);
	CHECK(r.events[1].duration_s + r.events[1].duration_error_s >= gone - seen);
	CHECK(fabs(r.events[1].duration_s - 0.004) < 0.0021);
	CHECK(r.events[1].duration_error_s > 0.0005 && r.events[1].duration_error_s < 0.003);
	free(r.events);
	end();
}

/** The one that was under way when the trace began belongs to no event of it. */
MS_TEST(polls_forget_an_evacuation_from_before)
{
	struct ms_trace_report r = { 0 };

	begin_classic((struct header){ 417, 7, 0x2000, 0x1000, 3, false, 0 });
	event_put(&r, 0.5, 0.5);
	classic((struct header){ 450, 7, 0x2000, 0, 64, false, 0 });
	CHECK(look());
	CHECK_EQ(f.evacuations.count, 0);
	CHECK(isnan(r.events[0].duration_s));
	free(r.events);
	end();
}

// --- Swiss tables. ---

/** Tables as the runtime has them: a tree by hash bits, in a directory. */
struct model {
	uint8_t tables[STEPS_MAX][64];
	uint8_t directory[2048 * 8];
	ms_addr directory_at;
	unsigned depth;
	size_t used;
	size_t doubled, split;
};

static struct model model;

static ms_addr table_new(uint64_t slots, unsigned depth)
{
	const struct ms_go_layout *l = f.rt.layout;
	uint8_t *raw = model.tables[model.used];
	uint64_t groups = 0xc001000000 + model.used * 4096, mask = slots / 8 - 1;

	CHECK(model.used < STEPS_MAX);
	memcpy(raw + l->table_capacity, &slots, 2);
	raw[l->table_local_depth] = (uint8_t)depth;
	memcpy(raw + l->table_groups, &groups, 8);
	memcpy(raw + l->table_length_mask, &mask, 8);
	return TABLES + model.used++ * 64;
}

static void directory_set(size_t first, size_t count, ms_addr table)
{
	for (size_t i = first; i < first + count; i++)
		memcpy(model.directory + i * 8, &table, 8);
}

/** The table that holds entry @p at grows as rehash would have it. */
static void model_grow(size_t at)
{
	const struct ms_go_layout *l = f.rt.layout;
	uint8_t *raw = model.tables[(ms_load_u64(model.directory + at * 8) - TABLES) / 64];
	unsigned depth = raw[l->table_local_depth];
	uint64_t slots = ms_load_u16(raw + l->table_capacity);
	size_t share = (size_t)1 << (model.depth - depth), first = at & ~(share - 1);

	if (slots < 1024) {
		directory_set(first, share, table_new(slots * 2, depth));
		model.doubled++;
		return;
	}
	if (share == 1) { // The directory doubles first.
		for (size_t i = (size_t)1 << model.depth; i-- > 0;)
			directory_set(i * 2, 2, ms_load_u64(model.directory + i * 8));
		model.depth++;
		first *= 2;
		share = 2;
	}
	directory_set(first, share / 2, table_new(1024, depth + 1));
	directory_set(first + share / 2, share / 2, table_new(1024, depth + 1));
	model.split++;
}

static void swiss_header(uint64_t used, ms_addr table, uint64_t len, unsigned depth)
{
	const struct ms_go_layout *l = f.rt.layout;

	put(l->map_used, used, 8);
	put(l->map_seed, SEED, 8);
	put(l->map_dir_ptr, table, 8);
	put(l->map_dir_len, len, 8);
	put(l->map_global_depth, depth, 1);
	put(l->map_global_shift, len ? 64 - depth : 0, 1);
}

static void begin_swiss(void)
{
	begin(ms_go_layout_find(MS_GO_PATCH(1, 24, 13), MS_ARCH_AMD64, MS_GO_EXP_SWISS));
	memset(&model, 0, sizeof(model));
	fake_target_map(&f.fake, TABLES, model.tables, sizeof(model.tables), MS_REGION_ANON,
			MS_PROT_READ);
	fake_target_map(&f.fake, DIRECTORIES, model.directory, sizeof(model.directory),
			MS_REGION_ANON, MS_PROT_READ);
}

static size_t count_of(enum ms_growth_event_kind kind)
{
	size_t count = 0;

	for (size_t i = 0; i < f.made.count; i++)
		count += f.made.items[i].kind == kind;
	return count;
}

/** From nothing on, however many growths lie between two looks: all of them, by kind. */
MS_TEST(polls_count_growths_of_tables)
{
	begin_swiss();
	swiss_header(0, 0, 0, 0);
	CHECK(look());
	swiss_header(3, BUCKETS, 0, 0);
	CHECK(!look()); // Its group has no such entries.
	filled(BUCKETS, 3, 0x80);
	CHECK(look());
	CHECK_EQ(count_of(MS_GROWTH_EVENT_TO_SMALL), 1);
	directory_set(0, 1, table_new(16, 0));
	for (unsigned round = 1; model.used < 1500; round++) {
		for (uint64_t n = ms_test_random() % (round % 3 ? 3 : 40); n-- > 0;)
			model_grow(ms_test_random() % ((size_t)1 << model.depth));
		if (model.depth > 9)
			break;
		swiss_header(10 + round, DIRECTORIES, (uint64_t)1 << model.depth, model.depth);
		CHECK(look());
		CHECK_EQ(count_of(MS_GROWTH_EVENT_TO_TABLE), 1);
		CHECK_EQ(count_of(MS_GROWTH_EVENT_DOUBLE), model.doubled);
		CHECK_EQ(count_of(MS_GROWTH_EVENT_SPLIT), model.split);
	}
	CHECK_EQ(model.doubled, 6); // Only the first table was ever below 1,024 slots.
	CHECK(model.split > 20);
	end();
}

/** A directory in which a split is half written is looked at again, and nothing is lost. */
MS_TEST(polls_pass_over_a_directory_being_written)
{
	ms_addr left, right;

	begin_swiss();
	model.depth = 3;
	directory_set(0, 8, table_new(1024, 0));
	swiss_header(500, DIRECTORIES, 8, 3);
	CHECK(look());
	left = table_new(1024, 1);
	right = table_new(1024, 1);
	for (size_t written = 1; written < 8; written++) {
		directory_set(written - 1, 1, written <= 4 ? left : right);
		swiss_header(500 + written, DIRECTORIES, 8, 3);
		CHECK(look());
		CHECK_EQ(f.made.count, 0);
	}
	directory_set(7, 1, right);
	swiss_header(600, DIRECTORIES, 8, 3);
	CHECK(look());
	CHECK_EQ(f.made.count, 1);
	check_step(0, MS_GROWTH_EVENT_SPLIT, 1024, 2048, MS_UNKNOWN);
	end();
}

// --- A whole trace. ---

static double now(void *context)
{
	(void)context;
	return clock_s;
}

static void sleep_until(void *context, double when)
{
	(void)context;
	clock_s = fmax(clock_s, when) + 1e-4;
}

static const struct ms_trace_options options = {
	.seconds = 2, // With a further census.
	.no_probes = true,
	.small_growths = true,
	.migrations = true,
	.now = now,
	.sleep_until = sleep_until,
};

/** Nothing grows in a recording, whatever was caught half grown there. */
static void check_nothing_grew(const struct ms_trace_report *r)
{
	CHECK_EQ(r->source, MS_TRACE_POLLING);
	CHECK_EQ(r->event_count, 0);
	CHECK_EQ(r->counted, 0);
	CHECK_EQ(r->to_small, 0);
}

/** What the program says of its half-grown maps is what is told of them, exactly. */
static void check_migrations(const struct ms_trace_report *r, const struct truth *truth)
{
	size_t checked = 0;

	for (size_t i = 0; i < truth->maps.count; i++) {
		const struct truth_map *map = &truth->maps.items[i];
		uint64_t total = MS_UNKNOWN, rows = 0, keys = 0;

		if (!map->growing)
			continue;
		for (size_t k = 0; k < r->migration_count; k++) {
			const struct ms_migration *m = &r->migrations[k];

			if (m->map != map->address)
				continue;
			CHECK_EQ(m->of, map->grows_from / 8);
			if (m->bucket == MS_UNKNOWN) {
				CHECK_EQ(total, MS_UNKNOWN); // It stands still: told once.
				total = m->moved;
				continue;
			}
			rows++;
			keys += m->keys_x + m->keys_y;
			CHECK(m->bucket < m->of && m->to_x == m->bucket);
			CHECK_EQ(m->to_y, map->same_size ? MS_UNKNOWN : m->bucket + m->of);
		}
		CHECK(total != MS_UNKNOWN && total >= map->evacuated);
		CHECK(total <= map->grows_from / 8);
		CHECK(rows == 0 || rows == total);
		CHECK(keys <= map->entries);
		checked++;
	}
	CHECK(checked > 10);
}

static void trace_recording(const char *name, bool classic_maps)
{
	struct ms_target *t = recording_open(name);
	struct ms_census_report census;
	struct ms_trace_report report;
	struct ms_go_runtime *rt;
	struct truth truth;

	truth_load(name, &truth);
	clock_s = 100;
	CHECK_OK(ms_go_open(t, NULL, &rt));
	CHECK_OK(ms_census_run(rt, &(struct ms_census_options){ 0 }, &census));
	CHECK_OK(ms_trace_run(rt, &census, &options, &report));
	check_nothing_grew(&report);
	CHECK(report.followed > 100 && report.polls > report.followed);
	if (classic_maps)
		check_migrations(&report, &truth);
	else
		CHECK_CONTAINS(report.migrations_unknown, "no old array");
	ms_trace_report_deinit(&report);
	ms_census_report_deinit(&census);
	truth_deinit(&truth);
	ms_go_close(rt);
	ms_target_destroy(t);
}

MS_TEST(polls_of_a_recording_of_go_1_19)
{
	trace_recording("go1.19.4", true);
}

MS_TEST(polls_of_a_recording_of_go_1_23)
{
	trace_recording("go1.23.12", true);
}

MS_TEST(polls_of_a_recording_of_swiss_maps)
{
	trace_recording("go1.27.4", false);
}

enum { FAULTS = 25 }; // Spread over all operations.

/** Whichever read fails, once or for ever: no growth is made up. */
static void trace_with_faults(const char *name)
{
	const struct ms_fault_plan none = { MS_FAULT_ANY, UINT64_MAX, MS_FAULT_FAULT,
					    MS_FAULT_ONCE };
	struct ms_target *recording = recording_open(name), *fault;
	struct ms_trace_options brief = options;
	struct ms_trace_report report;
	struct ms_go_runtime *rt;
	uint64_t operations;

	CHECK_OK(ms_fault_create(recording, &none, &fault));
	CHECK_OK(ms_go_open(fault, NULL, &rt));
	ms_fault_restart(fault, &none);
	clock_s = 100;
	brief.seconds = 1; // It takes a census of its own.
	CHECK_OK(ms_trace_run(rt, NULL, &brief, &report));
	CHECK(report.followed > 100);
	ms_trace_report_deinit(&report);
	operations = ms_fault_count(fault);
	CHECK(operations > 500);
	for (uint64_t n = 0; n < operations; n += operations / FAULTS + 1) {
		struct ms_fault_plan plan = { MS_FAULT_ANY, n,
					      n % 2 ? MS_FAULT_FAULT : MS_FAULT_GONE,
					      n % 3 ? MS_FAULT_ONCE : MS_FAULT_STICKY };
		struct ms_error *err;

		printf("operation %" PRIu64 "\n", n);
		ms_fault_restart(fault, &plan);
		err = ms_trace_run(rt, NULL, &brief, &report);
		if (!err) {
			check_nothing_grew(&report);
			CHECK(plan.kind != MS_FAULT_GONE || report.partial ||
			      ms_fault_count(fault) <= n);
			ms_trace_report_deinit(&report);
		}
		ms_error_free(err);
	}
	ms_go_close(rt);
	ms_target_destroy(fault);
	ms_target_destroy(recording);
}

MS_TEST(polls_with_faults_in_classic_maps)
{
	trace_with_faults("go1.20.14");
}

MS_TEST(polls_with_faults_in_swiss_maps)
{
	trace_with_faults("go1.26.11");
}
