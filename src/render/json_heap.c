// json_heap.c - "mapscope.heap/1", and the parts of memory that other documents have as well.
#include "base/cleanup.h"
#include "render/json.h"

void ms_json_put_memory_parts(struct ms_json *j, const struct ms_memory *m)
{
	struct ms_memory_part parts[MS_MEMORY_PARTS];

	ms_json_put_u64(j, "live_heap_bytes", ms_memory_live_bytes(m));
	ms_json_put_double(j, "map_share", ms_memory_map_share(m));
	ms_json_key(j, "parts");
	ms_memory_parts(m, parts);
	if (m->known)
		ms_json_open_object(j);
	else
		ms_json_null(j);
	for (size_t i = 0; m->known && i < MS_MEMORY_PARTS; i++)
		ms_json_put_u64(j, parts[i].field, parts[i].bytes);
	if (m->known)
		ms_json_close_object(j);
	ms_json_put_u64(j, "excess_bytes", m->known ? m->excess_bytes : MS_UNKNOWN);
}

static void put_types(struct ms_json *j, const struct ms_memory *m, const uint8_t *span_class)
{
	ms_json_key(j, "types");
	ms_json_open_array(j);
	for (size_t i = 0; i < m->type_count; i++) {
		const struct ms_type_total *type = &m->types[i];

		if (span_class && type->span_class != *span_class)
			continue;
		ms_json_open_object(j);
		ms_json_put_string(j, "type", type->type);
		ms_json_put_u64(j, "objects", type->objects);
		ms_json_put_u64(j, "bytes", type->bytes);
		ms_json_put_bool(j, "map", type->is_map);
		ms_json_close_object(j);
	}
	ms_json_close_array(j);
}

static void put_class(struct ms_json *j, const struct ms_memory *m,
		      const struct ms_size_class_row *row)
{
	ms_json_row(j);
	ms_json_open_object(j);
	ms_json_put_u64(j, "object_bytes", row->object_bytes ? row->object_bytes : MS_UNKNOWN);
	ms_json_put_bool(j, "large", row->object_bytes == 0);
	ms_json_put_bool(j, "pointers", !(row->span_class & 1));
	ms_json_put_u64(j, "spans", row->spans);
	ms_json_put_u64(j, "span_bytes", row->span_bytes);
	ms_json_put_u64(j, "live_objects", row->live_objects);
	ms_json_put_u64(j, "live_bytes", row->live_bytes);
	ms_json_put_u64(j, "garbage_objects", row->garbage_objects);
	ms_json_put_u64(j, "garbage_bytes", row->garbage_bytes);
	ms_json_put_u64(j, "free_bytes", row->free_bytes);
	put_types(j, m, &row->span_class);
	ms_json_close_object(j);
}

struct ms_error *ms_render_heap_json(const struct ms_census_report *report,
				     const struct ms_census_view *view, struct ms_sink *sink)
{
	const struct ms_memory *m = &report->memory;
	MS_AUTO_FREE size_t *order = ms_memory_class_order(m);
	size_t shown = ms_min_u64(view->top, m->class_count);
	struct ms_json j;
	struct ms_error *err;

	if (!order)
		return ms_error_no_memory();
	err = ms_json_begin(&j, sink, "mapscope.heap/1", &report->target, &report->cost);
	if (err)
		return err;
	ms_json_put_partial(&j, report->partial, report->partial_reason);
	ms_json_put_coverage(&j, &report->coverage);
	ms_json_row(&j);
	ms_json_key(&j, "memory");
	ms_json_open_object(&j);
	ms_json_put_u64(&j, "rss_bytes", report->rss_bytes);
	ms_json_put_u64(&j, "heap_bytes", report->heap_bytes);
	ms_json_put_memory_parts(&j, m);
	ms_json_put_double(&j, "measured_s", m->wall_s);
	ms_json_close_object(&j);
	ms_json_row(&j);
	put_types(&j, m, NULL);
	ms_json_row(&j);
	ms_json_key(&j, "classes");
	ms_json_open_array(&j);
	for (size_t i = 0; i < shown; i++)
		put_class(&j, m, &m->classes[order[i]]);
	ms_json_close_array(&j);
	return ms_json_end(&j);
}
