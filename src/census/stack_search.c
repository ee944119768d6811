// stack_search.c - candidates on goroutine stacks: maps that never escaped to the heap.
//
// Between its saved stack pointer and its top, a goroutine that is not running holds still.  A map
// there may be big: only its header is on the stack.  Every aligned position is held against the
// header's invariants; a map that was never written has nothing else to go by and is not looked
// for here.  A running goroutine's saved pointer is stale: those are tried again a few times, and
// counted when they never rested.
#include "census/engine.h"

#include "base/cleanup.h"
#include "base/vec.h"
#include "golang/goroutines.h"

enum {
	TRIES = 5,
	STACK_BYTES_MAX = 1 << 20, // Of one goroutine, from the stack pointer up.
	BATCH_BYTES = 16 << 20,
};

static bool may_be_header(const struct ms_engine *e, const uint8_t *raw)
{
	struct ms_classic_map classic;
	struct ms_swiss_map swiss;

	if (e->layout->maps == MS_GO_MAPS_SWISS) {
		enum ms_swiss_header kind = ms_swiss_parse(e->layout, raw, &swiss);

		return (kind == MS_SWISS_SMALL || kind == MS_SWISS_LARGE) && swiss.used;
	}
	return ms_classic_parse(e->layout, raw, &classic) == MS_CLASSIC_MAP && classic.count;
}

static struct ms_error *stack_scan(struct ms_engine *e, const struct ms_goroutine *g,
				   const uint8_t *bytes, uint32_t size)
{
	uint32_t need = ms_engine_header_bytes(e);

	for (uint32_t at = 0; at + need <= size; at += 8) {
		struct ms_candidate c = { .address = g->sp + at,
					  .stack_lo = g->stack_lo,
					  .stack_hi = g->stack_hi };

		if (!may_be_header(e, bytes + at))
			continue;
		memcpy(c.raw, bytes + at, need);
		if (!ms_vec_push(&e->queue, c))
			return ms_error_no_memory();
	}
	return NULL;
}

static uint32_t stack_bytes(const struct ms_goroutine *g)
{
	return (uint32_t)ms_min_u64(g->stack_hi - g->sp, STACK_BYTES_MAX);
}

/** Scan the stacks [first, last) that fit one batch. */
static struct ms_error *stacks_scan(struct ms_engine *e, const struct ms_goroutines *all,
				    size_t first, size_t last)
{
	struct ms_fetch fetch = { 0 };
	struct ms_error *err = NULL;
	uint32_t index = 0;

	for (size_t i = first; i < last && !err; i++)
		err = ms_fetch_add(&fetch, all->items[i].sp, stack_bytes(&all->items[i]), &index);
	if (!err)
		err = ms_fetch_run(&fetch, e->rt->target);
	for (size_t i = first; i < last && !err; i++) {
		const uint8_t *bytes = ms_fetch_bytes(&fetch, (uint32_t)(i - first));

		if (bytes)
			err = stack_scan(e, &all->items[i], bytes, stack_bytes(&all->items[i]));
		else
			e->skips[MS_REJECT_STACK]++;
	}
	ms_fetch_deinit(&fetch);
	return err ? err : ms_engine_judge(e);
}

static bool rests(const struct ms_goroutine *g)
{
	return (g->status != MS_GO_RUNNING || g->is_stopped) && g->status != MS_GO_COPYSTACK &&
	       g->sp >= g->stack_lo && g->sp < g->stack_hi && !(g->sp & 7);
}

/** Goroutines that rested at last are moved to the front of @p all. */
static struct ms_error *wait_for_rest(struct ms_engine *e, struct ms_goroutines *all,
				      size_t *ret_resting)
{
	size_t resting = 0;

	for (size_t i = 0; i < all->count; i++) {
		struct ms_goroutine g = all->items[i];
		bool failed = false;

		for (unsigned try = 0; try < TRIES && !rests(&g); try++) {
			struct ms_error *err = ms_goroutine_reread(e->rt, g.address, &g);

			if (err && ms_error_code(err) != MS_ERR_FAULT &&
			    ms_error_code(err) != MS_ERR_BAD_DATA)
				return err;
			failed = err != NULL;
			ms_error_free(err);
		}
		if (failed)
			e->skips[MS_REJECT_STACK]++;
		else if (rests(&g))
			all->items[resting++] = g;
		else if (g.status != MS_GO_DEAD)
			e->skips[MS_REJECT_RUNNING]++;
	}
	*ret_resting = resting;
	return NULL;
}

struct ms_error *ms_engine_search_stacks(struct ms_engine *e)
{
	struct ms_goroutines all;
	size_t resting = 0, first = 0;
	struct ms_error *err = ms_goroutines_load(e->rt, &all);

	if (err && (ms_error_code(err) == MS_ERR_FAULT || ms_error_code(err) == MS_ERR_BAD_DATA)) {
		ms_error_free(err);
		e->skips[MS_REJECT_STACK]++;
		return NULL;
	}
	if (err)
		return err;
	e->skips[MS_REJECT_STACK] += all.unreadable;
	err = wait_for_rest(e, &all, &resting);
	while (first < resting && !err && !ms_engine_stopped(e)) {
		uint64_t bytes = 0;
		size_t last = first;

		while (last < resting && bytes < BATCH_BYTES)
			bytes += stack_bytes(&all.items[last++]);
		err = stacks_scan(e, &all, first, last);
		first = last;
	}
	ms_goroutines_deinit(&all);
	return err;
}
