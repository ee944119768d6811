// name_maps_test.c - Goal: events have the owner and type of the map they are of, not of another.
// Method: a report and a census made by hand; what each event is called afterwards.
#include "trace/name_maps.h"

#include "tests/support/test.h"

static const struct {
	ms_addr map;
	const char *type, *want_type, *want_owner;
} cases[] = {
	{ 0x1000, "map[string]int", "map[string]int", "main.a" },
	{ 0x1000, NULL, "map[string]int", "main.a" },
	// Compiled once for a shape, by Go 1.18 and 1.19.
	{ 0x1000, "map[go.shape.string_0]go.shape.int_1", "map[string]int", "main.a" },
	{ 0x1000, "map[int]int", "map[int]int", NULL }, // Another map lay there.
	{ 0x2000, "map[go.shape.int_0]bool", "map[go.shape.int_0]bool", "main.b" },
	{ 0x3000, "map[go.shape.int_0]bool", "map[go.shape.int_0]bool", NULL }, // No row.
};

MS_TEST(name_maps_by_address_and_type)
{
	struct ms_map_row rows[] = {
		{ .address = 0x1000, .type = "map[string]int", .owner = "main.a" },
		{ .address = 0x2000, .owner = "main.b" },
	};
	struct ms_census_report census = { .maps = rows, .map_count = MS_ARRAY_SIZE(rows) };
	struct ms_growth_event events[MS_ARRAY_SIZE(cases)] = { 0 };
	struct ms_trace_report report = { .events = events, .event_count = MS_ARRAY_SIZE(cases) };

	for (size_t i = 0; i < MS_ARRAY_SIZE(cases); i++) {
		events[i].map = cases[i].map;
		events[i].type = cases[i].type;
	}
	CHECK_OK(ms_trace_name_maps(&report, &census));
	for (size_t i = 0; i < MS_ARRAY_SIZE(cases); i++) {
		CHECK_STR(events[i].type, cases[i].want_type);
		CHECK(!events[i].owner == !cases[i].want_owner);
		if (cases[i].want_owner)
			CHECK_STR(events[i].owner, cases[i].want_owner);
	}
	ms_arena_deinit(&report.arena);
}
