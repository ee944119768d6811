// Goal: what the kernel says of a growth becomes sizes that Go would allocate, counts are never
// lost whatever their number, and a map is named after no other that lay at its address. Method:
// events, sums and census rows made by hand.
#include "trace/growth_describe.h"
#include "trace/growth_sums.h"
#include "trace/name_maps.h"

#include "tests/support/test.h"

static const struct ms_growth_type plain = { "map[int]int", 8 + 8 * 16 + 8, false };

static struct ms_growth_event sizes(int release, unsigned experiments, struct ms_bpf_event raw)
{
	const struct ms_go_layout *l = ms_go_layout_find(release, MS_ARCH_AMD64, experiments);
	struct ms_growth_event e = { 0 };

	CHECK(l != NULL);
	ms_growth_describe_sizes(l, &raw, &plain, &e);
	return e;
}

MS_TEST(growth_describe_classic)
{
	struct ms_growth_event e =
	    sizes(MS_GO_PATCH(1, 19, 4), 0,
		  (struct ms_bpf_event){ .kind = MS_BPF_HASH_GROW, .slots = 128, .is_over = 1 });

	CHECK_EQ(e.kind, MS_GROWTH_EVENT_DOUBLE);
	CHECK_EQ(e.from, 128);
	CHECK_EQ(e.to, 256);
	CHECK_EQ(e.capacity, 128);
	CHECK_EQ(e.from_bytes, 2688); // 16 buckets and one kept for overflow: 2,448.
	CHECK_EQ(e.to_bytes, 5376);   // 32 and 2: 4,896.
	CHECK_EQ(e.together_bytes, 2688 + 5376);
	e = sizes(MS_GO_PATCH(1, 19, 4), 0,
		  (struct ms_bpf_event){ .kind = MS_BPF_HASH_GROW, .slots = 128 });
	CHECK_EQ(e.kind, MS_GROWTH_EVENT_SAME_SIZE);
	CHECK_EQ(e.to, 128);
}

MS_TEST(growth_describe_what_was_not_read)
{
	static const struct ms_bpf_event odd[] = {
		{ .kind = MS_BPF_HASH_GROW, .slots = 128, .unread = MS_BPF_UNREAD_MAP },
		{ .kind = MS_BPF_HASH_GROW, .slots = 100 },
		{ .kind = MS_BPF_HASH_GROW, .slots = 0 },
	};

	for (size_t i = 0; i < MS_ARRAY_SIZE(odd); i++) {
		struct ms_growth_event e = sizes(MS_GO_PATCH(1, 19, 4), 0, odd[i]);

		CHECK_EQ(e.from, MS_UNKNOWN);
		CHECK_EQ(e.to_bytes, MS_UNKNOWN);
		CHECK_EQ(e.capacity, MS_UNKNOWN);
	}
}

MS_TEST(growth_describe_swiss)
{
	const unsigned swiss = MS_GO_EXP_SWISS;
	const int release = MS_GO_PATCH(1, 24, 13);
	struct ms_growth_event e;

	e = sizes(
	    release, swiss,
	    (struct ms_bpf_event){ .kind = MS_BPF_TABLE_SPLIT, .slots = 1024, .directory = 4 });
	CHECK_EQ(e.kind, MS_GROWTH_EVENT_SPLIT);
	CHECK_EQ(e.to, 2048);
	CHECK_EQ(e.to_bytes, 2 * e.from_bytes);
	CHECK_EQ(e.capacity, MS_UNKNOWN); // Of other tables nothing was read.
	e = sizes(release, swiss,
		  (struct ms_bpf_event){ .kind = MS_BPF_TABLE_GROW, .slots = 64, .directory = 1 });
	CHECK_EQ(e.kind, MS_GROWTH_EVENT_DOUBLE);
	CHECK_EQ(e.capacity, 64);
	e = sizes(release, swiss, (struct ms_bpf_event){ .kind = MS_BPF_TO_SMALL });
	CHECK_EQ(e.from, 0);
	CHECK_EQ(e.to, 8);
	CHECK_EQ(e.from_bytes, 0);
	e = sizes(release, swiss,
		  (struct ms_bpf_event){ .kind = MS_BPF_TABLE_GROW, .slots = 4096 });
	CHECK_EQ(e.from, MS_UNKNOWN); // No table has so many.
}

MS_TEST(growth_sums_beyond_their_room)
{
	struct ms_trace_report report = { 0 };
	struct ms_growth_sums sums = { .report = &report };
	uint64_t total = 0;

	for (uint64_t map = 1; map <= MS_GROWTH_SUMS_MAX + 1000; map++) {
		const struct ms_growth_sum one = { .map = map, .count = 2, .to_bytes = 10 };

		CHECK_OK(ms_growth_sums_add(&sums, &one));
		CHECK_OK(ms_growth_sums_add(&sums, &one));
	}
	ms_growth_sums_order(sums.report);
	CHECK_EQ(report.sum_count, MS_GROWTH_SUMS_MAX + 1);
	CHECK_EQ(report.sums[0].map, 0); // The largest: that of all others.
	CHECK_EQ(report.sums[0].count, 4000);
	for (size_t i = 0; i < report.sum_count; i++)
		total += report.sums[i].count;
	CHECK_EQ(total, 4 * (MS_GROWTH_SUMS_MAX + 1000));
	ms_growth_sums_deinit(&sums);
	ms_trace_report_deinit(&report);
}

MS_TEST(trace_names_maps_of_their_type)
{
	struct ms_growth_event events[] = { { .map = 0x1000, .type = "map[int]int" },
					    { .map = 0x2000, .type = "map[int]int" },
					    { .map = 0x3000, .type = "map[int]int" },
					    { .map = 0x2000, .owner = "known" } };
	struct ms_map_row rows[] = {
		{ .address = 0x1000, .type = "map[int]int", .owner = "a.b" },
		{ .address = 0x2000, .type = "map[string]int", .owner = "c" }
	};
	struct ms_trace_report report = { .events = events, .event_count = 4 };
	const struct ms_census_report census = { .maps = rows, .map_count = 2 };

	CHECK(ms_trace_has_nameless(&report));
	CHECK_OK(ms_trace_name_maps(&report, &census));
	CHECK_STR(events[0].owner, "a.b");
	CHECK(events[0].owner != rows[0].owner); // A copy: the census goes first.
	CHECK(events[1].owner == NULL);          // Another map lay there.
	CHECK(events[2].owner == NULL);
	CHECK_STR(events[3].owner, "known");
	ms_arena_deinit(&report.arena);
}
