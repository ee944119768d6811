// Maps of a recorded process opened, with words of its memory changed.
//
//	1 byte  which recording      2 bytes  the first map      1 byte  of which unit more is told
//	then changes of 13 bytes: 2 bytes which place, 2 bytes offset behind it, 1 byte how, 8 bytes
//
// A place is taken as one of the maps' headers and tables where it can be (recorded.h).
#include "inspect/inspect_run.h"

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/recorded.h"
#include "tests/fuzz/render_all.h"

enum { MAPS = 24, READS_MAX = 20000 };

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
		render_all_inspect(&report);
		ms_inspect_report_deinit(&report);
	}
}
