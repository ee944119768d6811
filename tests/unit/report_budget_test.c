// Goal: a budget means what it says, and one that says nothing that can be meant is refused with
// the line and what to type.
// Method: budgets as texts against censuses made by hand.
#include "base/cleanup.h"
#include "report/budget.h"
#include "tests/support/test.h"

#include <math.h>

static struct ms_error *parse(const char *text, struct ms_budget *ret_budget)
{
	return ms_budget_parse(text, strlen(text), "b.txt", ret_budget);
}

static void says(const char *text, const char *sentence)
{
	struct ms_budget budget;
	struct ms_error *err = parse(text, &budget);

	CHECK(err != NULL);
	CHECK_EQ(ms_error_code(err), MS_ERR_USAGE);
	if (!strstr(ms_error_message(err), sentence))
		CHECK_STR(ms_error_message(err), sentence);
	ms_error_free(err);
}

MS_TEST(budget_reads_lines)
{
	struct ms_budget b;

	CHECK_OK(parse("# all of it\n\n  main\\.a\tentries<=5 bytes<=64MB # here too\r\n"
		       "\"main.b <- x\" slack<=1KiB maps<=0\n* bytes<=2GB",
		       &b));
	CHECK_EQ(b.rule_count, 3);
	CHECK_STR(b.rules[0].text, "main\\.a");
	CHECK_EQ(b.rules[0].line, 3);
	CHECK_EQ(b.rules[0].limits[MS_BUDGET_ENTRIES], 5);
	CHECK_EQ(b.rules[0].limits[MS_BUDGET_BYTES], 64000000);
	CHECK_EQ(b.rules[0].limits[MS_BUDGET_SLACK], MS_UNKNOWN);
	CHECK_STR(b.rules[1].text, "main.b <- x");
	CHECK_EQ(b.rules[1].limits[MS_BUDGET_SLACK], 1024);
	CHECK_EQ(b.rules[1].limits[MS_BUDGET_MAPS], 0);
	CHECK_EQ(b.rules[2].limits[MS_BUDGET_BYTES], 2000000000);
	CHECK(!b.rules[2].pattern.text);
	CHECK_EQ(ms_budget_broken(&b), 0);
	ms_budget_deinit(&b);
}

MS_TEST(budget_says_what_is_wrong)
{
	says("", "there is no rule in it");
	says("# only this\n", "there is no rule in it");
	says("main", "b.txt:1: main has no limit");
	says("\nmain bytez<=1", "b.txt:2: bytez<=1 is no limit");
	says("main bytes<1", "bytes<1 is no limit");
	says("main bytes<=", "bytes<= has no size");
	says("main bytes<=1mb", "bytes<=1mb has no size");
	says("main bytes<=-1", "has no size");
	says("main entries<=1k", "entries<=1k has no count");
	says("main maps<=1 maps<=2", "maps is given twice");
	says("main bytes<=99999999999TB", "has no size");
	says("main bytes<=99999999999999999999", "has no size");
	says("(main bytes<=1", "b.txt:1: the owner (main is no regular expression");
	says("\"main bytes<=1", "a quote is not closed");
}

MS_TEST(budget_refuses_what_is_no_text)
{
	struct ms_budget budget;
	char text[3000];

	CHECK_ERR(ms_budget_parse("a\0b bytes<=1", 12, "b.txt", &budget), MS_ERR_USAGE);
	memset(text, 'a', sizeof(text));
	CHECK_ERR(ms_budget_parse(text, sizeof(text), "b.txt", &budget), MS_ERR_USAGE);
}

static struct ms_owner_row owners[] = {
	{ .owner = "main.a",
	  .type = "map[int]int",
	  .maps = 2,
	  .entries = 7,
	  .total_bytes = 900,
	  .slack_bytes = 100 },
	{ .owner = "main.b", .type = "map[int]int", .maps = 1, .entries = 4, .total_bytes = 500 },
	{ .owner = "main.a", .type = "map[string]int", .maps = 1, .entries = 1, .total_bytes = 50 },
	{ .maps = 10, .entries = 10, .total_bytes = 480 },
};

static const struct ms_census_report census = {
	.target = { .pid = 9, .exe = "/a/test" },
	.owners = owners,
	.owner_count = MS_ARRAY_SIZE(owners),
};

MS_TEST(budget_holds_owners_whatever_their_types)
{
	struct ms_budget b;

	CHECK_OK(
	    parse("main\\.a bytes<=949 entries<=8\nmain bytes<=950\n* maps<=13\nnone maps<=0", &b));
	CHECK_OK(ms_budget_check(&b, &census, 1.5));
	CHECK_EQ(b.rules[0].worst[MS_BUDGET_BYTES].value, 950);
	CHECK_STR(b.rules[0].worst[MS_BUDGET_BYTES].owner, "main.a");
	CHECK_STR(b.rules[0].worst[MS_BUDGET_BYTES].exe, "/a/test");
	CHECK_EQ(b.rules[0].worst[MS_BUDGET_BYTES].pid, 9);
	CHECK(b.rules[0].worst[MS_BUDGET_BYTES].at_s == 1.5);
	CHECK_EQ(b.rules[0].worst[MS_BUDGET_ENTRIES].value, 8);
	CHECK(ms_budget_rule_is_broken(&b.rules[0]));
	CHECK(!ms_budget_rule_is_broken(&b.rules[1])); // Each owner by itself.
	CHECK(ms_budget_rule_is_broken(&b.rules[2]));  // All maps, whoever owns them.
	CHECK(!b.rules[3].matched && !ms_budget_rule_is_broken(&b.rules[3]));
	CHECK_EQ(b.rules[3].worst[MS_BUDGET_MAPS].value, MS_UNKNOWN);
	CHECK_EQ(ms_budget_broken(&b), 2);
	ms_budget_deinit(&b);
}

MS_TEST(budget_keeps_the_worst)
{
	struct ms_budget b;
	struct ms_owner_row row = owners[1];
	struct ms_census_report later = census;

	later.owners = &row;
	later.owner_count = 1;
	later.target.pid = 10;
	CHECK_OK(parse("main\\.b bytes<=600", &b));
	for (unsigned i = 0; i < 3; i++) {
		static const uint64_t bytes[] = { 500, 700, 650 };

		row.total_bytes = bytes[i];
		CHECK_OK(ms_budget_check(&b, &later, i));
	}
	CHECK_EQ(b.rules[0].worst[MS_BUDGET_BYTES].value, 700);
	CHECK(b.rules[0].worst[MS_BUDGET_BYTES].at_s == 1);
	CHECK_EQ(ms_budget_broken(&b), 1);
	ms_budget_deinit(&b);
}
