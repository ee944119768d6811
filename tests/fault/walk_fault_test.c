// Whichever operation fails while a walk goes on: an error or a report with its rows, and what the
// rows say is what the clean walk says.
//
// Method: a census of a recording, then walk with the first operation failing, then the second, and
// so on until nothing is left to fail; each time over the rows of the same census.
#include "walk/walk.h"

#include "census/census_run.h"
#include "target/fault.h"
#include "tests/support/fake_heap.h"
#include "tests/support/recordings.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>

#define CLASSIC "go1.20.14"
#define SWISS "go1.26.11"

struct sweep {
	struct ms_target *recording, *fault;
	struct ms_go_runtime *rt;
	struct ms_census_report census, clean; // Before, and after a walk without faults.
};

static const struct ms_fault_plan no_fault = { MS_FAULT_ANY, UINT64_MAX, MS_FAULT_FAULT,
					       MS_FAULT_ONCE };
static const struct ms_walk_options options = { 0 };

/** The rows of the census again, for the next walk. */
static void rows_copy(const struct ms_census_report *from, struct ms_census_report *ret_report)
{
	*ret_report = (struct ms_census_report){ .map_count = from->map_count,
						 .never_written = from->never_written };
	ret_report->maps = calloc(from->map_count, sizeof(*from->maps));
	CHECK(ret_report->maps != NULL);
	memcpy(ret_report->maps, from->maps, from->map_count * sizeof(*from->maps));
}

static void sweep_init(struct sweep *s, const char *name)
{
	*s = (struct sweep){ .recording = recording_open(name) };
	CHECK_OK(ms_fault_create(s->recording, &no_fault, &s->fault));
	CHECK_OK(ms_go_open(s->fault, NULL, &s->rt));
	CHECK_OK(ms_census_run(s->rt, &(struct ms_census_options){ 0 }, &s->census));
	rows_copy(&s->census, &s->clean);
	CHECK_OK(ms_walk_run(s->rt, &options, &s->clean));
	CHECK(s->clean.coverage.walk.objects > 100);
}

static void sweep_deinit(struct sweep *s)
{
	ms_census_report_deinit(&s->census);
	ms_census_report_deinit(&s->clean);
	ms_go_close(s->rt);
	ms_target_destroy(s->fault);
	ms_target_destroy(s->recording);
}

/** No row is lost, none is new, and a type is the one of the clean walk where that has one. */
static void check_report(const struct sweep *s, const struct ms_census_report *report)
{
	CHECK(report->map_count >= s->census.map_count);
	CHECK(report->map_count <= s->clean.map_count);
	for (size_t i = 0; i < s->census.map_count; i++) {
		const struct ms_map_row *before = &s->census.maps[i];
		const struct ms_map_row *row = census_row(report, before->address);
		const struct ms_map_row *clean = census_row(&s->clean, before->address);

		CHECK(row && clean);
		CHECK_EQ(row->entries, before->entries);
		CHECK_EQ(row->capacity, before->capacity);
		if (before->type)
			CHECK_STR(row->type, before->type);
		else if (row->type && clean->type)
			CHECK_STR(row->type, clean->type);
		CHECK(!row->owner || row->owners || before->owner);
	}
	CHECK(report->coverage.walk.taken);
}

/** One walk with a fault; true when it came to pass. */
static bool walk_with(struct sweep *s, uint64_t at, enum ms_fault_kind kind,
		      enum ms_fault_span span)
{
	const struct ms_fault_plan plan = { MS_FAULT_ANY, at, kind, span };
	struct ms_census_report report;
	struct ms_error *err;
	uint64_t count;

	printf("operation %" PRIu64 "\n", at);
	rows_copy(&s->census, &report);
	ms_fault_restart(s->fault, &plan);
	err = ms_walk_run(s->rt, &options, &report);
	count = ms_fault_count(s->fault);
	if (err) {
		CHECK(count > at);
		CHECK_ERR(err, kind == MS_FAULT_GONE ? MS_ERR_GONE : MS_ERR_FAULT);
		CHECK_EQ(report.map_count, s->census.map_count);
		CHECK(
		    !memcmp(report.maps, s->census.maps, report.map_count * sizeof(*report.maps)));
	} else {
		CHECK(kind != MS_FAULT_GONE || count <= at);
		check_report(s, &report);
	}
	ms_census_report_deinit(&report);
	return count > at;
}

/** Every operation of the beginning, where tables are read, then every @p step. */
static void sweep(const char *name, enum ms_fault_kind kind, enum ms_fault_span span, uint64_t step)
{
	struct sweep s;
	uint64_t at = 0;

	if (getenv("MS_SWEEP"))
		step = 1;
	sweep_init(&s, name);
	while (walk_with(&s, at, kind, span))
		at += at < 40 ? 1 : step;
	CHECK(at > 40);
	sweep_deinit(&s);
}

MS_TEST(classic_walk_survives_each_fault)
{
	sweep(CLASSIC, MS_FAULT_FAULT, MS_FAULT_ONCE, 19);
}

MS_TEST(classic_walk_survives_all_faults_from_each_on)
{
	sweep(CLASSIC, MS_FAULT_FAULT, MS_FAULT_STICKY, 37);
}

MS_TEST(classic_walk_ends_when_its_target_does)
{
	sweep(CLASSIC, MS_FAULT_GONE, MS_FAULT_ONCE, 37);
}

MS_TEST(swiss_walk_survives_each_fault)
{
	sweep(SWISS, MS_FAULT_FAULT, MS_FAULT_ONCE, 19);
}

MS_TEST(swiss_walk_survives_each_swapped_page)
{
	sweep(SWISS, MS_FAULT_SWAPPED, MS_FAULT_ONCE, 37);
}

MS_TEST(swiss_walk_survives_each_stuck_read)
{
	sweep(SWISS, MS_FAULT_STUCK, MS_FAULT_STICKY, 37);
}

MS_TEST(swiss_walk_ends_when_its_target_does)
{
	sweep(SWISS, MS_FAULT_GONE, MS_FAULT_ONCE, 37);
}

// --- A program made by hand, where it is known what a fault may take away. ---

/** A list of three nodes, each with a map, and a goroutine. */
static struct fake_heap *list_make(ms_addr ret_maps[3])
{
	struct fake_heap *h = fake_heap_create(NULL);
	struct fake_types *t = &h->types;
	ms_addr number = fake_type_plain(t, FAKE_KIND_INT, "int", 8);
	ms_addr map = fake_type_map(t, "map[int]int", number, number);
	ms_addr pointer = fake_type_pointer(t, "*main.Node", number), next = 0;
	ms_addr node = fake_type_struct(
	    t, "main.Node", "main",
	    (struct fake_field[]){ { "next", pointer, 0 }, { "byID", map, 8 } }, 2, 16);

	fake_types_set(t, pointer, h->layout->ptrtype_elem, node);
	for (unsigned i = 0; i < 3; i++) {
		ms_addr at = fake_heap_new(h, 16, 0);

		ret_maps[i] = fake_heap_map(h, map, NULL);
		fake_heap_set(h, at, 0, next);
		fake_heap_set(h, at, 8, ret_maps[i]);
		next = at;
	}
	fake_heap_variable(h, "main.list", pointer, next);
	fake_heap_goroutine(h, ret_maps, 3);
	return h;
}

MS_TEST(walk_goes_on_behind_each_fault)
{
	bool failed = true;
	unsigned errors = 0;

	for (uint64_t at = 0; failed && at < 100; at++) {
		ms_addr maps[3];
		struct fake_heap *h = list_make(maps);
		unsigned typed = 0;
		struct ms_error *err;

		fake_target_fail_read(&h->functions->fake, at);
		err = ms_walk_run(&h->functions->rt, &options, &h->report);
		failed = h->functions->fake.reads > at;
		errors += err != NULL;
		for (unsigned i = 0; i < 3 && !err; i++) {
			const struct ms_map_row *row = fake_heap_find(h, maps[i]);

			CHECK(!row->type || !strcmp(row->type, "map[int]int"));
			CHECK(row->owners <= 2);
			typed += row->type != NULL;
		}
		if (err)
			CHECK_ERR(err, MS_ERR_FAULT);
		CHECK(failed || typed == 3);
		fake_heap_destroy(h);
	}
	CHECK(!failed);
	CHECK(errors < 8); // Without types and spans there is no walk.
}
