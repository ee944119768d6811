// Goal: of every map that a recorded program lists of itself, on every release, the table that is
// read is the one the program knows, and every invariant holds.
// Method: the recordings under tests/golden/recordings.
#include "inspect/inspect_run.h"
#include "tests/support/recordings.h"
#include "tests/support/test.h"

#include <stdio.h>

struct counts {
	size_t read, all;
};

static void check_table(const struct truth_map *truth, const struct ms_inspect_report *r)
{
	CHECK_EQ(r->now.units * 8, truth->capacity);
	CHECK_EQ(r->now.entries + r->old.entries, truth->entries);
	if (truth->is_swiss) {
		CHECK_EQ(r->table_count, truth->tables);
		CHECK_EQ(r->deleted, truth->deleted_slots);
		return;
	}
	CHECK_EQ(r->old.units * 8, truth->growing ? truth->grows_from : 0);
	CHECK_EQ(r->frontier, truth->growing ? truth->evacuated : 0);
	CHECK(r->old.moved >= r->frontier);
	if (truth->bucket_log2 < 16)
		CHECK_EQ(r->now.overflow, truth->overflow_buckets);
	CHECK_EQ(r->stage, !truth->growing    ? MS_STAGE_NONE
			   : truth->same_size ? MS_STAGE_SAME_SIZE
					      : MS_STAGE_DOUBLING);
}

static void check_map(const struct recorded_census *t, const struct truth_map *truth,
		      struct counts *counts)
{
	const struct ms_inspect_options options = { .unit = 0, .looks = 1, .keys = true };
	struct ms_map_row row = *census_row(&t->report, truth->address);
	struct ms_inspect_report r;

	row.type = truth->type; // As a walk would have found it.
	CHECK_OK(ms_inspect_run(t->rt, &row, &options, &r));
	for (size_t i = 0; i < r.invariant_count; i++) {
		printf("%s: %s\n", r.invariants[i].name,
		       r.invariants[i].detail ? r.invariants[i].detail : "");
		CHECK(r.invariants[i].state != MS_INVARIANT_BROKEN);
	}
	CHECK(r.settled);
	if (r.is_read)
		check_table(truth, &r);
	else
		printf("not read: %s\n", r.unread_why);
	counts->all += !truth->never_written;
	counts->read += r.is_read;
	ms_inspect_report_deinit(&r);
}

static void check_maps(const struct recorded_census *t, void *context)
{
	printf("%s\n", t->name);
	for (size_t i = 0; i < t->truth.maps.count; i++) {
		printf("map at 0x%" PRIx64 " %s\n", t->truth.maps.items[i].address,
		       t->truth.maps.items[i].type);
		check_map(t, &t->truth.maps.items[i], context);
	}
}

MS_TEST(inspect_of_each_recorded_map_is_the_truth)
{
	struct counts counts = { 0 };

	on_each_census(check_maps, &counts);
	printf("%zu of %zu read\n", counts.read, counts.all);
	CHECK_EQ(counts.read, counts.all);
}
