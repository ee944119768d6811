// Goal: "proved" is said of what a live test stands behind, and of nothing
// else. Method: hold the generated table against the layout rows.
#include "cli/proved.h"
#include "tests/support/test.h"

MS_TEST(proved_rows_name_layouts_that_exist)
{
	for (size_t i = 0; i < ms_proved_row_count; i++) {
		const struct ms_proved_row *row = &ms_proved_rows[i];
		const struct ms_go_layout *layout =
		    ms_go_layout_find(row->release, row->arch, row->experiments);

		CHECK(layout != NULL);
		CHECK(ms_layout_proved(row->release, layout));
	}
}

MS_TEST(proved_is_bound_to_the_row_and_the_minor_release)
{
	const struct ms_go_layout *layout;
	struct ms_go_layout other;
	int release;

	if (!ms_proved_row_count)
		ms_test_skip("no release is proved");
	release = ms_proved_rows[0].release;
	layout = ms_go_layout_find(release, ms_proved_rows[0].arch, ms_proved_rows[0].experiments);
	CHECK(layout != NULL);
	CHECK(!ms_layout_proved(release - 1000, layout));
	other = *layout;
	other.arch = MS_ARCH_UNKNOWN;
	CHECK(!ms_layout_proved(release, &other));
	other = *layout;
	other.experiments ^= 1u << 31;
	CHECK(!ms_layout_proved(release, &other));
	other = *layout;
	other.until = release; // Another row holds from there on.
	CHECK(!ms_layout_proved(release, &other));
}
