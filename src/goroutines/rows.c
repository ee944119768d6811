// rows.c - states and wait reasons as the runtime prints them; threads and processors by number.
//
// What waits, waits for a reason that has a name in the target itself (golang/wait_reasons.h).  How
// long is said by the runtime's clock, which is the kernel's CLOCK_MONOTONIC.  It is noted by
// collections: one that meets a goroutine waiting for the first time writes down when the
// collection before it ended (runtime/mgcmark.go, work.tstart).  So a goroutine that none has met,
// or only the first, has waited for an unknown time, and any other up to one distance of
// collections less.
#include "goroutines/rows.h"

#include "base/cleanup.h"
#include "base/number_map.h"
#include "base/vec.h"
#include "golang/wait_reasons.h"
#include "goroutines/look_clock.h"
#include "target/fetch.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	NO_P = UINT32_MAX,
	MAIN_GOROUTINE = 1, // Made by the runtime's start, which no page of Go's shows.
};

struct thread {
	uint32_t tid, p;
};

struct ms_row_writer {
	struct ms_goroutines_run *run;
	struct ms_go_wait_reasons reasons;
	const char *unknown[UINT8_MAX + 1]; // "wait reason 77", made when it is met.
	struct ms_number_map thread_of;     // Address of an m to an index in threads.
	struct {
		struct thread *items;
		size_t count, capacity;
	} threads;
	double now;
	struct ms_stack_pc pcs[MS_FRAMES_MAX];
};

// --- Threads. ---

/** A batch of equal reads at an offset of each address; 0 is not read. */
static struct ms_error *words_read(struct ms_target *target, const ms_addr *addresses, size_t count,
				   uint32_t offset, uint64_t *ret_words)
{
	struct ms_fetch fetch = { 0 };
	uint32_t *index = calloc(count + 1, sizeof(*index));
	struct ms_error *err = index ? NULL : ms_error_no_memory();

	for (size_t i = 0; i < count && !err; i++) {
		if (addresses[i])
			err = ms_fetch_add(&fetch, addresses[i] + offset, 8, &index[i]);
	}
	if (!err)
		err = ms_fetch_run(&fetch, target);
	for (size_t i = 0; i < count && !err; i++) {
		const uint8_t *bytes = addresses[i] ? ms_fetch_bytes(&fetch, index[i]) : NULL;

		ret_words[i] = bytes ? ms_load_u64(bytes) : MS_UNKNOWN;
	}
	ms_fetch_deinit(&fetch);
	free(index);
	return err;
}

/** Put the threads of @p ms behind those that are known. */
static struct ms_error *threads_read(struct ms_row_writer *w, const ms_addr *ms, size_t count)
{
	const struct ms_go_layout *l = w->run->rt->layout;
	struct ms_target *target = w->run->rt->target;
	MS_AUTO_FREE uint64_t *tids = calloc(count + 1, sizeof(*tids));
	MS_AUTO_FREE uint64_t *ps = calloc(count + 1, sizeof(*ps));
	MS_AUTO_FREE uint64_t *ids = calloc(count + 1, sizeof(*ids));
	struct ms_error *err;

	if (!tids || !ps || !ids)
		return ms_error_no_memory();
	err = words_read(target, ms, count, l->m_procid, tids);
	if (!err)
		err = words_read(target, ms, count, l->m_p, ps);
	for (size_t i = 0; i < count && !err; i++)
		ps[i] = ps[i] == MS_UNKNOWN ? 0 : ps[i];
	if (!err)
		err = words_read(target, ps, count, l->p_id, ids);
	for (size_t i = 0; i < count && !err; i++) {
		bool has_p = ps[i] && ids[i] != MS_UNKNOWN;

		if (!ms_vec_push(&w->threads,
				 { .tid = tids[i] <= INT32_MAX ? (uint32_t)tids[i] : 0,
				   .p = has_p ? (uint32_t)ids[i] : NO_P }) || // An int32.
		    !ms_number_map_add(&w->thread_of, ms[i], (uint32_t)w->threads.count - 1))
			return ms_error_no_memory();
	}
	return err;
}

static int by_address(const void *a, const void *b)
{
	const ms_addr *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/** The threads that goroutines have now, at once. */
static struct ms_error *threads_load(struct ms_row_writer *w)
{
	const struct ms_goroutines *all = &w->run->goroutines;
	MS_AUTO_FREE ms_addr *ms = calloc(all->count + 1, sizeof(*ms));
	size_t count = 0, kept = 0;

	if (!ms)
		return ms_error_no_memory();
	for (size_t i = 0; i < all->count; i++) {
		if (all->items[i].m && !(all->items[i].m & 7))
			ms[count++] = all->items[i].m;
	}
	qsort(ms, count, sizeof(*ms), by_address);
	for (size_t i = 0; i < count; i++) {
		if (!kept || ms[kept - 1] != ms[i])
			ms[kept++] = ms[i];
	}
	return kept ? threads_read(w, ms, kept) : NULL;
}

/** The thread of @p g, which may have got it since. */
static struct ms_error *thread_find(struct ms_row_writer *w, const struct ms_goroutine *g,
				    struct thread *ret_thread)
{
	const uint32_t *known;
	struct ms_error *err = NULL;

	*ret_thread = (struct thread){ .p = NO_P };
	if (!g->m || (g->m & 7))
		return NULL;
	if (!ms_number_map_find(&w->thread_of, g->m))
		err = threads_read(w, &g->m, 1);
	known = ms_number_map_find(&w->thread_of, g->m);
	if (!err && known)
		*ret_thread = w->threads.items[*known];
	return err;
}

struct ms_error *ms_row_writer_create(struct ms_goroutines_run *run,
				      struct ms_row_writer **ret_writer)
{
	struct ms_row_writer *w = calloc(1, sizeof(*w));
	struct ms_error *err;

	if (!w)
		return ms_error_no_memory();
	w->run = run;
	w->now = ms_look_clock(run);
	err = ms_go_wait_reasons_find(run->rt, &run->report->arena, &w->reasons);
	if (err && ms_error_code(err) == MS_ERR_BAD_DATA) {
		ms_error_free(err);
		err = NULL; // Numbers are shown in place of names.
	}
	if (!err)
		err = threads_load(w);
	if (err)
		ms_row_writer_destroy(w);
	else
		*ret_writer = w;
	return err;
}

void ms_row_writer_destroy(struct ms_row_writer *w)
{
	if (!w)
		return;
	ms_number_map_deinit(&w->thread_of);
	ms_vec_free(&w->threads);
	free(w);
}

// --- Words. ---

static const char *state_name(const struct ms_goroutine *g)
{
	switch (g->status) {
	case MS_GO_IDLE:
		return "idle";
	case MS_GO_RUNNABLE:
		return "runnable";
	case MS_GO_RUNNING:
		return "running";
	case MS_GO_SYSCALL:
		return "syscall";
	case MS_GO_WAITING:
		return "waiting";
	case MS_GO_COPYSTACK:
		return "copystack";
	case MS_GO_PREEMPTED:
		return "preempted";
	case MS_GO_LEAKED:
		return "leaked";
	default:
		return "unknown";
	}
}

/** Of a goroutine that waits; NULL of any other.  *ret_failed where memory is short. */
static const char *reason_name(struct ms_row_writer *w, const struct ms_goroutine *g,
			       bool *ret_failed)
{
	uint8_t number = (uint8_t)g->wait_reason;

	if (g->status != MS_GO_WAITING && g->status != MS_GO_LEAKED)
		return NULL;
	if (number < w->reasons.count)
		return number ? w->reasons.names[number] : NULL;
	if (!w->unknown[number]) {
		w->unknown[number] =
		    ms_arena_printf(&w->run->report->arena, "wait reason %u", (unsigned)number);
		*ret_failed = !w->unknown[number];
	}
	return w->unknown[number];
}

static double waited_s(const struct ms_row_writer *w, const struct ms_goroutine *g)
{
	double waited = w->now - (double)g->wait_since / 1e9;

	if ((g->status != MS_GO_WAITING && g->status != MS_GO_SYSCALL) || !g->wait_since)
		return NAN;
	return waited >= 0 ? waited : NAN;
}

/** As runtime.isSystemGoroutine says it (runtime/traceback.go). */
static bool is_system(const struct ms_row_writer *w, const struct ms_goroutine *g,
		      const struct ms_frames *frames)
{
	static const char *const users[] = { "runtime.main", "runtime.corostart",
					     "runtime.handleAsyncEvent" };
	static const char *const callers[] = { "runtime.runfinq", "runtime.runFinalizers",
					       "runtime.runCleanups" };
	const struct ms_function *f = ms_functions_find(w->run->functions, g->start_pc);

	if (!f || strncmp(f->name, "runtime.", 8) != 0)
		return false;
	for (size_t i = 0; i < MS_ARRAY_SIZE(users); i++) {
		if (!strcmp(f->name, users[i]))
			return false;
	}
	for (size_t i = 0; i < MS_ARRAY_SIZE(callers); i++) {
		if (strcmp(f->name, callers[i]) != 0)
			continue;
		for (size_t k = 0; k < frames->count; k++) { // Is it calling into the program?
			if (!(frames->items[k].function->flags & MS_FUNCTION_RUNTIME))
				return false;
		}
	}
	return true;
}

static struct ms_error *stack_write(struct ms_row_writer *w, const struct ms_frames *frames,
				    struct ms_goroutine_row *row)
{
	const char *cut = frames->ended == MS_UNWIND_TOP ? NULL : ms_unwind_end_text(frames->ended);

	row->stack = MS_NO_STACK;
	if (!frames->count)
		return NULL;
	for (size_t i = 0; i < frames->count; i++)
		w->pcs[i] = (struct ms_stack_pc){ frames->items[i].pc, frames->items[i].is_return };
	row->stack_source = MS_STACK_UNWOUND;
	return ms_stack_book_add(w->run->book, w->pcs, frames->count, cut, &row->stack);
}

static void count_end(struct ms_goroutines_report *report, const struct ms_frames *frames)
{
	report->moved += frames->ended == MS_UNWIND_MOVED;
	report->frame_pointer_agrees += frames->pointer_agrees;
	report->frame_pointer_differs += frames->pointer_differs;
	if (!frames->count)
		return;
	report->unwound += frames->ended == MS_UNWIND_TOP;
	report->cut += frames->ended != MS_UNWIND_TOP;
}

struct ms_error *ms_row_write(struct ms_row_writer *w, const struct ms_goroutine *g,
			      const struct ms_frames *frames, struct ms_goroutine_row *row)
{
	bool failed = false;
	struct thread thread;
	struct ms_error *err;

	*row = (struct ms_goroutine_row){ .stack = MS_NO_STACK, .place = MS_NO_PLACE };
	if (g->status == MS_GO_DEAD)
		return NULL;
	row->id = g->id;
	row->address = g->address;
	row->state = state_name(g);
	row->wait_reason = reason_name(w, g, &failed);
	row->waited_s = waited_s(w, g);
	row->parent = g->parent;
	row->is_system = is_system(w, g, frames);
	err = failed ? ms_error_no_memory() : thread_find(w, g, &thread);
	if (err)
		return err;
	row->thread = thread.tid;
	row->p = g->status == MS_GO_RUNNING ? thread.p : NO_P;
	err = stack_write(w, frames, row);
	if (!err && g->created_at && g->id != MAIN_GOROUTINE)
		err = ms_stack_book_call(w->run->book, (struct ms_stack_pc){ g->created_at, true },
					 &row->created_by);
	count_end(w->run->report, frames);
	return err;
}

// --- The end. ---

static int by_id(const void *a, const void *b)
{
	const struct ms_goroutine_row *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

void ms_rows_finish(struct ms_goroutines_report *report)
{
	bool sorted = true;
	size_t kept = 0;

	for (size_t i = 0; i < report->row_count; i++) {
		if (!report->rows[i].id)
			continue;
		sorted &= !kept || report->rows[kept - 1].id < report->rows[i].id;
		report->rows[kept++] = report->rows[i];
	}
	report->dead += report->row_count - kept;
	report->row_count = report->seen = kept;
	if (!sorted)
		qsort(report->rows, kept, sizeof(*report->rows), by_id);
	report->sampled = report->without_stack = 0;
	for (size_t i = 0; i < kept; i++) {
		report->sampled += report->rows[i].stack_source == MS_STACK_SAMPLED;
		report->without_stack += report->rows[i].stack == MS_NO_STACK;
	}
}
