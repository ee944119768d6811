// On each recording the census takes no decoy for a map: objects that the program shaped like map
// headers, with plausible counts, sizes and tables.
#include "tests/support/recordings.h"
#include "tests/support/test.h"

#include <stdio.h>

static void check_decoys(const struct recorded_census *t, void *context)
{
	(void)context;
	for (size_t i = 0; i < t->truth.decoys.count; i++) {
		const struct decoy *decoy = &t->truth.decoys.items[i];
		const struct ms_map_row *row = census_row(&t->report, decoy->address);

		printf("decoy at 0x%" PRIx64 "\n", decoy->address);
		if (row) {
			CHECK(decoy->is_empty);
			CHECK_EQ(row->confidence, MS_CONFIDENCE_UNVERIFIED);
		}
	}
}

MS_TEST(census_of_each_recording_passes_no_decoy)
{
	on_each_census(check_decoys, NULL);
}

MS_TEST(census_of_each_recording_passes_no_decoy_without_a_program)
{
	on_each_census_without_program(check_decoys, NULL);
}
