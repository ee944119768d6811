// A function table with some bytes changed, and a stack over it.
//
//	1 byte  the architecture      1 byte  how many changes      2 bytes place, 1 byte value each
//	2 bytes each: where it was left in the text, on the stack, its frame pointer, its register
//	2 bytes each: words of the stack, places in the text where they are even, else on the stack
#include "golang/calls.h"
#include "golang/unwind.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/input.h"
#include "tests/support/fake_functions.h"

static const struct fake_function list[] = {
	{ .name = "runtime.goexit", .bytes = 32, .line = 10, .flags = 1 },
	{ .name = "runtime.gopark", .bytes = 64, .frame_bytes = 32, .line = 20 },
	{ .name = "main.F[int]", .bytes = 64, .frame_bytes = 48, .line = 30, .inlined = "main.G" },
	{ .name = "runtime.sigpanic", .bytes = 64, .frame_bytes = 16, .line = 40 },
	{ .name = "runtime.systemstack", .bytes = 64, .frame_bytes = 16, .line = 50, .flags = 2 },
	{ .name = "main.(*T).wrapped", .bytes = 64, .frame_bytes = 8, .line = 70, .id = 23 },
	{ .name = "main.last", .bytes = 64, .frame_bytes = 8, .line = 80 },
	// Tells no frame.  The last function is no part of the sample that must be sound.
	{ .name = "main._cgo", .bytes = 64, .frame_bytes = 1, .line = 60 },
};

static ms_addr place(struct fuzz_input *in)
{
	uint64_t number = fuzz_number(in, 2);

	return number & 1 ? FAKE_STACK_LO + number - 1 : FAKE_TEXT + number / 2;
}

static void change(struct fake_functions *fake, struct fuzz_input *in)
{
	for (uint64_t n = fuzz_number(in, 1); n; n--) {
		uint64_t at = fuzz_number(in, 2);

		fake->exe[at % fake->exe_bytes] = (uint8_t)fuzz_number(in, 1);
	}
	fake_functions_commit(fake);
}

static void ask(const struct ms_functions *f, const struct ms_function *fn, ms_addr pc)
{
	struct ms_call calls[MS_CALLS_MAX];
	size_t count = ms_function_calls(f, fn, pc, calls);
	char name[64];

	FUZZ_CHECK(count >= 1 && count <= MS_CALLS_MAX);
	for (size_t i = 0; i < count; i++) {
		FUZZ_CHECK(!calls[i].file || strlen(calls[i].file) < FAKE_TABLE_BYTES);
		ms_function_name_print(calls[i].name, name, sizeof(name));
		FUZZ_CHECK(strlen(name) < sizeof(name));
	}
}

static struct ms_error *take(const struct ms_goroutine *g, const struct ms_frames *frames,
			     void *context)
{
	bool *taken = context;

	FUZZ_CHECK(g->address == FAKE_STACK_LO && frames->count <= MS_FRAMES_MAX);
	*taken = true;
	return NULL;
}

/** Likewise among many: what stands at the bottom of its stack stands for the goroutine itself. */
static void unwind_each(struct ms_unwinder *u, struct ms_goroutine *g)
{
	const struct ms_goroutines all = { .items = g, .count = 1 };
	bool taken = false;

	g->address = FAKE_STACK_LO;
	if (fuzz_worked(ms_unwind_each(u, &all, take, &taken)))
		FUZZ_CHECK(taken);
}

static void unwind(struct fake_functions *fake, const struct ms_functions *f, struct fuzz_input *in)
{
	struct ms_goroutine g = { .stack_lo = FAKE_STACK_LO,
				  .stack_hi = FAKE_STACK_LO + sizeof(fake->stack),
				  .status = MS_GO_WAITING };
	struct ms_unwinder *u;
	struct ms_frames frames;

	g.pc = place(in);
	g.sp = place(in);
	g.bp = place(in);
	g.lr = place(in);
	for (size_t i = 0; i < FAKE_STACK_WORDS && in->left; i++)
		fake->stack[i] = place(in);
	if (!fuzz_worked(ms_unwinder_create(&fake->rt, &u)))
		return;
	if (fuzz_worked(ms_unwind(u, &g, &frames))) {
		FUZZ_CHECK(frames.count <= MS_FRAMES_MAX && ms_unwind_end_text(frames.ended));
		for (size_t i = 0; i < frames.count; i++) {
			FUZZ_CHECK(frames.items[i].function->entry <= frames.items[i].pc);
			FUZZ_CHECK(!i || frames.items[i].sp >= frames.items[i - 1].sp);
			ask(f, frames.items[i].function, ms_frame_call_pc(&frames.items[i]));
		}
		ms_unwind_owner(&frames, g.sp);
	}
	unwind_each(u, &g);
	ms_unwinder_destroy(u);
}

MS_FUZZ_TARGET(functions)
{
	struct fuzz_input in = { data, size };
	enum ms_arch arch = fuzz_number(&in, 1) & 1 ? MS_ARCH_ARM64 : MS_ARCH_AMD64;
	struct fake_functions *fake = fake_functions_create(list, MS_ARRAY_SIZE(list), arch);
	const struct ms_functions *f;

	change(fake, &in);
	if (fuzz_worked(ms_go_functions(&fake->rt, &f))) {
		for (size_t i = 0; i < f->count; i++) {
			FUZZ_CHECK(ms_functions_find(f, f->items[i].entry) == &f->items[i]);
			ask(f, &f->items[i], f->items[i].end - 1);
		}
		unwind(fake, f, &in);
	}
	fake_functions_destroy(fake);
}
