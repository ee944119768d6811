// Goal: the clock of a finding tells what can be told and nothing else.
#include "report/diagnosis.h"
#include "tests/support/test.h"

#include <math.h>
#include <stdlib.h>

static struct ms_clock clock_of(uint64_t entries, uint64_t grow_at, double entries_per_s)
{
	const struct ms_finding finding = {
		.map = { .entries = entries, .grow_at = grow_at },
		.entries_per_s = entries_per_s,
	};

	return ms_finding_clock(&finding);
}

MS_TEST(report_diagnosis_clock)
{
	CHECK_EQ(clock_of(100, 104, 2).next_growth_entries, 4);
	CHECK(clock_of(100, 104, 2).next_growth_s == 2);
	CHECK_EQ(clock_of(104, 104, 2).next_growth_entries, 0);
	CHECK_EQ(clock_of(100, 104, 0).next_growth_entries, 4);
	CHECK(isnan(clock_of(100, 104, 0).next_growth_s));
	CHECK(isnan(clock_of(100, 104, -2).next_growth_s));
	CHECK(isnan(clock_of(100, 104, NAN).next_growth_s));
	CHECK_EQ(clock_of(105, 104, 2).next_growth_entries, MS_UNKNOWN);
	CHECK_EQ(clock_of(MS_UNKNOWN, 104, 2).next_growth_entries, MS_UNKNOWN);
	CHECK_EQ(clock_of(5, MS_UNKNOWN, 2).next_growth_entries, MS_UNKNOWN);
	CHECK(isnan(clock_of(5, MS_UNKNOWN, 2).next_growth_s));
}

MS_TEST(report_diagnosis_deinit_frees_all)
{
	struct ms_diagnosis_report report = { .finding_count = 1, .coverage.skip_count = 1 };

	report.findings = calloc(1, sizeof(*report.findings));
	report.coverage.skips = calloc(1, sizeof(*report.coverage.skips));
	CHECK(report.findings && report.coverage.skips);
	CHECK(ms_arena_printf(&report.arena, "a string") != NULL);
	ms_diagnosis_report_deinit(&report); // The leak checker looks when this process ends.
	CHECK_EQ(report.finding_count, 0);
	CHECK_EQ(report.coverage.skip_count, 0);
}
