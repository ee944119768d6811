// Goal: the parts of memory in order, maps' share, and the types that are worth a name.
#include "report/memory.h"

#include "base/cleanup.h"
#include "tests/support/test.h"

#include <math.h>
#include <stdlib.h>

MS_TEST(memory_parts_are_each_named_once)
{
	struct ms_memory m = { .known = true };
	struct ms_memory_part parts[MS_MEMORY_PARTS];

	ms_memory_parts(&m, parts);
	for (size_t i = 0; i < MS_MEMORY_PARTS; i++) {
		CHECK_EQ(parts[i].bytes, 0);
		for (size_t k = 0; k < i; k++)
			CHECK(strcmp(parts[i].field, parts[k].field) != 0);
	}
	m.known = false;
	ms_memory_parts(&m, parts);
	for (size_t i = 0; i < MS_MEMORY_PARTS; i++)
		CHECK_EQ(parts[i].bytes, MS_UNKNOWN);
}

MS_TEST(memory_share_of_maps)
{
	struct ms_memory m = { .known = true,
			       .map_live_bytes = 10,
			       .map_slack_bytes = 20,
			       .other_live_bytes = 90,
			       .garbage_bytes = 1000 };

	CHECK_EQ(ms_memory_live_bytes(&m), 120);
	CHECK(ms_memory_map_share(&m) == 0.25);
	m.known = false;
	CHECK_EQ(ms_memory_live_bytes(&m), MS_UNKNOWN);
	CHECK(isnan(ms_memory_map_share(&m)));
	m = (struct ms_memory){ .known = true };
	CHECK(isnan(ms_memory_map_share(&m))); // No heap: no share of it.
}

MS_TEST(memory_types_by_bytes_without_maps_own)
{
	static const struct ms_type_total types[] = {
		{ "node", 3, 30, 4, false },      { "[]uint8", 2, 64, 5, false },
		{ NULL, 9, 9000, 6, false },      { "map.bucket[int]int", 1, 500, 8, true },
		{ "[]uint8", 1, 4096, 1, false }, { "leaf", 3, 30, 4, false },
	};
	struct ms_memory m = { .known = true };
	struct ms_type_total top[3];
	size_t count = 9;

	CHECK(ms_memory_take_types(&m, types, MS_ARRAY_SIZE(types)));
	CHECK_EQ(m.type_count, 5); // The nameless one is left out.
	CHECK_STR(m.types[0].type, "[]uint8");
	CHECK_EQ(m.types[0].bytes, 4096);
	CHECK_STR(m.types[1].type, "map.bucket[int]int");
	ms_memory_top_types(&m, 3, top, &count);
	CHECK_EQ(count, 3);
	CHECK_STR(top[0].type, "[]uint8");
	CHECK_EQ(top[0].bytes, 4160);
	CHECK_EQ(top[0].objects, 3);
	CHECK_STR(top[1].type, "leaf"); // Equal bytes: by name.
	CHECK_STR(top[2].type, "node");
	CHECK(ms_memory_take_types(&m, NULL, 0));
	ms_memory_top_types(&m, 3, top, &count);
	CHECK_EQ(count, 0);
	ms_memory_deinit(&m);
}

MS_TEST(memory_keeps_no_more_types_than_have_room)
{
	struct ms_memory m = { .known = true };
	struct ms_type_total types[3 * MS_MEMORY_TYPES_MAX], top[2];
	char names[MS_ARRAY_SIZE(types)][16];
	size_t count;

	for (size_t i = 0; i < MS_ARRAY_SIZE(types); i++) {
		snprintf(names[i], sizeof(names[i]), "t%zu", i);
		types[i] = (struct ms_type_total){ .type = names[i], .bytes = i };
	}
	CHECK(ms_memory_take_types(&m, types, MS_ARRAY_SIZE(types)));
	CHECK_EQ(m.type_count, MS_MEMORY_TYPES_MAX);
	ms_memory_top_types(&m, 2, top, &count);
	CHECK_EQ(count, 2);
	CHECK_EQ(top[0].bytes, MS_ARRAY_SIZE(types) - 1);
	ms_memory_deinit(&m);
}

MS_TEST(memory_classes_by_live_bytes)
{
	struct ms_size_class_row rows[] = {
		{ .live_bytes = 5 }, { .live_bytes = 9 }, { .live_bytes = 5 }, { .live_bytes = 70 }
	};
	struct ms_memory m = { .classes = rows, .class_count = MS_ARRAY_SIZE(rows) };
	MS_AUTO_FREE size_t *order = ms_memory_class_order(&m);

	CHECK(order != NULL);
	CHECK_EQ(order[0], 3);
	CHECK_EQ(order[1], 1);
	CHECK_EQ(order[2], 0); // Equal rows stay as they were.
	CHECK_EQ(order[3], 2);
}

static void check_split(const struct ms_memory *m, uint64_t live, uint64_t slack, uint64_t other)
{
	CHECK_EQ(m->map_live_bytes, live);
	CHECK_EQ(m->map_slack_bytes, slack);
	CHECK_EQ(m->other_live_bytes, other);
}

MS_TEST(memory_is_split_anew_when_more_maps_are_known)
{
	struct ms_memory m = { .known = true, .other_live_bytes = 1000 };

	ms_memory_split_maps(&m, (struct ms_map_bytes){ .live = 100, .total = 400 });
	check_split(&m, 100, 300, 600);
	ms_memory_split_maps(&m, (struct ms_map_bytes){ .live = 150, .total = 550 });
	check_split(&m, 150, 400, 450);
	m.map_absent_bytes = 250; // Of a table that was made and not filled.
	ms_memory_split_maps(&m, (struct ms_map_bytes){ .live = 150, .total = 550 });
	check_split(&m, 150, 150, 700);
	ms_memory_split_maps(
	    &m, (struct ms_map_bytes){ .live = 700,
				       .total = 1500 }); // More than lives: some died meanwhile.
	check_split(&m, 700, 300, 0);
	ms_memory_split_maps(&m, (struct ms_map_bytes){ .live = 1500, .total = 1600 });
	check_split(&m, 1000, 0, 0);
	ms_memory_split_maps(&m, (struct ms_map_bytes){ .live = 0, .total = 0 });
	check_split(&m, 0, 0, 1000);
	m.map_absent_bytes = 0;
	ms_memory_split_maps(&m,
			     (struct ms_map_bytes){ .live = 100, .total = 400, .untyped = 120 });
	check_split(&m, 100, 180, 600);
	CHECK_EQ(m.map_untyped_bytes, 120);
}
