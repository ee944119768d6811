// Goal: of a map that is whole every number is right; of one with a single thing broken that very
// invariant says so; of one that moves, nothing is called broken.
// Method: tables made by hand (tests/support/map_tables.h), damaged word by word.
#include "tests/support/map_tables.h"
#include "tests/support/test.h"

#include <stdio.h>

static void all_hold(const struct ms_inspect_report *r)
{
	for (size_t i = 0; i < r->invariant_count; i++) {
		printf("%s: %s\n", r->invariants[i].name,
		       r->invariants[i].detail ? r->invariants[i].detail : "");
		CHECK_EQ(r->invariants[i].state, MS_INVARIANT_HOLDS);
	}
	CHECK(r->settled);
	CHECK(r->is_read);
}

// --- Whole. ---

MS_TEST(inspect_reads_classic_table)
{
	struct map_tables t = map_tables_classic();
	struct ms_inspect_report r = map_tables_inspect(&t, 1);

	all_hold(&r);
	CHECK_EQ(r.invariant_count, 7);
	CHECK_EQ(r.now.units, 4);
	CHECK_EQ(r.now.overflow, 1);
	CHECK_EQ(r.now.entries, 15);
	CHECK_EQ(r.deleted, 1);
	CHECK_EQ(r.fills[0], 1);
	CHECK_EQ(r.fills[3], 1);
	CHECK_EQ(r.fills[10], 1);
	CHECK_EQ(r.chains[1], 3);
	CHECK_EQ(r.chains[2], 1);
	CHECK_EQ(r.longest, 2);
	CHECK_EQ(r.tags[0x50], 2);
	CHECK(r.unit.exists);
	CHECK_EQ(r.unit.entries, 10);
	CHECK_EQ(r.unit.chain, 2);
	CHECK_EQ(r.unit.tags[0], 0x37);
	CHECK(!r.unit.has_old);
	CHECK_EQ(r.stage, MS_STAGE_NONE);
	ms_inspect_report_deinit(&r);
	fake_heap_destroy(t.h);
}

MS_TEST(inspect_tells_layout_of_a_bucket)
{
	struct map_tables t = map_tables_classic();
	struct ms_inspect_report r = map_tables_inspect(&t, MS_UNKNOWN);

	CHECK(r.layout.known);
	CHECK_EQ(r.layout.unit_bytes, t.unit_bytes);
	CHECK_EQ(r.layout.field_count, 4);
	CHECK_STR(r.layout.fields[1].name, "keys");
	CHECK_EQ(r.layout.fields[1].offset, 8);
	CHECK_EQ(r.layout.fields[1].bytes, 8);
	CHECK_EQ(r.layout.fields[1].count, 8);
	CHECK_EQ(r.layout.padding_bytes, 0);
	CHECK_EQ(r.layout.table_padding, 0);
	CHECK(!r.unit.asked);
	ms_inspect_report_deinit(&r);
	fake_heap_destroy(t.h);
}

MS_TEST(inspect_reads_a_growth)
{
	struct map_tables t = map_tables_classic();
	struct ms_inspect_report r;

	map_tables_grow(&t);
	r = map_tables_inspect(&t, 4);
	all_hold(&r);
	CHECK_EQ(r.invariant_count, 9);
	CHECK_EQ(r.stage, MS_STAGE_DOUBLING);
	CHECK_EQ(r.frontier, 1);
	CHECK_EQ(r.now.units, 8);
	CHECK_EQ(r.old.units, 4);
	CHECK_EQ(r.old.moved, 1);
	CHECK_EQ(r.old.entries, 12);
	CHECK_EQ(r.old.overflow, 1);
	CHECK(r.unit.has_old);
	CHECK(r.unit.old_moved);
	CHECK_EQ(r.unit.old_index, 0);
	CHECK_EQ(r.unit.moved_x, 2);
	CHECK_EQ(r.unit.moved_y, 1);
	CHECK_EQ(r.unit.twin, 4);
	CHECK(r.row.growing);
	CHECK_EQ(r.row.growth.from, 32);
	ms_inspect_report_deinit(&r);
	r = map_tables_inspect(&t, 5);
	CHECK(!r.unit.old_moved);
	CHECK_EQ(r.unit.old_entries, 10);
	CHECK_EQ(r.unit.entries, 0);
	ms_inspect_report_deinit(&r);
	fake_heap_destroy(t.h);
}

MS_TEST(inspect_reads_swiss_tables)
{
	struct map_tables t = map_tables_swiss();
	struct ms_inspect_report r = map_tables_inspect(&t, 2);

	all_hold(&r);
	CHECK_EQ(r.invariant_count, 6);
	CHECK_EQ(r.now.units, 4);
	CHECK_EQ(r.table_count, 2);
	CHECK_EQ(r.directory, 2);
	CHECK_EQ(r.deleted, 1);
	CHECK_EQ(r.tables[0].deleted, 1);
	CHECK_EQ(r.fills[7], 1);
	CHECK_EQ(r.fills[2], 1);
	CHECK_EQ(r.fills[0], 1);
	CHECK_EQ(r.chains[2], 1); // From the full group on to the next.
	CHECK_EQ(r.chains[1], 3);
	CHECK_EQ(r.longest, 2);
	CHECK_EQ(r.tags[0x21], 1);
	CHECK_EQ(r.unit.table, 1);
	CHECK_EQ(r.unit.group, 0);
	CHECK_EQ(r.unit.tags[0], 0x21);
	CHECK_EQ(r.unit.address, t.groups[1]);
	CHECK_STR(r.layout.fields[1].name, "key");
	CHECK_EQ(r.layout.fields[1].stride, 16);
	ms_inspect_report_deinit(&r);
	fake_heap_destroy(t.h);
}

MS_TEST(inspect_says_nothing_of_a_bucket_that_is_none)
{
	struct map_tables t = map_tables_classic();
	struct ms_inspect_report r = map_tables_inspect(&t, 4);

	CHECK(r.unit.asked);
	CHECK(!r.unit.exists);
	ms_inspect_report_deinit(&r);
	fake_heap_destroy(t.h);
}

// --- Broken. ---

static void breaks(struct map_tables *t, const char *name, const char *detail)
{
	struct ms_inspect_report r = map_tables_inspect(t, MS_UNKNOWN);
	const struct ms_invariant *v = map_tables_invariant(&r, name);

	printf("%s: %s\n", name, v->detail ? v->detail : "");
	CHECK_EQ(v->state, MS_INVARIANT_BROKEN);
	CHECK(strstr(v->detail, detail) != NULL);
	CHECK(r.settled);
	CHECK_EQ(r.looks, 2); // Two looks that saw the same.
	ms_inspect_report_deinit(&r);
	fake_heap_destroy(t->h);
}

MS_TEST(inspect_finds_a_broken_classic_header)
{
	struct map_tables t = map_tables_classic();

	fake_heap_set(t.h, t.map, t.h->layout->hmap_count, 1000);
	breaks(&t, "header", "no Go program");
}

MS_TEST(inspect_finds_a_table_that_is_no_object)
{
	struct map_tables t = map_tables_classic();

	fake_heap_set(t.h, t.map, t.h->layout->hmap_buckets, t.now + 8);
	breaks(&t, "table", "not where a heap object begins");
}

MS_TEST(inspect_finds_a_table_of_the_wrong_size)
{
	struct map_tables t = map_tables_classic();

	fake_heap_set(t.h, t.map, t.h->layout->hmap_buckets, t.overflow);
	breaks(&t, "table", "not those of 4 buckets");
}

MS_TEST(inspect_finds_an_old_array_that_is_none)
{
	struct map_tables t = map_tables_classic();

	map_tables_grow(&t);
	fake_heap_set(t.h, t.map, t.h->layout->hmap_oldbuckets, t.overflow);
	breaks(&t, "old_table", "not those of 4 buckets");
}

MS_TEST(inspect_finds_a_tag_that_is_none)
{
	struct map_tables t = map_tables_classic();

	fake_heap_set(t.h, t.now, 0, 0x0000000000200322);
	breaks(&t, "tags", "slot 1 of bucket 0 has the tag 3");
}

MS_TEST(inspect_finds_an_entry_behind_the_end)
{
	struct map_tables t = map_tables_classic();

	fake_heap_set(t.h, t.now, 0, 0x0020000000002122);
	breaks(&t, "tags", "slot 6 of bucket 0 lies behind");
}

MS_TEST(inspect_finds_a_wrong_count)
{
	struct map_tables t = map_tables_classic();

	fake_heap_set(t.h, t.map, t.h->layout->hmap_count, 14);
	breaks(&t, "count", "15 entries are in the table, and the header counts 14");
}

MS_TEST(inspect_finds_a_chain_in_a_circle)
{
	struct map_tables t = map_tables_classic();

	fake_heap_set(t.h, map_tables_link(&t, t.overflow), 0, t.overflow);
	breaks(&t, "chain_cycle", "bucket 1 comes back to itself");
}

MS_TEST(inspect_finds_chains_that_join)
{
	struct map_tables t = map_tables_classic();

	fake_heap_set(t.h, map_tables_link(&t, t.now), 0, t.overflow);
	breaks(&t, "chain_cycle", "joins another's");
}

MS_TEST(inspect_finds_a_dangling_link)
{
	struct map_tables t = map_tables_classic();

	fake_heap_set(t.h, map_tables_link(&t, t.now), 0, 0xdead0000);
	breaks(&t, "overflow", "bucket 0 leads to 0xdead0000");
}

MS_TEST(inspect_finds_a_wrong_count_of_overflow)
{
	struct map_tables t = map_tables_classic();

	fake_heap_set(t.h, map_tables_link(&t, t.now + t.unit_bytes), 0, 0);
	fake_heap_set(t.h, t.map, t.h->layout->hmap_count, 13);
	breaks(&t, "overflow_count", "0 are in chains, and the header counts 1");
}

MS_TEST(inspect_finds_a_bucket_below_the_frontier)
{
	struct map_tables t = map_tables_classic();

	map_tables_grow(&t);
	fake_heap_set(t.h, t.map, t.h->layout->hmap_nevacuate, 2);
	breaks(&t, "frontier", "old bucket 1 lies below");
}

MS_TEST(inspect_finds_an_entry_in_two_arrays)
{
	struct map_tables t = map_tables_classic();

	map_tables_grow(&t);
	fake_heap_set(t.h, t.now, 3 * t.unit_bytes, 0x50);
	breaks(&t, "frontier", "bucket 3 has entries, and old bucket 3");
}

MS_TEST(inspect_finds_a_broken_swiss_header)
{
	struct map_tables t = map_tables_swiss();

	fake_heap_set(t.h, t.map, t.h->layout->map_global_depth, 2 | 63 << 8);
	breaks(&t, "header", "no Go program");
}

MS_TEST(inspect_finds_a_broken_directory)
{
	struct map_tables t = map_tables_swiss();

	fake_heap_set(t.h, t.tables[1], t.h->layout->table_index, 0);
	breaks(&t, "directory", "the table at directory entry 1 says it is 0");
}

MS_TEST(inspect_finds_a_directory_that_is_no_object)
{
	struct map_tables t = map_tables_swiss();

	fake_heap_set(t.h, t.map, t.h->layout->map_dir_ptr, t.directory + 8);
	breaks(&t, "directory", "not where a directory of 2 entries begins");
}

MS_TEST(inspect_finds_a_table_that_is_none)
{
	struct map_tables t = map_tables_swiss();

	fake_heap_set(t.h, t.tables[0], t.h->layout->table_length_mask, 2);
	breaks(&t, "tables", "directory entry 0");
}

MS_TEST(inspect_finds_groups_that_are_no_object)
{
	struct map_tables t = map_tables_swiss();

	fake_heap_set(t.h, t.tables[0], t.h->layout->table_groups, t.groups[0] + 8);
	breaks(&t, "tables", "where no heap object begins");
}

MS_TEST(inspect_finds_a_control_byte_that_is_none)
{
	struct map_tables t = map_tables_swiss();

	fake_heap_set(t.h, t.groups[1], 0, 0x8080808080809a21);
	breaks(&t, "tags", "slot 1 of group 2 has the control byte 0x9a");
}

MS_TEST(inspect_finds_a_wrong_count_of_a_swiss_map)
{
	struct map_tables t = map_tables_swiss();

	fake_heap_set(t.h, t.map, t.h->layout->map_used, 11);
	breaks(&t, "count", "10 entries are in the table, and the header counts 11");
}

MS_TEST(inspect_finds_a_table_that_counts_wrongly)
{
	struct map_tables t = map_tables_swiss();

	fake_heap_set(t.h, t.groups[0], 0, 0x8006050403020100);
	breaks(&t, "table_counts", "has 0 deleted slots, and by its growthLeft 1");
}

// --- Moving, or not to be read. ---

/** Before each read it was cleared and filled again: another seed each time. */
static void write_between(void *arg, uint64_t index, const struct ms_read *read)
{
	struct map_tables *t = arg;

	(void)read;
	fake_heap_set(t->h, t->map, t->h->layout->hmap_flags, 2 << 8 | 1 << 16 | (index + 1) << 32);
}

MS_TEST(inspect_calls_nothing_broken_that_moves)
{
	struct map_tables t = map_tables_classic();
	struct ms_inspect_report r;

	fake_target_before_read(&t.h->functions->fake, write_between, &t);
	r = map_tables_inspect(&t, MS_UNKNOWN);
	CHECK(!r.settled);
	CHECK_EQ(r.looks, 3);
	CHECK(r.unsettled_why != NULL);
	CHECK_EQ(ms_inspect_count(&r, MS_INVARIANT_BROKEN), 0);
	CHECK_EQ(ms_inspect_count(&r, MS_INVARIANT_HOLDS), 0);
	ms_inspect_report_deinit(&r);
	fake_heap_destroy(t.h);
}

MS_TEST(inspect_knows_a_write_under_way)
{
	struct map_tables t = map_tables_classic();
	struct ms_inspect_report r;

	fake_heap_set(t.h, t.map, t.h->layout->hmap_count, 14);
	fake_heap_set(t.h, t.map, t.h->layout->hmap_flags,
		      4 | 2 << 8 | 1 << 16 | (uint64_t)77 << 32);
	r = map_tables_inspect(&t, MS_UNKNOWN);
	CHECK(r.settled);
	CHECK_EQ(map_tables_invariant(&r, "count")->state, MS_INVARIANT_UNKNOWN);
	CHECK_EQ(map_tables_invariant(&r, "overflow")->state, MS_INVARIANT_HOLDS);
	ms_inspect_report_deinit(&r);
	fake_heap_destroy(t.h);
}

MS_TEST(inspect_survives_each_fault)
{
	for (uint64_t n = 0; n < 40; n++) {
		struct map_tables t = n % 2 ? map_tables_classic() : map_tables_swiss();
		struct ms_inspect_report r;

		fake_target_fail_read(&t.h->functions->fake, n / 2);
		const struct ms_inspect_options options = { .unit = 1, .looks = 1 };
		struct ms_error *err = ms_inspect_run(&t.h->functions->rt, t.row, &options, &r);

		if (!err) {
			CHECK_EQ(ms_inspect_count(&r, MS_INVARIANT_BROKEN), 0);
			CHECK(r.is_read || r.unread_why);
			ms_inspect_report_deinit(&r);
		}
		ms_error_free(err);
		fake_heap_destroy(t.h);
	}
}

MS_TEST(inspect_survives_noise)
{
	for (unsigned round = 0; round < 300; round++) {
		struct map_tables t = round % 2 ? map_tables_classic() : map_tables_swiss();
		struct ms_inspect_report r;

		if (round % 4 == 3)
			map_tables_grow(&t);
		for (unsigned n = 0; n < 1 + round % 6; n++) {
			size_t at = (size_t)(ms_test_random() % t.h->objects_used);

			t.h->objects[at] = (uint8_t)ms_test_random();
			at = (size_t)(t.map - FAKE_OBJECTS) + ms_test_random() % 48;
			t.h->objects[at] ^= (uint8_t)(1 << ms_test_random() % 8);
		}
		const struct ms_inspect_options options = { .unit = ms_test_random() % 9,
							    .looks = 1,
							    .keys = true };
		struct ms_error *err = ms_inspect_run(&t.h->functions->rt, t.row, &options, &r);

		if (!err)
			ms_inspect_report_deinit(&r);
		ms_error_free(err);
		fake_heap_destroy(t.h);
	}
}

MS_TEST(inspect_shows_the_header_of_a_map_without_table)
{
	struct map_tables t = map_tables_classic();
	struct ms_inspect_report r;

	fake_heap_set(t.h, t.map, t.h->layout->hmap_count, 0);
	fake_heap_set(t.h, t.map, t.h->layout->hmap_flags, (uint64_t)0x12345 << 32);
	fake_heap_set(t.h, t.map, t.h->layout->hmap_buckets, 0);
	r = map_tables_inspect(&t, MS_UNKNOWN);
	CHECK_EQ(r.stage, MS_STAGE_NEVER_WRITTEN);
	CHECK(!r.is_read);
	CHECK_EQ(r.word_count, 9);
	CHECK(!r.keys.known);
	ms_inspect_report_deinit(&r);
	fake_heap_destroy(t.h);
}

MS_TEST(inspect_reads_no_table_whose_units_it_does_not_know)
{
	struct map_tables t = map_tables_classic();
	struct ms_inspect_report r;

	t.row->type = "map[int]main.Nothing"; // And two types of the program would fit.
	fake_type_map(&t.h->types, "map[int8]int8",
		      fake_type_plain(&t.h->types, FAKE_KIND_INT, "int8", 8),
		      fake_type_array(&t.h->types, "[7]int8",
				      fake_type_plain(&t.h->types, FAKE_KIND_INT, "b", 1), 7));
	fake_heap_forget_types(t.h);
	r = map_tables_inspect(&t, MS_UNKNOWN);
	if (!r.is_read) {
		CHECK(strstr(r.unread_why, "type is not known") != NULL);
		CHECK_EQ(map_tables_invariant(&r, "count")->state, MS_INVARIANT_UNKNOWN);
	}
	CHECK(!r.layout.known);
	ms_inspect_report_deinit(&r);
	fake_heap_destroy(t.h);
}

MS_TEST(inspect_believes_no_unit_of_any_size)
{
	static const uint64_t sizes[] = { 0, 1, 8, 5000, 1 << 21, UINT32_MAX };

	for (size_t n = 0; n < 2 * MS_ARRAY_SIZE(sizes); n++) {
		struct map_tables t = n % 2 ? map_tables_classic() : map_tables_swiss();
		const struct ms_go_layout *l = t.h->layout;
		ms_addr unit = fake_types_get(&t.h->types, t.type,
					      n % 2 ? l->maptype_bucket : l->maptype_group);
		struct ms_inspect_report r;

		fake_types_set(&t.h->types, unit, l->type_bytes, sizes[n / 2]);
		if (n % 2 == 0)
			fake_types_set(&t.h->types, t.type, l->maptype_group_size, sizes[n / 2]);
		fake_heap_forget_types(t.h);
		r = map_tables_inspect(&t, 1);
		CHECK(!r.is_read || r.layout.unit_bytes == t.unit_bytes);
		ms_inspect_report_deinit(&r);
		fake_heap_destroy(t.h);
	}
}

// --- Rows for what a census passed over. ---

MS_TEST(inspect_adds_rows_for_objects_alone)
{
	struct map_tables t = map_tables_classic();
	ms_addr other = fake_heap_new(t.h, t.h->layout->hmap_size, 0);
	const ms_addr addresses[] = { other, t.map, other + 8, 0xdead0000 };
	struct ms_census_report *census = &t.h->report;

	CHECK_OK(ms_inspect_add_rows(&t.h->functions->rt, addresses, 4, census));
	CHECK_EQ(census->map_count, 2);
	CHECK(ms_census_row_at(census, other) != NULL);
	CHECK_EQ(ms_census_row_at(census, other)->where, MS_WHERE_HEAP);
	fake_heap_destroy(t.h);
}
