// text_groups.c - maps of one owner in a sentence: what thousands of small maps are.
//
// A table of the largest maps says nothing about a fleet of small ones.  The groups that weigh most
// are said in words before the table; a map that is alone in its group is in the table already.
#include "render/text.h"

enum { GROUPS_MAX = 3, NAME_COLUMNS_MAX = 120, INDENT = 2, HANGING = 4 };

static void text_group(struct ms_text *t, const struct ms_owner_row *row)
{
	struct ms_human maps, bytes;

	ms_text_printf(t, "%s maps ", ms_human_count(&maps, row->maps));
	if (row->owner) {
		ms_text_printf(t, "in ");
		ms_text_owner(t, row->owner, NAME_COLUMNS_MAX);
	} else {
		ms_text_printf(t, "of ");
		ms_text_name(t, row->type, NAME_COLUMNS_MAX);
	}
	ms_text_printf(t, ", %s", ms_human_bytes(&bytes, row->total_bytes));
	ms_text_end_hanging(t, INDENT, HANGING);
}

void ms_text_groups(struct ms_text *t, const struct ms_owner_row *rows, const size_t *order,
		    size_t count)
{
	unsigned shown = 0;

	for (size_t i = 0; i < count && shown < GROUPS_MAX; i++) {
		const struct ms_owner_row *row = &rows[order[i]];

		if (row->maps < 2 || !(row->owner || row->type))
			continue;
		text_group(t, row);
		shown++;
	}
}
