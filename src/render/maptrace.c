// maptrace.c - a line for each growth, in the fixed words of a traced runtime.
//
// The lines are what a Go runtime built to trace its maps would print, for programs that know
// nothing of it: they can be searched and counted with line tools, and no number in them is
// anything but computed from the event.  The load before a growth is of the entries that were
// there, the load after it counts the one that was being written, as it has to fit.  Load is
// entries per bucket, or per group of a Swiss map: both have 8 slots.
#include "render/render.h"

#include <inttypes.h>
#include <math.h>

enum { BUCKET_SLOTS = 8, FIGURE_BYTES = 32 };

/** The number, or "?". */
static const char *figure(char *text, uint64_t value)
{
	if (value == MS_UNKNOWN)
		snprintf(text, FIGURE_BYTES, "?");
	else
		snprintf(text, FIGURE_BYTES, "%" PRIu64, value);
	return text;
}

static const char *buckets(char *text, uint64_t slots)
{
	return figure(text, slots == MS_UNKNOWN ? MS_UNKNOWN : slots / BUCKET_SLOTS);
}

static double as_double(uint64_t value)
{
	return value == MS_UNKNOWN ? NAN : (double)value;
}

static void put_load(struct ms_sink *sink, double entries, double slots)
{
	double load = entries * BUCKET_SLOTS / slots;

	if (slots > 0 && isfinite(load))
		ms_sink_printf(sink, "%.1f/%d", load, (int)BUCKET_SLOTS);
	else
		ms_sink_printf(sink, "?/%d", (int)BUCKET_SLOTS);
}

/**
 * " (load factor: 6.5/8 → 3.3/8)" of the whole map, or of the table that grows where a map has
 * several, whose slots nobody has added up.
 */
static void put_loads(struct ms_sink *sink, const struct ms_growth_event *e)
{
	bool classic = e->map_kind == MS_MAP_CLASSIC;
	bool of_table = !classic && e->capacity == MS_UNKNOWN && e->table_entries != MS_UNKNOWN;
	double entries = as_double(of_table ? e->table_entries : e->entries);
	double from = as_double(e->from), to = as_double(e->to);
	double before = classic || of_table ? from : as_double(e->capacity);

	ms_sink_puts(sink, of_table ? " (load factor of the table: " : " (load factor: ");
	put_load(sink, entries, before);
	ms_sink_puts(sink, " → ");
	put_load(sink, entries + 1, classic || of_table ? to : before - from + to);
	ms_sink_puts(sink, ")");
}

/** What a classic map, or a table of a Swiss one, does. */
static void put_change(struct ms_sink *sink, const struct ms_growth_event *e)
{
	bool classic = e->map_kind == MS_MAP_CLASSIC;
	const char *verb = e->kind == MS_GROWTH_EVENT_SHRINK ? "shrinks" : "grows";
	char from[FIGURE_BYTES], to[FIGURE_BYTES];

	if (classic)
		ms_sink_printf(sink, "%s from %s to %s buckets", verb, buckets(from, e->from),
			       buckets(to, e->to));
	else
		ms_sink_printf(sink, "%s a table from %s to %s slots", verb, figure(from, e->from),
			       figure(to, e->to));
}

static void put_event(struct ms_sink *sink, const struct ms_growth_event *e)
{
	char text[FIGURE_BYTES], half[FIGURE_BYTES];

	ms_sink_printf(sink, "map[0x%" PRIx64 "] ", e->map);
	switch ((enum ms_growth_event_kind)e->kind) {
	case MS_GROWTH_EVENT_DOUBLE:
	case MS_GROWTH_EVENT_SHRINK:
		put_change(sink, e);
		break;
	case MS_GROWTH_EVENT_SAME_SIZE:
		ms_sink_printf(sink, "grows at the same size, %s buckets", buckets(text, e->to));
		break;
	case MS_GROWTH_EVENT_SPLIT:
		ms_sink_printf(sink, "splits a table of %s slots into 2 of %s",
			       figure(text, e->from),
			       figure(half, e->to == MS_UNKNOWN ? MS_UNKNOWN : e->to / 2));
		break;
	case MS_GROWTH_EVENT_TO_TABLE:
		ms_sink_printf(sink, "grows from a group to a table of %s slots",
			       figure(text, e->to));
		break;
	case MS_GROWTH_EVENT_TO_SMALL:
		ms_sink_printf(sink, "gets its first group of %s slots", figure(text, e->to));
		break;
	}
	if (e->kind != MS_GROWTH_EVENT_TO_SMALL)
		put_loads(sink, e);
	ms_sink_puts(sink, "\n");
}

static void put_creation(struct ms_sink *sink, const struct ms_creation_event *c)
{
	char hint[FIGURE_BYTES];

	if (c->map)
		ms_sink_printf(sink, "map[0x%" PRIx64 "]", c->map);
	else
		ms_sink_puts(sink, "map[?]");
	ms_sink_printf(sink, " created with hint %s", figure(hint, c->hint));
	if (c->bucket_shift != MS_UNKNOWN)
		ms_sink_printf(sink, " (bucket shift: %" PRIu64 ")", c->bucket_shift);
	ms_sink_puts(sink, "\n");
}

static void put_migration(struct ms_sink *sink, const struct ms_migration *m)
{
	char a[FIGURE_BYTES], b[FIGURE_BYTES];

	ms_sink_printf(sink, "map[0x%" PRIx64 "] bucket migration: ", m->map);
	if (m->bucket == MS_UNKNOWN) {
		ms_sink_printf(sink, "%s of %s buckets moved\n", figure(a, m->moved),
			       figure(b, m->of));
		return;
	}
	ms_sink_printf(sink, "bkt#%" PRIu64 " → bkt#%s", m->bucket, figure(a, m->to_x));
	if (m->to_y != MS_UNKNOWN)
		ms_sink_printf(sink, ", bkt#%" PRIu64, m->to_y);
	ms_sink_printf(sink, " (%s%s", m->at_least ? "at least " : "", figure(a, m->keys_x));
	if (m->to_y != MS_UNKNOWN)
		ms_sink_printf(sink, ", %s", figure(a, m->keys_y));
	ms_sink_puts(sink, " keys moved)\n");
}

struct ms_error *ms_render_trace_maptrace(const struct ms_trace_report *r,
					  struct ms_trace_mark *mark, struct ms_sink *sink)
{
	while (!ms_sink_failed(sink)) {
		bool has_event = mark->events < r->event_count;
		bool has_creation = mark->creations < r->creation_count;
		bool has_migration = mark->migrations < r->migration_count;
		double event = has_event ? r->events[mark->events].time_s : INFINITY;
		double creation = has_creation ? r->creations[mark->creations].time_s : INFINITY;
		double migration =
		    has_migration ? r->migrations[mark->migrations].time_s : INFINITY;

		if (has_creation && creation <= event && creation <= migration)
			put_creation(sink, &r->creations[mark->creations++]);
		else if (has_event && (event <= migration || !has_migration))
			put_event(sink, &r->events[mark->events++]);
		else if (has_migration)
			put_migration(sink, &r->migrations[mark->migrations++]);
		else if (has_creation) // At a time that is none.
			put_creation(sink, &r->creations[mark->creations++]);
		else
			break;
	}
	return ms_sink_finish(sink);
}
