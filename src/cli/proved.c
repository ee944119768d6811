// proved.c - "unproved" is said of every layout that no live test stands behind.
//
// The list is the one the live tests fill (tests/live/proved.txt).  A patch release counts as
// proved when another patch of the same minor release was tested that is read with the same row.
#include "cli/proved.h"

static bool row_fits(const struct ms_proved_row *row, int release,
		     const struct ms_go_layout *layout)
{
	return ms_go_major(row->release) == ms_go_major(release) &&
	       ms_go_minor(row->release) == ms_go_minor(release) && row->release >= layout->since &&
	       row->release < layout->until && row->arch == layout->arch &&
	       row->experiments == layout->experiments;
}

bool ms_layout_proved(int release, const struct ms_go_layout *layout)
{
	for (size_t i = 0; i < ms_proved_row_count; i++) {
		if (row_fits(&ms_proved_rows[i], release, layout))
			return true;
	}
	return false;
}
