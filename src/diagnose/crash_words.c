// crash_words.c - a fatal error's text is a constant of the runtime's, which the frame of
// runtime.throw (or fatal) holds for the closure that prints it (runtime/panic.go, Go 1.18 to
// 1.27):
//
//	throw's frame: ... closure { code, text, length } ...    text in a read-only segment
//
// A panic's value is data of the program's and is not read: the function that raised it says what
// the runtime means by it, where that is the runtime's own.
#include "diagnose/crash_words.h"

#include "base/cleanup.h"
#include "diagnose/crash_dead.h"
#include "golang/stopped.h"

#include <stdlib.h>
#include <string.h>

enum {
	TEXT_BYTES_MIN = 3,
	TEXT_BYTES_MAX = 200, // The runtime's longest are of about 100.
	FRAME_BYTES_MAX = 4096,
	THREAD_BYTES_MAX = 16 << 10,
	THREADS_MAX = 1 << 14,
};

/** What a panic is for, by how the name of the function that raised it begins. */
static const struct raiser {
	const char *prefix, *words;
} raisers[] = {
	{ "runtime.mapassign", "assignment to entry in nil map" },
	{ "runtime.panicmem", "invalid memory address or nil pointer dereference" },
	{ "runtime.sigpanic", "a fault of the processor (SIGSEGV, SIGBUS or SIGFPE)" },
	{ "runtime.goPanicSliceConvert", "conversion of a slice to a longer array" },
	{ "runtime.panicSliceConvert", "conversion of a slice to a longer array" },
	{ "runtime.goPanic", "index or slice bounds out of range" },
	{ "runtime.panicBounds", "index or slice bounds out of range, or a slice that is short of "
				 "an array" },
	{ "runtime.panicIndex", "index or slice bounds out of range" },
	{ "runtime.panicSlice", "index or slice bounds out of range" },
	{ "runtime.panicdivide", "integer divide by zero" },
	{ "runtime.panicshift", "negative shift amount" },
	{ "runtime.panicdottype", "interface conversion" },
	{ "runtime.panicnildottype", "interface conversion" },
	{ "runtime.panicwrap", "value method called with a nil pointer" },
	{ "runtime.typehash", "hash of unhashable type" },
	{ "runtime.interhash", "hash of unhashable type" },
	{ "runtime.nilinterhash", "hash of unhashable type" },
	{ "runtime.efaceeq", "comparing uncomparable type" },
	{ "runtime.ifaceeq", "comparing uncomparable type" },
	{ "runtime.chansend", "send on closed channel" },
	{ "runtime.closechan", "close of a nil or closed channel" },
	{ "runtime.panicmakeslice", "makeslice: a length or capacity out of range" },
	{ "runtime.growslice", "growslice: length out of range" },
};

static bool is_named(const struct ms_frame *frame, const char *name)
{
	return !strcmp(frame->function->name, name);
}

/** The outermost of those that are handed the text: sync.throw only hands it on. */
static const struct ms_frame *fatal_frame(const struct ms_frames *frames)
{
	for (size_t i = 0; i < frames->count; i++) {
		if (is_named(&frames->items[i], "runtime.throw") ||
		    is_named(&frames->items[i], "runtime.fatal"))
			return &frames->items[i];
	}
	return NULL;
}

static bool is_constant(const struct ms_elf *elf, ms_addr address, uint64_t size)
{
	for (size_t i = 0; i < elf->segment_count; i++) {
		const struct ms_elf_segment *s = &elf->segments[i];
		uint64_t at = address - elf->bias - s->vaddr;

		if (!(s->prot & MS_PROT_WRITE) && at < s->file_bytes && size <= s->file_bytes - at)
			return true;
	}
	return false;
}

static bool is_text(const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (bytes[i] < ' ' || bytes[i] > '~')
			return false;
	}
	return true;
}

/** The one constant text that a frame holds; two may be anything. */
static struct ms_error *text_of_frame(struct ms_go_runtime *rt, struct ms_crash_report *r,
				      const uint8_t *frame, size_t size)
{
	char text[TEXT_BYTES_MAX], found[TEXT_BYTES_MAX];
	size_t length = 0;

	for (size_t at = 0; at + 16 <= size; at += 8) {
		ms_addr address = ms_load_u64(frame + at);
		uint64_t bytes = ms_load_u64(frame + at + 8);
		struct ms_error *err;

		if (bytes < TEXT_BYTES_MIN || bytes > TEXT_BYTES_MAX ||
		    !is_constant(&rt->elf, address, bytes))
			continue;
		err = ms_target_read(rt->target, address, text, bytes);
		if (err)
			return err;
		if (!is_text(text, bytes) || (length == bytes && !memcmp(text, found, bytes)))
			continue;
		if (length)
			return NULL;
		length = bytes;
		memcpy(found, text, bytes);
	}
	if (!length)
		return NULL;
	r->words = ms_arena_strndup(&r->census->arena, found, length);
	return r->words ? NULL : ms_error_no_memory();
}

/** The text of the fatal error that a stack ends in, if it does. */
static struct ms_error *fatal_words(struct ms_go_runtime *rt, struct ms_crash_report *r,
				    const struct ms_frames *frames)
{
	const struct ms_frame *at = fatal_frame(frames);
	uint8_t frame[FRAME_BYTES_MAX];
	struct ms_error *err;

	if (!at)
		return NULL;
	r->ended_by = MS_ENDED_FATAL;
	if (at->end <= at->sp || at->end - at->sp > sizeof(frame))
		return NULL;
	err = ms_target_read(rt->target, at->sp, frame, (size_t)(at->end - at->sp));
	return err ? err : text_of_frame(rt, r, frame, (size_t)(at->end - at->sp));
}

/** Who called gopanic, on a stack that died of it; NULL: it did not. */
static const struct ms_frame *raiser_frame(const struct ms_frames *frames)
{
	bool is_fatal = false;

	for (size_t i = 0; i + 1 < frames->count; i++) {
		is_fatal |= is_named(&frames->items[i], "runtime.fatalpanic");
		if (is_fatal && is_named(&frames->items[i], "runtime.gopanic"))
			return &frames->items[i + 1];
	}
	return NULL;
}

static struct ms_error *panic_words(struct ms_crash_report *r, const struct ms_frames *frames)
{
	const struct ms_frame *at = raiser_frame(frames);
	const char *name;

	if (!at)
		return NULL;
	r->ended_by = MS_ENDED_PANIC;
	name = at->function->name;
	for (size_t i = 0; i < MS_ARRAY_SIZE(raisers) && !r->words; i++) {
		if (!strncmp(name, raisers[i].prefix, strlen(raisers[i].prefix)))
			r->words = raisers[i].words;
	}
	if (r->words)
		return NULL;
	r->raised_in = ms_arena_strndup(&r->census->arena, name, strlen(name));
	return r->raised_in ? NULL : ms_error_no_memory();
}

/** The frames of a thread, on whichever stack it was as it was told to end. */
static struct ms_error *thread_frames(struct ms_crash_stacks *s,
				      const struct ms_thread_state *thread)
{
	MS_AUTO_FREE uint8_t *bytes = malloc(THREAD_BYTES_MAX);
	struct ms_stack_image image = { .bytes = bytes };
	struct ms_thread_state before;
	struct ms_error *err;

	s->frames.count = 0;
	if (!bytes)
		return ms_error_no_memory();
	err = ms_thread_before_signal(s->rt, thread, &before);
	if (!err)
		err = ms_stack_read(s->rt, before.sp, bytes, THREAD_BYTES_MAX, &image.size);
	if (err || !image.size)
		return err;
	image.pc = before.pc;
	image.sp = image.stack_lo = before.sp;
	image.bp = before.bp;
	image.lr = before.lr;
	image.stack_hi = before.sp + image.size;
	return ms_unwind_image(s->unwinder, &image, &s->frames);
}

/** The thread that called throw on a stack of the runtime's own; its goroutine, if it has one. */
static struct ms_error *words_of_threads(struct ms_crash_stacks *s, struct ms_crash_report *r,
					 const struct ms_goroutine_row **ret_row)
{
	struct ms_error *err = NULL;
	size_t count, i;
	const struct ms_thread_state *threads = ms_target_threads(s->rt->target, &count);

	for (i = 0; i < count && i < THREADS_MAX && r->ended_by == MS_ENDED_UNKNOWN; i++) {
		err = thread_frames(s, &threads[i]);
		if (!err)
			err = fatal_words(s->rt, r, &s->frames);
		err = ms_crash_leave_out(err);
		if (err)
			return err;
	}
	if (r->ended_by == MS_ENDED_UNKNOWN)
		return NULL;
	*ret_row = ms_crash_on_thread(r, threads[i - 1].id);
	ms_crash_set_dead(r, *ret_row);
	return NULL;
}

static struct ms_error *words_of_goroutine(struct ms_crash_stacks *s, struct ms_crash_report *r,
					   const struct ms_goroutine_row *dead)
{
	struct ms_error *err = ms_crash_unwind(s, dead);

	if (!err)
		err = fatal_words(s->rt, r, &s->frames);
	if (!err && r->ended_by == MS_ENDED_UNKNOWN)
		err = panic_words(r, &s->frames);
	return ms_crash_leave_out(err);
}

/** The type of the map that it was at. */
static struct ms_error *map_type_of_call(struct ms_crash_stacks *s, struct ms_crash_report *r,
					 const struct ms_goroutine_row *dead)
{
	struct ms_map_use use;
	struct ms_error *err = ms_crash_use_of_caller(s, dead, &use);

	if (!err)
		r->map_type = ms_crash_type_name(s, r, &use);
	return err;
}

struct ms_error *ms_crash_find_words(struct ms_crash_stacks *s, struct ms_crash_report *r,
				     const struct ms_goroutine_row *dead)
{
	struct ms_error *err = dead ? words_of_goroutine(s, r, dead) : NULL;

	if (!err && r->ended_by == MS_ENDED_UNKNOWN && r->signal)
		err = words_of_threads(s, r, &dead);
	if (err || r->ended_by == MS_ENDED_UNKNOWN || !dead || dead->role == MS_ROLE_NONE)
		return err;
	return map_type_of_call(s, r, dead);
}
