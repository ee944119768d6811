// Goal: of a target that lost its span table, a census has maps of the program only, with what is
// true of each, and says that it is not whole.
// Method: each recording is read with its memory missing from the runtime's own on, and once more
// from the middle of its heap on; what comes out is held against the census of the whole, against
// what the program says of itself, and against what it made to look like a map.
#include "base/cleanup.h"
#include "base/vec.h"
#include "cli/interrupt.h"
#include "cli/take_census.h"
#include "golang/goroutines.h"
#include "target/fetch.h"
#include "tests/support/cut_target.h"
#include "tests/support/golden.h"
#include "tests/support/recordings.h"
#include "tests/support/test.h"
#include "walk/walk.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

// The kernel's mappings, and so the runtime's own memory, are above; the heap is below.
static const ms_addr RUNTIME = 0x7e0000000000;

enum { FILLED = 32 };

struct looks {
	FILE *out;
	struct ms_options options;
	ms_addr end; // 0: the middle of the heap.
};

/** What both know of a number has to be the same. */
static void check_number(uint64_t seen, uint64_t whole)
{
	if (seen != MS_UNKNOWN && whole != MS_UNKNOWN)
		CHECK_EQ(seen, whole);
}

static void check_same(const struct ms_map_row *row, const struct ms_map_row *whole)
{
	CHECK_EQ(row->entries, whole->entries);
	CHECK_EQ(row->kind, whole->kind);
	CHECK_EQ(row->where, whole->where);
	CHECK_EQ(row->growing, whole->growing);
	CHECK_EQ(row->tables, whole->tables);
	check_number(row->capacity, whole->capacity);
	check_number(row->grow_at, whole->grow_at);
	check_number(row->overflow_buckets, whole->overflow_buckets);
	check_number(row->deleted_slots, whole->deleted_slots);
	check_number(row->live_bytes, whole->live_bytes);
	check_number(row->total_bytes, whole->total_bytes);
	check_number(row->slack_bytes, whole->slack_bytes);
	if (row->type && whole->type)
		CHECK_STR(row->type, whole->type);
}

/** The same with types and owners. */
static void take_whole(const struct looks *l, const char *name, struct ms_census_report *ret_report)
{
	struct ms_session s = { .options = &l->options, .target = recording_open(name) };

	CHECK_OK(ms_go_open(s.target, NULL, &s.rt));
	CHECK_OK(ms_take_census(&s, MS_TAKE_MEMORY, ret_report));
	ms_session_deinit(&s);
}

static void check_rows(const struct ms_census_report *whole, const struct truth *truth,
		       const struct ms_census_report *r)
{
	for (size_t i = 0; i < r->map_count; i++) {
		const struct ms_map_row *row = &r->maps[i];
		const struct ms_map_row *same = census_row(whole, row->address);

		printf("map at 0x%" PRIx64 "\n", row->address);
		CHECK(i == 0 || r->maps[i - 1].address < row->address);
		CHECK(same != NULL);
		check_same(row, same);
		for (size_t k = 0; k < truth->decoys.count; k++)
			CHECK(truth->decoys.items[k].address != row->address);
		for (size_t k = 0; k < truth->maps.count; k++) {
			const struct truth_map *map = &truth->maps.items[k];

			if (map->address == row->address && row->type)
				CHECK_STR(row->type, map->type);
		}
	}
}

/** The end of the lower half of its maps. */
static ms_addr middle(const struct ms_census_report *whole)
{
	return whole->maps[whole->map_count / 2].address & ~(ms_addr)4095;
}

static void check_cut(const struct recorded_census *whole, void *context)
{
	struct looks *l = context;
	ms_addr end = l->end ? l->end : middle(&whole->report);
	struct ms_session s = { .options = &l->options,
				.target = cut_target_create(recording_open(whole->name), end) };
	struct ms_census_report report = { 0 }, typed = { 0 };

	take_whole(l, whole->name, &typed);
	CHECK_OK(ms_go_open(s.target, NULL, &s.rt));
	CHECK(s.rt->lacks_spans);
	CHECK_OK(ms_take_census(&s, MS_TAKE_MEMORY, &report));
	CHECK(report.partial && strstr(report.partial_reason, "table of spans"));
	CHECK_EQ(report.heap_bytes, MS_UNKNOWN);
	CHECK(!report.memory.known);
	check_rows(&typed, &whole->truth, &report);
	CHECK_EQ(report.coverage.read, report.map_count);
	CHECK(report.coverage.seen <= report.map_count + ms_coverage_skipped(&report.coverage));
	fprintf(l->out, "%s: %zu of %zu maps, skipped %" PRIu64 "\n", whole->name, report.map_count,
		whole->report.map_count, ms_coverage_skipped(&report.coverage));
	ms_census_report_deinit(&report);
	ms_census_report_deinit(&typed);
	ms_session_deinit(&s);
}

static void check_all(ms_addr end, const char *golden)
{
	MS_AUTO_FREE char *text = NULL;
	size_t size = 0;
	struct looks l = { .out = open_memstream(&text, &size), .end = end };

	on_each_census(check_cut, &l);
	fclose(l.out);
	CHECK_GOLDEN(text, size, golden);
}

MS_TEST(cut_census_of_each_recording_is_of_its_maps)
{
	check_all(RUNTIME, "recordings/cut.txt");
}

MS_TEST(cut_census_of_half_a_heap_is_of_its_maps)
{
	check_all(0, "recordings/cut_half.txt");
}

/** A walk that may visit next to nothing says so beside what it lacks. */
static void check_limit(const struct recorded_census *whole, void *context)
{
	struct ms_typed_maps typed = { 0 };
	const struct ms_walk_options options = { .objects_max = 1, .typed = &typed };
	struct ms_target *t = cut_target_create(recording_open(whole->name), RUNTIME);
	struct ms_census_report report = { 0 };
	struct ms_go_runtime *rt;

	(void)context;
	CHECK_OK(ms_go_open(t, NULL, &rt));
	CHECK_OK(ms_walk_run(rt, &options, &report));
	CHECK(report.coverage.walk.cut);
	CHECK_STR(report.coverage.walk.limit, "it had visited as many objects as it may");
	CHECK_CONTAINS(report.coverage.walk.cut_reason, "spans are missing");
	CHECK_CONTAINS(report.coverage.walk.cut_reason, report.coverage.walk.limit);
	ms_census_report_deinit(&report);
	ms_vec_free(&typed);
	ms_go_close(rt);
	ms_target_destroy(t);
}

MS_TEST(cut_census_walk_says_all_that_kept_it)
{
	on_each_census(check_limit, NULL);
}

/** The user's wish that it be over stands beside what is missing. */
static void check_interrupted(const struct recorded_census *whole, void *context)
{
	struct looks *l = context;
	struct ms_session s = { .options = &l->options,
				.target = cut_target_create(recording_open(whole->name), RUNTIME) };
	struct ms_census_report report = { 0 };

	CHECK_OK(ms_go_open(s.target, NULL, &s.rt));
	CHECK_OK(ms_take_census(&s, MS_TAKE_MEMORY, &report));
	CHECK_CONTAINS(report.partial_reason, "table of spans");
	CHECK_CONTAINS(report.partial_reason, "did not get to its end: its time was over");
	ms_census_report_deinit(&report);
	ms_session_deinit(&s);
}

MS_TEST(cut_census_that_is_interrupted_says_so)
{
	struct looks l = { 0 };

	ms_interrupt_catch();
	raise(SIGINT);
	on_each_census(check_interrupted, &l);
}

/** The descriptor of the map type that the program calls so; 0 when there is none, or several. */
static ms_addr type_called(struct ms_go_runtime *rt, const char *name)
{
	const struct ms_types *types;
	ms_addr found = 0;

	CHECK_OK(ms_go_types(rt, &types));
	for (size_t i = 0; i < types->count; i++) {
		if (!ms_types_is_called(types, rt->layout, types->items[i].address, name))
			continue;
		if (found)
			return 0;
		found = types->items[i].address;
	}
	return found;
}

/** As a walk would that comes to all of its maps: each is judged by its own table. */
static void check_typed(const struct recorded_census *whole, void *context)
{
	struct ms_typed_maps typed = { 0 };
	const struct ms_census_options options = { .typed = &typed };
	struct ms_target *t = cut_target_create(recording_open(whole->name), RUNTIME);
	struct ms_census_report report;
	struct ms_go_runtime *rt;

	(void)context;
	CHECK_OK(ms_go_open(t, NULL, &rt));
	for (size_t i = 0; i < whole->truth.maps.count; i++) {
		const struct truth_map *map = &whole->truth.maps.items[i];
		ms_addr type = map->on_stack ? 0 : type_called(rt, map->type);

		if (type)
			CHECK(ms_vec_push(&typed, { map->address, type }));
	}
	CHECK(typed.count > 20);
	CHECK_OK(ms_census_run(rt, &options, &report));
	for (size_t i = 0; i < whole->truth.maps.count; i++) {
		const struct truth_map *map = &whole->truth.maps.items[i];
		const struct ms_map_row *row = census_row(&report, map->address);

		printf("map at 0x%" PRIx64 ", %s\n", map->address, map->type);
		if (map->on_stack || !type_called(rt, map->type))
			continue;
		CHECK(row != NULL);
		check_row(map, row);
		check_same(row, census_row(&whole->report, map->address));
		CHECK(row->total_bytes != MS_UNKNOWN || row->growing || map->bucket_log2 >= 16);
	}
	ms_census_report_deinit(&report);
	ms_vec_free(&typed);
	ms_go_close(rt);
	ms_target_destroy(t);
}

MS_TEST(cut_census_judges_what_a_walk_leads_to)
{
	on_each_census(check_typed, NULL);
}

/** As a walk would that is led astray: what was made to look like a map, as the wrong type. */
static void check_astray(const struct recorded_census *whole, void *context)
{
	struct ms_typed_maps typed = { 0 };
	const struct ms_census_options options = { .typed = &typed };
	struct ms_target *t = cut_target_create(recording_open(whole->name), RUNTIME);
	const struct ms_types *types;
	struct ms_census_report report;
	struct ms_go_runtime *rt;

	(void)context;
	CHECK_OK(ms_go_open(t, NULL, &rt));
	CHECK_OK(ms_go_types(rt, &types));
	for (size_t i = 0; i < whole->truth.maps.count; i++) {
		const struct truth_map *map = &whole->truth.maps.items[i];
		ms_addr type = map->on_stack ? 0 : type_called(rt, map->type);

		// Eight bytes on, as a pointer to its middle would; and as another type.
		if (type)
			CHECK(ms_vec_push(&typed, { map->address + 8, type }));
		for (size_t k = 0; k < types->count && type; k++) {
			if (types->items[k].table_bytes > 4 * sizeof(ms_addr) &&
			    types->items[k].address != type && map->capacity > 64)
				CHECK(
				    ms_vec_push(&typed, { map->address, types->items[k].address }));
		}
	}
	CHECK_OK(ms_census_run(rt, &options, &report));
	for (size_t i = 0; i < report.map_count; i++) {
		const struct ms_map_row *row = &report.maps[i];
		const struct ms_map_row *same = census_row(&whole->report, row->address);

		printf("map at 0x%" PRIx64 "\n", row->address);
		CHECK(same != NULL);
		CHECK_EQ(row->entries, same->entries);
		// A table that is nearly empty fits whatever has room for its bytes.
		if (row->entries >= FILLED) {
			check_number(row->total_bytes, same->total_bytes);
			check_number(row->live_bytes, same->live_bytes);
		}
	}
	ms_census_report_deinit(&report);
	ms_vec_free(&typed);
	ms_go_close(rt);
	ms_target_destroy(t);
}

MS_TEST(cut_census_refuses_what_a_walk_gone_astray_leads_to)
{
	on_each_census(check_astray, NULL);
}

/** The bytes of a map's table, when its type is known and it is alone in being called so. */
static uint64_t table_bytes(struct ms_go_runtime *rt, const struct truth_map *map,
			    ms_addr *ret_type)
{
	const struct ms_types *types;

	*ret_type = map->on_stack ? 0 : type_called(rt, map->type);
	CHECK_OK(ms_go_types(rt, &types));
	for (size_t i = 0; i < types->count; i++) {
		if (*ret_type && types->items[i].address == *ret_type)
			return map->capacity / 8 * types->items[i].table_bytes;
	}
	return 0;
}

/** More maps than one batch holds the tables of: each table that is read whole is there often. */
static void check_many(const struct recorded_census *whole, void *context)
{
	struct ms_typed_maps typed = { 0 };
	const struct ms_census_options options = { .typed = &typed };
	struct ms_target *t = cut_target_create(recording_open(whole->name), RUNTIME);
	struct ms_census_report report;
	struct ms_go_runtime *rt;
	uint64_t bytes = 0;
	unsigned *looks = context;

	CHECK_OK(ms_go_open(t, NULL, &rt));
	for (size_t i = 0; i < whole->truth.maps.count; i++) {
		uint64_t size;
		ms_addr type;

		size = table_bytes(rt, &whole->truth.maps.items[i], &type);
		if (rt->layout->maps != MS_GO_MAPS_CLASSIC || size < 16 << 10 ||
		    size > MS_READ_BYTES_MAX)
			continue;
		for (; bytes <= MS_FETCH_BYTES_MAX; bytes += size)
			CHECK(ms_vec_push(&typed, { whole->truth.maps.items[i].address, type }));
		break;
	}
	if (typed.count && !*looks) { // As slow as it is large.
		++*looks;
		printf("%zu times\n", typed.count);
		CHECK_OK(ms_census_run(rt, &options, &report));
		CHECK(census_row(&report, typed.items[0].address) != NULL);
		ms_census_report_deinit(&report);
	}
	ms_vec_free(&typed);
	ms_go_close(rt);
	ms_target_destroy(t);
}

MS_TEST(cut_census_of_more_than_a_batch_holds_has_it_all)
{
	unsigned looks = 0;

	on_each_census(check_many, &looks);
	CHECK_EQ(looks, 1);
}

/** Headers with a directory of 32 MiB that is not there. */
static void check_directory(const struct recorded_census *whole, void *context)
{
	struct ms_typed_maps typed = { 0 };
	const struct ms_census_options options = { .typed = &typed };
	struct ms_target *t = cut_target_create(recording_open(whole->name), RUNTIME);
	const struct ms_go_layout *l;
	struct ms_census_report report;
	struct ms_go_runtime *rt;
	uint8_t raw[CUT_PATCH_MAX];
	uint64_t length = (uint64_t)1 << 22;

	(void)context;
	CHECK_OK(ms_go_open(t, NULL, &rt));
	l = rt->layout;
	for (size_t i = 0; i < whole->truth.maps.count && !typed.count; i++) {
		const struct truth_map *map = &whole->truth.maps.items[i];
		ms_addr type;

		if (table_bytes(rt, map, &type) < 4096 || l->maps != MS_GO_MAPS_SWISS)
			continue;
		CHECK(l->map_size <= sizeof(raw));
		CHECK_OK(ms_target_read(t, map->address, raw, l->map_size));
		memcpy(raw + l->map_dir_len, &length, sizeof(length));
		raw[l->map_global_depth] = 22;
		raw[l->map_global_shift] = 64 - 22;
		cut_target_patch(t, map->address, raw, l->map_size);
		for (size_t k = 0; k < 12; k++)
			CHECK(ms_vec_push(&typed, { map->address, type }));
	}
	if (typed.count) {
		CHECK_OK(ms_census_run(rt, &options, &report));
		CHECK(!census_row(&report, typed.items[0].address));
		CHECK(ms_coverage_skipped(&report.coverage) >= typed.count);
		ms_census_report_deinit(&report);
	}
	ms_vec_free(&typed);
	ms_go_close(rt);
	ms_target_destroy(t);
}

MS_TEST(cut_census_passes_over_directories_that_are_not_there)
{
	on_each_census(check_directory, NULL);
}

/** One that was there from the first on: what is missing is counted. */
static void check_goroutines(const struct recorded_census *whole, void *context)
{
	struct ms_target *t =
	    cut_target_create(recording_open(whole->name), *(const ms_addr *)context);
	struct ms_goroutines all = { 0 }, true_all = { 0 };
	struct ms_go_runtime *rt;

	CHECK_OK(ms_go_open(t, NULL, &rt));
	CHECK(rt->allgs != 0);
	CHECK_OK(ms_goroutines_load(rt, &all));
	CHECK_OK(ms_goroutines_load(whole->rt, &true_all));
	CHECK_EQ(all.count + all.dead + all.unreadable,
		 true_all.count + true_all.dead + true_all.unreadable);
	CHECK_EQ(all.count, true_all.count);
	ms_goroutines_deinit(&all);
	ms_goroutines_deinit(&true_all);
	ms_go_close(rt);
	ms_target_destroy(t);
}

MS_TEST(cut_target_has_its_goroutines)
{
	ms_addr end = RUNTIME;

	on_each_census(check_goroutines, &end);
}

/** Nothing but a cut makes an open forgive that spans are missing. */
MS_TEST(cut_target_alone_may_lack_its_spans)
{
	struct recording_names names;
	struct ms_target *t;
	struct ms_go_runtime *rt;
	struct ms_error *err;

	recordings_list(&names);
	t = cut_target_create(recording_open(names.items[0]), RUNTIME);
	t->is_cut = false;
	err = ms_go_open(t, NULL, &rt);
	CHECK_EQ(ms_error_code(err), MS_ERR_UNSUPPORTED);
	ms_error_free(err);
	ms_target_destroy(t);
}
