// stopped.c - a thread's registers, found through the M that ran the goroutine.
//
//	g.m -> m.procid -> thread of the core -> sp is on
//	                                           its own stack:  these registers
//	                                           m.gsignal's:    a signal came; the kernel saved
// the registers 	                                                           there (ucontext),
// and says so by 	                                                           naming that stack
// in them 	                                           m.g0's:         the runtime works for it,
// and saved 	                                                           where it was in g.sched
// (systemstack)
//
// A Go program that dies under GOTRACEBACK=crash sends SIGQUIT to all its threads first: each is in
// a handler then, and where it was is in such a ucontext alone.
#include "golang/stopped.h"

#include "base/cleanup.h"

#include <stdlib.h>

enum {
	SIGNAL_STACK_MAX = 256 << 10, // The runtime gives 32 KiB, C's sigaltstack more.
	SIGNAL_FRAMES_MAX = 32 << 10, // Of these in use.
	STACK_BYTES_LEAST = 512,
	UCONTEXT_SCAN_STEP = 8,
	// struct ucontext of the kernel: uc_flags, uc_link, uc_stack { sp, flags, size }, mcontext.
	UC_STACK_SP = 16,
	UC_STACK_SIZE = 32,
	UC_AMD64_BP = 40 + 10 * 8, // r8 to r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip.
	UC_AMD64_SP = 40 + 15 * 8,
	UC_AMD64_PC = 40 + 16 * 8,
	UC_ARM64_REGISTERS = 176 + 8, // Behind the mask, aligned to 16, and the fault address.
	UC_ARM64_BP = UC_ARM64_REGISTERS + 29 * 8,
	UC_ARM64_LR = UC_ARM64_REGISTERS + 30 * 8,
	UC_ARM64_SP = UC_ARM64_REGISTERS + 31 * 8,
	UC_ARM64_PC = UC_ARM64_REGISTERS + 32 * 8,
	UC_BYTES = UC_ARM64_PC + 8,
};

struct place {
	ms_addr pc, sp, bp, lr;
};

static bool is_on_stack(const struct ms_goroutine *g, ms_addr sp)
{
	return sp > g->stack_lo && sp <= g->stack_hi;
}

static void take(struct ms_goroutine *g, const struct place *at)
{
	g->pc = at->pc;
	g->sp = at->sp;
	g->bp = at->bp;
	g->lr = at->lr;
	g->is_stopped = g->at_instruction = true;
}

static const struct ms_thread_state *thread_of(struct ms_target *t, uint64_t id)
{
	size_t count;
	const struct ms_thread_state *threads = ms_target_threads(t, &count);

	for (size_t i = 0; i < count; i++) {
		if (threads[i].id == id)
			return &threads[i];
	}
	return NULL;
}

/** A signal's stack; of one that is not known, an address in it. */
struct signal_stack {
	ms_addr lo, hi; // 0: not known.
	ms_addr sp;
};

/** Whether the kernel saved registers at @p uc that says it is on that stack. */
static bool is_on_signal_stack(const uint8_t *uc, const struct signal_stack *stack)
{
	ms_addr lo = ms_load_u64(uc + UC_STACK_SP);
	uint64_t size = ms_load_u64(uc + UC_STACK_SIZE);

	if (stack->hi)
		return lo == stack->lo && size == stack->hi - stack->lo;
	return size <= SIGNAL_STACK_MAX && lo <= stack->sp && stack->sp - lo < size;
}

/** The registers that the kernel saved on a signal's stack, of which @p bytes are. */
static bool saved_registers(enum ms_arch arch, const uint8_t *bytes, size_t size,
			    const struct signal_stack *stack, struct place *ret)
{
	bool is_amd64 = arch == MS_ARCH_AMD64;

	for (size_t at = 0; at + UC_BYTES <= size; at += UCONTEXT_SCAN_STEP) {
		const uint8_t *uc = bytes + at;

		if (!is_on_signal_stack(uc, stack))
			continue;
		*ret = is_amd64 ? (struct place){ .pc = ms_load_u64(uc + UC_AMD64_PC),
						  .sp = ms_load_u64(uc + UC_AMD64_SP),
						  .bp = ms_load_u64(uc + UC_AMD64_BP) }
				: (struct place){ .pc = ms_load_u64(uc + UC_ARM64_PC),
						  .sp = ms_load_u64(uc + UC_ARM64_SP),
						  .bp = ms_load_u64(uc + UC_ARM64_BP),
						  .lr = ms_load_u64(uc + UC_ARM64_LR) };
		return true;
	}
	return false;
}

/** True: the thread is in a signal's handler, and *ret is where the signal met it. */
static bool before_signal(struct ms_go_runtime *rt, ms_addr gsignal, ms_addr sp, struct place *ret)
{
	const struct ms_go_layout *l = rt->layout;
	uint8_t word[16], *bytes;
	ms_addr lo, hi;
	struct ms_error *err = ms_target_read(rt->target, gsignal + l->g_stack_lo, word, 8);
	bool found = false;

	if (!err)
		err = ms_target_read(rt->target, gsignal + l->g_stack_hi, word + 8, 8);
	lo = ms_load_u64(word);
	hi = ms_load_u64(word + 8);
	if (err || sp <= lo || sp >= hi || hi - lo > SIGNAL_STACK_MAX) {
		ms_error_free(err);
		return false;
	}
	bytes = malloc(hi - sp);
	if (!bytes)
		return false;
	err = ms_target_read(rt->target, sp, bytes, hi - sp);
	if (!err)
		found = saved_registers(rt->elf.arch, bytes, hi - sp,
					&(struct signal_stack){ lo, hi, sp }, ret);
	ms_error_free(err);
	free(bytes);
	return found;
}

/** A word of an M; 0 where there is none. */
static struct ms_error *m_word(struct ms_go_runtime *rt, ms_addr m, uint32_t offset,
			       ms_addr *ret_word)
{
	uint8_t raw[8];
	struct ms_error *err = ms_target_read(rt->target, m + offset, raw, sizeof(raw));

	*ret_word = 0;
	if (err && ms_error_code(err) == MS_ERR_FAULT) {
		ms_error_free(err);
		return NULL;
	}
	if (!err)
		*ret_word = ms_load_u64(raw);
	return err;
}

/** The thread of the M that runs @p g; NULL: it runs on none that is known. */
static struct ms_error *thread_find(struct ms_go_runtime *rt, const struct ms_goroutine *g,
				    const struct ms_thread_state **ret_thread)
{
	struct ms_error *err;
	size_t count;
	ms_addr id;

	*ret_thread = NULL;
	if (g->status != MS_GO_RUNNING || !g->m || !ms_target_threads(rt->target, &count))
		return NULL;
	err = m_word(rt, g->m, rt->layout->m_procid, &id);
	if (!err && id)
		*ret_thread = thread_of(rt->target, id);
	return err;
}

/** Where the thread was, in a signal's handler or not, if it is on the stack of @p on. */
static struct ms_error *place_find(struct ms_go_runtime *rt, const struct ms_thread_state *thread,
				   ms_addr m, const struct ms_goroutine *on, struct place *ret)
{
	ms_addr gsignal;
	struct ms_error *err;

	*ret = (struct place){ thread->pc, thread->sp, thread->bp, thread->lr };
	if (is_on_stack(on, ret->sp))
		return NULL;
	err = m_word(rt, m, rt->layout->m_gsignal, &gsignal);
	if (!err && gsignal)
		(void)before_signal(rt, gsignal, thread->sp, ret);
	return err;
}

struct ms_error *ms_goroutine_stop(struct ms_go_runtime *rt, struct ms_goroutine *g)
{
	const struct ms_thread_state *thread;
	struct place at;
	struct ms_error *err = thread_find(rt, g, &thread);

	if (!err && thread)
		err = place_find(rt, thread, g->m, g, &at);
	if (err || !thread)
		return err;
	if (is_on_stack(g, at.sp))
		take(g, &at);
	else if (is_on_stack(g, g->sp))
		g->is_stopped = true; // On g0: saved in g.sched, as of one that rests.
	return NULL;
}

struct ms_error *ms_goroutine_system_stack(struct ms_go_runtime *rt, const struct ms_goroutine *g,
					   struct ms_goroutine *ret_system, bool *ret_is_there)
{
	const struct ms_go_layout *l = rt->layout;
	struct ms_goroutine system = { .m = g->m, .status = MS_GO_RUNNING };
	const struct ms_thread_state *thread;
	struct place at;
	struct ms_error *err = thread_find(rt, g, &thread);

	*ret_is_there = false;
	if (err || !thread)
		return err;
	err = m_word(rt, g->m, l->m_g0, &system.address);
	if (!err && system.address)
		err = m_word(rt, system.address, l->g_stack_lo, &system.stack_lo);
	if (!err && system.address)
		err = m_word(rt, system.address, l->g_stack_hi, &system.stack_hi);
	if (!err)
		err = place_find(rt, thread, g->m, &system, &at);
	if (err || !is_on_stack(&system, at.sp))
		return err;
	take(&system, &at);
	*ret_system = system;
	*ret_is_there = true;
	return NULL;
}

struct ms_error *ms_stack_read(struct ms_go_runtime *rt, ms_addr sp, uint8_t *bytes, size_t size,
			       size_t *ret_size)
{
	struct ms_error *err = NULL;

	for (*ret_size = 0; size >= STACK_BYTES_LEAST; size /= 2) {
		err = ms_target_read(rt->target, sp, bytes, size);
		if (!err)
			*ret_size = size;
		if (!err || ms_error_code(err) != MS_ERR_FAULT)
			return err;
		ms_error_free(err);
	}
	return NULL;
}

struct ms_error *ms_thread_before_signal(struct ms_go_runtime *rt,
					 const struct ms_thread_state *thread,
					 struct ms_thread_state *ret_before)
{
	MS_AUTO_FREE uint8_t *bytes = malloc(SIGNAL_FRAMES_MAX);
	struct place at;
	size_t size;
	struct ms_error *err;

	*ret_before = *thread;
	if (!bytes)
		return ms_error_no_memory();
	err = ms_stack_read(rt, thread->sp, bytes, SIGNAL_FRAMES_MAX, &size);
	if (err || !saved_registers(rt->elf.arch, bytes, size,
				    &(struct signal_stack){ .sp = thread->sp }, &at))
		return err;
	ret_before->pc = at.pc;
	ret_before->sp = at.sp;
	ret_before->bp = at.bp;
	ret_before->lr = at.lr;
	return NULL;
}
