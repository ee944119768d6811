// On each recording the census finds every map the program owns, as the program itself knows it.
//
// What remains are the maps of the standard library, which the program cannot list: they are held
// by a golden.
#include "base/cleanup.h"
#include "tests/support/golden.h"
#include "tests/support/recordings.h"
#include "tests/support/test.h"

#include <stdio.h>

static void check_maps(const struct recorded_census *t, void *context)
{
	(void)context;
	CHECK(!t->report.partial);
	for (size_t i = 0; i < t->truth.maps.count; i++) {
		const struct truth_map *truth = &t->truth.maps.items[i];
		const struct ms_map_row *row = census_row(&t->report, truth->address);

		printf("map at 0x%" PRIx64 "\n", truth->address);
		CHECK(row != NULL);
		check_row(truth, row);
	}
}

MS_TEST(census_of_each_recording_is_the_truth)
{
	on_each_census(check_maps, NULL);
}

static void check_untyped(const struct recorded_census *t, void *context)
{
	check_maps(t, context);
	for (size_t i = 0; i < t->report.map_count; i++)
		CHECK(t->report.maps[i].type == NULL);
	CHECK_EQ(t->report.coverage.typed, 0);
}

MS_TEST(census_of_each_recording_is_the_truth_without_a_program)
{
	on_each_census_without_program(check_untyped, NULL);
}

static void check_sums(const struct recorded_census *t, void *context)
{
	const struct ms_census_report *r = &t->report;
	uint64_t typed = 0, never_written = 0;

	(void)context;
	for (size_t i = 0; i < r->map_count; i++) {
		const struct ms_map_row *row = &r->maps[i];

		CHECK(i == 0 || r->maps[i - 1].address < row->address);
		typed += row->type != NULL;
		never_written += row->confidence == MS_CONFIDENCE_UNVERIFIED;
		if (row->live_bytes != MS_UNKNOWN && row->total_bytes != MS_UNKNOWN)
			CHECK_EQ(row->slack_bytes, row->total_bytes - row->live_bytes);
		else
			CHECK_EQ(row->slack_bytes, MS_UNKNOWN);
	}
	CHECK_EQ(r->coverage.read, r->map_count);
	CHECK_EQ(r->coverage.typed, typed);
	CHECK_EQ(r->never_written, never_written);
	CHECK_EQ(r->coverage.changed, 0);
}

MS_TEST(census_of_each_recording_adds_up)
{
	on_each_census(check_sums, NULL);
}

static bool is_listed(const struct truth *truth, ms_addr address)
{
	for (size_t i = 0; i < truth->maps.count; i++) {
		if (truth->maps.items[i].address == address)
			return true;
	}
	for (size_t i = 0; i < truth->decoys.count; i++) {
		if (truth->decoys.items[i].address == address)
			return true;
	}
	return false;
}

static void print_others(const struct recorded_census *t, void *context)
{
	FILE *out = context;

	fprintf(out, "%s\n", t->name);
	for (size_t i = 0; i < t->report.map_count; i++) {
		const struct ms_map_row *row = &t->report.maps[i];

		if (!is_listed(&t->truth, row->address))
			fprintf(out, "\t0x%" PRIx64 " %" PRIu64 " of %" PRIu64 " %s\n",
				row->address, row->entries, row->capacity,
				ms_confidence_name(row->confidence));
	}
}

MS_TEST(census_of_each_recording_finds_the_same_other_maps)
{
	MS_AUTO_FREE char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	on_each_census(print_others, out);
	fclose(out);
	CHECK_GOLDEN(text, size, "recordings/others.txt");
}
