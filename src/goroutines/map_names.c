// map_names.c - the walk for types and owners takes a census whose rows it fills in; a census of
// nothing but the maps in question is enough for it.
#include "goroutines/map_names.h"

#include "base/cleanup.h"
#include "walk/walk.h"

#include <stdlib.h>

struct sighting {
	ms_addr map;
	size_t count;
};

static int by_number(const void *a, const void *b)
{
	ms_addr x = *(const ms_addr *)a, y = *(const ms_addr *)b;

	return x < y ? -1 : x > y;
}

static int by_count(const void *a, const void *b)
{
	const struct sighting *x = a, *y = b;

	return x->count > y->count ? -1 : x->count < y->count;
}

static int by_map(const void *a, const void *b)
{
	const struct sighting *x = a, *y = b;

	return x->map < y->map ? -1 : x->map > y->map;
}

/** The maps seen most, by address; returns how many. */
static size_t most_seen(struct ms_map_sightings *s, struct sighting *maps)
{
	size_t count = 0;

	if (!s->count)
		return 0;
	qsort(s->items, s->count, sizeof(*s->items), by_number);
	for (size_t i = 0; i < s->count; i++) {
		if (i && s->items[i] == s->items[i - 1])
			maps[count - 1].count++;
		else
			maps[count++] = (struct sighting){ s->items[i], 1 };
	}
	qsort(maps, count, sizeof(*maps), by_count);
	count = count < MS_MAP_NAMES_MAX ? count : MS_MAP_NAMES_MAX;
	qsort(maps, count, sizeof(*maps), by_map);
	return count;
}

static struct ms_map_row row_of(const struct ms_go_runtime *rt, ms_addr map)
{
	struct ms_map_row row = ms_map_row_unknown(map);

	row.kind = rt->layout->maps == MS_GO_MAPS_CLASSIC ? MS_MAP_CLASSIC : MS_MAP_SWISS;
	return row;
}

struct ms_error *ms_map_names_find(struct ms_go_runtime *rt, double seconds,
				   struct ms_map_sightings *sightings,
				   struct ms_census_report *ret_report)
{
	const struct ms_walk_options options = { .seconds = seconds };
	MS_AUTO_FREE struct sighting *maps = malloc((sightings->count + 1) * sizeof(*maps));
	struct ms_census_report report = { 0 };
	struct ms_error *err = NULL;

	if (!maps)
		return ms_error_no_memory();
	report.map_count = most_seen(sightings, maps);
	report.maps = calloc(report.map_count + 1, sizeof(*report.maps));
	if (!report.maps)
		return ms_error_no_memory();
	for (size_t i = 0; i < report.map_count; i++)
		report.maps[i] = row_of(rt, maps[i].map);
	if (report.map_count)
		err = ms_walk_run(rt, &options, &report);
	if (err)
		ms_census_report_deinit(&report);
	else
		*ret_report = report;
	return err;
}
