// Goal: only what both censuses have whole is compared.
// Method: two censuses made by hand, of a map and a trie of sync.Map, which a walk counts.
#include "diagnose/findings.h"

#include "tests/support/test.h"

#include <stdlib.h>

enum { SECONDS = 10 };

static void rows_fill(struct ms_map_row rows[2], uint64_t trie_entries)
{
	rows[0] = (struct ms_map_row){ .address = 0x1000,
				       .kind = MS_MAP_SWISS,
				       .entries = 100,
				       .capacity = 128,
				       .total_bytes = 4096,
				       .slack_bytes = 0 };
	rows[1] = (struct ms_map_row){ .address = 0x2000,
				       .kind = MS_MAP_SYNC_TRIE,
				       .entries = trie_entries,
				       .capacity = MS_UNKNOWN,
				       .total_bytes = 8192,
				       .slack_bytes = MS_UNKNOWN };
}

static void compare(bool tries_compare, size_t after, struct ms_diagnosis_report *ret_report)
{
	struct ms_map_row first[2], second[2];
	struct ms_census_report before = { .maps = first, .map_count = 2 };
	struct ms_census_report last = { .maps = second, .map_count = after };
	static const struct ms_watch watch;
	struct ms_befores befores;

	rows_fill(first, 1000);
	rows_fill(second, 90000);
	*ret_report = (struct ms_diagnosis_report){ 0 };
	CHECK_OK(ms_befores_take(&before, &befores));
	befores.tries_compare = tries_compare;
	CHECK_OK(ms_findings_make(&befores, &last, &watch, SECONDS, ret_report));
	ms_befores_deinit(&befores);
}

MS_TEST(tries_of_whole_walks_are_compared)
{
	struct ms_diagnosis_report r;

	compare(true, 2, &r);
	CHECK_EQ(r.finding_count, 1);
	CHECK_EQ(r.findings[0].verdict, MS_VERDICT_GROWING);
	CHECK_EQ(r.fleet.maps_before, 2);
	CHECK_EQ(r.fleet.maps_after, 2);
	free(r.findings);
}

MS_TEST(tries_of_a_part_of_the_heap_neither_grow_nor_vanish)
{
	for (size_t after = 1; after <= 2; after++) {
		struct ms_diagnosis_report r;

		compare(false, after, &r);
		CHECK_EQ(r.finding_count, 0);
		CHECK_EQ(r.fleet.maps_before, 1);
		CHECK_EQ(r.fleet.maps_after, 1);
		CHECK_EQ(r.fleet.vanished + r.fleet.appeared, 0);
		CHECK_EQ(r.fleet.entries_before, r.fleet.entries_after);
		CHECK_EQ(r.map_bytes, after == 2 ? 4096 + 8192 : 4096);
		free(r.findings);
	}
}
