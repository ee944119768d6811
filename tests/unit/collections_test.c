// Goal: collections are counted where the runtime counts them, or not at all.
// Method: find them in every recording, then once more with each fact wrong by a word; then a
// made-up collector of every row that begins with none, collects many at once, and is caught
// half-way.
#include "golang/collections.h"

#include "golang/spans.h"
#include "tests/support/fake_collector.h"
#include "tests/support/recordings.h"
#include "tests/support/test.h"

struct recorded {
	struct ms_target *target;
	struct ms_go_runtime *rt;
	uint64_t in_use_bytes;
};

static struct recorded recorded_open(const char *name)
{
	struct recorded r = { .target = recording_open(name) };
	struct ms_spans spans;

	CHECK_OK(ms_go_open(r.target, NULL, &r.rt));
	CHECK_OK(ms_spans_load(r.rt, &spans));
	r.in_use_bytes = spans.in_use_bytes;
	ms_spans_deinit(&spans);
	return r;
}

static void recorded_close(struct recorded *r)
{
	ms_go_close(r->rt);
	ms_target_destroy(r->target);
}

static struct ms_go_collections_now recorded_read(const struct recorded *r,
						  struct ms_go_collections *ret_collections)
{
	struct ms_go_collections_now now;

	CHECK_OK(ms_go_collections_find(r->rt, r->in_use_bytes, ret_collections));
	CHECK_OK(ms_go_collections_read(ret_collections, &now));
	return now;
}

/** The recorded program forced two collections, and was at rest behind them. */
static void check_recording(const char *name)
{
	struct recorded r = recorded_open(name);
	struct ms_go_collections c;
	struct ms_go_collections_now now = recorded_read(&r, &c);
	struct ms_go_pause pauses[2];

	CHECK_EQ(now.ended, 2);
	CHECK_EQ(now.forced, 2);
	CHECK(now.cpu_share > 0 && now.cpu_share < 1);
	CHECK(now.has_pacer && now.has_times && !now.is_marking && now.has_cycle);
	CHECK_OK(ms_go_collections_pauses(&c, 2, 2, pauses));
	CHECK(pauses[0].end_unix_ns < pauses[1].end_unix_ns);
	CHECK_EQ(now.cycle.pause_ns, (int64_t)pauses[1].pause_ns);
	// The stops are the phases before and behind marking; it says so from the decision on.
	CHECK(now.cycle.pause_ns <=
	      now.cycle.mark_ns - now.cycle.start_ns + now.cycle.end_ns - now.cycle.mark_end_ns);
	CHECK(now.cycle.heap_start_bytes <= now.cycle.heap_end_bytes);
	CHECK(now.cycle.heap_marked_bytes < now.cycle.heap_end_bytes);
	CHECK_EQ(now.cycle.procs, 2);
	CHECK_EQ(now.cycle.stop_procs, 2);
	CHECK_EQ(ms_go_pacer_goal(&now.pacer, 0), 4 << 20);
	CHECK_EQ(now.pacer.last_goal_bytes, 4 << 20);
	CHECK(now.pacer.dedicated_ns + now.pacer.fractional_ns > 0);
	ms_go_collections_deinit(&c);
	recorded_close(&r);
}

MS_TEST(collections_in_every_recording)
{
	static struct recording_names names;

	recordings_list(&names);
	for (size_t i = 0; i < names.count; i++)
		check_recording(names.items[i]);
}

/** Facts whose error has to be noticed, each by something that is said in two places. */
static const size_t facts[] = {
	offsetof(struct ms_go_layout, mstats_last_gc_unix),
	offsetof(struct ms_go_layout, mstats_pause_total),
	offsetof(struct ms_go_layout, mstats_pauses),
	offsetof(struct ms_go_layout, mstats_pause_ends),
	offsetof(struct ms_go_layout, mstats_numgc),
	offsetof(struct ms_go_layout, mstats_cpu_fraction),
	offsetof(struct ms_go_layout, mstats_last_gc_clock),
	offsetof(struct ms_go_layout, gc_percent),
	offsetof(struct ms_go_layout, gc_heap_minimum),
	offsetof(struct ms_go_layout, gc_heap_marked),
	offsetof(struct ms_go_layout, gc_mark_start),
};

/** With a wrong fact nothing is found, or nothing is said of the last cycle. */
static void check_wrong(struct recorded *r, const char *name, size_t fact, int by)
{
	const struct ms_go_layout *right = r->rt->layout;
	struct ms_go_layout wrong = *right;
	struct ms_go_collections c;
	struct ms_go_collections_now now = { 0 };
	uint32_t *offset = (uint32_t *)((uint8_t *)&wrong + fact);
	struct ms_error *err;

	if (by < 0 && *offset < (uint32_t)-by)
		return;
	*offset += (uint32_t)by;
	r->rt->layout = &wrong;
	err = ms_go_collections_find(r->rt, r->in_use_bytes, &c);
	if (!err) {
		err = ms_go_collections_read(&c, &now);
		ms_go_collections_deinit(&c);
	}
	if (!err && (now.has_cycle || now.is_marking))
		ms_test_fail(__FILE__, __LINE__, "%s: the fact at %zu, %d off, went unnoticed",
			     name, fact, by);
	if (err)
		CHECK(ms_error_code(err) == MS_ERR_BAD_DATA || ms_error_code(err) == MS_ERR_FAULT);
	ms_error_free(err);
	r->rt->layout = right;
}

MS_TEST(collections_with_a_fact_wrong_by_a_word)
{
	static struct recording_names names;

	recordings_list(&names);
	for (size_t i = 0; i < names.count; i++) {
		struct recorded r = recorded_open(names.items[i]);

		for (size_t k = 0; k < MS_ARRAY_SIZE(facts); k++) {
			check_wrong(&r, names.items[i], facts[k], 8);
			check_wrong(&r, names.items[i], facts[k], -8);
		}
		recorded_close(&r);
	}
}

static const int64_t MS = 1000000;
static const uint64_t WALL = 1795000000000000000;

static struct fake_cycle cycle_at(int64_t start_ns)
{
	return (struct fake_cycle){
		.start_ns = start_ns,
		.mark_ns = start_ns + 20000,
		.mark_end_ns = start_ns + MS,
		.end_ns = start_ns + MS + 10000,
		.end_unix_ns = WALL + (uint64_t)start_ns,
		.heap_start_bytes = 6 << 20,
		.heap_end_bytes = 7 << 20,
		.heap_marked_bytes = 3 << 20,
	};
}

static void check_layout(const struct ms_go_layout *l)
{
	static struct fake_collector fake;
	struct ms_go_collections c;
	struct ms_go_collections_now now, before;
	struct ms_go_pause pauses[MS_GO_PAUSES];
	uint64_t count, pause_ns;

	fake_collector_init(&fake, l);
	CHECK_OK(ms_go_collections_find(&fake.rt, 8 << 20, &c));
	CHECK_OK(ms_go_collections_read(&c, &before));
	CHECK_EQ(before.ended, 0);
	CHECK(before.has_pacer && !before.has_times && !before.is_marking && !before.has_cycle);
	CHECK_EQ(ms_go_pacer_goal(&before.pacer, 0), 4 << 20);

	fake_collector_cycle(&fake, cycle_at(100 * MS)); // The first: now it can be found.
	CHECK_OK(ms_go_collections_read(&c, &now));
	CHECK_EQ(now.ended, 1);
	CHECK(now.has_cycle && !now.is_marking);
	CHECK_EQ(now.cycle.heap_start_bytes, 6 << 20);
	CHECK_EQ(now.cycle.heap_end_bytes, 7 << 20);
	CHECK_EQ(now.cycle.pause_ns, 30000);
	CHECK_EQ(now.cycle.stop_procs, 2);
	CHECK_EQ(now.cycle.procs, 4);
	CHECK_OK(ms_go_collections_since(&c, &before, &count, &pause_ns));
	CHECK_EQ(count, 1);
	CHECK_EQ(pause_ns, 30000);

	fake_collector_begin(&fake, 200 * MS);
	CHECK_OK(ms_go_collections_read(&c, &now));
	CHECK(now.is_marking && !now.has_cycle); // What was of the last is not there any more.
	for (int i = 0; i < 255; i++)
		fake_collector_cycle(&fake, cycle_at((200 + 10 * i) * MS));
	CHECK_OK(ms_go_collections_pauses(&c, 256, 256, pauses));
	CHECK_EQ(pauses[0].end_unix_ns, WALL + (uint64_t)(100 * MS));
	CHECK_EQ(pauses[255].end_unix_ns, WALL + (uint64_t)(2740 * MS));
	fake_collector_cycle(&fake, cycle_at(3000 * MS)); // Takes the first one's place.
	CHECK_OK(ms_go_collections_pauses(&c, 257, 256, pauses));
	CHECK_EQ(pauses[0].end_unix_ns, WALL + (uint64_t)(200 * MS));
	CHECK_EQ(pauses[255].end_unix_ns, WALL + (uint64_t)(3000 * MS));
	CHECK_OK(ms_go_collections_since(&c, &before, &count, &pause_ns));
	CHECK_EQ(count, 256);
	CHECK_EQ(pause_ns, 256 * 30000);
	for (int i = 0; i < 257; i++)
		fake_collector_cycle(&fake, cycle_at((4000 + 10 * i) * MS));
	CHECK_OK(ms_go_collections_since(&c, &before, &count, &pause_ns));
	CHECK_EQ(count, 257);
	CHECK_EQ(pause_ns, MS_UNKNOWN);
	ms_go_collections_deinit(&c);

	CHECK_OK(ms_go_collections_find(&fake.rt, 8 << 20, &c)); // With a ring that is full.
	CHECK_OK(ms_go_collections_read(&c, &now));
	CHECK_EQ(now.ended, 514);
	CHECK(now.has_cycle);
	ms_go_collections_deinit(&c);
	fake_collector_deinit(&fake);
}

MS_TEST(collections_of_every_row)
{
	for (size_t i = 0; i < ms_go_layout_count(); i++)
		check_layout(ms_go_layout_at(i));
}

/** Bytes of the last cycle, one after the other, that make it a cycle of which nothing is said. */
MS_TEST(collections_cycle_that_does_not_agree)
{
	static const size_t at[] = { 0, 16, 40, 48, 72 }; // In work, from Go 1.22 on.
	static struct fake_collector fake;
	struct ms_go_collections c;
	struct ms_go_collections_now now;

	fake_collector_init(&fake, ms_go_layout_find(MS_GO(1, 24), MS_ARCH_AMD64, MS_GO_EXP_SWISS));
	fake_collector_cycle(&fake, cycle_at(100 * MS));
	CHECK_OK(ms_go_collections_find(&fake.rt, 8 << 20, &c));
	for (size_t i = 0; i < MS_ARRAY_SIZE(at); i++) {
		CHECK_OK(ms_go_collections_read(&c, &now));
		CHECK(now.has_cycle);
		fake.work[at[i]] ^= 1;
		CHECK_OK(ms_go_collections_read(&c, &now));
		CHECK(!now.has_cycle);
		CHECK_EQ(now.ended, 1);
		fake.work[at[i]] ^= 1;
	}
	fake.pacer[4] = 1; // Not a pacer any more: counts stay.
	CHECK_OK(ms_go_collections_read(&c, &now));
	CHECK(!now.has_pacer && !now.has_times && !now.has_cycle && !now.is_marking);
	CHECK_EQ(now.ended, 1);
	ms_go_collections_deinit(&c);
	fake_collector_deinit(&fake);
}

/** Two places, or none, is not known; and so is what cannot be read. */
MS_TEST(collections_that_cannot_be_found)
{
	static struct fake_collector fake;
	const struct ms_go_layout *l =
	    ms_go_layout_find(MS_GO(1, 24), MS_ARCH_AMD64, MS_GO_EXP_SWISS);
	struct ms_go_collections c = { 0 };
	struct ms_go_collections_now now = { 0 };

	fake_collector_init(&fake, l);
	fake_collector_cycle(&fake, cycle_at(100 * MS));
	fake_collector_cycle(&fake, cycle_at(200 * MS));
	fake.rt.modules[0].bss = fake.rt.modules[0].noptrbss; // The same range twice.
	fake.rt.modules[0].ebss = fake.rt.modules[0].enoptrbss;
	CHECK_ERR(ms_go_collections_find(&fake.rt, 8 << 20, &c), MS_ERR_BAD_DATA);
	fake.rt.modules[0].ebss = fake.rt.modules[0].bss;
	fake.memstats[l->mstats_pause_total] ^= 1;
	CHECK_ERR(ms_go_collections_find(&fake.rt, 8 << 20, &c), MS_ERR_BAD_DATA);
	CHECK(!c.bytes);
	fake.memstats[l->mstats_pause_total] ^= 1;
	CHECK_OK(ms_go_collections_find(&fake.rt, 8 << 20, &c));
	fake_target_unmap(&fake.target, 0x600000);
	CHECK_ERR(ms_go_collections_read(&c, &now), MS_ERR_FAULT);
	CHECK_EQ(now.ended, 0);
	ms_go_collections_deinit(&c);
	fake_collector_deinit(&fake);
}

/** One that never comes to its end is given up. */
MS_TEST(collections_first_cycle_that_does_not_end)
{
	static struct fake_collector fake;
	const struct ms_go_layout *l =
	    ms_go_layout_find(MS_GO(1, 24), MS_ARCH_AMD64, MS_GO_EXP_SWISS);
	struct ms_go_collections c = { 0 };
	struct ms_go_collections_now now = { 0 };
	struct ms_error *err = NULL;
	unsigned looks = 0;

	fake_collector_init(&fake, l);
	CHECK_OK(ms_go_collections_find(&fake.rt, 8 << 20, &c));
	fake_collector_cycle(&fake, cycle_at(100 * MS));
	fake.memstats[l->mstats_numgc] = 0; // It is about to be counted.
	for (; !err && looks < 1000; looks++)
		err = ms_go_collections_read(&c, &now);
	CHECK_ERR(err, MS_ERR_BAD_DATA);
	CHECK(looks > 10 && looks < 100);
	CHECK_EQ(now.ended, 0);
	ms_go_collections_deinit(&c);
	fake_collector_deinit(&fake);
}

/** False when the read numbered @p index, counted from here, was not reached. */
static bool check_with_failing_read(struct fake_collector *fake, unsigned index)
{
	struct ms_go_collections c = { 0 };
	struct ms_go_collections_now now = { 0 };
	uint64_t before = fake->target.reads, used;
	struct ms_error *err;

	fake_target_fail_read(&fake->target, before + index);
	err = ms_go_collections_find(&fake->rt, 8 << 20, &c);
	if (!err)
		err = ms_go_collections_read(&c, &now);
	used = fake->target.reads - before;
	if (err)
		CHECK(ms_error_code(err) == MS_ERR_FAULT || ms_error_code(err) == MS_ERR_BAD_DATA);
	CHECK_EQ(now.ended, err ? 0 : 2);
	CHECK(!now.has_cycle || now.cycle.start_ns == 200 * MS);
	ms_error_free(err);
	fake_target_fail_read(&fake->target, UINT64_MAX);
	if (c.bytes) {
		CHECK_OK(ms_go_collections_read(&c, &now));
		CHECK_EQ(now.ended, 2);
	}
	ms_go_collections_deinit(&c);
	return index < used;
}

/** Whichever read fails, nothing wrong is said, and the next look has it right. */
MS_TEST(collections_whatever_read_fails)
{
	static struct fake_collector fake;
	unsigned index = 0;

	fake_collector_init(&fake, ms_go_layout_find(MS_GO(1, 24), MS_ARCH_AMD64, MS_GO_EXP_SWISS));
	fake_collector_cycle(&fake, cycle_at(100 * MS));
	fake_collector_cycle(&fake, cycle_at(200 * MS));
	while (check_with_failing_read(&fake, index))
		index++;
	CHECK(index > 10);
	fake_collector_deinit(&fake);
}

/** A layout from DWARF may say anything. */
MS_TEST(collections_with_fields_far_apart_are_refused)
{
	static const uint32_t offsets[] = { 1 << 20, 1 << 30, UINT32_MAX - 7, UINT32_MAX };
	struct ms_go_layout l = *ms_go_layout_find(MS_GO(1, 24), MS_ARCH_AMD64, MS_GO_EXP_SWISS);

	CHECK(ms_go_memstats_bytes(&l) > 4096);
	for (size_t i = 0; i < MS_ARRAY_SIZE(offsets); i++) {
		l.mstats_pause_ends = offsets[i];
		CHECK_EQ(ms_go_memstats_bytes(&l), 0);
	}
}
