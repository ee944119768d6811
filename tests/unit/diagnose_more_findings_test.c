// Goal: owners of many maps, lines whose maps do not last, and races are findings where the rules
// say so, and nowhere else.
// Method: small reports made by hand.
#include "diagnose/more_findings.h"

#include "tests/support/test.h"

#include <math.h>
#include <stdlib.h>

static struct ms_stack_call puts_call[] = { { .function = "runtime.mapassign", .is_runtime = true },
					    { .function = "main.put", .file = "a.go", .line = 7 } };
static struct ms_stack_call other_call[] = {
	{ .function = "main.other", .file = "b.go", .line = 9 }
};
static struct ms_stack stacks[] = { { .calls = puts_call, .count = 2 },
				    { .calls = other_call, .count = 1 } };

struct page {
	struct ms_census_report census;
	struct ms_diagnosis_report report;
	struct ms_map_row maps[2];
	struct ms_owner_row owners[1];
	struct ms_owner_change change;
	struct ms_alloc_site site;
	struct ms_growth_sum sums[16];
	struct ms_map_line line;
	struct ms_race_clue clue;
};

/** A page on which nothing is said yet; the owner main.sessions has 40,000 maps. */
static void page_make(struct page *p)
{
	memset(p, 0, sizeof(*p));
	p->maps[0] =
	    (struct ms_map_row){ .address = 0x1000, .owner = "main.cache", .entries = 100 };
	p->maps[1] = (struct ms_map_row){ .address = 0x2000, .owner = "main.users", .entries = 5 };
	p->owners[0] = (struct ms_owner_row){ .owner = "main.sessions",
					      .type = "map[string]int",
					      .maps = 40000,
					      .entries = 120000,
					      .capacity = 1000000,
					      .total_bytes = 100000000,
					      .slack_bytes = 90000000 };
	p->census = (struct ms_census_report){
		.maps = p->maps, .map_count = 2, .owners = p->owners, .owner_count = 1
	};
	p->report.window_s = 10;
	p->report.is_traced = true;
	p->report.trace.source = MS_TRACE_PROBES;
	p->report.trace.window_s = 10;
	p->report.trace.stacks = (struct ms_stacks){ stacks, 2, 2 };
	p->report.goroutines.stacks = p->report.trace.stacks;
	p->report.allocations.stacks = p->report.trace.stacks;
	p->report.allocations.window_s = 10;
}

static void page_end(struct page *p)
{
	free(p->report.findings);
}

static const struct ms_finding *finding(const struct page *p, enum ms_finding_kind kind)
{
	for (size_t i = 0; i < p->report.finding_count; i++) {
		if (p->report.findings[i].kind == kind)
			return &p->report.findings[i];
	}
	return NULL;
}

MS_TEST(an_owner_of_many_maps_that_hold_little_is_a_finding)
{
	struct page p;

	page_make(&p);
	CHECK_OK(ms_more_findings_make(&p.census, &p.report));
	CHECK(finding(&p, MS_FINDING_OWNER) != NULL);
	CHECK_EQ(finding(&p, MS_FINDING_OWNER)->verdict, MS_VERDICT_SLACK);
	CHECK_EQ(finding(&p, MS_FINDING_OWNER)->maps_after, 40000);
	CHECK_EQ(finding(&p, MS_FINDING_OWNER)->maps_before, MS_UNKNOWN);
	page_end(&p);
	page_make(&p);
	p.owners[0].slack_bytes = 50000000; // Half of it.
	CHECK_OK(ms_more_findings_make(&p.census, &p.report));
	CHECK_EQ(p.report.finding_count, 0);
	page_end(&p);
	page_make(&p);
	p.owners[0].capacity = 8 * 40000; // Of the smallest tables that there are.
	CHECK_OK(ms_more_findings_make(&p.census, &p.report));
	CHECK_EQ(p.report.finding_count, 0);
	page_end(&p);
	page_make(&p);
	p.owners[0].maps = 900;
	CHECK_OK(ms_more_findings_make(&p.census, &p.report));
	CHECK_EQ(p.report.finding_count, 0);
	page_end(&p);
}

MS_TEST(so_many_maps_that_they_are_the_heap_are_a_finding)
{
	static const struct {
		uint64_t live_bytes, other_bytes;
		bool is_finding;
	} cases[] = { { 70000000, 50000000, true },
		      { 70000000, 900000000, false },  // A small part of the heap.
		      { 90000000, 50000000, false } }; // They hold what they take.

	for (size_t i = 0; i < MS_ARRAY_SIZE(cases); i++) {
		struct page p;

		page_make(&p);
		p.owners[0].slack_bytes = 20000000;
		p.owners[0].live_bytes = cases[i].live_bytes;
		p.report.memory.known = true;
		p.report.memory.map_live_bytes = cases[i].live_bytes;
		p.report.memory.map_slack_bytes = 20000000;
		p.report.memory.other_live_bytes = cases[i].other_bytes;
		CHECK_OK(ms_more_findings_make(&p.census, &p.report));
		CHECK_EQ(finding(&p, MS_FINDING_OWNER) != NULL, cases[i].is_finding);
		page_end(&p);
	}
}

static void grow_owner(struct page *p)
{
	p->owners[0].slack_bytes = 0;
	p->change = (struct ms_owner_change){ .owner = "main.sessions",
					      .type = "map[string]int",
					      .before = { 39000, 117000, 97000000, 0 },
					      .after = { 40000, 120000, 100000000, 0 },
					      .verdict = MS_VERDICT_GROWING };
	p->report.owner_changes = &p->change;
	p->report.owner_change_count = 1;
}

MS_TEST(an_owner_whose_maps_become_more_is_a_finding_unless_one_map_says_it)
{
	struct page p;

	page_make(&p);
	grow_owner(&p);
	CHECK_OK(ms_more_findings_make(&p.census, &p.report));
	CHECK(finding(&p, MS_FINDING_OWNER) != NULL);
	CHECK_EQ(finding(&p, MS_FINDING_OWNER)->maps_before, 39000);
	CHECK(fabs(finding(&p, MS_FINDING_OWNER)->bytes_per_min - 18e6) < 1);
	page_end(&p);
	page_make(&p);
	grow_owner(&p);
	p.report.findings = calloc(1, sizeof(*p.report.findings));
	CHECK(p.report.findings != NULL);
	p.report.findings[0] = ms_finding_of_map(&p.maps[0], MS_VERDICT_GROWING);
	p.report.findings[0].map.owner = "main.sessions";
	p.report.findings[0].map.type = "map[string]int";
	p.report.findings[0].map.entries = 110000;
	p.report.finding_count = 1;
	CHECK_OK(ms_more_findings_make(&p.census, &p.report));
	CHECK(finding(&p, MS_FINDING_OWNER) == NULL);
	page_end(&p);
}

MS_TEST(an_owner_that_gains_maps_but_hardly_bytes_is_none)
{
	struct page p;

	page_make(&p);
	grow_owner(&p);
	p.change.before = (struct ms_diff_side){ 39950, 0, 100000000 - 2600, 0 };
	CHECK_OK(ms_more_findings_make(&p.census, &p.report));
	CHECK(finding(&p, MS_FINDING_OWNER) == NULL);
	page_end(&p);
}

static void allocate(struct page *p, double share, double bytes_per_s)
{
	p->report.allocations.window_bytes = bytes_per_s * 10 / share;
	p->site =
	    (struct ms_alloc_site){ .stack = 0, .window_bytes = bytes_per_s * 10, .samples = 50 };
	p->report.allocations.sites = &p->site;
	p->report.allocations.site_count = 1;
}

MS_TEST(a_line_that_allocates_for_maps_beyond_its_share_is_a_finding)
{
	static const struct {
		double share, bytes_per_s;
		bool is_finding;
	} cases[] = { { 0.4, 5e6, true }, { 0.1, 5e6, false }, { 0.9, 0.5e6, false } };

	for (size_t i = 0; i < MS_ARRAY_SIZE(cases); i++) {
		struct page p;
		const struct ms_finding *f;

		page_make(&p);
		allocate(&p, cases[i].share, cases[i].bytes_per_s);
		CHECK_OK(ms_code_findings_make(&p.census, &p.report));
		f = finding(&p, MS_FINDING_CODE);
		CHECK_EQ(f != NULL, cases[i].is_finding);
		if (f) {
			CHECK_EQ(f->verdict, MS_VERDICT_CHURN);
			CHECK(fabs(f->line.alloc_share - cases[i].share) < 1e-9);
		}
		page_end(&p);
	}
}

MS_TEST(a_line_that_fills_a_growing_map_makes_no_maps_anew)
{
	struct page p;

	page_make(&p);
	allocate(&p, 0.9, 5e6);
	p.report.findings = calloc(1, sizeof(*p.report.findings));
	CHECK(p.report.findings != NULL);
	p.report.findings[0] = ms_finding_of_map(&p.maps[0], MS_VERDICT_SUSPECT);
	p.report.findings[0].fillers[0] = (struct ms_filler){ .stack = 0, .growths = 5 };
	p.report.findings[0].filler_count = 1;
	p.report.finding_count = 1;
	CHECK_OK(ms_code_findings_make(&p.census, &p.report));
	CHECK(finding(&p, MS_FINDING_CODE) == NULL);
	page_end(&p);
	// Without probes nothing grows by a line that is known: none is blamed.
	page_make(&p);
	allocate(&p, 0.9, 5e6);
	p.report.trace.source = MS_TRACE_POLLING;
	p.report.findings = calloc(1, sizeof(*p.report.findings));
	CHECK(p.report.findings != NULL);
	p.report.findings[0] = ms_finding_of_map(&p.maps[0], MS_VERDICT_SUSPECT);
	p.report.finding_count = 1;
	CHECK_OK(ms_code_findings_make(&p.census, &p.report));
	CHECK(finding(&p, MS_FINDING_CODE) == NULL);
	page_end(&p);
}

MS_TEST(growths_of_maps_that_are_gone_are_a_finding_those_of_lasting_ones_are_not)
{
	for (unsigned lasting = 0; lasting < 2; lasting++) {
		struct page p;

		page_make(&p);
		p.report.allocations.unknown = "not read";
		for (size_t i = 0; i < MS_ARRAY_SIZE(p.sums); i++)
			p.sums[i] =
			    (struct ms_growth_sum){ .map = lasting ? 0x1000 : 0x9000 + i * 64,
						    .stack = 0,
						    .count = 4,
						    .to_bytes = 10000000 };
		p.report.trace.sums = p.sums;
		p.report.trace.sum_count = MS_ARRAY_SIZE(p.sums);
		CHECK_OK(ms_code_findings_make(&p.census, &p.report));
		CHECK_EQ(finding(&p, MS_FINDING_CODE) != NULL, !lasting);
		page_end(&p);
	}
}

MS_TEST(time_in_writing_maps_that_pass_is_a_finding)
{
	static const struct {
		uint64_t passing, growing, copying;
		bool is_finding;
	} cases[] = {
		{ 5, 1, 0, false },  // Most of the time it is a map that stays.
		{ 55, 0, 0, false }, // Made with its size, and no copy: it may be needed.
		{ 55, 20, 0, true },
		{ 30, 0, 10, true },
	};

	for (size_t i = 0; i < MS_ARRAY_SIZE(cases); i++) {
		struct page p;

		page_make(&p);
		p.report.allocations.unknown = "not read";
		p.line = (struct ms_map_line){ .stack = 0,
					       .samples = 60,
					       .passing = cases[i].passing,
					       .growing = cases[i].growing,
					       .copying = cases[i].copying };
		p.report.has_goroutines = true;
		p.report.goroutines.samples = 200;
		p.report.goroutines.lines = &p.line;
		p.report.goroutines.line_count = 1;
		CHECK_OK(ms_code_findings_make(&p.census, &p.report));
		CHECK_EQ(finding(&p, MS_FINDING_CODE) != NULL, cases[i].is_finding);
		page_end(&p);
	}
}

MS_TEST(a_strong_clue_comes_first_a_weak_one_not_at_all)
{
	for (unsigned strong = 0; strong < 2; strong++) {
		struct page p;

		page_make(&p);
		p.clue =
		    (struct ms_race_clue){ .map = 0x2000,
					   .kind = "two writers",
					   .strength = strong ? MS_CLUE_STRONG : MS_CLUE_WEAK };
		p.report.has_goroutines = true;
		p.report.goroutines.clues = &p.clue;
		p.report.goroutines.clue_count = 1;
		CHECK_OK(ms_more_findings_make(&p.census, &p.report));
		CHECK_EQ(p.report.finding_count, 1 + strong); // And the owner's slack.
		CHECK_EQ(p.report.findings[0].verdict, strong ? MS_VERDICT_RACE : MS_VERDICT_SLACK);
		if (strong)
			CHECK_EQ(p.report.findings[0].map.address, 0x2000);
		page_end(&p);
	}
}

MS_TEST(garbage_is_no_finding)
{
	struct page p;

	page_make(&p);
	p.report.findings = calloc(2, sizeof(*p.report.findings));
	CHECK(p.report.findings != NULL);
	p.report.findings[0] = ms_finding_of_map(&p.maps[0], MS_VERDICT_SLACK);
	p.report.findings[1] = ms_finding_of_map(&p.maps[1], MS_VERDICT_GROWING);
	p.report.findings[1].polls = 90;
	p.report.finding_count = 2;
	p.report.findings[0].retained.is_unreached = p.report.findings[1].retained.is_unreached =
	    true;
	CHECK_OK(ms_garbage_drop(&p.report));
	CHECK_EQ(p.report.finding_count, 1);
	CHECK_EQ(p.report.findings[0].verdict, MS_VERDICT_GROWING); // What grows is in use.
	page_end(&p);
}

MS_TEST(an_owner_whose_new_maps_are_garbage_is_no_finding)
{
	static const struct {
		uint64_t reached;
		size_t left;
	} cases[] = { { 39000, 0 }, { 39500, 1 }, { 40000, 1 }, { MS_UNKNOWN, 1 } };

	for (size_t i = 0; i < MS_ARRAY_SIZE(cases); i++) {
		struct page p;

		page_make(&p);
		grow_owner(&p);
		CHECK_OK(ms_more_findings_make(&p.census, &p.report));
		CHECK_EQ(p.report.finding_count, 1);
		p.report.findings[0].retained.reached_maps = cases[i].reached;
		CHECK_OK(ms_garbage_drop(&p.report));
		CHECK_EQ(p.report.finding_count, cases[i].left);
		page_end(&p);
	}
}

MS_TEST(an_owner_with_too_many_maps_stays_one_when_its_new_maps_are_garbage)
{
	struct page p;

	page_make(&p);
	grow_owner(&p);
	p.owners[0].slack_bytes = 80000000;
	CHECK_OK(ms_more_findings_make(&p.census, &p.report));
	p.report.findings[0].retained.reached_maps = 39000;
	CHECK_OK(ms_garbage_drop(&p.report));
	CHECK_EQ(p.report.finding_count, 1);
	CHECK_EQ(p.report.findings[0].verdict, MS_VERDICT_SLACK);
	page_end(&p);
}

MS_TEST(a_table_is_joined_to_the_line_whose_tables_fit)
{
	struct page p;
	struct ms_alloc_site sites[] = { { .stack = 1, .in_use_bytes = 90e6 },
					 { .stack = 0, .in_use_bytes = 9e6 } };

	page_make(&p);
	p.report.findings = calloc(1, sizeof(*p.report.findings));
	CHECK(p.report.findings != NULL);
	p.report.findings[0] = ms_finding_of_map(&p.maps[0], MS_VERDICT_SLACK);
	p.report.findings[0].map.total_bytes = 10000000;
	p.report.finding_count = 1;
	p.report.allocations.sites = sites;
	p.report.allocations.site_count = 2;
	ms_sites_join(&p.report);
	CHECK(p.report.findings[0].line.stack == &stacks[0]);
	sites[1].in_use_bytes = 3e6; // Neither fits any more.
	p.report.findings[0].line.stack = NULL;
	ms_sites_join(&p.report);
	CHECK(p.report.findings[0].line.stack == NULL);
	page_end(&p);
}
