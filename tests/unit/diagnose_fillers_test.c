// Goal: a finding names the stacks that grew its map, and nobody else's.
#include "diagnose/fillers.h"

#include "diagnose/lines.h"

#include "tests/support/test.h"
#include "tests/support/trace_reports.h"

/** A report with one finding on the map at @p map of @p type, and the growths of @p sums. */
static struct ms_diagnosis_report report_of(ms_addr map, const char *type,
					    struct ms_growth_sum *sums, size_t count)
{
	static struct ms_finding finding;
	struct ms_diagnosis_report report = { .findings = &finding,
					      .finding_count = 1,
					      .trace = ms_trace_example_classic(),
					      .is_traced = true };

	finding = (struct ms_finding){ .map = { .address = map, .type = type },
				       .advice = { .text = "bound it", .line = MS_UNKNOWN } };
	report.trace.sums = sums;
	report.trace.sum_count = count;
	report.trace.source = MS_TRACE_PROBES;
	return report;
}

MS_TEST(fillers_are_the_stacks_that_grew_this_map_most_first)
{
	struct ms_growth_sum sums[] = {
		{ .map = 0x10, .type = "map[int]int", .stack = 0, .count = 2 },
		{ .map = 0x20, .type = "map[int]int", .stack = 0, .count = 90 },
		{ .map = 0x10, .type = "map[int]int", .stack = 1, .count = 5 },
		{ .map = 0x10, .type = "map[int]bool", .stack = 1, .count = 80 },
		{ .map = 0x10,
		  .type = NULL,
		  .stack = 1,
		  .count = 1,
		  .kind = MS_GROWTH_EVENT_SAME_SIZE },
		{ .map = 0x10, .type = "map[int]int", .stack = MS_NO_STACK, .count = 1 },
		{ .map = 0x10,
		  .type = "map[int]int",
		  .stack = 0,
		  .count = 70,
		  .kind = MS_GROWTH_EVENT_TO_SMALL },
	};
	struct ms_diagnosis_report report =
	    report_of(0x10, "map[int]int", sums, MS_ARRAY_SIZE(sums));
	const struct ms_finding *f = &report.findings[0];

	ms_fillers_fill(NULL, &report);
	ms_lines_name(&report);
	CHECK_EQ(f->growths_traced, 9);
	CHECK_EQ(f->filler_count, 2);
	CHECK_EQ(f->fillers[0].stack, 1);
	CHECK_EQ(f->fillers[0].growths, 6);
	CHECK_EQ(f->fillers[1].stack, 0);
	CHECK_EQ(f->fillers[1].growths, 2);
	CHECK_EQ(f->advice.line, ms_stack_line(&report.trace.stacks.items[1])->line);
}

/** A growth of either kind from one line of the program: only the runtime's frames differ. */
MS_TEST(fillers_of_one_line_are_one_whatever_the_runtime_did_below)
{
	struct ms_growth_sum sums[] = {
		{ .map = 0x10, .stack = 2, .count = 3 },
		{ .map = 0x10, .stack = 0, .count = 2 },
		{ .map = 0x10, .stack = 1, .count = 2 },
	};
	struct ms_diagnosis_report report = report_of(0x10, NULL, sums, MS_ARRAY_SIZE(sums));
	const struct ms_finding *f = &report.findings[0];
	struct ms_stack stacks[3] = { report.trace.stacks.items[0], report.trace.stacks.items[0],
				      report.trace.stacks.items[1] };

	stacks[1].calls++; // Without runtime.hashGrow.
	stacks[1].count--;
	report.trace.stacks = (struct ms_stacks){ stacks, 3, 3 };
	ms_fillers_fill(NULL, &report);
	ms_lines_name(&report);
	CHECK_EQ(f->filler_count, 2);
	CHECK_EQ(f->fillers[0].stack, 0);
	CHECK_EQ(f->fillers[0].growths, 4);
	CHECK_EQ(f->fillers[1].stack, 2);
	CHECK_EQ(f->fillers[1].growths, 3);
	CHECK_EQ(f->advice.line, ms_stack_line(&stacks[0])->line);
}

MS_TEST(fillers_name_no_line_where_no_stack_does_most)
{
	struct ms_growth_sum sums[] = {
		{ .map = 0x10, .stack = 0, .count = 1 },
		{ .map = 0x10, .stack = 1, .count = 3 },
		{ .map = 0x10, .stack = MS_NO_STACK, .count = 9 },
	};
	struct ms_diagnosis_report report = report_of(0x10, NULL, sums, MS_ARRAY_SIZE(sums));
	const struct ms_finding *f = &report.findings[0];

	ms_fillers_fill(NULL, &report);
	ms_lines_name(&report);
	CHECK_EQ(f->growths_traced, 13);
	CHECK_EQ(f->filler_count, 2);
	CHECK_EQ(f->fillers[0].growths, 3);
	CHECK_EQ(f->fillers[1].growths, 1);
	CHECK_EQ(f->advice.line, MS_UNKNOWN);
	CHECK(f->advice.file == NULL);
}

MS_TEST(fillers_are_unknown_without_probes)
{
	struct ms_growth_sum sums[] = { { .map = 0x10, .stack = 0, .count = 1 } };
	struct ms_diagnosis_report report = report_of(0x10, NULL, sums, 1);

	report.trace.source = MS_TRACE_POLLING;
	ms_fillers_fill(NULL, &report);
	ms_lines_name(&report);
	CHECK_EQ(report.findings[0].growths_traced, MS_UNKNOWN);
	CHECK_EQ(report.findings[0].filler_count, 0);
}
