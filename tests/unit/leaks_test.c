// Goal: a go statement is a suspect when its goroutines only become more and wait for others, and
// for nothing less. Method: goroutines made by hand in a fake target; after the first look they
// change.
#include "goroutines/leaks.h"

#include "tests/support/fake_target.h"
#include "tests/support/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { GS = 16, G_BYTES = 512, TABLE = 0xc000000000, AT = 0xc000100000, STACK = 0xc000200000 };
enum { RECEIVE = 14, SLEEP = 19 }; // Of no release in particular.

struct program {
	struct fake_target fake;
	struct ms_go_runtime rt;
	uint64_t slice[3 + GS];
	uint8_t gs[GS][G_BYTES];
	struct ms_goroutines_report report;
	struct ms_goroutines_run run;
	void *state;
};

static double clock_now(void *context)
{
	(void)context;
	return 100;
}

static const struct ms_goroutines_options options = { .seconds = 1, .now = clock_now };

static struct program *program_new(void)
{
	struct program *p = calloc(1, sizeof(*p));

	CHECK(p != NULL);
	fake_target_init(&p->fake);
	fake_target_map(&p->fake, TABLE, p->slice, sizeof(p->slice), MS_REGION_ANON, MS_PROT_READ);
	fake_target_map(&p->fake, AT, p->gs, sizeof(p->gs), MS_REGION_ANON, MS_PROT_READ);
	p->rt.target = &p->fake.target;
	p->rt.allgs = TABLE;
	p->rt.layout = ms_go_layout_find(MS_GO_PATCH(1, 27, 4), MS_ARCH_AMD64,
					 MS_GO_EXP_SWISS | MS_GO_EXP_GREENTEA);
	CHECK(p->rt.layout != NULL);
	p->rt.build.release = MS_GO_PATCH(1, 27, 4);
	p->slice[0] = TABLE + 24;
	p->report.rows = calloc(GS, sizeof(*p->report.rows));
	CHECK(p->report.rows != NULL);
	p->run =
	    (struct ms_goroutines_run){ .rt = &p->rt, .options = &options, .report = &p->report };
	return p;
}

static void program_drop(struct program *p)
{
	ms_leaks_pass.destroy(p->state);
	ms_goroutines_report_deinit(&p->report);
	fake_target_deinit(&p->fake);
	free(p);
}

/** Goroutine @p index waits for @p reason since @p since, made at @p site. */
static void set_g(struct program *p, size_t index, uint64_t site, uint8_t reason, uint64_t since)
{
	const struct ms_go_layout *l = p->rt.layout;
	uint8_t *raw = p->gs[index];
	const struct {
		uint32_t at;
		uint64_t value;
	} words[] = {
		{ l->g_stack_lo, STACK + index * 4096 },
		{ l->g_stack_hi, STACK + index * 4096 + 2048 },
		{ l->g_sched_g, AT + index * G_BYTES },
		{ l->g_goid, index + 1 },
		{ l->g_gopc, site },
		{ l->g_waitsince, since },
	};

	for (size_t i = 0; i < MS_ARRAY_SIZE(words); i++)
		memcpy(raw + words[i].at, &words[i].value, 8);
	raw[l->g_status] = MS_GO_WAITING;
	raw[l->g_waitreason] = reason;
	p->slice[3 + index] = AT + index * G_BYTES;
	p->slice[1] = p->slice[2] = ms_max_u64(p->slice[1], index + 1);
}

static void first_look(struct program *p)
{
	CHECK_OK(ms_leaks_pass.start(&p->run, &p->state));
	CHECK(p->state != NULL);
}

static void second_look(struct program *p)
{
	static const struct ms_frames none;

	CHECK_OK(ms_goroutines_load(&p->rt, &p->run.goroutines));
	p->report.row_count = p->run.goroutines.count;
	for (size_t i = 0; i < p->run.goroutines.count; i++) {
		const struct ms_goroutine *g = &p->run.goroutines.items[i];
		struct ms_goroutine_row *row = &p->report.rows[i];

		row->id = g->id;
		row->state = "waiting";
		row->wait_reason = g->wait_reason == SLEEP ? "sleep" : "chan receive";
		row->waited_s = g->wait_since ? 100 - (double)g->wait_since : NAN;
		row->stack = MS_NO_STACK;
		row->created_by.function = "main.main";
		row->created_by.pc = g->created_at;
		CHECK_OK(ms_leaks_pass.goroutine(&p->run, p->state, g, &none, row));
	}
	CHECK_OK(ms_leaks_pass.end(&p->run, p->state));
	ms_goroutines_deinit(&p->run.goroutines);
}

/** Two that wait from site 7 on, and two more at the second look. */
static struct program *leaking(uint8_t reason)
{
	struct program *p = program_new();

	set_g(p, 0, 7, reason, 0);
	set_g(p, 1, 7, reason, 30);
	first_look(p);
	set_g(p, 2, 7, reason, 0);
	set_g(p, 3, 7, reason, 0);
	return p;
}

MS_TEST(more_that_wait_and_none_that_went_on_is_a_suspect)
{
	struct program *p = leaking(RECEIVE);

	second_look(p);
	CHECK_EQ(p->report.suspect_count, 1);
	CHECK_EQ(p->report.suspects[0].before, 2);
	CHECK_EQ(p->report.suspects[0].after, 4);
	CHECK_EQ(p->report.suspects[0].stayed, 2);
	CHECK_EQ(p->report.suspects[0].created_by.pc, 7);
	CHECK(p->report.suspects[0].oldest_s > 69 && p->report.suspects[0].oldest_s < 71);
	CHECK_CONTAINS(p->report.suspects[0].why, "and 2 more came");
	program_drop(p);
}

MS_TEST(one_that_waits_anew_was_woken)
{
	struct program *p = leaking(RECEIVE);

	set_g(p, 1, 7, RECEIVE, 90);
	second_look(p);
	CHECK_EQ(p->report.suspect_count, 0);
	program_drop(p);
}

MS_TEST(of_many_that_wait_one_may_be_woken)
{
	for (size_t woken = 1; woken < 3; woken++) {
		struct program *p = program_new();

		for (size_t i = 0; i < 12; i++)
			set_g(p, i, 7, RECEIVE, 30);
		first_look(p);
		for (size_t i = 0; i < woken; i++)
			set_g(p, i, 7, RECEIVE, 90);
		for (size_t i = 12; i < 16; i++)
			set_g(p, i, 7, RECEIVE, 0);
		second_look(p);
		CHECK_EQ(p->report.suspect_count, woken == 1);
		if (woken == 1)
			CHECK_CONTAINS(p->report.suspects[0].why, "11 that waited at the first");
		program_drop(p);
	}
}

MS_TEST(one_that_ended_was_woken)
{
	struct program *p = leaking(RECEIVE);

	set_g(p, 0, 8, RECEIVE, 0); // Its g was given to another.
	second_look(p);
	CHECK_EQ(p->report.suspect_count, 0);
	program_drop(p);
}

MS_TEST(a_first_wait_that_was_noticed_between_is_the_same)
{
	struct program *p = leaking(RECEIVE);

	set_g(p, 0, 7, RECEIVE, 95);
	second_look(p);
	CHECK_EQ(p->report.suspect_count, 1);
	program_drop(p);
}

MS_TEST(who_waits_for_time_is_no_suspect)
{
	struct program *p = leaking(SLEEP);

	second_look(p);
	CHECK_EQ(p->report.suspect_count, 0);
	program_drop(p);
}

MS_TEST(as_many_as_before_are_no_suspects)
{
	struct program *p = program_new();

	for (size_t i = 0; i < 5; i++)
		set_g(p, i, 7, RECEIVE, 30);
	first_look(p);
	second_look(p);
	CHECK_EQ(p->report.suspect_count, 0);
	CHECK(isfinite(p->report.apart_s));
	program_drop(p);
}

MS_TEST(new_ones_that_do_something_else_are_no_suspects)
{
	struct program *p = leaking(RECEIVE);

	set_g(p, 2, 7, SLEEP, 0);
	second_look(p);
	CHECK_EQ(p->report.suspect_count, 0); // Three of four are not nearly all.
	program_drop(p);
}

static const char *proof(int release, const char *experiments)
{
	static struct ms_build_info build;

	build.release = release;
	snprintf(build.experiments, sizeof(build.experiments), "%s", experiments);
	return ms_leak_proof(&build);
}

MS_TEST(the_proof_is_what_the_release_has)
{
	CHECK(!proof(MS_GO_PATCH(1, 25, 14), "goroutineleakprofile"));
	CHECK_CONTAINS(proof(MS_GO(1, 26), "greenteagc"), "GOEXPERIMENT=");
	CHECK_CONTAINS(proof(MS_GO_PATCH(1, 26, 11), "goroutineleakprofile"), "curl");
	CHECK(!strstr(proof(MS_GO_PATCH(1, 26, 11), "goroutineleakprofile"), "GOEXPERIMENT"));
	CHECK(!strstr(proof(MS_GO_PATCH(1, 27, 4), ""), "GOEXPERIMENT"));
}
