// json_trace.c - "mapscope.trace/1": each list is streamed, a line for each row.
#include "render/json.h"

static void open_row(struct ms_json *j)
{
	ms_json_row(j);
	ms_json_open_object(j);
}

static void open_list(struct ms_json *j, const char *key)
{
	ms_json_row(j);
	ms_json_key(j, key);
	ms_json_open_array(j);
}

static void put_kind(struct ms_json *j, uint8_t kind)
{
	ms_json_put_string(j, "kind", ms_growth_event_kind_name((enum ms_growth_event_kind)kind));
}

/** A number of bytes, whole; null for NAN. */
static void put_bytes(struct ms_json *j, const char *key, double bytes)
{
	ms_json_put_u64(j, key, bytes >= 0 && bytes < 0x1p63 ? (uint64_t)bytes : MS_UNKNOWN);
}

static void put_event(struct ms_json *j, const struct ms_trace_report *report,
		      const struct ms_growth_event *e)
{
	open_row(j);
	ms_json_put_time(j, "time_s", e->time_s);
	ms_json_put_time(j, "earliest_s", e->earliest_s);
	ms_json_put_u64(j, "number", e->number);
	ms_json_put_address(j, "map", e->map);
	ms_json_put_string(j, "type", e->type);
	ms_json_put_string(j, "owner", e->owner);
	ms_json_put_string(j, "map_kind", ms_map_kind_name((enum ms_map_kind)e->map_kind));
	put_kind(j, e->kind);
	ms_json_put_u64(j, "from", e->from);
	ms_json_put_u64(j, "to", e->to);
	ms_json_put_u64(j, "from_bytes", e->from_bytes);
	ms_json_put_u64(j, "to_bytes", e->to_bytes);
	ms_json_put_u64(j, "entries", e->entries);
	ms_json_put_u64(j, "capacity", e->capacity);
	ms_json_put_u64(j, "goroutine", e->goroutine);
	ms_json_put_call(j, "created_by", &e->created_by);
	ms_json_put_u64(j, "thread", e->thread ? e->thread : MS_UNKNOWN);
	ms_json_put_u64(j, "p", e->p == UINT32_MAX ? MS_UNKNOWN : e->p);
	ms_json_put_time(j, "duration_s", e->duration_s);
	ms_json_put_time(j, "duration_error_s", e->duration_error_s);
	ms_json_put_u64(j, "together_bytes", e->together_bytes);
	ms_json_put_u64(j, "gc_cycles", e->gc_cycles);
	put_bytes(j, "gc_runway_bytes", e->gc_runway_bytes);
	put_bytes(j, "gc_sooner_bytes", e->gc_sooner_bytes);
	ms_json_put_bool(j, "brought_gc", e->brought_gc);
	ms_json_put_bool(j, "one_of_several", e->one_of_several);
	ms_json_put_stack(j, &report->stacks, e->stack);
	ms_json_close_object(j);
}

static void put_sum(struct ms_json *j, const struct ms_trace_report *report,
		    const struct ms_growth_sum *sum)
{
	open_row(j);
	if (sum->map)
		ms_json_put_address(j, "map", sum->map);
	else
		ms_json_put_string(j, "map", NULL);
	ms_json_put_string(j, "type", sum->type);
	ms_json_put_string(j, "owner", sum->owner);
	put_kind(j, sum->kind);
	ms_json_put_u64(j, "count", sum->count);
	ms_json_put_u64(j, "to_bytes", sum->to_bytes);
	ms_json_put_stack(j, &report->stacks, sum->stack);
	ms_json_close_object(j);
}

static void put_creation(struct ms_json *j, const struct ms_trace_report *report,
			 const struct ms_creation_event *c)
{
	open_row(j);
	ms_json_put_time(j, "time_s", c->time_s);
	if (c->map)
		ms_json_put_address(j, "map", c->map);
	else
		ms_json_put_string(j, "map", NULL);
	ms_json_put_string(j, "type", c->type);
	ms_json_put_u64(j, "hint", c->hint);
	ms_json_put_u64(j, "bucket_shift", c->bucket_shift);
	ms_json_put_stack(j, &report->stacks, c->stack);
	ms_json_close_object(j);
}

static void put_migration(struct ms_json *j, const struct ms_migration *m)
{
	open_row(j);
	ms_json_put_time(j, "time_s", m->time_s);
	ms_json_put_address(j, "map", m->map);
	ms_json_put_u64(j, "moved", m->moved);
	ms_json_put_u64(j, "of", m->of);
	ms_json_put_u64(j, "bucket", m->bucket);
	ms_json_put_u64(j, "to_x", m->to_x);
	ms_json_put_u64(j, "to_y", m->to_y);
	ms_json_put_u64(j, "keys_x", m->keys_x);
	ms_json_put_u64(j, "keys_y", m->keys_y);
	ms_json_put_bool(j, "at_least", m->at_least);
	ms_json_close_object(j);
}

static void put_cycle(struct ms_json *j, const struct ms_gc_cycle *c)
{
	open_row(j);
	ms_json_put_u64(j, "number", c->number);
	ms_json_put_time(j, "start_s", c->start_s);
	ms_json_put_time(j, "end_s", c->end_s);
	ms_json_put_time(j, "pause_sweep_s", c->pause_sweep_s);
	ms_json_put_time(j, "pause_mark_s", c->pause_mark_s);
	ms_json_put_time(j, "pause_s", c->pause_s);
	ms_json_put_time(j, "assist_s", c->assist_s);
	ms_json_put_time(j, "background_s", c->background_s);
	ms_json_put_time(j, "idle_s", c->idle_s);
	ms_json_put_u64(j, "heap_start_bytes", c->heap_start_bytes);
	ms_json_put_u64(j, "heap_end_bytes", c->heap_end_bytes);
	ms_json_put_u64(j, "heap_marked_bytes", c->heap_marked_bytes);
	ms_json_put_u64(j, "goal_bytes", c->goal_bytes);
	ms_json_put_u64(j, "stack_scan_bytes", c->stack_scan_bytes);
	ms_json_put_u64(j, "globals_scan_bytes", c->globals_scan_bytes);
	ms_json_put_u64(j, "procs", c->procs ? c->procs : MS_UNKNOWN);
	if (c->is_forced_known) {
		ms_json_put_bool(j, "forced", c->is_forced);
	} else {
		ms_json_key(j, "forced");
		ms_json_null(j);
	}
	ms_json_put_string(j, "gctrace", c->gctrace);
	ms_json_close_object(j);
}

static void put_heap(struct ms_json *j, const struct ms_heap_sample *h)
{
	open_row(j);
	ms_json_put_time(j, "time_s", h->time_s);
	ms_json_put_u64(j, "live_bytes", h->live_bytes);
	ms_json_put_u64(j, "goal_bytes", h->goal_bytes);
	ms_json_put_bool(j, "marking", h->is_marking);
	ms_json_close_object(j);
}

static void put_waiters(struct ms_json *j, const struct ms_waiter_sample *w)
{
	open_row(j);
	ms_json_put_time(j, "time_s", w->time_s);
	ms_json_put_address(j, "map", w->map);
	ms_json_put_string(j, "behind", w->behind);
	ms_json_put_u64(j, "waiting", w->waiting);
	ms_json_put_time(j, "oldest_s", w->oldest_s);
	ms_json_close_object(j);
}

static void put_switch(struct ms_json *j, const struct ms_switch_event *s)
{
	open_row(j);
	ms_json_put_time(j, "time_s", s->time_s);
	ms_json_put_u64(j, "p", s->p);
	ms_json_put_u64(j, "from", s->from);
	ms_json_put_u64(j, "to", s->to);
	ms_json_close_object(j);
}

static void put_creation_figures(struct ms_json *j, const struct ms_trace_report *r)
{
	bool known = r->has_creations;

	ms_json_row(j);
	ms_json_put_u64(j, "creations_counted", known ? r->creations_counted : MS_UNKNOWN);
	ms_json_put_u64(j, "creations_dropped", known ? r->creations_dropped : MS_UNKNOWN);
	ms_json_put_u64(j, "creations_small", known ? r->creations_small : MS_UNKNOWN);
	ms_json_put_string(j, "creations_unknown", r->creations_unknown);
	ms_json_put_string(j, "creations_nameless", r->creations_nameless);
}

static void put_figures(struct ms_json *j, const struct ms_trace_report *r)
{
	bool gc_known = !r->gc_unknown;

	ms_json_put_partial(j, r->partial, r->partial_reason);
	ms_json_row(j);
	ms_json_put_string(j, "source", ms_trace_source_name(r->source));
	ms_json_put_string(j, "no_probes_reason", r->no_probes_reason);
	ms_json_row(j);
	ms_json_put_u64(j, "began_unix_ns",
			r->began_unix_ns > 0 ? (uint64_t)r->began_unix_ns : MS_UNKNOWN);
	ms_json_put_time(j, "window_s", r->window_s);
	ms_json_row(j);
	ms_json_put_u64(j, "counted", r->counted);
	ms_json_put_u64(j, "dropped", r->dropped);
	ms_json_put_u64(j, "repeated", r->repeated);
	ms_json_put_u64(j, "to_small", r->to_small);
	ms_json_row(j);
	ms_json_put_u64(j, "followed", r->followed);
	ms_json_put_u64(j, "not_followed", r->not_followed);
	ms_json_put_u64(j, "polls", r->polls);
	ms_json_put_u64(j, "migrations_dropped", r->migrations_dropped);
	ms_json_put_string(j, "migrations_unknown", r->migrations_unknown);
	put_creation_figures(j, r);
	ms_json_row(j);
	ms_json_put_u64(j, "gc_cycles", gc_known ? r->gc_cycles : MS_UNKNOWN);
	ms_json_put_time(j, "gc_pause_s", r->gc_pause_s);
	ms_json_put_string(j, "gc_unknown", r->gc_unknown);
	ms_json_row(j);
	ms_json_put_u64(j, "switches_unseen", r->has_switches ? r->switches_unseen : MS_UNKNOWN);
	ms_json_put_string(j, "switches_unknown", r->switches_unknown);
}

static void put_growths(struct ms_json *j, const struct ms_trace_report *r)
{
	open_list(j, "events");
	for (size_t i = 0; i < r->event_count && !ms_sink_failed(j->sink); i++)
		put_event(j, r, &r->events[i]);
	ms_json_close_array(j);
	open_list(j, "sums");
	for (size_t i = 0; i < r->sum_count && !ms_sink_failed(j->sink); i++)
		put_sum(j, r, &r->sums[i]);
	ms_json_close_array(j);
	open_list(j, "creations");
	for (size_t i = 0; i < r->creation_count && !ms_sink_failed(j->sink); i++)
		put_creation(j, r, &r->creations[i]);
	ms_json_close_array(j);
	open_list(j, "migrations");
	for (size_t i = 0; i < r->migration_count && !ms_sink_failed(j->sink); i++)
		put_migration(j, &r->migrations[i]);
	ms_json_close_array(j);
}

void ms_json_put_collections(struct ms_json *j, const struct ms_trace_report *r)
{
	open_list(j, "gc");
	for (size_t i = 0; i < r->cycle_count && !ms_sink_failed(j->sink); i++)
		put_cycle(j, &r->cycles[i]);
	ms_json_close_array(j);
}

static void put_beside(struct ms_json *j, const struct ms_trace_report *r)
{
	ms_json_put_collections(j, r);
	open_list(j, "heap");
	for (size_t i = 0; i < r->heap_count && !ms_sink_failed(j->sink); i++)
		put_heap(j, &r->heap[i]);
	ms_json_close_array(j);
	open_list(j, "waiters");
	for (size_t i = 0; i < r->waiter_count && !ms_sink_failed(j->sink); i++)
		put_waiters(j, &r->waiters[i]);
	ms_json_close_array(j);
	open_list(j, "switches");
	for (size_t i = 0; i < r->switch_count && !ms_sink_failed(j->sink); i++)
		put_switch(j, &r->switches[i]);
	ms_json_close_array(j);
}

struct ms_error *ms_render_trace_json(const struct ms_trace_report *report, struct ms_sink *sink)
{
	struct ms_json j;
	struct ms_error *err =
	    ms_json_begin(&j, sink, "mapscope.trace/1", &report->target, &report->cost);

	if (err)
		return err;
	put_figures(&j, report);
	put_growths(&j, report);
	put_beside(&j, report);
	return ms_json_end(&j);
}
