// live_maps.c - one pass over all maps a look, one sort a census.
//
// A header that has another seed is another map's, unless it still has the table it had: clearing a
// map, and deleting its last entry, give it a new seed (runtime/map.go, internal/runtime/maps).
// What became another one is counted with what it had when it was last seen, and counted as lost,
// until the next census says what there is.
#include "top/live_maps.h"

#include "base/cleanup.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RATE_LOOKS = 5 }; // Entries a second are counted over so many looks.

// --- Groups. ---

static int compare_text(const char *a, const char *b)
{
	if (a == b)
		return 0;
	return !a ? 1 : !b ? -1 : strcmp(a, b);
}

/** In the order of groups. */
static int compare_names(const struct ms_map_row *a, const struct ms_map_row *b)
{
	int order = compare_text(a->owner, b->owner);

	if (!order)
		order = compare_text(a->type, b->type);
	return order ? order : (a->kind > b->kind) - (a->kind < b->kind);
}

static int compare_rows(const void *a, const void *b)
{
	const struct ms_map_row *x = *(const struct ms_map_row *const *)a,
				*y = *(const struct ms_map_row *const *)b;
	int order = compare_names(x, y);

	return order ? order : (x > y) - (x < y);
}

static bool groups_make(struct ms_live_maps *live)
{
	const struct ms_census_report *c = &live->census;
	MS_AUTO_FREE const struct ms_map_row **order = malloc((c->map_count + 1) * sizeof(*order));

	live->groups = calloc(c->map_count + 1, sizeof(*live->groups));
	if (!order || !live->groups)
		return false;
	for (size_t i = 0; i < c->map_count; i++)
		order[i] = &c->maps[i];
	qsort(order, c->map_count, sizeof(*order), compare_rows);
	for (size_t i = 0; i < c->map_count; i++) {
		size_t map = (size_t)(order[i] - c->maps);

		if (!i || compare_names(order[i - 1], order[i]) != 0)
			live->groups[live->group_count++].first = map;
		live->maps[map].group = (uint32_t)(live->group_count - 1);
	}
	return true;
}

static void history_copy(float *to, uint8_t *ret_count, const float *from, uint8_t count)
{
	memcpy(to, from, MS_TOP_HISTORY * sizeof(*to));
	*ret_count = count;
}

static void inherit_groups(struct ms_live_maps *live, const struct ms_live_maps *old)
{
	size_t j = 0;

	for (size_t i = 0; i < live->group_count; i++) {
		const struct ms_map_row *row = &live->census.maps[live->groups[i].first];
		int order = 1;

		while (j < old->group_count &&
		       (order = compare_names(&old->census.maps[old->groups[j].first], row)) < 0)
			j++;
		if (j < old->group_count && !order)
			history_copy(live->groups[i].history, &live->groups[i].history_count,
				     old->groups[j].history, old->groups[j].history_count);
	}
}

static void inherit_maps(struct ms_live_maps *live, const struct ms_live_maps *old)
{
	size_t j = 0;

	for (size_t i = 0; i < live->census.map_count; i++) {
		const struct ms_map_row *row = &live->census.maps[i];

		while (j < old->census.map_count && old->census.maps[j].address < row->address)
			j++;
		if (j == old->census.map_count)
			return;
		if (old->census.maps[j].address != row->address ||
		    compare_names(&old->census.maps[j], row) != 0 || old->maps[j].is_lost)
			continue;
		live->maps[i].waiting = old->maps[j].waiting;
		history_copy(live->maps[i].history, &live->maps[i].history_count,
			     old->maps[j].history, old->maps[j].history_count);
	}
}

// --- A census. ---

static bool is_polled(const struct ms_map_row *row)
{
	return row->kind == MS_MAP_CLASSIC || row->kind == MS_MAP_SWISS;
}

struct ms_error *ms_live_maps_take(struct ms_live_maps *live, struct ms_census_report *census,
				   double now)
{
	struct ms_live_maps fresh = *live;

	fresh.census = *census;
	fresh.census_at = now;
	fresh.poll_count = fresh.group_count = 0;
	fresh.maps = calloc(census->map_count + 1, sizeof(*fresh.maps));
	fresh.polls = calloc(census->map_count + 1, sizeof(*fresh.polls));
	fresh.groups = NULL;
	if (!live->looks)
		fresh.waiting_unknown = "not counted yet";
	if (!fresh.maps || !fresh.polls || !groups_make(&fresh)) {
		free(fresh.maps);
		free(fresh.polls);
		free(fresh.groups);
		return ms_error_no_memory();
	}
	for (size_t i = 0; i < census->map_count; i++) {
		const struct ms_map_row *row = &census->maps[i];
		struct ms_live_map *map = &fresh.maps[i];

		map->entries = row->entries;
		map->growing = row->growing;
		map->progress = row->growing ? (float)row->growth.progress : NAN;
		map->is_polled = is_polled(row);
		if (map->is_polled)
			fresh.polls[fresh.poll_count++].address = row->address;
	}
	inherit_groups(&fresh, live);
	inherit_maps(&fresh, live);
	ms_live_maps_deinit(live);
	*live = fresh;
	*census = (struct ms_census_report){ 0 };
	return NULL;
}

// --- A look. ---

static void take_header(struct ms_live_map *map, const struct ms_poll *p)
{
	bool is_same = p->valid && (!map->has_seed || p->seed == map->seed ||
				    (p->table && p->table == map->table));

	map->is_lost = map->is_lost || !is_same;
	if (map->is_lost)
		return;
	map->has_seed = true;
	map->seed = p->seed;
	map->table = p->table;
	map->entries = p->entries;
	map->growing = p->growing;
	map->progress = p->growing ? (float)p->progress : NAN;
}

static void history_add(float *history, uint8_t *count, unsigned at, double entries)
{
	history[at] = (float)entries;
	if (*count < MS_TOP_HISTORY)
		(*count)++;
}

void ms_live_maps_look(struct ms_live_maps *live, double now)
{
	size_t poll = 0;

	live->at = live->looks++ ? (live->at + 1) % MS_TOP_HISTORY : 0;
	live->times[live->at] = now;
	for (size_t i = 0; i < live->group_count; i++)
		live->groups[i].history[live->at] = 0;
	for (size_t i = 0; i < live->census.map_count; i++) {
		struct ms_live_map *map = &live->maps[i];

		if (map->is_polled)
			take_header(map, &live->polls[poll++]);
		if (map->entries == MS_UNKNOWN) {
			map->history_count = 0;
			continue;
		}
		history_add(map->history, &map->history_count, live->at, (double)map->entries);
		live->groups[map->group].history[live->at] += (float)map->entries;
	}
	for (size_t i = 0; i < live->group_count; i++) {
		if (live->groups[i].history_count < MS_TOP_HISTORY)
			live->groups[i].history_count++;
	}
}

void ms_live_maps_clear_waiting(struct ms_live_maps *live)
{
	live->waiting_unknown = NULL;
	for (size_t i = 0; i < live->census.map_count; i++)
		live->maps[i].waiting = 0;
}

void ms_live_maps_add_waiting(struct ms_live_maps *live, ms_addr address, uint64_t waiting)
{
	const struct ms_map_row *row = ms_census_row_at(&live->census, address);

	if (row)
		live->maps[row - live->census.maps].waiting += waiting;
}

// --- Rows. ---

/** Of the look @p back looks before the last one. */
static unsigned slot_at(const struct ms_live_maps *live, unsigned back)
{
	return (live->at + MS_TOP_HISTORY - back) % MS_TOP_HISTORY;
}

static unsigned rate_looks(unsigned count)
{
	return count - 1 < RATE_LOOKS ? count - 1 : RATE_LOOKS;
}

static double rate_of(const struct ms_live_maps *live, const float *history, unsigned count)
{
	unsigned back;
	double seconds;

	if (count < 2)
		return NAN;
	back = rate_looks(count);
	seconds = live->times[live->at] - live->times[slot_at(live, back)];
	return seconds > 0
		   ? ((double)history[live->at] - (double)history[slot_at(live, back)]) / seconds
		   : NAN;
}

static void row_history(const struct ms_live_maps *live, const float *history, unsigned count,
			struct ms_top_row *row)
{
	row->history_count = count;
	for (unsigned i = 0; i < count; i++)
		row->history[i] = history[slot_at(live, count - 1 - i)];
	row->per_s = rate_of(live, history, count);
}

static double known(uint64_t value)
{
	return value == MS_UNKNOWN ? -1 : (double)value;
}

/** Sum up; what is known of some of the maps only is not known of all. */
static void sum_known(uint64_t *sum, uint64_t value)
{
	*sum = *sum == MS_UNKNOWN || value == MS_UNKNOWN ? MS_UNKNOWN : *sum + value;
}

static void row_add(struct ms_top_row *row, const struct ms_map_row *census,
		    const struct ms_live_map *map, bool has_waiting)
{
	if (!row->maps++) {
		row->owner = census->owner;
		row->type = census->type;
		row->progress = 0;
		row->waiting = has_waiting ? 0 : MS_UNKNOWN;
	}
	if (!row->address || known(map->entries) > row->most) {
		row->address = census->address;
		row->most = known(map->entries);
	}
	row->entries += map->entries == MS_UNKNOWN ? 0 : map->entries;
	row->lost += map->is_lost;
	if (!ms_map_row_never_written(census)) {
		sum_known(&row->capacity, census->capacity);
		sum_known(&row->total_bytes, census->total_bytes);
		sum_known(&row->slack_bytes, ms_map_row_slack(census));
	}
	row->load += census->entries == MS_UNKNOWN ? 0 : (double)census->entries;
	row->growing += map->growing;
	if (map->growing)
		row->progress += (double)map->progress;
	if (has_waiting)
		row->waiting += map->waiting;
}

/** What was summed up becomes what is shown. */
static void row_finish(struct ms_top_row *row)
{
	row->load =
	    row->capacity && row->capacity != MS_UNKNOWN ? row->load / (double)row->capacity : NAN;
	row->progress = row->growing ? row->progress / (double)row->growing : NAN;
}

static double key_of(const struct ms_top_row *row, enum ms_top_sort sort)
{
	switch (sort) {
	case MS_TOP_GROWTH:
		return isnan(row->per_s) ? 0 : row->per_s;
	case MS_TOP_SLACK:
		return known(row->slack_bytes);
	case MS_TOP_WAITING:
		return known(row->waiting);
	case MS_TOP_ENTRIES:
		return (double)row->entries;
	default:
		return known(row->total_bytes);
	}
}

struct key {
	double first, second;
	uint32_t index; // Of a group, or of a map.
};

static int compare_keys(const void *a, const void *b)
{
	const struct key *x = a, *y = b;

	if (x->first != y->first)
		return x->first < y->first ? 1 : -1;
	if (x->second != y->second)
		return x->second < y->second ? 1 : -1;
	return (x->index > y->index) - (x->index < y->index);
}

static struct key key_make(const struct ms_top_row *row, const struct ms_live_view *view,
			   size_t index)
{
	return (struct key){ key_of(row, view->sort),
			     view->sort == MS_TOP_BYTES ? (double)row->entries
							: known(row->total_bytes),
			     (uint32_t)index };
}

static struct ms_top_row map_row(const struct ms_live_maps *live, size_t i)
{
	const struct ms_live_map *map = &live->maps[i];
	struct ms_top_row row = { 0 };

	row_add(&row, &live->census.maps[i], map, !live->waiting_unknown);
	row_finish(&row);
	row_history(live, map->history, map->history_count, &row);
	return row;
}

/** The groups as rows, in their own order. */
static struct ms_top_row *group_rows(const struct ms_live_maps *live)
{
	struct ms_top_row *rows = calloc(live->group_count + 1, sizeof(*rows));

	for (size_t i = 0; rows && i < live->census.map_count; i++)
		row_add(&rows[live->maps[i].group], &live->census.maps[i], &live->maps[i],
			!live->waiting_unknown);
	for (size_t i = 0; rows && i < live->group_count; i++) {
		row_finish(&rows[i]);
		row_history(live, live->groups[i].history, live->groups[i].history_count, &rows[i]);
	}
	return rows;
}

static void totals(const struct ms_live_maps *live, double now, struct ms_top_report *r)
{
	r->maps = live->census.map_count;
	r->look = live->looks;
	r->census_age_s = now - live->census_at;
	r->waiting_unknown = live->waiting_unknown;
	r->per_s_s = NAN;
	if (live->looks > 1) {
		unsigned count =
		    live->looks < MS_TOP_HISTORY ? (unsigned)live->looks : MS_TOP_HISTORY;

		r->per_s_s = live->times[live->at] - live->times[slot_at(live, rate_looks(count))];
	}
	for (size_t i = 0; i < live->census.map_count; i++) {
		const struct ms_live_map *map = &live->maps[i];

		r->entries += map->entries == MS_UNKNOWN ? 0 : map->entries;
		r->lost += map->is_lost;
		r->growing += map->growing;
	}
}

struct ms_error *ms_live_maps_rows(const struct ms_live_maps *live, const struct ms_live_view *view,
				   double now, struct ms_top_report *r)
{
	size_t all = view->expanded ? live->census.map_count : live->group_count;
	MS_AUTO_FREE struct ms_top_row *groups = view->expanded ? NULL : group_rows(live);
	MS_AUTO_FREE struct key *keys = malloc((all + 1) * sizeof(*keys));
	size_t count = 0;

	if (!keys || (!view->expanded && !groups))
		return ms_error_no_memory();
	if (view->filter) // The texts it remembers may be another census's.
		view->filter->owner.last = view->filter->type.last = NULL;
	r->sort = view->sort;
	r->expanded = view->expanded;
	totals(live, now, r);
	for (size_t i = 0; i < all; i++) {
		struct ms_top_row row = groups ? groups[i] : map_row(live, i);

		if (ms_row_filter_passes(view->filter, row.owner, row.type))
			keys[count++] = key_make(&row, view, i);
	}
	qsort(keys, count, sizeof(*keys), compare_keys);
	r->rows_passed = count;
	r->row_count = count < view->top ? count : view->top;
	r->rows = calloc(r->row_count + 1, sizeof(*r->rows));
	if (!r->rows)
		return ms_error_no_memory();
	for (size_t i = 0; i < r->row_count; i++)
		r->rows[i] = groups ? groups[keys[i].index] : map_row(live, keys[i].index);
	return NULL;
}

void ms_live_maps_deinit(struct ms_live_maps *live)
{
	ms_census_report_deinit(&live->census);
	free(live->maps);
	free(live->groups);
	free(live->polls);
	*live = (struct ms_live_maps){ 0 };
}
