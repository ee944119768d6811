// text_top.c - lines of cells: what does not fit is cut, never broken.
//
// 80 columns have room for everything but the type; below, columns go in the order of what says
// least.  A column that is gone is gone from its heading, too.
#include "render/text_top.h"

#include "base/vec.h"
#include "render/escape.h"
#include "render/text.h"

#include <inttypes.h>
#include <math.h>

enum { HEAD_LINES = 4, FOOT_LINES = 1, BAR_CELLS = 5, TYPE_COLUMNS = 24, NAME_COLUMNS = 16 };

/** Which columns a width has room for, and how wide they are. */
struct columns {
	bool load, slack, waiting, bar;
	unsigned spark, owner, type; // Cells.
};

static struct columns columns_of(unsigned width)
{
	struct columns c = { .load = width >= 72,
			     .slack = width >= 60,
			     .waiting = width >= 50,
			     .bar = width >= 66,
			     .spark = width >= 100  ? MS_TOP_HISTORY
				      : width >= 78 ? 8
						    : 0,
			     .type = width >= 110 ? TYPE_COLUMNS : 0 };
	unsigned used = 11 + 1 + 7 + 1 + 6 + 1;

	used += (c.load ? 5U : 0) + (c.slack ? 7U : 0) + (c.waiting ? 5U : 0) +
		(c.bar ? BAR_CELLS + 1U : 0) + (c.spark ? c.spark + 1U : 0) +
		(c.type ? c.type + 1U : 0);
	c.owner = width > used ? width - used : 1;
	return c;
}

// --- Cells. ---

static void pad(struct ms_sink *sink, size_t columns)
{
	for (size_t i = 0; i < columns; i++)
		ms_sink_puts(sink, " ");
}

/** @p text at the right of its cell, and a blank. */
static void cell(struct ms_sink *sink, unsigned width, const char *text)
{
	size_t columns = ms_text_columns(text);

	pad(sink, columns < width ? width - columns : 0);
	ms_sink_puts(sink, text);
	ms_sink_puts(sink, " ");
}

static const char *bar_cell(enum ms_charset charset, double filled)
{
	if (charset == MS_CHARSET_ASCII)
		return filled >= 1 ? "#" : filled >= 0.5 ? "=" : "-";
	return filled >= 1 ? "\u2588" : filled >= 0.5 ? "\u258c" : "\u00b7";
}

static void bar(struct ms_sink *sink, enum ms_charset charset, double progress)
{
	for (unsigned i = 0; i < BAR_CELLS; i++)
		ms_sink_puts(sink, isnan(progress)
				       ? " "
				       : bar_cell(charset, progress * BAR_CELLS - (double)i));
	ms_sink_puts(sink, " ");
}

static void spark(struct ms_sink *sink, enum ms_charset charset, const struct ms_top_row *row,
		  unsigned cells)
{
	static const char *const marks[2][8] = {
		[MS_CHARSET_UNICODE] = { "\u2581", "\u2582", "\u2583", "\u2584", "\u2585", "\u2586",
					 "\u2587", "\u2588" },
		[MS_CHARSET_ASCII] = { "_", ".", ":", "-", "=", "+", "*", "#" },
	};
	unsigned count = row->history_count < cells ? row->history_count : cells;
	const float *from = row->history + row->history_count - count;
	float low = INFINITY, high = -INFINITY;

	for (unsigned i = 0; i < count; i++) {
		low = fminf(low, from[i]);
		high = fmaxf(high, from[i]);
	}
	pad(sink, cells - count);
	for (unsigned i = 0; i < count; i++) {
		float share = high > low ? (from[i] - low) / (high - low) : 0;

		ms_sink_puts(sink, marks[charset][(unsigned)(share * 7 + 0.5F)]);
	}
	ms_sink_puts(sink, " ");
}

/** Append what @p t has as its line, cut to @p width, and begin a new one. */
static void take_line(struct ms_text *t, struct ms_sink *sink, size_t width)
{
	const char *text = ms_sink_text(&t->line);

	if (text)
		ms_sink_write(sink, text, ms_text_prefix(text, width));
	else
		ms_sink_fail_no_memory(sink);
	ms_sink_deinit(&t->line);
	ms_sink_init_memory(&t->line);
}

static void name_cell(struct ms_text *t, struct ms_sink *sink, const struct columns *c,
		      const struct ms_top_row *row, bool expanded)
{
	struct ms_human h;

	if (c->type) {
		size_t before;
		const char *text;

		ms_text_name(t, row->type, c->type);
		text = ms_sink_text(&t->line);
		before = text ? ms_text_columns(text) : 0;
		take_line(t, sink, c->type);
		pad(sink, before < c->type ? c->type - before + 1 : 1);
	}
	if (row->maps > 1)
		ms_text_printf(t, "%s x ", ms_human_count(&h, row->maps));
	if (row->owner) {
		const char *text = ms_sink_text(&t->line);
		size_t used = text ? ms_text_columns(text) : 0;

		ms_text_owner(t, row->owner, used < c->owner ? c->owner - used : 1);
	} else if (expanded || row->maps == 1) {
		ms_text_printf(t, "0x%" PRIx64, row->address);
	} else {
		ms_text_printf(t, "owner unknown");
	}
	if (!c->type && row->owner && row->type)
		ms_text_printf(t, " "), ms_text_name(t, row->type, 0);
	take_line(t, sink, c->owner);
}

static void put_row(struct ms_text *t, struct ms_sink *sink, const struct columns *c,
		    const struct ms_top_row *row, bool expanded)
{
	enum ms_charset charset = t->style->charset;
	struct ms_human h;

	cell(sink, 11, ms_human_count(&h, row->entries));
	cell(sink, 7, ms_human_change(&h, row->per_s));
	if (c->load)
		cell(sink, 4, isnan(row->load) ? "?" : ms_human_percent(&h, row->load));
	cell(sink, 6, ms_human_bytes(&h, row->total_bytes));
	if (c->slack)
		cell(sink, 6, ms_human_bytes(&h, row->slack_bytes));
	if (c->waiting)
		cell(sink, 4, row->waiting == MS_UNKNOWN ? "-" : ms_human_count(&h, row->waiting));
	if (c->bar)
		bar(sink, charset, row->progress);
	if (c->spark)
		spark(sink, charset, row, c->spark);
	name_cell(t, sink, c, row, expanded);
}

static void put_heading(struct ms_sink *sink, const struct columns *c, bool expanded)
{
	cell(sink, 11, "entries");
	cell(sink, 7, "+/s");
	if (c->load)
		cell(sink, 4, "load");
	cell(sink, 6, "bytes");
	if (c->slack)
		cell(sink, 6, "slack");
	if (c->waiting)
		cell(sink, 4, "wait");
	if (c->bar)
		ms_sink_puts(sink, "moved ");
	if (c->spark) {
		ms_sink_puts(sink, "entries");
		pad(sink, c->spark - 7 + 1);
	}
	if (c->type) {
		ms_sink_puts(sink, "type");
		pad(sink, c->type - 4 + 1);
	}
	ms_sink_puts(sink, expanded ? "owner or address" : "maps of an owner");
}

// --- The lines above. ---

static void text_process(struct ms_text *t, const struct ms_top_report *r)
{
	struct ms_human h;

	const char *slash = r->target.exe ? strrchr(r->target.exe, '/') : NULL;

	ms_text_name(t, slash ? slash + 1 : r->target.exe, NAME_COLUMNS);
	if (r->target.pid != MS_UNKNOWN)
		ms_text_printf(t, " (%" PRIu64 ")", r->target.pid);
	ms_text_printf(t, ": RSS %s", ms_human_bytes(&h, r->rss_bytes));
	ms_text_printf(t, ", %s maps", ms_human_count(&h, r->maps));
	if (r->growing)
		ms_text_printf(t, ", %s growing", ms_human_count(&h, r->growing));
	if (r->target.go_version) {
		ms_text_printf(t, ", ");
		ms_text_name(t, r->target.go_version, 0);
	}
	if (r->target.layout_source && !r->target.proved)
		ms_text_printf(t, ", unproved");
}

static void text_gc(struct ms_text *t, const struct ms_top_report *r)
{
	struct ms_human h;

	if (r->gc.unknown) {
		ms_text_printf(t, "GC: %s", r->gc.unknown);
		return;
	}
	ms_text_printf(t, "GC #%s", ms_human_count(&h, r->gc.cycles));
	if (r->gc.is_marking)
		ms_text_printf(t, " and one under way");
	if (!isnan(r->gc.age_s))
		ms_text_printf(t, ", ended %s ago", ms_human_ahead(&h, r->gc.age_s));
	if (r->gc.live_bytes != MS_UNKNOWN)
		ms_text_printf(t, "; heap %s", ms_human_bytes(&h, r->gc.live_bytes));
	if (r->gc.goal_bytes != MS_UNKNOWN)
		ms_text_printf(t, ", goal %s", ms_human_bytes(&h, r->gc.goal_bytes));
}

static void text_coverage(struct ms_text *t, const struct ms_top_report *r,
			  const struct ms_screen_view *view)
{
	struct ms_human h;

	if (view->frozen)
		ms_text_printf(t, "FROZEN, ");
	if (r->partial) {
		ms_text_printf(t, "PARTIAL: ");
		ms_text_name(t, r->partial_reason, 0);
		ms_text_printf(t, ", ");
	}
	ms_text_printf(t, "by %s", ms_top_sort_name(r->sort));
	if (view->filter && view->filter[0]) {
		ms_text_printf(t, ", only ");
		ms_text_typed(t, view->filter);
	}
	ms_text_printf(t, "; census %s old: seen ", ms_human_ahead(&h, r->census_age_s));
	ms_text_printf(t, "%s", ms_human_count(&h, r->seen));
	ms_text_printf(t, ", read %s", ms_human_count(&h, r->read));
	ms_text_printf(t, ", skipped %s", ms_human_count(&h, r->skipped));
	if (r->lost)
		ms_text_printf(t, ", gone %s", ms_human_count(&h, r->lost));
	if (r->waiting_unknown)
		ms_text_printf(t, "; waiting: %s", r->waiting_unknown);
}

// --- The whole. ---

static bool line_add(struct ms_screen *screen, struct ms_sink *sink, enum ms_screen_look look)
{
	const char *text = ms_sink_text(sink);
	char *copy = text ? strdup(text) : NULL;
	bool is_added = copy && ms_vec_push(screen, { copy, look });

	if (!is_added)
		free(copy);
	ms_sink_deinit(sink);
	ms_sink_init_memory(sink);
	return is_added;
}

/** Line @p index of those above the table. */
static bool head_add(struct ms_screen *screen, struct ms_text *t, const struct ms_top_report *r,
		     const struct ms_screen_view *view, unsigned index)
{
	const struct columns c = columns_of(view->width);
	struct ms_sink sink;
	bool is_added;

	ms_sink_init_memory(&sink);
	switch (index) {
	case 0:
		text_process(t, r);
		break;
	case 1:
		text_gc(t, r);
		break;
	case 2:
		text_coverage(t, r, view);
		break;
	default:
		put_heading(&t->line, &c, r->expanded);
	}
	take_line(t, &sink, view->width);
	is_added = line_add(screen, &sink,
			    index == 0   ? MS_LOOK_BOLD
			    : index == 3 ? MS_LOOK_REVERSE
					 : MS_LOOK_PLAIN);
	ms_sink_deinit(&sink);
	return is_added;
}

static bool row_add(struct ms_screen *screen, struct ms_text *t, const struct ms_top_report *r,
		    const struct ms_screen_view *view, size_t index)
{
	const struct columns c = columns_of(view->width);
	const struct ms_top_row *row = &r->rows[index];
	struct ms_sink sink;
	bool is_added;

	ms_sink_init_memory(&sink);
	put_row(t, &sink, &c, row, r->expanded);
	is_added = line_add(screen, &sink,
			    index == view->selected ? MS_LOOK_REVERSE
			    : row->growing          ? MS_LOOK_YELLOW
						    : MS_LOOK_PLAIN);
	ms_sink_deinit(&sink);
	return is_added;
}

static bool foot_add(struct ms_screen *screen, struct ms_text *t, const struct ms_screen_view *view)
{
	struct ms_sink sink;
	bool is_added;

	ms_sink_init_memory(&sink);
	if (view->prompt)
		ms_text_typed(t, view->prompt);
	else
		ms_text_printf(t, "q quit  g b s w e sort  / filter  m maps  space freeze  "
				  "enter open  ? help");
	take_line(t, &sink, view->width);
	is_added = line_add(screen, &sink, view->prompt ? MS_LOOK_BOLD : MS_LOOK_DIM);
	ms_sink_deinit(&sink);
	return is_added;
}

size_t ms_screen_row_room(unsigned height)
{
	return height > HEAD_LINES + FOOT_LINES ? height - HEAD_LINES - FOOT_LINES : 0;
}

struct ms_error *ms_render_top_screen(const struct ms_top_report *r,
				      const struct ms_screen_view *view,
				      struct ms_screen *ret_screen)
{
	const struct ms_text_style style = { 0, MS_COLOR_OFF, view->charset };
	size_t room = ms_screen_row_room(view->height);
	struct ms_screen screen = { 0 };
	struct ms_sink none;
	struct ms_text t;
	bool is_whole = true;

	ms_sink_init_memory(&none);
	ms_text_init(&t, &style, &none);
	for (unsigned i = 0; i < HEAD_LINES && is_whole; i++)
		is_whole = head_add(&screen, &t, r, view, i);
	for (size_t i = view->first; i < r->row_count && screen.rows < room && is_whole; i++) {
		is_whole = row_add(&screen, &t, r, view, i);
		screen.rows++;
	}
	while (is_whole && screen.count < HEAD_LINES + room)
		is_whole = ms_vec_push(&screen, { strdup(""), MS_LOOK_PLAIN }) &&
			   screen.items[screen.count - 1].text;
	is_whole = is_whole && foot_add(&screen, &t, view);
	ms_sink_deinit(&t.line);
	ms_sink_deinit(&none);
	if (!is_whole) {
		ms_screen_deinit(&screen);
		return ms_error_no_memory();
	}
	*ret_screen = screen;
	return NULL;
}

struct ms_error *ms_render_top_text(const struct ms_top_report *r, const char *filter,
				    const struct ms_text_style *style, struct ms_sink *sink)
{
	unsigned width = style->width ? style->width : 200;
	const struct ms_screen_view view = { .width = width,
					     .height =
						 HEAD_LINES + (unsigned)r->row_count + FOOT_LINES,
					     .charset = style->charset,
					     .selected = SIZE_MAX,
					     .filter = filter };
	struct ms_screen screen;
	struct ms_error *err = ms_render_top_screen(r, &view, &screen);

	if (err)
		return err;
	for (size_t i = 0; i < HEAD_LINES + screen.rows; i++) {
		ms_sink_puts(sink, screen.items[i].text);
		ms_sink_puts(sink, "\n");
	}
	ms_sink_puts(sink, "\n");
	ms_screen_deinit(&screen);
	return ms_sink_finish(sink);
}

void ms_screen_deinit(struct ms_screen *screen)
{
	for (size_t i = 0; i < screen->count; i++)
		free(screen->items[i].text);
	ms_vec_free(screen);
}
