// Whichever operation fails while a process is read: an error or a result, never a wrong one.
//
// Method: take a census of a recording, then take it again with the first operation failing, then
// the second, and so on until nothing is left to fail.  A map that was found has the numbers of
// the clean census; a map that is missing has been counted as skipped.
#include "census/census_run.h"

#include "target/fault.h"
#include "tests/support/recordings.h"
#include "tests/support/test.h"

#include <stdio.h>

#define CLASSIC "go1.20.14"
#define SWISS "go1.26.11"

enum { OPEN_STEP = 41 }; // ms_go_open does thousands of reads: every 41st and the first hundred.

struct sweep {
	struct ms_target *recording, *fault;
	struct ms_go_runtime *rt;
	struct ms_census_report clean;
};

static const struct ms_fault_plan no_fault = { MS_FAULT_ANY, UINT64_MAX, MS_FAULT_FAULT,
					       MS_FAULT_ONCE };
static const struct ms_census_options options = { .memory = true };

static void sweep_init(struct sweep *s, const char *name)
{
	*s = (struct sweep){ .recording = recording_open(name) };
	CHECK_OK(ms_fault_create(s->recording, &no_fault, &s->fault));
	CHECK_OK(ms_go_open(s->fault, NULL, &s->rt));
	CHECK_OK(ms_census_run(s->rt, &options, &s->clean));
	CHECK(s->clean.map_count > 100);
}

static void sweep_deinit(struct sweep *s)
{
	ms_census_report_deinit(&s->clean);
	ms_go_close(s->rt);
	ms_target_destroy(s->fault);
	ms_target_destroy(s->recording);
}

/** What the coverage says was there and could not be read; shapes that are no maps left out. */
static uint64_t unread(const struct ms_census_report *report)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < report->coverage.skip_count; i++) {
		const struct ms_skip *skip = &report->coverage.skips[i];

		if (!strstr(skip->reason, "shaped like a map"))
			sum += skip->count;
	}
	return sum;
}

/** Every row is one of the clean census, and none is missing in silence. */
static void check_report(const struct sweep *s, const struct ms_census_report *report)
{
	for (size_t i = 0; i < report->map_count; i++) {
		const struct ms_map_row *row = &report->maps[i];
		const struct ms_map_row *clean = census_row(&s->clean, row->address);

		CHECK(clean != NULL);
		CHECK_EQ(row->entries, clean->entries);
		CHECK_EQ(row->kind, clean->kind);
		CHECK_EQ(row->where, clean->where);
		if (row->confidence == MS_CONFIDENCE_VERIFIED) {
			CHECK_EQ(row->capacity, clean->capacity);
			CHECK_EQ(row->growing, clean->growing);
		}
		if (row->type && clean->type)
			CHECK_STR(row->type, clean->type);
	}
	CHECK_EQ(report->coverage.read, report->map_count);
	if (report->map_count < s->clean.map_count)
		CHECK(report->partial || unread(report) > unread(&s->clean));
}

/** One census with a fault; true when the fault came to pass. */
static bool census_with(struct sweep *s, uint64_t at, enum ms_fault_kind kind,
			enum ms_fault_span span)
{
	const struct ms_fault_plan plan = { MS_FAULT_ANY, at, kind, span };
	struct ms_census_report report = { 0 };
	struct ms_error *err;
	uint64_t count;

	printf("operation %" PRIu64 "\n", at);
	ms_fault_restart(s->fault, &plan);
	err = ms_census_run(s->rt, &options, &report);
	count = ms_fault_count(s->fault);
	if (err && kind == MS_FAULT_GONE)
		CHECK_ERR(err, MS_ERR_GONE);
	else if (err)
		CHECK_ERR(err, MS_ERR_FAULT);
	else
		check_report(s, &report);
	if (!err && count > at)
		CHECK(kind != MS_FAULT_GONE || report.partial);
	ms_census_report_deinit(&report);
	return count > at;
}

static void sweep_census(const char *name, enum ms_fault_kind kind, enum ms_fault_span span)
{
	struct sweep s;
	uint64_t at = 0;

	sweep_init(&s, name);
	while (census_with(&s, at, kind, span))
		at++;
	CHECK(at > 50);
	sweep_deinit(&s);
}

MS_TEST(classic_census_survives_each_fault)
{
	sweep_census(CLASSIC, MS_FAULT_FAULT, MS_FAULT_ONCE);
}

MS_TEST(classic_census_survives_all_faults_from_each_on)
{
	sweep_census(CLASSIC, MS_FAULT_FAULT, MS_FAULT_STICKY);
}

MS_TEST(classic_census_survives_each_swapped_page)
{
	sweep_census(CLASSIC, MS_FAULT_SWAPPED, MS_FAULT_ONCE);
}

MS_TEST(classic_census_ends_when_its_target_does)
{
	sweep_census(CLASSIC, MS_FAULT_GONE, MS_FAULT_ONCE);
}

MS_TEST(swiss_census_survives_each_fault)
{
	sweep_census(SWISS, MS_FAULT_FAULT, MS_FAULT_ONCE);
}

MS_TEST(swiss_census_survives_all_faults_from_each_on)
{
	sweep_census(SWISS, MS_FAULT_FAULT, MS_FAULT_STICKY);
}

MS_TEST(swiss_census_survives_each_stuck_read)
{
	sweep_census(SWISS, MS_FAULT_STUCK, MS_FAULT_ONCE);
}

MS_TEST(swiss_census_ends_when_its_target_does)
{
	sweep_census(SWISS, MS_FAULT_GONE, MS_FAULT_ONCE);
}

/** Open with a fault and, if that works, take a census without; true when the fault came. */
static bool open_with(struct sweep *s, uint64_t at, enum ms_fault_kind kind)
{
	const struct ms_fault_plan plan = { MS_FAULT_ANY, at, kind, MS_FAULT_ONCE };
	struct ms_census_report report = { 0 };
	struct ms_go_runtime *rt = NULL;
	struct ms_error *err;
	uint64_t count;

	printf("operation %" PRIu64 "\n", at);
	ms_fault_restart(s->fault, &plan);
	err = ms_go_open(s->fault, NULL, &rt);
	count = ms_fault_count(s->fault);
	if (err) {
		CHECK(rt == NULL);
		CHECK(ms_error_message(err)[0] != '\0');
		if (kind == MS_FAULT_GONE)
			CHECK_ERR(err, MS_ERR_GONE);
		else
			ms_error_free(err);
		return count > at;
	}
	CHECK(kind != MS_FAULT_GONE || count <= at);
	ms_fault_restart(s->fault, &no_fault);
	CHECK_OK(ms_census_run(rt, &options, &report));
	check_report(s, &report);
	ms_census_report_deinit(&report);
	ms_go_close(rt);
	return count > at;
}

static void sweep_open(const char *name, enum ms_fault_kind kind)
{
	struct sweep s;
	uint64_t at = 0;

	sweep_init(&s, name);
	while (open_with(&s, at, kind))
		at += at < 100 ? 1 : OPEN_STEP;
	CHECK(at > 1000);
	sweep_deinit(&s);
}

MS_TEST(opening_a_classic_runtime_survives_faults)
{
	sweep_open(CLASSIC, MS_FAULT_FAULT);
}

MS_TEST(opening_a_swiss_runtime_survives_faults)
{
	sweep_open(SWISS, MS_FAULT_FAULT);
}

MS_TEST(opening_a_runtime_ends_when_its_target_does)
{
	sweep_open(SWISS, MS_FAULT_GONE);
}
