// migrations.c - evacuations followed bucket by bucket, for who wants to see them.
//
// The polls say which classic maps are being emptied and how far the frontier is; buckets beyond it
// are emptied as writes come to them, and only their tags tell.  So the old array is read in passes
// (old_array.c), each in steps within a tenth of one core.  It stays what it is for as long as a
// map that is alive names it, and on until a collection has marked without it: what was read is
// believed only if no sweep began since the map was last known to be alive.  So the last buckets
// can be read after the growth has ended, too; and a map that nobody writes to waits for the next
// census.
//
// Where the size of a bucket is not known, or the array is too large, the frontier is all there is.
#include "trace/migrations.h"

#include "base/vec.h"
#include "trace/old_array.h"

#include <math.h>
#include <time.h>

enum {
	ROWS_MAX = 1 << 17,
	EMPTYING_MAX = 64, // At one time.
	STEP_BYTES = 8 << 20,
};

static const double TICK_S = 0.002, SHARE = 0.1, TOTALS_EVERY_S = 0.02;

struct emptying {
	ms_addr map, old_table;
	uint64_t seed, old_size, frontier;
	uint32_t sweepgen; // With which the map was last known to be alive.
	struct ms_old_array array;
	bool same_size, is_read;       // Into the array, not the header alone.
	bool has_ended, is_broken_off; // The map was cleared, or is another one.
	uint64_t told_moved;
	double told_s;
};

struct migrations {
	struct ms_trace *trace;
	struct {
		struct emptying *items;
		size_t count, capacity;
	} emptying;
	struct ms_old_array_look look;
	double next, refreshed;
	bool no_memory; // For a row.
};

// --- Rows. ---

static void row_add(struct migrations *g, const struct ms_migration *row)
{
	struct ms_trace_report *r = g->trace->report;
	struct ms_error *err;

	if (r->migration_count == ROWS_MAX) {
		r->migrations_dropped++;
		return;
	}
	err = ms_trace_add_migration(r, row);
	g->no_memory |= err != NULL;
	ms_error_free(err);
}

static void totals_add(struct migrations *g, struct emptying *e, uint64_t moved, bool at_least)
{
	const struct ms_migration row = {
		.time_s = ms_trace_time(g->trace),
		.map = e->map,
		.moved = moved,
		.of = e->old_size,
		.bucket = MS_UNKNOWN,
		.to_x = MS_UNKNOWN,
		.to_y = MS_UNKNOWN,
		.keys_x = MS_UNKNOWN,
		.keys_y = MS_UNKNOWN,
		.at_least = at_least,
	};

	if (moved <= e->told_moved && e->told_s > 0)
		return;
	e->told_moved = moved;
	e->told_s = row.time_s;
	row_add(g, &row);
}

struct telling {
	struct migrations *migrations;
	struct emptying *emptying;
};

static void bucket_tell(void *context, const struct ms_old_bucket *bucket)
{
	const struct telling *t = context;
	const struct emptying *e = t->emptying;
	const struct ms_migration row = {
		.time_s = ms_trace_time(t->migrations->trace),
		.map = e->map,
		.moved = e->array.told_count,
		.of = e->old_size,
		.bucket = bucket->index,
		.to_x = bucket->index,
		.to_y = e->same_size ? MS_UNKNOWN : bucket->index + e->old_size,
		.keys_x = bucket->keys_x,
		.keys_y = bucket->keys_y,
		.at_least = bucket->at_least,
	};

	row_add(t->migrations, &row);
}

// --- Which arrays. ---

static struct emptying *emptying_find(struct migrations *g, ms_addr map)
{
	for (size_t i = 0; i < g->emptying.count; i++) {
		struct emptying *e = &g->emptying.items[i];

		if (e->map == map && !e->has_ended)
			return e;
	}
	return NULL;
}

static struct ms_error *emptying_begin(struct migrations *g, const struct ms_followed_map *map,
				       const struct ms_poll *now)
{
	const struct emptying e = {
		.map = map->address,
		.old_table = now->old_table,
		.seed = now->seed,
		.old_size = now->old_size,
		.same_size = now->same_size,
	};

	if (g->emptying.count == EMPTYING_MAX) {
		g->trace->report->migrations_dropped += now->old_size;
		return NULL;
	}
	return ms_vec_push(&g->emptying, e) ? NULL : ms_error_no_memory();
}

/** Read into the array from now on, where its buckets are known and not too many. */
static struct ms_error *array_begin(struct emptying *e, const struct ms_followed_map *map)
{
	struct ms_error *err;

	if (e->is_read || !map->unit.bytes)
		return NULL;
	err = ms_old_array_init(&e->array, e->old_table, e->old_size, map->unit);
	e->is_read = !err;
	if (err && ms_error_code(err) != MS_ERR_LIMIT)
		return err;
	ms_error_free(err);
	return NULL;
}

/** Told of each look at a header. */
static struct ms_error *header_look(void *context, struct ms_followed_map *map,
				    const struct ms_followed_look *look)
{
	struct migrations *g = context;
	const struct ms_poll *now = look->now;
	struct emptying *e = emptying_find(g, map->address);
	struct ms_error *err = NULL;

	if (e && now->old_table != e->old_table) {
		e->has_ended = true;
		e->is_broken_off = now->seed != e->seed;
		e = NULL;
	}
	if (!e && now->growing) {
		err = emptying_begin(g, map, now);
		e = emptying_find(g, map->address);
	}
	if (err || !e)
		return err;
	e->frontier = now->frontier;
	e->sweepgen = map->alive_sweepgen;
	return array_begin(e, map);
}

// --- A turn. ---

/** Mappings made since the last time are not known to the target yet. */
static struct ms_error *refresh(struct migrations *g)
{
	double now = ms_trace_time(g->trace);

	if (now < g->refreshed + 1)
		return NULL;
	g->refreshed = now;
	return ms_go_refresh(g->trace->rt);
}

/** A step of the pass; *ret_whole when that ended it and all was read. */
static struct ms_error *array_step(struct migrations *g, struct emptying *e, bool *ret_whole)
{
	struct ms_target *t = g->trace->rt->target;
	struct telling telling = { g, e };
	uint32_t sweepgen = 0;
	bool end = false;
	struct ms_error *err = ms_old_array_read(&e->array, t, STEP_BYTES, e->sweepgen, &g->look);

	if (!err)
		err = ms_go_sweepgen(g->trace->rt, &sweepgen);
	if (err)
		return err;
	if (sweepgen != e->sweepgen)
		return NULL; // Read again behind the next look at the header, if it is still there.
	err = ms_old_array_take(&e->array, &g->look, bucket_tell, &telling, &end);
	*ret_whole = end && !g->look.is_partial;
	return !err && g->look.is_partial ? refresh(g) : err;
}

static struct ms_error *emptying_turn(struct migrations *g, struct emptying *e)
{
	bool due = ms_trace_time(g->trace) >= e->told_s + TOTALS_EVERY_S, whole = false;
	struct ms_error *err = NULL;

	if (e->is_read)
		err = array_step(g, e, &whole);
	if (!err && whole && due)
		totals_add(g, e, ms_max_u64(e->array.told_count, e->frontier), false);
	else if (!err && !e->is_read && due && !e->has_ended)
		totals_add(g, e, e->frontier, true);
	return err;
}

/** The last turn of an evacuation that ended: what is left of the array, and the last totals. */
static struct ms_error *emptying_end(struct migrations *g, struct emptying *e)
{
	struct ms_error *err = NULL;
	uint64_t before;

	do {
		bool whole = false;

		before = e->array.told_count;
		if (e->is_read)
			err = array_step(g, e, &whole);
	} while (!err && e->is_read && e->array.told_count > before &&
		 e->array.told_count < e->old_size);
	if (err)
		return err;
	if (!e->is_broken_off)
		totals_add(g, e, e->old_size, false);
	g->trace->report->migrations_dropped += e->old_size - e->array.told_count;
	return NULL;
}

static double cpu_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct ms_error *migrations_tick(struct ms_trace *t, void *state)
{
	struct migrations *g = state;
	double began = cpu_now();
	struct ms_error *err = NULL;
	size_t kept = 0;

	for (size_t i = 0; i < g->emptying.count; i++) {
		struct emptying *e = &g->emptying.items[i];

		if (!err)
			err = e->has_ended ? emptying_end(g, e) : emptying_turn(g, e);
		if (e->has_ended)
			ms_old_array_deinit(&e->array);
		else
			g->emptying.items[kept++] = *e;
	}
	g->emptying.count = kept;
	if (!err && g->no_memory)
		err = ms_error_no_memory();
	g->next = t->options->now(t->options->context) + fmax(TICK_S, (cpu_now() - began) / SHARE);
	return err;
}

static double migrations_due(const void *state)
{
	const struct migrations *g = state;

	return g->next;
}

static void migrations_destroy(void *state)
{
	struct migrations *g = state;

	if (g->trace->followed)
		g->trace->followed->also = NULL;
	for (size_t i = 0; i < g->emptying.count; i++)
		ms_old_array_deinit(&g->emptying.items[i].array);
	ms_vec_free(&g->emptying);
	ms_old_array_look_deinit(&g->look);
	free(g);
}

static struct ms_error *migrations_start(struct ms_trace *t, void **ret_state)
{
	struct migrations *g;

	if (!t->options->migrations)
		return NULL;
	if (t->rt->layout->maps == MS_GO_MAPS_SWISS) {
		t->report->migrations_unknown =
		    "maps of this Go release move a whole table within one write; no old array is "
		    "left behind";
		return NULL;
	}
	if (!t->followed)
		return NULL;
	g = calloc(1, sizeof(*g));
	if (!g)
		return ms_error_no_memory();
	g->trace = t;
	g->refreshed = -INFINITY;
	t->followed->also = header_look;
	t->followed->also_context = g;
	*ret_state = g;
	return NULL;
}

static struct ms_error *migrations_end(struct ms_trace *t, void *state)
{
	return migrations_tick(t, state);
}

const struct ms_trace_part ms_migrations = {
	.name = "migrations",
	.start = migrations_start,
	.due = migrations_due,
	.tick = migrations_tick,
	.end = migrations_end,
	.destroy = migrations_destroy,
};
