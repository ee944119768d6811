// A budget file, and a census held against it.
#include "report/budget.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/input.h"

MS_FUZZ_TARGET(budget)
{
	struct ms_owner_row owners[] = {
		{ .owner = "main.a",
		  .maps = 1,
		  .entries = 9,
		  .total_bytes = 100,
		  .slack_bytes = 5 },
		{ .owner = "main.a", .maps = 1, .entries = 1, .total_bytes = 7, .slack_bytes = 1 },
		{ .maps = 3 },
	};
	const struct ms_census_report census = { .owners = owners,
						 .owner_count = MS_ARRAY_SIZE(owners) };
	struct ms_budget budget;

	if (size > 4096 || memchr(data, '{', size)) // Bounds of repetition multiply in libc.
		return;
	if (!fuzz_worked(ms_budget_parse((const char *)data, size, "budget", &budget)))
		return;
	FUZZ_CHECK(budget.rule_count > 0);
	FUZZ_CHECK(fuzz_worked(ms_budget_check(&budget, &census, 1)));
	FUZZ_CHECK(ms_budget_broken(&budget) <= budget.rule_count);
	ms_budget_deinit(&budget);
}
