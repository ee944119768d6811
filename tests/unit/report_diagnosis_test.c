// Goal: the clock of a finding tells what can be told and nothing else.
#include "report/diagnosis.h"
#include "tests/support/test.h"

#include <math.h>
#include <stdlib.h>

static struct ms_clock clock_of(uint64_t entries, uint64_t grow_at, double entries_per_s)
{
	const struct ms_diagnosis_report report = { .rss_bytes_per_s = NAN };
	const struct ms_finding finding = {
		.map = { .entries = entries },
		.next = { .at_entries = grow_at, .old_bytes = MS_UNKNOWN, .new_bytes = MS_UNKNOWN },
		.entries_per_s = entries_per_s,
	};

	return ms_finding_clock(&report, &finding);
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
	CHECK_EQ(clock_of(100, 104, 2).next_growth_bytes, MS_UNKNOWN);
	CHECK(clock_of(100, 104, 2).limit == NULL);
	CHECK(!clock_of(100, 104, 2).will_not_fit);
}

/** A map that doubles in ten seconds, from 100 to 200 bytes, under a limit that leaves @p left. */
static struct ms_clock clock_under(uint64_t left, double rss_bytes_per_s, double looked_ago_s)
{
	static struct ms_diagnosis_report report;
	const struct ms_finding finding = {
		.map = { .entries = 80 },
		.next = { .at_entries = 100, .old_bytes = 100, .new_bytes = 200 },
		.entries_per_s = 2,
	};

	report = (struct ms_diagnosis_report){
		.limits = { { MS_LIMIT_CGROUP_V2, 5000, left,
			      rss_bytes_per_s > 0 ? (double)left / rss_bytes_per_s : NAN } },
		.limit_count = 1,
		.rss_bytes_per_s = rss_bytes_per_s,
		.looked_ago_s = looked_ago_s,
	};
	return ms_finding_clock(&report, &finding);
}

MS_TEST(report_diagnosis_clock_and_limit)
{
	CHECK_EQ(clock_under(1000, NAN, 0).next_growth_bytes, 300);
	CHECK_EQ(clock_under(1000, NAN, 0).next_growth_new_bytes, 200);
	CHECK(clock_under(1000, NAN, 0).next_growth_s == 10);
	CHECK(clock_under(1000, NAN, 4).next_growth_s == 6);
	CHECK(clock_under(1000, NAN, 40).next_growth_s == 0);

	CHECK(!clock_under(200, NAN, 0).will_not_fit); // Only the new table is to come.
	CHECK(clock_under(199, NAN, 0).will_not_fit);
	CHECK(clock_under(199, NAN, 0).limit_s == 10);
	CHECK(isnan(clock_under(200, NAN, 0).limit_s));
	CHECK(isnan(clock_under(1000, -5, 0).limit_s));

	CHECK(clock_under(1000, 10, 0).limit_s == 100);
	CHECK(!clock_under(1000, 10, 0).will_not_fit);
	CHECK(clock_under(250, 10, 0).will_not_fit); // 150 are left by then.
	CHECK(clock_under(250, 10, 0).limit_s == 10);
	CHECK(clock_under(50, 10, 0).limit_s == 5); // Before the growth.
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
