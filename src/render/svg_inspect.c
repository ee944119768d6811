// svg_inspect.c - a map's table as a heat map, in an SVG that needs no script and no font of ours.
//
//	settled		one panel: cells in rows, from the first unit to the last
//	growing		old array, new array and its upper half: what is in one cell of the old
//			array goes to the cells in the same place of the others
//	Swiss		a row for each table, as long as its groups are many, while there are few
//
// A cell is one unit, or as many as have to share one.  Its colour is how full it is; what has more
// than a bucket's slots is red; what was moved is hatched.  The frontier is a line through every
// panel: the cells before it were moved.
#include "render/escape.h"
#include "render/human.h"
#include "render/render.h"

#include <inttypes.h>

enum {
	WIDTH = 1200,
	MARGIN = 16,
	HEAD = 84,
	GAP = 24,
	PANEL_HEAD = 22,
	CELLS_MAX = 8192, // Of one panel.
	TITLES_MAX = 2048,
	CELL_MIN = 4,
	CELL_MAX = 26,
	TABLE_ROWS_MAX = 128,
	LEVELS = 8,
	GROUP_SLOTS = 8, // Of a Swiss map.
	OVERFULL = 9,    // Class of what has more entries than slots.
	MOVED = 10,
};

struct panel {
	const struct ms_inspect_array *array;
	const char *name;
	uint64_t from, units; // Of the array.
	uint64_t cells, columns;
	double x, y, side;
	bool has_frontier;
};

struct picture {
	struct ms_sink *sink;
	const struct ms_inspect_report *r;
	struct panel panels[3];
	size_t panel_count;
	double height;
	uint64_t per_cell; // Units at most.
};

static uint64_t rows_of(const struct panel *p)
{
	return p->columns ? (p->cells + p->columns - 1) / p->columns : 0;
}

static uint64_t first_unit(const struct panel *p, uint64_t cell)
{
	return p->from + (uint64_t)((double)cell * (double)p->units / (double)p->cells);
}

/** Which colour a cell of units [from, to) has; what is not there is as what was moved. */
static unsigned class_of(const struct ms_inspect_report *r, const struct ms_inspect_array *a,
			 uint64_t from, uint64_t to, uint64_t *ret_entries)
{
	uint64_t entries = 0, moved = 0;
	double full;

	for (uint64_t u = from; u < to; u++) {
		entries += u < a->units ? a->fills[u] : 0;
		moved += u >= a->units || a->bits[u] & MS_UNIT_MOVED;
	}
	*ret_entries = entries;
	if (moved && moved == to - from)
		return MOVED;
	full = (double)entries / (double)(to - from) / ms_inspect_unit_slots(r) * LEVELS;
	if (full > LEVELS)
		return OVERFULL;
	return full > 0 && full < 1 ? 1 : (unsigned)(full + 0.5);
}

static void put_cell(struct picture *s, const struct panel *p, uint64_t from, uint64_t to, double x,
		     double y)
{
	uint64_t entries;
	unsigned class = class_of(s->r, p->array, from, to, &entries);
	double side = p->side > 8 ? p->side - 1 : p->side - 0.5;

	ms_sink_printf(s->sink,
		       "<rect class=\"c%u\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
		       "height=\"%.1f\"",
		       class, x, y, side, side);
	if (p->cells > TITLES_MAX) {
		ms_sink_puts(s->sink, "/>\n");
		return;
	}
	ms_sink_printf(s->sink, "><title>%s %" PRIu64, ms_inspect_unit_name(s->r), from);
	if (to > from + 1)
		ms_sink_printf(s->sink, " to %" PRIu64, to - 1);
	if (class == MOVED)
		ms_sink_puts(s->sink, s->r->pass.of ? ": not there" : ": moved");
	else
		ms_sink_printf(s->sink, ": %" PRIu64 " entries", entries);
	ms_sink_puts(s->sink, "</title></rect>\n");
}

/** What the frontier is counted in. */
static const char *frontier_unit(const struct ms_inspect_report *r)
{
	return r->pass.of ? ms_inspect_unit_name(r) : "old bucket";
}

/** Around the cells before the frontier: down its column, and along its row's end. */
static void put_frontier(struct picture *s, const struct panel *p)
{
	double share = (double)s->r->frontier / (double)(p->units ? p->units : 1);
	uint64_t cell = share < 1 ? (uint64_t)(share * (double)p->cells) : p->cells;
	double row = (double)(cell / p->columns), column = (double)(cell % p->columns);
	double right = p->x + (double)p->columns * p->side;
	double y = p->y + row * p->side - 0.5;

	if (!p->has_frontier)
		return;
	ms_sink_printf(s->sink,
		       "<path class=\"f\" d=\"M%.1f %.1fH%.1fV%.1fH%.1f\"><title>frontier: %s "
		       "%" PRIu64 "</title></path>\n",
		       p->x - 6, y + p->side, p->x + column * p->side - 0.5, y, right + 6,
		       frontier_unit(s->r), s->r->frontier);
}

static void put_panel(struct picture *s, const struct panel *p)
{
	struct ms_human h;

	ms_sink_printf(s->sink, "<text class=\"n\" x=\"%.0f\" y=\"%.0f\">%s: %s %ss</text>\n", p->x,
		       p->y - 7, p->name, ms_human_count(&h, p->units), ms_inspect_unit_name(s->r));
	for (uint64_t c = 0; c < p->cells && !ms_sink_failed(s->sink); c++)
		put_cell(s, p, first_unit(p, c), first_unit(p, c + 1),
			 p->x + (double)(c % p->columns) * p->side,
			 p->y + (double)(c / p->columns) * p->side);
	put_frontier(s, p);
}

/** Each table of a Swiss map as a row. */
static void put_tables(struct picture *s, const struct panel *p)
{
	const struct ms_inspect_report *r = s->r;
	uint64_t unit = 0;
	struct ms_human h, all;

	ms_sink_printf(s->sink,
		       "<text class=\"n\" x=\"%.0f\" y=\"%.0f\">%s tables, one a row, of "
		       "%s groups</text>\n",
		       p->x, p->y - 7, ms_human_count(&h, r->table_count),
		       ms_human_count(&all, p->units));
	for (size_t n = 0; n < r->table_count; n++) {
		uint64_t groups = r->tables[n].capacity / GROUP_SLOTS;

		for (uint64_t g = 0; g < groups && unit < p->units; g++, unit++)
			put_cell(s, p, unit, unit + 1, p->x + (double)g * p->side,
				 p->y + (double)n * p->side);
	}
}

static bool has_table_rows(const struct ms_inspect_report *r)
{
	return r->table_count > 1 && r->table_count <= TABLE_ROWS_MAX;
}

// --- Where what goes. ---

/** Columns for so many cells in so much room: a power of two, so that patterns of hashes show. */
static uint64_t columns_for(uint64_t cells, double width)
{
	uint64_t columns = 1;

	while (columns * 2 <= cells && (double)columns * 2 * CELL_MIN <= width &&
	       columns * columns < cells * 2)
		columns *= 2;
	return columns;
}

static void panel_add(struct picture *s, const struct panel *panel)
{
	s->panels[s->panel_count++] = *panel;
}

/** A pass in place: one table, or its halves, in the same columns. */
static void pass_panels_choose(struct picture *s)
{
	const struct ms_inspect_report *r = s->r;
	bool is_whole = r->stage == MS_STAGE_SAME_SIZE;

	panel_add(s, &(struct panel){ .array = &r->now,
				      .name = is_whole ? "table" : "lower half",
				      .units = r->pass.of,
				      .has_frontier = true });
	if (!is_whole)
		panel_add(s, &(struct panel){ .array = &r->now,
					      .name = "upper half",
					      .from = r->pass.of,
					      .units = r->pass.of,
					      .has_frontier = true });
}

static void panels_choose(struct picture *s)
{
	const struct ms_inspect_report *r = s->r;
	uint64_t half = r->old.units;

	if (r->pass.of) {
		pass_panels_choose(s);
		return;
	}
	if (!half) {
		panel_add(
		    s, &(struct panel){ .array = &r->now, .name = "table", .units = r->now.units });
		return;
	}
	panel_add(s,
		  &(struct panel){
		      .array = &r->old, .name = "old array", .units = half, .has_frontier = true });
	panel_add(
	    s, &(struct panel){ .array = &r->now,
				.name = r->now.units > half ? "new array, lower half" : "new array",
				.units = half,
				.has_frontier = true });
	if (r->now.units > half)
		panel_add(s, &(struct panel){ .array = &r->now,
					      .name = "new array, upper half",
					      .from = half,
					      .units = half,
					      .has_frontier = true });
}

static void panel_place(struct picture *s, size_t index, double width)
{
	struct panel *p = &s->panels[index];
	double side;

	p->cells = ms_min_u64(p->units, CELLS_MAX);
	p->columns = columns_for(p->cells, width);
	if (has_table_rows(s->r)) {
		p->cells = p->units;
		p->columns = 1;
		for (size_t n = 0; n < s->r->table_count; n++)
			p->columns = ms_max_u64(p->columns, s->r->tables[n].capacity / GROUP_SLOTS);
	}
	side = width / (double)(p->columns ? p->columns : 1);
	p->side = side > CELL_MAX ? CELL_MAX : side;
	p->x = MARGIN + (double)index * (width + GAP);
	p->y = HEAD + PANEL_HEAD;
	s->per_cell = ms_max_u64(s->per_cell, p->cells ? (p->units + p->cells - 1) / p->cells : 0);
}

static void place(struct picture *s)
{
	double width;

	panels_choose(s);
	width = (WIDTH - 2 * MARGIN - GAP * (double)(s->panel_count - 1)) / (double)s->panel_count;
	for (size_t i = 0; i < s->panel_count; i++) {
		const struct panel *p = &s->panels[i];
		double rows, bottom;

		panel_place(s, i, width);
		rows = has_table_rows(s->r) ? (double)s->r->table_count : (double)rows_of(p);
		bottom = p->y + rows * p->side + MARGIN;
		s->height = bottom > s->height ? bottom : s->height;
	}
}

// --- Head. ---

static void put_style(struct picture *s)
{
	static const char style[] =
	    "<style>\n"
	    "svg { background: #fff; color-scheme: light dark; }\n"
	    "text.h { font: bold 15px sans-serif; fill: #202124; }\n"
	    "text.n { font: 12px sans-serif; fill: #5f6368; }\n"
	    "rect.b { fill: #fff; }\n"
	    ".c0 { fill: #eceef1; } .c1 { fill: #d9ecf2; } .c2 { fill: #b6dbe9; }\n"
	    ".c3 { fill: #8cc6de; } .c4 { fill: #5faed0; } .c5 { fill: #3892bd; }\n"
	    ".c6 { fill: #2276a3; } .c7 { fill: #175b84; } .c8 { fill: #0f4163; }\n"
	    ".c9 { fill: #d1372b; } .c10 { fill: url(#moved); }\n"
	    ".m { fill: #f6f2e4; } .ms { stroke: #c9b98a; stroke-width: 1.2; }\n"
	    "path.f { fill: none; stroke: #e8710a; stroke-width: 2.5; }\n"
	    "@media (prefers-color-scheme: dark) {\n"
	    "svg { background: #1b1c1e; }\n"
	    "rect.b { fill: #1b1c1e; }\n"
	    "text.h { fill: #e8eaed; }\n"
	    "text.n { fill: #a8adb4; }\n"
	    ".c0 { fill: #2b2d31; } .m { fill: #2a2720; } .ms { stroke: #6b5f3d; }\n"
	    "}\n"
	    "</style>\n"
	    "<defs><pattern id=\"moved\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\">"
	    "<rect class=\"m\" width=\"5\" height=\"5\"/>"
	    "<path class=\"ms\" d=\"M0 5L5 0\"/></pattern></defs>\n";

	ms_sink_printf(s->sink,
		       "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		       "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%.0f\" "
		       "viewBox=\"0 0 %d %.0f\">\n",
		       WIDTH, s->height, WIDTH, s->height);
	ms_sink_puts(s->sink, style);
	ms_sink_printf(s->sink, "<rect class=\"b\" width=\"%d\" height=\"%.0f\"/>\n", WIDTH,
		       s->height);
}

static void put_title(struct picture *s)
{
	const struct ms_map_row *m = &s->r->row;
	const char *type = m->type ? m->type : "map of unknown type";
	struct ms_human h;

	ms_sink_printf(s->sink, "<text class=\"h\" x=\"%d\" y=\"26\">", MARGIN);
	ms_escape_xml(s->sink, type, strlen(type));
	if (m->owner) {
		ms_sink_puts(s->sink, " in ");
		ms_escape_xml(s->sink, m->owner, strlen(m->owner));
	}
	ms_sink_printf(s->sink, ": %s entries</text>\n", ms_human_count(&h, m->entries));
}

static void put_note(struct picture *s)
{
	const struct ms_inspect_report *r = s->r;
	struct ms_human h;

	ms_sink_printf(s->sink, "<text class=\"n\" x=\"%d\" y=\"46\">", MARGIN);
	if (!r->is_read) {
		ms_sink_puts(s->sink, "table not shown: ");
		ms_escape_xml(s->sink, r->unread_why ? r->unread_why : "it was not read",
			      strlen(r->unread_why ? r->unread_why : "it was not read"));
	} else if (s->per_cell > 1) {
		ms_sink_printf(s->sink, "one cell is up to %s %ss, by their mean",
			       ms_human_count(&h, s->per_cell), ms_inspect_unit_name(r));
	} else {
		ms_sink_printf(s->sink, "one cell is one %s", ms_inspect_unit_name(r));
	}
	if (r->old.units || r->pass.of)
		ms_sink_printf(s->sink, "; %s, the frontier at %s %s",
			       !r->pass.of || r->stage == MS_STAGE_DOUBLING ? "growing"
			       : r->stage == MS_STAGE_HALVING               ? "shrinking"
									    : "tidied up",
			       frontier_unit(r), ms_human_count(&h, r->frontier));
	if (!r->settled)
		ms_sink_puts(s->sink, "; it moved while it was read: this may be two moments");
	ms_sink_puts(s->sink, "</text>\n");
}

static void put_legend(struct picture *s)
{
	bool in_place = s->r->pass.of && s->r->stage != MS_STAGE_SAME_SIZE;
	uint32_t slots = ms_inspect_unit_slots(s->r);
	double x = MARGIN;

	for (unsigned class = 0; class <= MOVED; class ++) {
		if ((class == OVERFULL && s->r->row.kind == MS_MAP_SWISS) ||
		    (class == MOVED && !s->r->old.units && !in_place))
			continue;
		ms_sink_printf(s->sink,
			       "<rect class=\"c%u\" x=\"%.0f\" y=\"58\" width=\"14\" "
			       "height=\"14\"/>\n<text class=\"n\" x=\"%.0f\" y=\"70\">",
			       class, x, x + 18);
		if (class == OVERFULL)
			ms_sink_printf(s->sink, "over %u", slots);
		else if (class == MOVED)
			ms_sink_puts(s->sink, in_place ? "not there" : "moved");
		else
			ms_sink_printf(s->sink, "%u%s", class * slots / LEVELS,
				       class ? "" : " entries");
		ms_sink_puts(s->sink, "</text>\n");
		x += class == 0 || class >= OVERFULL ? 90 : 40;
	}
}

struct ms_error *ms_render_inspect_svg(const struct ms_inspect_report *r, struct ms_sink *sink)
{
	struct picture s = { .sink = sink, .r = r, .height = HEAD };

	if (r->is_read)
		place(&s);
	put_style(&s);
	put_title(&s);
	put_note(&s);
	if (r->is_read)
		put_legend(&s);
	for (size_t i = 0; i < s.panel_count; i++) {
		if (has_table_rows(r))
			put_tables(&s, &s.panels[i]);
		else
			put_panel(&s, &s.panels[i]);
	}
	ms_sink_puts(sink, "</svg>\n");
	return ms_sink_finish(sink);
}
