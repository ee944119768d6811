// Goal: mapscope's reader of Go's classic maps reads those of libhmap like Go's: a ground truth
// that needs no Go. Method: maps of libhmap's classic engine of many sizes and in every stage of
// growth; their headers and buckets go through the reader as bytes, and what it says is held
// against libhmap's own words.
#include "maps/classic.h"

#include "tests/support/test.h"

#include <hmap/hmap_classic.h>
#include <hmap/hmap_table.h>
#include <stdio.h>

enum { BUCKET_BYTES = 8 + 8 * 8 + 8 * 8 + 8, OVERFLOW_AT = BUCKET_BYTES - 8 };

static uint64_t hash(const void *key, uint64_t seed, void *state)
{
	uint64_t number;

	(void)state;
	memcpy(&number, key, sizeof(number));
	return hmap_hash_u64(number, seed);
}

static const struct hmap_type type = { .key_size = 8, .value_size = 8, .hash = hash };

struct read {
	uint64_t entries, overflow, evacuated;
};

/** Every bucket of an array with its chain, as the reader judges tags. */
static void read_array(ms_addr array, uint64_t buckets, bool old, struct read *read)
{
	for (uint64_t b = 0; b < buckets; b++) {
		const uint8_t *bucket = (const uint8_t *)(uintptr_t)(array + b * BUCKET_BYTES);
		uint64_t next;

		if (old && ms_classic_bucket_evacuated(bucket)) {
			read->evacuated++;
			continue;
		}
		for (; bucket; bucket = (const uint8_t *)(uintptr_t)next) {
			int entries = ms_classic_bucket_entries(bucket);

			CHECK(entries >= 0 || old);
			read->entries += entries > 0 ? (uint64_t)entries : 0;
			memcpy(&next, bucket + OVERFLOW_AT, sizeof(next));
			read->overflow += next != 0;
		}
	}
}

static void read_like_go(const struct hmap *map)
{
	const struct ms_go_layout *layout =
	    ms_go_layout_find(MS_GO_PATCH(1, 19, 4), MS_ARCH_AMD64, 0);
	struct ms_classic_map read;
	struct hmap_stats stats;
	struct read sums = { 0 };
	uint64_t old;

	CHECK(layout);
	CHECK_EQ(hmap_stats(map, HMAP_STATS_WALK, &stats), HMAP_OK);
	CHECK_EQ(hmap_check(map, NULL), HMAP_OK);
	CHECK_EQ(ms_classic_parse(layout, (const uint8_t *)map->classic, &read), MS_CLASSIC_MAP);
	CHECK_EQ(read.count, stats.entries);
	CHECK_EQ((UINT64_C(8) << read.bucket_log2), stats.slots);
	if (!stats.pass)
		CHECK_EQ(ms_classic_grow_at(layout, read.bucket_log2), stats.grow_at);
	old = ms_classic_old_buckets(&read);
	CHECK_EQ(old != 0, stats.pass != 0);
	if (old) {
		CHECK_EQ(read.nevacuate, stats.pass_done);
		CHECK_EQ(old, stats.pass_of);
		CHECK_EQ(read.same_size, stats.pass == HMAP_PASS_COMPACT);
		read_array(read.oldbuckets, old, true, &sums);
		CHECK(sums.evacuated >= read.nevacuate);
	}
	read_array(read.buckets, UINT64_C(1) << read.bucket_log2, false, &sums);
	CHECK_EQ(sums.entries, stats.entries);
	if (!old && read.bucket_log2 < MS_CLASSIC_NOVERFLOW_EXACT)
		CHECK_EQ(sums.overflow, read.noverflow);
}

MS_TEST(classic_maps_of_libhmap_read_like_go)
{
	struct hmap_options options = { .engine = HMAP_CLASSIC };
	struct hmap *map = NULL;
	unsigned growing = 0, same_size = 0;

	if (sizeof(void *) != 8)
		ms_test_skip("Go's layout here is the 64-bit one");
	CHECK_EQ(hmap_create(&type, &options, &map), HMAP_OK);
	for (uint64_t i = 0; i < 60000; i++) {
		struct hmap_stats stats;
		uint64_t key = i;

		CHECK_EQ(hmap_put(map, &key, &i), HMAP_OK);
		if (i > 300 && i % 3 == 0) {
			key = ms_test_random() % i;
			(void)hmap_erase(map, &key);
		}
		if (i % 10000 == 5000)
			(void)hmap_begin_pass(map, HMAP_PASS_COMPACT);
		hmap_stats(map, HMAP_STATS_QUICK, &stats);
		growing += stats.pass == HMAP_PASS_GROW;
		same_size += stats.pass == HMAP_PASS_COMPACT;
		if (i < 600 || i % 997 == 0 || (stats.pass && i % 61 == 0))
			read_like_go(map);
	}
	CHECK(growing > 1000);
	CHECK(same_size > 1000);
	hmap_destroy(map);
}
