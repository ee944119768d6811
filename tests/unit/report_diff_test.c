// Goal: the rows of a comparison are those of both censuses, joined by owner and type.
// Method: random censuses against a join by searching; then single cases made by hand.
#include "base/cleanup.h"
#include "report/diff.h"
#include "tests/support/test.h"

#include <math.h>

static const char *const owners[] = { NULL, "", "main.a", "main.b", "main.c" };
static const char *const types[] = { NULL, "map[int]int", "map[string]bool" };

static void fill_random(struct ms_census_report *report, size_t count)
{
	*report = (struct ms_census_report){ .map_count = count };
	report->maps = calloc(count + 1, sizeof(*report->maps));
	CHECK(report->maps != NULL);
	for (size_t i = 0; i < count; i++) {
		struct ms_map_row *row = &report->maps[i];

		row->address = 0xc000000000 + ms_test_random() % 100 * 48;
		row->entries = ms_test_random() % 10;
		row->total_bytes = ms_test_random() % 1000;
		row->owner = owners[ms_test_random() % MS_ARRAY_SIZE(owners)];
		row->type = types[ms_test_random() % MS_ARRAY_SIZE(types)];
	}
	CHECK_OK(ms_census_sum_owners(report));
}

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static uint64_t bytes_of(const struct ms_census_report *report, const struct ms_diff_row *row,
			 uint64_t *ret_maps)
{
	uint64_t sum = 0;

	*ret_maps = 0;
	for (size_t i = 0; i < report->map_count; i++) {
		if (!same(report->maps[i].owner, row->owner) ||
		    !same(report->maps[i].type, row->type))
			continue;
		sum += report->maps[i].total_bytes;
		++*ret_maps;
	}
	return sum;
}

static void check_rows(const struct ms_census_report *b, const struct ms_census_report *a,
		       const struct ms_diff_report *report)
{
	uint64_t maps_before = 0, maps_after = 0;

	for (size_t i = 0; i < report->row_count; i++) {
		const struct ms_diff_row *row = &report->rows[i];
		uint64_t maps;

		CHECK_EQ(row->before.total_bytes, bytes_of(b, row, &maps));
		CHECK_EQ(row->before.maps, maps);
		CHECK_EQ(row->after.total_bytes, bytes_of(a, row, &maps));
		CHECK_EQ(row->after.maps, maps);
		CHECK_EQ(row->presence, row->before.maps == 0  ? MS_DIFF_NEW
					: row->after.maps == 0 ? MS_DIFF_GONE
							       : MS_DIFF_BOTH);
		if (i > 0)
			CHECK(
			    fabs(ms_diff_change(row[-1].before.total_bytes,
						row[-1].after.total_bytes)) >=
			    fabs(ms_diff_change(row->before.total_bytes, row->after.total_bytes)));
		maps_before += row->before.maps;
		maps_after += row->after.maps;
	}
	CHECK_EQ(maps_before, b->map_count);
	CHECK_EQ(maps_after, a->map_count);
	CHECK_EQ(report->total_before.maps, b->map_count);
	CHECK_EQ(report->total_after.maps, a->map_count);
}

MS_TEST(diff_joins_owners)
{
	for (unsigned round = 0; round < 100; round++) {
		struct ms_census_report b, a;
		struct ms_diff_report report;

		fill_random(&b, round == 0 ? 0 : ms_test_random() % 60);
		fill_random(&a, ms_test_random() % 60);
		CHECK_OK(ms_diff_make(&(struct ms_diff_input){ "a", &b, false, true },
				      &(struct ms_diff_input){ "b", &a, false, true }, &report));
		check_rows(&b, &a, &report);
		ms_diff_report_deinit(&report);
		ms_census_report_deinit(&b);
		ms_census_report_deinit(&a);
	}
}

MS_TEST(diff_compares_addresses_of_one_process)
{
	struct ms_map_row rows_b[] = { { .address = 1 }, { .address = 2 }, { .address = 3 } };
	struct ms_map_row rows_a[] = { { .address = 3 }, { .address = 4 } };
	struct ms_census_report b = { .maps = rows_b,
				      .map_count = 3,
				      .target = { .pid = 7, .start_ticks = 5 } };
	struct ms_census_report a = { .maps = rows_a, .map_count = 2, .target = b.target };
	struct ms_diff_input before = { "a", &b, false, true }, after = { "b", &a, false, true };
	struct ms_diff_report report;

	CHECK_OK(ms_diff_make(&before, &after, &report));
	CHECK(report.same_process);
	CHECK_EQ(report.appeared, 1);
	CHECK_EQ(report.vanished, 2);
	CHECK_EQ(report.warning_count, 0);
	ms_diff_report_deinit(&report);
	after.all_maps = false;
	CHECK_OK(ms_diff_make(&before, &after, &report));
	CHECK_EQ(report.appeared, MS_UNKNOWN);
	ms_diff_report_deinit(&report);
	after.all_maps = true;
	a.target.start_ticks = 6; // Another process that got the same number.
	CHECK_OK(ms_diff_make(&before, &after, &report));
	CHECK(!report.same_process);
	CHECK_EQ(report.vanished, MS_UNKNOWN);
	ms_diff_report_deinit(&report);
}

MS_TEST(diff_warns_of_what_cannot_be_compared)
{
	struct ms_census_report b = { .target = { .exe = "/a", .go_version = "go1.22.1" } };
	struct ms_census_report a = { .target = { .exe = "/b", .go_version = "go1.24.1" },
				      .partial = true,
				      .partial_reason = "it ended" };
	struct ms_diff_report report;

	CHECK_OK(ms_diff_make(&(struct ms_diff_input){ "x.json", &b, true, true },
			      &(struct ms_diff_input){ "9", &a, false, true }, &report));
	CHECK_EQ(report.warning_count, 4);
	CHECK_STR(report.warnings[0], "the executable differs: /a, then /b");
	CHECK_STR(report.warnings[1], "the Go release differs: go1.22.1, then go1.24.1");
	CHECK_STR(report.warnings[2], "x.json holds only the owners of a filter");
	CHECK_STR(report.warnings[3], "9 is partial: it ended");
	ms_diff_report_deinit(&report);
}

MS_TEST(diff_of_what_is_unknown_is_unknown)
{
	CHECK(isnan(ms_diff_change(MS_UNKNOWN, 1)));
	CHECK(isnan(ms_diff_change(1, MS_UNKNOWN)));
	CHECK(ms_diff_change(3, 1) == -2);
	CHECK(ms_diff_change(1, 3) == 2);
}

/** As of a table that was being replaced when its process died. */
MS_TEST(diff_of_a_map_whose_bytes_are_unknown_is_unknown)
{
	struct ms_map_row known = { .address = 3, .owner = "a", .entries = 5, .total_bytes = 100 };
	struct ms_map_row unknown = known;
	struct ms_census_report b = { .maps = &known, .map_count = 1 };
	struct ms_census_report a = { .maps = &unknown, .map_count = 1 };
	struct ms_diff_report report;

	unknown.total_bytes = unknown.live_bytes = unknown.slack_bytes = MS_UNKNOWN;
	CHECK_OK(ms_census_sum_owners(&b));
	CHECK_OK(ms_census_sum_owners(&a));
	CHECK_OK(ms_diff_make(&(struct ms_diff_input){ "x", &b, false, true },
			      &(struct ms_diff_input){ "y", &a, false, true }, &report));
	CHECK_EQ(report.row_count, 1);
	CHECK_EQ(report.rows[0].before.total_bytes, 100);
	CHECK_EQ(report.rows[0].after.total_bytes, MS_UNKNOWN);
	CHECK_EQ(report.rows[0].after.slack_bytes, MS_UNKNOWN);
	CHECK_EQ(report.rows[0].after.entries, 5);
	ms_diff_report_deinit(&report);
	free(b.owners);
	free(a.owners);
}
