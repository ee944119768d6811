// text_census.c - the page of `mapscope maps`.
//
// A row of the table stands for all maps of one owner and type, unless each map was asked for or
// the map is the only one.  The table's columns are as wide as what they hold, and one with nothing
// in it is left out; what the page's width leaves is shared by the type and the owner, which are
// cut to it.  Numbers and addresses are never cut.
#include "base/cleanup.h"
#include "render/escape.h"
#include "render/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum {
	COL_MAPS,
	COL_BYTES,
	COL_SLACK,
	COL_ENTRIES,
	COL_CAPACITY,
	COL_LOAD,
	COL_GROWTH,
	NUMBER_COLS,
};
enum { TYPE_COLUMNS_MIN = 8, TYPE_COLUMNS_ENOUGH = 48, OWNER_COLUMNS_MIN = 8, WIDE_PAGE = 100 };

/** What a row shows: one map, or the sum of several. */
struct shown {
	const struct ms_map_row *map;     // NULL for several.
	const struct ms_owner_row *group; // NULL for one.
	const char *owner, *type;
};

struct table {
	struct ms_text *t;
	const struct ms_census_report *report;
	const struct ms_census_view *view;
	const size_t *order;
	size_t count;
	size_t width[NUMBER_COLS];                     // 0: the column is left out.
	size_t type_width, place_width, address_width; // The last: widest address.
	const char *gap;
	bool wide;
	bool has_owner;
};

static const char *const headings[NUMBER_COLS] = {
	"maps", "bytes", "slack", "entries", "capacity", "load", "growth",
};

static struct shown shown_at(const struct table *table, size_t i)
{
	const struct ms_census_report *report = table->report;
	const struct ms_owner_row *group;
	const struct ms_map_row *map;

	if (table->view->rows == MS_ROWS_GROUPED) {
		group = &report->owners[table->order[i]];
		if (group->maps != 1 || group->first_map >= report->map_count)
			return (struct shown){ NULL, group, group->owner, group->type };
		map = &report->maps[group->first_map];
	} else {
		map = &report->maps[table->order[i]];
	}
	return (struct shown){ map, NULL, map->owner, map->type };
}

static void load_cell(double load, bool in_eighths, struct ms_human *ret)
{
	struct ms_human percent, per_bucket;

	ms_human_percent(&percent, load);
	if (in_eighths && isfinite(load))
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
		snprintf(ret->text, sizeof(ret->text), "%s%s",
			 row->growth.same_size               ? "same "
			 : row->growth.to < row->growth.from ? "shrink "
							     : "",
			 ms_human_percent(&percent, row->growth.progress));
}

static void map_cells(const struct table *table, const struct ms_map_row *row,
		      struct ms_human ret_cells[NUMBER_COLS])
{
	ms_human_count(&ret_cells[COL_MAPS], 1);
	ms_human_bytes(&ret_cells[COL_BYTES], row->total_bytes);
	ms_human_bytes(&ret_cells[COL_SLACK], row->slack_bytes);
	ms_human_count(&ret_cells[COL_ENTRIES], row->entries);
	ms_human_count(&ret_cells[COL_CAPACITY], row->capacity);
	if (row->capacity == 0)
		snprintf(ret_cells[COL_LOAD].text, sizeof(ret_cells[COL_LOAD].text), "-");
	else
		load_cell(ms_map_row_load(row), table->wide && row->kind == MS_MAP_CLASSIC,
			  &ret_cells[COL_LOAD]);
	growth_cell(row, &ret_cells[COL_GROWTH]);
}

/** The sum of what is known; where some is missing, it is more than that. */
static void slack_cell(const struct ms_owner_row *row, struct ms_human *ret)
{
	struct ms_human bytes;

	if (row->unknown_bytes_maps >= row->maps)
		ms_human_bytes(ret, MS_UNKNOWN);
	else
		snprintf(ret->text, sizeof(ret->text), "%s%.30s",
			 row->unknown_bytes_maps ? ">" : "",
			 ms_human_bytes(&bytes, row->slack_bytes));
}

static void group_cells(const struct table *table, const struct ms_owner_row *row,
			struct ms_human ret_cells[NUMBER_COLS])
{
	struct ms_human maps;

	ms_human_count(&ret_cells[COL_MAPS], row->maps);
	ms_human_bytes(&ret_cells[COL_BYTES], row->total_bytes);
	slack_cell(row, &ret_cells[COL_SLACK]);
	ms_human_count(&ret_cells[COL_ENTRIES], row->entries);
	ms_human_count(&ret_cells[COL_CAPACITY], row->capacity);
	if (row->capacity == 0)
		snprintf(ret_cells[COL_LOAD].text, sizeof(ret_cells[COL_LOAD].text), "-");
	else
		load_cell(ms_owner_row_load(row), table->wide && row->kind == MS_MAP_CLASSIC,
			  &ret_cells[COL_LOAD]);
	if (row->growing == 0)
		snprintf(ret_cells[COL_GROWTH].text, sizeof(ret_cells[COL_GROWTH].text), "-");
	else
		snprintf(ret_cells[COL_GROWTH].text, sizeof(ret_cells[COL_GROWTH].text),
			 "%.30s map%s", ms_human_count(&maps, row->growing),
			 row->growing == 1 ? "" : "s");
}

static void number_cells(const struct table *table, const struct shown *row,
			 struct ms_human ret_cells[NUMBER_COLS])
{
	if (row->map)
		map_cells(table, row->map, ret_cells);
	else
		group_cells(table, row->group, ret_cells);
}

static size_t columns_of(struct ms_sink *scratch)
{
	const char *text = ms_sink_text(scratch);

	return text ? ms_text_columns(text) : 0;
}

/** It changed while it was read; a trie has no header, and shows nothing then. */
static bool is_header_only(const struct ms_map_row *row)
{
	return row->confidence == MS_CONFIDENCE_CHANGED && row->kind != MS_MAP_SYNC_TRIE;
}

/** What a reader must know about a row; the legend under the table says what it means. */
static const char *row_marks(const struct ms_map_row *row)
{
	bool changed = is_header_only(row);

	if (row->where == MS_WHERE_STACK)
		return changed ? "*+" : "+";
	return changed ? "*" : "";
}

/** True where the row has an address to show: always beside others of its owner, else with room. */
static bool shows_address(const struct table *table, const struct shown *row)
{
	return row->map && (!row->owner || table->wide || table->view->rows == MS_ROWS_EXPANDED);
}

static size_t address_columns(const struct table *table, const struct shown *row,
			      struct ms_sink *scratch)
{
	scratch->size = 0;
	if (shows_address(table, row))
		ms_sink_printf(scratch, "0x%" PRIx64, row->map->address);
	if (row->map)
		ms_sink_puts(scratch, row_marks(row->map));
	return columns_of(scratch);
}

/** What has no owner was not reached from anywhere, when a walk got to its end. */
static const char *no_owner(const struct table *table)
{
	const struct ms_walk_figures *w = &table->report->coverage.walk;

	return w->taken && !w->cut ? "not reached" : "owner unknown";
}

static size_t owner_columns(const struct table *table, const struct shown *row,
			    struct ms_sink *scratch)
{
	scratch->size = 0;
	if (row->owner)
		ms_escape_text(scratch, row->owner, table->t->style->charset);
	else if (row->group)
		ms_sink_puts(scratch, no_owner(table));
	return columns_of(scratch);
}

/** The type, or what is known where it is not: the kind of map. */
static void type_text(const struct table *table, const struct shown *row, struct ms_sink *scratch)
{
	scratch->size = 0;
	if (row->type)
		ms_escape_text(scratch, row->type, table->t->style->charset);
	else if (row->group)
		ms_sink_printf(scratch, "%s, type unknown", ms_map_kind_name(row->group->kind));
	else
		ms_sink_puts(scratch, "?");
}

static void measure_row(struct table *table, const struct shown *row, struct ms_sink *scratch)
{
	struct ms_human cells[NUMBER_COLS];
	size_t address = address_columns(table, row, scratch);
	size_t owner = owner_columns(table, row, scratch);
	size_t place = owner + address + (owner && shows_address(table, row));

	number_cells(table, row, cells);
	for (size_t c = 0; c < NUMBER_COLS; c++)
		table->width[c] = ms_max_u64(table->width[c], strlen(cells[c].text));
	type_text(table, row, scratch);
	table->type_width = ms_max_u64(table->type_width, columns_of(scratch));
	table->place_width = ms_max_u64(table->place_width, place);
	if (shows_address(table, row))
		table->address_width = ms_max_u64(table->address_width, address);
	table->has_owner = table->has_owner || owner;
}

/** Cut type and owner to what the page leaves; an address is never cut. */
static void fit_table(struct table *table)
{
	size_t gap = strlen(table->gap);
	size_t used = gap;
	size_t room;

	for (size_t c = 0; c < NUMBER_COLS; c++)
		used += table->width[c] ? table->width[c] + gap : 0;
	if (table->t->style->width == 0) {
		table->type_width = ms_min_u64(table->type_width, TYPE_COLUMNS_ENOUGH);
		return;
	}
	if (used + table->type_width + table->place_width <= table->t->style->width)
		return;
	room = table->t->style->width > used ? table->t->style->width - used : 0;
	if (table->has_owner && table->place_width > room * 3 / 5) {
		size_t rest =
		    table->type_width < room * 2 / 5 ? room - table->type_width : room * 3 / 5;

		table->place_width = ms_max_u64(rest, table->address_width);
	}
	room = room > table->place_width ? room - table->place_width : 0;
	table->type_width =
	    ms_min_u64(table->type_width, ms_max_u64(room, (uint64_t)TYPE_COLUMNS_MIN));
}

static bool any_row(const struct table *table, bool (*is_so)(const struct shown *row))
{
	for (size_t i = 0; i < table->count; i++) {
		struct shown row = shown_at(table, i);

		if (is_so(&row))
			return true;
	}
	return false;
}

static bool is_group(const struct shown *row)
{
	return row->group != NULL;
}

static bool is_growing(const struct shown *row)
{
	return row->map ? row->map->growing : row->group->growing > 0;
}

static bool is_changed(const struct shown *row)
{
	return row->map && is_header_only(row->map);
}

static bool is_on_stack(const struct shown *row)
{
	return row->map && row->map->where == MS_WHERE_STACK;
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
	for (size_t i = 0; i < table->count; i++) {
		struct shown row = shown_at(table, i);

		measure_row(table, &row, scratch);
	}
	if (!any_row(table, is_group))
		table->width[COL_MAPS] = 0;
	else if (!table->wide)
		table->width[COL_CAPACITY] = 0; // The load says it; owner and type need the room.
	if (!any_row(table, is_growing))
		table->width[COL_GROWTH] = 0;
	fit_table(table);
}

static void number_columns(const struct table *table, const struct ms_human *cells)
{
	for (size_t c = 0; c < NUMBER_COLS; c++) {
		if (table->width[c])
			ms_text_printf(table->t, "%*s%s", (int)table->width[c],
				       cells ? cells[c].text : headings[c], table->gap);
	}
}

static void table_head(const struct table *table)
{
	struct ms_text *t = table->t;

	number_columns(table, NULL);
	ms_text_printf(t, "%-*s%s", (int)table->type_width, "type", table->gap);
	if (!table->has_owner)
		ms_text_printf(t, "address");
	else
		ms_text_printf(t, table->place_width < 16 ? "owner" : "owner or address");
	ms_text_end_whole(t);
}

/** Append the type filled up to the column's width, and cut to it where the page has a width. */
static void type_cell(const struct table *table, const struct shown *row)
{
	struct ms_text *t = table->t;
	size_t end = columns_of(&t->line) + table->type_width;
	size_t limit = t->style->width ? table->type_width : 0;
	char kind[48];
	size_t at;

	snprintf(kind, sizeof(kind), "%s, type unknown",
		 row->group ? ms_map_kind_name(row->group->kind) : "");
	ms_text_name(t, row->type || row->map ? row->type : kind, limit);
	at = columns_of(&t->line);
	ms_sink_fill(&t->line, ' ', at < end ? end - at : 0);
}

static void place_cell(const struct table *table, const struct shown *row, struct ms_sink *scratch)
{
	struct ms_text *t = table->t;
	size_t address = address_columns(table, row, scratch);
	size_t room = table->place_width > address ? table->place_width - address : 0;
	const char *space = "";

	if (shows_address(table, row))
		room -= room > 0;
	if (t->style->width == 0)
		room = SIZE_MAX;
	if (row->owner && (!shows_address(table, row) || room >= OWNER_COLUMNS_MIN)) {
		ms_text_owner(t, row->owner, room);
		space = " ";
	} else if (row->group) {
		ms_text_name(t, no_owner(table), room);
	}
	if (shows_address(table, row))
		ms_text_printf(t, "%s0x%" PRIx64, space, row->map->address);
	if (row->map)
		ms_text_printf(t, "%s", row_marks(row->map));
}

static void table_row(const struct table *table, const struct shown *row, struct ms_sink *scratch)
{
	struct ms_text *t = table->t;
	struct ms_human cells[NUMBER_COLS];

	number_cells(table, row, cells);
	number_columns(table, cells);
	type_cell(table, row);
	ms_sink_puts(&t->line, table->gap);
	place_cell(table, row, scratch);
	ms_text_end_whole(t);
}

static void table_legend(const struct table *table)
{
	if (any_row(table, is_changed)) {
		ms_text_printf(table->t, "* changed while it was read: the numbers of its header");
		ms_text_end(table->t, 0);
	}
	if (any_row(table, is_on_stack)) {
		ms_text_printf(table->t, "+ its header is on a goroutine's stack");
		ms_text_end(table->t, 0);
	}
}

static bool is_never_written(const struct table *table, size_t i)
{
	struct shown row = shown_at(table, i);

	return row.map ? ms_map_row_never_written(row.map)
		       : row.group->never_written == row.group->maps && !row.group->owner;
}

static void text_table(struct table *table)
{
	struct ms_sink scratch;

	// What was never written comes last in every order, and is shown where all was asked for.
	while (table->view->top != SIZE_MAX && table->count > 0 &&
	       is_never_written(table, table->count - 1))
		table->count--;
	if (table->count == 0)
		return;
	if (table->view->rows == MS_ROWS_GROUPED)
		ms_text_groups(table->t, table->report->owners, table->order, table->count);
	ms_sink_init_memory(&scratch);
	ms_text_end_whole(table->t);
	table_init(table, &scratch);
	table_head(table);
	for (size_t i = 0; i < table->count && !ms_sink_failed(table->t->out); i++) {
		struct shown row = shown_at(table, i);

		table_row(table, &row, &scratch);
	}
	table_legend(table);
	if (ms_sink_failed(&scratch))
		ms_sink_fail_no_memory(table->t->out);
	ms_sink_deinit(&scratch);
}

/** What the table shows, summed: of its never-written maps only their number counts. */
static struct ms_owner_row sum_shown(const struct table *table)
{
	struct ms_owner_row sum = { 0 };

	for (size_t i = 0; i < table->count; i++) {
		struct shown row = shown_at(table, i);

		if (row.map) {
			ms_owner_row_add(&sum, row.map);
			continue;
		}
		sum.maps += row.group->maps;
		sum.never_written += row.group->never_written;
		sum.entries += row.group->entries;
		sum.total_bytes += row.group->total_bytes;
	}
	return sum;
}

/** A line for the written maps that are not in the table, and one for the never-written. */
static void text_rest(const struct table *table)
{
	const struct ms_census_report *report = table->report;
	struct ms_owner_row all = { 0 }, never = { 0 }, shown = sum_shown(table);
	struct ms_text *t = table->t;
	struct ms_human maps, bytes, entries;

	for (size_t i = 0; i < report->map_count; i++) {
		const struct ms_map_row *row = &report->maps[i];

		if (!ms_row_filter_passes(table->view->filter, row->owner, row->type))
			continue;
		ms_owner_row_add(&all, row);
		if (ms_map_row_never_written(row))
			ms_owner_row_add(&never, row);
	}
	if (all.maps - all.never_written > shown.maps - shown.never_written) {
		uint64_t hidden = all.maps - shown.maps;
		uint64_t hidden_bytes = all.total_bytes - shown.total_bytes;

		ms_text_printf(t, "and %s more maps: %s, %s entries", ms_human_count(&maps, hidden),
			       ms_human_bytes(&bytes, hidden_bytes),
			       ms_human_count(&entries, all.entries - shown.entries));
		ms_text_end(t, 0);
	}
	if (never.maps > 0) {
		ms_text_printf(t, "%s never written: no table yet, %s of headers",
			       ms_human_count(&maps, never.maps),
			       ms_human_bytes(&bytes, never.total_bytes));
		ms_text_end(t, 0);
	}
}

/** What a filter lets through, in proportion to everything. */
static void text_filter(struct ms_text *t, const struct ms_census_report *report,
			const struct ms_census_view *view, const struct ms_owner_row *totals)
{
	struct ms_human maps, all, bytes, all_bytes;
	struct ms_owner_row sum;

	if (!ms_row_filter_is_set(view->filter))
		return;
	sum = ms_census_filtered(report, view);
	ms_text_printf(t, "of these");
	if (view->filter->owner.text) {
		ms_text_printf(t, " with an owner like ");
		ms_text_typed(t, view->filter->owner.text);
	}
	if (view->filter->type.text) {
		ms_text_printf(t, "%s a type like ", view->filter->owner.text ? " and" : " with");
		ms_text_typed(t, view->filter->type.text);
	}
	ms_text_printf(t, ": %s of %s maps, %s of %s", ms_human_count(&maps, sum.maps),
		       ms_human_count(&all, totals->maps), ms_human_bytes(&bytes, sum.total_bytes),
		       ms_human_bytes(&all_bytes, totals->total_bytes));
	ms_text_end(t, 0);
}

static void text_head(struct ms_text *t, const struct ms_census_report *report,
		      const struct ms_census_view *view)
{
	struct ms_owner_row totals = ms_census_totals(report);
	struct ms_human maps, in_maps, heap;

	ms_text_partial(t, report->partial, report->partial_reason);
	ms_text_map_share(t, &report->memory);
	ms_text_target(t, &report->target);
	ms_text_printf(t, ", %s map%s, %s", ms_human_count(&maps, totals.maps),
		       totals.maps == 1 ? "" : "s", ms_human_bytes(&in_maps, totals.total_bytes));
	if (ms_report_target_is_c(&report->target))
		ms_text_printf(t, " of %s resident in maps",
			       ms_human_bytes(&heap, report->rss_bytes));
	else if (!report->memory.known) // Else the first line says it, of what lives.
		ms_text_printf(t, " of %s heap in maps", ms_human_bytes(&heap, report->heap_bytes));
	ms_text_end(t, 0);
	if (totals.unknown_bytes_maps > 0) {
		ms_text_printf(t, "some bytes of %s map%s are unknown and missing from the sums",
			       ms_human_count(&maps, totals.unknown_bytes_maps),
			       totals.unknown_bytes_maps == 1 ? "" : "s");
		ms_text_end(t, 0);
	}
	ms_text_unproved(t, &report->target);
	text_filter(t, report, view, &totals);
}

struct ms_error *ms_text_census(struct ms_text *t, const struct ms_census_report *report,
				const struct ms_census_view *view)
{
	bool grouped = view->rows == MS_ROWS_GROUPED;
	size_t count;
	MS_AUTO_FREE size_t *order = grouped ? ms_census_group_order(report, view, &count)
					     : ms_census_order(report, view, &count);
	struct table table = { .t = t, .report = report, .view = view, .order = order };

	if (!order)
		return ms_error_no_memory();
	table.count = count;
	text_head(t, report, view);
	text_table(&table);
	text_rest(&table);
	ms_text_end_whole(t);
	ms_text_coverage(t, &report->coverage, &report->cost);
	ms_text_cost(t, &report->cost);
	return NULL;
}

struct ms_error *ms_render_census_text(const struct ms_census_report *report,
				       const struct ms_census_view *view,
				       const struct ms_text_style *style, struct ms_sink *sink)
{
	struct ms_text t;
	struct ms_error *err, *end;

	ms_text_init(&t, style, sink);
	err = ms_text_census(&t, report, view);
	end = ms_text_finish(&t);
	if (!err)
		return end;
	ms_error_free(end);
	return err;
}
