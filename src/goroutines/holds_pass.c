// holds_pass.c - words of stacks held against a few ranges of memory.
//
// A goroutine that waits far from any map may still be the one that keeps it: its frames have the
// map, or the struct that it is a field of.  Every word of a stack in use is looked at, also those
// that the function needs no more; it is called holding, not using.
#include "goroutines/holds_pass.h"

#include "base/cleanup.h"
#include "base/vec.h"

#include <stdlib.h>

enum {
	WORD_BYTES = 8,
	STACK_BYTES_MAX = 64 << 10, // Of one goroutine.
	OWN_READS_MAX = 8192,       // Of stacks that the unwinder has not kept.
	HOLDS_MAX = 1 << 20,
	MAPS_MAX = 8, // Of one goroutine.
};

struct holds {
	struct {
		struct ms_map_hold *items;
		size_t count, capacity;
	} found;
	ms_addr lo, hi; // Of all ranges.
	uint32_t own_reads;
	bool cut;
	uint8_t bytes[STACK_BYTES_MAX];
};

static void destroy(void *state)
{
	struct holds *s = state;

	if (!s)
		return;
	ms_vec_free(&s->found);
	free(s);
}

static struct ms_error *start(struct ms_goroutines_run *run, void **ret_state)
{
	const struct ms_goroutines_options *o = run->options;
	struct holds *s;

	if (!o->hold_count)
		return NULL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return ms_error_no_memory();
	s->lo = o->holds[0].start;
	s->hi = o->holds[o->hold_count - 1].end;
	*ret_state = s;
	return NULL;
}

/** The first range that @p word lies in, or NULL; others of the same memory follow it. */
static const struct ms_hold_range *range_of(const struct ms_goroutines_options *o, ms_addr word)
{
	size_t low = 0, high = o->hold_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (o->holds[middle].end <= word)
			low = middle + 1;
		else
			high = middle;
	}
	return low < o->hold_count && o->holds[low].start <= word ? &o->holds[low] : NULL;
}

/** The maps that one goroutine was seen to hold so far. */
struct held {
	ms_addr maps[MAPS_MAX];
	size_t count;
};

static bool is_known(const struct held *held, ms_addr map)
{
	for (size_t i = 0; i < held->count; i++) {
		if (held->maps[i] == map)
			return true;
	}
	return held->count == MAPS_MAX;
}

static struct ms_error *add(struct holds *s, struct held *held, ms_addr map, uint64_t goroutine)
{
	if (is_known(held, map))
		return NULL;
	held->maps[held->count++] = map;
	if (s->found.count == HOLDS_MAX) {
		s->cut = true;
		return NULL;
	}
	return ms_vec_push(&s->found, { map, goroutine }) ? NULL : ms_error_no_memory();
}

static struct ms_error *look(const struct ms_goroutines_options *o, struct holds *s,
			     const uint8_t *bytes, uint64_t size, uint64_t goroutine)
{
	const struct ms_hold_range *behind = o->holds + o->hold_count;
	struct held held = { .count = 0 };
	struct ms_error *err = NULL;

	for (uint64_t at = 0; at + WORD_BYTES <= size && !err; at += WORD_BYTES) {
		ms_addr word = ms_load_u64(bytes + at);
		const struct ms_hold_range *range;

		if (word < s->lo || word >= s->hi)
			continue;
		for (range = range_of(o, word);
		     range && range < behind && range->start <= word && !err; range++)
			err = add(s, &held, range->map, goroutine);
	}
	return err;
}

static struct ms_error *goroutine(struct ms_goroutines_run *run, void *state,
				  const struct ms_goroutine *g, const struct ms_frames *frames,
				  struct ms_goroutine_row *row)
{
	struct holds *s = state;
	const uint8_t *bytes;
	struct ms_error *err;
	uint64_t size;

	(void)row;
	if (!s || !frames->count || g->sp < g->stack_lo || g->sp >= g->stack_hi || (g->sp & 7))
		return NULL;
	size = ms_min_u64(g->stack_hi - g->sp, STACK_BYTES_MAX);
	bytes = ms_unwind_stack_bytes(run->unwinder, g);
	if (bytes)
		return look(run->options, s, bytes, size, g->id);
	if (s->own_reads++ >= OWN_READS_MAX) {
		s->cut = true;
		return NULL;
	}
	err = ms_target_read(run->rt->target, g->sp, s->bytes, (size_t)size);
	if (err && ms_error_code(err) == MS_ERR_FAULT) {
		ms_error_free(err);
		return NULL;
	}
	return err ? err : look(run->options, s, s->bytes, size, g->id);
}

static int by_map(const void *a, const void *b)
{
	const struct ms_map_hold *x = a, *y = b;

	if (x->map != y->map)
		return x->map < y->map ? -1 : 1;
	return x->goroutine < y->goroutine ? -1 : x->goroutine > y->goroutine;
}

static struct ms_error *end(struct ms_goroutines_run *run, void *state)
{
	struct holds *s = state;

	if (!s)
		return NULL;
	if (s->found.count)
		qsort(s->found.items, s->found.count, sizeof(*s->found.items), by_map);
	run->report->holds = s->found.items;
	run->report->hold_count = s->found.count;
	run->report->hold_capacity = s->found.capacity;
	run->report->holds_cut = s->cut;
	s->found.items = NULL;
	s->found.count = s->found.capacity = 0;
	return NULL;
}

const struct ms_goroutines_pass ms_holds_pass = {
	.name = "holds",
	.start = start,
	.goroutine = goroutine,
	.end = end,
	.destroy = destroy,
};
