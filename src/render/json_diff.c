// json_diff.c - "mapscope.diff/1": both targets, what was compared, a row for each owner and type.
#include "render/json.h"

void ms_json_put_side(struct ms_json *j, const char *key, const struct ms_diff_side *side)
{
	ms_json_key(j, key);
	ms_json_open_object(j);
	ms_json_put_u64(j, "maps", side->maps);
	ms_json_put_u64(j, "entries", side->entries);
	ms_json_put_u64(j, "total_bytes", side->total_bytes);
	ms_json_put_u64(j, "slack_bytes", side->slack_bytes);
	ms_json_close_object(j);
}

static void put_row(struct ms_json *j, const struct ms_diff_row *row)
{
	ms_json_row(j);
	ms_json_open_object(j);
	ms_json_put_string(j, "owner", row->owner);
	ms_json_put_string(j, "type", row->type);
	ms_json_put_string(j, "kind", ms_map_kind_name(row->kind));
	ms_json_put_string(j, "presence",
			   ms_diff_presence_name((enum ms_diff_presence)row->presence));
	ms_json_put_side(j, "before", &row->before);
	ms_json_put_side(j, "after", &row->after);
	ms_json_key(j, "change_bytes");
	ms_json_change(j, row->before.total_bytes, row->after.total_bytes);
	ms_json_close_object(j);
}

struct ms_error *ms_render_diff_json(const struct ms_diff_report *report,
				     const struct ms_census_view *view, struct ms_sink *sink)
{
	struct ms_json j;
	struct ms_error *err =
	    ms_json_begin(&j, sink, "mapscope.diff/1", &report->after, &report->cost);
	size_t shown = 0;

	if (err)
		return err;
	ms_json_put_target(&j, "before", &report->before);
	ms_json_row(&j);
	ms_json_put_string(&j, "before_name", report->before_name);
	ms_json_put_string(&j, "after_name", report->after_name);
	ms_json_row(&j);
	ms_json_put_bool(&j, "same_process", report->same_process);
	ms_json_put_u64(&j, "appeared", report->appeared);
	ms_json_put_u64(&j, "vanished", report->vanished);
	ms_json_row(&j);
	ms_json_key(&j, "warnings");
	ms_json_open_array(&j);
	for (size_t i = 0; i < report->warning_count; i++)
		ms_json_string(&j, report->warnings[i]);
	ms_json_close_array(&j);
	ms_json_row(&j);
	ms_json_put_side(&j, "total_before", &report->total_before);
	ms_json_put_side(&j, "total_after", &report->total_after);
	ms_json_row(&j);
	ms_json_key(&j, "owners");
	ms_json_open_array(&j);
	for (size_t i = 0; i < report->row_count && shown < view->top && !ms_sink_failed(sink);
	     i++) {
		const struct ms_diff_row *row = &report->rows[i];

		if (!ms_row_filter_passes(view->filter, row->owner, row->type))
			continue;
		put_row(&j, row);
		shown++;
	}
	ms_json_close_array(&j);
	return ms_json_end(&j);
}
