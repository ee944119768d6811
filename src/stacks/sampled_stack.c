// sampled_stack.c - which goroutine a thread was running, and its frames.
//
// Go code keeps the goroutine in a register (amd64 r14, arm64 x28).  Assembly may use the register
// for other things, and on the thread's own stack another g is in it: so what it points to must be
// a g on whose stack the stack pointer stands, and the outermost function of that stack must be the
// one the goroutine began with.  It is read some milliseconds later, and by then the goroutine may
// have ended or its stack have moved: then the sample is nobody's.
//
// The frames come from the bytes that were copied.  Where these end, the kernel's own walk by frame
// pointers, made at the same moment, goes on: it starts behind the return address that both have.
#include "stacks/sampled_stack.h"

enum {
	AMD64_G = 14,
	ARM64_G = 28,
};

static const uint64_t STACK_BYTES_UNKNOWN = 1 << 20; // Of a stack whose bounds are not known.

/** The g that was running; false when there is none that can be it. */
static bool g_find(struct ms_go_runtime *rt, const struct ms_cpu_sample *sample,
		   struct ms_goroutine *ret_g, struct ms_error **ret_err)
{
	ms_addr at = sample->registers[rt->elf.arch == MS_ARCH_AMD64 ? AMD64_G : ARM64_G];
	struct ms_goroutine g;
	struct ms_error *err;

	if (!at || (at & 7))
		return false;
	err = ms_goroutine_reread(rt, at, &g);
	if (err && ms_error_code(err) != MS_ERR_FAULT && ms_error_code(err) != MS_ERR_BAD_DATA) {
		*ret_err = err;
		return false;
	}
	ms_error_free(err);
	if (err || g.status == MS_GO_DEAD || sample->sp < g.stack_lo || sample->sp >= g.stack_hi)
		return false;
	*ret_g = g;
	return true;
}

/** Where the chain has the last return address of the frames; its count when it does not. */
static size_t chain_find(const struct ms_cpu_sample *sample, ms_addr pc)
{
	size_t i = 1;

	while (i < sample->chain_count && ms_load_u64(sample->chain + i * 8) != pc)
		i++;
	return i;
}

/** Whether each of the chain's return addresses is a frame's, as far as the bytes reach. */
static bool chain_agrees(const struct ms_cpu_sample *sample, const struct ms_frames *frames)
{
	size_t next = 1;

	for (size_t i = 1; i < sample->chain_count; i++) {
		ms_addr pc = ms_load_u64(sample->chain + i * 8);

		while (next < frames->count && frames->items[next].pc != pc)
			next++;
		if (next == frames->count)
			return frames->ended != MS_UNWIND_TOP;
		next++;
	}
	return true;
}

/** What frame pointers say beyond the copied bytes. */
static void chain_add(const struct ms_cpu_sample *sample, const struct ms_functions *functions,
		      struct ms_sampled_stack *s)
{
	size_t from = s->count ? chain_find(sample, s->pcs[s->count - 1].pc) + 1 : 1;

	for (size_t i = from; i < sample->chain_count && s->count < MS_FRAMES_MAX; i++) {
		ms_addr pc = ms_load_u64(sample->chain + i * 8);
		const struct ms_function *function = ms_functions_find(functions, pc - 1);

		if (!function)
			return;
		s->pcs[s->count++] = (struct ms_stack_pc){ pc, true };
		s->by_pointer++;
		if (function->flags & MS_FUNCTION_TOP) {
			s->cut = NULL;
			return;
		}
	}
}

/** Whether the stack begins as @p g did.  One whose beginning was not reached may be anybody's. */
static bool is_his(const struct ms_functions *functions, const struct ms_goroutine *g,
		   const struct ms_sampled_stack *s)
{
	struct ms_stack_pc first;

	if (s->cut || s->count < 2)
		return false;
	first = s->pcs[s->count - 2];
	return ms_functions_find(functions, first.pc - first.is_return) ==
	       ms_functions_find(functions, g->start_pc);
}

struct ms_error *ms_sampled_stack_make(struct ms_go_runtime *rt, struct ms_unwinder *unwinder,
				       const struct ms_cpu_sample *sample,
				       struct ms_sampled_stack *ret_stack)
{
	struct ms_sampled_stack *s = ret_stack;
	const struct ms_functions *functions;
	struct ms_error *err = ms_go_functions(rt, &functions);
	bool has_g = !err && g_find(rt, sample, &s->g, &err);

	if (err)
		return err;
	if (!has_g)
		s->g = (struct ms_goroutine){ .stack_lo = sample->sp,
					      .stack_hi = sample->sp + STACK_BYTES_UNKNOWN };
	s->image = (struct ms_stack_image){ .pc = sample->pc,
					    .sp = sample->sp,
					    .bp = sample->bp,
					    .lr = sample->lr,
					    .stack_lo = s->g.stack_lo,
					    .stack_hi = s->g.stack_hi,
					    .bytes = sample->stack,
					    .size = sample->stack_bytes };
	err = ms_unwind_image(unwinder, &s->image, &s->frames);
	if (err)
		return err;
	s->count = s->by_pointer = 0;
	for (size_t i = 0; i < s->frames.count; i++)
		s->pcs[s->count++] =
		    (struct ms_stack_pc){ s->frames.items[i].pc, s->frames.items[i].is_return };
	s->cut = s->frames.ended == MS_UNWIND_TOP ? NULL : ms_unwind_end_text(s->frames.ended);
	s->chain_agrees = chain_agrees(sample, &s->frames);
	if (s->count && s->cut)
		chain_add(sample, functions, s);
	if (has_g && (!s->count || !is_his(functions, &s->g, s)))
		s->g.id = 0;
	return NULL;
}
