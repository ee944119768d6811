// Goal: a cycle's line is the one that the runtime prints, cut and not rounded, with "?" where it
// is not known. Method: figures at the edges of runtime.fmtNSAsMS; the whole line for a cycle and
// for none.  The live test compares lines with the runtime's own.
#include "trace/gc_line.h"

#include "tests/support/test.h"

static const int64_t US = 1000;

static struct ms_go_collections_now a_look(void)
{
	return (struct ms_go_collections_now){
		.ended = 7,
		.cpu_share = 0.0199,
		.has_cycle = true,
		.cycle = { .start_ns = 2104999 * US,
			   .mark_ns = 2104999 * US + 24900,
			   .mark_end_ns = 2104999 * US + 24900 + 1299 * US,
			   .end_ns = 2104999 * US + 24900 + 1299 * US + 900,
			   .heap_start_bytes = 4 << 20,
			   .heap_end_bytes = (5 << 20) - 1,
			   .heap_marked_bytes = 1 << 20,
			   .stop_procs = 2,
			   .procs = 8 },
		.pacer = { .assist_ns = 310 * US,
			   .dedicated_ns = 1000 * US,
			   .fractional_ns = 100 * US,
			   .idle_ns = 12345 * US,
			   .last_goal_bytes = 4 << 20,
			   .globals_scan_bytes = 100 },
	};
}

static const char *line_of(struct ms_arena *arena, const struct ms_go_collections_now *look,
			   bool forced, bool known)
{
	const struct ms_gc_line line = {
		.number = 7,
		.began_ns = 1000 * US,
		.is_forced = forced,
		.is_forced_known = known,
		.stacks_bytes = MS_UNKNOWN,
		.look = look,
	};
	const char *text = ms_gc_line(arena, &line);

	CHECK(text);
	return text;
}

MS_TEST(gc_line_whole)
{
	struct ms_arena arena = { 0 };
	struct ms_go_collections_now look = a_look();

	CHECK_STR(line_of(&arena, &look, false, true),
		  "gc 7 @2.103s 1%: 0.024+1.2+0 ms clock, 0.049+0.31/1.1/12+0.001 ms cpu, "
		  "4->4->1 MB, 4 MB goal, ? MB stacks, 0 MB globals, 8 P");
	CHECK_STR(line_of(&arena, NULL, true, true),
		  "gc 7 @?s ?%: ?+?+? ms clock, ?+?/?/?+? ms cpu, ?->?->? MB, ? MB goal, "
		  "? MB stacks, ? MB globals, ? P (forced)");
	ms_arena_deinit(&arena);
}

static bool ends_in(const char *text, const char *end)
{
	size_t length = strlen(text), tail = strlen(end);

	return length >= tail && strcmp(text + length - tail, end) == 0;
}

MS_TEST(gc_line_forced)
{
	struct ms_arena arena = { 0 };
	struct ms_go_collections_now look = a_look();

	CHECK(ends_in(line_of(&arena, &look, true, true), " 8 P (forced)"));
	CHECK(ends_in(line_of(&arena, &look, false, false), " 8 P (forced?)"));
	ms_arena_deinit(&arena);
}

MS_TEST(gc_line_milliseconds)
{
	static const struct {
		int64_t ns;
		const char *text;
	} cases[] = {
		{ 999, "+0 ms clock" },
		{ 1000, "+0.001 ms clock" },
		{ 99999, "+0.099 ms clock" },
		{ 100000, "+0.10 ms clock" },
		{ 999999, "+0.99 ms clock" },
		{ 1000000, "+1.0 ms clock" },
		{ 9999999, "+9.9 ms clock" },
		{ 10000000, "+10 ms clock" },
		{ 123456789012, "+123456 ms clock" },
	};
	struct ms_arena arena = { 0 };

	for (size_t i = 0; i < MS_ARRAY_SIZE(cases); i++) {
		struct ms_go_collections_now look = a_look();
		const char *text;

		look.cycle.end_ns = look.cycle.mark_end_ns + cases[i].ns;
		text = line_of(&arena, &look, false, true);
		if (!strstr(text, cases[i].text))
			ms_test_fail(__FILE__, __LINE__, "%s is not in %s", cases[i].text, text);
	}
	ms_arena_deinit(&arena);
}

MS_TEST(gc_line_of_figures_that_cannot_be)
{
	struct ms_arena arena = { 0 };
	struct ms_go_collections_now look = a_look();

	look.cpu_share = 1.5;
	look.pacer.assist_ns = -1;
	look.cycle.start_ns = 0; // Before the program.
	CHECK(strstr(line_of(&arena, &look, false, true), "gc 7 @?s ?%: "));
	CHECK(strstr(line_of(&arena, &look, false, true), "+?/1.1/12+"));
	ms_arena_deinit(&arena);
}
