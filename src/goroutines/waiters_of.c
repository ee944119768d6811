// waiters_of.c - a look in three steps, each smaller than the one before: heads of goroutines,
// those that wait for a lock by the runtime's own reason, their stacks and sudogs.
//
// Most programs have nobody waiting for a lock at most moments, and then a look is one batch of
// reads.  What a lock is called is asked once, and not while it is looked.
#include "goroutines/waiters_of.h"

#include "base/cleanup.h"
#include "base/number_map.h"
#include "base/vec.h"
#include "golang/wait_reasons.h"
#include "goroutines/lock_state.h"
#include "goroutines/waits.h"
#include "walk/walk.h"

#include <math.h>

enum {
	LOCKS_MAX = 1 << 12, // A program with a lock for each request has no end of them.
	LOOKS_MAX = 1 << 13,
	WAITERS_MAX = 1 << 17, // Looked at in one look.
};

struct ms_waiters {
	struct ms_go_runtime *rt;
	struct ms_unwinder *unwinder;
	struct ms_waits waits;
	struct ms_lock_layout layout;
	bool is_lock_reason[MS_WAIT_REASONS_MAX];
	bool has_reasons;             // Else every goroutine that waits is looked at.
	struct ms_number_map lock_of; // By address.
	struct {
		struct ms_waiters_lock *items;
		size_t count, capacity;
	} locks;
	struct {
		double *items;
		size_t count, capacity;
	} looks;
	struct ms_arena arena;
	struct {
		uint32_t *items; // By wait: index of its stack in stacks.
		size_t count, capacity;
	} stack_of;
	struct {
		struct stack {
			struct ms_stack_pc pcs[MS_WAITERS_PCS_MAX];
			uint32_t count;
			ms_addr created_at;
		} * items;
		size_t count, capacity;
	} stacks; // Of this look, one for each kind of wait that was met first.
	struct ms_number_map stack_by_pc;
};

// --- Opening. ---

static struct ms_error *reasons_find(struct ms_waiters *w)
{
	struct ms_go_wait_reasons reasons = { 0 };
	struct ms_error *err = ms_go_wait_reasons_find(w->rt, &w->arena, &reasons);

	if (err && ms_error_code(err) != MS_ERR_BAD_DATA && ms_error_code(err) != MS_ERR_FAULT)
		return err;
	w->has_reasons = !err;
	ms_error_free(err);
	for (size_t i = 0; w->has_reasons && i < reasons.count; i++) {
		const char *name = reasons.names[i];

		// Before Go 1.20 all locks wait for the same: "semacquire".
		w->is_lock_reason[i] =
		    name && (!strncmp(name, "sync.Mutex", 10) ||
			     !strncmp(name, "sync.RWMutex", 12) || !strcmp(name, "semacquire"));
	}
	return NULL;
}

struct ms_error *ms_waiters_create(struct ms_go_runtime *rt, struct ms_waiters **ret_waiters)
{
	struct ms_waiters *w = calloc(1, sizeof(*w));
	struct ms_error *err;

	if (!w)
		return ms_error_no_memory();
	w->rt = rt;
	err = ms_unwinder_create(rt, &w->unwinder);
	if (!err)
		err = ms_waits_init(&w->waits, rt);
	if (!err)
		err = ms_lock_layout_find(rt, &w->layout);
	if (!err)
		err = reasons_find(w);
	if (err)
		ms_waiters_destroy(w);
	else
		*ret_waiters = w;
	return err;
}

void ms_waiters_destroy(struct ms_waiters *w)
{
	if (!w)
		return;
	ms_unwinder_destroy(w->unwinder);
	ms_waits_deinit(&w->waits);
	ms_number_map_deinit(&w->lock_of);
	for (size_t i = 0; i < w->locks.count; i++)
		free(w->locks.items[i].seen);
	ms_vec_free(&w->locks);
	ms_vec_free(&w->looks);
	ms_vec_free(&w->stack_of);
	ms_vec_free(&w->stacks);
	ms_number_map_deinit(&w->stack_by_pc);
	ms_arena_deinit(&w->arena);
	free(w);
}

// --- A look. ---

static bool may_wait_for_lock(const struct ms_waiters *w, const struct ms_goroutine *g)
{
	if (g->status != MS_GO_WAITING && g->status != MS_GO_LEAKED)
		return false;
	return !w->has_reasons ||
	       (g->wait_reason < MS_WAIT_REASONS_MAX && w->is_lock_reason[g->wait_reason]);
}

static uint64_t key_of(const struct ms_frames *frames)
{
	uint64_t key = 1;

	for (size_t i = 0; i < frames->count; i++)
		key = (key ^ frames->items[i].pc) * 0x9e3779b97f4a7c15;
	return key | 1;
}

/** Keep the stack of one that waits: equal ones once. */
static bool stack_keep(struct ms_waiters *w, const struct ms_goroutine *g,
		       const struct ms_frames *frames, uint32_t *ret_index)
{
	uint64_t key = key_of(frames);
	const uint32_t *known = ms_number_map_find(&w->stack_by_pc, key);
	struct stack stack = { .created_at = g->created_at };

	*ret_index = known ? *known : (uint32_t)w->stacks.count;
	if (known)
		return true;
	for (size_t i = 0; i < frames->count && i < MS_WAITERS_PCS_MAX; i++)
		stack.pcs[stack.count++] =
		    (struct ms_stack_pc){ frames->items[i].pc, frames->items[i].is_return };
	return ms_vec_push(&w->stacks, stack) &&
	       ms_number_map_add(&w->stack_by_pc, key, *ret_index);
}

static struct ms_error *take(const struct ms_goroutine *g, const struct ms_frames *frames,
			     void *context)
{
	struct ms_waiters *w = context;
	size_t before = w->waits.count;
	uint32_t stack;
	struct ms_error *err = ms_waits_add(&w->waits, g, frames, (uint32_t)w->stack_of.count);

	if (err || w->waits.count == before)
		return err;
	if (!ms_wait_is_lock(w->waits.items[before].kind)) {
		w->waits.count = before;
		return NULL;
	}
	return stack_keep(w, g, frames, &stack) && ms_vec_push(&w->stack_of, stack)
		   ? NULL
		   : ms_error_no_memory();
}

static struct ms_waiters_lock *lock_get(struct ms_waiters *w, ms_addr address,
					const struct ms_wait *wait)
{
	const uint32_t *known = ms_number_map_find(&w->lock_of, address);
	struct ms_waiters_lock lock = { .address = address,
					.semaphore = wait->object,
					.user = wait->user };

	if (known)
		return &w->locks.items[*known];
	if (w->locks.count == LOCKS_MAX || !ms_vec_push(&w->locks, lock) ||
	    !ms_number_map_add(&w->lock_of, address, (uint32_t)w->locks.count - 1))
		return NULL;
	return &w->locks.items[w->locks.count - 1];
}

/** One goroutine more that waits for this lock at this look. */
static struct ms_error *count(struct ms_waiters *w, struct ms_waiters_lock *lock,
			      const struct ms_wait *wait, double now)
{
	struct {
		struct ms_waiters_seen *items;
		size_t count, capacity;
	} seen = { lock->seen, lock->seen_count, lock->seen_capacity };
	bool is_first = !seen.count || seen.items[seen.count - 1].at < now;
	double waited = wait->since ? fmax(now - (double)wait->since / 1e9, 0) : NAN;
	const struct stack *stack = &w->stacks.items[w->stack_of.items[wait->row]];
	struct ms_waiters_seen *last;

	if (is_first && !ms_vec_push(&seen, { now, 0, NAN }))
		return ms_error_no_memory();
	lock->seen = seen.items;
	lock->seen_count = seen.count;
	lock->seen_capacity = seen.capacity;
	last = &seen.items[seen.count - 1];
	last->waiting++;
	if (!(waited <= last->oldest_s) && wait->since)
		last->oldest_s = waited;
	if (last->waiting > lock->most)
		lock->most = last->waiting;
	if (!lock->pc_count) {
		memcpy(lock->pcs, stack->pcs, sizeof(lock->pcs));
		lock->pc_count = stack->count;
		lock->created_at = stack->created_at;
	}
	return NULL;
}

static struct ms_error *look_at(struct ms_waiters *w, const struct ms_goroutines *some, double now)
{
	struct ms_error *err = ms_unwind_each(w->unwinder, some, take, w);

	if (!err)
		err = ms_waits_find(&w->waits);
	for (size_t i = 0; i < w->waits.count && !err; i++) {
		const struct ms_wait *wait = &w->waits.items[i];
		ms_addr address = wait->ended ? 0 : ms_lock_address(&w->layout, wait);
		struct ms_waiters_lock *lock = address ? lock_get(w, address, wait) : NULL;

		if (lock)
			err = count(w, lock, wait, now);
	}
	return err;
}

static void forget_look(struct ms_waiters *w)
{
	ms_waits_reset(&w->waits);
	w->stack_of.count = 0;
	w->stacks.count = 0;
	ms_number_map_deinit(&w->stack_by_pc);
	w->stack_by_pc = (struct ms_number_map){ 0 };
}

struct ms_error *ms_waiters_look(struct ms_waiters *w, double now)
{
	struct ms_goroutines all = { 0 };
	struct ms_error *err;
	size_t kept = 0;

	if (w->looks.count == LOOKS_MAX)
		return NULL;
	err = ms_goroutines_load(w->rt, &all);
	if (err)
		return err;
	for (size_t i = 0; i < all.count && kept < WAITERS_MAX; i++) {
		if (may_wait_for_lock(w, &all.items[i]))
			all.items[kept++] = all.items[i];
	}
	all.count = kept;
	if (!ms_vec_push(&w->looks, now))
		err = ms_error_no_memory();
	if (!err && kept)
		err = look_at(w, &all, now);
	forget_look(w);
	ms_goroutines_deinit(&all);
	return err;
}

// --- Names. ---

bool ms_waiters_has_nameless(const struct ms_waiters *w, unsigned times)
{
	for (size_t i = 0; i < w->locks.count; i++) {
		if (!w->locks.items[i].name && w->locks.items[i].named < times)
			return true;
	}
	return false;
}

static int by_address(const void *a, const void *b)
{
	const struct ms_walk_want *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

static struct ms_error *lock_name(struct ms_waiters *w, struct ms_waiters_lock *lock,
				  const struct ms_walk_want *want)
{
	uint8_t word[8];
	struct ms_error *err;

	lock->name = want->name;
	if (!want->map_word)
		return NULL;
	err = ms_target_read(w->rt->target, want->map_word, word, sizeof(word));
	if (!err) {
		lock->map = ms_load_u64(word);
		lock->map_owner = want->map_owner;
	} else if (ms_error_code(err) != MS_ERR_FAULT) {
		return err;
	}
	ms_error_free(err);
	return NULL;
}

struct ms_error *ms_waiters_name(struct ms_waiters *w, double seconds)
{
	MS_AUTO_FREE struct ms_walk_want *wants = calloc(w->locks.count + 1, sizeof(*wants));
	struct ms_error *err;
	size_t wanted = 0;

	if (!wants)
		return ms_error_no_memory();
	for (size_t i = 0; i < w->locks.count; i++) {
		struct ms_waiters_lock *lock = &w->locks.items[i];

		if (lock->named < UINT8_MAX)
			lock->named++;
		if (!lock->name)
			wants[wanted++] =
			    (struct ms_walk_want){ .address = lock->semaphore, .user = lock->user };
	}
	if (!wanted)
		return NULL;
	qsort(wants, wanted, sizeof(*wants), by_address);
	err = ms_walk_find(w->rt, seconds, wants, wanted, &w->arena);
	for (size_t i = 0; i < w->locks.count && !err; i++) {
		const struct ms_walk_want key = { .address = w->locks.items[i].semaphore };
		const struct ms_walk_want *want =
		    w->locks.items[i].name ? NULL
					   : bsearch(&key, wants, wanted, sizeof(key), by_address);

		if (want)
			err = lock_name(w, &w->locks.items[i], want);
	}
	return err;
}

// --- Asking. ---

const struct ms_waiters_lock *ms_waiters_of(const struct ms_waiters *w, ms_addr map)
{
	const struct ms_waiters_lock *most = NULL;

	for (size_t i = 0; i < w->locks.count && map; i++) {
		const struct ms_waiters_lock *lock = &w->locks.items[i];

		if (lock->map == map && (!most || lock->most > most->most))
			most = lock;
	}
	return most;
}

const struct ms_waiters_lock *ms_waiters_locks(const struct ms_waiters *w, size_t *ret_count)
{
	*ret_count = w->locks.count;
	return w->locks.items;
}

const double *ms_waiters_looks(const struct ms_waiters *w, size_t *ret_count)
{
	*ret_count = w->looks.count;
	return w->looks.items;
}
