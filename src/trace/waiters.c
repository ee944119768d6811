// waiters.c - about ten looks at who waits for a lock, and in the end one row for each lock that
// guards a map and each look at which somebody did, with a zero before and behind, so that a line
// can be drawn through them.
//
// A look takes longer the more goroutines there are: the next one is put off so far that all
// together take no more than a small share of the time.  Names are asked for as soon as a census is
// there, since what a walk needs has been read by then; what is still nameless is asked for at the
// end, when there is time, and a target that is gone by then leaves its locks nameless.
#include "trace/waiters.h"

#include "base/cleanup.h"
#include "base/vec.h"
#include "goroutines/waiters_of.h"

#include <math.h>

enum {
	LOOKS = 10,
	SHARE = 8,       // A look may take one part of so many of the time ...
	PUT_OFF_MAX = 4, // ... but is put off by so many turns at most.
	ROWS_MAX = 1 << 16,
	TRIES_MEANWHILE = 1,
	TRIES_MAX = 2,
};

static const double EVERY_S_MIN = 0.1;
static const double EVERY_S_ENDLESS = 1;
static const double NAME_MEANWHILE_S = 0.2;
static const double NAME_S_MAX = 5;
static const double NAME_SHARE = 0.25; // Of the window.

struct state {
	struct ms_waiters *waiters;
	double every_s, due;
};

static void waiters_destroy(void *state)
{
	struct state *s = state;

	ms_waiters_destroy(s->waiters);
	free(s);
}

static struct ms_error *waiters_start(struct ms_trace *trace, void **ret_state)
{
	const struct ms_trace_options *o = trace->options;
	struct state *s = calloc(1, sizeof(*s));
	struct ms_error *err;

	if (!s)
		return ms_error_no_memory();
	s->every_s = isinf(o->seconds) ? EVERY_S_ENDLESS : fmax(o->seconds / LOOKS, EVERY_S_MIN);
	s->due = trace->began + s->every_s / 2;
	err = ms_waiters_create(trace->rt, &s->waiters);
	if (err && ms_error_code(err) != MS_ERR_GONE && ms_error_code(err) != MS_ERR_NO_MEMORY) {
		ms_error_free(err); // A table of functions unlike any known: no waiters then.
		free(s);
		return NULL;
	}
	if (err)
		free(s);
	else
		*ret_state = s;
	return err;
}

static double waiters_due(const void *state)
{
	return ((const struct state *)state)->due;
}

/** What could not be read costs this look, and no more. */
static struct ms_error *forgive(struct ms_error *err)
{
	enum ms_error_code code = err ? ms_error_code(err) : MS_ERR_INTERNAL;

	if (code != MS_ERR_FAULT && code != MS_ERR_BAD_DATA && code != MS_ERR_LIMIT &&
	    code != MS_ERR_UNSUPPORTED)
		return err;
	ms_error_free(err);
	return NULL;
}

static struct ms_error *waiters_tick(struct ms_trace *trace, void *state)
{
	const struct ms_trace_options *o = trace->options;
	struct state *s = state;
	double began = o->now(o->context), took;
	struct ms_error *err = forgive(ms_waiters_look(s->waiters, began));

	took = o->now(o->context) - began;
	s->due = began + fmin(fmax(s->every_s, took * SHARE), s->every_s * PUT_OFF_MAX);
	if (!err && trace->census && ms_waiters_has_nameless(s->waiters, TRIES_MEANWHILE))
		err = forgive(ms_waiters_name(s->waiters, NAME_MEANWHILE_S));
	return err;
}

// --- Rows. ---

/** A lock that guards a map, and where one that waited for it stood. */
struct guard {
	const struct ms_waiters_lock *lock;
	const char *name; // The report's.
	uint32_t stack;
	struct ms_stack_call created_by;
};

static struct ms_error *guard_make(struct ms_trace *trace, const struct ms_waiters_lock *lock,
				   struct guard *ret_guard)
{
	struct guard g = { .lock = lock, .stack = MS_NO_STACK };
	struct ms_error *err = NULL;

	g.name = ms_arena_strndup(&trace->report->arena, lock->name, strlen(lock->name));
	if (!g.name)
		return ms_error_no_memory();
	if (lock->pc_count)
		err = ms_stack_book_add(trace->book, lock->pcs, lock->pc_count,
					lock->pc_count == MS_WAITERS_PCS_MAX ? "longer" : NULL,
					&g.stack);
	if (!err && lock->created_at)
		err = ms_stack_book_call(
		    trace->book, (struct ms_stack_pc){ lock->created_at, true }, &g.created_by);
	*ret_guard = g;
	return err;
}

static bool row_add(struct ms_trace *trace, const struct guard *guard, double at, uint64_t waiting,
		    double oldest_s)
{
	struct ms_trace_report *r = trace->report;
	struct {
		struct ms_waiter_sample *items;
		size_t count, capacity;
	} rows = { r->waiters, r->waiter_count, r->waiter_capacity };
	struct ms_waiter_sample row = { .time_s = at - trace->began,
					.map = guard->lock->map,
					.behind = guard->name,
					.waiting = waiting,
					.oldest_s = oldest_s,
					.stack = guard->stack,
					.created_by = guard->created_by };
	bool added;

	if (rows.count == ROWS_MAX)
		return true;
	added = ms_vec_push(&rows, row);
	r->waiters = rows.items;
	r->waiter_count = rows.count;
	r->waiter_capacity = rows.capacity;
	return added;
}

/** The looks at which somebody waited, and those beside them at which nobody did. */
static bool lock_write(struct ms_trace *trace, const struct state *s, const struct guard *guard)
{
	const struct ms_waiters_lock *lock = guard->lock;
	size_t looks, seen = 0;
	const double *at = ms_waiters_looks(s->waiters, &looks);

	for (size_t i = 0; i < looks; i++) {
		bool now = seen < lock->seen_count && lock->seen[seen].at <= at[i];
		bool before = seen > 0 && i > 0 && lock->seen[seen - 1].at >= at[i - 1];
		bool next =
		    seen < lock->seen_count && i + 1 < looks && lock->seen[seen].at <= at[i + 1];

		if (now) {
			if (!row_add(trace, guard, at[i], lock->seen[seen].waiting,
				     lock->seen[seen].oldest_s))
				return false;
			seen++;
		} else if ((before || next) && !row_add(trace, guard, at[i], 0, NAN)) {
			return false;
		}
	}
	return true;
}

static int by_time(const void *a, const void *b)
{
	const struct ms_waiter_sample *x = a, *y = b;

	if (x->time_s < y->time_s || x->time_s > y->time_s)
		return x->time_s < y->time_s ? -1 : 1;
	return x->map < y->map ? -1 : x->map > y->map;
}

static struct ms_error *waiters_end(struct ms_trace *trace, void *state)
{
	struct state *s = state;
	struct ms_error *err = NULL;
	const struct ms_waiters_lock *locks;
	size_t count;

	if (ms_waiters_has_nameless(s->waiters, TRIES_MAX))
		err = ms_waiters_name(s->waiters,
				      fmin(NAME_S_MAX, trace->options->seconds * NAME_SHARE));
	err = forgive(err);
	if (err && ms_error_code(err) != MS_ERR_GONE)
		return err;
	locks = ms_waiters_locks(s->waiters, &count);
	for (size_t i = 0; i < count; i++) {
		struct ms_error *failed = NULL;
		struct guard guard;

		if (!locks[i].map || !locks[i].name)
			continue;
		failed = guard_make(trace, &locks[i], &guard);
		if (!failed && !lock_write(trace, s, &guard))
			failed = ms_error_no_memory();
		if (failed) {
			ms_error_free(err);
			return failed;
		}
	}
	if (trace->report->waiter_count)
		qsort(trace->report->waiters, trace->report->waiter_count,
		      sizeof(*trace->report->waiters), by_time);
	return err;
}

const struct ms_trace_part ms_trace_waiters = {
	.name = "waiters",
	.start = waiters_start,
	.due = waiters_due,
	.tick = waiters_tick,
	.end = waiters_end,
	.destroy = waiters_destroy,
};
