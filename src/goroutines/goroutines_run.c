// goroutines_run.c - the order of things; see goroutines_run.h.
//
//	passes start ── wait, passes tick ── list, stacks, passes see each ── passes end ── clusters
//
// Before all this the stacks are read once without passes. That report is thrown away when the wait
// is over; where the program is over first, it is what there is.
//
// Rows stand in the order of ids from the start, so that a pass may keep where its goroutine
// stands. One that ended between the list and its stack, or whose g was given to another goroutine,
// is put right when all passes have ended.
#include "goroutines/goroutines_run.h"

#include "base/cleanup.h"
#include "base/vec.h"
#include "goroutines/clusters.h"
#include "goroutines/holds_pass.h"
#include "goroutines/leaks.h"
#include "goroutines/look_clock.h"
#include "goroutines/places.h"
#include "goroutines/rows.h"
#include "goroutines/samples_pass.h"
#include "goroutines/scheduler_rows.h"

#include <math.h>
#include <stdlib.h>

static const double TICK_S = 0.05;

/** To add a pass: a file with its struct, and a row here.  Their order is the order of calls. */
static const struct ms_goroutines_pass *const passes[] = {
	&ms_leaks_pass, &ms_places_pass, &ms_samples_pass, &ms_holds_pass, &ms_scheduler_pass,
};

enum { PASSES = MS_ARRAY_SIZE(passes) };

struct looking {
	struct ms_goroutines_run run;
	struct ms_stack_book book;
	struct ms_row_writer *writer;
	void *states[PASSES];
	bool is_first;              // Stacks and nothing else: no pass is shown what is seen.
	size_t next;                // Row of the next goroutine.
	struct ms_goroutines again; // Whose stacks could not be read ...
	uint32_t *again_rows;       // ... and their rows.
	bool is_again;
};

static bool is_stopped(const struct ms_goroutines_options *o)
{
	return o->stop && o->stop(o->context);
}

static void set_partial(struct ms_goroutines_report *report, const char *reason)
{
	report->partial = true;
	if (!report->partial_reason)
		report->partial_reason = reason;
}

// --- The passes. ---

static struct ms_error *passes_start(struct looking *l)
{
	struct ms_error *err = NULL;

	for (size_t i = 0; i < PASSES && !err; i++) {
		if (passes[i]->start)
			err = passes[i]->start(&l->run, &l->states[i]);
	}
	return err;
}

static struct ms_error *passes_tick(struct looking *l)
{
	struct ms_error *err = NULL;

	for (size_t i = 0; i < PASSES && !err; i++) {
		if (passes[i]->tick)
			err = passes[i]->tick(&l->run, l->states[i]);
	}
	return err;
}

static struct ms_error *passes_end(struct looking *l)
{
	struct ms_error *err = NULL;

	if (!l->run.options->sched) // Rows have what else is needed: do not hold both.
		ms_goroutines_deinit(&l->run.goroutines);
	for (size_t i = 0; i < PASSES && !err; i++) {
		if (passes[i]->end)
			err = passes[i]->end(&l->run, l->states[i]);
	}
	return err;
}

static void passes_destroy(struct looking *l)
{
	for (size_t i = 0; i < PASSES; i++) {
		if (passes[i]->destroy)
			passes[i]->destroy(l->states[i]);
	}
}

// --- The looks. ---

static struct ms_error *wait(struct looking *l)
{
	const struct ms_goroutines_options *o = l->run.options;
	double until = o->now(o->context) + o->seconds;

	for (;;) {
		double now = o->now(o->context);
		struct ms_error *err;

		if (is_stopped(o)) {
			set_partial(l->run.report, "it was stopped before its time");
			return NULL;
		}
		err = ms_target_check(l->run.rt->target);
		if (!err)
			err = passes_tick(l);
		if (err || now >= until)
			return err;
		if (o->progress)
			o->progress(o->context, 1 - (until - now) / o->seconds,
				    "waiting for the second look");
		o->sleep_until(o->context, fmin(until, now + TICK_S));
	}
}

static int by_id(const void *a, const void *b)
{
	const struct ms_goroutine *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static struct ms_error *put_off(struct looking *l, const struct ms_goroutine *g, uint32_t row)
{
	l->again_rows[l->again.count] = row;
	return ms_vec_push(&l->again, *g) ? NULL : ms_error_no_memory();
}

static struct ms_error *show(struct looking *l, const struct ms_goroutine *g,
			     const struct ms_frames *frames, struct ms_goroutine_row *row)
{
	struct ms_error *err = ms_row_write(l->writer, g, frames, row);

	for (size_t i = 0; i < PASSES && !err && !l->is_first && g->status != MS_GO_DEAD; i++) {
		if (passes[i]->goroutine)
			err = passes[i]->goroutine(&l->run, l->states[i], g, frames, row);
	}
	return err;
}

static struct ms_error *take(const struct ms_goroutine *g, const struct ms_frames *frames,
			     void *context)
{
	struct looking *l = context;
	uint32_t row = (uint32_t)l->next++;

	if (l->is_again)
		row = l->again_rows[row];
	else if (frames->ended == MS_UNWIND_UNREADABLE)
		return put_off(l, g, row);
	return show(l, g, frames, &l->run.report->rows[row]);
}

/** Read again with fresh mappings what lies where none was: the heap may have grown. */
static struct ms_error *look_again(struct looking *l)
{
	struct ms_error *err = l->again.count ? ms_go_refresh(l->run.rt) : NULL;

	l->is_again = true;
	l->next = 0;
	return err ? err : ms_unwind_each(l->run.unwinder, &l->again, take, l);
}

static struct ms_error *list(struct looking *l)
{
	struct ms_error *err = ms_go_refresh(l->run.rt); // New stacks lie in new mappings.

	return err ? err : ms_goroutines_load(l->run.rt, &l->run.goroutines);
}

static struct ms_error *look(struct looking *l)
{
	struct ms_goroutines *all = &l->run.goroutines;
	struct ms_goroutines_report *report = l->run.report;
	struct ms_error *err;

	if (all->count)
		qsort(all->items, all->count, sizeof(*all->items), by_id);
	report->rows = calloc(all->count + 1, sizeof(*report->rows));
	l->again_rows = calloc(all->count + 1, sizeof(*l->again_rows));
	if (!report->rows || !l->again_rows)
		return ms_error_no_memory();
	report->row_capacity = all->count + 1;
	report->row_count = all->count; // A row that is not reached is none.
	report->dead = all->dead;
	report->unread = all->unreadable;
	err = ms_row_writer_create(&l->run, &l->writer);
	if (!err)
		err = ms_unwind_each(l->run.unwinder, all, take, l);
	return err ? err : look_again(l);
}

static struct ms_error *looking_open(struct looking *l, struct ms_go_runtime *rt,
				     const struct ms_goroutines_options *options,
				     struct ms_goroutines_report *report)
{
	struct ms_error *err;

	report->apart_s = report->cost.gc_age_s = NAN;
	report->cost.gc_cycle = MS_UNKNOWN; // Nothing here is as of a collection.
	report->no_samples = "no samples were taken";
	l->run = (struct ms_goroutines_run){
		.rt = rt,
		.options = options,
		.report = report,
		.book = &l->book,
		.began = options->now(options->context),
	};
	err = ms_go_functions(rt, &l->run.functions);
	if (!err)
		err = ms_unwinder_create(rt, &l->run.unwinder);
	if (!err)
		err = ms_look_clock_find(rt, &l->run.last_s);
	ms_stack_book_init(&l->book, l->run.functions, &report->arena, &report->stacks);
	return err;
}

static void looking_close(struct looking *l)
{
	if (!l->is_first)
		passes_destroy(l);
	ms_row_writer_destroy(l->writer);
	ms_unwinder_destroy(l->run.unwinder);
	ms_goroutines_deinit(&l->run.goroutines);
	ms_goroutines_deinit(&l->again);
	free(l->again_rows);
	ms_stack_book_deinit(&l->book);
}

/** What there is to show if the target ends in the window. */
static struct ms_error *look_first(const struct ms_goroutines_run *run,
				   struct ms_goroutines_report *ret_report)
{
	MS_AUTO_FREE struct looking *l = calloc(1, sizeof(*l));
	struct ms_error *err;

	if (!l)
		return ms_error_no_memory();
	l->is_first = true;
	err = looking_open(l, run->rt, run->options, ret_report);
	if (!err)
		err = list(l);
	if (!err)
		err = look(l);
	ms_rows_finish(ret_report);
	if (!err)
		err = ms_clusters_make(ret_report);
	ret_report->no_samples = "it ended before any were read";
	looking_close(l);
	return err;
}

static struct ms_error *look_twice(struct looking *l)
{
	struct ms_goroutines_report first = { 0 };
	struct ms_error *err = look_first(&l->run, &first);

	if (!err)
		err = passes_start(l);
	if (!err)
		err = wait(l);
	if (!err)
		err = list(l);
	if (err && ms_error_code(err) == MS_ERR_GONE && first.cluster_count) {
		ms_error_free(err);
		ms_goroutines_report_deinit(l->run.report);
		*l->run.report = first;
		set_partial(l->run.report,
			    "it ended before the second look, this is what the first one saw");
		return NULL;
	}
	ms_goroutines_report_deinit(&first);
	if (!err)
		err = look(l);
	return err ? err : passes_end(l);
}

static struct ms_error *look_once(struct looking *l)
{
	struct ms_error *err = passes_start(l);

	if (!err)
		err = list(l);
	if (!err)
		err = look(l);
	return err ? err : passes_end(l);
}

static struct ms_error *look_all(struct looking *l)
{
	struct ms_error *err = l->run.options->seconds > 0 ? look_twice(l) : look_once(l);

	if (l->run.report->cluster_count) // Those of the first look.
		return err;
	ms_rows_finish(l->run.report);
	if (err && ms_error_code(err) == MS_ERR_GONE && l->run.report->row_count) {
		set_partial(l->run.report, "it ended while it was looked at");
		ms_error_free(err);
		err = NULL;
	}
	return err ? err : ms_clusters_make(l->run.report);
}

struct ms_error *ms_goroutines_run(struct ms_go_runtime *rt,
				   const struct ms_goroutines_options *options,
				   struct ms_goroutines_report *ret_report)
{
	MS_AUTO_FREE struct looking *l = calloc(1, sizeof(*l));
	MS_AUTO_FREE struct ms_goroutines_report *report = calloc(1, sizeof(*report));
	struct ms_error *err;

	if (!l || !report)
		return ms_error_no_memory();
	err = looking_open(l, rt, options, report);
	if (!err)
		err = look_all(l);
	report->cost.read_bytes = rt->target->cost.read_bytes;
	looking_close(l);
	if (err)
		ms_goroutines_report_deinit(report);
	else
		*ret_report = *report;
	return err;
}
