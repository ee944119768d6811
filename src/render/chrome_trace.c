// chrome_trace.c - a trace as Chrome trace events, which Perfetto and chrome://tracing open.
//
// One process, and in it a track for each P, on which growths and switches are instants; a growth
// whose P is not known is on its thread's track, or on one for all.  Evacuations take time and
// overlap, and slices of one track may only nest: each goes to the first lane that is free.
// Collections, and the pauses at their ends, have a track each.  The heap, and the waiters of each
// map, are counters.
//
// Timestamps are microseconds since the trace began, to the nanosecond.  On every track they rise
// from line to line, though the file as a whole is in the order of its lists: so nothing has to be
// sorted, and a million events go through without being held.
#include "render/json.h"

#include "base/cleanup.h"
#include "base/number_map.h"
#include "base/vec.h"
#include "render/escape.h"

#include <inttypes.h>
#include <math.h>

/** Tracks.  Threads have their own numbers, which the kernel keeps below 2^22. */
enum {
	TRACK_GC = 1 << 24,
	TRACK_PAUSES,
	TRACK_GROWTHS,
	TRACK_LANES, // This and those behind it.
	LANES_MAX = 1 << 16,
	TRACK_P = TRACK_LANES + (1 << 24), // P 0 and those behind it.
	PS_MAX = 1 << 20,
};

enum { LABEL_BYTES = 48 }; // Two numbers of 64 bits and a few words.

struct chrome {
	struct ms_json j;
	const struct ms_trace_report *report;
	uint64_t pid;
	struct ms_number_map named; // Tracks that have their name.
	struct lanes {
		double *items; // When the last evacuation on it ended.
		size_t count, capacity;
	} lanes;
	bool no_memory;
};

/** Within the window, so that no hostile time makes a slice of a thousand years. */
static double within(const struct chrome *c, double seconds)
{
	double end = isfinite(c->report->window_s) ? c->report->window_s : 0;

	return seconds > 0 ? fmin(seconds, end) : 0;
}

static void put_us(struct chrome *c, const char *key, double seconds)
{
	char text[32];

	snprintf(text, sizeof(text), "%.3f", seconds * 1e6);
	ms_json_put_number(&c->j, key, text);
}

/** "name", "ph", "pid" and "tid" of an event, whose object stays open. */
static void open_event(struct chrome *c, const char *name, const char *phase, uint64_t track)
{
	ms_json_row(&c->j);
	ms_json_open_object(&c->j);
	ms_json_put_string(&c->j, "name", name);
	ms_json_put_string(&c->j, "ph", phase);
	ms_json_put_u64(&c->j, "pid", c->pid);
	ms_json_put_u64(&c->j, "tid", track);
}

static void open_args(struct chrome *c)
{
	ms_json_key(&c->j, "args");
	ms_json_open_object(&c->j);
}

static void close_args(struct chrome *c)
{
	ms_json_close_object(&c->j);
	ms_json_close_object(&c->j);
}

static void put_metadata(struct chrome *c, const char *kind, uint64_t track, const char *name)
{
	open_event(c, kind, "M", track);
	open_args(c);
	ms_json_put_string(&c->j, "name", name);
	close_args(c);
}

/** Name a track the first time something comes onto it, and give it its place among the others. */
static void name_track(struct chrome *c, uint64_t track, uint64_t place, const char *name)
{
	if (ms_number_map_find(&c->named, track))
		return;
	if (!ms_number_map_add(&c->named, track, 1))
		c->no_memory = true;
	put_metadata(c, "thread_name", track, name);
	open_event(c, "thread_sort_index", "M", track);
	open_args(c);
	ms_json_put_u64(&c->j, "sort_index", place);
	close_args(c);
}

static uint64_t p_track(struct chrome *c, uint32_t p)
{
	char name[LABEL_BYTES];

	snprintf(name, sizeof(name), "P %" PRIu32, p);
	name_track(c, TRACK_P + (uint64_t)p, 100 + (uint64_t)p, name);
	return TRACK_P + (uint64_t)p;
}

static uint64_t event_track(struct chrome *c, const struct ms_growth_event *e)
{
	char name[LABEL_BYTES];

	if (e->p < PS_MAX)
		return p_track(c, e->p);
	if (e->thread && e->thread < TRACK_GC) {
		snprintf(name, sizeof(name), "thread %" PRIu32, e->thread);
		name_track(c, e->thread, 50, name);
		return e->thread;
	}
	name_track(c, TRACK_GROWTHS, 40, "growths");
	return TRACK_GROWTHS;
}

static void put_call_text(struct chrome *c, struct ms_sink *text, const struct ms_stack_call *call)
{
	const char *whole;

	text->size = 0;
	ms_sink_puts(text, call->function ? call->function : "?");
	if (call->file)
		ms_sink_printf(text, " (%s:%" PRIu32 ")", call->file, call->line);
	if (call->is_inlined)
		ms_sink_puts(text, " inlined");
	whole = ms_sink_text(text);
	if (whole)
		ms_json_string(&c->j, whole);
	else
		c->no_memory = true;
}

static void put_stack(struct chrome *c, uint32_t index)
{
	const struct ms_stacks *stacks = &c->report->stacks;
	const struct ms_stack *stack = index < stacks->count ? &stacks->items[index] : NULL;
	struct ms_sink text;

	if (!stack)
		return;
	ms_sink_init_memory(&text);
	ms_json_key(&c->j, "stack");
	ms_json_open_array(&c->j);
	for (uint32_t i = 0; i < stack->count; i++)
		put_call_text(c, &text, &stack->calls[i]);
	ms_json_close_array(&c->j);
	if (stack->cut)
		ms_json_put_string(&c->j, "stack_cut", stack->cut);
	ms_sink_deinit(&text);
}

static void put_known_u64(struct chrome *c, const char *key, uint64_t value)
{
	if (value != MS_UNKNOWN)
		ms_json_put_u64(&c->j, key, value);
}

static void put_known_string(struct chrome *c, const char *key, const char *value)
{
	if (value)
		ms_json_put_string(&c->j, key, value);
}

static void put_map(struct chrome *c, const struct ms_growth_event *e)
{
	ms_json_put_address(&c->j, "map", e->map);
	put_known_string(c, "type", e->type);
	put_known_string(c, "owner", e->owner);
	ms_json_put_string(&c->j, "kind",
			   ms_growth_event_kind_name((enum ms_growth_event_kind)e->kind));
}

static void put_growth(struct chrome *c, const struct ms_growth_event *e)
{
	uint64_t track = event_track(c, e);

	open_event(c, "grow_start", "i", track);
	ms_json_put_string(&c->j, "s", "t");
	ms_json_put_string(&c->j, "cat", "growth");
	put_us(c, "ts", within(c, e->time_s));
	open_args(c);
	put_map(c, e);
	put_known_u64(c, "old_slots", e->from);
	put_known_u64(c, "new_slots", e->to);
	put_known_u64(c, "old_bytes", e->from_bytes);
	put_known_u64(c, "new_bytes", e->to_bytes);
	put_known_u64(c, "entries", e->entries);
	put_known_u64(c, "goroutine", e->goroutine);
	put_known_u64(c, "thread", e->thread ? e->thread : MS_UNKNOWN);
	if (e->created_by.function)
		ms_json_put_call(&c->j, "created_by", &e->created_by);
	if (e->earliest_s < e->time_s)
		put_us(c, "earliest_ts", within(c, e->earliest_s));
	put_stack(c, e->stack);
	close_args(c);
}

static void put_switch(struct chrome *c, const struct ms_switch_event *s)
{
	char name[LABEL_BYTES + 16];
	uint64_t track;

	if (s->p >= PS_MAX)
		return;
	track = p_track(c, s->p);
	snprintf(name, sizeof(name), "go %" PRIu64 " -> go %" PRIu64, s->from, s->to);
	open_event(c, name, "i", track);
	ms_json_put_string(&c->j, "s", "t");
	ms_json_put_string(&c->j, "cat", "switch");
	put_us(c, "ts", within(c, s->time_s));
	ms_json_close_object(&c->j);
}

/** Growths and switches share tracks: both by time. */
static void put_instants(struct chrome *c)
{
	const struct ms_trace_report *r = c->report;
	size_t growth = 0, turn = 0;

	while ((growth < r->event_count || turn < r->switch_count) && !ms_sink_failed(c->j.sink)) {
		if (turn == r->switch_count ||
		    (growth < r->event_count &&
		     within(c, r->events[growth].time_s) <= within(c, r->switches[turn].time_s)))
			put_growth(c, &r->events[growth++]);
		else
			put_switch(c, &r->switches[turn++]);
	}
}

/** The first lane on which nothing goes on at @p start; LANES_MAX when memory is short. */
static size_t take_lane(struct chrome *c, double start, double end)
{
	for (size_t i = 0; i < c->lanes.count; i++) {
		if (c->lanes.items[i] <= start) {
			c->lanes.items[i] = end;
			return i;
		}
	}
	if (c->lanes.count == LANES_MAX || !ms_vec_push(&c->lanes, end)) {
		c->no_memory = true;
		return LANES_MAX;
	}
	return c->lanes.count - 1;
}

static void put_evacuation(struct chrome *c, const struct ms_growth_event *e)
{
	double start = within(c, e->time_s), end = within(c, e->time_s + e->duration_s);
	size_t lane;

	if (!isfinite(e->duration_s) || e->duration_s < 0)
		return;
	lane = take_lane(c, start, end);
	if (lane == LANES_MAX)
		return;
	name_track(c, TRACK_LANES + lane, 20, "evacuations");
	open_event(c, e->owner ? e->owner : "evacuation", "X", TRACK_LANES + lane);
	ms_json_put_string(&c->j, "cat", "evacuation");
	put_us(c, "ts", start);
	put_us(c, "dur", end - start);
	open_args(c);
	put_map(c, e);
	put_us(c, "may_differ_us", e->duration_error_s > 0 ? within(c, e->duration_error_s) : 0);
	put_known_u64(c, "together_bytes", e->together_bytes);
	ms_json_put_u64(&c->j, "gc_cycles", e->gc_cycles);
	close_args(c);
}

static void put_cycle_args(struct chrome *c, const struct ms_gc_cycle *g)
{
	open_args(c);
	ms_json_put_u64(&c->j, "number", g->number);
	if (g->is_forced_known)
		ms_json_put_bool(&c->j, "forced", g->is_forced);
	put_known_u64(c, "heap_start_bytes", g->heap_start_bytes);
	put_known_u64(c, "heap_end_bytes", g->heap_end_bytes);
	put_known_u64(c, "heap_marked_bytes", g->heap_marked_bytes);
	put_known_u64(c, "goal_bytes", g->goal_bytes);
	if (isfinite(g->pause_s))
		ms_json_put_time(&c->j, "pause_s", g->pause_s);
	if (isfinite(g->assist_s))
		ms_json_put_time(&c->j, "assist_s", g->assist_s);
	put_known_string(c, "gctrace", g->gctrace);
	close_args(c);
}

/** From its start, or that of the window, to its end, or that of the window. */
static void put_cycle(struct chrome *c, const struct ms_gc_cycle *g, double *last)
{
	double start = isfinite(g->start_s) ? within(c, g->start_s) : 0;
	double end = isfinite(g->end_s) ? within(c, g->end_s) : within(c, INFINITY);
	char name[LABEL_BYTES];

	start = fmax(start, *last); // One at a time.
	end = fmax(start, end);
	*last = end;
	snprintf(name, sizeof(name), "GC %" PRIu64, g->number);
	name_track(c, TRACK_GC, 0, "collections");
	open_event(c, name, "X", TRACK_GC);
	ms_json_put_string(&c->j, "cat", "gc");
	put_us(c, "ts", start);
	put_us(c, "dur", end - start);
	put_cycle_args(c, g);
}

static void put_pause(struct chrome *c, const char *name, double start, double pause, double *last)
{
	double from = fmax(within(c, start), *last);
	double to = fmax(from, within(c, start + pause));

	if (!isfinite(start) || !(pause >= 0))
		return;
	*last = to;
	name_track(c, TRACK_PAUSES, 1, "world stopped");
	open_event(c, name, "X", TRACK_PAUSES);
	ms_json_put_string(&c->j, "cat", "gc");
	put_us(c, "ts", from);
	put_us(c, "dur", to - from);
	ms_json_close_object(&c->j);
}

static void put_collections(struct chrome *c)
{
	const struct ms_trace_report *r = c->report;
	double last = 0;

	for (size_t i = 0; i < r->cycle_count; i++)
		put_cycle(c, &r->cycles[i], &last);
	last = 0;
	for (size_t i = 0; i < r->cycle_count; i++) {
		const struct ms_gc_cycle *g = &r->cycles[i];

		// A cycle begins and ends with the world stopped.
		put_pause(c, "to begin marking", g->start_s, g->pause_sweep_s, &last);
		put_pause(c, "to end marking", g->end_s - g->pause_mark_s, g->pause_mark_s, &last);
	}
}

static void put_counter(struct chrome *c, const char *name, double time_s, const char *key,
			uint64_t value, const char *id)
{
	if (value == MS_UNKNOWN)
		return;
	ms_json_row(&c->j);
	ms_json_open_object(&c->j);
	ms_json_put_string(&c->j, "name", name);
	ms_json_put_string(&c->j, "ph", "C");
	ms_json_put_u64(&c->j, "pid", c->pid);
	if (id)
		ms_json_put_string(&c->j, "id", id);
	put_us(c, "ts", within(c, time_s));
	open_args(c);
	ms_json_put_u64(&c->j, key, value);
	close_args(c);
}

static void put_counters(struct chrome *c)
{
	const struct ms_trace_report *r = c->report;

	for (size_t i = 0; i < r->heap_count && !ms_sink_failed(c->j.sink); i++) {
		const struct ms_heap_sample *h = &r->heap[i];

		put_counter(c, "heap live", h->time_s, "bytes", h->live_bytes, NULL);
		put_counter(c, "heap goal", h->time_s, "bytes", h->goal_bytes, NULL);
	}
	for (size_t i = 0; i < r->waiter_count && !ms_sink_failed(c->j.sink); i++) {
		const struct ms_waiter_sample *w = &r->waiters[i];
		char id[LABEL_BYTES];

		snprintf(id, sizeof(id), "0x%" PRIx64, w->map);
		put_counter(c, w->behind ? w->behind : "waiting", w->time_s, "waiting", w->waiting,
			    id);
	}
}

static void put_process(struct chrome *c)
{
	const struct ms_report_target *t = &c->report->target;
	const char *slash = t->exe ? strrchr(t->exe, '/') : NULL;

	put_metadata(c, "process_name", c->pid,
		     slash && slash[1] ? slash + 1
		     : t->exe          ? t->exe
				       : "?");
}

static void put_other(struct chrome *c)
{
	const struct ms_trace_report *r = c->report;
	struct ms_json *j = &c->j;

	ms_json_row(j);
	ms_json_put_string(j, "displayTimeUnit", "ms");
	ms_json_row(j);
	ms_json_key(j, "otherData");
	ms_json_open_object(j);
	ms_json_put_string(j, "tool", "mapscope " MS_VERSION);
	ms_json_put_string(j, "go_version", r->target.go_version);
	ms_json_put_string(j, "source", ms_trace_source_name(r->source));
	ms_json_put_u64(j, "began_unix_ns",
			r->began_unix_ns > 0 ? (uint64_t)r->began_unix_ns : MS_UNKNOWN);
	ms_json_put_u64(j, "counted", r->counted);
	ms_json_put_u64(j, "dropped", r->dropped);
	put_known_string(c, "no_probes_reason", r->no_probes_reason);
	put_known_string(c, "partial", r->partial ? r->partial_reason : NULL);
	ms_json_close_object(j);
}

static void put_events(struct chrome *c)
{
	ms_json_row(&c->j);
	ms_json_key(&c->j, "traceEvents");
	ms_json_open_array(&c->j);
	put_process(c);
	put_instants(c);
	for (size_t i = 0; i < c->report->event_count && !ms_sink_failed(c->j.sink); i++)
		put_evacuation(c, &c->report->events[i]);
	put_collections(c);
	put_counters(c);
	ms_json_close_array(&c->j);
}

struct ms_error *ms_render_trace_chrome(const struct ms_trace_report *report, struct ms_sink *sink)
{
	struct chrome c = { .report = report };
	struct ms_error *err = ms_json_open(&c.j, sink);

	if (err)
		return err;
	c.pid = report->target.pid == MS_UNKNOWN ? 1 : report->target.pid;
	ms_json_open_object(&c.j);
	put_other(&c);
	put_events(&c);
	if (c.no_memory)
		ms_sink_fail_no_memory(sink);
	ms_number_map_deinit(&c.named);
	ms_vec_free(&c.lanes);
	return ms_json_end(&c.j);
}
