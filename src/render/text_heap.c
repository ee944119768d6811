// text_heap.c - the page of `mapscope heap`, and what other pages say of the memory around maps.
//
// Size classes come by bytes of their live objects; bytes here are of whole slots, resident or not.
// The parts below are resident bytes and add up to what the kernel counts.
#include "base/cleanup.h"
#include "render/escape.h"
#include "render/text.h"

#include <math.h>
#include <stdio.h>

enum {
	COL_OBJECT,
	COL_POINTERS,
	COL_SPANS,
	COL_LIVE_OBJECTS,
	COL_LIVE,
	COL_GARBAGE,
	COL_FREE,
	COLS,
};
enum { TYPES_OF_A_CLASS = 3, TYPES_OF_THE_HEAP = 2, PART_COLUMNS = 30 };
enum {
	TYPE_COLUMNS = 48,
	TYPE_COLUMNS_MIN = 8,
	BYTES_COLUMNS = 13, // Of what stands around a type: ",  (650 MB)".
	WIDE_PAGE = 100,
};

static const char *const headings[COLS] = {
	"object", "pointers", "spans", "objects", "live", "garbage", "free",
};

struct table {
	struct ms_text *t;
	const struct ms_memory *m;
	size_t *order;
	size_t shown;
	size_t width[COLS]; // 0: the column is left out.
	const char *gap;
	bool has_types;
};

static void types_print(struct ms_text *t, const struct ms_type_total *types, size_t count)
{
	struct ms_human h;

	for (size_t i = 0; i < count; i++) {
		ms_text_printf(t, i ? ", " : "");
		ms_text_name(t, types[i].type, TYPE_COLUMNS);
		ms_text_printf(t, " (%s)", ms_human_bytes(&h, types[i].bytes));
	}
}

void ms_text_map_share(struct ms_text *t, const struct ms_memory *m)
{
	double share = ms_memory_map_share(m);
	struct ms_type_total types[TYPES_OF_THE_HEAP];
	struct ms_human percent, maps, live;
	size_t count;

	if (isnan(share))
		return;
	ms_human_percent(&percent, share);
	if (share >= MS_MAP_SHARE_SMALL) {
		ms_text_printf(t, "maps are %s of the live heap (%s of %s)", percent.text,
			       ms_human_bytes(&maps, ms_memory_map_bytes(m)),
			       ms_human_bytes(&live, ms_memory_live_bytes(m)));
	} else {
		ms_text_printf(t, "not the maps: %s of the live heap", percent.text);
		ms_memory_top_types(m, TYPES_OF_THE_HEAP, types, &count);
		if (count) {
			ms_text_printf(t, "; look at ");
			types_print(t, types, count);
		}
	}
	ms_text_end(t, 0);
}

void ms_text_memory(struct ms_text *t, const struct ms_memory *m)
{
	struct ms_memory_part parts[MS_MEMORY_PARTS];
	struct ms_human bytes, percent;

	if (!m->known) {
		ms_text_printf(t, "memory: the pages of this target cannot be asked for");
		ms_text_end(t, 0);
		return;
	}
	ms_text_printf(t, "memory: %s resident", ms_human_bytes(&bytes, m->rss_bytes));
	ms_text_end(t, 0);
	ms_memory_parts(m, parts);
	for (size_t i = 0; i < MS_MEMORY_PARTS; i++) {
		double share = (double)parts[i].bytes / (double)m->rss_bytes;

		if (!parts[i].bytes)
			continue;
		ms_text_printf(t, "  %-*s %8s %5s", PART_COLUMNS, parts[i].text,
			       ms_human_bytes(&bytes, parts[i].bytes),
			       ms_human_percent(&percent, share));
		ms_text_end_whole(t);
	}
	if (m->excess_bytes) {
		ms_text_printf(t, "the parts are %s more than the kernel counts",
			       ms_human_bytes(&bytes, m->excess_bytes));
		ms_text_end(t, 0);
	}
}

// --- The table. ---

static void cells_of(const struct ms_size_class_row *row, struct ms_human ret[COLS])
{
	if (row->object_bytes)
		ms_human_count(&ret[COL_OBJECT], row->object_bytes);
	else
		snprintf(ret[COL_OBJECT].text, sizeof(ret->text), "large");
	snprintf(ret[COL_POINTERS].text, sizeof(ret->text), row->span_class & 1 ? "no" : "yes");
	ms_human_count(&ret[COL_SPANS], row->spans);
	ms_human_count(&ret[COL_LIVE_OBJECTS], row->live_objects);
	ms_human_bytes(&ret[COL_LIVE], row->live_bytes);
	ms_human_bytes(&ret[COL_GARBAGE], row->garbage_bytes);
	ms_human_bytes(&ret[COL_FREE], row->free_bytes);
}

/** Columns that the page leaves behind what is in the line. */
static size_t columns_left(struct ms_text *t)
{
	const char *text = ms_sink_text(&t->line);
	size_t used = text ? ms_text_columns(text) : 0;

	if (t->style->width == 0)
		return SIZE_MAX;
	return t->style->width > used ? t->style->width - used : 0;
}

/** As many types as fit; the first of them cut where it has to be. */
static void types_cell(const struct table *table, uint8_t span_class)
{
	struct ms_text *t = table->t;
	struct ms_human h;
	unsigned count = 0;

	for (size_t i = 0; i < table->m->type_count && count < TYPES_OF_A_CLASS; i++) {
		const struct ms_type_total *type = &table->m->types[i];
		size_t left = columns_left(t);

		if (type->span_class != span_class)
			continue;
		if (left < TYPE_COLUMNS_MIN + BYTES_COLUMNS)
			return;
		ms_text_printf(t, "%s", count++ ? ", " : table->gap);
		ms_text_name(t, type->type, ms_min_u64(left - BYTES_COLUMNS, TYPE_COLUMNS));
		ms_text_printf(t, " (%s)", ms_human_bytes(&h, type->bytes));
	}
}

static void table_measure(struct table *table)
{
	unsigned page = table->t->style->width;
	uint64_t garbage = 0;

	table->gap = page == 0 || page >= WIDE_PAGE ? "  " : " ";
	for (size_t c = 0; c < COLS; c++)
		table->width[c] = strlen(headings[c]);
	for (size_t i = 0; i < table->shown; i++) {
		const struct ms_size_class_row *row = &table->m->classes[table->order[i]];
		struct ms_human cells[COLS];

		cells_of(row, cells);
		for (size_t c = 0; c < COLS; c++)
			table->width[c] = ms_max_u64(table->width[c], strlen(cells[c].text));
		garbage += row->garbage_bytes;
	}
	if (!garbage)
		table->width[COL_GARBAGE] = 0;
	table->has_types = table->m->type_count > 0;
}

static void table_cells(const struct table *table, const struct ms_human *cells)
{
	for (size_t c = 0; c < COLS; c++) {
		if (table->width[c])
			ms_text_printf(table->t, "%s%*s", c ? table->gap : "", (int)table->width[c],
				       cells ? cells[c].text : headings[c]);
	}
}

static void table_print(const struct table *table)
{
	struct ms_text *t = table->t;

	table_cells(table, NULL);
	if (table->has_types)
		ms_text_printf(t, "%stypes", table->gap);
	ms_text_end_whole(t);
	for (size_t i = 0; i < table->shown; i++) {
		const struct ms_size_class_row *row = &table->m->classes[table->order[i]];
		struct ms_human cells[COLS];

		cells_of(row, cells);
		table_cells(table, cells);
		types_cell(table, row->span_class);
		ms_text_end_whole(t);
	}
}

/** A line for the classes that are not in the table. */
static void table_rest(const struct table *table)
{
	uint64_t spans = 0, live = 0, free_bytes = 0;
	struct ms_human h[3];

	if (table->shown == table->m->class_count)
		return;
	for (size_t i = table->shown; i < table->m->class_count; i++) {
		const struct ms_size_class_row *row = &table->m->classes[table->order[i]];

		spans += row->spans;
		live += row->live_bytes;
		free_bytes += row->free_bytes;
	}
	ms_text_printf(table->t, "and %zu more: %s spans, %s live, %s free",
		       table->m->class_count - table->shown, ms_human_count(&h[0], spans),
		       ms_human_bytes(&h[1], live), ms_human_bytes(&h[2], free_bytes));
	ms_text_end(table->t, 0);
}

static void text_head(struct ms_text *t, const struct ms_census_report *report)
{
	uint64_t spans = 0, bytes = 0, objects = 0;
	struct ms_human h[3];

	ms_text_partial(t, report->partial, report->partial_reason);
	ms_text_map_share(t, &report->memory);
	ms_text_target(t, &report->target);
	for (size_t i = 0; i < report->memory.class_count; i++) {
		spans += report->memory.classes[i].spans;
		bytes += report->memory.classes[i].span_bytes;
		objects += report->memory.classes[i].live_objects;
	}
	ms_text_printf(t, ", %s objects in %s spans of %s", ms_human_count(&h[0], objects),
		       ms_human_count(&h[1], spans), ms_human_bytes(&h[2], bytes));
	ms_text_end(t, 0);
	ms_text_unproved(t, &report->target);
	ms_text_end_whole(t);
}

struct ms_error *ms_render_heap_text(const struct ms_census_report *report,
				     const struct ms_census_view *view,
				     const struct ms_text_style *style, struct ms_sink *sink)
{
	const struct ms_memory *m = &report->memory;
	MS_AUTO_FREE size_t *order = ms_memory_class_order(m);
	struct ms_text t;
	struct table table = { .t = &t, .m = m, .order = order };

	if (!order)
		return ms_error_no_memory();
	ms_text_init(&t, style, sink);
	text_head(&t, report);
	table.shown = ms_min_u64(view->top, m->class_count);
	table_measure(&table);
	table_print(&table);
	table_rest(&table);
	ms_text_end_whole(&t);
	ms_text_memory(&t, m);
	ms_text_end_whole(&t);
	ms_text_coverage(&t, &report->coverage, &report->cost);
	ms_text_cost(&t, &report->cost);
	return ms_text_finish(&t);
}
