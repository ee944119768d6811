// Goal: the page of top, at the sizes that terminals have, for a log, and as a document.
//
// Method: example reports against goldens; each line of a screen is as wide as it at most.
#include "render/text_top.h"
#include "tests/support/golden.h"
#include "tests/support/test.h"
#include "tests/support/top_reports.h"

#include <stdlib.h>

static void check_screen(const struct ms_top_report *report, const struct ms_screen_view *view,
			 const char *golden)
{
	static const char looks[] = " BDRY";
	struct ms_screen screen;
	struct ms_sink text;

	CHECK_OK(ms_render_top_screen(report, view, &screen));
	CHECK_EQ(screen.count, view->height);
	ms_sink_init_memory(&text);
	for (size_t i = 0; i < screen.count; i++) {
		size_t columns = 0;

		for (const char *c = screen.items[i].text; *c; c++)
			columns += (*c & 0xc0) != 0x80;
		CHECK(columns <= view->width);
		ms_sink_printf(&text, "%c|%s\n", looks[screen.items[i].look], screen.items[i].text);
	}
	CHECK_GOLDEN(ms_sink_text(&text), strlen(ms_sink_text(&text)), golden);
	ms_sink_deinit(&text);
	ms_screen_deinit(&screen);
}

static struct ms_screen_view size_of(unsigned width, unsigned height)
{
	return (struct ms_screen_view){ .width = width,
					.height = height,
					.charset = MS_CHARSET_UNICODE };
}

MS_TEST(render_top_sizes)
{
	const struct ms_top_report report = ms_example_top();
	struct ms_screen_view view = size_of(80, 12);

	check_screen(&report, &view, "render/top_80.screen");
	view = size_of(130, 10);
	check_screen(&report, &view, "render/top_130.screen");
	view = size_of(60, 10);
	check_screen(&report, &view, "render/top_60.screen");
	view = size_of(40, 8);
	check_screen(&report, &view, "render/top_40.screen");
	view = size_of(80, 10);
	view.charset = MS_CHARSET_ASCII;
	check_screen(&report, &view, "render/top_ascii.screen");
	CHECK_EQ(ms_screen_row_room(24), 19);
	CHECK_EQ(ms_screen_row_room(3), 0);
}

MS_TEST(render_top_states)
{
	const struct ms_top_report report = ms_example_top(), unknown = ms_example_top_unknown(),
				   hostile = ms_example_top_hostile();
	struct ms_screen_view view = size_of(80, 8);

	view.frozen = true;
	view.filter = "session\\.";
	view.first = 1;
	view.selected = 2;
	view.prompt = "filter (a regular expression): map\\[_";
	check_screen(&report, &view, "render/top_frozen.screen");
	view = size_of(100, 8);
	check_screen(&unknown, &view, "render/top_unknown.screen");
	check_screen(&hostile, &view, "render/top_hostile.screen");
	view.charset = MS_CHARSET_ASCII;
	check_screen(&hostile, &view, "render/top_hostile_ascii.screen");
}

MS_TEST(render_top_log_and_document)
{
	const struct ms_top_report report = ms_example_top(), unknown = ms_example_top_unknown();
	const struct ms_text_style style = { 80, MS_COLOR_OFF, MS_CHARSET_UNICODE };
	struct ms_sink sink;

	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_top_text(&report, "session", &style, &sink));
	CHECK_GOLDEN(ms_sink_text(&sink), strlen(ms_sink_text(&sink)), "render/top.txt");
	ms_sink_deinit(&sink);
	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_top_json(&report, &sink));
	CHECK_GOLDEN(ms_sink_text(&sink), strlen(ms_sink_text(&sink)), "render/top.json");
	ms_sink_deinit(&sink);
	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_top_json(&unknown, &sink));
	CHECK_GOLDEN(ms_sink_text(&sink), strlen(ms_sink_text(&sink)), "render/top_unknown.json");
	ms_sink_deinit(&sink);
}
