// sums.c - figures of all maps: a line, JSON, and the text that Prometheus reads.
//
// Labels are names of maps, never addresses or keys, and at most TOP of them: whatever else there
// is, is "other".  A name is a stranger's text, so it is escaped.
#include "hmap_debug/parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOP = 50, MAPS_MOST = 1000 };

void hd_sums_line(char *ret, size_t size)
{
	struct hmap_totals t;

	hd_calls->totals(&t);
	snprintf(ret, size,
		 "hmap: %zu maps, %zu entries in %zu slots (load factor: %.1f/8), %zu overflow "
		 "buckets, %zu bytes (%zu live), %" PRIu64 " growths, %zu under way, worst %.3f ms",
		 t.maps, t.entries, t.slots, t.avg_load * 8, t.overflow, t.total_bytes,
		 t.live_bytes, t.growths, t.passes, (double)t.worst_ns / 1e6);
}

// --- JSON. ---

static void json_totals(yajl_gen g, const struct hmap_totals *t)
{
	hd_json_count(g, "total_maps", t->maps);
	hd_json_count(g, "entries", t->entries);
	hd_json_count(g, "slots", t->slots);
	hd_json_real(g, "avg_load_factor", t->avg_load * 8);
	hd_json_count(g, "overflow_buckets", t->overflow);
	hd_json_count(g, "total_bytes", t->total_bytes);
	hd_json_count(g, "live_bytes", t->live_bytes);
	hd_json_count(g, "slack_bytes", t->slack_bytes);
	hd_json_count(g, "reserved_bytes", t->reserved_bytes);
	hd_json_count(g, "growths", t->growths);
	hd_json_count(g, "compactions", t->compactions);
	hd_json_count(g, "shrinks", t->shrinks);
	hd_json_count(g, "migrations_under_way", t->passes);
	hd_json_count(g, "longest_chain", t->longest_chain);
	hd_json_count(g, "worst_operation_ns", t->worst_ns);
}

/** One map, as it was met. */
struct row {
	struct hmap_stats stats;
	char name[HMAP_NAME_BYTES], type[HMAP_NAME_BYTES];
	uintptr_t address;
};

struct rows {
	struct row *items; // By bytes, descending.
	size_t count, room;
};

static bool row_take(const struct hmap *map, void *state)
{
	struct rows *rows = state;
	struct hmap_stats stats;
	size_t at;

	hd_calls->peek(map, &stats);
	for (at = rows->count; at > 0 && rows->items[at - 1].stats.total_bytes < stats.total_bytes;)
		at--;
	if (at == rows->room)
		return true;
	if (rows->count < rows->room)
		rows->count++;
	memmove(&rows->items[at + 1], &rows->items[at],
		(rows->count - at - 1) * sizeof(*rows->items));
	rows->items[at] = (struct row){ .stats = stats, .address = (uintptr_t)map };
	hd_plain(hd_calls->name_of(map), rows->items[at].name, HMAP_NAME_BYTES);
	hd_plain(hd_calls->type_of(map)->name, rows->items[at].type, HMAP_NAME_BYTES);
	return true;
}

static void json_map(yajl_gen g, const struct row *row)
{
	const struct hmap_stats *s = &row->stats;
	char address[32];

	yajl_gen_map_open(g);
	snprintf(address, sizeof(address), "0x%" PRIxPTR, row->address);
	hd_json_text(g, "address");
	hd_json_text(g, address);
	hd_json_name(g, "name", row->name);
	hd_json_name(g, "type", row->type);
	hd_json_text(g, "engine");
	hd_json_text(g, s->engine == HMAP_CLASSIC ? "classic" : "steady");
	hd_json_count(g, "entries", s->entries);
	hd_json_count(g, "slots", s->slots);
	hd_json_real(g, "load_factor", s->load * 8);
	hd_json_count(g, "overflow_buckets", s->overflow);
	hd_json_count(g, "total_bytes", s->total_bytes);
	hd_json_count(g, "live_bytes", s->live_bytes);
	hd_json_count(g, "slack_bytes", s->slack_bytes);
	hd_json_count(g, "growths", s->growths);
	hd_json_text(g, "migration");
	if (s->pass) {
		yajl_gen_map_open(g);
		hd_json_count(g, "from_slots", s->pass_from);
		hd_json_count(g, "to_slots", s->pass_to);
		hd_json_real(g, "progress",
			     s->pass_of ? (double)s->pass_done / (double)s->pass_of : 0);
		yajl_gen_map_close(g);
	} else {
		yajl_gen_null(g);
	}
	yajl_gen_map_close(g);
}

static void json_maps(yajl_gen g, size_t count)
{
	struct rows rows = { .room = count < MAPS_MOST ? count : MAPS_MOST };

	rows.items = rows.room ? calloc(rows.room, sizeof(*rows.items)) : NULL;
	if (rows.items)
		hd_calls->each_map(row_take, &rows);
	hd_json_text(g, "maps");
	yajl_gen_array_open(g);
	for (size_t i = 0; i < rows.count; i++)
		json_map(g, &rows.items[i]);
	yajl_gen_array_close(g);
	free(rows.items);
}

static void json_names(yajl_gen g, const struct hmap_named_totals *names, size_t count)
{
	hd_json_text(g, "by_name");
	yajl_gen_array_open(g);
	for (size_t i = 0; count != (size_t)-1 && i < count && i <= TOP; i++) {
		yajl_gen_map_open(g);
		hd_json_name(g, "name", names[i].name);
		if (names[i].is_other)
			hd_json_count(g, "names", count - TOP);
		json_totals(g, &names[i].totals);
		yajl_gen_map_close(g);
	}
	yajl_gen_array_close(g);
}

void hd_mapstats_json(struct hd_text *text, size_t maps)
{
	struct hmap_named_totals *names = calloc(TOP + 1, sizeof(*names));
	yajl_gen g = hd_json_begin(text, true);
	struct hmap_totals t;
	size_t count;

	if (!g || !names) {
		text->failed = true;
		if (g)
			yajl_gen_free(g);
		free(names);
		return;
	}
	count = hd_calls->totals_by_name(names, TOP + 1, &t);
	yajl_gen_map_open(g);
	hd_json_text(g, "schema");
	hd_json_text(g, "hmap.mapstats/1");
	hd_json_text(g, "library");
	hd_json_text(g, hd_calls->library_version());
	json_totals(g, &t);
	hd_json_count(g, "created", t.created);
	hd_json_count(g, "freed", t.freed);
	hd_json_count(g, "unlisted", t.unlisted);
	json_names(g, names, count);
	free(names);
	if (maps)
		json_maps(g, maps);
	yajl_gen_map_close(g);
	hd_json_end(g, text);
}

// --- Prometheus. ---

/** A label's value: backslash, quote and line end are escaped; what is no UTF-8 is replaced. */
static void label(const char *name, char *ret, size_t size)
{
	char plain[HMAP_NAME_BYTES];
	size_t used = 0;

	hd_plain(name[0] ? name : "none", plain, sizeof(plain));
	for (const char *p = plain; *p && used + 3 < size; p++) {
		if (*p == '\\' || *p == '"')
			ret[used++] = '\\';
		ret[used++] = (unsigned char)*p < 0x80 ? *p : '?';
	}
	ret[used] = '\0';
}

static const struct metric {
	const char *name, *help;
	size_t at; // In struct hmap_totals.
	enum { SIZE, WIDE, NANOSECONDS } kind;
} metrics[] = {
	{ "hmap_maps", "Maps that there are.", offsetof(struct hmap_totals, maps), SIZE },
	{ "hmap_entries", "Entries in them.", offsetof(struct hmap_totals, entries), SIZE },
	{ "hmap_slots", "Slots of their tables.", offsetof(struct hmap_totals, slots), SIZE },
	{ "hmap_overflow_buckets", "Overflow nodes and buckets in use.",
	  offsetof(struct hmap_totals, overflow), SIZE },
	{ "hmap_bytes", "Memory of the maps.", offsetof(struct hmap_totals, total_bytes), SIZE },
	{ "hmap_live_bytes", "Of this, keys and values.", offsetof(struct hmap_totals, live_bytes),
	  SIZE },
	{ "hmap_migrations_under_way", "Growths, halvings and tidyings that go on.",
	  offsetof(struct hmap_totals, passes), SIZE },
	{ "hmap_growths", "Growths begun, of maps that there are.",
	  offsetof(struct hmap_totals, growths), WIDE },
	{ "hmap_worst_operation_seconds",
	  "What a growth, its end or new memory took of one call at most.",
	  offsetof(struct hmap_totals, worst_ns), NANOSECONDS },
};

static double value_of(const struct metric *m, const struct hmap_totals *t)
{
	const void *at = (const char *)t + m->at;

	switch (m->kind) {
	case WIDE:
		return (double)*(const uint64_t *)at;
	case NANOSECONDS:
		return (double)*(const uint64_t *)at / 1e9;
	default:
		return (double)*(const size_t *)at;
	}
}

void hd_metrics(struct hd_text *text)
{
	struct hmap_named_totals *names = calloc(TOP + 1, sizeof(*names));
	struct hmap_totals t = { 0 };
	size_t count = names ? hd_calls->totals_by_name(names, TOP + 1, &t) : (size_t)-1;

	hd_put(text,
	       "# HELP hmap_created_total Maps made since the process began.\n"
	       "# TYPE hmap_created_total counter\nhmap_created_total %" PRIu64 "\n"
	       "# HELP hmap_freed_total Maps freed since the process began.\n"
	       "# TYPE hmap_freed_total counter\nhmap_freed_total %" PRIu64 "\n",
	       t.created, t.freed);
	for (size_t m = 0; m < sizeof(metrics) / sizeof(metrics[0]); m++) {
		const struct metric *metric = &metrics[m];

		hd_put(text, "# HELP %s %s\n# TYPE %s gauge\n", metric->name, metric->help,
		       metric->name);
		for (size_t i = 0; count != (size_t)-1 && i < count && i <= TOP; i++) {
			char name[2 * HMAP_NAME_BYTES];

			label(names[i].name, name, sizeof(name));
			hd_put(text, "%s{%s=\"%s\"} %.15g\n", metric->name,
			       names[i].is_other ? "rest" : "name", name,
			       value_of(metric, &names[i].totals));
		}
	}
	text->failed |= count == (size_t)-1;
	free(names);
}
