// A whole census of a recorded process, with words of its memory changed.
//
//	1 byte  which recording      then changes of 13 bytes:
//	2 bytes which place (of those that a census reads)      2 bytes offset behind it
//	1 byte  how many bytes, and whether they replace or flip those there      8 bytes value
//
// A bound on reads stands for the target's exit, so that no input takes long.
#include "census/census_run.h"

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/recorded.h"

enum { CHANGES_MAX = 32, READS_MAX = 20000 };

static void report_check(const struct ms_census_report *report)
{
	for (size_t i = 0; i < report->map_count; i++) {
		const struct ms_map_row *row = &report->maps[i];

		FUZZ_CHECK(i == 0 || report->maps[i - 1].address <= row->address);
		FUZZ_CHECK(row->slack_bytes == MS_UNKNOWN ||
			   row->slack_bytes == row->total_bytes - row->live_bytes);
	}
	FUZZ_CHECK(report->coverage.read == report->map_count);
}

MS_FUZZ_TARGET(census)
{
	struct fuzz_input in = { data, size };
	struct recorded *r = recorded_get(fuzz_number(&in, 1));
	const struct ms_census_options options = { .memory = true };
	struct change changes[CHANGES_MAX];
	struct ms_census_report report;
	struct changed_target target;
	struct ms_go_runtime *rt;

	changed_target_init(&target, r->target, changes, READS_MAX);
	recorded_changes(&target, r, r->census_count, CHANGES_MAX, &in);
	if (!fuzz_worked(ms_go_open(&target.target, NULL, &rt)))
		return;
	if (fuzz_worked(ms_census_run(rt, &options, &report))) {
		report_check(&report);
		ms_census_report_deinit(&report);
	}
	ms_go_close(rt);
}
