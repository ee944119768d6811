// text_census.c - the page of `mapscope maps`.
//
// The table's columns are as wide as what they hold; what the page's width leaves is shared by the
// type and the owner, which are cut to it.  Numbers and addresses are never cut.
#include "base/cleanup.h"
#include "render/escape.h"
#include "render/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { COL_BYTES, COL_SLACK, COL_ENTRIES, COL_CAPACITY, COL_LOAD, COL_GROWTH, NUMBER_COLS };
enum { TYPE_COLUMNS_MIN = 8, TYPE_COLUMNS_ENOUGH = 48, WIDE_PAGE = 100 };

struct table {
	struct ms_text *t;
	const struct ms_census_report *report;
	const size_t *order;
	size_t count;
	size_t width[NUMBER_COLS];
	size_t type_width, place_width, address_width; // The last: widest address.
	const char *gap;
	bool wide;
	bool has_owner;
};

static const char *const headings[NUMBER_COLS] = {
	"bytes", "slack", "entries", "capacity", "load", "growth",
};

static void load_cell(const struct ms_map_row *row, bool wide, struct ms_human *ret)
{
	double load = ms_map_row_load(row);
	struct ms_human percent, per_bucket;

	ms_human_percent(&percent, load);
	if (row->capacity == 0)
		snprintf(ret->text, sizeof(ret->text), "-");
	else if (wide && row->kind == MS_MAP_CLASSIC && isfinite(load))
		snprintf(ret->text, sizeof(ret->text), "%.12s (%.12s/8)", percent.text,
			 ms_human_rate(&per_bucket, load * 8));
	else
		*ret = percent;
}

static void growth_cell(const struct ms_map_row *row, struct ms_human *ret)
{
	struct ms_human percent;

	if (!row->growing)
		snprintf(ret->text, sizeof(ret->text), "-");
	else
		snprintf(ret->text, sizeof(ret->text), "%s%s", row->growth.same_size ? "same " : "",
			 ms_human_percent(&percent, row->growth.progress));
}

static void number_cells(const struct table *table, const struct ms_map_row *row,
			 struct ms_human ret_cells[NUMBER_COLS])
{
	ms_human_bytes(&ret_cells[COL_BYTES], row->total_bytes);
	ms_human_bytes(&ret_cells[COL_SLACK], row->slack_bytes);
	ms_human_count(&ret_cells[COL_ENTRIES], row->entries);
	ms_human_count(&ret_cells[COL_CAPACITY], row->capacity);
	load_cell(row, table->wide, &ret_cells[COL_LOAD]);
	growth_cell(row, &ret_cells[COL_GROWTH]);
}

static size_t columns_of(struct ms_sink *scratch)
{
	const char *text = ms_sink_text(scratch);

	return text ? ms_text_columns(text) : 0;
}

/** What a reader must know about a row; the legend under the table says what it means. */
static const char *row_marks(const struct ms_map_row *row)
{
	bool changed = row->confidence == MS_CONFIDENCE_CHANGED;

	if (row->where == MS_WHERE_STACK)
		return changed ? "*+" : "+";
	return changed ? "*" : "";
}

static size_t place_columns(const struct table *table, const struct ms_map_row *row,
			    struct ms_sink *scratch)
{
	scratch->size = 0;
	if (row->owner)
		ms_escape_text(scratch, row->owner, table->t->style->charset);
	else
		ms_sink_printf(scratch, "0x%" PRIx64, row->address);
	return columns_of(scratch) + strlen(row_marks(row));
}

static void measure_row(struct table *table, const struct ms_map_row *row, struct ms_sink *scratch)
{
	struct ms_human cells[NUMBER_COLS];
	size_t place;

	number_cells(table, row, cells);
	for (size_t c = 0; c < NUMBER_COLS; c++)
		table->width[c] = ms_max_u64(table->width[c], strlen(cells[c].text));
	scratch->size = 0;
	ms_escape_text(scratch, row->type ? row->type : "?", table->t->style->charset);
	table->type_width = ms_max_u64(table->type_width, columns_of(scratch));
	place = place_columns(table, row, scratch);
	table->place_width = ms_max_u64(table->place_width, place);
	if (!row->owner)
		table->address_width = ms_max_u64(table->address_width, place);
	table->has_owner = table->has_owner || row->owner;
}

/** Cut type and owner to what the page leaves; an address is never cut. */
static void fit_table(struct table *table)
{
	size_t gap = strlen(table->gap);
	size_t used = gap;
	size_t room;

	for (size_t c = 0; c < NUMBER_COLS; c++)
		used += table->width[c] + gap;
	if (table->t->style->width == 0) {
		table->type_width = ms_min_u64(table->type_width, TYPE_COLUMNS_ENOUGH);
		return;
	}
	if (used + table->type_width + table->place_width <= table->t->style->width)
		return;
	room = table->t->style->width > used ? table->t->style->width - used : 0;
	if (table->has_owner && table->place_width > room / 2)
		table->place_width = ms_max_u64(room / 2, table->address_width);
	room = room > table->place_width ? room - table->place_width : 0;
	table->type_width =
	    ms_min_u64(table->type_width, ms_max_u64(room, (uint64_t)TYPE_COLUMNS_MIN));
}

static void table_init(struct table *table, struct ms_sink *scratch)
{
	unsigned width = table->t->style->width;

	table->wide = width == 0 || width >= WIDE_PAGE;
	table->gap = table->wide ? "  " : " ";
	for (size_t c = 0; c < NUMBER_COLS; c++)
		table->width[c] = strlen(headings[c]);
	table->type_width = strlen("type");
	table->place_width = table->address_width = strlen("address");
	for (size_t i = 0; i < table->count; i++)
		measure_row(table, &table->report->maps[table->order[i]], scratch);
	fit_table(table);
}

static void table_head(const struct table *table)
{
	struct ms_text *t = table->t;

	for (size_t c = 0; c < NUMBER_COLS; c++)
		ms_text_printf(t, "%*s%s", (int)table->width[c], headings[c], table->gap);
	ms_text_printf(t, "%-*s%s", (int)table->type_width, "type", table->gap);
	if (!table->has_owner)
		ms_text_printf(t, "address");
	else
		ms_text_printf(t, table->place_width < 16 ? "owner" : "owner or address");
	ms_text_end_whole(t);
}

/** Append a type filled up to the column's width, and cut to it where the page has a width. */
static void type_cell(struct ms_text *t, const char *name, size_t columns)
{
	size_t end = columns_of(&t->line) + columns;
	size_t at;

	ms_text_name(t, name, t->style->width ? columns : 0);
	at = columns_of(&t->line);
	ms_sink_fill(&t->line, ' ', at < end ? end - at : 0);
}

static void table_row(const struct table *table, const struct ms_map_row *row)
{
	struct ms_text *t = table->t;
	struct ms_human cells[NUMBER_COLS];

	number_cells(table, row, cells);
	for (size_t c = 0; c < NUMBER_COLS; c++)
		ms_text_printf(t, "%*s%s", (int)table->width[c], cells[c].text, table->gap);
	type_cell(t, row->type, table->type_width);
	ms_sink_puts(&t->line, table->gap);
	if (row->owner)
		ms_text_name(t, row->owner,
			     t->style->width ? table->place_width - strlen(row_marks(row)) : 0);
	else
		ms_text_printf(t, "0x%" PRIx64, row->address);
	ms_text_printf(t, "%s", row_marks(row));
	ms_text_end_whole(t);
}

static void table_legend(const struct table *table)
{
	bool changed = false;
	bool stack = false;

	for (size_t i = 0; i < table->count; i++) {
		const struct ms_map_row *row = &table->report->maps[table->order[i]];

		changed = changed || row->confidence == MS_CONFIDENCE_CHANGED;
		stack = stack || row->where == MS_WHERE_STACK;
	}
	if (changed) {
		ms_text_printf(table->t, "* changed while it was read: the numbers of its header");
		ms_text_end(table->t, 0);
	}
	if (stack) {
		ms_text_printf(table->t, "+ its header is on a goroutine's stack");
		ms_text_end(table->t, 0);
	}
}

/** Rows of @p order that the table shows: never-written maps only where all were asked for. */
static size_t shown_rows(const struct ms_census_report *report, const struct ms_census_view *view,
			 const size_t *order, size_t count)
{
	if (view->top == SIZE_MAX)
		return count;
	while (count > 0 && ms_map_row_never_written(&report->maps[order[count - 1]]))
		count--; // They come last in every order.
	return count;
}

static void text_table(struct table *table)
{
	struct ms_sink scratch;

	ms_sink_init_memory(&scratch);
	ms_text_end_whole(table->t);
	table_init(table, &scratch);
	table_head(table);
	for (size_t i = 0; i < table->count && !ms_sink_failed(table->t->out); i++)
		table_row(table, &table->report->maps[table->order[i]]);
	table_legend(table);
	if (ms_sink_failed(&scratch))
		ms_sink_fail_no_memory(table->t->out);
	ms_sink_deinit(&scratch);
}

/** A line for the written maps that are not in the table, and one for the never-written. */
static void text_rest(const struct table *table)
{
	const struct ms_census_report *report = table->report;
	struct ms_owner_row written = { 0 }, never = { 0 }, shown = { 0 };
	struct ms_text *t = table->t;
	struct ms_human maps, bytes, entries;

	for (size_t i = 0; i < report->map_count; i++) {
		const struct ms_map_row *row = &report->maps[i];

		ms_owner_row_add(ms_map_row_never_written(row) ? &never : &written, row);
	}
	for (size_t i = 0; i < table->count; i++) {
		const struct ms_map_row *row = &report->maps[table->order[i]];

		if (!ms_map_row_never_written(row))
			ms_owner_row_add(&shown, row);
	}
	if (written.maps > shown.maps) {
		ms_text_printf(t, "and %s more: %s, %s entries",
			       ms_human_count(&maps, written.maps - shown.maps),
			       ms_human_bytes(&bytes, written.total_bytes - shown.total_bytes),
			       ms_human_count(&entries, written.entries - shown.entries));
		ms_text_end(t, 0);
	}
	if (never.maps > 0) {
		ms_text_printf(t, "%s never written: no table yet, %s of headers",
			       ms_human_count(&maps, never.maps),
			       ms_human_bytes(&bytes, never.total_bytes));
		ms_text_end(t, 0);
	}
}

static void text_head(struct ms_text *t, const struct ms_census_report *report)
{
	struct ms_owner_row totals = ms_census_totals(report);
	struct ms_human maps, in_maps, heap;

	ms_text_partial(t, report->partial, report->partial_reason);
	ms_text_map_share(t, &report->memory);
	ms_text_target(t, &report->target);
	ms_text_printf(t, ", %s map%s, %s of %s heap in maps", ms_human_count(&maps, totals.maps),
		       totals.maps == 1 ? "" : "s", ms_human_bytes(&in_maps, totals.total_bytes),
		       ms_human_bytes(&heap, report->heap_bytes));
	ms_text_end(t, 0);
	if (totals.unknown_bytes_maps > 0) {
		ms_text_printf(t, "some bytes of %s maps are unknown and missing from the sums",
			       ms_human_count(&maps, totals.unknown_bytes_maps));
		ms_text_end(t, 0);
	}
	ms_text_unproved(t, &report->target);
}

struct ms_error *ms_render_census_text(const struct ms_census_report *report,
				       const struct ms_census_view *view,
				       const struct ms_text_style *style, struct ms_sink *sink)
{
	size_t count;
	MS_AUTO_FREE size_t *order = ms_census_order(report, view, &count);
	struct ms_text t;
	struct table table = { .t = &t, .report = report, .order = order };

	if (!order)
		return ms_error_no_memory();
	ms_text_init(&t, style, sink);
	table.count = shown_rows(report, view, order, count);
	text_head(&t, report);
	if (table.count > 0)
		text_table(&table);
	text_rest(&table);
	ms_text_groups(&t, report->owners, report->owner_count);
	ms_text_end_whole(&t);
	ms_text_coverage(&t, &report->coverage, &report->cost);
	ms_text_cost(&t, &report->cost);
	return ms_text_finish(&t);
}
