// text_census.c - the page of `mapscope maps`.
//
// The table's columns are as wide as what they hold; what the page's width leaves is shared by the
// type and the owner, which are cut to it.  Numbers are never cut.
#include "base/cleanup.h"
#include "render/escape.h"
#include "render/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { COL_BYTES, COL_SLACK, COL_ENTRIES, COL_CAPACITY, COL_LOAD, COL_GROWTH, NUMBER_COLS };
enum { TYPE_COLUMNS_MIN = 12, WIDE_PAGE = 100 };

struct table {
	struct ms_text *t;
	const struct ms_census_report *report;
	const size_t *order;
	size_t count;
	size_t width[NUMBER_COLS];
	size_t type_width, place_width;
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

/** The owner or, where there is none, the address; and what a reader must know about the row. */
static void place_cell(const struct table *table, const struct ms_map_row *row,
		       struct ms_sink *scratch)
{
	scratch->size = 0;
	if (row->owner)
		ms_escape_text(scratch, row->owner, table->t->style->charset);
	else
		ms_sink_printf(scratch, "0x%" PRIx64, row->address);
	if (row->where == MS_WHERE_STACK)
		ms_sink_puts(scratch, " stack");
	if (row->confidence == MS_CONFIDENCE_CHANGED)
		ms_sink_puts(scratch, " changed");
}

static size_t columns_of(struct ms_sink *scratch)
{
	const char *text = ms_sink_text(scratch);

	return text ? ms_text_columns(text) : 0;
}

static void measure_row(struct table *table, const struct ms_map_row *row, struct ms_sink *scratch)
{
	struct ms_human cells[NUMBER_COLS];

	number_cells(table, row, cells);
	for (size_t c = 0; c < NUMBER_COLS; c++)
		table->width[c] = ms_max_u64(table->width[c], strlen(cells[c].text));
	scratch->size = 0;
	ms_escape_text(scratch, row->type ? row->type : "?", table->t->style->charset);
	table->type_width = ms_max_u64(table->type_width, columns_of(scratch));
	place_cell(table, row, scratch);
	table->place_width = ms_max_u64(table->place_width, columns_of(scratch));
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
	if (table->t->style->width == 0 ||
	    used + table->type_width + table->place_width <= table->t->style->width)
		return;
	room = table->t->style->width > used ? table->t->style->width - used : 0;
	if (table->has_owner && table->place_width > room / 2)
		table->place_width = ms_max_u64(room / 2, strlen("0xc000000000"));
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
	table->place_width = strlen("address");
	for (size_t i = 0; i < table->count; i++)
		measure_row(table, &table->report->maps[table->order[i]], scratch);
	fit_table(table);
}

static void table_head(const struct table *table)
{
	struct ms_text *t = table->t;

	for (size_t c = 0; c < NUMBER_COLS; c++)
		ms_text_printf(t, "%*s%s", (int)table->width[c], headings[c], table->gap);
	ms_text_printf(t, "%-*s%s%s", (int)table->type_width, "type", table->gap,
		       table->has_owner ? "owner or address" : "address");
	ms_text_end_whole(t);
}

static void table_row(const struct table *table, const struct ms_map_row *row,
		      struct ms_sink *scratch)
{
	struct ms_text *t = table->t;
	struct ms_human cells[NUMBER_COLS];
	size_t before;

	number_cells(table, row, cells);
	for (size_t c = 0; c < NUMBER_COLS; c++)
		ms_text_printf(t, "%*s%s", (int)table->width[c], cells[c].text, table->gap);
	before = columns_of(&t->line);
	ms_text_name(t, row->type, table->type_width);
	before += table->type_width;
	ms_sink_fill(&t->line, ' ', before - ms_min_u64(before, columns_of(&t->line)));
	ms_sink_puts(&t->line, table->gap);
	place_cell(table, row, scratch);
	if (columns_of(scratch) <= table->place_width || !row->owner)
		ms_sink_write(&t->line, scratch->bytes, scratch->size);
	else
		ms_text_name(t, row->owner, table->place_width);
	ms_text_end_whole(t);
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
		table_row(table, &table->report->maps[table->order[i]], &scratch);
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
	ms_text_target(t, &report->target);
	ms_text_printf(t, ", %s maps, %s of %s heap in maps", ms_human_count(&maps, totals.maps),
		       ms_human_bytes(&in_maps, totals.total_bytes),
		       ms_human_bytes(&heap, report->heap_bytes));
	ms_text_end(t, 0);
	if (totals.unknown_bytes_maps > 0) {
		ms_text_printf(t, "the bytes of %s maps are unknown and in no sum",
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
	ms_text_end_whole(&t);
	ms_text_coverage(&t, &report->coverage, &report->cost);
	ms_text_cost(&t, &report->cost);
	return ms_text_finish(&t);
}
