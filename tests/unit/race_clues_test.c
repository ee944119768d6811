// Goal: a clue where two were inside one map at once, as strong as what was seen; none where one
// lock would explain it, or where nobody changed anything.
// Method: samples made by hand, over the functions of a recording.
#include "goroutines/race_clues.h"

#include "base/vec.h"
#include "tests/support/recordings.h"
#include "tests/support/test.h"

#include <math.h>

enum { MAP = 0xc000100000, OTHER_MAP = 0xc000200000 };

struct scene {
	struct ms_target *target;
	struct ms_go_runtime *rt;
	struct ms_map_finder *finder;
	struct ms_goroutines_report report;
	struct ms_stack_book book;
	struct ms_goroutines_run run;
	struct ms_sample_store store;
	struct ms_clue_sources sources;
};

static struct scene *scene_make(void)
{
	struct scene *s = calloc(1, sizeof(*s));

	CHECK(s != NULL);
	s->target = recording_open("go1.19.4");
	CHECK_OK(ms_go_open(s->target, NULL, &s->rt));
	CHECK_OK(ms_go_functions(s->rt, &s->run.functions));
	CHECK_OK(ms_map_finder_create(s->rt, NULL, &s->finder));
	ms_stack_book_init(&s->book, s->run.functions, &s->report.arena, &s->report.stacks);
	s->run.rt = s->rt;
	s->run.report = &s->report;
	s->run.book = &s->book;
	s->sources = (struct ms_clue_sources){
		.store = &s->store, .period_s = 0.005, .window_s = 2, .finder = s->finder
	};
	return s;
}

static void scene_drop(struct scene *s)
{
	ms_vec_free(&s->sources.loops);
	ms_vec_free(&s->sources.rests);
	ms_sample_store_deinit(&s->store);
	ms_stack_book_deinit(&s->book);
	ms_goroutines_report_deinit(&s->report);
	ms_map_finder_destroy(s->finder);
	ms_go_close(s->rt);
	ms_target_destroy(s->target);
	free(s);
}

static ms_addr function_at(const struct scene *s, const char *name)
{
	const struct ms_function *f = ms_functions_by_name(s->run.functions, name);

	CHECK(f != NULL);
	return f->entry + 1;
}

/** One sample: of goroutine N on thread N. */
static void sample(struct scene *s, uint64_t goroutine, double time, enum ms_map_role role,
		   ms_addr map)
{
	static struct ms_sampled_stack stack;
	const struct ms_cpu_sample at = { .time = time, .thread = (uint32_t)goroutine };
	const struct ms_map_use use = { .role = role, .map = map };

	stack.g.id = goroutine;
	stack.count = 2;
	stack.pcs[0].pc = function_at(s, "runtime.mapassign_fast64");
	stack.pcs[1] = (struct ms_stack_pc){ function_at(s, "main.main"), true };
	CHECK_OK(ms_sample_store_add(&s->store, s->run.functions, &at, &stack, &use));
}

static const struct ms_race_clue *only_clue(struct scene *s)
{
	CHECK_OK(ms_race_clues_find(&s->run, &s->sources));
	CHECK_EQ(s->report.clue_count, 1);
	return &s->report.clues[0];
}

static void no_clue(struct scene *s)
{
	CHECK_OK(ms_race_clues_find(&s->run, &s->sources));
	CHECK_EQ(s->report.clue_count, 0);
	scene_drop(s);
}

/** @p of 100 of the window inside, sampled regularly, @p late behind the first. */
static void inside_for(struct scene *s, uint64_t goroutine, unsigned of_100, double late,
		       enum ms_map_role role)
{
	unsigned looks = (unsigned)lround(s->sources.window_s / s->sources.period_s);

	for (unsigned i = 0; i < looks; i++) {
		if (i * of_100 / 100 != (i + 1) * of_100 / 100)
			sample(s, goroutine, 100 + i * s->sources.period_s + late, role, MAP);
	}
}

MS_TEST(more_time_inside_than_one_lock_lets_through_is_a_strong_clue)
{
	struct scene *s = scene_make();
	const struct ms_race_clue *clue;

	inside_for(s, 5, 80, 0, MS_ROLE_WRITES);
	inside_for(s, 6, 70, 0.002, MS_ROLE_WRITES);
	clue = only_clue(s);
	CHECK_STR(clue->kind, "two writers");
	CHECK_EQ(clue->strength, MS_CLUE_STRONG);
	CHECK_EQ(clue->map, MAP);
	CHECK_EQ(clue->goroutines[0] + clue->goroutines[1], 11);
	CHECK(isnan(clue->apart_s));
	CHECK_CONTAINS(clue->why, "80 %");
	CHECK_STR(ms_stack_line(&s->report.stacks.items[clue->stacks[0]])->function, "main.main");
	scene_drop(s);
}

MS_TEST(a_lock_that_is_always_held_by_one_of_two_is_no_clue)
{
	struct scene *s = scene_make();

	inside_for(s, 5, 50, 0, MS_ROLE_WRITES);
	inside_for(s, 6, 50, 0.002, MS_ROLE_WRITES);
	no_clue(s);
}

MS_TEST(chance_alone_is_no_clue)
{
	struct scene *s = scene_make();

	s->sources.window_s = 0.1; // Twenty looks.
	inside_for(s, 5, 60, 0, MS_ROLE_WRITES);
	inside_for(s, 6, 60, 0.002, MS_ROLE_WRITES);
	no_clue(s);
}

MS_TEST(readers_may_be_inside_together)
{
	struct scene *s = scene_make();

	inside_for(s, 5, 90, 0, MS_ROLE_READS);
	inside_for(s, 6, 90, 0, MS_ROLE_ITERATES);
	no_clue(s);
}

MS_TEST(a_reader_beside_a_writer_is_called_so)
{
	struct scene *s = scene_make();
	const struct ms_race_clue *clue;

	inside_for(s, 5, 90, 0, MS_ROLE_READS);
	inside_for(s, 6, 90, 0.002, MS_ROLE_GROWS);
	clue = only_clue(s);
	CHECK_STR(clue->kind, "a writer and a reader");
	CHECK_EQ(clue->goroutines[0], 6);
	scene_drop(s);
}

static void check_apart(double apart_s, int strength)
{
	struct scene *s = scene_make();

	sample(s, 5, 100, MS_ROLE_WRITES, MAP);
	sample(s, 5, 101, MS_ROLE_WRITES, MAP);
	sample(s, 6, 101 + apart_s, MS_ROLE_READS, MAP);
	sample(s, 6, 103, MS_ROLE_READS, MAP);
	if (strength < 0) {
		no_clue(s);
		return;
	}
	CHECK_EQ(only_clue(s)->strength, strength);
	CHECK_EQ(s->report.clues[0].seen, 1);
	CHECK(fabs(s->report.clues[0].apart_s - fabs(apart_s)) < 1e-7);
	scene_drop(s);
}

MS_TEST(nearness_is_as_strong_as_it_rules_out_a_lock)
{
	check_apart(0.4e-6, MS_CLUE_STRONG);
	check_apart(-0.4e-6, MS_CLUE_STRONG);
	check_apart(0.7e-6, MS_CLUE_WEAK);
	check_apart(3e-6, MS_CLUE_WEAK);
	check_apart(20e-6, -1);
}

MS_TEST(only_goroutines_that_are_known_and_one_map_count)
{
	struct scene *s = scene_make();

	sample(s, 5, 100, MS_ROLE_WRITES, MAP);
	sample(s, 6, 100, MS_ROLE_WRITES, OTHER_MAP);
	sample(s, 0, 100, MS_ROLE_WRITES, MAP); // Nobody knows whose.
	sample(s, 7, 100, MS_ROLE_NONE, 0);
	sample(s, 8, 101, MS_ROLE_WRITES, 0);
	sample(s, 9, 101, MS_ROLE_WRITES, 0);
	no_clue(s);
}

static void loop_open(struct scene *s, bool is_replaced)
{
	const struct ms_open_loop loop = {
		.goroutine = 7, .map = MAP, .stack = MS_NO_STACK, .is_replaced = is_replaced
	};

	CHECK(ms_vec_push(&s->sources.loops, loop));
}

MS_TEST(a_loop_over_what_was_replaced_is_a_weak_clue)
{
	struct scene *s = scene_make();
	const struct ms_race_clue *clue;

	loop_open(s, true);
	sample(s, 7, 100, MS_ROLE_WRITES, MAP); // Itself.
	sample(s, 5, 100.1, MS_ROLE_WRITES, MAP);
	sample(s, 6, 100.2, MS_ROLE_GROWS, MAP);
	clue = only_clue(s);
	CHECK_STR(clue->kind, "iterates a table that was replaced");
	CHECK_EQ(clue->strength, MS_CLUE_WEAK);
	CHECK_EQ(clue->goroutines[0], 7);
	CHECK_EQ(clue->goroutines[1], 6); // It grows.
	CHECK(clue->stacks[1] != MS_NO_STACK);
	scene_drop(s);
}

MS_TEST(who_waits_for_the_map_s_lock_is_told_beside_it)
{
	struct scene *s = scene_make();
	struct ms_wait_place places[] = {
		{ .kind = "channel receive", .map_address = MAP, .waiting = 9 },
		{ .kind = "mutex", .name = "Registry.mu", .map_address = MAP, .waiting = 3 },
	};

	s->report.places = places;
	s->report.place_count = 2;
	loop_open(s, true);
	CHECK_STR(only_clue(s)->lock_state, "3 waiting for Registry.mu (mutex)");
	s->report.places = NULL;
	scene_drop(s);
}

MS_TEST(an_open_loop_alone_is_no_clue)
{
	struct scene *s = scene_make();

	loop_open(s, false);
	sample(s, 7, 100, MS_ROLE_WRITES, MAP);
	sample(s, 5, 100.1, MS_ROLE_READS, MAP);
	no_clue(s);
	s = scene_make();
	loop_open(s, false);
	sample(s, 5, 100.1, MS_ROLE_WRITES, MAP);
	CHECK_STR(only_clue(s)->kind, "a writer and a loop");
	scene_drop(s);
}

MS_TEST(stacks_that_differ_inside_the_runtime_share_their_code)
{
	struct scene *s = scene_make();
	static struct ms_sampled_stack stack;
	const struct ms_cpu_sample at = { .time = 1, .thread = 1 };
	const struct ms_map_use use = { .role = MS_ROLE_WRITES, .map = MAP };

	stack.count = 2;
	stack.pcs[1] = (struct ms_stack_pc){ function_at(s, "main.main"), true };
	for (unsigned i = 0; i < 3; i++) {
		stack.pcs[0].pc = function_at(s, "runtime.mapassign_fast64") + i / 2 * 8;
		CHECK_OK(ms_sample_store_add(&s->store, s->run.functions, &at, &stack, &use));
	}
	CHECK_EQ(s->store.stacks.count, 2);
	CHECK_EQ(s->store.seen.items[0].stack, s->store.seen.items[1].stack);
	CHECK_EQ(s->store.stacks.items[0].code, s->store.stacks.items[1].code);
	stack.pcs[1].pc = function_at(s, "runtime.main");
	CHECK_OK(ms_sample_store_add(&s->store, s->run.functions, &at, &stack, &use));
	CHECK(s->store.stacks.items[2].code != s->store.stacks.items[0].code);
	scene_drop(s);
}
