// Goal: the peaks of a run are the most of each figure over all its censuses.
// Method: random censuses of a few owners and programs against the simple way.
#include "base/cleanup.h"
#include "report/run.h"
#include "tests/support/test.h"

#include <math.h>

static const char *const names[] = { NULL, "main.a", "main.b", "main.c" };
static const char *const programs[] = { NULL, "/x", "/y" };

enum { NAMES = 4, PROGRAMS = 3 };

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

MS_TEST(run_keeps_the_most_of_each)
{
	struct ms_run_report report = { 0 };
	uint64_t bytes[PROGRAMS][NAMES] = { 0 }, maps[PROGRAMS][NAMES] = { 0 };
	bool seen[PROGRAMS][NAMES] = { 0 };
	size_t want = 0;

	for (unsigned round = 0; round < 200; round++) {
		struct ms_owner_row owners[NAMES];
		size_t p = ms_test_random() % PROGRAMS, count = 0;
		struct ms_census_report census = { .target = { .exe = programs[p], .pid = p } };

		for (size_t n = 0; n < NAMES; n++) {
			if (ms_test_random() % 3)
				continue;
			owners[count] =
			    (struct ms_owner_row){ .owner = names[n],
						   .maps = ms_test_random() % 50,
						   .total_bytes = ms_test_random() % 1000 };
			seen[p][n] = true;
			bytes[p][n] = ms_max_u64(bytes[p][n], owners[count].total_bytes);
			maps[p][n] = ms_max_u64(maps[p][n], owners[count].maps);
			count++;
		}
		census.owners = owners;
		census.owner_count = count;
		CHECK_OK(ms_run_take(&report, &census, round));
	}
	ms_run_sort(&report);
	for (size_t p = 0; p < PROGRAMS; p++) {
		for (size_t n = 0; n < NAMES; n++)
			want += seen[p][n];
	}
	CHECK_EQ(report.peak_count, want);
	for (size_t i = 0; i < report.peak_count; i++) {
		const struct ms_peak_row *row = &report.peaks[i];

		for (size_t p = 0; p < PROGRAMS; p++) {
			for (size_t n = 0; n < NAMES; n++) {
				if (!same(row->exe, programs[p]) || !same(row->owner, names[n]))
					continue;
				CHECK_EQ(row->total_bytes, bytes[p][n]);
				CHECK_EQ(row->maps, maps[p][n]);
				CHECK_EQ(row->pid, p);
			}
		}
		CHECK(!isnan(row->at_s));
		CHECK(i == 0 || row[-1].total_bytes >= row->total_bytes);
	}
	ms_run_report_deinit(&report);
}

MS_TEST(run_keeps_its_processes)
{
	struct ms_run_report report = { 0 };
	char exe[] = "/a/b";
	const struct ms_report_target target = { .pid = 5, .exe = exe };
	size_t index = 7;

	CHECK_OK(ms_run_add_process(&report, &target, &index));
	CHECK_EQ(index, 0);
	exe[1] = 'x'; // The report has its own.
	CHECK_OK(ms_run_add_process(&report, &target, &index));
	CHECK_EQ(index, 1);
	CHECK_STR(report.processes[0].target.exe, "/a/b");
	report.processes[1].peak_bytes = 3;
	ms_run_sort(&report);
	CHECK_STR(report.processes[0].target.exe, "/x/b");
	ms_run_report_deinit(&report);
}
