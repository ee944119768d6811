// Goal: what is told of old buckets is what evacuate did to them: once each, exact where the chain
// is known, "at least" where it was cleared, and nothing of one that is caught halfway.
// Method: an array with chains in a fake target, emptied by hand in the order of runtime/map.go,
// with looks between the steps.
#include "tests/support/fake_target.h"
#include "tests/support/test.h"
#include "trace/old_array.h"

#define ARRAY ((ms_addr)0xc000100000)
#define CHAINS ((ms_addr)0xc000200000)

enum {
	BUCKETS = 512,
	UNIT = 8 + 8 * 16 + 8,
	CHAINED = 2, // Overflow buckets of every fourth bucket.
	SWEEPGEN = 8,
	X = 2,
	Y = 3,
	EMPTY = 4,
};

struct fixture {
	struct fake_target fake;
	uint8_t array[BUCKETS * UNIT];
	uint8_t chains[BUCKETS * CHAINED * UNIT];
	struct ms_old_array old;
	struct ms_old_array_look look;
	uint64_t keys_x[BUCKETS], keys_y[BUCKETS]; // Moved by the test.
	struct ms_old_bucket told[BUCKETS];
	unsigned times[BUCKETS];
};

static struct fixture f;

static uint8_t *chain(uint64_t index, unsigned level)
{
	return level ? f.chains + (index * CHAINED + level - 1) * UNIT : f.array + index * UNIT;
}

static unsigned levels(uint64_t index)
{
	return index % 4 ? 1 : 1 + CHAINED;
}

static void link_set(uint64_t index, unsigned level)
{
	ms_addr next = CHAINS + (index * CHAINED + level) * UNIT;

	memcpy(chain(index, level) + UNIT - 8, &next, 8);
}

static void begin(bool has_pointers)
{
	memset(&f, 0, sizeof(f));
	for (uint64_t i = 0; i < BUCKETS; i++) {
		for (unsigned level = 0; level < levels(i); level++) {
			for (unsigned s = 0; s < 8; s++)
				chain(i, level)[s] = (uint8_t)(ms_test_random() % 3 ? 0x20 : 1);
			memset(chain(i, level) + 8, 0x55, UNIT - 16);
			if (level + 1 < levels(i))
				link_set(i, level);
		}
	}
	fake_target_init(&f.fake);
	fake_target_map(&f.fake, ARRAY, f.array, sizeof(f.array), MS_REGION_ANON, MS_PROT_READ);
	fake_target_map(&f.fake, CHAINS, f.chains, sizeof(f.chains), MS_REGION_ANON, MS_PROT_READ);
	CHECK_OK(
	    ms_old_array_init(&f.old, ARRAY, BUCKETS, (struct ms_map_unit){ UNIT, has_pointers }));
}

static void end(void)
{
	ms_old_array_look_deinit(&f.look);
	ms_old_array_deinit(&f.old);
	fake_target_deinit(&f.fake);
}

/** Move the entries of one bucket of a chain. */
static void tags_move(uint64_t index, unsigned level)
{
	uint8_t *tags = chain(index, level);

	for (unsigned i = 0; i < 8; i++) {
		bool to_y = ms_test_random() % 2;

		if (tags[i] < 5) {
			tags[i] = EMPTY;
			continue;
		}
		tags[i] = to_y ? Y : X;
		f.keys_x[index] += !to_y;
		f.keys_y[index] += to_y;
	}
}

static void empty(uint64_t index, bool clears)
{
	for (unsigned level = 0; level < levels(index); level++)
		tags_move(index, level);
	if (clears)
		memset(chain(index, 0) + 8, 0, UNIT - 8);
}

static void keep(void *context, const struct ms_old_bucket *bucket)
{
	(void)context;
	CHECK(bucket->index < BUCKETS);
	f.told[bucket->index] = *bucket;
	f.times[bucket->index]++;
}

/** One whole pass, in looks of @p bytes. */
static void pass(uint64_t bytes, uint32_t sweepgen)
{
	bool ended = false;

	while (!ended) {
		CHECK_OK(ms_old_array_read(&f.old, &f.fake.target, bytes, sweepgen, &f.look));
		CHECK_OK(ms_old_array_take(&f.old, &f.look, keep, NULL, &ended));
	}
}

static void check_exact(uint64_t index)
{
	CHECK_EQ(f.times[index], 1);
	CHECK(!f.told[index].at_least);
	CHECK_EQ(f.told[index].keys_x, f.keys_x[index]);
	CHECK_EQ(f.told[index].keys_y, f.keys_y[index]);
}

/** Without pointers nothing is cleared: all is exact, whenever it is looked at. */
MS_TEST(old_array_without_pointers_is_exact)
{
	begin(false);
	for (uint64_t i = 0; i < BUCKETS; i++) {
		empty(i * 7 % BUCKETS, false);
		if (i % 100 == 0)
			pass(1, SWEEPGEN + (uint32_t)i);
	}
	pass(1 << 20, SWEEPGEN);
	for (uint64_t i = 0; i < BUCKETS; i++)
		check_exact(i);
	CHECK_EQ(f.old.told_count, BUCKETS);
	pass(1 << 20, SWEEPGEN);
	CHECK_EQ(f.old.told_count, BUCKETS);
	end();
}

/** With pointers the links are cleared; what was seen before helps, as long as no sweep began. */
MS_TEST(old_array_with_pointers_remembers_links)
{
	begin(true);
	for (uint64_t i = 0; i < 100; i++)
		empty(i, true);
	pass(1 << 20, SWEEPGEN); // These were never seen before.
	for (uint64_t i = 0; i < 100; i++) {
		CHECK_EQ(f.times[i], 1);
		CHECK(f.told[i].at_least);
		CHECK(f.told[i].keys_x <= f.keys_x[i] && f.told[i].keys_y <= f.keys_y[i]);
	}
	for (uint64_t i = 100; i < 200; i++)
		empty(i, true);
	pass(1 << 20, SWEEPGEN);
	for (uint64_t i = 100; i < 200; i++)
		check_exact(i);
	for (uint64_t i = 200; i < 300; i++)
		empty(i, true);
	pass(1 << 20, SWEEPGEN + 2); // What links led to may be something else by now.
	for (uint64_t i = 200; i < 300; i++) {
		CHECK_EQ(f.times[i], 1);
		CHECK_EQ(f.told[i].at_least, levels(i) > 1);
		if (levels(i) == 1)
			check_exact(i);
	}
	end();
}

/** The head's tags are written and those of its overflow are not: it is not told yet. */
MS_TEST(old_array_waits_for_a_whole_chain)
{
	begin(true);
	tags_move(0, 0);
	tags_move(0, 1);
	pass(1 << 20, SWEEPGEN);
	CHECK_EQ(f.old.told_count, 0);
	tags_move(0, 2);
	pass(1 << 20, SWEEPGEN); // The link is still there.
	check_exact(0);
	end();
}

/** Chains that run in a circle, or out of memory, end. */
MS_TEST(old_array_survives_damaged_chains)
{
	const ms_addr circle = ARRAY, nowhere = 0x10000, odd = ARRAY + 3;

	begin(false);
	for (uint64_t i = 0; i < 3; i++)
		empty(i + 1, false);
	memcpy(chain(1, 0) + UNIT - 8, &circle, 8);
	memcpy(chain(2, 0) + UNIT - 8, &nowhere, 8);
	memcpy(chain(3, 0) + UNIT - 8, &odd, 8);
	empty(0, false);
	memcpy(chain(0, 0) + UNIT - 8, &circle, 8);
	pass(1 << 20, SWEEPGEN);
	CHECK_EQ(f.old.told_count, 4);
	for (uint64_t i = 0; i < 4; i++) { // The head is all that can be believed.
		CHECK(f.told[i].at_least);
		CHECK(f.told[i].keys_x + f.told[i].keys_y <= 8);
	}
	end();
}

/** Every read may fail: what is told is still true, and what is missing is told later. */
MS_TEST(old_array_survives_each_fault)
{
	for (uint64_t n = 0;; n++) {
		uint64_t reads;

		begin(false);
		for (uint64_t i = 0; i < BUCKETS; i++)
			empty(i, false);
		reads = f.fake.reads;
		fake_target_fail_read(&f.fake, n);
		pass(1, SWEEPGEN);
		reads = f.fake.reads - reads;
		for (uint64_t i = 0; i < BUCKETS; i++) {
			CHECK(f.times[i] <= 1);
			if (f.times[i] && !f.told[i].at_least)
				check_exact(i);
		}
		if (n >= reads) {
			CHECK_EQ(f.old.told_count, BUCKETS);
			end();
			return;
		}
		end();
	}
}

MS_TEST(old_array_of_unknown_buckets_is_refused)
{
	struct ms_old_array a;

	CHECK_ERR(ms_old_array_init(&a, ARRAY, 16, (struct ms_map_unit){ 0 }), MS_ERR_LIMIT);
	CHECK_ERR(ms_old_array_init(&a, ARRAY, MS_OLD_ARRAY_BUCKETS_MAX * 2ull,
				    (struct ms_map_unit){ UNIT, false }),
		  MS_ERR_LIMIT);
}
