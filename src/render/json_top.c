// json_top.c - "mapscope.top/1": a document a look, each on lines of its own.
#include "render/json.h"

static void put_row(struct ms_json *j, const struct ms_top_row *row)
{
	ms_json_row(j);
	ms_json_open_object(j);
	ms_json_put_string(j, "owner", row->owner);
	ms_json_put_string(j, "type", row->type);
	ms_json_put_address(j, "address", row->address);
	ms_json_put_u64(j, "maps", row->maps);
	ms_json_put_u64(j, "entries", row->entries);
	ms_json_put_double(j, "entries_per_s", row->per_s);
	ms_json_put_u64(j, "gone", row->lost);
	ms_json_put_u64(j, "capacity", row->capacity);
	ms_json_put_double(j, "load", row->load);
	ms_json_put_u64(j, "total_bytes", row->total_bytes);
	ms_json_put_u64(j, "slack_bytes", row->slack_bytes);
	ms_json_put_u64(j, "growing", row->growing);
	ms_json_put_double(j, "evacuated", row->progress);
	ms_json_put_u64(j, "waiting", row->waiting);
	ms_json_close_object(j);
}

static void put_gc(struct ms_json *j, const struct ms_top_gc *gc)
{
	bool is_known = !gc->unknown;

	ms_json_row(j);
	ms_json_key(j, "gc");
	ms_json_open_object(j);
	ms_json_put_string(j, "unknown", gc->unknown);
	ms_json_put_u64(j, "cycles", is_known ? gc->cycles : MS_UNKNOWN);
	ms_json_put_double(j, "age_s", gc->age_s);
	ms_json_put_u64(j, "heap_bytes", is_known ? gc->live_bytes : MS_UNKNOWN);
	ms_json_put_u64(j, "goal_bytes", is_known ? gc->goal_bytes : MS_UNKNOWN);
	ms_json_put_bool(j, "marking", gc->is_marking);
	ms_json_close_object(j);
}

struct ms_error *ms_render_top_json(const struct ms_top_report *r, struct ms_sink *sink)
{
	struct ms_json j;
	struct ms_error *err = ms_json_begin(&j, sink, "mapscope.top/1", &r->target, &r->cost);

	if (err)
		return err;
	ms_json_put_partial(&j, r->partial, r->partial_reason);
	ms_json_row(&j);
	ms_json_put_u64(&j, "look", r->look);
	ms_json_put_double(&j, "census_age_s", r->census_age_s);
	ms_json_put_double(&j, "rate_over_s", r->per_s_s);
	ms_json_put_string(&j, "sort", ms_top_sort_name(r->sort));
	ms_json_put_bool(&j, "expanded", r->expanded);
	ms_json_row(&j);
	ms_json_put_u64(&j, "rss_bytes", r->rss_bytes);
	ms_json_put_u64(&j, "maps", r->maps);
	ms_json_put_u64(&j, "entries", r->entries);
	ms_json_put_u64(&j, "growing", r->growing);
	ms_json_put_u64(&j, "gone", r->lost);
	put_gc(&j, &r->gc);
	ms_json_row(&j);
	ms_json_key(&j, "coverage");
	ms_json_open_object(&j);
	ms_json_put_u64(&j, "seen", r->seen);
	ms_json_put_u64(&j, "read", r->read);
	ms_json_put_u64(&j, "skipped", r->skipped);
	ms_json_close_object(&j);
	ms_json_put_string(&j, "waiting_unknown", r->waiting_unknown);
	ms_json_put_u64(&j, "rows_passed", r->rows_passed);
	ms_json_row(&j);
	ms_json_key(&j, "rows");
	ms_json_open_array(&j);
	for (size_t i = 0; i < r->row_count; i++)
		put_row(&j, &r->rows[i]);
	ms_json_close_array(&j);
	return ms_json_end(&j);
}
