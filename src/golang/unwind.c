// unwind.c - from where a goroutine was left, frame by frame outwards.
//
// The function table says of each instruction how far the stack pointer stands below the entry's.
// amd64: the return address is there, right below the caller's frame.
//
//	sp -> | locals | saved bp | return address | caller's locals ...
//	                            ^ end            ^ caller's sp
//
// arm64: it lies at sp itself, or still in the link register where a function has just begun.
// The rules for arm64 are the runtime's (runtime/traceback.go); no process has proved them yet.
//
// A goroutine left by itself (gopark, mcall, morestack) has its return address saved as pc.  One
// whose stack was to grow or that was asked to stop is in morestack's caller, before its frame.  A
// signal puts sigpanic or asyncPreempt on top as if called: below it stands the instruction itself,
// not a return address.  Functions that set the stack pointer (systemstack, mcall, asmcgocall)
// are only passed as the innermost, where they have not done it yet.  Where the table does not know
// a function's frame, amd64's frame pointer is tried, if it points to where a frame can be.
//
// An image is unwound by its own bytes.  It may stand anywhere in its function, also where the
// stack pointer was just set to another stack: such a function ends it even as the innermost.
//
// Most goroutines rest in few places, so what the table said of a pc is remembered.
#include "golang/unwind.h"

#include "base/cleanup.h"

enum {
	CACHE_LOG2 = 12,
	FIRST_BYTES = 2048, // Most goroutines' stacks in use are shorter.
	WINDOW_BYTES = 16384,
	BATCH = MS_GOROUTINES_REREAD_MAX,
	ROUNDS_MAX = 3,
	INJECTED_BYTES_ARM64 = 16, // The link register, saved below a signal's call.
};

struct known {
	ms_addr pc; // 0: empty.
	const struct ms_function *function;
	uint32_t frame_bytes;
	bool has_frame;
};

/** Bytes of a stack. */
struct window {
	ms_addr start;
	const uint8_t *bytes;
	size_t size;
};

struct ms_unwinder {
	struct ms_go_runtime *rt;
	const struct ms_functions *functions;
	enum ms_arch arch;
	struct known cache[1 << CACHE_LOG2];
	uint8_t buf[WINDOW_BYTES];
	uint8_t first[BATCH][FIRST_BYTES];
	struct ms_read reads[BATCH];
	struct ms_goroutine after[BATCH];
	bool read_more;      // The last stack was longer than what it was given.
	struct window shown; // Of the goroutine that is handed out, while it is.
	struct ms_frames frames;
};

/** Where the unwinding of one stack is. */
struct state {
	struct ms_unwinder *u;
	const struct ms_goroutine *g;
	struct window window;
	ms_addr pc, sp, bp, lr;
	bool is_return;
	bool bp_holds; // bp is of the frame at hand.
	bool is_image; // What is not in the window is not known.
	struct ms_frames *frames;
};

struct ms_error *ms_unwinder_create(struct ms_go_runtime *rt, struct ms_unwinder **ret_unwinder)
{
	const struct ms_functions *functions;
	struct ms_error *err = ms_go_functions(rt, &functions);
	struct ms_unwinder *u;

	if (err)
		return err;
	u = calloc(1, sizeof(*u));
	if (!u)
		return ms_error_no_memory();
	u->rt = rt;
	u->functions = functions;
	u->arch = rt->elf.arch;
	*ret_unwinder = u;
	return NULL;
}

void ms_unwinder_destroy(struct ms_unwinder *u)
{
	free(u);
}

static const struct known *know(struct ms_unwinder *u, ms_addr pc)
{
	struct known *k = &u->cache[(pc * 0x9e3779b97f4a7c15) >> (64 - CACHE_LOG2)];

	if (k->pc == pc)
		return k;
	*k = (struct known){ .pc = pc, .function = ms_functions_find(u->functions, pc) };
	k->has_frame =
	    k->function && ms_function_frame_bytes(u->functions, k->function, pc, &k->frame_bytes);
	return k;
}

/** A word of the stack.  False when it is not on it, or with *ret_err or not cannot be read. */
static bool word_read(struct state *s, ms_addr at, ms_addr *ret_word, struct ms_error **ret_err)
{
	struct window *w = &s->window;

	if ((at & 7) || !ms_range_holds(s->g->stack_lo, s->g->stack_hi, at, 8)) {
		s->frames->ended = MS_UNWIND_OFF_STACK;
		return false;
	}
	if (s->is_image && !ms_range_holds(w->start, w->start + w->size, at, 8)) {
		s->frames->ended = MS_UNWIND_IMAGE_END;
		return false;
	}
	if (!ms_range_holds(w->start, w->start + w->size, at, 8)) {
		size_t size = (size_t)ms_min_u64(WINDOW_BYTES, s->g->stack_hi - at);

		*ret_err = ms_target_read(s->u->rt->target, at, s->u->buf, size);
		if (*ret_err && ms_error_code(*ret_err) == MS_ERR_FAULT) {
			ms_error_free(*ret_err);
			*ret_err = NULL;
			s->frames->ended = MS_UNWIND_UNREADABLE;
			return false;
		}
		if (*ret_err)
			return false;
		*w = (struct window){ at, s->u->buf, size };
		s->u->read_more = true;
	}
	*ret_word = ms_load_u64(w->bytes + (at - w->start));
	return true;
}

/** Add the frame that the state stands in; false when it is the last. */
static bool frame_add(struct state *s, const struct known *k)
{
	struct ms_frames *f = s->frames;

	if (f->count == MS_FRAMES_MAX) {
		f->ended = MS_UNWIND_LIMIT;
		return false;
	}
	if (!k->function) {
		f->ended = MS_UNWIND_NO_FUNCTION;
		return false;
	}
	f->items[f->count++] = (struct ms_frame){
		.pc = s->pc,
		.sp = s->sp,
		.end = s->sp,
		.function = k->function,
		.is_return = s->is_return && s->pc > k->function->entry,
	};
	if (k->function->flags & MS_FUNCTION_TOP) {
		f->items[f->count - 1].end = s->g->stack_hi;
		f->ended = MS_UNWIND_TOP;
		return false;
	}
	if ((k->function->flags & MS_FUNCTION_SP_WRITE) &&
	    (f->count > 1 || (s->is_image && !s->is_return))) {
		f->ended = MS_UNWIND_SWITCHED;
		return false;
	}
	return true;
}

/** The caller by the frame pointer: saved bp, return address. */
static bool step_by_pointer(struct state *s, struct ms_frame *frame, struct ms_error **ret_err)
{
	ms_addr at = s->bp;

	if (s->u->arch != MS_ARCH_AMD64 || at < s->sp ||
	    !ms_range_holds(s->g->stack_lo, s->g->stack_hi, at, 16)) {
		s->frames->ended = MS_UNWIND_NO_FRAME;
		return false;
	}
	if (!word_read(s, at, &s->bp, ret_err) || !word_read(s, at + 8, &s->pc, ret_err))
		return false;
	frame->end = at + 8;
	s->sp = at + 16;
	s->frames->by_frame_pointer++;
	return true;
}

/** Whether the frame pointer is where the function table says that it was saved. */
static void check_pointer(struct state *s, ms_addr saved_at)
{
	if (!s->bp_holds)
		return;
	if (s->bp == saved_at)
		s->frames->pointer_agrees++;
	else
		s->frames->pointer_differs++;
}

static bool step_amd64(struct state *s, struct ms_frame *frame, uint32_t bytes,
		       struct ms_error **ret_err)
{
	ms_addr end = s->sp + bytes;

	if (!word_read(s, end, &s->pc, ret_err))
		return false;
	if (bytes) {
		check_pointer(s, end - 8);
		if (!word_read(s, end - 8, &s->bp, ret_err))
			return false;
		s->bp_holds = true;
	}
	frame->end = end;
	s->sp = end + 8;
	return true;
}

static bool step_arm64(struct state *s, struct ms_frame *frame, uint32_t bytes,
		       struct ms_error **ret_err)
{
	if (!bytes && s->lr)
		s->pc = s->lr;
	else if (!word_read(s, s->sp, &s->pc, ret_err))
		return false;
	s->lr = 0;
	s->sp += bytes;
	frame->end = s->sp;
	if (!(frame->function->flags & MS_FUNCTION_INJECTED))
		return true;
	if (!word_read(s, s->sp, &s->lr, ret_err))
		return false;
	s->sp += INJECTED_BYTES_ARM64;
	return true;
}

/** Walk until something ends it. */
static struct ms_error *walk(struct state *s)
{
	struct ms_error *err = NULL;

	for (;;) {
		const struct known *k = know(s->u, s->pc);
		ms_addr before = s->sp;
		struct ms_frame *frame;
		bool went_on;

		if (!frame_add(s, k))
			return NULL;
		frame = &s->frames->items[s->frames->count - 1];
		if (!k->has_frame)
			went_on = step_by_pointer(s, frame, &err);
		else if (s->u->arch == MS_ARCH_ARM64)
			went_on = step_arm64(s, frame, k->frame_bytes, &err);
		else
			went_on = step_amd64(s, frame, k->frame_bytes, &err);
		if (!went_on)
			return err;
		if (s->sp < before || s->sp > s->g->stack_hi) {
			s->frames->ended = MS_UNWIND_OFF_STACK;
			return NULL;
		}
		s->is_return = !(k->function->flags & MS_FUNCTION_INJECTED);
	}
}

static struct ms_error *unwind_from(struct ms_unwinder *u, const struct ms_goroutine *g,
				    struct window window, struct ms_frames *frames)
{
	struct state s = {
		.u = u,
		.g = g,
		.window = window,
		.pc = g->pc,
		.sp = g->sp,
		.bp = g->bp,
		.lr = g->lr,
		.is_return = !g->at_instruction,
		.bp_holds = !g->in_syscall,
		.frames = frames,
	};

	u->read_more = false;
	frames->count = 0;
	frames->by_frame_pointer = frames->pointer_agrees = frames->pointer_differs = 0;
	frames->ended = MS_UNWIND_RUNNING;
	return ms_goroutine_rests(g) ? walk(&s) : NULL;
}

struct ms_error *ms_unwind(struct ms_unwinder *u, const struct ms_goroutine *g,
			   struct ms_frames *ret_frames)
{
	return unwind_from(u, g, (struct window){ 0 }, ret_frames);
}

struct ms_error *ms_unwind_image(struct ms_unwinder *u, const struct ms_stack_image *image,
				 struct ms_frames *ret_frames)
{
	const struct ms_goroutine g = { .stack_lo = image->stack_lo, .stack_hi = image->stack_hi };
	struct state s = {
		.u = u,
		.g = &g,
		.window = { image->sp, image->bytes, image->size },
		.pc = image->pc,
		.sp = image->sp,
		.bp = image->bp,
		.lr = image->lr,
		.is_return = image->is_return,
		.is_image = true,
		.frames = ret_frames,
	};

	ret_frames->count = 0;
	ret_frames->by_frame_pointer = 0;
	ret_frames->pointer_agrees = ret_frames->pointer_differs = 0;
	return walk(&s);
}

// --- Many. ---

/** Unwind one anew, until it rests from before to behind the reading of its stack. */
static struct ms_error *unwind_again(struct ms_unwinder *u, struct ms_goroutine *g)
{
	for (unsigned round = 0; round < ROUNDS_MAX; round++) {
		struct ms_goroutine after;
		struct ms_error *err = ms_goroutine_reread(u->rt, g->address, g);

		if (!err)
			err = ms_unwind(u, g, &u->frames);
		if (!err)
			err = ms_goroutine_reread(u->rt, g->address, &after);
		if (err && ms_error_code(err) != MS_ERR_BAD_DATA &&
		    ms_error_code(err) != MS_ERR_FAULT)
			return err;
		if (!err &&
		    (ms_goroutine_is_same_stop(g, &after) || u->frames.ended == MS_UNWIND_RUNNING))
			return NULL;
		ms_error_free(err);
	}
	u->frames.count = 0;
	u->frames.ended = MS_UNWIND_MOVED;
	return NULL;
}

/** The lowest part of each stack in use. */
static struct ms_error *first_read(struct ms_unwinder *u, const struct ms_goroutine *items,
				   size_t count, size_t ret_at[BATCH])
{
	size_t reads = 0;

	for (size_t i = 0; i < count; i++) {
		const struct ms_goroutine *g = &items[i];

		ret_at[i] = BATCH;
		if (!ms_goroutine_rests(g) || g->sp < g->stack_lo || g->sp >= g->stack_hi)
			continue;
		ret_at[i] = reads;
		u->reads[reads] =
		    (struct ms_read){ g->sp, u->first[reads],
				      (uint32_t)ms_min_u64(FIRST_BYTES, g->stack_hi - g->sp),
				      MS_READ_OK };
		reads++;
	}
	return reads ? ms_target_read_many(u->rt->target, u->reads, reads) : NULL;
}

/** Whether what was read of @p g behind the first bytes was read while it rested as before. */
static struct ms_error *confirm(struct ms_unwinder *u, const struct ms_goroutine *g,
				bool *ret_rests)
{
	struct ms_goroutine after;
	struct ms_error *err = u->read_more ? ms_goroutines_reread(u->rt, g, 1, &after) : NULL;

	if (!err)
		*ret_rests = !u->read_more || ms_goroutine_is_same_stop(g, &after);
	return err;
}

/**
 * Their stacks, then they themselves again: the bytes of one that is as it was are those of its
 * rest.
 */
static struct ms_error *batch_unwind(struct ms_unwinder *u, const struct ms_goroutine *items,
				     size_t count, ms_unwind_fn fn, void *context)
{
	size_t at[BATCH];
	struct ms_error *err = first_read(u, items, count, at);

	if (!err)
		err = ms_goroutines_reread(u->rt, items, count, u->after);
	for (size_t i = 0; i < count && !err; i++) {
		struct ms_goroutine g = items[i];
		bool rests = ms_goroutine_is_same_stop(&g, &u->after[i]);
		struct window window = { 0 };

		if (at[i] < BATCH && u->reads[at[i]].status == MS_READ_OK)
			window = (struct window){ g.sp, u->first[at[i]], u->reads[at[i]].size };
		if (rests) {
			err = unwind_from(u, &g, window, &u->frames);
			if (!err)
				err = confirm(u, &g, &rests);
		}
		u->shown = rests ? window : (struct window){ 0 };
		if (!err && !rests)
			err = unwind_again(u, &g);
		if (!err)
			err = fn(&g, &u->frames, context);
	}
	u->shown = (struct window){ 0 };
	return err;
}

struct ms_error *ms_unwind_each(struct ms_unwinder *u, const struct ms_goroutines *goroutines,
				ms_unwind_fn fn, void *context)
{
	struct ms_error *err = NULL;

	for (size_t i = 0; i < goroutines->count && !err; i += BATCH)
		err = batch_unwind(u, goroutines->items + i,
				   (size_t)ms_min_u64(BATCH, goroutines->count - i), fn, context);
	return err;
}

// --- Asking. ---

const uint8_t *ms_unwind_stack_bytes(const struct ms_unwinder *u, const struct ms_goroutine *g)
{
	const struct window *w = &u->shown;

	return w->size && w->start == g->sp && w->size == g->stack_hi - g->sp ? w->bytes : NULL;
}

const struct ms_frame *ms_unwind_owner(const struct ms_frames *frames, ms_addr address)
{
	size_t i = 0;

	while (i < frames->count &&
	       address >= (i + 1 < frames->count ? frames->items[i + 1].sp : frames->items[i].end))
		i++;
	if (i == frames->count || address < frames->items[i].sp)
		return NULL;
	while (i < frames->count && (frames->items[i].function->flags & MS_FUNCTION_RUNTIME))
		i++;
	return i < frames->count ? &frames->items[i] : NULL;
}

const char *ms_unwind_end_text(enum ms_unwind_end end)
{
	static const char *const texts[] = {
		[MS_UNWIND_TOP] = "complete",
		[MS_UNWIND_LIMIT] = "too many frames",
		[MS_UNWIND_RUNNING] = "it runs",
		[MS_UNWIND_MOVED] = "it went on while it was looked at",
		[MS_UNWIND_UNREADABLE] = "its stack cannot be read",
		[MS_UNWIND_NO_FUNCTION] = "an address in no function",
		[MS_UNWIND_NO_FRAME] = "a function that does not tell its frame",
		[MS_UNWIND_SWITCHED] = "a function that changes stacks",
		[MS_UNWIND_OFF_STACK] = "a frame that leaves the stack",
		[MS_UNWIND_IMAGE_END] = "what was copied of its stack ends",
	};

	return texts[end];
}
