// csv.c - RFC 4180 tables: a header line, CRLF, quotes where a cell needs them.
//
// A cell is empty where the JSON document has null; `growth` is spread over four columns.  The
// format knows no escapes, so what is not UTF-8 and what a terminal acts upon is replaced.
#include "base/cleanup.h"
#include "render/escape.h"
#include "render/render.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

struct csv {
	struct ms_sink *sink;
	struct ms_sink scratch; // A cell with what is invalid or unsafe replaced.
	bool in_row;
};

static const char map_columns[] =
    "address,kind,type,key_type,elem_type,owner,owners,entries,capacity,load,grow_at,overflow_"
    "buckets,"
    "deleted_slots,tables,directory_depth,live_bytes,total_bytes,slack_bytes,growing,growth_from,"
    "growth_to,growth_progress,growth_same_size,where,confidence,type_source";

static void csv_init(struct csv *csv, struct ms_sink *sink)
{
	*csv = (struct csv){ .sink = sink };
	ms_sink_init_memory(&csv->scratch);
}

static struct ms_error *csv_finish(struct csv *csv)
{
	if (ms_sink_failed(&csv->scratch))
		ms_sink_fail_no_memory(csv->sink);
	ms_sink_deinit(&csv->scratch);
	return ms_sink_finish(csv->sink);
}

static void next_cell(struct csv *csv)
{
	if (csv->in_row)
		ms_sink_write(csv->sink, ",", 1);
	csv->in_row = true;
}

static void end_row(struct csv *csv)
{
	ms_sink_write(csv->sink, "\r\n", 2);
	csv->in_row = false;
}

static void cell_string(struct csv *csv, const char *value)
{
	next_cell(csv);
	if (!value)
		return;
	if (ms_text_kind(value) != MS_TEXT_PLAIN) {
		csv->scratch.size = 0;
		ms_replace_text(&csv->scratch, value, MS_REPLACE_UNSAFE);
		value = ms_sink_text(&csv->scratch);
		if (!value)
			return; // Reported by csv_finish.
	}
	if (*value && !strpbrk(value, ",\"\r\n ")) {
		ms_sink_puts(csv->sink, value);
		return;
	}
	ms_sink_write(csv->sink, "\"", 1);
	for (size_t run; *value; value += run) {
		run = *value == '"' ? 1 : strcspn(value, "\"");
		ms_sink_write(csv->sink, value, run);
		if (*value == '"')
			ms_sink_write(csv->sink, "\"", 1);
	}
	ms_sink_write(csv->sink, "\"", 1);
}

static void cell_u64(struct csv *csv, uint64_t value)
{
	next_cell(csv);
	if (value != MS_UNKNOWN)
		ms_sink_printf(csv->sink, "%" PRIu64, value);
}

static void cell_double(struct csv *csv, double value)
{
	next_cell(csv);
	if (isfinite(value))
		ms_sink_printf(csv->sink, "%.6g", value);
}

/** A number of bytes that may be NAN. */
static void cell_bytes(struct csv *csv, double bytes)
{
	cell_u64(csv, bytes >= 0 && bytes < 0x1p63 ? (uint64_t)bytes : MS_UNKNOWN);
}

static void cell_bool(struct csv *csv, bool value)
{
	cell_string(csv, value ? "true" : "false");
}

static void cell_growth(struct csv *csv, const struct ms_map_row *row)
{
	cell_bool(csv, row->growing);
	cell_u64(csv, row->growing ? row->growth.from : MS_UNKNOWN);
	cell_u64(csv, row->growing ? row->growth.to : MS_UNKNOWN);
	cell_double(csv, row->growing ? row->growth.progress : NAN);
	if (row->growing)
		cell_bool(csv, row->growth.same_size);
	else
		cell_string(csv, NULL);
}

static void cells_of_map(struct csv *csv, const struct ms_map_row *row)
{
	bool swiss = row->kind == MS_MAP_SWISS;

	next_cell(csv);
	ms_sink_printf(csv->sink, "0x%" PRIx64, row->address);
	cell_string(csv, ms_map_kind_name(row->kind));
	cell_string(csv, row->type);
	cell_string(csv, row->key_type);
	cell_string(csv, row->elem_type);
	cell_string(csv, row->owner);
	cell_u64(csv, row->owners ? row->owners : MS_UNKNOWN);
	cell_u64(csv, row->entries);
	cell_u64(csv, row->capacity);
	cell_double(csv, ms_map_row_load(row));
	cell_u64(csv, row->grow_at);
	cell_u64(csv, swiss ? MS_UNKNOWN : row->overflow_buckets);
	cell_u64(csv, swiss ? row->deleted_slots : MS_UNKNOWN);
	cell_u64(csv, swiss ? row->tables : MS_UNKNOWN);
	cell_u64(csv, swiss ? row->directory_depth : MS_UNKNOWN);
	cell_u64(csv, row->live_bytes);
	cell_u64(csv, row->total_bytes);
	cell_u64(csv, row->slack_bytes);
	cell_growth(csv, row);
	cell_string(csv, ms_map_where_name(row->where));
	cell_string(csv, ms_confidence_name(row->confidence));
	cell_string(csv, ms_type_source_name(row->type_source));
}

struct ms_error *ms_render_census_csv(const struct ms_census_report *report,
				      const struct ms_census_view *view, struct ms_sink *sink)
{
	size_t count;
	MS_AUTO_FREE size_t *order = ms_census_order(report, view, &count);
	struct csv csv;

	if (!order)
		return ms_error_no_memory();
	csv_init(&csv, sink);
	ms_sink_puts(sink, map_columns);
	end_row(&csv);
	for (size_t i = 0; i < count && !ms_sink_failed(sink); i++) {
		cells_of_map(&csv, &report->maps[order[i]]);
		end_row(&csv);
	}
	return csv_finish(&csv);
}

struct ms_error *ms_render_diagnosis_csv(const struct ms_diagnosis_report *report,
					 struct ms_sink *sink)
{
	struct csv csv;

	csv_init(&csv, sink);
	ms_sink_printf(sink,
		       "rank,verdict,entries_before,bytes_before,entries_per_s,bytes_per_min,"
		       "growths_seen,entries_low,entries_high,polls,%s",
		       map_columns);
	end_row(&csv);
	for (size_t i = 0; i < report->finding_count; i++) {
		const struct ms_finding *finding = &report->findings[i];

		cell_u64(&csv, i + 1);
		cell_string(&csv, ms_verdict_name(finding->verdict));
		cell_u64(&csv, finding->entries_before);
		cell_u64(&csv, finding->bytes_before);
		cell_double(&csv, finding->entries_per_s);
		cell_double(&csv, finding->bytes_per_min);
		cell_u64(&csv, finding->growths_seen);
		cell_u64(&csv, finding->entries_low);
		cell_u64(&csv, finding->entries_high);
		cell_u64(&csv, finding->polls);
		cells_of_map(&csv, &finding->map);
		end_row(&csv);
	}
	return csv_finish(&csv);
}

struct ms_error *ms_render_heap_csv(const struct ms_census_report *report,
				    const struct ms_census_view *view, struct ms_sink *sink)
{
	const struct ms_memory *m = &report->memory;
	MS_AUTO_FREE size_t *order = ms_memory_class_order(m);
	size_t shown = ms_min_u64(view->top, m->class_count);
	struct csv csv;

	if (!order)
		return ms_error_no_memory();
	csv_init(&csv, sink);
	ms_sink_puts(sink, "object_bytes,large,pointers,spans,span_bytes,live_objects,live_bytes,"
			   "garbage_objects,garbage_bytes,free_bytes");
	end_row(&csv);
	for (size_t i = 0; i < shown; i++) {
		const struct ms_size_class_row *row = &m->classes[order[i]];

		cell_u64(&csv, row->object_bytes ? row->object_bytes : MS_UNKNOWN);
		cell_bool(&csv, row->object_bytes == 0);
		cell_bool(&csv, !(row->span_class & 1));
		cell_u64(&csv, row->spans);
		cell_u64(&csv, row->span_bytes);
		cell_u64(&csv, row->live_objects);
		cell_u64(&csv, row->live_bytes);
		cell_u64(&csv, row->garbage_objects);
		cell_u64(&csv, row->garbage_bytes);
		cell_u64(&csv, row->free_bytes);
		end_row(&csv);
	}
	return csv_finish(&csv);
}

static void cells_of_side(struct csv *csv, const struct ms_diff_side *side)
{
	cell_u64(csv, side->maps);
	cell_u64(csv, side->entries);
	cell_u64(csv, side->total_bytes);
	cell_u64(csv, side->slack_bytes);
}

struct ms_error *ms_render_diff_csv(const struct ms_diff_report *report,
				    const struct ms_census_view *view, struct ms_sink *sink)
{
	struct csv csv;
	size_t shown = 0;

	csv_init(&csv, sink);
	ms_sink_puts(sink, "owner,type,kind,presence,maps_before,entries_before,total_bytes_before,"
			   "slack_bytes_before,maps_after,entries_after,total_bytes_after,"
			   "slack_bytes_after");
	end_row(&csv);
	for (size_t i = 0; i < report->row_count && shown < view->top && !ms_sink_failed(sink);
	     i++) {
		const struct ms_diff_row *row = &report->rows[i];

		if (!ms_row_filter_passes(view->filter, row->owner, row->type))
			continue;
		cell_string(&csv, row->owner);
		cell_string(&csv, row->type);
		cell_string(&csv, ms_map_kind_name(row->kind));
		cell_string(&csv, ms_diff_presence_name((enum ms_diff_presence)row->presence));
		cells_of_side(&csv, &row->before);
		cells_of_side(&csv, &row->after);
		end_row(&csv);
		shown++;
	}
	return csv_finish(&csv);
}

struct ms_error *ms_render_run_csv(const struct ms_run_report *report,
				   const struct ms_census_view *view, struct ms_sink *sink)
{
	struct csv csv;
	size_t shown = 0;

	csv_init(&csv, sink);
	ms_sink_puts(sink, "owner,type,kind,exe,maps,entries,total_bytes,slack_bytes,pid,at_s");
	end_row(&csv);
	for (size_t i = 0; i < report->peak_count && shown < view->top && !ms_sink_failed(sink);
	     i++) {
		const struct ms_peak_row *row = &report->peaks[i];

		if (!ms_row_filter_passes(view->filter, row->owner, row->type))
			continue;
		cell_string(&csv, row->owner);
		cell_string(&csv, row->type);
		cell_string(&csv, ms_map_kind_name(row->kind));
		cell_string(&csv, row->exe);
		cell_u64(&csv, row->maps);
		cell_u64(&csv, row->entries);
		cell_u64(&csv, row->total_bytes);
		cell_u64(&csv, row->slack_bytes);
		cell_u64(&csv, row->pid);
		cell_double(&csv, row->at_s);
		end_row(&csv);
		shown++;
	}
	return csv_finish(&csv);
}

static void cells_of_call(struct csv *csv, const struct ms_stack_call *call)
{
	cell_string(csv, call ? call->function : NULL);
	cell_string(csv, call ? call->file : NULL);
	cell_u64(csv, call && call->file && call->line ? call->line : MS_UNKNOWN);
}

static void cell_time(struct csv *csv, double seconds)
{
	next_cell(csv);
	if (isfinite(seconds))
		ms_sink_printf(csv->sink, "%.12g", seconds);
}

static void cells_of_event(struct csv *csv, const struct ms_trace_report *report,
			   const struct ms_growth_event *e)
{
	cell_u64(csv, e->number);
	cell_time(csv, e->time_s);
	cell_time(csv, e->earliest_s);
	next_cell(csv);
	ms_sink_printf(csv->sink, "0x%" PRIx64, e->map);
	cell_string(csv, e->type);
	cell_string(csv, e->owner);
	cell_string(csv, ms_map_kind_name((enum ms_map_kind)e->map_kind));
	cell_string(csv, ms_growth_event_kind_name((enum ms_growth_event_kind)e->kind));
	cell_u64(csv, e->from);
	cell_u64(csv, e->to);
	cell_u64(csv, e->from_bytes);
	cell_u64(csv, e->to_bytes);
	cell_u64(csv, e->entries);
	cell_u64(csv, e->capacity);
	cell_u64(csv, e->goroutine);
	cell_u64(csv, e->thread ? e->thread : MS_UNKNOWN);
	cell_u64(csv, e->p == UINT32_MAX ? MS_UNKNOWN : e->p);
	cell_time(csv, e->duration_s);
	cell_time(csv, e->duration_error_s);
	cell_u64(csv, e->together_bytes);
	cell_u64(csv, e->gc_cycles);
	cell_bytes(csv, e->gc_runway_bytes);
	cell_bytes(csv, e->gc_sooner_bytes);
	cell_bool(csv, e->brought_gc);
	cells_of_call(csv, e->stack < report->stacks.count
			       ? ms_stack_line(&report->stacks.items[e->stack])
			       : NULL);
	cells_of_call(csv, &e->created_by);
}

struct ms_error *ms_render_trace_csv(const struct ms_trace_report *report, struct ms_sink *sink)
{
	struct csv csv;

	csv_init(&csv, sink);
	ms_sink_puts(
	    sink,
	    "number,time_s,earliest_s,map,type,owner,map_kind,kind,from,to,"
	    "from_bytes,to_bytes,entries,capacity,goroutine,thread,p,duration_s,"
	    "duration_error_s,together_bytes,gc_cycles,gc_runway_bytes,gc_sooner_bytes,brought_gc,"
	    "function,file,line,created_by_function,created_by_file,"
	    "created_by_line");
	end_row(&csv);
	for (size_t i = 0; i < report->event_count && !ms_sink_failed(sink); i++) {
		cells_of_event(&csv, report, &report->events[i]);
		end_row(&csv);
	}
	return csv_finish(&csv);
}

static void cells_of_goroutine(struct csv *csv, const struct ms_goroutines_report *report,
			       const struct ms_goroutine_row *row)
{
	const struct ms_stack *stack =
	    row->stack < report->stacks.count ? &report->stacks.items[row->stack] : NULL;
	const struct ms_wait_place *place =
	    row->place < report->place_count ? &report->places[row->place] : NULL;

	cell_u64(csv, row->id);
	cell_string(csv, row->state);
	cell_string(csv, row->wait_reason);
	cell_double(csv, row->waited_s);
	cell_bool(csv, row->is_system);
	cell_u64(csv, row->cluster);
	cell_u64(csv, row->thread ? row->thread : MS_UNKNOWN);
	cell_u64(csv, row->p == UINT32_MAX ? MS_UNKNOWN : row->p);
	cell_string(csv, ms_map_role_name((enum ms_map_role)row->role));
	cell_string(csv, row->map_owner);
	cell_string(csv, place ? place->kind : NULL);
	cell_string(csv, place ? place->name : NULL);
	cell_string(csv, ms_stack_source_name((enum ms_stack_source)row->stack_source));
	cells_of_call(csv, stack ? ms_stack_program_line(stack) : NULL);
	cells_of_call(csv, row->created_by.function ? &row->created_by : NULL);
	cell_u64(csv, row->parent ? row->parent : MS_UNKNOWN);
}

struct ms_error *ms_render_goroutines_csv(const struct ms_goroutines_report *report,
					  struct ms_sink *sink)
{
	struct csv csv;

	csv_init(&csv, sink);
	ms_sink_puts(sink, "id,state,wait_reason,waited_s,system,cluster,thread,p,role,map_owner,"
			   "place_kind,place,stack_source,function,file,line,created_by_function,"
			   "created_by_file,created_by_line,parent");
	end_row(&csv);
	for (size_t i = 0; i < report->row_count && !ms_sink_failed(sink); i++) {
		cells_of_goroutine(&csv, report, &report->rows[i]);
		end_row(&csv);
	}
	return csv_finish(&csv);
}
