// stacks.c - what goroutines that rest have on their stacks.
//
// Nothing says which type a word on a stack has; but a word that leads to a map of the census, or
// that is an interface, says so itself, and what else it leads to is looked through later.  The
// frame that a word lies in names the function that holds it.
#include "walk/walk_internal.h"

#include "base/cleanup.h"
#include "base/number_map.h"
#include "golang/unwind.h"

enum {
	WORD_BYTES = 8,
	STACK_BYTES_MAX = 1 << 20, // Of one goroutine.
	// Who asks for a few names alone is served by those that were made first: main, and what
	// it began with.  What all others share hangs on these.
	STACKS_FOR_WANTS = 4096,
	ASK_EVERY = 64, // Stacks, whether the walk is over: some tenths of a millisecond.
};

struct stacks {
	struct ms_walk *w;
	struct ms_unwinder *unwinder;
	uint8_t *bytes; // Room for those that the unwinder has not kept.
	size_t begun;
	struct ms_number_map label_of; // By function, that of its part of a stack.
};

/** Stacks are many, the functions on them few. */
static ms_label label_of(struct stacks *s, const struct ms_function *function)
{
	const uint32_t *known =
	    function ? ms_number_map_find(&s->label_of, (uintptr_t)function) : NULL;
	ms_label label = known ? *known : ms_walk_name_stack(s->w, function);

	if (function && !known)
		(void)ms_number_map_add(&s->label_of, (uintptr_t)function, label);
	return label; // What could not be remembered is made again.
}

/** Maps that lie in this part themselves are the frame's, whoever refers to them. */
static void place_maps(struct ms_walk *w, const struct ms_walk_item *item, uint64_t size)
{
	for (uint64_t at = 0; at < size; at += WORD_BYTES) {
		size_t row = ms_walk_row_of(w, item->address + at);

		if (row == SIZE_MAX)
			continue;
		w->found[row].label = item->label;
		w->found[row].root = 0;
		w->found[row].holders = 1;
	}
}

/** The stack in parts, each by the frame that has to answer for it. */
static void begin_frames(struct stacks *s, const struct ms_goroutine *g,
			 const struct ms_frames *frames, const uint8_t *bytes, uint64_t size)
{
	struct ms_walk *w = s->w;
	uint64_t done = 0;

	for (size_t i = 0; i <= frames->count && done < size; i++) {
		bool last = i == frames->count;
		uint64_t end = last ? size : frames->items[i].end - g->sp;
		struct ms_walk_item item = { .address = g->sp + done, .kind = MS_WALK_STACK };
		const struct ms_frame *owner;

		if (!last && (frames->items[i].end < g->sp || end <= done))
			continue;
		end = ms_min_u64(ms_round_up(end, WORD_BYTES), size);
		owner = last ? NULL : ms_unwind_owner(frames, frames->items[i].sp);
		item.label = label_of(s, owner ? owner->function : NULL);
		ms_walk_visit(w, &item, bytes + done, end - done);
		place_maps(w, &item, end - done);
		done = end;
	}
}

static struct ms_error *begin_stack(const struct ms_goroutine *g, const struct ms_frames *frames,
				    void *context)
{
	struct stacks *s = context;
	const uint8_t *bytes = ms_unwind_stack_bytes(s->unwinder, g);
	struct ms_error *err = NULL;
	uint64_t size;

	if ((s->w->wants_only || s->begun++ % ASK_EVERY == 0) && ms_walk_is_over(s->w))
		return ms_error_new(MS_ERR_LIMIT, "the walk is over");
	if (!ms_goroutine_rests(g) || g->sp < g->stack_lo || g->sp >= g->stack_hi || (g->sp & 7))
		return NULL;
	size = ms_min_u64(g->stack_hi - g->sp, STACK_BYTES_MAX);
	if (!bytes) {
		bytes = s->bytes;
		err = ms_target_read(s->w->rt->target, g->sp, s->bytes, (size_t)size);
	}
	if (err && ms_error_code(err) != MS_ERR_FAULT)
		return err;
	if (!err) {
		s->w->summary.roots++;
		begin_frames(s, g, frames, bytes, size);
	}
	ms_error_free(err);
	return s->w->queue.count > MS_WALK_QUEUE_LONG ? ms_walk_drain(s->w) : NULL;
}

struct ms_error *ms_walk_from_stacks(struct ms_walk *w)
{
	MS_AUTO_FREE uint8_t *bytes = malloc(STACK_BYTES_MAX);
	struct stacks s = { .w = w, .bytes = bytes };
	struct ms_goroutines all = { 0 };
	struct ms_error *err;

	if (!bytes)
		return ms_error_no_memory();
	err = ms_goroutines_load_some(w->rt, w->wants_only ? STACKS_FOR_WANTS : UINT64_MAX, &all);
	if (!err)
		err = ms_unwinder_create(w->rt, &s.unwinder);
	if (!err)
		err = ms_unwind_each(s.unwinder, &all, begin_stack, &s);
	ms_unwinder_destroy(s.unwinder);
	ms_number_map_deinit(&s.label_of);
	ms_goroutines_deinit(&all);
	if (err && ms_walk_can_do_without(err)) { // Or a table of functions unlike any known.
		ms_error_free(err);
		err = NULL;
		ms_walk_cut(w, "the stacks of goroutines could not be looked at to their end");
	}
	return err ? err : ms_walk_drain(w);
}
