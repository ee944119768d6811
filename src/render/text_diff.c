// text_diff.c - the page of `mapscope diff`.
//
// What changed most comes first, whether it grew or shrank; what is the same in both is not shown.
#include "base/cleanup.h"
#include "render/escape.h"
#include "render/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { COL_CHANGE, COL_BEFORE, COL_AFTER, COL_ENTRIES, COL_MAPS, NUMBER_COLS };
enum { TYPE_COLUMNS = 24, NAME_COLUMNS_MAX = 120, OWNER_COLUMNS_MIN = 8 };

static const char *const headings[NUMBER_COLS] = { "change", "before", "after", "entries", "maps" };

struct table {
	struct ms_text *t;
	size_t width[NUMBER_COLS];
};

/** +1,234, -5, 0; "?" for what is unknown. */
static void count_change(struct ms_human *h, uint64_t before, uint64_t after)
{
	double change = ms_diff_change(before, after);
	struct ms_human digits;

	if (isnan(change))
		snprintf(h->text, sizeof(h->text), "?");
	else
		snprintf(h->text, sizeof(h->text), "%s%.40s",
			 change > 0   ? "+"
			 : change < 0 ? "-"
				      : "",
			 ms_human_count(&digits, before < after ? after - before : before - after));
}

static void cells_of(const struct ms_diff_row *row, struct ms_human cells[NUMBER_COLS])
{
	const struct ms_diff_side *b = &row->before, *a = &row->after;

	ms_human_bytes_change(&cells[COL_CHANGE], ms_diff_change(b->total_bytes, a->total_bytes));
	if (row->presence == MS_DIFF_NEW)
		snprintf(cells[COL_BEFORE].text, sizeof(cells[COL_BEFORE].text), "new");
	else
		ms_human_bytes(&cells[COL_BEFORE], b->total_bytes);
	if (row->presence == MS_DIFF_GONE)
		snprintf(cells[COL_AFTER].text, sizeof(cells[COL_AFTER].text), "gone");
	else
		ms_human_bytes(&cells[COL_AFTER], a->total_bytes);
	count_change(&cells[COL_ENTRIES], b->entries, a->entries);
	count_change(&cells[COL_MAPS], b->maps, a->maps);
}

static void put_row(const struct table *table, const struct ms_diff_row *row)
{
	struct ms_text *t = table->t;
	struct ms_human cells[NUMBER_COLS];
	size_t used = 0, columns = TYPE_COLUMNS, at;

	cells_of(row, cells);
	for (size_t c = 0; c < NUMBER_COLS; c++) {
		ms_text_printf(t, "%*s ", (int)table->width[c], cells[c].text);
		used += table->width[c] + 1;
	}
	if (t->style->width) // Half of what is left.
		columns = ms_max_u64(8, (t->style->width > used ? t->style->width - used : 0) / 2);
	ms_text_name(t, row->type ? row->type : ms_map_kind_name(row->kind), columns);
	at = ms_text_columns(ms_sink_text(&t->line) ? ms_sink_text(&t->line) : "");
	ms_sink_fill(&t->line, ' ', at < used + columns + 1 ? used + columns + 1 - at : 1);
	columns = t->style->width > used + columns + 1 ? t->style->width - used - columns - 1 : 0;
	if (t->style->width)
		columns = ms_max_u64(columns, OWNER_COLUMNS_MIN);
	if (row->owner)
		ms_text_owner(t, row->owner, columns);
	else
		ms_text_printf(t, "owner unknown");
	ms_text_end_whole(t);
}

static void put_table(struct ms_text *t, const struct ms_diff_report *report, const size_t *order,
		      size_t count)
{
	struct table table = { .t = t };

	for (size_t c = 0; c < NUMBER_COLS; c++)
		table.width[c] = strlen(headings[c]);
	for (size_t i = 0; i < count; i++) {
		struct ms_human cells[NUMBER_COLS];

		cells_of(&report->rows[order[i]], cells);
		for (size_t c = 0; c < NUMBER_COLS; c++)
			table.width[c] = ms_max_u64(table.width[c], strlen(cells[c].text));
	}
	ms_text_end_whole(t);
	for (size_t c = 0; c < NUMBER_COLS; c++)
		ms_text_printf(t, "%*s ", (int)table.width[c], headings[c]);
	ms_text_printf(t, "type and owner");
	ms_text_end_whole(t);
	for (size_t i = 0; i < count && !ms_sink_failed(t->out); i++)
		put_row(&table, &report->rows[order[i]]);
}

/** A census and where it is from, unless that is its PID. */
static void put_side(struct ms_text *t, const struct ms_report_target *target, const char *name)
{
	char pid[24];

	ms_text_target(t, target);
	snprintf(pid, sizeof(pid), "%" PRIu64, (uint64_t)target->pid);
	if (name && !strcmp(name, pid))
		return;
	ms_text_printf(t, ": ");
	ms_text_name(t, name, NAME_COLUMNS_MAX);
}

static void put_head(struct ms_text *t, const struct ms_diff_report *report)
{
	const struct ms_diff_side *b = &report->total_before, *a = &report->total_after;
	struct ms_human h, change;

	put_side(t, &report->after, report->after_name);
	ms_text_printf(t, ", compared with ");
	if (report->same_process)
		ms_text_name(t, report->before_name, NAME_COLUMNS_MAX);
	else
		put_side(t, &report->before, report->before_name);
	ms_text_end(t, 0);
	for (size_t i = 0; i < report->warning_count; i++) {
		ms_text_colored(t, MS_TEXT_YELLOW, "note:");
		ms_text_printf(t, " ");
		ms_text_name(t, report->warnings[i], 0);
		ms_text_end(t, 0);
	}
	count_change(&change, b->maps, a->maps);
	ms_text_printf(t, "%s maps (%s)", ms_human_count(&h, a->maps), change.text);
	count_change(&change, b->entries, a->entries);
	ms_text_printf(t, ", %s entries (%s)", ms_human_count(&h, a->entries), change.text);
	ms_text_printf(
	    t, ", %s (%s)", ms_human_bytes(&h, a->total_bytes),
	    ms_human_bytes_change(&change, ms_diff_change(b->total_bytes, a->total_bytes)));
	ms_text_end(t, 0);
	if (report->appeared != MS_UNKNOWN) {
		ms_text_printf(t, "the same process: %s maps appeared, %s vanished",
			       ms_human_count(&h, report->appeared),
			       ms_human_count(&change, report->vanished));
		ms_text_end(t, 0);
	}
}

struct ms_error *ms_render_diff_text(const struct ms_diff_report *report,
				     const struct ms_census_view *view,
				     const struct ms_text_style *style, struct ms_sink *sink)
{
	MS_AUTO_FREE size_t *order = malloc((report->row_count + 1) * sizeof(*order));
	size_t count = 0, same = 0, hidden = 0;
	struct ms_human h;
	struct ms_text t;

	if (!order)
		return ms_error_no_memory();
	for (size_t i = 0; i < report->row_count; i++) {
		const struct ms_diff_row *row = &report->rows[i];

		if (!ms_row_filter_passes(view->filter, row->owner, row->type))
			continue;
		if (ms_diff_row_is_same(row) && view->top != SIZE_MAX)
			same++;
		else if (count < view->top)
			order[count++] = i;
		else
			hidden++;
	}
	ms_text_init(&t, style, sink);
	put_head(&t, report);
	if (count > 0)
		put_table(&t, report, order, count);
	else if (hidden == 0)
		ms_text_end_whole(&t);
	if (hidden > 0) {
		ms_text_printf(&t,
			       hidden == 1 ? "and %s more row that differs"
					   : "and %s more rows that differ",
			       ms_human_count(&h, hidden));
		ms_text_end(&t, 0);
	}
	if (same > 0) {
		ms_text_printf(
		    &t, same == 1 ? "%s row is the same in both" : "%s rows are the same in both",
		    ms_human_count(&h, same));
		ms_text_end(&t, 0);
	}
	ms_text_end_whole(&t);
	ms_text_cost(&t, &report->cost);
	return ms_text_finish(&t);
}
