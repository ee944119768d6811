// Goal: maps are followed from look to look: rates, histories, maps that are another one, order.
//
// Method: censuses made here, with headers as a poll would have read them.
#include "tests/support/test.h"
#include "top/live_maps.h"

#include <math.h>
#include <stdlib.h>

static struct ms_map_row map(ms_addr address, const char *owner, uint64_t entries)
{
	return (struct ms_map_row){ .address = address,
				    .entries = entries,
				    .capacity = 1024,
				    .live_bytes = entries * 16,
				    .total_bytes = 16384 + address,
				    .slack_bytes = 16384 + address - entries * 16,
				    .type = "map[int]int",
				    .owner = owner,
				    .kind = MS_MAP_CLASSIC };
}

static struct ms_census_report census(const struct ms_map_row *rows, size_t count)
{
	struct ms_census_report c = { .map_count = count,
				      .maps = calloc(count + 1, sizeof(*c.maps)) };

	CHECK(c.maps);
	if (count)
		memcpy(c.maps, rows, count * sizeof(*rows));
	return c;
}

static void take(struct ms_live_maps *live, const struct ms_map_row *rows, size_t count, double now)
{
	struct ms_census_report c = census(rows, count);

	CHECK_OK(ms_live_maps_take(live, &c, now));
	CHECK(!c.maps);
}

/** Headers as they are while nothing but entries changes. */
static void look(struct ms_live_maps *live, const uint64_t *entries, double now)
{
	for (size_t i = 0; i < live->poll_count; i++)
		live->polls[i] = (struct ms_poll){ .address = live->polls[i].address,
						   .valid = true,
						   .entries = entries[i],
						   .seed = 7 + i,
						   .table = 0x5000 + i };
	ms_live_maps_look(live, now);
}

static struct ms_top_report rows_of(const struct ms_live_maps *live, enum ms_top_sort sort,
				    bool expanded, double now)
{
	const struct ms_live_view view = { .sort = sort, .expanded = expanded, .top = 100 };
	struct ms_top_report r = { 0 };

	CHECK_OK(ms_live_maps_rows(live, &view, now, &r));
	return r;
}

MS_TEST(top_counts_entries_a_second)
{
	const struct ms_map_row two[] = { map(0x100, "main.a", 10), map(0x200, "main.b", 500) };
	struct ms_live_maps live = { 0 };
	struct ms_top_report r;

	take(&live, two, 2, 0);
	look(&live, (const uint64_t[]){ 10, 500 }, 0);
	r = rows_of(&live, MS_TOP_GROWTH, false, 0);
	CHECK(isnan(r.rows[0].per_s));
	CHECK_STR(r.rows[0].owner, "main.b"); // By bytes, as nothing moves.
	free(r.rows);
	for (unsigned i = 1; i <= 40; i++)
		look(&live, (const uint64_t[]){ 10 + 30 * i, 500 }, 2 * i);
	r = rows_of(&live, MS_TOP_GROWTH, false, 81);
	CHECK_STR(r.rows[0].owner, "main.a");
	CHECK(r.rows[0].per_s == 15 && r.rows[1].per_s == 0);
	CHECK(r.per_s_s == 10 && r.census_age_s == 81);
	CHECK_EQ(r.rows[0].history_count, MS_TOP_HISTORY);
	CHECK(r.rows[0].history[MS_TOP_HISTORY - 1] == 1210);
	CHECK(r.rows[0].history[0] == 1210 - 30 * (MS_TOP_HISTORY - 1));
	CHECK_EQ(r.entries, 1710);
	CHECK(r.rows[0].load == 10.0 / 1024); // Of the census: the capacity is, too.
	free(r.rows);
	ms_live_maps_deinit(&live);
}

MS_TEST(top_histories_survive_a_census)
{
	const struct ms_map_row before[] = { map(0x100, "main.a", 10), map(0x200, "main.b", 20),
					     map(0x300, "main.c", 30) };
	const struct ms_map_row after[] = { map(0x080, "main.a", 5), map(0x100, "main.a", 11),
					    map(0x200, "main.other", 1), map(0x300, "main.c", 31) };
	struct ms_live_maps live = { 0 };
	struct ms_top_report r;

	take(&live, before, 3, 0);
	look(&live, (const uint64_t[]){ 10, 20, 30 }, 0);
	ms_live_maps_clear_waiting(&live);
	ms_live_maps_add_waiting(&live, 0x300, 4);
	ms_live_maps_add_waiting(&live, 0x999, 4); // Nobody's.
	take(&live, after, 4, 10);
	look(&live, (const uint64_t[]){ 5, 11, 1, 31 }, 10);
	r = rows_of(&live, MS_TOP_WAITING, true, 10);
	CHECK_EQ(r.row_count, 4);
	CHECK_EQ(r.rows[0].address, 0x300);
	CHECK_EQ(r.rows[0].waiting, 4);
	CHECK_EQ(r.rows[0].history_count, 2);
	for (size_t i = 0; i < r.row_count; i++)
		CHECK_EQ(r.rows[i].history_count,
			 r.rows[i].address == 0x100 || r.rows[i].address == 0x300 ? 2 : 1);
	free(r.rows);
	r = rows_of(&live, MS_TOP_GROWTH, false, 10);
	CHECK_STR(r.rows[0].owner, "main.a"); // Its new map is growth of the owner.
	CHECK(r.rows[0].per_s > 0.59 && r.rows[0].per_s < 0.61);
	CHECK_EQ(r.rows[0].maps, 2);
	CHECK_EQ(r.rows[0].address, 0x100); // The fuller one.
	free(r.rows);
	ms_live_maps_deinit(&live);
}

MS_TEST(top_tells_another_map_from_a_cleared_one)
{
	const struct ms_map_row three[] = { map(0x100, "main.a", 10), map(0x200, "main.b", 20),
					    map(0x300, "main.c", 30) };
	struct ms_live_maps live = { 0 };
	struct ms_top_report r;

	take(&live, three, 3, 0);
	look(&live, (const uint64_t[]){ 10, 20, 30 }, 0);
	for (unsigned i = 0; i < 3; i++)
		live.polls[i].seed += 100;
	live.polls[0].entries = 0;      // Cleared: its table is where it was.
	live.polls[1].table = 0x777000; // Another map.
	live.polls[2].valid = false;    // No map at all.
	ms_live_maps_look(&live, 2);
	r = rows_of(&live, MS_TOP_ENTRIES, true, 2);
	CHECK_EQ(r.lost, 2);
	CHECK_EQ(r.rows[0].entries, 30);
	CHECK_EQ(r.rows[0].lost, 1);
	CHECK_EQ(r.rows[1].entries, 20);
	CHECK_EQ(r.rows[2].entries, 0);
	CHECK_EQ(r.rows[2].lost, 0);
	free(r.rows);
	look(&live, (const uint64_t[]){ 1, 2, 3 },
	     4); // What is lost stays so till the next census.
	r = rows_of(&live, MS_TOP_ENTRIES, true, 4);
	CHECK_EQ(r.lost, 2);
	free(r.rows);
	ms_live_maps_deinit(&live);
}

MS_TEST(top_sorts_and_says_what_is_unknown)
{
	struct ms_map_row rows[] = { map(0x100, "main.a", 10), map(0x200, "main.a", 20),
				     map(0x300, NULL, 30), map(0x400, "main.d", 5) };
	struct ms_row_filter filter;
	struct ms_live_maps live = { 0 };
	struct ms_live_view view = { .sort = MS_TOP_BYTES, .top = 2, .filter = &filter };
	struct ms_top_report r = { 0 };

	rows[1].total_bytes = MS_UNKNOWN;
	rows[3].entries = MS_UNKNOWN;
	rows[3].kind = MS_MAP_SYNC_TRIE;
	rows[0].growing = true;
	rows[0].growth.progress = 0.5;
	take(&live, rows, 4, 0);
	CHECK_EQ(live.poll_count, 3);
	look(&live, (const uint64_t[]){ 10, 20, 30 }, 0);
	live.maps[0].growing = true;
	live.maps[0].progress = 0.5F;
	CHECK_OK(ms_row_filter_init_either(&filter, "main|int"));
	CHECK_OK(ms_live_maps_rows(&live, &view, 0, &r));
	CHECK_EQ(r.rows_passed, 3);
	CHECK_EQ(r.row_count, 2);
	CHECK_STR(r.rows[0].owner, "main.d");
	CHECK_EQ(r.rows[0].history_count, 1);
	CHECK(!r.rows[1].owner);
	free(r.rows);
	view.top = 10;
	CHECK_OK(ms_live_maps_rows(&live, &view, 0, &r));
	CHECK_STR(r.rows[2].owner, "main.a"); // Of one of its maps the bytes are unknown: of all.
	CHECK(r.rows[2].total_bytes == MS_UNKNOWN && r.rows[2].waiting == MS_UNKNOWN);
	CHECK_EQ(r.rows[2].growing, 1);
	CHECK(r.rows[2].progress == 0.5);
	free(r.rows);
	ms_row_filter_deinit(&filter);
	CHECK_OK(ms_row_filter_init_either(&filter, "^main"));
	CHECK_OK(ms_live_maps_rows(&live, &view, 0, &r));
	CHECK_EQ(r.rows_passed, 2);
	free(r.rows);
	ms_row_filter_deinit(&filter);
	ms_live_maps_deinit(&live);
}

MS_TEST(top_of_nothing)
{
	struct ms_live_maps live = { 0 };
	struct ms_top_report r;

	take(&live, NULL, 0, 0);
	ms_live_maps_look(&live, 1);
	r = rows_of(&live, MS_TOP_GROWTH, false, 1);
	CHECK_EQ(r.row_count, 0);
	CHECK_EQ(r.maps, 0);
	free(r.rows);
	ms_live_maps_deinit(&live);
}
