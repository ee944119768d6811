// Goal: goroutines that do the same are one cluster, those that do not are none, and the order in
// which they come changes nothing.
// Method: reports made by hand, a letter for each call; the same one shuffled a hundred times.
#include "goroutines/cluster_frames.h"
#include "goroutines/clusters.h"

#include "base/vec.h"
#include "tests/support/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void check_folded(const char *name, const char *folded)
{
	char buf[128];

	CHECK_EQ(ms_frame_fold(name, buf, sizeof(buf)), strlen(folded));
	CHECK_STR(buf, folded);
}

MS_TEST(frames_lose_what_the_compiler_put_on_their_names)
{
	check_folded("main.fill", "main.fill");
	check_folded("main.fill[go.shape.int]", "main.fill[...]");
	check_folded("main.fill[...]", "main.fill[...]");
	check_folded("main.(*Set[go.shape.[]int,x]).Add-fm", "main.(*Set[...]).Add");
	check_folded("runtime.memmove.abi0", "runtime.memmove");
	check_folded("compute.cold", "compute");
	check_folded("compute.cold.12", "compute");
	check_folded("compute.part.0.isra.3", "compute");
	check_folded("main.run.func1", "main.run.func1");
	check_folded("main.run.func1.2", "main.run.func1.2");
	check_folded("main.run.func1-fm", "main.run.func1");
	check_folded("main.start.gowrap3", "main.start.gowrap3");
	check_folded("main.broken[", "main.broken[");
	check_folded(".cold", ".cold");
	check_folded("", "");
}

MS_TEST(a_folded_name_is_cut_to_its_room)
{
	char buf[6];

	CHECK_EQ(ms_frame_fold("main.fill.abi0", buf, sizeof(buf)), 9);
	CHECK_STR(buf, "main.");
	CHECK_EQ(ms_frame_fold("main", NULL, 0), 4);
}

/** Each letter is a name. */
static struct ms_cluster_frames frames(const char *letters)
{
	struct ms_cluster_frames f = { .own = (uint32_t)letters[0] };

	for (; letters[f.count]; f.count++)
		f.names[f.count] = (uint32_t)letters[f.count];
	return f;
}

static unsigned distance(const char *a, const char *b)
{
	struct ms_cluster_frames x = frames(a), y = frames(b);

	CHECK_EQ(ms_frames_distance(&x, &y), ms_frames_distance(&y, &x));
	return ms_frames_distance(&x, &y);
}

MS_TEST(the_distance_of_stacks_is_what_has_to_be_changed)
{
	CHECK_EQ(distance("abcdefgh", "abcdefgh"), 0);
	CHECK_EQ(distance("abcdefgh", "abXdefgh"), 1);
	CHECK_EQ(distance("abcdefgh", "acdefghi"), 2); // One left out, one put in.
	CHECK_EQ(distance("abc", "abcd"), 1);
	CHECK_EQ(distance("abc", ""), 3);
	CHECK_EQ(distance("", ""), 0);
	CHECK_EQ(distance("abcdefgh", "ABCDEFGH"), 8);
}

static bool near(const char *a, const char *b)
{
	struct ms_cluster_frames x = frames(a), y = frames(b);

	return ms_frames_are_near(&x, &y);
}

MS_TEST(near_is_two_of_eight_and_the_same_innermost_call)
{
	CHECK(near("abcdefgh", "abcdefXY"));
	CHECK(near("abcdefgh", "acdefghi"));
	CHECK(!near("abcdefgh", "abcdeXYZ"));
	CHECK(!near("abcdefgh", "Xbcdefgh"));
	CHECK(near("abcd", "abcX"));
	CHECK(!near("abcd", "abXY"));
	CHECK(near("abc", "abc"));
	CHECK(!near("abc", "abX")); // A third of it is another thing.
}

// --- Whole reports. ---

enum { ROWS_MAX = 256, CALLS_MAX = 12 };

static const char *const letters[26] = {
	"main.a", "main.b", "main.c", "main.d", "main.e", "main.f", "main.g", "main.h", "main.i",
	"main.j", "main.k", "main.l", "main.m", "main.n", "main.o", "main.p", "main.q", "main.r",
	"main.s", "main.t", "main.u", "main.v", "main.w", "main.x", "main.y", "main.z",
};

static struct ms_goroutines_report *report_new(void)
{
	struct ms_goroutines_report *r = calloc(1, sizeof(*r));

	CHECK(r != NULL);
	r->rows = calloc(ROWS_MAX, sizeof(*r->rows));
	CHECK(r->rows != NULL);
	return r;
}

static void report_drop(struct ms_goroutines_report *r)
{
	ms_goroutines_report_deinit(r);
	free(r);
}

/** A lower-case letter is a function of main, '.' one of the runtime. */
static uint32_t stack_add(struct ms_goroutines_report *r, const char *text)
{
	struct ms_stack stack = { 0 };

	stack.calls = ms_arena_alloc(&r->arena, CALLS_MAX * sizeof(*stack.calls));
	CHECK(stack.calls != NULL && strlen(text) <= CALLS_MAX);
	for (; *text; text++)
		stack.calls[stack.count++] =
		    *text == '.'
			? (struct ms_stack_call){ .function = "runtime.gopark", .is_runtime = true }
			: (struct ms_stack_call){ .function = letters[*text - 'a'],
						  .file = "main.go",
						  .line = (uint32_t)*text };
	CHECK(ms_vec_push(&r->stacks, stack));
	return (uint32_t)r->stacks.count - 1;
}

static struct ms_goroutine_row *row_add(struct ms_goroutines_report *r, const char *reason,
					uint32_t stack)
{
	struct ms_goroutine_row *row = &r->rows[r->row_count++];

	CHECK(r->row_count <= ROWS_MAX);
	*row = (struct ms_goroutine_row){ .id = r->row_count,
					  .state = reason ? "waiting" : "running",
					  .wait_reason = reason,
					  .waited_s = NAN,
					  .stack = stack,
					  .created_by = { .function = "main.main", .line = 7 },
					  .place = MS_NO_PLACE };
	return row;
}

static void rows_add(struct ms_goroutines_report *r, size_t count, const char *reason,
		     const char *stack)
{
	uint32_t index = stack_add(r, stack);

	for (size_t i = 0; i < count; i++)
		row_add(r, reason, index);
}

MS_TEST(goroutines_of_one_stack_and_wait_are_one_cluster)
{
	struct ms_goroutines_report *r = report_new();

	rows_add(r, 3, "chan receive", "..abc");
	rows_add(r, 5, "chan receive", "..xyz");
	rows_add(r, 2, "select", "..abc");
	r->rows[1].waited_s = 12;
	r->rows[2].waited_s = 400;
	r->rows[2].created_by.line = 8;
	CHECK_OK(ms_clusters_make(r));
	CHECK_EQ(r->cluster_count, 3);
	CHECK_EQ(r->clusters[0].count, 5);
	CHECK_EQ(r->clusters[1].count, 3);
	CHECK_STR(r->clusters[1].wait_reason, "chan receive");
	CHECK(r->clusters[1].oldest_s > 399 && r->clusters[1].is_stuck);
	CHECK(isnan(r->clusters[0].oldest_s) && !r->clusters[0].is_stuck);
	CHECK_EQ(r->clusters[1].examples[0], 3); // Waits for longest.
	CHECK_EQ(r->clusters[1].examples[1], 2);
	CHECK_EQ(r->clusters[1].examples[2], 1); // Is not known to wait.
	CHECK_EQ(r->clusters[1].created_by.line, 7);
	CHECK_EQ(r->clusters[1].created_by_count, 2);
	CHECK_EQ(r->rows[0].cluster, 1);
	CHECK_EQ(r->rows[9].cluster, 2);
	report_drop(r);
}

MS_TEST(the_runtime_s_own_calls_do_not_part_clusters)
{
	struct ms_goroutines_report *r = report_new();

	rows_add(r, 1, "chan receive", "..abc.");
	rows_add(r, 1, "chan receive", "...abc");
	rows_add(r, 1, "chan receive", "..ab.c.");
	CHECK_OK(ms_clusters_make(r));
	CHECK_EQ(r->cluster_count, 1);
	CHECK_EQ(r->clusters[0].stack_count, 3);
	report_drop(r);
}

MS_TEST(only_the_eight_innermost_calls_count)
{
	struct ms_goroutines_report *r = report_new();

	rows_add(r, 1, "select", "abcdefghij");
	rows_add(r, 1, "select", "abcdefghxyz");
	rows_add(r, 1, "select", "abcdemnop");
	CHECK_OK(ms_clusters_make(r));
	CHECK_EQ(r->cluster_count, 2);
	report_drop(r);
}

MS_TEST(stacks_alike_are_merged_into_the_most_frequent)
{
	struct ms_goroutines_report *r = report_new();

	rows_add(r, 2, "sync.Mutex.Lock", "abcdefxy");
	rows_add(r, 9, "sync.Mutex.Lock", "abcdefgh");
	rows_add(r, 4, "sync.Mutex.Lock", "bbcdefgh"); // Waits in another call.
	rows_add(r, 1, NULL, "abcdefgh");
	CHECK_OK(ms_clusters_make(r));
	CHECK_EQ(r->cluster_count, 3);
	CHECK_EQ(r->clusters[0].count, 11);
	CHECK_EQ(r->clusters[0].stack_count, 2);
	CHECK_EQ(r->clusters[0].stack, 1);
	CHECK_EQ(r->clusters[1].count, 4);
	CHECK_STR(r->clusters[2].state, "running");
	report_drop(r);
}

MS_TEST(what_has_no_stack_is_told_apart_by_who_made_it)
{
	struct ms_goroutines_report *r = report_new();

	row_add(r, NULL, MS_NO_STACK);
	row_add(r, NULL, MS_NO_STACK);
	row_add(r, NULL, MS_NO_STACK)->created_by.function = "main.other";
	row_add(r, NULL, MS_NO_STACK)->is_system = true;
	CHECK_OK(ms_clusters_make(r));
	CHECK_EQ(r->cluster_count, 3);
	CHECK_EQ(r->clusters[0].count, 2);
	CHECK_EQ(r->clusters[0].stack, MS_NO_STACK);
	CHECK_STR(r->clusters[1].created_by.function, "main.other");
	CHECK(r->clusters[2].is_system);
	report_drop(r);
}

MS_TEST(a_cluster_names_the_place_that_most_wait_for)
{
	struct ms_goroutines_report *r = report_new();

	rows_add(r, 5, "sync.Mutex.Lock", "abc");
	r->rows[0].place = 4;
	r->rows[1].place = r->rows[2].place = 9;
	CHECK_OK(ms_clusters_make(r));
	CHECK_EQ(r->clusters[0].place, 9);
	CHECK_EQ(r->clusters[0].place_count, 2);
	report_drop(r);
}

MS_TEST(a_suspect_marks_the_cluster_of_its_go_statement_and_wait)
{
	struct ms_goroutines_report *r = report_new();
	struct ms_leak_suspect suspect = { .created_by = { .function = "main.main", .line = 7 },
					   .wait_reason = "chan send" };

	rows_add(r, 2, "chan send", "abc");
	rows_add(r, 1, "chan receive", "abc");
	r->suspects = malloc(sizeof(suspect));
	CHECK(r->suspects != NULL);
	r->suspects[0] = suspect;
	r->suspect_count = 1;
	CHECK_OK(ms_clusters_make(r));
	CHECK_EQ(r->cluster_count, 2);
	CHECK(r->clusters[0].is_suspect && !r->clusters[1].is_suspect);
	report_drop(r);
}

MS_TEST(no_goroutines_are_no_clusters)
{
	struct ms_goroutines_report *r = report_new();

	CHECK_OK(ms_clusters_make(r));
	CHECK_EQ(r->cluster_count, 0);
	report_drop(r);
}

// --- Order. ---

/** Stacks near each other in chains: a~b, b~c, not a~c, where a greedy merge shows its order. */
static struct ms_goroutines_report *shuffled(const unsigned *order, size_t count)
{
	static const struct {
		const char *reason, *stack;
		unsigned rows;
	} kinds[] = {
		{ "select", "abcdefgh", 3 },    { "select", "abcdefxy", 3 },
		{ "select", "abcdvwxy", 3 },    { "select", "abtuvwxy", 2 },
		{ "select", "aqtuvwxy", 2 },    { "select", "abcdefgi", 1 },
		{ "chan send", "abcdefgh", 7 }, { "chan send", "abc", 1 },
		{ "chan send", "abd", 1 },
	};
	struct ms_goroutines_report *r = report_new();
	uint32_t stacks[MS_ARRAY_SIZE(kinds)];

	for (size_t i = 0; i < count; i++)
		stacks[order[i]] = stack_add(r, kinds[order[i]].stack);
	for (size_t i = 0; i < count; i++) {
		for (unsigned k = 0; k < kinds[order[i]].rows; k++)
			row_add(r, kinds[order[i]].reason, stacks[order[i]]);
	}
	CHECK_OK(ms_clusters_make(r));
	return r;
}

static void check_same(const struct ms_goroutines_report *a, const struct ms_goroutines_report *b)
{
	CHECK_EQ(a->cluster_count, b->cluster_count);
	for (size_t i = 0; i < a->cluster_count; i++) {
		const struct ms_stack *x = &a->stacks.items[a->clusters[i].stack];
		const struct ms_stack *y = &b->stacks.items[b->clusters[i].stack];

		CHECK_EQ(a->clusters[i].count, b->clusters[i].count);
		CHECK_EQ(a->clusters[i].stack_count, b->clusters[i].stack_count);
		CHECK_STR(a->clusters[i].wait_reason, b->clusters[i].wait_reason);
		CHECK_EQ(x->count, y->count);
		for (uint32_t k = 0; k < x->count; k++)
			CHECK_STR(x->calls[k].function, y->calls[k].function);
	}
}

MS_TEST(clusters_do_not_depend_on_the_order_of_goroutines)
{
	unsigned order[9] = { 0, 1, 2, 3, 4, 5, 6, 7, 8 };
	struct ms_goroutines_report *first = shuffled(order, MS_ARRAY_SIZE(order));

	CHECK(first->cluster_count > 2 && first->cluster_count < 9);
	for (unsigned round = 0; round < 100; round++) {
		struct ms_goroutines_report *r;

		for (size_t i = MS_ARRAY_SIZE(order); i-- > 1;) {
			size_t k = ms_test_random() % (i + 1);
			unsigned swap = order[i];

			order[i] = order[k];
			order[k] = swap;
		}
		r = shuffled(order, MS_ARRAY_SIZE(order));
		check_same(first, r);
		report_drop(r);
	}
	report_drop(first);
}

/** No two stacks near each other, all in one wait and one innermost call: the worst there is. */
MS_TEST(clusters_of_very_many_different_stacks_end)
{
	enum { STACKS = 20000, DEPTH = 8, NAMES = 3000 };
	struct ms_goroutines_report *r = calloc(1, sizeof(*r));
	char(*names)[24] = calloc(NAMES, sizeof(*names));

	CHECK(r != NULL && names != NULL);
	r->rows = calloc(STACKS, sizeof(*r->rows));
	CHECK(r->rows != NULL);
	for (size_t i = 0; i < NAMES; i++)
		snprintf(names[i], sizeof(names[i]), "main.f%zu", i);
	for (uint32_t i = 0; i < STACKS; i++) {
		struct ms_stack stack = { ms_arena_alloc(&r->arena, DEPTH * sizeof(*stack.calls)),
					  DEPTH, NULL };

		CHECK(stack.calls != NULL);
		stack.calls[0].function = names[0];
		for (size_t k = 1; k < DEPTH; k++)
			stack.calls[k].function = names[ms_test_random() % NAMES];
		CHECK(ms_vec_push(&r->stacks, stack));
		r->rows[i] = (struct ms_goroutine_row){ .id = i + 1,
							.state = "waiting",
							.wait_reason = "select",
							.waited_s = NAN,
							.stack = i,
							.place = MS_NO_PLACE };
	}
	r->row_count = STACKS;
	CHECK_OK(ms_clusters_make(r));
	CHECK(r->cluster_count > STACKS / 2);
	report_drop(r);
	free(names);
}
