// gc_watch.c - a look at the collector's own figures each hundredth of a second, one batched read
// of some 400 bytes; no probe is placed for it.
//
// However seldom we look, no cycle is missed: the runtime numbers them, and keeps the pauses and
// the ends of the last 256.  What else it keeps (golang/collections.h: exact times of the phases,
// sizes of the heap) is of the last cycle only, so of several that ended between two looks all but
// the last have a number, an end and a pause, and nothing else.  After that happened we look five
// times as often for a while.  A program that has allocated nothing for a while is looked at less
// often, until it does: its heap is where it was, and 100 looks a second are most of what a quiet
// trace costs.
//
// All times of the runtime are CLOCK_MONOTONIC, but ends in the ring are wall time: the last cycle
// has its end in both, which says how far they are apart.
#include "trace/gc_watch.h"

#include "base/cleanup.h"
#include "base/saturate.h"
#include "base/vec.h"
#include "golang/spans.h"
#include "golang/start_time.h"
#include "trace/gc_blame.h"
#include "trace/gc_line.h"

#include <math.h>
#include <time.h>

enum {
	CYCLES_MAX = 65536, // Rows kept; more are only counted.
	SAMPLES_MAX = 262144,
	ENDED_AT_ONCE_MAX = 1 << 20, // More between two looks is no count of collections.
};

static const double LOOK_EVERY_S = 0.01;
static const double LOOK_OFTEN_S = 0.002;
static const double LOOK_SELDOM_S = 0.05; // Of a heap that has stood still ...
static const double STILL_FOR_S = 0.5;    // ... for so long.
static const double CALM_DOWN = 0.02;     // Of the way back to LOOK_EVERY_S, with each look.
static const double REGIONS_EVERY_S = 1;

struct gc_watch {
	bool known; // Else nothing can be said of collections.
	struct ms_go_collections where;
	struct ms_go_collections_now last;
	struct ms_gc_notes notes; // Of report->cycles, same order.
	int64_t wall_ahead_ns;    // The wall clock's time less CLOCK_MONOTONIC's.
	int64_t began_ns;         // The program's; 0 unknown.
	bool is_open;             // The last row is the cycle that is under way.
	bool pauses_lost;
	uint64_t pause_ns;
	uint64_t writable_bytes;
	double due, every, sample_due, regions_due;
	double moved_at; // When the heap was last seen to have changed.
};

static double now_s(const struct ms_trace *trace)
{
	return trace->options->now(trace->options->context);
}

/** Trace time of a moment of the target's clock; NAN before the window. */
static double trace_time(const struct ms_trace *trace, int64_t ns)
{
	double at = (double)ns / 1e9 - trace->began;

	return at >= 0 ? at : NAN;
}

static int64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/** A memory limit's goal is judged by how much is mapped; look again now and then. */
static struct ms_error *writable_look(struct ms_trace *trace, struct gc_watch *w, double now)
{
	struct ms_error *err;

	if (!w->last.has_pacer || !w->last.pacer.has_memory_limit || now < w->regions_due)
		return NULL;
	w->regions_due = now + REGIONS_EVERY_S;
	err = ms_go_refresh(trace->rt);
	w->writable_bytes = err ? 0 : ms_regions_writable_bytes(&trace->rt->regions);
	return err;
}

static struct ms_error *sample_add(struct ms_trace *trace, const struct gc_watch *w)
{
	const struct ms_go_collections_now *now = &w->last;
	struct {
		struct ms_heap_sample *items;
		size_t count, capacity;
	} v = { trace->report->heap, trace->report->heap_count, trace->report->heap_capacity };
	bool pushed =
	    v.count == SAMPLES_MAX ||
	    ms_vec_push(&v, (struct ms_heap_sample){
				.time_s = ms_trace_time(trace),
				.live_bytes = now->pacer.heap_live_bytes,
				.goal_bytes = ms_go_pacer_goal(&now->pacer, w->writable_bytes),
				.is_marking = now->is_marking,
			    });

	trace->report->heap = v.items;
	trace->report->heap_count = v.count;
	trace->report->heap_capacity = v.capacity;
	return pushed ? NULL : ms_error_no_memory();
}

/** A new row, and what the look before it says of its start; *ret_row NULL when there are enough.
 */
static struct ms_error *row_add(struct ms_trace *trace, struct gc_watch *w, uint32_t number,
				struct ms_gc_cycle **ret_row)
{
	const struct ms_go_collections_now *before = &w->last;
	bool is_next = before->has_pacer && !before->is_marking && number == before->ended + 1;
	struct ms_gc_note note = { .trigger_least = MS_UNKNOWN, .idle_s = NAN };
	struct {
		struct ms_gc_cycle *items;
		size_t count, capacity;
	} v = { trace->report->cycles, trace->report->cycle_count, trace->report->cycle_capacity };
	bool pushed;

	*ret_row = NULL;
	if (v.count >= CYCLES_MAX)
		return NULL;
	if (is_next)
		note.trigger_least = ms_go_pacer_trigger_least(
		    &before->pacer, ms_go_pacer_goal(&before->pacer, w->writable_bytes));
	pushed =
	    ms_vec_push(&w->notes, note) && ms_vec_push(&v, (struct ms_gc_cycle){
								.number = number,
								.start_s = NAN,
								.end_s = NAN,
								.pause_sweep_s = NAN,
								.pause_mark_s = NAN,
								.pause_s = NAN,
								.assist_s = NAN,
								.background_s = NAN,
								.idle_s = NAN,
								.heap_start_bytes = MS_UNKNOWN,
								.heap_end_bytes = MS_UNKNOWN,
								.heap_marked_bytes = MS_UNKNOWN,
								.goal_bytes = MS_UNKNOWN,
								.stack_scan_bytes = MS_UNKNOWN,
								.globals_scan_bytes = MS_UNKNOWN,
							    });
	trace->report->cycles = v.items;
	trace->report->cycle_count = v.count;
	trace->report->cycle_capacity = v.capacity;
	if (!pushed)
		return ms_error_no_memory();
	*ret_row = &v.items[v.count - 1];
	return NULL;
}

/** CPU time that @p procs processors can have spent in the cycle; else it is not what it seems. */
static double cpu_s(const struct ms_go_cycle *c, int64_t ns)
{
	return ns >= 0 && ns <= (c->end_ns - c->start_ns) * c->procs ? (double)ns / 1e9 : NAN;
}

static void row_complete(const struct ms_trace *trace, const struct ms_go_collections_now *now,
			 struct ms_gc_cycle *row)
{
	const struct ms_go_cycle *c = &now->cycle;
	const struct ms_go_pacer *p = &now->pacer;

	row->start_s = trace_time(trace, c->start_ns);
	row->pause_sweep_s = (double)(c->mark_ns - c->start_ns) / 1e9;
	row->pause_mark_s = (double)(c->end_ns - c->mark_end_ns) / 1e9;
	row->assist_s = cpu_s(c, p->assist_ns);
	row->background_s = cpu_s(c, ms_add_i64(p->dedicated_ns, p->fractional_ns));
	row->idle_s = cpu_s(c, p->idle_ns);
	row->heap_start_bytes = c->heap_start_bytes;
	row->heap_end_bytes = c->heap_end_bytes;
	row->heap_marked_bytes = c->heap_marked_bytes;
	row->goal_bytes = p->last_goal_bytes;
	row->stack_scan_bytes = p->stack_scan_bytes;
	row->globals_scan_bytes = p->globals_scan_bytes;
	row->procs = c->procs;
}

static struct ms_error *line_add(struct ms_trace *trace, const struct gc_watch *w,
				 const struct ms_go_collections_now *now, struct ms_gc_cycle *row)
{
	int since = trace->rt->layout->since;
	bool has_stacks = !since || since >= MS_GO(1, 20); // Before, it printed another figure.
	const struct ms_gc_line line = {
		.number = (uint32_t)row->number,
		.began_ns = w->began_ns,
		.is_forced = row->is_forced,
		.is_forced_known = row->is_forced_known,
		.stacks_bytes = has_stacks ? row->stack_scan_bytes : MS_UNKNOWN,
		.look = now,
	};

	if (!trace->options->gctrace)
		return NULL;
	row->gctrace = ms_gc_line(&trace->report->arena, &line);
	return row->gctrace ? NULL : ms_error_no_memory();
}

/** The row of the cycle @p number that has ended. */
static struct ms_error *ended_add(struct ms_trace *trace, struct gc_watch *w,
				  const struct ms_go_collections_now *now, uint32_t number,
				  const struct ms_go_pause *pause)
{
	uint32_t ended = now->ended - w->last.ended, forced = now->forced - w->last.forced;
	bool is_last = number == now->ended && now->has_cycle;
	struct ms_gc_cycle *row = NULL;
	struct ms_error *err = NULL;

	if (w->is_open)
		row = &trace->report->cycles[trace->report->cycle_count - 1];
	else
		err = row_add(trace, w, number, &row);
	w->is_open = false;
	if (err || !row)
		return err;
	row->end_s = trace_time(trace, ms_sub_i64((int64_t)pause->end_unix_ns, w->wall_ahead_ns));
	if (row->start_s > row->end_s) // Of the cycle behind it: it began while we looked.
		row->start_s = NAN;
	row->pause_s = (double)pause->pause_ns / 1e9;
	row->is_forced = forced == ended;
	row->is_forced_known = now->has_cycle && now->forced_known && w->last.forced_known &&
			       (!forced || row->is_forced);
	if (is_last)
		row_complete(trace, now, row);
	if (is_last && w->last.ended + 1 == number && w->notes.count)
		w->notes.items[w->notes.count - 1].idle_s =
		    w->last.last_end_ns
			? (double)ms_sub_i64(now->cycle.start_ns, w->last.last_end_ns) / 1e9
			: 0;
	return line_add(trace, w, is_last ? now : NULL, row);
}

/** Rows for the cycles that ended since the last look. */
static struct ms_error *ended_take(struct ms_trace *trace, struct gc_watch *w,
				   const struct ms_go_collections_now *now)
{
	MS_AUTO_FREE struct ms_go_pause *pauses = calloc(MS_GO_PAUSES, sizeof(*pauses));
	uint32_t ended = now->ended - w->last.ended;
	uint32_t kept = ended < MS_GO_PAUSES ? ended : MS_GO_PAUSES;
	struct ms_error *err;

	if (!pauses)
		return ms_error_no_memory();
	err = ms_go_collections_pauses(&w->where, now->ended, kept, pauses);
	if (!err && now->has_cycle)
		w->wall_ahead_ns =
		    ms_sub_i64((int64_t)pauses[kept - 1].end_unix_ns, now->cycle.end_ns);
	w->pauses_lost |= kept < ended;
	for (uint32_t i = 0; i < kept && !err; i++) {
		w->pause_ns += pauses[i].pause_ns;
		err = ended_add(trace, w, now, now->ended - kept + 1 + i, &pauses[i]);
	}
	if (err)
		return err;
	trace->report->gc_cycles += ended;
	trace->report->gc_pause_s = w->pauses_lost ? NAN : (double)w->pause_ns / 1e9;
	return NULL;
}

/** A row for the cycle that is under way. */
static struct ms_error *open_add(struct ms_trace *trace, struct gc_watch *w,
				 const struct ms_go_collections_now *now)
{
	struct ms_gc_cycle *row;
	struct ms_error *err = row_add(trace, w, now->ended + 1, &row);

	w->is_open = row != NULL;
	if (row)
		row->start_s = trace_time(trace, now->pacer.mark_start_ns);
	return err;
}

static struct ms_error *lost(struct ms_trace *trace, struct gc_watch *w, struct ms_error *err)
{
	if (!ms_error_is_unreadable(err))
		return err;
	w->known = false;
	w->due = INFINITY;
	trace->report->gc_pause_s = NAN;
	trace->report->gc_unknown = ms_arena_strndup(&trace->report->arena, ms_error_message(err),
						     strlen(ms_error_message(err)));
	ms_error_free(err);
	return trace->report->gc_unknown ? NULL : ms_error_no_memory();
}

static struct ms_error *look(struct ms_trace *trace, struct gc_watch *w)
{
	struct ms_go_collections_now now;
	struct ms_error *err = ms_go_collections_read(&w->where, &now);
	uint32_t ended = err ? 0 : now.ended - w->last.ended;

	if (!err && ended > ENDED_AT_ONCE_MAX)
		err = ms_error_new(MS_ERR_BAD_DATA, "the count of collections went from %u to %u",
				   w->last.ended, now.ended);
	if (!err && ended)
		err = ended_take(trace, w, &now);
	if (!err && now.is_marking && !w->is_open)
		err = open_add(trace, w, &now);
	if (err)
		return err;
	if (ended || now.is_marking || !now.has_pacer ||
	    now.pacer.heap_live_bytes != w->last.pacer.heap_live_bytes)
		w->moved_at = now_s(trace);
	w->last = now;
	if (ended > 1)
		w->every = LOOK_OFTEN_S;
	else
		w->every += (LOOK_EVERY_S - w->every) * CALM_DOWN;
	return NULL;
}

static struct ms_error *in_use_bytes(const struct ms_trace *trace, uint64_t *ret_bytes)
{
	struct ms_spans spans;
	struct ms_error *err;

	if (trace->census && trace->census->heap_bytes != MS_UNKNOWN) {
		*ret_bytes = trace->census->heap_bytes;
		return NULL;
	}
	err = ms_spans_load(trace->rt, &spans);
	if (err)
		return err;
	*ret_bytes = spans.in_use_bytes;
	ms_spans_deinit(&spans);
	return NULL;
}

/** When the program began is only for the lines; without it they have a "?". */
static struct ms_error *began_find(const struct ms_trace *trace, struct gc_watch *w)
{
	struct ms_error *err =
	    trace->options->gctrace ? ms_go_start_time(trace->rt, &w->began_ns) : NULL;

	if (err && (ms_error_code(err) == MS_ERR_GONE || ms_error_code(err) == MS_ERR_NO_MEMORY))
		return err;
	ms_error_free(err);
	return NULL;
}

static struct ms_error *find(struct ms_trace *trace, struct gc_watch *w)
{
	uint64_t bytes;
	struct ms_error *err = in_use_bytes(trace, &bytes);

	if (!err)
		err = ms_go_collections_find(trace->rt, bytes, &w->where);
	if (!err)
		err = ms_go_collections_read(&w->where, &w->last);
	return err ? err : began_find(trace, w);
}

static struct ms_error *start(struct ms_trace *trace, void **ret_state)
{
	struct gc_watch *w = calloc(1, sizeof(*w));
	struct ms_error *err;

	if (!w)
		return ms_error_no_memory();
	*ret_state = w;
	w->every = LOOK_EVERY_S;
	w->due = w->sample_due = w->regions_due = w->moved_at = now_s(trace);
	w->wall_ahead_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
	err = find(trace, w);
	w->known = !err; // Also when the process is gone: the end must not look for it.
	if (err)
		return lost(trace, w, err);
	trace->report->gc_pause_s = 0;
	return NULL;
}

static double due(const void *state)
{
	return ((const struct gc_watch *)state)->due;
}

static struct ms_error *tick(struct ms_trace *trace, void *state)
{
	struct gc_watch *w = state;
	double now = now_s(trace);
	struct ms_error *err = look(trace, w);

	if (!err)
		err = writable_look(trace, w, now);
	if (!err && w->last.has_pacer && now >= w->sample_due) {
		err = sample_add(trace, w);
		w->sample_due = now + LOOK_EVERY_S * 0.95; // A look that is early counts.
	}
	if (err)
		return lost(trace, w, err);
	w->due = now + (now - w->moved_at >= STILL_FOR_S ? LOOK_SELDOM_S : w->every);
	return NULL;
}

static struct ms_error *end(struct ms_trace *trace, void *state)
{
	struct gc_watch *w = state;
	struct ms_error *err = w->known ? look(trace, w) : NULL;

	if (err)
		err = lost(trace, w, err);
	ms_gc_blame(trace->report, &w->notes);
	return err;
}

static void destroy(void *state)
{
	struct gc_watch *w = state;

	ms_vec_free(&w->notes);
	ms_go_collections_deinit(&w->where);
	free(w);
}

const struct ms_trace_part ms_trace_gc = {
	.name = "collections",
	.start = start,
	.due = due,
	.tick = tick,
	.end = end,
	.destroy = destroy,
};
