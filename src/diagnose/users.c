// users.c - goroutines joined to findings by the address of the map.
//
// A goroutine is counted once for a map: with what it does to it, or that it waits for its lock, or
// else that it holds it, by a word on its stack: the map's address or that of the object whose
// field the map is.
#include "diagnose/users.h"

#include "base/cleanup.h"
#include "base/vec.h"
#include "golang/spans.h"

#include <stdlib.h>

enum {
	HEADER_BYTES = 48,
	OWNER_BYTES_MAX = 4096, // A larger object is a table or an array: not this map's owner.
};

struct ranges {
	struct ms_hold_range *items;
	size_t count, capacity;
};

static int by_start(const void *a, const void *b)
{
	const struct ms_hold_range *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->map < y->map ? -1 : x->map > y->map;
}

/** The header of a map, and the object that holds it. */
static bool ranges_add(const struct ms_spans *spans, const struct ms_map_row *map,
		       struct ranges *ranges)
{
	const struct ms_span *s = map->held_at ? ms_spans_find(spans, map->held_at) : NULL;
	ms_addr start;

	if (map->where == MS_WHERE_HEAP && map->kind != MS_MAP_SYNC_TRIE &&
	    !ms_map_row_is_hmap(map) &&
	    !ms_vec_push(ranges, { map->address, map->address + HEADER_BYTES, map->address }))
		return false;
	if (!s || s->state != MS_SPAN_IN_USE || s->elem_bytes > OWNER_BYTES_MAX)
		return true;
	start = s->start + (map->held_at - s->start) / s->elem_bytes * s->elem_bytes;
	return ms_vec_push(ranges, { start, start + s->elem_bytes, map->address });
}

static struct ms_error *ranges_make(struct ms_go_runtime *rt, const struct ms_watch *watch,
				    const struct ms_census_report *census, struct ranges *ranges)
{
	struct ms_spans spans;
	struct ms_error *err = ms_spans_load(rt, &spans);
	bool ok = true;

	if (err)
		return err;
	for (size_t i = 0; i < watch->count && ok; i++) {
		const struct ms_map_row *map = ms_census_row_at(census, watch->items[i].address);

		ok = !map || ranges_add(&spans, map, ranges);
	}
	ms_spans_deinit(&spans);
	if (ranges->count)
		qsort(ranges->items, ranges->count, sizeof(*ranges->items), by_start);
	return ok ? NULL : ms_error_no_memory();
}

struct ms_error *ms_users_look(struct ms_go_runtime *rt, const struct ms_watch *watch,
			       const struct ms_census_report *census,
			       const struct ms_goroutines_options *options,
			       struct ms_diagnosis_report *report)
{
	struct ms_goroutines_options look = *options;
	struct ranges ranges = { 0 };
	struct ms_error *err = ranges_make(rt, watch, census, &ranges);
	enum ms_error_code code;

	look.holds = ranges.items;
	look.hold_count = ranges.count;
	look.census = census;
	if (!err)
		err = ms_goroutines_run(rt, &look, &report->goroutines);
	ms_vec_free(&ranges);
	report->has_goroutines = !err;
	code = err ? ms_error_code(err) : MS_ERR_INTERNAL;
	if (code == MS_ERR_UNSUPPORTED || code == MS_ERR_BAD_DATA || code == MS_ERR_FAULT ||
	    code == MS_ERR_LIMIT) {
		report->no_goroutines =
		    ms_arena_printf(&report->goroutines.arena, "%s", ms_error_message(err));
		ms_error_free(err);
		err = report->no_goroutines ? NULL : ms_error_no_memory();
	}
	return err;
}

void ms_users_name_types(struct ms_diagnosis_report *report)
{
	const struct ms_goroutines_report *g = &report->goroutines;

	for (size_t i = 0; i < report->finding_count; i++) {
		struct ms_map_row *map = &report->findings[i].map;

		for (size_t k = 0; k < g->sampled_type_count && !map->type; k++) {
			if (g->sampled_types[k].map == map->address)
				map->type = g->sampled_types[k].type;
		}
	}
}

// --- Counting. ---

static const struct ms_goroutine_row *goroutine_of(const struct ms_goroutines_report *g,
						   uint64_t id)
{
	size_t low = 0, high = g->row_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (g->rows[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < g->row_count && g->rows[low].id == id ? &g->rows[low] : NULL;
}

static bool has_role(const struct ms_goroutines_report *g, const struct ms_goroutine_row *row,
		     ms_addr map)
{
	return (row->role != MS_ROLE_NONE && row->map == map) ||
	       (row->place != MS_NO_PLACE && row->place < g->place_count &&
		g->places[row->place].map_address == map);
}

static void role_add(struct ms_finding_users *u, const struct ms_goroutines_report *g,
		     const struct ms_goroutine_row *row, ms_addr map)
{
	bool waits = row->place != MS_NO_PLACE && row->place < g->place_count &&
		     g->places[row->place].map_address == map;

	if (!has_role(g, row, map))
		return;
	u->total++;
	if (waits) {
		u->by_role[MS_ROLE_WAITS]++;
		u->behind = g->places[row->place].name ? g->places[row->place].name
						       : g->places[row->place].kind;
	} else {
		u->by_role[row->role]++;
	}
	if (row->cluster < g->cluster_count && u->cluster == MS_NO_CLUSTER)
		u->cluster = row->cluster;
}

/** Those that wait the longest stand for the holders: the cluster that most of them are in. */
static void holds_add(struct ms_finding_users *u, const struct ms_goroutines_report *g, ms_addr map,
		      uint32_t *counts)
{
	uint32_t best = 0;

	for (size_t i = 0; i < g->hold_count; i++) {
		const struct ms_goroutine_row *row;

		if (g->holds[i].map != map)
			continue;
		row = goroutine_of(g, g->holds[i].goroutine);
		if (!row || has_role(g, row, map))
			continue;
		u->total++;
		u->holding++;
		if (counts && row->cluster < g->cluster_count && ++counts[row->cluster] > best) {
			best = counts[row->cluster];
			u->holding_cluster = row->cluster;
			u->holding_in_cluster = best;
		}
	}
}

void ms_users_fill(struct ms_diagnosis_report *report)
{
	struct ms_goroutines_report *g = &report->goroutines;

	for (size_t i = 0; i < report->finding_count; i++) {
		struct ms_finding *f = &report->findings[i];
		MS_AUTO_FREE uint32_t *counts = calloc(g->cluster_count + 1, sizeof(*counts));

		f->users = (struct ms_finding_users){ .cluster = MS_NO_CLUSTER,
						      .holding_cluster = MS_NO_CLUSTER };
		if (!report->has_goroutines || f->kind != MS_FINDING_MAP)
			continue;
		for (size_t k = 0; k < g->row_count; k++)
			role_add(&f->users, g, &g->rows[k], f->map.address);
		holds_add(&f->users, g, f->map.address, counts);
	}
	report->goroutine_count = report->has_goroutines ? g->row_count : MS_UNKNOWN;
	free(g->rows); // A hundred thousand of them; clusters and places say what is shown.
	free(g->holds);
	g->rows = NULL;
	g->holds = NULL;
	g->row_count = g->row_capacity = g->hold_count = g->hold_capacity = 0;
}
