// waits.c - a goroutine waits through a sudog: who waits (g), for what (elem or c).
//
// For channels g.waiting leads to it, from Go 1.26 on for semaphores and conditions as well.
// Before, nothing in the g does: the table of semaphores is the runtime's own, a tree that is
// rebuilt under a reader's eyes.  But whoever waits keeps its sudog in its own frame, because it
// has to be given back afterwards.  So the words of that frame are looked through for one that
// leads to a sudog whose g is this goroutine: it proves itself, and no table is needed.
//
//	runtime.gopark
//	runtime.semacquire1                | ... | sudog | ...     sudog.g == g, sudog.elem ==
//&rw.readerSem 	sync.runtime_SemacquireRWMutexR 	sync.(*RWMutex).RLock (inlined)
//
// The compiler gives the sudog the same slot in every frame of that function: where it was found
// once it is looked for first.
//
// What kind of wait it is, the names of the innermost functions say, inlined ones included: the
// runtime's wait reasons tell less, and differ more between releases.
#include "goroutines/waits.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/vec.h"
#include "golang/calls.h"
#include "goroutines/sudog.h"
#include "goroutines/wait_conds.h"

enum {
	FRAMES_LOOKED_AT = 6,
	SEARCH_BYTES_MAX = 1024,
	BEYOND_BYTES = 128, // Of the caller's frame: where arguments are kept.
	BATCH = 2048,
	CHOICES_MAX = 64, // Channels of one select that are looked at.
	LEARN_FROM = 32,
	SLOT_UNKNOWN = UINT32_MAX,
};

// --- Kinds. ---

static const struct {
	const char *function;
	enum ms_wait_kind kind;
} waits_by_name[] = {
	// In the order in which one that is met further out replaces one met before.
	{ "runtime.semacquire1", MS_WAIT_SEMAPHORE },
	{ "runtime.chanrecv", MS_WAIT_RECEIVE },
	{ "runtime.chansend", MS_WAIT_SEND },
	{ "runtime.selectgo", MS_WAIT_SELECT },
	{ "runtime.block", MS_WAIT_FOREVER },
	{ "runtime.notifyListWait", MS_WAIT_COND },
	{ "sync.runtime_notifyListWait", MS_WAIT_COND },
	{ "sync.(*WaitGroup).Wait", MS_WAIT_GROUP },
	{ "internal/sync.(*Mutex).lockSlow", MS_WAIT_MUTEX },
	{ "sync.(*Mutex).lockSlow", MS_WAIT_MUTEX },
	{ "sync.(*RWMutex).RLock", MS_WAIT_READ },
	{ "sync.(*RWMutex).Lock", MS_WAIT_WRITE },
};

static const char *const kind_names[] = {
	[MS_WAIT_NONE] = "none",
	[MS_WAIT_MUTEX] = "mutex",
	[MS_WAIT_READ] = "rwmutex (read)",
	[MS_WAIT_WRITE] = "rwmutex (write)",
	[MS_WAIT_GROUP] = "waitgroup",
	[MS_WAIT_COND] = "cond",
	[MS_WAIT_SEMAPHORE] = "semaphore",
	[MS_WAIT_RECEIVE] = "channel receive",
	[MS_WAIT_SEND] = "channel send",
	[MS_WAIT_SELECT] = "select",
	[MS_WAIT_FOREVER] = "nothing that can come",
};

const char *ms_wait_kind_name(enum ms_wait_kind kind)
{
	return kind_names[kind];
}

/** Whether a name belongs to what stands between a wait and the code that waits. */
static bool is_between(const char *name)
{
	return !strncmp(name, "runtime.", 8) || !strncmp(name, "sync.", 5) ||
	       !strncmp(name, "internal/sync.", 14);
}

enum { QUEUES = 0x100 }; // Beside a kind.

/** A kind, with QUEUES or not. */
static uint32_t kind_find(const struct ms_functions *functions, const struct ms_frames *frames)
{
	uint32_t kind = MS_WAIT_NONE;
	size_t rank = 0;

	for (size_t i = 0; i < frames->count && i < FRAMES_LOOKED_AT; i++) {
		const struct ms_frame *f = &frames->items[i];
		struct ms_call calls[MS_CALLS_MAX];
		size_t count =
		    ms_function_calls(functions, f->function, ms_frame_call_pc(f), calls);

		for (size_t k = 0; k < count; k++) {
			if (!is_between(calls[k].name))
				return kind;
			for (size_t n = rank; n < MS_ARRAY_SIZE(waits_by_name); n++) {
				if (strcmp(calls[k].name, waits_by_name[n].function) != 0)
					continue;
				kind =
				    (uint32_t)waits_by_name[n].kind |
				    (kind == MS_WAIT_MUTEX && waits_by_name[n].kind == MS_WAIT_WRITE
					 ? QUEUES
					 : 0);
				rank = n + 1;
				break;
			}
		}
	}
	return kind;
}

/** The first function of @p count that is none between a wait and the code that waits. */
static const char *user_of(const struct ms_frames *frames, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!is_between(frames->items[i].function->name))
			return frames->items[i].function->name;
	}
	return NULL;
}

// --- Taking down. ---

struct ms_error *ms_waits_init(struct ms_waits *w, struct ms_go_runtime *rt)
{
	w->rt = rt;
	if (rt->layout->sudog_size > MS_SUDOG_BYTES_MAX)
		return ms_error_new(MS_ERR_INTERNAL, "a sudog is over %d bytes long",
				    MS_SUDOG_BYTES_MAX);
	return ms_go_functions(rt, &w->functions);
}

void ms_waits_reset(struct ms_waits *w)
{
	w->count = 0;
	w->choices.count = 0;
}

void ms_waits_deinit(struct ms_waits *w)
{
	ms_vec_free(w);
	ms_vec_free(&w->choices);
	ms_number_map_deinit(&w->known_of);
	ms_vec_free(&w->known);
	ms_fetch_deinit(&w->fetch);
}

/** The frame that keeps the sudog; MS_WAIT_NO_FRAME when there is none that does. */
static uint8_t waiting_frame(const struct ms_frames *frames)
{
	for (size_t i = 0; i < frames->count && i < FRAMES_LOOKED_AT; i++) {
		const char *name = frames->items[i].function->name;

		if (!strcmp(name, "runtime.semacquire1") ||
		    !strcmp(name, "runtime.notifyListWait") ||
		    !strcmp(name, "sync.runtime_notifyListWait"))
			return (uint8_t)i;
	}
	return MS_WAIT_NO_FRAME;
}

/** What the innermost frames say, asked once for all at the same addresses. */
static struct ms_error *known_get(struct ms_waits *w, const struct ms_frames *frames,
				  struct ms_wait_known *ret_known)
{
	size_t count = (size_t)ms_min_u64(frames->count, FRAMES_LOOKED_AT);
	uint64_t key = 1;
	const uint32_t *index;
	uint32_t kind;

	for (size_t i = 0; i < count; i++)
		key = ms_hash_number(key ^ frames->items[i].pc);
	index = ms_number_map_find(&w->known_of, key | 1);
	if (index) {
		*ret_known = w->known.items[*index];
		return NULL;
	}
	kind = kind_find(w->functions, frames);
	*ret_known = (struct ms_wait_known){ .user = user_of(frames, count),
					     .kind = (uint8_t)kind,
					     .frame = waiting_frame(frames),
					     .queues = kind & QUEUES };
	return ms_vec_push(&w->known, *ret_known) &&
		       ms_number_map_add(&w->known_of, key | 1, (uint32_t)w->known.count - 1)
		   ? NULL
		   : ms_error_no_memory();
}

struct ms_error *ms_waits_add(struct ms_waits *w, const struct ms_goroutine *g,
			      const struct ms_frames *frames, uint32_t row)
{
	struct ms_wait_known known;
	struct ms_error *err;
	struct ms_wait wait = { .g = g->address,
				.id = g->id,
				.since = g->wait_since,
				.sp = g->sp,
				.stack_lo = g->stack_lo,
				.stack_hi = g->stack_hi,
				.row = row };

	if ((g->status != MS_GO_WAITING && g->status != MS_GO_LEAKED) || !frames->count)
		return NULL;
	err = known_get(w, frames, &known);
	if (err || known.kind == MS_WAIT_NONE)
		return err;
	wait.kind = known.kind;
	wait.queues = known.queues;
	wait.user = known.user ? known.user : user_of(frames, frames->count);
	if (known.frame < frames->count) {
		const struct ms_frame *frame = &frames->items[known.frame];

		if (frame->end >= frame->sp && frame->end < g->stack_hi) {
			wait.frame = frame->sp;
			wait.end = ms_min_u64(frame->end + BEYOND_BYTES, g->stack_hi);
			wait.end = ms_min_u64(wait.end, wait.frame + SEARCH_BYTES_MAX);
		}
	}
	return ms_vec_push(w, wait) ? NULL : ms_error_no_memory();
}

// --- Sudogs. ---

/** One batch of waits in the making. */
struct finder {
	struct ms_waits *w;
	const struct ms_go_layout *layout;
	struct ms_wait *items;
	size_t count;
	ms_addr *sudogs; // The first sudog of each; 0: not known.
	uint32_t slot;   // Where in the frame it was found before.
};

static bool is_sudog_of(const struct finder *f, const struct ms_wait *wait, const uint8_t *raw)
{
	struct ms_sudog s = ms_sudog_parse(f->layout, raw);

	// A condition's has no elem before Go 1.26.
	return s.g == wait->g && !s.channel && (s.elem || wait->kind == MS_WAIT_COND) &&
	       (s.elem & 3) == 0;
}

/** What g.waiting says of each. */
static struct ms_error *read_waiting(struct finder *f)
{
	struct ms_fetch *fetch = &f->w->fetch;
	struct ms_error *err = NULL;
	uint32_t index;

	ms_fetch_reset(fetch);
	for (size_t i = 0; i < f->count && !err; i++)
		err = ms_fetch_add(fetch, f->items[i].g + f->layout->g_waiting, 8, &index);
	if (!err)
		err = ms_fetch_run(fetch, f->w->rt->target);
	for (size_t i = 0; i < f->count && !err; i++) {
		const uint8_t *raw = ms_fetch_bytes(fetch, (uint32_t)i);

		f->sudogs[i] = raw ? ms_load_u64(raw) : 0;
	}
	return err;
}

/** Whether a word of a frame can lead to a sudog: those are objects of the heap. */
static bool may_be_sudog(const struct ms_wait *wait, ms_addr word)
{
	return word > UINT32_MAX / 2 && !(word & 7) && word >> 56 == 0 &&
	       !(word >= wait->stack_lo && word < wait->stack_hi);
}

/** A place in a frame that was read, and the want of what it may lead to. */
struct candidate {
	uint32_t item, want, slot;
};

static void candidates_judge(struct finder *f, const struct candidate *c, size_t count)
{
	struct ms_fetch *fetch = &f->w->fetch;

	for (size_t i = 0; i < count; i++) {
		const uint8_t *raw = ms_fetch_bytes(fetch, c[i].want);

		if (!raw || f->sudogs[c[i].item] || !is_sudog_of(f, &f->items[c[i].item], raw))
			continue;
		f->sudogs[c[i].item] = fetch->wants[c[i].want].addr;
		f->slot = c[i].slot;
	}
}

/** Look through the frames of those from @p first on that have no sudog yet: all, or one word. */
static struct ms_error *search_frames(struct finder *f, size_t first, size_t end, uint32_t slot)
{
	struct {
		struct candidate *items;
		size_t count, capacity;
	} found = { 0 };
	struct ms_fetch *fetch = &f->w->fetch;
	struct ms_error *err = NULL;
	size_t frames;

	ms_fetch_reset(fetch);
	for (size_t i = first; i < end && !err; i++) {
		const struct ms_wait *wait = &f->items[i];
		bool one = slot != SLOT_UNKNOWN;
		ms_addr start = wait->frame + (one ? slot : 0);
		uint32_t want;

		if (f->sudogs[i] || !wait->frame || start + 8 > wait->end)
			continue;
		err = ms_fetch_add(fetch, start, one ? 8 : (uint32_t)(wait->end - start), &want);
		if (!err && !ms_vec_push(&found, { (uint32_t)i, want, 0 }))
			err = ms_error_no_memory();
	}
	frames = found.count;
	if (!err && frames)
		err = ms_fetch_run(fetch, f->w->rt->target);
	for (size_t i = 0; i < frames && !err; i++) {
		uint32_t size = fetch->wants[found.items[i].want].size;
		ms_addr start = fetch->wants[found.items[i].want].addr;
		const struct ms_wait *wait = &f->items[found.items[i].item];

		for (uint32_t at = 0; at + 8 <= size && !err; at += 8) {
			const uint8_t *raw = ms_fetch_bytes(fetch, found.items[i].want);
			ms_addr word = raw ? ms_load_u64(raw + at) : 0;
			struct candidate c = { found.items[i].item, 0,
					       (uint32_t)(start - wait->frame) + at };

			if (!may_be_sudog(wait, word))
				continue;
			err = ms_fetch_add(fetch, word, f->layout->sudog_size, &c.want);
			if (!err && !ms_vec_push(&found, c))
				err = ms_error_no_memory();
		}
	}
	if (!err && found.count > frames) {
		err = ms_fetch_run_from(fetch, f->w->rt->target, frames);
		if (!err)
			candidates_judge(f, found.items + frames, found.count - frames);
	}
	free(found.items);
	return err;
}

static struct ms_error *search(struct finder *f)
{
	size_t first = (size_t)ms_min_u64(f->count, LEARN_FROM);
	struct ms_error *err = search_frames(f, 0, first, SLOT_UNKNOWN);

	if (!err && f->slot != SLOT_UNKNOWN)
		err = search_frames(f, first, f->count, f->slot);
	return err ? err : search_frames(f, first, f->count, SLOT_UNKNOWN);
}

// --- From sudogs to what is waited for. ---

static struct ms_error *choice_add(struct finder *f, size_t i, ms_addr channel)
{
	size_t wait = (size_t)(f->items - f->w->items) + i;

	f->items[i].choices++;
	return ms_vec_push(&f->w->choices, { channel, wait }) ? NULL : ms_error_no_memory();
}

static int by_wait(const void *a, const void *b)
{
	const struct ms_wait_choice *x = a, *y = b;

	if (x->wait != y->wait)
		return x->wait < y->wait ? -1 : 1;
	return x->channel < y->channel ? -1 : x->channel > y->channel;
}

static void sort_choices(struct ms_waits *w)
{
	if (!w->choices.count)
		return;
	qsort(w->choices.items, w->choices.count, sizeof(*w->choices.items), by_wait);
	for (size_t i = w->choices.count; i-- > 0;)
		w->items[w->choices.items[i].wait].first_choice = (uint32_t)i;
}

static struct ms_error *sudog_take(struct finder *f, size_t i, const uint8_t *raw,
				   ms_addr *ret_next)
{
	struct ms_wait *wait = &f->items[i];
	struct ms_sudog s = ms_sudog_parse(f->layout, raw);

	*ret_next = 0;
	if (s.g != wait->g)
		return NULL;
	switch ((enum ms_wait_kind)wait->kind) {
	case MS_WAIT_RECEIVE:
	case MS_WAIT_SEND:
		wait->object = s.channel;
		return NULL;
	case MS_WAIT_SELECT:
		*ret_next = s.link;
		return s.channel ? choice_add(f, i, s.channel) : NULL;
	default:
		if (!s.channel && !(s.elem & 3))
			wait->object = s.elem;
		return NULL;
	}
}

/** The sudogs of all, and along their links those of selects: one of each select at a time. */
static struct ms_error *follow_sudogs(struct finder *f)
{
	MS_AUTO_FREE ms_addr *next = calloc(f->count + 1, sizeof(*next));
	struct ms_fetch *fetch = &f->w->fetch;
	bool more = true;

	if (!next)
		return ms_error_no_memory();
	memcpy(next, f->sudogs, f->count * sizeof(*next));
	for (unsigned round = 0; round < CHOICES_MAX && more; round++) {
		struct ms_error *err = NULL;
		uint32_t want = 0;

		ms_fetch_reset(fetch);
		for (size_t i = 0; i < f->count && !err; i++) {
			if (next[i])
				err = ms_fetch_add(fetch, next[i], f->layout->sudog_size, &want);
		}
		if (!err && fetch->count)
			err = ms_fetch_run(fetch, f->w->rt->target);
		more = false;
		want = 0;
		for (size_t i = 0; i < f->count && !err; i++) {
			const uint8_t *raw = next[i] ? ms_fetch_bytes(fetch, want++) : NULL;

			next[i] = 0;
			if (raw)
				err = sudog_take(f, i, raw, &next[i]);
			more |= next[i] != 0;
		}
		if (err)
			return err;
	}
	return NULL;
}

// --- All. ---

/** Those that went on while they were looked at have told nothing. */
static struct ms_error *confirm(struct finder *f)
{
	for (size_t i = 0; i < f->count; i += MS_GOROUTINES_REREAD_MAX) {
		struct ms_goroutine before[MS_GOROUTINES_REREAD_MAX];
		struct ms_goroutine after[MS_GOROUTINES_REREAD_MAX];
		size_t count = (size_t)ms_min_u64(MS_GOROUTINES_REREAD_MAX, f->count - i);
		struct ms_error *err;

		for (size_t k = 0; k < count; k++)
			before[k] = (struct ms_goroutine){ .address = f->items[i + k].g };
		err = ms_goroutines_reread(f->w->rt, before, count, after);
		if (err)
			return err;
		for (size_t k = 0; k < count; k++) {
			struct ms_wait *wait = &f->items[i + k];

			wait->ended =
			    after[k].id != wait->id || after[k].sp != wait->sp ||
			    (after[k].status != MS_GO_WAITING && after[k].status != MS_GO_LEAKED) ||
			    // The runtime notes the time when it first sees it wait.
			    (wait->since && after[k].wait_since != wait->since);
		}
	}
	return NULL;
}

static struct ms_error *batch_find(struct finder *f)
{
	struct ms_error *err = read_waiting(f);

	if (!err)
		err = search(f);
	if (!err)
		err = follow_sudogs(f);
	if (!err)
		err = ms_wait_conds_find(f->w, f->items, f->sudogs, f->count);
	return err ? err : confirm(f);
}

struct ms_error *ms_waits_find(struct ms_waits *w)
{
	MS_AUTO_FREE ms_addr *sudogs = calloc(BATCH, sizeof(*sudogs));
	struct finder f = {
		.w = w, .layout = w->rt->layout, .sudogs = sudogs, .slot = SLOT_UNKNOWN
	};
	struct ms_error *err = NULL;

	if (!sudogs)
		return ms_error_no_memory();
	for (size_t i = 0; i < w->count && !err; i += BATCH) {
		f.items = w->items + i;
		f.count = (size_t)ms_min_u64(BATCH, w->count - i);
		err = batch_find(&f);
	}
	sort_choices(w);
	return err;
}
