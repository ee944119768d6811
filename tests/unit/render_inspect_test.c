// Goal: the page, the document and the picture of an opened map look as they were last reviewed;
// nothing of a target breaks out of any of them; the document is what its schema says.
// Method: fixed reports (tests/support/inspect_reports.h) against tests/golden/render/.
#include "base/cleanup.h"
#include "render/render.h"
#include "tests/support/golden.h"
#include "tests/support/inspect_reports.h"
#include "tests/support/pipe.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>

static const struct ms_text_style narrow = { .width = 80, .charset = MS_CHARSET_UNICODE };
static const struct ms_text_style ascii = { .width = 80, .charset = MS_CHARSET_ASCII };
static const struct ms_text_style wide = { .width = 0, .charset = MS_CHARSET_UNICODE };
static const struct ms_text_style colored = { .width = 80, .color = MS_COLOR_ON };
static const struct ms_inspect_view plain = { 0 };
static const struct ms_inspect_view debuggers = { .gdb = true, .dlv = true };

/** Compare with the golden; no line but the last is wider than a narrow page. */
static void compare(struct ms_sink *sink, const char *name, bool is_narrow)
{
	MS_AUTO_FREE char *path = NULL;
	const char *text = ms_sink_text(sink);

	CHECK(text != NULL);
	CHECK(asprintf(&path, "render/%s", name) > 0);
	for (const char *line = text; is_narrow && *line;) {
		const char *end = strchr(line, '\n');
		size_t columns = 0;

		for (const char *p = line; p < end; p++)
			columns += ((unsigned char)*p & 0xc0) != 0x80;
		CHECK(columns <= 80 || !end[1]);
		line = end + 1;
	}
	CHECK_GOLDEN(text, strlen(text), path);
	ms_sink_deinit(sink);
}

static void page(struct ms_inspect_report report, const struct ms_inspect_view *view,
		 const struct ms_text_style *style, const char *name)
{
	struct ms_sink sink;

	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_inspect_text(&report, view, style, &sink));
	compare(&sink, name, style->width && style->color == MS_COLOR_OFF);
}

MS_TEST(render_inspect_pages)
{
	page(ms_inspect_example_growing(), &debuggers, &narrow, "inspect_growing.txt");
	page(ms_inspect_example_growing(), &plain, &wide, "inspect_growing_wide.txt");
	page(ms_inspect_example_same_size(), &plain, &ascii, "inspect_same_size_ascii.txt");
	page(ms_inspect_example_swiss(), &debuggers, &narrow, "inspect_swiss.txt");
	page(ms_inspect_example_moving(), &plain, &colored, "inspect_moving_color.txt");
	page(ms_inspect_example_hmap(), &plain, &narrow, "inspect_hmap.txt");
	page(ms_inspect_example_steady(), &debuggers, &narrow, "inspect_steady.txt");
	page(ms_inspect_example_halving(), &plain, &ascii, "inspect_halving_ascii.txt");
	page(ms_inspect_example_tidied(), &plain, &narrow, "inspect_tidied.txt");
	page(ms_inspect_example_hostile(), &debuggers, &ascii, "inspect_hostile_ascii.txt");
}

static void fits_schema(const char *document)
{
	MS_AUTO_FREE char *checker = ms_test_path("tests/golden/schema_check.py");
	MS_AUTO_FREE char *schema = ms_test_path("docs/formats/inspect.schema.json");
	const char *const command[] = { "python3", "-B", checker, "--closed", schema, "-", NULL };

	CHECK_EQ(ms_test_pipe(command, document, strlen(document), NULL), 0);
}

static void document(struct ms_inspect_report report, const char *name)
{
	struct ms_sink sink;

	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_inspect_json(&report, &sink));
	fits_schema(ms_sink_text(&sink));
	compare(&sink, name, false);
}

MS_TEST(render_inspect_documents)
{
	document(ms_inspect_example_growing(), "inspect_growing.json");
	document(ms_inspect_example_same_size(), "inspect_same_size.json");
	document(ms_inspect_example_swiss(), "inspect_swiss.json");
	document(ms_inspect_example_moving(), "inspect_moving.json");
	document(ms_inspect_example_hmap(), "inspect_hmap.json");
	document(ms_inspect_example_steady(), "inspect_steady.json");
	document(ms_inspect_example_halving(), "inspect_halving.json");
	document(ms_inspect_example_hostile(), "inspect_hostile.json");
}

static void picture(struct ms_inspect_report report, const char *name)
{
	const char *const command[] = {
		"python3", "-B", "-c",
		"import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.stdin.buffer)", NULL
	};
	struct ms_sink sink;

	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_inspect_svg(&report, &sink));
	CHECK_EQ(ms_test_pipe(command, ms_sink_text(&sink), sink.size, NULL), 0);
	compare(&sink, name, false);
}

MS_TEST(render_inspect_pictures)
{
	picture(ms_inspect_example_growing(), "inspect_growing.svg");
	picture(ms_inspect_example_same_size(), "inspect_same_size.svg");
	picture(ms_inspect_example_swiss(), "inspect_swiss.svg");
	picture(ms_inspect_example_moving(), "inspect_moving.svg");
	picture(ms_inspect_example_hmap(), "inspect_hmap.svg");
	picture(ms_inspect_example_steady(), "inspect_steady.svg");
	picture(ms_inspect_example_halving(), "inspect_halving.svg");
	picture(ms_inspect_example_tidied(), "inspect_tidied.svg");
	picture(ms_inspect_example_hostile(), "inspect_hostile.svg");
}

/** A table of many units: a cell stands for several, and every unit for one cell. */
MS_TEST(render_inspect_folds_large_tables)
{
	enum { UNITS = 100000 };
	struct ms_inspect_report r = ms_inspect_example_same_size();
	MS_AUTO_FREE uint16_t *fills = calloc(UNITS, sizeof(*fills));
	MS_AUTO_FREE uint8_t *bits = calloc(UNITS, sizeof(*bits));
	size_t cells = 0;
	struct ms_sink sink;

	r.old = (struct ms_inspect_array){ 0 };
	r.now.units = UNITS;
	r.now.fills = fills;
	r.now.bits = bits;
	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_inspect_svg(&r, &sink));
	CHECK(strstr(ms_sink_text(&sink), "one cell is up to 13 buckets") != NULL);
	for (const char *p = ms_sink_text(&sink); (p = strstr(p, "<rect class=\"c0\"")); p++)
		cells++;
	CHECK_EQ(cells, 8192 + 1); // And one in the legend.
	ms_sink_deinit(&sink);
	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_inspect_text(&r, &plain, &narrow, &sink));
	ms_sink_deinit(&sink);
}

MS_TEST(evenness_is_judged_by_deviations)
{
	struct ms_evenness e = { "cells", 100, 1000, 99, 99, 14 };

	CHECK_EQ(ms_evenness_judge(&e), MS_EVEN_CHANCE);
	e.chi_squared = 150;
	CHECK_EQ(ms_evenness_judge(&e), MS_EVEN_LESS);
	e.chi_squared = 50;
	CHECK_EQ(ms_evenness_judge(&e), MS_EVEN_MORE);
	e.entries = 10;
	CHECK_EQ(ms_evenness_judge(&e), MS_EVEN_UNKNOWN);
}
