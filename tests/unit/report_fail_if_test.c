// Goal: conditions are read as they are meant, wrong ones say what to type, and what is not known
// neither holds nor is passed over in silence.
// Method: tables.
#include "report/fail_if.h"

#include "tests/support/test.h"

#include <math.h>
#include <stdlib.h>

MS_TEST(fail_if_reads_its_conditions)
{
	static const struct {
		const char *text;
		enum ms_fail_what what;
		enum ms_fail_op op;
		double value;
	} cases[] = {
		{ "growth>100MB/min", MS_FAIL_GROWTH, MS_FAIL_MORE, 100e6 },
		{ "growth>=1MiB/s", MS_FAIL_GROWTH, MS_FAIL_AT_LEAST, 60 * 0x1p20 },
		{ "entries>1000000", MS_FAIL_ENTRIES, MS_FAIL_MORE, 1e6 },
		{ "bytes>2GB", MS_FAIL_BYTES, MS_FAIL_MORE, 2e9 },
		{ "slack>50%", MS_FAIL_SLACK_SHARE, MS_FAIL_MORE, 0.5 },
		{ "slack>500MB", MS_FAIL_SLACK, MS_FAIL_MORE, 500e6 },
		{ "load<10%", MS_FAIL_LOAD, MS_FAIL_LESS, 0.1 },
		{ "waiting>100", MS_FAIL_WAITING, MS_FAIL_MORE, 100 },
		{ "findings>0", MS_FAIL_FINDINGS, MS_FAIL_MORE, 0 },
		{ "maps<=3", MS_FAIL_MAPS, MS_FAIL_AT_MOST, 3 },
	};

	for (size_t i = 0; i < MS_ARRAY_SIZE(cases); i++) {
		struct ms_fail_if rule;

		CHECK_OK(ms_fail_if_parse(cases[i].text, &rule));
		CHECK_EQ(rule.what, cases[i].what);
		CHECK_EQ(rule.op, cases[i].op);
		CHECK(fabs(rule.value - cases[i].value) < 1e-9 * (1 + cases[i].value));
		ms_fail_if_deinit(&rule);
	}
}

MS_TEST(fail_if_says_what_is_wrong)
{
	static const struct {
		const char *text, *wrong;
	} cases[] = {
		{ "", "it is not known what that is" },
		{ "growing>1", "it is not known what that is" },
		{ "growth>100MB", "type /min or /s behind it" },
		{ "bytes>2GB/min", "only growth is a rate" },
		{ "bytes>2 GB", "the unit is not known" },
		{ "entries>5k", "type it without a unit" },
		{ "entries>", "there is no number" },
		{ "entries>-1", "there is no number" },
		{ "entries>nan", "there is no number" },
		{ "entries 5", "it is not known what that is" },
		{ "entries=5", "there is no comparison" },
		{ "load<10", "type it with %" },
		{ "verdict=leak", "no such verdict" },
		{ "verdict>growing", "compared with =" },
		{ "owner~main", "no condition behind the owner" },
		{ "owner~(:bytes>1", "--fail-if owner~" },
	};

	for (size_t i = 0; i < MS_ARRAY_SIZE(cases); i++) {
		struct ms_fail_if rule;
		struct ms_error *err = ms_fail_if_parse(cases[i].text, &rule);

		CHECK(err != NULL);
		CHECK_CONTAINS(ms_error_message(err), cases[i].wrong);
		CHECK_ERR(err, MS_ERR_USAGE);
	}
}

static struct ms_owner_row owners[] = {
	{ .owner = "main.cache",
	  .maps = 1,
	  .entries = 10,
	  .capacity = 1000,
	  .total_bytes = 9000,
	  .slack_bytes = 8900 },
	{ .owner = "main.users",
	  .maps = 2,
	  .entries = 90,
	  .capacity = 100,
	  .total_bytes = 5000,
	  .slack_bytes = MS_UNKNOWN },
};

/** What comes of @p text. */
static struct ms_fail_result result_of(const char *text, const struct ms_diagnosis_report *r)
{
	struct ms_fail_if rule;
	struct ms_fail_result result;

	CHECK_OK(ms_fail_if_parse(text, &rule));
	CHECK_OK(ms_fail_if_check(&rule, owners, MS_ARRAY_SIZE(owners), r, &result));
	ms_fail_if_deinit(&rule);
	return result;
}

static void check_hit(const char *text, const struct ms_diagnosis_report *r, const char *sentence)
{
	struct ms_fail_result result = result_of(text, r);

	CHECK_EQ(result.hit, sentence != NULL);
	if (sentence)
		CHECK_CONTAINS(result.sentence, sentence);
	free(result.sentence);
}

MS_TEST(fail_if_holds_owners_against_it)
{
	check_hit("entries>50", NULL, "main.users has 90");
	check_hit("entries>100", NULL, NULL);
	check_hit("load<5%", NULL, "main.cache has 1.0 %");
	check_hit("slack>90%", NULL, "main.cache has 98.9 %");
	check_hit("owner~users:bytes>1kB", NULL, "main.users has 5000");
	check_hit("owner~nobody:bytes>1kB", NULL, NULL);
	CHECK_EQ(result_of("slack>1GB", NULL).unknown, 1);
}

MS_TEST(fail_if_holds_findings_against_it)
{
	struct ms_finding findings[] = {
		{ .verdict = MS_VERDICT_GROWING,
		  .map = { .owner = "main.cache" },
		  .bytes_per_min = 2e8,
		  .retained = { .bytes = 700 },
		  .waiters = { .most = 12 } },
		{ .verdict = MS_VERDICT_STABLE, .bytes_per_min = NAN },
	};
	const struct ms_diagnosis_report report = { .findings = findings, .finding_count = 2 };

	check_hit("growth>100MB/min", &report, "main.cache has 200000000");
	check_hit("growth>300MB/min", &report, NULL);
	check_hit("verdict=growing", &report, "main.cache is growing");
	check_hit("verdict=slack", &report, NULL);
	check_hit("waiting>=12", &report, "main.cache has 12");
	check_hit("retained>1kB", &report, NULL);
	check_hit("findings>0", &report, "the page has 1");
	check_hit("findings>1", &report, NULL);
	CHECK_EQ(result_of("growth>300MB/min", &report).unknown, 1);
}
