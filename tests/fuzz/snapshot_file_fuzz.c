// A snapshot that anybody may have written: the columns as they are below the checksums, and the
// same bytes as a whole file.
#include "snapshot/snapshot_file.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/input.h"

static void check(const struct ms_census_report *report)
{
	size_t length = 0;

	for (size_t i = 0; i < report->owner_count; i++)
		length += report->owners[i].owner ? strlen(report->owners[i].owner) : 0;
	for (size_t i = 0; i < report->map_count; i++) {
		const struct ms_map_row *row = &report->maps[i];

		length += row->type ? strlen(row->type) : 0;
		FUZZ_CHECK(row->kind <= MS_MAP_HMAP_CLASSIC && row->where <= MS_WHERE_STACK);
		FUZZ_CHECK(row->confidence <= MS_CONFIDENCE_UNVERIFIED);
	}
	FUZZ_CHECK(length < SIZE_MAX / 2);
}

MS_FUZZ_TARGET(snapshot_file)
{
	struct ms_census_report report;
	struct ms_snapshot s;

	if (fuzz_worked(ms_snapshot_columns_read(data, size, &report))) {
		check(&report);
		ms_census_report_deinit(&report);
	}
	if (fuzz_worked(ms_snapshot_unpack(data, size, &s))) {
		check(&s.census);
		ms_census_report_deinit(&s.census);
	}
}
