// passed_values.c - see passed_values.h.
//
// The calling function is gone through (code_ways.h) with one thing kept for each register before
// each instruction: which word of the frame it has, or else which instruction made what it has.
// Where two ways bring different ones, nothing is known.  What an instruction made is what it made
// when it was last carried out, and what that one worked on is told in the same way:
//
//	mov rax, [rsp + 0x28]	a word of the frame: still there
//	mov rbx, [rax + 0x10]	a field behind it
//	call runtime.mapaccess1	rbx?
//
// A word that was read and is written before the call would be read wrongly, so a write forgets
// what came from there: from the same word of the frame, or from the same distance behind any other
// register.  A write through a pointer into the frame is not seen, nor is one by another goroutine.
// Who asks has to hold what comes of it against what it must be.
#include "golang/passed_values.h"

#include <stdlib.h>
#include <string.h>

enum {
	STEPS_MAX = 128, // Instructions looked at for one value, all frames together.
	CALLERS_MAX = 16,
	DEPTH_MAX = 16, // Between a value and what a write may have changed of it.
	WORD = 8,
};

/** What a register has: one of these, an instruction's index + MADE_BY, or IN_SLOT and a word. */
enum {
	UNKNOWN,
	AS_CALLED, // As the function was entered.
	MADE_BY,
	SLOT_MIDDLE = 1 << 29, // The word at the frame's end.
};

static const uint32_t IN_SLOT = (uint32_t)1 << 31;

struct state {
	uint32_t made[MS_CODE_REGISTERS];
	bool is_reached;
};

struct followed {
	const struct ms_functions *functions;
	struct ms_code_ways *ways;
	struct state *before; // Of each instruction.
};

// --- The code. ---

/** Memory that an instruction reads or writes. */
struct operand {
	enum { NOWHERE, FRAME, ABSOLUTE, BEHIND, ANYWHERE } where;
	uint64_t at; // In the frame from its end on.
	uint64_t bytes;
};

/** The word at @p at, counted from the frame's end on; UNKNOWN for what is none. */
static uint32_t slot_make(uint64_t at)
{
	int64_t word = (int64_t)at / WORD;

	if (at % WORD || word < -SLOT_MIDDLE || word >= SLOT_MIDDLE)
		return UNKNOWN;
	return IN_SLOT | (uint32_t)(word + SLOT_MIDDLE);
}

static uint64_t slot_at(uint32_t made)
{
	return ((uint64_t)(made & ~IN_SLOT) - SLOT_MIDDLE) * WORD;
}

static struct operand operand_of(const struct followed *f, const struct ms_code_step *s)
{
	const struct ms_insn *insn = &s->insn;
	uint64_t words = insn->second == MS_CODE_NONE ? 1 : 2;
	struct operand o = { BEHIND, insn->value, insn->bytes * words };

	if (!insn->bytes)
		return (struct operand){ .where = ANYWHERE };
	if (insn->base == f->ways->stack_pointer)
		return (struct operand){ FRAME, insn->value - s->frame_bytes, o.bytes };
	if (insn->base == MS_CODE_NONE)
		o.where = ABSOLUTE;
	return o;
}

static bool may_overlap(const struct operand *write, const struct operand *read)
{
	if (write->where == ANYWHERE)
		return true;
	return write->where == read->where &&
	       write->at - read->at + write->bytes - 1 < write->bytes + read->bytes - 1;
}

/** Whether what register @p reg has before step @p at may come from what @p write writes. */
static bool comes_from(const struct followed *f, size_t at, unsigned reg,
		       const struct operand *write)
{
	for (unsigned depth = 0; depth < DEPTH_MAX; depth++) {
		uint32_t made = reg < MS_CODE_REGISTERS ? f->before[at].made[reg] : UNKNOWN;
		const struct ms_code_step *s;
		struct operand read;

		if (made & IN_SLOT) {
			read = (struct operand){ FRAME, slot_at(made), WORD };
			return may_overlap(write, &read);
		}
		if (made < MADE_BY)
			return false;
		at = made - MADE_BY;
		s = &f->ways->items[at];
		read = operand_of(f, s);
		if (s->insn.kind == MS_INSN_LOAD && may_overlap(write, &read))
			return true;
		if (s->insn.kind == MS_INSN_CONST || s->insn.base == f->ways->stack_pointer)
			return false;
		reg = s->insn.base;
	}
	return true;
}

static bool writes_memory(const struct ms_insn *insn)
{
	return insn->kind == MS_INSN_STORE || insn->kind == MS_INSN_STORE_CONST ||
	       insn->kind == MS_INSN_CLOBBER;
}

/** What register @p reg has behind an instruction that gives it something; UNKNOWN: not told. */
static uint32_t made_by(const struct ms_insn *insn, size_t index, const struct operand *operand,
			unsigned reg)
{
	bool is_second = reg != insn->reg;

	switch (insn->kind) {
	case MS_INSN_CONST:
	case MS_INSN_MOVE:
	case MS_INSN_ADD:
		return is_second ? UNKNOWN : (uint32_t)index + MADE_BY;
	case MS_INSN_LOAD:
	case MS_INSN_STORE: // What it stores is in that word now, too.
		if (insn->bytes != WORD || (is_second && reg != insn->second))
			return UNKNOWN;
		if (operand->where == FRAME)
			return slot_make(operand->at + (is_second ? WORD : 0));
		return insn->kind == MS_INSN_LOAD ? (uint32_t)index + MADE_BY : UNKNOWN;
	default:
		return UNKNOWN;
	}
}

/**
 * Registers that do not keep what they have over a call: all of them, but of runtime.duffzero,
 * which is called into its middle (runtime/mkduff.go).  A word of the frame that it zeroed is read
 * as 0, and no value.  Its sibling duffcopy puts another in its place, and so tells nothing.
 */
static uint64_t forgotten_by_call(const struct followed *f, const struct ms_insn *insn)
{
	enum { RDI = 7, R20 = 20, LR = 30 };
	const struct ms_function *called =
	    insn->value ? ms_functions_find(f->functions, insn->value) : NULL;

	if (!called || strcmp(called->name, "runtime.duffzero") != 0)
		return UINT64_MAX;
	return f->functions->rt->elf.arch == MS_ARCH_AMD64 ? 1u << RDI : 1u << R20 | 1u << LR;
}

/** What an instruction makes of the state before it. */
static struct state after(const struct followed *f, size_t index)
{
	const struct ms_insn *insn = &f->ways->items[index].insn;
	const struct operand operand = operand_of(f, &f->ways->items[index]);
	struct state out = f->before[index];
	uint64_t called = insn->kind == MS_INSN_CALL ? forgotten_by_call(f, insn) : 0;

	for (unsigned reg = 0; reg < MS_CODE_REGISTERS; reg++) {
		uint32_t made = made_by(insn, index, &operand, reg);
		bool is_forgotten = called >> reg & 1 || insn->writes >> reg & 1 ||
				    (writes_memory(insn) && comes_from(f, index, reg, &operand));

		if (made != UNKNOWN || is_forgotten)
			out.made[reg] = made;
	}
	return out;
}

static bool flow(void *context, size_t from, size_t to)
{
	struct followed *f = context;
	struct state *there = &f->before[to], out;
	bool changed = false;

	if (!f->before[from].is_reached)
		return false;
	out = after(f, from);
	if (!there->is_reached) {
		*there = out;
		return true;
	}
	for (unsigned reg = 0; reg < MS_CODE_REGISTERS; reg++) {
		if (there->made[reg] == out.made[reg] || there->made[reg] == UNKNOWN)
			continue;
		there->made[reg] = UNKNOWN;
		changed = true;
	}
	return changed;
}

static void followed_deinit(struct followed *f)
{
	ms_code_ways_destroy(f->ways);
	free(f->before);
	*f = (struct followed){ 0 };
}

/** ways is NULL where the function cannot be followed. */
static struct ms_error *follow(const struct ms_functions *functions, struct ms_code *code,
			       const struct ms_function *function, struct followed *ret)
{
	struct ms_error *err = ms_code_ways_create(functions, function, code, &ret->ways);

	ret->functions = functions;
	if (err || !ret->ways)
		return err;
	ret->before = calloc(ret->ways->count, sizeof(*ret->before));
	if (!ret->before) {
		followed_deinit(ret);
		return ms_error_no_memory();
	}
	for (unsigned reg = 0; reg < MS_CODE_REGISTERS; reg++)
		ret->before[0].made[reg] = AS_CALLED;
	ret->before[0].is_reached = true;
	if (!ms_code_ways_settle(ret->ways, flow, ret))
		followed_deinit(ret);
	return NULL;
}

// --- Values. ---

struct looking {
	const struct ms_functions *functions;
	struct ms_code *code;
	const struct ms_frames *frames;
	unsigned left;    // Steps.
	unsigned callers; // That are gone through now, each for the one before.
	struct ms_error *err;
};

static bool called_with(struct looking *l, size_t index, unsigned reg, ms_addr *ret_value);

static bool word_read(struct looking *l, ms_addr at, ms_addr *ret_word)
{
	uint8_t raw[WORD];

	l->err = ms_target_read(l->functions->rt->target, at, raw, sizeof(raw));
	if (l->err && ms_error_code(l->err) == MS_ERR_FAULT) {
		ms_error_free(l->err);
		l->err = NULL;
		return false;
	}
	*ret_word = ms_load_u64(raw);
	return !l->err;
}

/** What register @p reg has before step @p at of the function of frame @p index. */
static bool value_before(struct looking *l, const struct followed *f, size_t index, size_t at,
			 unsigned reg, ms_addr *ret_value)
{
	const struct ms_frame *frame = &l->frames->items[index];
	const struct ms_code_step *s = &f->ways->items[at];
	uint32_t made;

	if (index + 1 >= l->frames->count) // Where the last ends is not known.
		return false;
	if (reg == f->ways->stack_pointer) {
		*ret_value = frame->end - s->frame_bytes;
		return true;
	}
	if (!l->left || reg >= MS_CODE_REGISTERS)
		return false;
	l->left--;
	made = f->before[at].made[reg];
	if (made & IN_SLOT)
		return word_read(l, frame->end + slot_at(made), ret_value);
	if (made < MADE_BY)
		return made == AS_CALLED && called_with(l, index, reg, ret_value);
	at = made - MADE_BY;
	s = &f->ways->items[at];
	*ret_value = 0;
	if (s->insn.kind != MS_INSN_CONST && s->insn.base != MS_CODE_NONE &&
	    !value_before(l, f, index, at, s->insn.base, ret_value))
		return false;
	*ret_value += s->insn.kind == MS_INSN_MOVE ? 0 : s->insn.value;
	if (s->insn.kind != MS_INSN_LOAD)
		return true;
	return word_read(l, *ret_value + (reg == s->insn.reg ? 0 : WORD), ret_value);
}

/** Whether the call of step @p at in frame @p index is that of the function in the frame below. */
static bool is_call_below(struct looking *l, const struct followed *f, size_t index, size_t at)
{
	const struct ms_insn *insn = &f->ways->items[at].insn;
	ms_addr target = insn->value;

	if (insn->kind == MS_INSN_CALL && !target &&
	    !value_before(l, f, index, at, insn->base, &target))
		return false;
	return target == l->frames->items[index - 1].function->entry;
}

/** What register @p reg had as the function of frame @p index was called. */
static bool called_with(struct looking *l, size_t index, unsigned reg, ms_addr *ret_value)
{
	const struct ms_frame *caller = &l->frames->items[index + 1];
	struct followed f = { 0 };
	bool is_known = false;
	size_t at;

	if (index + 1 >= l->frames->count || !caller->is_return || l->callers == CALLERS_MAX)
		return false;
	l->callers++;
	l->err = follow(l->functions, l->code, caller->function, &f);
	at = f.ways ? ms_code_ways_at(f.ways, ms_frame_call_pc(caller)) : 0;
	// A call of another function came here by a jump, which may have changed registers.
	if (!l->err && f.ways && at < f.ways->count && f.before[at].is_reached &&
	    is_call_below(l, &f, index + 1, at))
		is_known = value_before(l, &f, index + 1, at, reg, ret_value);
	followed_deinit(&f);
	l->callers--;
	return is_known;
}

struct ms_error *ms_passed_value(const struct ms_functions *functions, struct ms_code *code,
				 const struct ms_frames *frames, size_t index, unsigned reg,
				 bool *ret_is_known, ms_addr *ret_value)
{
	struct looking l = {
		.functions = functions, .code = code, .frames = frames, .left = STEPS_MAX
	};
	ms_addr value = 0;
	bool is_known = called_with(&l, index, reg, &value);

	if (l.err)
		return l.err;
	*ret_is_known = is_known;
	*ret_value = is_known ? value : 0;
	return NULL;
}

unsigned ms_argument_register(enum ms_arch arch, unsigned argument)
{
	static const uint8_t amd64[] = { 0, 3, 1, 7, 6, 8, 9, 10, 11 }; // rax, rbx, rcx, rdi, ...

	if (arch == MS_ARCH_ARM64)
		return argument < 16 ? argument : MS_CODE_NONE;
	return argument < MS_ARRAY_SIZE(amd64) ? amd64[argument] : MS_CODE_NONE;
}
