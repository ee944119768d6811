// Goal: the list of memory profile buckets is found among what looks like it, read as it is, and
// nothing that a damaged one holds leads astray.
// Method: buckets made by hand behind a heap made by hand (tests/support/fake_heap.h).
#include "golang/memory_profile.h"

#include "tests/support/fake_heap.h"
#include "tests/support/test.h"

#include <math.h>
#include <stdlib.h>

#define PERSISTENT ((ms_addr)0x7f0000000000)

enum { ROOM = 8192, STACK = 3, OLD = 32, NEW = 16, MEMORY = 1, BLOCKS = 2 };

struct profile {
	struct fake_heap *h;
	uint64_t words[ROOM / 8];
	size_t used;
};

static struct profile *profile_create(void)
{
	struct profile *p = calloc(1, sizeof(*p));

	CHECK(p != NULL);
	p->h = fake_heap_create(NULL);
	(void)fake_heap_new(p->h, 16, 0); // A heap has a span.
	fake_target_map(&p->h->functions->fake, PERSISTENT, p->words, sizeof(p->words),
			MS_REGION_ANON, MS_PROT_READ | MS_PROT_WRITE);
	CHECK_OK(ms_go_refresh(&p->h->functions->rt));
	return p;
}

static void profile_destroy(struct profile *p)
{
	fake_heap_destroy(p->h);
	free(p);
}

/** A bucket in front of @p next; counts of the published cycle and of one to come. */
static ms_addr bucket_add(struct profile *p, ms_addr next, uint64_t typ, uint64_t size,
			  uint64_t allocs, uint64_t coming, uint32_t cycle_bytes)
{
	uint64_t *b = p->words + p->used, *cycles = b + 6 + STACK;

	b[1] = next;
	b[2] = typ;
	b[4] = size;
	b[5] = STACK;
	for (size_t i = 0; i < STACK; i++)
		b[6 + i] = fake_heap_entry(FAKE_FN_WORKER) + 8;
	cycles[0] = allocs;
	cycles[1] = allocs / 2;
	cycles[cycle_bytes / 8] = coming;
	if (cycle_bytes == OLD) {
		cycles[2] = allocs * size;
		cycles[3] = allocs / 2 * size;
		cycles[cycle_bytes / 8 + 2] = coming * size;
	}
	p->used += 6 + STACK + 4 * cycle_bytes / 8;
	return PERSISTENT + (ms_addr)((uint8_t *)b - (uint8_t *)p->words);
}

/** A variable that holds @p value. */
static ms_addr variable(struct profile *p, ms_addr value)
{
	ms_addr at = fake_heap_words(p->h, 1);

	fake_heap_set_word(p->h, at, 0, value);
	return at;
}

static void check_read(uint32_t cycle_bytes)
{
	struct profile *p = profile_create();
	struct ms_go_runtime *rt = &p->h->functions->rt;
	ms_addr first = bucket_add(p, 0, MEMORY, 64, 10, 5, cycle_bytes);
	ms_addr second = bucket_add(p, first, MEMORY, 1000, 0, 3, cycle_bytes);
	ms_addr list = variable(p, second);
	struct ms_profile_place place;
	struct ms_profile profile;

	CHECK_OK(ms_profile_find(rt, &place));
	CHECK_EQ(place.list, list);
	CHECK_EQ(place.cycle_bytes, cycle_bytes);
	CHECK_EQ(place.rate, MS_UNKNOWN); // There is no function that tells.
	CHECK_OK(ms_profile_read(rt, &place, &profile));
	CHECK_EQ(profile.row_count, 2);
	CHECK_EQ(profile.rows[0].address, first);
	CHECK_EQ(profile.rows[0].size_bytes, 64);
	CHECK_EQ(profile.rows[0].allocs, 15);
	CHECK_EQ(profile.rows[0].in_use, 5);
	CHECK_EQ(profile.rows[0].in_use_now, 10);
	CHECK_EQ(profile.rows[0].pc_count, STACK);
	CHECK_EQ(profile.rows[1].allocs, 3);
	CHECK(!profile.cut);
	ms_profile_deinit(&profile);
	profile_destroy(p);
}

MS_TEST(memory_profile_with_counts_of_bytes)
{
	check_read(OLD);
}

MS_TEST(memory_profile_without_counts_of_bytes)
{
	check_read(NEW);
}

MS_TEST(memory_profile_is_the_longest_list_of_its_kind)
{
	struct profile *p = profile_create();
	ms_addr blocks = 0, mine = 0, at = 0;
	struct ms_profile_place place;

	for (size_t i = 0; i < 6; i++)
		blocks = bucket_add(p, blocks, BLOCKS, 64, 10, 0, OLD);
	for (size_t i = 0; i < 3; i++)
		mine = bucket_add(p, mine, MEMORY, 64, 10, 0, OLD);
	(void)variable(p, blocks);
	(void)variable(p, PERSISTENT + 8); // Into a bucket, not at its beginning.
	(void)variable(p, 0x1234560);
	at = variable(p, mine);
	CHECK_OK(ms_profile_find(&p->h->functions->rt, &place));
	CHECK_EQ(place.list, at);
	profile_destroy(p);
}

/** With one word of the older of two buckets changed there is no list. */
static void check_refused(size_t word, uint64_t value)
{
	struct profile *p = profile_create();
	ms_addr first = bucket_add(p, 0, MEMORY, 64, 10, 0, OLD);
	struct ms_profile_place place;
	struct ms_error *err;

	(void)variable(p, bucket_add(p, first, MEMORY, 64, 10, 0, OLD));
	p->words[word] = value;
	err = ms_profile_find(&p->h->functions->rt, &place);
	CHECK(err != NULL);
	CHECK_ERR(err, MS_ERR_UNSUPPORTED);
	profile_destroy(p);
}

MS_TEST(memory_profile_with_something_wrong_is_none)
{
	check_refused(1, PERSISTENT + ROOM * 4); // The next bucket is nowhere.
	check_refused(1, 7);
	check_refused(2, BLOCKS);
	check_refused(4, UINT64_MAX);
	check_refused(5, 0);
	check_refused(5, 1 << 20);
	check_refused(6, 0x10);          // Its stack is of no code.
	check_refused(6 + STACK + 2, 1); // Bytes that are not those of its objects ...
}

MS_TEST(memory_profile_that_goes_round_ends)
{
	struct profile *p = profile_create();
	struct ms_go_runtime *rt = &p->h->functions->rt;
	ms_addr first = bucket_add(p, PERSISTENT, MEMORY, 64, 10, 0, OLD);
	struct ms_profile_place place;
	struct ms_profile profile;

	(void)variable(p, first);
	CHECK_OK(ms_profile_find(rt, &place));
	CHECK_OK(ms_profile_read(rt, &place, &profile));
	CHECK(profile.cut);
	CHECK(profile.row_count <= 1 << 17);
	ms_profile_deinit(&profile);
	profile_destroy(p);
}

MS_TEST(memory_profile_says_when_the_target_is_gone)
{
	struct profile *p = profile_create();
	struct fake_target *fake = &p->h->functions->fake;
	ms_addr first = bucket_add(p, 0, MEMORY, 64, 10, 0, OLD);
	struct ms_profile_place place;
	struct ms_profile profile;
	uint64_t reads;

	(void)variable(p, bucket_add(p, first, MEMORY, 64, 10, 0, OLD));
	CHECK_OK(ms_profile_find(&p->h->functions->rt, &place));
	reads = fake->reads;
	CHECK_OK(ms_profile_read(&p->h->functions->rt, &place, &profile));
	ms_profile_deinit(&profile);
	for (uint64_t n = fake->reads - reads, i = 0; i < n; i++) {
		struct ms_error *err;

		fake->gone_at = fake->reads + i;
		err = ms_profile_read(&p->h->functions->rt, &place, &profile);
		CHECK(err != NULL);
		CHECK_ERR(err, MS_ERR_GONE);
		fake->gone_at = UINT64_MAX;
	}
	profile_destroy(p);
}

MS_TEST(memory_profile_scales_as_pprof_does)
{
	// runtime/pprof, scaleHeapSample(1, 1000, 512 KiB): 1 / (1 - exp(-1000/524288)) objects.
	CHECK(fabs(ms_profile_scaled_bytes(1, 1000, 524288) - 524788) < 1);
	CHECK(fabs(ms_profile_scaled_bytes(2, 1 << 30, 524288) - 2.0 * (1 << 30)) < 1);
	CHECK_EQ((uint64_t)ms_profile_scaled_bytes(3, 100, 1), 300);
	CHECK_EQ((uint64_t)ms_profile_scaled_bytes(3, 100, MS_UNKNOWN), 300);
}
