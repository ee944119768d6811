// missed_rows.c - rows for what the census passed over.
//
// A map that is broken, or that never held still, is none by its looks.  Where somebody names it,
// or the walk met it by its type, it becomes a row all the same, with nothing but what its header
// says.
#include "inspect/inspection.h"

#include <stdlib.h>

static int by_address(const void *a, const void *b)
{
	const struct ms_map_row *x = a, *y = b;

	return (x->address > y->address) - (x->address < y->address);
}

/** A row for the header at @p address; false when there can be none. */
static bool row_make(const struct ms_go_layout *l, const struct ms_spans *spans, ms_addr address,
		     const uint8_t *raw, struct ms_map_row *ret_row)
{
	bool swiss = l->maps == MS_GO_MAPS_SWISS;
	const struct ms_span *span = ms_spans_find(spans, address);

	if (!span || (address & 7))
		return false;
	if (span->state == MS_SPAN_IN_USE ? !ms_span_is_object(l, span, address)
					  : span->state != MS_SPAN_MANUAL)
		return false;
	*ret_row = ms_map_row_unknown(address);
	ret_row->entries = ms_load_u64(raw + (swiss ? l->map_used : l->hmap_count));
	ret_row->kind = swiss ? MS_MAP_SWISS : MS_MAP_CLASSIC;
	ret_row->where = span->state == MS_SPAN_IN_USE ? MS_WHERE_HEAP : MS_WHERE_STACK;
	ret_row->confidence = MS_CONFIDENCE_CHANGED;
	return true;
}

static struct ms_error *rows_make(struct ms_go_runtime *rt, const struct ms_spans *spans,
				  const ms_addr *addresses, size_t count,
				  struct ms_census_report *census)
{
	const struct ms_go_layout *l = rt->layout;
	uint32_t size = l->maps == MS_GO_MAPS_SWISS ? l->map_size : l->hmap_size;
	size_t known = census->map_count;
	uint8_t raw[MS_INSPECT_HEADER_MAX];

	for (size_t n = 0; n < count; n++) {
		struct ms_map_row *row = &census->maps[census->map_count];
		struct ms_error *err;

		census->map_count = known; // For the search, only those that are in order.
		if (ms_census_row_at(census, addresses[n])) {
			census->map_count = (size_t)(row - census->maps);
			continue;
		}
		census->map_count = (size_t)(row - census->maps);
		err = ms_target_read(rt->target, addresses[n], raw, size);
		if (err && ms_error_code(err) != MS_ERR_FAULT)
			return err;
		if (!err && row_make(l, spans, addresses[n], raw, row))
			census->map_count++;
		ms_error_free(err);
	}
	qsort(census->maps, census->map_count, sizeof(*census->maps), by_address);
	return NULL;
}

struct ms_error *ms_inspect_add_rows(struct ms_go_runtime *rt, const ms_addr *addresses,
				     size_t count, struct ms_census_report *census)
{
	struct ms_spans spans = { 0 };
	struct ms_map_row *rows =
	    realloc(census->maps, (census->map_count + count + 1) * sizeof(*rows));
	struct ms_error *err;

	if (!rows)
		return ms_error_no_memory();
	census->maps = rows;
	err = ms_spans_load(rt, &spans);
	if (!err)
		err = rows_make(rt, &spans, addresses, count, census);
	ms_spans_deinit(&spans);
	return err;
}
