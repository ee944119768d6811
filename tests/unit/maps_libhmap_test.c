// Goal: mapscope's reader of classic maps reads those of libhmap as it reads Go's.
// Method: maps of several types are filled, emptied and filled with other keys until overflow piles
// up, so that they pass through every stage of a growth of either kind.  After each write the
// header is taken apart by the reader, and every bucket's tags; count, capacity, the next growth,
// overflow and progress have to be what libhmap says itself.  No Go is needed for this.
#include "maps/classic.h"

#include "hmap/classic.h"

#include <hmap/hmap.h>
#include <hmap/hmap_classic.h>
#include <hmap/hmap_hash.h>

#include "tests/support/test.h"

#include <stdlib.h>

enum { KEY_BYTES_MAX = 24, VALUE_BYTES_MAX = 200 };

static uint64_t hash_key(const void *key, uint64_t seed, void *state)
{
	uint64_t number;

	memcpy(&number, key, sizeof(number));
	if (!state)
		return hmap_hash_u64(number, seed);
	// Forty numbers in a row in one chain, so that chains come and go, and are left behind.
	return (hmap_hash_u64(number, seed) & ~UINT64_C(15)) | (number / 40 & 15);
}

/** What the walk over the buckets found. */
struct seen {
	size_t entries, overflow, moved, old;
};

static bool look_at_bucket(const struct hmap_bucket_view *view, void *state)
{
	struct seen *seen = state;

	if (view->old) {
		seen->old++;
		seen->moved += view->moved;
		CHECK_EQ(ms_classic_bucket_evacuated(view->tags), view->moved);
		if (view->moved)
			return true;
	} else {
		seen->overflow += view->overflow_nodes;
	}
	CHECK_EQ(ms_classic_bucket_entries(view->tags), (int)view->entries);
	seen->entries += view->entries + view->overflow_entries;
	return true;
}

/** The map as the reader has it, beside what the library says.  Whether it is growing. */
static bool compare(const struct ms_go_layout *layout, const struct hmap_classic *c)
{
	struct ms_classic_map m;
	struct hmap_stats stats;
	struct seen seen = { 0 };

	CHECK_EQ(hmap_classic_stats(c, HMAP_STATS_QUICK, &stats), HMAP_OK);
	CHECK_EQ(ms_classic_parse(layout, (const uint8_t *)&c->h, &m), MS_CLASSIC_MAP);
	CHECK_EQ(m.count, stats.entries);
	CHECK_EQ((uint64_t)MS_CLASSIC_SLOTS << m.bucket_log2, stats.slots);
	CHECK_EQ(ms_classic_grow_at(layout, m.bucket_log2), stats.grow_at);
	CHECK_EQ(m.noverflow, stats.overflow);
	CHECK_EQ(m.seed, c->h.hash0);
	CHECK_EQ(ms_classic_old_buckets(&m), stats.pass_of);
	CHECK_EQ(m.oldbuckets != 0, stats.pass != 0);
	if (m.oldbuckets) {
		CHECK_EQ(m.nevacuate, stats.pass_done);
		CHECK_EQ(m.same_size, stats.pass == HMAP_PASS_COMPACT);
	}
	hmap_classic_each_bucket(c, look_at_bucket, &seen);
	CHECK_EQ(seen.entries, m.count);
	CHECK_EQ(seen.overflow, m.noverflow);
	CHECK_EQ(seen.old, stats.pass_of);
	CHECK(seen.moved >= m.nevacuate || !m.oldbuckets);
	return m.oldbuckets;
}

struct stages {
	unsigned growing, same_size;
};

static void write_one(struct hmap_classic *c, const struct ms_go_layout *layout, uint64_t number,
		      bool put, struct stages *stages)
{
	_Alignas(8) unsigned char key[KEY_BYTES_MAX] = { 0 }, value[VALUE_BYTES_MAX] = { 0 };

	memcpy(key, &number, sizeof(number));
	CHECK_EQ(put ? hmap_classic_put(c, key, value) : hmap_classic_erase(c, key), HMAP_OK);
	if (compare(layout, c)) {
		stages->growing++;
		stages->same_size += (c->h.flags & HMAP_GO_SAME_SIZE_GROW) != 0;
	}
}

static void run(uint32_t key_size, uint32_t value_size, uint64_t entries, bool chains,
		struct stages *stages)
{
	const struct ms_go_layout *layout =
	    ms_go_layout_find(MS_GO_PATCH(1, 19, 4), MS_ARCH_AMD64, 0);
	struct hmap_type type = {
		.key_size = key_size,
		.value_size = value_size,
		.hash = hash_key,
		.state = chains ? stages : NULL,
	};
	struct hmap_options options = { .allocator = hmap_malloc_allocator() };
	struct ms_classic_map m;
	struct hmap_classic *c;

	CHECK(layout);
	CHECK_EQ(hmap_classic_create(NULL, &type, &options, 0x12345678, &c), HMAP_OK);
	CHECK_EQ(ms_classic_parse(layout, (const uint8_t *)&c->h, &m), MS_CLASSIC_NEVER_WRITTEN);
	for (uint64_t i = 0; i < entries; i++)
		write_one(c, layout, i, true, stages);
	for (uint64_t i = 0; i < entries * (chains ? 8 : 1); i++) { // Others come, and these go.
		write_one(c, layout, entries + i, true, stages);
		write_one(c, layout, i, false, stages);
	}
	CHECK_EQ(hmap_classic_count(c), entries);
	hmap_classic_destroy(c);
}

MS_TEST(classic_reader_reads_maps_of_libhmap_in_all_stages_of_growth)
{
	static const uint64_t sizes[] = { 1, 8, 9, 60, 430 };
	struct stages stages = { 0 };

	if (sizeof(void *) != 8)
		SKIP("Go's layout here is that of a 64-bit machine");
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		run(8, 8, sizes[i], false, &stages);
		run(24, 0, sizes[i], false, &stages);
		run(8, 200, sizes[i], false, &stages);
		run(8, 8, sizes[i], true, &stages);
	}
	CHECK(stages.growing > 300);
	CHECK(stages.same_size > 20);
}
