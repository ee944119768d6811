// lock_holders.c - a holder is named when three things come together:
//
//	1. the code of one of its functions says that it holds a lock of this class (lock_code.h)
//	2. the frame of that function has a word that leads to this lock, the way the code does it:
//	   a pointer and the offset that the code adds to it; or the code has the lock's own address
//	3. the lock's own words say that it is held so
//
// and no other goroutine, and no other lock that the frame leads to, fits as well.  In between the
// goroutine must not have gone on.  Anything less would be a guess: an object that lies on a stack
// is no sign that its lock is held, however often it is.
//
// A call that has not returned can have given the lock back for a while: sync.Cond.Wait does so,
// deferred calls during a panic do, and a helper may.  So inner frames have a say, too.
#include "goroutines/lock_holders.h"

#include "base/cleanup.h"
#include "base/saturate.h"
#include "base/vec.h"
#include "golang/spans.h"

enum {
	FRAME_BYTES_MAX = 16 << 10,
	SPILL_BYTES = 80, // Arguments that came in registers are kept behind the return address.
	HOLDINGS_MAX = 1 << 20,
	CANDIDATES_MAX = 4096,
	LOWEST = 4096, // No object lies below.
};

struct ms_error *ms_lock_holders_init(struct ms_lock_holders *h, struct ms_go_runtime *rt,
				      const struct ms_functions *functions)
{
	struct ms_error *err = ms_lock_layout_find(rt, &h->layout);

	h->rt = rt;
	return err ? err : ms_lock_code_create(rt, functions, &h->code);
}

void ms_lock_holders_deinit(struct ms_lock_holders *h)
{
	ms_lock_code_destroy(h->code);
	h->code = NULL;
	ms_vec_free(&h->holdings);
	ms_vec_free(&h->stacks);
	ms_vec_free(&h->held_frames);
}

// --- Frames that hold something. ---

/** While one of these has not returned, nothing is known of what its callers hold. */
static bool may_give_back(const char *name)
{
	return !strcmp(name, "sync.(*Cond).Wait") || !strcmp(name, "runtime.gopanic") ||
	       !strcmp(name, "runtime.Goexit");
}

static struct ms_error *frame_add(struct ms_lock_holders *h, const struct ms_goroutine *g,
				  const struct ms_frame *f, const struct ms_lock_at *at,
				  unsigned class, uint32_t row)
{
	struct ms_holding holding = {
		.g = g->address,
		.id = g->id,
		.since = g->wait_since,
		.sp = g->sp,
		.frame = f->sp,
		.end = ms_min_u64(f->end + 8 + SPILL_BYTES, g->stack_hi),
		.pc = ms_frame_call_pc(f),
		.stack_lo = g->stack_lo,
		.stack_hi = g->stack_hi,
		.function = f->function,
		.at = at,
		.row = row,
		.class = (uint8_t) class,
	};

	if (h->holdings.count == HOLDINGS_MAX || holding.end < holding.frame ||
	    holding.end - holding.frame > FRAME_BYTES_MAX)
		return NULL;
	return ms_vec_push(&h->holdings, holding) ? NULL : ms_error_no_memory();
}

/** Which frames hold something, by their code: the same for all at these addresses. */
static struct ms_error *frames_ask(struct ms_lock_holders *h, const struct ms_frames *frames)
{
	bool given[MS_LOCK_CLASSES] = { false };

	for (size_t i = 0; i < frames->count; i++) {
		const struct ms_frame *f = &frames->items[i];
		const struct ms_lock_at *at;
		struct ms_error *err;

		if (may_give_back(f->function->name))
			return NULL;
		err = ms_lock_code_at(h->code, f->function, ms_frame_call_pc(f), &at);
		for (unsigned k = 0; k < MS_LOCK_CLASSES && !err && at; k++) {
			if (at->hold[k] == MS_HOLD_HELD && !given[k] &&
			    !ms_vec_push(&h->held_frames, { at, (uint32_t)i, (uint8_t)k }))
				err = ms_error_no_memory();
			given[k] |= (at->hold[k] & MS_HOLD_RELEASED) != 0;
		}
		if (err)
			return err;
	}
	return NULL;
}

static struct ms_error *stack_holds(struct ms_lock_holders *h, const struct ms_frames *frames,
				    uint32_t stack, struct ms_stack_holds *ret_holds)
{
	struct ms_error *err;

	while (h->stacks.count <= stack) {
		if (!ms_vec_push(&h->stacks, { .is_known = false }))
			return ms_error_no_memory();
	}
	*ret_holds = h->stacks.items[stack];
	if (ret_holds->is_known)
		return NULL;
	ret_holds->first = (uint32_t)h->held_frames.count;
	err = frames_ask(h, frames);
	ret_holds->end = (uint32_t)h->held_frames.count;
	ret_holds->is_known = true;
	if (!err)
		h->stacks.items[stack] = *ret_holds;
	return err;
}

struct ms_error *ms_lock_holders_add(struct ms_lock_holders *h, const struct ms_goroutine *g,
				     const struct ms_frames *frames, uint32_t stack, uint32_t row)
{
	struct ms_stack_holds holds;
	struct ms_error *err;

	h->without_stack += !frames->count;
	if (!frames->count)
		return NULL;
	err = stack_holds(h, frames, stack, &holds);
	for (uint32_t i = holds.first; !err && i < holds.end; i++) {
		const struct ms_held_frame *held = &h->held_frames.items[i];

		err = frame_add(h, g, &frames->items[held->frame], held->at, held->class, row);
	}
	return err;
}

// --- States. ---

static struct ms_error *state_read(struct ms_lock_holders *h, ms_addr address, bool is_rw,
				   struct ms_lock_state *ret_state, bool *ret_known)
{
	const struct ms_lock_layout *l = &h->layout;
	uint8_t raw[MS_LOCK_BYTES_MAX];
	struct ms_error *err;

	*ret_known = false;
	if (is_rw ? !l->has_rw : !l->has_mutex)
		return NULL;
	err = ms_target_read(h->rt->target, address, raw, is_rw ? l->rw_bytes : l->mutex_bytes);
	if (err && ms_error_code(err) == MS_ERR_FAULT) {
		ms_error_free(err);
		return NULL;
	}
	if (err)
		return err;
	*ret_known = true;
	if (is_rw)
		*ret_known = ms_lock_rw_parse(l, raw, ret_state);
	else
		*ret_state = ms_lock_mutex_parse(l, raw);
	return NULL;
}

static bool is_held(const struct ms_lock_state *s, unsigned class)
{
	return class == MS_LOCK_READ ? s->readers > 0 : s->is_locked;
}

// --- From a frame to a lock. ---

struct found {
	struct ms_holding *holding;
	size_t lock;
};

struct search {
	struct ms_lock_holders *h;
	struct ms_held_lock *locks;
	size_t count;
	struct ms_spans spans;
	bool has_spans;
	struct {
		struct found *items;
		size_t count, capacity;
	} found;
	ms_addr candidates[CANDIDATES_MAX];
	size_t candidate_count;
	bool overflow;
};

static size_t lock_find(const struct search *s, ms_addr address)
{
	size_t low = 0, high = s->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->locks[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < s->count && s->locks[low].address == address ? low : SIZE_MAX;
}

static void candidate_add(struct search *s, ms_addr address)
{
	if (s->candidate_count == CANDIDATES_MAX)
		s->overflow = true;
	else
		s->candidates[s->candidate_count++] = address;
}

/** The offset, in a lock, of the word that code of this class works on. */
static uint32_t word_of(const struct ms_lock_layout *l, unsigned class)
{
	return class == MS_LOCK_MUTEX  ? l->mutex_state
	       : class == MS_LOCK_READ ? l->rw_reader_count
				       : 0;
}

/**
 * How far from what the code starts with the lock is.  An operand that has to do with a field tells
 * this by itself; what else stands beside it then is not needed.
 */
static bool is_used(const struct ms_lock_operands *o, uint32_t inner, size_t i,
		    int64_t *ret_distance)
{
	for (size_t k = 0; k < o->count && !o->items[i].is_atomic; k++) {
		if (o->items[k].is_atomic &&
		    (o->items[k].is_absolute || o->items[k].offset != (int64_t)inner))
			return false;
	}
	*ret_distance = ms_sub_i64(o->items[i].offset, o->items[i].is_atomic ? inner : 0);
	return true;
}

/** All addresses at which, by what the code adds to what lies in the frame, the lock can be. */
static void candidates_make(struct search *s, const struct ms_holding *g, const uint8_t *words,
			    size_t size)
{
	const struct ms_lock_operands *o = &g->at->operands[g->class];
	uint32_t inner = word_of(&s->h->layout, g->class);

	s->candidate_count = 0;
	s->overflow = false;
	for (size_t i = 0; i < o->count; i++) {
		int64_t distance;

		if (!is_used(o, inner, i, &distance))
			continue;
		if (o->items[i].is_absolute) {
			if (distance >= LOWEST)
				candidate_add(s, (ms_addr)distance);
			continue;
		}
		for (size_t at = 0; at + 8 <= size; at += 8) {
			ms_addr word = ms_load_u64(words + at), address = word + (ms_addr)distance;

			if (word < LOWEST || word >> 48 || (address & 3) ||
			    (word >= g->stack_lo && word < g->stack_hi))
				continue;
			candidate_add(s, address);
		}
	}
}

static bool is_variable(const struct ms_go_runtime *rt, ms_addr address)
{
	for (size_t i = 0; i < rt->module_count; i++) {
		const struct ms_go_module *m = &rt->modules[i];

		if ((address >= m->noptrdata && address < m->enoptrdata) ||
		    (address >= m->data && address < m->edata) ||
		    (address >= m->bss && address < m->ebss) ||
		    (address >= m->noptrbss && address < m->enoptrbss))
			return true;
	}
	return false;
}

/**
 * Whether the code could as well mean a lock of @p bytes at @p b as the one at @p a: both lie in
 * one object, at the same place of objects of one size, or in variables.
 */
static bool are_alike(const struct search *s, ms_addr a, ms_addr b, uint32_t bytes)
{
	const struct ms_span *x = ms_spans_find(&s->spans, a), *y = ms_spans_find(&s->spans, b);
	bool has_x = x && x->state == MS_SPAN_IN_USE && x->elem_bytes;
	bool has_y = y && y->state == MS_SPAN_IN_USE && y->elem_bytes;

	if (!has_x || !has_y)
		return is_variable(s->h->rt, a) && is_variable(s->h->rt, b);
	if ((b - y->start) % y->elem_bytes + bytes > y->elem_bytes)
		return false; // No lock fits there.
	if (x == y && (a - x->start) / x->elem_bytes == (b - y->start) / y->elem_bytes)
		return true;
	return x->elem_bytes == y->elem_bytes &&
	       (a - x->start) % x->elem_bytes == (b - y->start) % y->elem_bytes;
}

/**
 * The one of the locks that the frame leads to, SIZE_MAX when there is none, or another that it
 * leads to in the same way is held as well.
 */
static struct ms_error *lock_of(struct search *s, const struct ms_holding *g, size_t *ret_lock)
{
	bool is_rw = g->class != MS_LOCK_MUTEX;
	size_t lock = SIZE_MAX;

	*ret_lock = SIZE_MAX;
	for (size_t i = 0; i < s->candidate_count; i++) {
		size_t at = lock_find(s, s->candidates[i]);

		if (at == SIZE_MAX || s->locks[at].is_rw != is_rw || !s->locks[at].has_state ||
		    !is_held(&s->locks[at].state, g->class))
			continue;
		if (lock != SIZE_MAX && lock != at)
			return NULL;
		lock = at;
	}
	if (lock == SIZE_MAX || s->overflow)
		return NULL;
	if (!s->has_spans) {
		struct ms_error *err = ms_spans_load(s->h->rt, &s->spans);

		if (err)
			return err;
		s->has_spans = true;
	}
	if (s->spans.has_holes) // Whether it leads to others likewise, only spans tell.
		return NULL;
	for (size_t i = 0; i < s->candidate_count; i++) {
		struct ms_lock_state state;
		struct ms_error *err;
		bool known;

		if (s->candidates[i] == s->locks[lock].address ||
		    !are_alike(s, s->locks[lock].address, s->candidates[i],
			       is_rw ? s->h->layout.rw_bytes : s->h->layout.mutex_bytes))
			continue;
		err = state_read(s->h, s->candidates[i], is_rw, &state, &known);
		if (err)
			return err;
		if (known && is_held(&state, g->class))
			return NULL;
	}
	*ret_lock = lock;
	return NULL;
}

static struct ms_error *frame_search(struct search *s, struct ms_holding *g)
{
	size_t size = (size_t)(g->end - g->frame), lock;
	MS_AUTO_FREE uint8_t *words = malloc(size + 8);
	struct ms_error *err;

	if (!words)
		return ms_error_no_memory();
	err = ms_target_read(s->h->rt->target, g->frame, words, size);
	if (err && ms_error_code(err) == MS_ERR_FAULT) {
		ms_error_free(err);
		return NULL;
	}
	if (err)
		return err;
	candidates_make(s, g, words, size);
	err = lock_of(s, g, &lock);
	if (!err && lock != SIZE_MAX && !ms_vec_push(&s->found, { g, lock }))
		err = ms_error_no_memory();
	return err;
}

// --- The verdict. ---

/** Whether it still stands where its frame was read. */
static struct ms_error *stands_still(struct ms_lock_holders *h, const struct ms_holding *g,
				     bool *ret_still)
{
	struct ms_goroutine before = { .address = g->g }, after;
	struct ms_error *err = ms_goroutines_reread(h->rt, &before, 1, &after);

	if (!err)
		*ret_still = after.id == g->id && after.sp == g->sp && ms_goroutine_rests(&after) &&
			     (!g->since || after.wait_since == g->since);
	return err;
}

static const char *why_unknown(const struct ms_lock_holders *h, const struct ms_held_lock *lock)
{
	if (!lock->has_state)
		return "the program does not describe where the lock keeps its state";
	if (lock->is_rw && !lock->state.is_locked && !lock->state.readers)
		return "it is not held: it is being handed over";
	if (!lock->is_rw && !lock->state.is_locked)
		return "it is not held: it is being handed over";
	return h->without_stack ? "no stack shows who holds it; goroutines that run were not seen"
				: "no stack shows who holds it";
}

static struct ms_error *lock_decide(struct search *s, size_t index)
{
	struct ms_held_lock *lock = &s->locks[index];
	struct ms_holding *one = NULL;
	struct ms_lock_state state;
	uint32_t holders = 0;
	bool still = false, known = false;
	struct ms_error *err;

	lock->unknown = why_unknown(s->h, lock);
	for (size_t i = 0; i < s->found.count; i++) {
		struct ms_holding *g = s->found.items[i].holding;

		if (s->found.items[i].lock != index || (one && one->id == g->id))
			continue;
		one = one ? one : g;
		holders++;
	}
	if (!one)
		return NULL;
	if (lock->state.readers > 1 && one->class == MS_LOCK_READ) {
		lock->unknown = "several readers hold it";
		return NULL;
	}
	if (holders > 1) {
		lock->unknown = "several stacks look as if they held it";
		return NULL;
	}
	err = state_read(s->h, lock->address, lock->is_rw, &state, &known);
	if (!err)
		err = stands_still(s->h, one, &still);
	if (err)
		return err;
	if (known && is_held(&state, one->class) && still) {
		lock->state = state;
		lock->holding = one;
		lock->unknown = NULL;
	} else {
		lock->unknown = "it was given back while it was looked at";
	}
	return NULL;
}

struct ms_error *ms_lock_holders_find(struct ms_lock_holders *h, struct ms_held_lock *locks,
				      size_t count)
{
	struct search *s = calloc(1, sizeof(*s));
	struct ms_error *err = NULL;

	if (!s)
		return ms_error_no_memory();
	s->h = h;
	s->locks = locks;
	s->count = count;
	for (size_t i = 0; i < count && !err; i++)
		err = state_read(h, locks[i].address, locks[i].is_rw, &locks[i].state,
				 &locks[i].has_state);
	for (size_t i = 0; i < h->holdings.count && !err && count; i++)
		err = frame_search(s, &h->holdings.items[i]);
	for (size_t i = 0; i < count && !err; i++)
		err = lock_decide(s, i);
	ms_spans_deinit(&s->spans);
	ms_vec_free(&s->found);
	free(s);
	return err;
}
