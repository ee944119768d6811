// text_growth_line.c - what a flight recorder says beside each dump: a glance, not the page.
#include "render/escape.h"
#include "render/human.h"
#include "render/render.h"

enum { ROWS_SHOWN = 3 };

/** Bytes that a row has more than before; 0 where it has not, or where that is not known. */
static double growth_of(const struct ms_diff_row *row)
{
	double change = ms_diff_change(row->before.total_bytes, row->after.total_bytes);

	return change > 0 ? change : 0;
}

/** Entries that it has more, where its bytes do not tell: of a table on the move they are unknown.
 */
static double entries_more(const struct ms_diff_row *row)
{
	double change = ms_diff_change(row->before.entries, row->after.entries);

	return change > 0 ? change : 0;
}

static void put_name(const struct ms_diff_row *row, struct ms_sink *sink)
{
	ms_replace_text(sink, row->owner ? row->owner : "owner unknown", MS_REPLACE_UNSAFE);
	if (!row->type)
		return;
	ms_sink_puts(sink, " ");
	ms_replace_text(sink, row->type, MS_REPLACE_UNSAFE);
}

static void put_row(const struct ms_diff_row *row, struct ms_sink *sink)
{
	uint64_t entries = (uint64_t)entries_more(row);
	struct ms_human h;

	if (growth_of(row) > 0)
		ms_sink_printf(sink, "%s ", ms_human_bytes_change(&h, growth_of(row)));
	put_name(row, sink);
	if (row->presence == MS_DIFF_NEW)
		ms_sink_puts(sink, ", new");
	if (entries)
		ms_sink_printf(sink, ", %s entries more", ms_human_count(&h, entries));
}

struct ms_error *ms_render_growth_line(const struct ms_diff_report *report, double apart_s,
				       struct ms_sink *sink)
{
	size_t shown = 0;
	struct ms_human h;

	ms_sink_printf(sink, "in %s", ms_human_ahead(&h, apart_s));
	for (unsigned by_entries = 0; by_entries < 2; by_entries++) {
		for (size_t i = 0; i < report->row_count && shown < ROWS_SHOWN; i++) {
			const struct ms_diff_row *row = &report->rows[i];

			if (by_entries ? growth_of(row) > 0 || !(entries_more(row) > 0)
				       : !(growth_of(row) > 0))
				continue;
			ms_sink_puts(sink, shown++ ? "; " : ": ");
			put_row(row, sink);
		}
	}
	if (!shown)
		ms_sink_puts(sink, " no owner's maps grew");
	return ms_sink_finish(sink);
}
