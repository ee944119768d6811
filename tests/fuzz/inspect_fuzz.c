// Maps of a recorded process opened, with words of its memory changed.
//
//	1 byte  which recording      2 bytes  the first map      1 byte  of which unit more is told
//	then changes of 13 bytes: 2 bytes which place, 2 bytes offset behind it, 1 byte how, 8 bytes
//
// A place is taken as one of the maps' headers and tables where it can be (recorded.h).
#include "inspect/inspect_run.h"

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/recorded.h"

#include "render/render.h"

enum { MAPS = 24, READS_MAX = 20000 };

static void check(const struct ms_inspect_report *r)
{
	uint64_t units = 0;

	FUZZ_CHECK(!r->is_read || (r->now.fills && r->now.bits && r->now.chains));
	FUZZ_CHECK(r->is_read || r->unread_why);
	FUZZ_CHECK(r->settled || r->unsettled_why);
	FUZZ_CHECK(r->old.moved <= r->old.units);
	for (size_t i = 0; i < MS_INSPECT_FILLS; i++)
		units += r->fills[i];
	FUZZ_CHECK(!r->is_read || units == r->now.units);
	for (size_t i = 0; i < r->invariant_count; i++)
		FUZZ_CHECK(r->invariants[i].state == MS_INVARIANT_HOLDS || r->invariants[i].detail);
}

static void render(const struct ms_inspect_report *r)
{
	static const struct ms_text_style style = { .width = 80 };
	static const struct ms_inspect_view view = { .gdb = true, .dlv = true };
	struct ms_sink sink;

	ms_sink_init_memory(&sink);
	(void)fuzz_worked(ms_render_inspect_text(r, &view, &style, &sink));
	(void)fuzz_worked(ms_render_inspect_json(r, &sink));
	(void)fuzz_worked(ms_render_inspect_svg(r, &sink));
	ms_sink_deinit(&sink);
}

MS_FUZZ_TARGET(inspect)
{
	struct fuzz_input in = { data, size };
	struct recorded *r = recorded_get(fuzz_number(&in, 1));
	size_t first = (size_t)fuzz_number(&in, 2);
	const struct ms_inspect_options options = { .unit = fuzz_number(&in, 1),
						    .keys = true,
						    .looks = 1 };

	recorded_begin(r, READS_MAX);
	recorded_changes(&r->changed, r, r->census_count, RECORDED_CHANGES_MAX, &in);
	for (size_t n = 0; n < MAPS && n < r->census.map_count; n++) {
		const struct ms_map_row *row = &r->census.maps[(first + n) % r->census.map_count];
		struct ms_inspect_report report;

		if (!fuzz_worked(ms_inspect_run(r->rt, row, &options, &report)))
			break;
		check(&report);
		render(&report);
		ms_inspect_report_deinit(&report);
	}
}
