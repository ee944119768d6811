// text_groups.c - maps of one owner in a sentence: what thousands of small maps are.
//
// A table of the largest maps says nothing about a fleet of small ones.  The groups that weigh most
// are said in words before the table; a map that is alone in its group is in the table already.
#include "render/text.h"

enum {
	GROUPS_MAX = 3,
	GROUP_MAPS_MIN = 10,
	NAME_COLUMNS_MAX = 120,
	NAME_COLUMNS_MIN = 24,
	REST_COLUMNS = 36, // Around a name: "  41,230 maps in , 1.9 GB".
	INDENT = 2,
	HANGING = 4,
};

static void text_group(struct ms_text *t, const struct ms_owner_row *row)
{
	size_t columns = NAME_COLUMNS_MAX;
	struct ms_human maps, bytes;

	if (t->style->width)
		columns = ms_max_u64(NAME_COLUMNS_MIN,
				     t->style->width - ms_min_u64(REST_COLUMNS, t->style->width));
	ms_text_printf(t, "%s maps ", ms_human_count(&maps, row->maps));
	if (row->owner) {
		ms_text_printf(t, "in ");
		ms_text_owner(t, row->owner, columns);
	} else {
		ms_text_printf(t, "of ");
		ms_text_name(t, row->type, columns);
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

		if (row->maps < GROUP_MAPS_MIN || !(row->owner || row->type))
			continue;
		text_group(t, row);
		shown++;
	}
}
