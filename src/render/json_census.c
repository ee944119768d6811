// json_census.c - "mapscope.census/1", row by row.
//
// The fields of a row are the same for both kinds of map; one that a kind does not have is null.
#include "base/cleanup.h"
#include "render/json.h"

static void put_growth(struct ms_json *j, const struct ms_map_row *row)
{
	ms_json_put_bool(j, "growing", row->growing);
	ms_json_key(j, "growth");
	if (!row->growing) {
		ms_json_null(j);
		return;
	}
	ms_json_open_object(j);
	ms_json_put_u64(j, "from", row->growth.from);
	ms_json_put_u64(j, "to", row->growth.to);
	ms_json_put_double(j, "progress", row->growth.progress);
	ms_json_put_bool(j, "same_size", row->growth.same_size);
	ms_json_close_object(j);
}

void ms_json_map(struct ms_json *j, const struct ms_map_row *row)
{
	bool swiss = row->kind == MS_MAP_SWISS;
	bool classic = row->kind == MS_MAP_CLASSIC;

	ms_json_open_object(j);
	ms_json_key(j, "address");
	ms_json_address(j, row->address);
	ms_json_put_string(j, "kind", ms_map_kind_name(row->kind));
	ms_json_put_string(j, "type", row->type);
	ms_json_put_string(j, "key_type", row->key_type);
	ms_json_put_string(j, "elem_type", row->elem_type);
	ms_json_put_string(j, "owner", row->owner);
	ms_json_put_u64(j, "owners", row->owners ? row->owners : MS_UNKNOWN);
	ms_json_put_u64(j, "entries", row->entries);
	ms_json_put_u64(j, "capacity", row->capacity);
	ms_json_put_double(j, "load", ms_map_row_load(row));
	ms_json_put_u64(j, "grow_at", row->grow_at);
	ms_json_put_u64(j, "overflow_buckets", classic ? row->overflow_buckets : MS_UNKNOWN);
	ms_json_put_u64(j, "deleted_slots", swiss ? row->deleted_slots : MS_UNKNOWN);
	ms_json_put_u64(j, "tables", swiss ? row->tables : MS_UNKNOWN);
	ms_json_put_u64(j, "directory_depth", swiss ? row->directory_depth : MS_UNKNOWN);
	ms_json_put_u64(j, "live_bytes", row->live_bytes);
	ms_json_put_u64(j, "total_bytes", row->total_bytes);
	ms_json_put_u64(j, "slack_bytes", row->slack_bytes);
	put_growth(j, row);
	ms_json_put_string(j, "where", ms_map_where_name(row->where));
	ms_json_put_string(j, "confidence", ms_confidence_name(row->confidence));
	ms_json_put_string(j, "type_source", ms_type_source_name(row->type_source));
	ms_json_close_object(j);
}

static void put_walk(struct ms_json *j, const struct ms_walk_figures *w)
{
	ms_json_key(j, "walk");
	if (!w->taken) {
		ms_json_null(j);
		return;
	}
	ms_json_open_object(j);
	ms_json_put_u64(j, "objects", w->objects);
	ms_json_put_u64(j, "object_bytes", w->bytes);
	ms_json_put_u64(j, "roots", w->roots);
	ms_json_put_u64(j, "conflicts", w->conflicts);
	ms_json_put_u64(j, "unseen", w->unseen);
	ms_json_put_u64(j, "unreached", w->unreached);
	ms_json_put_double(j, "wall_s", w->seconds);
	ms_json_put_bool(j, "partial", w->cut);
	ms_json_put_string(j, "partial_reason", w->cut ? w->cut_reason : NULL);
	ms_json_close_object(j);
}

void ms_json_put_coverage(struct ms_json *j, const struct ms_coverage *coverage)
{
	ms_json_row(j);
	ms_json_key(j, "coverage");
	ms_json_open_object(j);
	ms_json_put_u64(j, "seen", coverage->seen);
	ms_json_put_u64(j, "read", coverage->read);
	ms_json_key(j, "skipped");
	ms_json_open_object(j);
	for (size_t i = 0; i < coverage->skip_count; i++) {
		ms_json_string(j, coverage->skips[i].reason);
		ms_json_u64(j, coverage->skips[i].count);
	}
	ms_json_close_object(j);
	ms_json_put_u64(j, "typed", coverage->typed);
	ms_json_put_u64(j, "changed", coverage->changed);
	put_walk(j, &coverage->walk);
	ms_json_close_object(j);
}

static void put_owner(struct ms_json *j, const struct ms_owner_row *row)
{
	ms_json_row(j);
	ms_json_open_object(j);
	ms_json_put_string(j, "owner", row->owner);
	ms_json_put_string(j, "type", row->type);
	ms_json_put_u64(j, "maps", row->maps);
	ms_json_put_u64(j, "entries", row->entries);
	ms_json_put_u64(j, "capacity", row->capacity);
	ms_json_put_u64(j, "live_bytes", row->live_bytes);
	ms_json_put_u64(j, "total_bytes", row->total_bytes);
	ms_json_put_u64(j, "slack_bytes", row->slack_bytes);
	ms_json_put_u64(j, "unknown_bytes_maps", row->unknown_bytes_maps);
	ms_json_put_string(j, "kind", ms_map_kind_name(row->kind));
	ms_json_put_u64(j, "never_written", row->never_written);
	ms_json_put_u64(j, "growing", row->growing);
	ms_json_close_object(j);
}

static void put_memory(struct ms_json *j, const struct ms_census_report *report)
{
	struct ms_owner_row totals = ms_census_totals(report);

	ms_json_row(j);
	ms_json_key(j, "memory");
	ms_json_open_object(j);
	ms_json_put_u64(j, "rss_bytes", report->rss_bytes);
	ms_json_put_u64(j, "heap_bytes", report->heap_bytes);
	ms_json_put_u64(j, "map_bytes", totals.total_bytes);
	ms_json_put_u64(j, "map_live_bytes", totals.live_bytes);
	ms_json_put_u64(j, "map_slack_bytes", totals.slack_bytes);
	ms_json_put_memory_parts(j, &report->memory);
	ms_json_close_object(j);
}

/** What the rows below were chosen by, and how much that is; null where nothing was asked for. */
static void put_filter(struct ms_json *j, const struct ms_census_report *report,
		       const struct ms_census_view *view)
{
	struct ms_owner_row sum;

	ms_json_row(j);
	ms_json_key(j, "filter");
	if (!ms_row_filter_is_set(view->filter)) {
		ms_json_null(j);
		return;
	}
	sum = ms_census_filtered(report, view);
	ms_json_open_object(j);
	ms_json_put_string(j, "owner", view->filter->owner.text);
	ms_json_put_string(j, "type", view->filter->type.text);
	ms_json_put_u64(j, "maps", sum.maps);
	ms_json_put_u64(j, "total_bytes", sum.total_bytes);
	ms_json_close_object(j);
}

void ms_json_put_owners(struct ms_json *j, const struct ms_census_report *report,
			const struct ms_census_view *view)
{
	ms_json_row(j);
	ms_json_key(j, "owners");
	ms_json_open_array(j);
	for (size_t i = 0; i < report->owner_count && !ms_sink_failed(j->sink); i++) {
		const struct ms_owner_row *row = &report->owners[i];

		if (ms_row_filter_passes(view->filter, row->owner, row->type))
			put_owner(j, row);
	}
	ms_json_close_array(j);
}

struct ms_error *ms_render_census_json(const struct ms_census_report *report,
				       const struct ms_census_view *view, struct ms_sink *sink)
{
	size_t count;
	MS_AUTO_FREE size_t *order = ms_census_order(report, view, &count);
	struct ms_json j;
	struct ms_error *err;

	if (!order)
		return ms_error_no_memory();
	err = ms_json_begin(&j, sink, "mapscope.census/1", &report->target, &report->cost);
	if (err)
		return err;
	ms_json_put_partial(&j, report->partial, report->partial_reason);
	ms_json_put_coverage(&j, &report->coverage);
	ms_json_row(&j);
	ms_json_put_u64(&j, "never_written", report->never_written);
	put_memory(&j, report);
	put_filter(&j, report, view);
	ms_json_put_owners(&j, report, view);
	ms_json_row(&j);
	ms_json_key(&j, "maps");
	ms_json_open_array(&j);
	for (size_t i = 0; i < count && !ms_sink_failed(sink); i++) {
		ms_json_row(&j);
		ms_json_map(&j, &report->maps[order[i]]);
	}
	ms_json_close_array(&j);
	return ms_json_end(&j);
}
