// text_groups.c - maps of one type summed: what thousands of small maps are.
//
// A table of the largest maps says nothing about a fleet of small ones.  A type with several maps
// gets a line here; one with a single map is in the table already.
#include "render/text.h"

enum { GROUPS_MAX = 5, NAME_COLUMNS_MAX = 120, HANGING = 40 };

static bool is_group(const struct ms_owner_row *row)
{
	return row->type && row->maps > 1;
}

static void text_group(struct ms_text *t, const struct ms_owner_row *row)
{
	struct ms_human bytes, slack, entries, maps;

	ms_text_printf(t, "%6s %6s %13s %9s ", ms_human_bytes(&bytes, row->total_bytes),
		       ms_human_bytes(&slack, row->slack_bytes),
		       ms_human_count(&entries, row->entries), ms_human_count(&maps, row->maps));
	ms_text_name(t, row->type, NAME_COLUMNS_MAX);
	if (row->owner) {
		ms_text_printf(t, " (");
		ms_text_name(t, row->owner, NAME_COLUMNS_MAX);
		ms_text_printf(t, ")");
	}
	ms_text_end_hanging(t, 0, HANGING);
}

void ms_text_groups(struct ms_text *t, const struct ms_owner_row *rows, size_t count)
{
	unsigned shown = 0;

	for (size_t i = 0; i < count && shown < GROUPS_MAX; i++) {
		if (!is_group(&rows[i]))
			continue;
		if (shown++ == 0) {
			ms_text_end_whole(t);
			ms_text_printf(t, "%6s %6s %13s %9s type with several maps", "bytes",
				       "slack", "entries", "maps");
			ms_text_end_whole(t);
		}
		text_group(t, &rows[i]);
	}
}
