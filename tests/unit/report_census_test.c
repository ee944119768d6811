// Goal: the order and the sums of a million rows are those of the simple way.
// Method: random rows, with few distinct values so that ties are common, against a full sort and
// against quadratic sums.
#include "base/cleanup.h"
#include "report/census.h"
#include "tests/support/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const types[] = { NULL, "", "map[int]int", "map[string]bool", "map[a]b" };
static const char *const owners[] = { NULL, "main.a", "main.b" };

static uint64_t small_or_unknown(void)
{
	uint64_t v = ms_test_random() % 12;

	return v == 11 ? MS_UNKNOWN : v;
}

static void fill_random(struct ms_census_report *report, size_t count)
{
	*report = (struct ms_census_report){ .map_count = count };
	report->maps = calloc(count + 1, sizeof(*report->maps));
	CHECK(report->maps != NULL);
	for (size_t i = 0; i < count; i++) {
		struct ms_map_row *row = &report->maps[i];

		row->address = 0xc000000000 + i * 48;
		row->entries = small_or_unknown();
		row->capacity = small_or_unknown();
		row->live_bytes = small_or_unknown();
		row->total_bytes = small_or_unknown();
		row->slack_bytes = small_or_unknown();
		row->confidence = (uint8_t)(ms_test_random() % 3);
		row->type = types[ms_test_random() % MS_ARRAY_SIZE(types)];
		row->owner = owners[ms_test_random() % MS_ARRAY_SIZE(owners)];
	}
}

/** What rows are ordered by, the greatest first: never written, then unknown, are the least. */
static double model_key(const struct ms_map_row *row, enum ms_sort_key sort)
{
	uint64_t value = sort == MS_SORT_BYTES     ? row->total_bytes
			 : sort == MS_SORT_ENTRIES ? row->entries
						   : row->slack_bytes;
	double load = ms_map_row_load(row);

	if (ms_map_row_never_written(row))
		return -2;
	if (sort == MS_SORT_LOAD)
		return isnan(load) ? -1 : load;
	return value == MS_UNKNOWN ? -1 : (double)value;
}

static bool model_before(const struct ms_map_row *a, const struct ms_map_row *b,
			 enum ms_sort_key sort)
{
	double x = model_key(a, sort);
	double y = model_key(b, sort);

	return x > y || (x == y && a->address < b->address);
}

/** The right number of rows, each once, in order, and none left out comes before the last. */
static void check_order(const struct ms_census_report *report, const struct ms_census_view *view)
{
	size_t count = SIZE_MAX;
	MS_AUTO_FREE size_t *order = ms_census_order(report, view, &count);
	MS_AUTO_FREE bool *used = calloc(report->map_count + 1, sizeof(*used));

	CHECK(order && used);
	CHECK_EQ(count, ms_min_u64(view->top, report->map_count));
	for (size_t i = 0; i < count; i++) {
		CHECK(order[i] < report->map_count && !used[order[i]]);
		used[order[i]] = true;
		if (i > 0)
			CHECK(model_before(&report->maps[order[i - 1]], &report->maps[order[i]],
					   view->sort));
	}
	for (size_t i = 0; i < report->map_count && count > 0; i++) {
		if (!used[i])
			CHECK(model_before(&report->maps[order[count - 1]], &report->maps[i],
					   view->sort));
	}
}

MS_TEST(report_census_order_is_that_of_a_sort)
{
	static const size_t tops[] = { 0, 1, 2, 3, 20, 99, 100, 101, SIZE_MAX };

	for (unsigned round = 0; round < 40; round++) {
		struct ms_census_report report;

		fill_random(&report, round == 0 ? 0 : ms_test_random() % 200);
		for (size_t t = 0; t < MS_ARRAY_SIZE(tops); t++) {
			for (int sort = MS_SORT_BYTES; sort <= MS_SORT_LOAD; sort++) {
				const struct ms_census_view view = { .top = tops[t],
								     .sort =
									 (enum ms_sort_key)sort };

				check_order(&report, &view);
			}
		}
		ms_census_report_deinit(&report);
	}
}

MS_TEST(report_census_order_keeps_large_values_apart)
{
	struct ms_map_row rows[] = {
		{ .address = 1, .total_bytes = MS_UNKNOWN },
		{ .address = 2, .total_bytes = (1ull << 60) + 1 },
		{ .address = 3, .total_bytes = (1ull << 60) + 2 },
		{ .address = 4, .total_bytes = 0 },
	};
	const struct ms_census_report report = { .maps = rows, .map_count = MS_ARRAY_SIZE(rows) };
	const struct ms_census_view view = { .top = 4 };
	size_t count;
	MS_AUTO_FREE size_t *order = ms_census_order(&report, &view, &count);

	CHECK(order != NULL);
	CHECK_EQ(count, 4);
	CHECK_EQ(order[0], 2);
	CHECK_EQ(order[1], 1);
	CHECK_EQ(order[2], 3);
	CHECK_EQ(order[3], 0);
}

static bool same(const char *a, const char *b)
{
	return (!a && !b) || (a && b && strcmp(a, b) == 0);
}

static void check_sums(const struct ms_census_report *report)
{
	uint64_t maps = 0;

	for (size_t o = 0; o < report->owner_count; o++) {
		const struct ms_owner_row *got = &report->owners[o];
		struct ms_owner_row want = { 0 };

		for (size_t i = 0; i < report->map_count; i++) {
			const struct ms_map_row *row = &report->maps[i];

			if (!same(row->owner, got->owner) || !same(row->type, got->type))
				continue;
			want.maps++;
			want.entries += row->entries == MS_UNKNOWN ? 0 : row->entries;
			want.total_bytes += row->total_bytes == MS_UNKNOWN ? 0 : row->total_bytes;
			want.unknown_bytes_maps += row->total_bytes == MS_UNKNOWN ||
						   row->live_bytes == MS_UNKNOWN ||
						   row->slack_bytes == MS_UNKNOWN;
		}
		CHECK_EQ(got->maps, want.maps);
		CHECK_EQ(got->entries, want.entries);
		CHECK_EQ(got->total_bytes, want.total_bytes);
		CHECK_EQ(got->unknown_bytes_maps, want.unknown_bytes_maps);
		CHECK(o == 0 || got[-1].total_bytes >= got->total_bytes);
		maps += got->maps;
	}
	CHECK_EQ(maps, report->map_count);
}

MS_TEST(report_census_owner_sums)
{
	for (unsigned round = 0; round < 40; round++) {
		struct ms_census_report report;

		fill_random(&report, round == 0 ? 0 : ms_test_random() % 300);
		CHECK_OK(ms_census_sum_owners(&report));
		check_sums(&report);
		CHECK_OK(ms_census_sum_owners(&report)); // In place of the first ones.
		check_sums(&report);
		CHECK_EQ(ms_census_totals(&report).maps, report.map_count);
		ms_census_report_deinit(&report);
		CHECK_EQ(report.map_count, 0);
	}
}

MS_TEST(report_census_owner_sums_compare_text)
{
	char first[] = "map[int]int";
	char second[] = "map[int]int";
	struct ms_map_row rows[1002] = { 0 };
	char names[1000][8];
	struct ms_census_report report = { .maps = rows, .map_count = MS_ARRAY_SIZE(rows) };

	rows[0].type = first;
	rows[1].type = second;
	for (size_t i = 0; i < MS_ARRAY_SIZE(names); i++) { // More than the first table holds.
		snprintf(names[i], sizeof(names[i]), "t%zu", i);
		rows[i + 2].type = names[i];
		rows[i + 2].total_bytes = 1;
	}
	CHECK_OK(ms_census_sum_owners(&report));
	CHECK_EQ(report.owner_count, 1001);
	CHECK_STR(report.owners[1000].type, "map[int]int");
	CHECK_EQ(report.owners[1000].maps, 2);
	free(report.owners);
}

MS_TEST(report_census_load)
{
	struct ms_map_row row = { .entries = 13, .capacity = 16 };

	CHECK(ms_map_row_load(&row) == 0.8125);
	row.capacity = 0;
	CHECK(isnan(ms_map_row_load(&row)));
	row.capacity = MS_UNKNOWN;
	CHECK(isnan(ms_map_row_load(&row)));
	row = (struct ms_map_row){ .entries = MS_UNKNOWN, .capacity = 8 };
	CHECK(isnan(ms_map_row_load(&row)));
}
