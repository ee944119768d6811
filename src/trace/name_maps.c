// name_maps.c - a probe tells the address and the type of a map; whose it is, a census knows.
#include "trace/name_maps.h"

#include "base/number_map.h"

#include <stdlib.h>
#include <string.h>

struct naming {
	struct ms_trace_report *report;
	const struct ms_census_report *census;
	struct ms_number_map copy_of; // A string of the census to an index in copies.
	const char **copies;
	size_t copy_count;
};

bool ms_trace_has_nameless(const struct ms_trace_report *r)
{
	for (size_t i = 0; i < r->event_count; i++) {
		if (!r->events[i].owner)
			return true;
	}
	for (size_t i = 0; i < r->sum_count; i++) {
		if (r->sums[i].map && !r->sums[i].owner)
			return true;
	}
	return false;
}

/** The report's own copy, made once for each string of the census. */
static bool copy(struct naming *n, const char *text, const char **ret_text)
{
	uint64_t key = (uint64_t)(uintptr_t)text;
	const uint32_t *known;

	if (!text)
		return true;
	known = ms_number_map_find(&n->copy_of, key);
	if (known) {
		*ret_text = n->copies[*known];
		return true;
	}
	n->copies[n->copy_count] = ms_arena_strndup(&n->report->arena, text, strlen(text));
	*ret_text = n->copies[n->copy_count];
	return *ret_text && ms_number_map_add(&n->copy_of, key, (uint32_t)n->copy_count++);
}

/**
 * Generic code of Go 1.18 and 1.19 names the shape that it was compiled for, which other types
 * share; the census has the map's own type.
 */
static bool is_shape(const char *type)
{
	return strstr(type, "go.shape.") != NULL;
}

static bool name(struct naming *n, ms_addr map, const char **type, const char **owner)
{
	const struct ms_map_row *row = map ? ms_census_row_at(n->census, map) : NULL;
	bool has_type = *type && !is_shape(*type);

	if (!row || (has_type && row->type && strcmp(*type, row->type) != 0))
		return true;
	if (!*owner && !copy(n, row->owner, owner))
		return false;
	return has_type || copy(n, row->type, type);
}

static bool name_all(struct naming *n)
{
	struct ms_trace_report *r = n->report;
	bool done = true;

	for (size_t i = 0; i < r->event_count && done; i++)
		done = name(n, r->events[i].map, &r->events[i].type, &r->events[i].owner);
	for (size_t i = 0; i < r->sum_count && done; i++)
		done = name(n, r->sums[i].map, &r->sums[i].type, &r->sums[i].owner);
	return done;
}

struct ms_error *ms_trace_name_maps(struct ms_trace_report *report,
				    const struct ms_census_report *census)
{
	struct naming n = { .report = report, .census = census };
	bool done;

	n.copies = calloc(2 * census->map_count + 1, sizeof(*n.copies));
	done = n.copies && name_all(&n);
	free(n.copies);
	ms_number_map_deinit(&n.copy_of);
	return done ? NULL : ms_error_no_memory();
}
