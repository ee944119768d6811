// inspect_run.c - one map of a Go program opened.
//
// The type comes from the census by name, and is taken only when the table's own size agrees with
// it: the program may have two types of one name.  Without a type the size of a table may still say
// what a unit takes (maps/shape.h); where it does not, the header is all that is shown.
#include "inspect/classic_look.h"

enum {
	UNIT_BYTES_MIN = 16,   // Tags, and a link or eight slots of a byte or more.
	UNIT_BYTES_MAX = 4096, // Eight keys and elems of at most 128 bytes each take half of it.
};

const struct ms_span *ms_inspect_object(struct ms_inspection *i, ms_addr addr)
{
	const struct ms_span *span = ms_spans_find(&i->spans, addr);

	if (span && span->state == MS_SPAN_IN_USE && ms_span_is_object(i->layout, span, addr))
		return span;
	i->spans_stale = true;
	return NULL;
}

const char ms_inspect_no_span[] = "the record of its span is in what is missing of the core";

bool ms_inspect_lacks_span(const struct ms_inspection *i, ms_addr addr)
{
	const struct ms_region *r;

	if (!i->spans.has_holes || (addr & 7) || ms_spans_find(&i->spans, addr))
		return false;
	r = ms_regions_find(&i->rt->regions, addr);
	return r && r->kind == MS_REGION_ANON && (r->prot & MS_PROT_WRITE);
}

void ms_inspect_renew_row(struct ms_inspection *i, uint64_t entries, uint64_t capacity)
{
	struct ms_map_row *row = &i->report->row;

	if (row->capacity != capacity)
		row->total_bytes = MS_UNKNOWN;
	row->entries = entries;
	row->capacity = capacity;
	row->live_bytes = i->type ? entries * (i->type->entry_bytes + 1u) : MS_UNKNOWN;
	row->slack_bytes = ms_map_row_slack(row);
}

// --- The type. ---

static bool is_called(const struct ms_inspection *i, const struct ms_map_type *type,
		      const char *name)
{
	const char *text;
	size_t size;

	return ms_types_name(i->types, i->layout, type->address, &text, &size) &&
	       size == strlen(name) && !memcmp(text, name, size);
}

static bool fits(const struct ms_inspection *i, const struct ms_map_type *type,
		 const struct ms_span *span, uint64_t units)
{
	return !span || (type->has_pointers == ms_span_has_pointers(span) &&
			 ms_go_alloc_bytes(i->layout, units * type->table_bytes,
					   type->has_pointers) == span->elem_bytes);
}

/** The map type of that name whose units fit; NULL when there is none, or two that differ. */
static const struct ms_map_type *type_find(const struct ms_inspection *i, const char *name,
					   const struct ms_span *span, uint64_t units)
{
	const struct ms_map_type *found = NULL;

	for (size_t k = 0; name && k < i->types->count; k++) {
		const struct ms_map_type *type = &i->types->items[k];

		if (!is_called(i, type, name) || !fits(i, type, span, units))
			continue;
		if (found && (found->table_bytes != type->table_bytes ||
			      found->entry_bytes != type->entry_bytes))
			return NULL;
		found = type;
	}
	return found;
}

static bool unit_is_sane(uint32_t bytes)
{
	return bytes >= UNIT_BYTES_MIN && bytes <= UNIT_BYTES_MAX;
}

void ms_inspect_know_unit(struct ms_inspection *i, const struct ms_span *span, uint64_t units)
{
	struct ms_shape shape;

	i->unit_bytes = 0;
	i->type = type_find(i, i->report->row.type, span, units);
	if (!i->type && span) // Then its table is not of the size that it should have.
		i->type = type_find(i, i->report->row.type, NULL, units);
	if (i->type && !unit_is_sane(i->type->table_bytes))
		i->type = NULL;
	if (i->type) {
		i->unit_bytes = i->type->table_bytes;
		i->has_pointers = i->type->has_pointers;
		return;
	}
	if (!span)
		return;
	i->has_pointers = ms_span_has_pointers(span);
	shape = ms_shapes_fit(i->shapes, units, span->elem_bytes, i->has_pointers);
	if (unit_is_sane(shape.table_bytes))
		i->unit_bytes = shape.table_bytes;
}

// --- Looks. ---

static bool is_swiss(const struct ms_inspection *i)
{
	return i->layout->maps == MS_GO_MAPS_SWISS;
}

static struct ms_error *prepare(struct ms_inspection *i)
{
	struct ms_error *err = ms_go_types(i->rt, &i->types);

	return err ? err : ms_shapes_create(i->types, i->layout, &i->shapes);
}

static struct ms_error *spans_renew(struct ms_inspection *i)
{
	struct ms_error *err = ms_go_refresh(i->rt);

	ms_spans_deinit(&i->spans);
	i->spans = (struct ms_spans){ 0 };
	return err ? err : ms_spans_load(i->rt, &i->spans);
}

static struct ms_error *header_read(struct ms_inspection *i, uint8_t *raw, bool *ret_read)
{
	struct ms_error *err =
	    ms_target_read(i->target, i->report->row.address, raw, i->header_bytes);

	*ret_read = !err;
	if (err && ms_error_code(err) == MS_ERR_FAULT) {
		ms_error_free(err);
		return NULL;
	}
	return err;
}

static struct ms_error *look(struct ms_inspection *i)
{
	ms_inspect_know_unit(i, NULL, 0);
	return is_swiss(i) ? ms_inspect_swiss(i) : ms_inspect_classic(i, &ms_classic_of_go);
}

static const struct ms_inspect_source go_source = {
	.prepare = prepare,
	.renew = spans_renew,
	.header_read = header_read,
	.look = look,
	.layout = ms_inspect_layout,
	.views = ms_inspect_views,
	.keys = ms_inspect_keys,
};

struct ms_error *ms_inspect_run(struct ms_go_runtime *rt, const struct ms_map_row *row,
				const struct ms_inspect_options *options,
				struct ms_inspect_report *ret_report)
{
	const struct ms_go_layout *l = rt->layout;
	struct ms_inspect_report report = { .row = *row };
	struct ms_inspection i = { .source = &go_source,
				   .target = rt->target,
				   .rt = rt,
				   .layout = l,
				   .header_bytes =
				       l->maps == MS_GO_MAPS_SWISS ? l->map_size : l->hmap_size,
				   .options = options,
				   .report = &report };
	struct ms_error *err;

	if (i.header_bytes > MS_INSPECT_HEADER_MAX)
		return ms_error_new(MS_ERR_INTERNAL, "a map header is over %d bytes long",
				    (int)MS_INSPECT_HEADER_MAX);
	err = ms_inspect_open(&i);
	ms_shapes_destroy(i.shapes);
	ms_spans_deinit(&i.spans);
	ms_fetch_deinit(&i.fetch);
	if (err)
		ms_inspect_report_deinit(&report);
	else
		*ret_report = report;
	return err;
}
