// Goal: a flame graph is well-formed XML whatever names a target has, every frame lies on its
// caller and inside the picture, and widths are shares.
// Method: random trees of calls; the frames are read back from the picture.  MS_KEEP_SVG=FILE
// keeps one to look at.
#include "base/cleanup.h"
#include "render/escape.h"
#include "render/render.h"
#include "tests/support/pipe.h"
#include "tests/support/test.h"
#include "tests/support/trace_reports.h"

#include <math.h>
#include <stdio.h>

enum { STACKS = 600, DEPTH_MAX = 260, ROW = 18, FRAMES_MAX = 100000 };

struct frame {
	double x, y, width;
};

static const char *const packages[] = {
	"main",          "net/http", "example.org/shop/session", "example.org/shop/ledger",
	"encoding/json", "sync"
};

static struct ms_stack_call random_call(struct ms_arena *arena, unsigned depth)
{
	unsigned choice = (unsigned)(ms_test_random() % (depth < 3 ? 2 : 6));
	const char *package = packages[(depth + choice) % MS_ARRAY_SIZE(packages)];

	return (struct ms_stack_call){
		.function =
		    ms_arena_printf(arena, "%s.(*Thing%u).Handle%u", package, depth, choice),
		.file = "/src/file.go",
		.line = 10 + choice,
		.is_inlined = choice == 3,
	};
}

static void fill(struct ms_stacks *stacks, struct ms_arena *arena)
{
	for (size_t i = 0; i < STACKS; i++) {
		uint64_t r = ms_test_random();
		uint32_t count = (uint32_t)(i == 7 ? DEPTH_MAX : 2 + r % 14);
		struct ms_stack *stack = &stacks->items[i];

		stack->calls = ms_arena_alloc(arena, count * sizeof(*stack->calls));
		stack->count = count;
		for (uint32_t k = 0; k < count; k++)
			stack->calls[count - 1 - k] = random_call(arena, k);
	}
	stacks->count = STACKS;
}

/** Frames of the picture; the background is the first rect and left out. */
static size_t read_frames(const char *svg, struct frame *frames)
{
	size_t count = 0;
	int height;

	for (const char *at = svg; (at = strstr(at, "<rect x=")); at++) {
		struct frame *f = &frames[count++];

		CHECK(count < FRAMES_MAX);
		CHECK_EQ(sscanf(at, "<rect x=\"%lf\" y=\"%lf\" width=\"%lf\" height=\"%d\"", &f->x,
				&f->y, &f->width, &height),
			 4);
	}
	return count;
}

static bool stands_on(const struct frame *f, const struct frame *below)
{
	return fabs(below->y - f->y - ROW) < 0.5 && f->x >= below->x - 0.2 &&
	       f->x + f->width <= below->x + below->width + 0.7;
}

static void check_frames(const struct frame *frames, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		bool found = i == 0; // The root.

		CHECK(frames[i].x >= 10 && frames[i].x + frames[i].width <= 1190.5);
		CHECK(frames[i].y >= 52);
		for (size_t k = i; k-- > 0 && !found;)
			found = stands_on(&frames[i], &frames[k]);
		CHECK(found);
	}
}

/** A parser of XML takes it. */
static void check_xml(const char *text)
{
	const char *const command[] = { "python3", "-c",
					"import sys, xml.dom.minidom\n"
					"xml.dom.minidom.parse(sys.stdin.buffer)",
					NULL };

	CHECK_EQ(ms_test_pipe(command, text, strlen(text), NULL), 0);
}

MS_TEST(render_flame_is_xml)
{
	const struct ms_trace_report reports[] = {
		ms_trace_example_classic(), ms_trace_example_swiss(),   ms_trace_example_polled(),
		ms_trace_example_empty(),   ms_trace_example_hostile(),
	};
	struct ms_sink sink;

	for (size_t i = 0; i < MS_ARRAY_SIZE(reports); i++) {
		ms_sink_init_memory(&sink);
		CHECK_OK(ms_render_trace_svg(&reports[i], &sink));
		check_xml(ms_sink_text(&sink));
		ms_sink_deinit(&sink);
	}
}

static void keep(const char *text)
{
	const char *path = getenv("MS_KEEP_SVG");
	MS_AUTO_FCLOSE FILE *out = path ? fopen(path, "w") : NULL;

	if (out)
		fputs(text, out);
}

MS_TEST(render_flame_frames_stand_on_their_callers)
{
	struct ms_arena arena = { 0 };
	struct ms_stack *items = calloc(STACKS, sizeof(*items));
	struct ms_growth_event *events = calloc(STACKS * 40, sizeof(*events));
	struct frame *frames = calloc(FRAMES_MAX, sizeof(*frames));
	struct ms_trace_report report = { .target = { .pid = 1, .exe = "/srv/shop" },
					  .window_s = 10,
					  .stacks = { items, 0, STACKS },
					  .events = events };
	struct ms_sink sink;
	size_t count;

	CHECK(items && events && frames);
	fill(&report.stacks, &arena);
	for (uint32_t i = 0; i < STACKS * 40; i++)
		events[report.event_count++].stack =
		    (uint32_t)(ms_test_random() % (i % STACKS + 1));
	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_trace_svg(&report, &sink));
	count = read_frames(ms_sink_text(&sink), frames);
	CHECK(count > 500);
	check_frames(frames, count);
	CHECK_CONTAINS(ms_sink_text(&sink), "24,000 growths");
	CHECK_CONTAINS(ms_sink_text(&sink), "too small to draw"); // The deep one, at least.
	keep(ms_sink_text(&sink));
	check_xml(ms_sink_text(&sink));
	ms_sink_deinit(&sink);
	free(frames);
	free(events);
	free(items);
	ms_arena_deinit(&arena);
}

MS_TEST(render_flame_is_as_high_as_what_is_drawn)
{
	enum { MANY = 5000, DEEP = 90 };
	static struct ms_stack_call wide[] = { { .function = "main.a" },
					       { .function = "main.main" } };
	static struct ms_stack_call deep[DEEP];
	static struct ms_stack stacks[] = { { wide, 2, NULL }, { deep, DEEP, NULL } };
	static struct ms_goroutine_row rows[MANY];
	const struct ms_goroutines_report report = { .target = { .pid = 1, .exe = "/srv/shop" },
						     .rows = rows,
						     .row_count = MANY,
						     .stacks = { stacks, 2, 2 } };
	struct ms_sink sink;

	for (size_t i = 0; i < DEEP; i++)
		deep[i].function = "main.deep";
	rows[0].stack = 1; // One of so many is no half of a pixel.
	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_goroutines_svg(&report, &sink));
	// The heading, the root and two calls on it, the margin.
	CHECK_CONTAINS(ms_sink_text(&sink), "height=\"116\" viewBox");
	CHECK_CONTAINS(ms_sink_text(&sink), "too small to draw");
	ms_sink_deinit(&sink);
}

MS_TEST(render_flame_widths_are_shares)
{
	static struct ms_stack_call a[] = { { .function = "main.a" }, { .function = "main.main" } };
	static struct ms_stack_call b[] = { { .function = "main.b" }, { .function = "main.main" } };
	static struct ms_stack stacks[] = { { a, 2, NULL }, { b, 2, NULL } };
	static struct ms_goroutine_row rows[] = { { .stack = 0 },
						  { .stack = 0 },
						  { .stack = 0 },
						  { .stack = 1 },
						  { .stack = MS_NO_STACK } };
	const struct ms_goroutines_report report = { .target = { .pid = 1, .exe = "/srv/shop" },
						     .rows = rows,
						     .row_count = 5,
						     .stacks = { stacks, 2, 2 } };
	struct frame frames[8];
	struct ms_sink sink;

	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_goroutines_svg(&report, &sink));
	CHECK_EQ(read_frames(ms_sink_text(&sink), frames), 5);
	CHECK(fabs(frames[0].width - 1179.5) < 0.1); // all
	CHECK(fabs(frames[1].width - 943.5) < 0.1);  // main.main: 4 of 5
	CHECK(fabs(frames[2].width - 707.5) < 0.1);  // main.a: 3 of 5
	CHECK(fabs(frames[3].width - 235.5) < 0.1);  // main.b
	CHECK(fabs(frames[4].width - 235.5) < 0.1);  // no stack
	CHECK_CONTAINS(ms_sink_text(&sink), "<title>main.a\n3 goroutines, 60 %</title>");
	CHECK_CONTAINS(ms_sink_text(&sink), "5 goroutines, 1 of them without a stack");
	ms_sink_deinit(&sink);
	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_goroutines_folded(&report, &sink));
	CHECK_STR(ms_sink_text(&sink), "main.main;main.a 3\nmain.main;main.b 1\n[no stack] 1\n");
	ms_sink_deinit(&sink);
}

MS_TEST(render_escape_xml)
{
	static const struct {
		const char *text, *xml;
	} cases[] = {
		{ "a<b>&\"'", "a&lt;b&gt;&amp;&quot;&#39;" },
		{ "\x01\x1b[0m", "\xef\xbf\xbd\xef\xbf\xbd[0m" },
		{ "a\tb\r\nc", "a b  c" },
		{ "\xff\xc3(", "\xef\xbf\xbd\xef\xbf\xbd(" },
		{ "\xef\xbf\xbe|\xef\xbf\xbf|\xf0\x9f\xbf\xbf",
		  "\xef\xbf\xbd|\xef\xbf\xbd|\xef\xbf\xbd" },
		{ "caf\xc3\xa9 \xf0\x9f\x98\x80", "caf\xc3\xa9 \xf0\x9f\x98\x80" },
	};
	struct ms_sink sink;

	for (size_t i = 0; i < MS_ARRAY_SIZE(cases); i++) {
		ms_sink_init_memory(&sink);
		ms_escape_xml(&sink, cases[i].text, strlen(cases[i].text));
		CHECK_STR(ms_sink_text(&sink), cases[i].xml);
		ms_sink_deinit(&sink);
	}
}
