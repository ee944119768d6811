// argument_places.c - registers and slots followed through one function.
//
// For each instruction: which registers hold an argument as it was passed, and whether its slot
// does.  Where two ways join, what both have remains.  All that is not understood forgets: a call
// forgets every register, a store to the slot of anything else forgets the slot.  The ways are gone
// through until nothing changes, which it does soon, for a state only ever loses.
//
// The entry itself is as it was called, also when the code that had the stack grown jumps back to
// it.  What follows a call that never returns is somebody else's way.
//
// A slot is told by the distance of the stack pointer from the frame's end, which the function
// table has for each instruction.
#include "golang/argument_places.h"

#include "base/cleanup.h"
#include "base/vec.h"

#include <stdlib.h>

enum {
	ROUNDS_MAX = 64, // A way through nested loops takes a round for each.
	AMD64_STEP = 1,
	ARM64_STEP = 4,
};

/** What is known before an instruction. */
struct state {
	struct ms_argument_place places[MS_ARGUMENTS];
	bool is_reached;
};

struct step {
	uint32_t offset; // From the function's entry.
	uint32_t frame_bytes;
	struct ms_insn insn;
	struct state before;
};

struct ms_argument_places {
	ms_addr entry;
	struct step *items; // By offset.
	size_t count, capacity;
	unsigned stack_pointer;
};

static void registers_at_entry(enum ms_arch arch, struct state *s)
{
	static const uint8_t amd64[MS_ARGUMENTS] = { 0, 3, 1 }; // rax, rbx, rcx

	for (unsigned i = 0; i < MS_ARGUMENTS; i++)
		s->places[i].registers = 1u << (arch == MS_ARCH_AMD64 ? amd64[i] : i);
	s->is_reached = true;
}

/** The argument whose slot a memory operand is; MS_ARGUMENTS for none. */
static unsigned slot_of(const struct ms_argument_places *p, const struct step *s, unsigned word)
{
	uint64_t first = ms_argument_slot(s->frame_bytes, 0), at = s->insn.value + 8ull * word;

	if (s->insn.base != p->stack_pointer || at < first || (at - first) % 8 ||
	    (at - first) / 8 >= MS_ARGUMENTS)
		return MS_ARGUMENTS;
	return (unsigned)((at - first) / 8);
}

static void forget(struct state *s, uint32_t registers)
{
	for (unsigned i = 0; i < MS_ARGUMENTS; i++)
		s->places[i].registers &= ~registers;
}

static void store(const struct ms_argument_places *p, const struct step *at, struct state *s,
		  unsigned reg, unsigned word)
{
	unsigned argument = slot_of(p, at, word);

	if (argument < MS_ARGUMENTS)
		s->places[argument].in_slot = at->insn.bytes == 8 && reg < MS_CODE_REGISTERS &&
					      (s->places[argument].registers >> reg & 1);
}

static void load(const struct ms_argument_places *p, const struct step *at, struct state *s,
		 unsigned reg, unsigned word)
{
	unsigned argument = slot_of(p, at, word);

	if (argument < MS_ARGUMENTS && reg < MS_CODE_REGISTERS && at->insn.bytes == 8 &&
	    s->places[argument].in_slot)
		s->places[argument].registers |= 1u << reg;
}

/** What an instruction makes of the state before it. */
static struct state after(const struct ms_argument_places *p, const struct step *at)
{
	const struct ms_insn *insn = &at->insn;
	struct state s = at->before;

	switch (insn->kind) {
	case MS_INSN_CALL:
		forget(&s, UINT32_MAX);
		break;
	case MS_INSN_MOVE:
		forget(&s, insn->writes);
		for (unsigned i = 0; i < MS_ARGUMENTS && insn->base < MS_CODE_REGISTERS; i++) {
			if (at->before.places[i].registers >> insn->base & 1)
				s.places[i].registers |= 1u << insn->reg;
		}
		break;
	case MS_INSN_LOAD:
		forget(&s, insn->writes);
		load(p, at, &s, insn->reg, 0);
		if (insn->second != MS_CODE_NONE)
			load(p, at, &s, insn->second, 1);
		break;
	case MS_INSN_STORE:
		forget(&s, insn->writes);
		store(p, at, &s, insn->reg, 0);
		if (insn->second != MS_CODE_NONE)
			store(p, at, &s, insn->second, 1);
		break;
	case MS_INSN_STORE_CONST:
	case MS_INSN_CLOBBER:
		forget(&s, insn->writes);
		for (unsigned word = 0; word * 8 < insn->bytes; word++) {
			if (slot_of(p, at, word) < MS_ARGUMENTS)
				s.places[slot_of(p, at, word)].in_slot = false;
		}
		break;
	default:
		forget(&s, insn->writes);
	}
	return s;
}

static struct step *step_at(const struct ms_argument_places *p, uint64_t offset)
{
	size_t low = 0, high = p->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (p->items[middle].offset < offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low < p->count && p->items[low].offset == offset ? &p->items[low] : NULL;
}

/** Let @p from flow into what may follow; true when that changed anything. */
static bool join(struct step *to, const struct state *from)
{
	bool changed = false;

	if (!to || !to->offset)
		return false;
	if (!to->before.is_reached) {
		to->before = *from;
		return true;
	}
	for (unsigned i = 0; i < MS_ARGUMENTS; i++) {
		struct ms_argument_place *a = &to->before.places[i];
		struct ms_argument_place both = { a->registers & from->places[i].registers,
						  a->in_slot && from->places[i].in_slot };

		changed |= both.registers != a->registers || both.in_slot != a->in_slot;
		*a = both;
	}
	return changed;
}

static bool round_make(struct ms_argument_places *p)
{
	bool changed = false;

	for (size_t i = 0; i < p->count; i++) {
		struct step *s = &p->items[i];
		unsigned kind = s->insn.kind;
		struct state out;

		if (!s->before.is_reached)
			continue;
		out = after(p, s);
		if (kind != MS_INSN_JUMP && kind != MS_INSN_STOP && i + 1 < p->count)
			changed |= join(&p->items[i + 1], &out);
		if (kind == MS_INSN_JUMP || kind == MS_INSN_BRANCH)
			changed |= join(step_at(p, s->insn.value - p->entry), &out);
	}
	return changed;
}

/** Whether a call of the function at @p target never returns, as the compiler knows. */
static bool is_last_call(const struct ms_functions *f, ms_addr target)
{
	static const char *const fronts[] = { "runtime.gopanic", "runtime.panic", "runtime.goPanic",
					      "runtime.throw", "runtime.fatal" };
	const struct ms_function *callee = target ? ms_functions_find(f, target) : NULL;

	for (size_t i = 0; callee && i < MS_ARRAY_SIZE(fronts); i++) {
		if (!strncmp(callee->name, fronts[i], strlen(fronts[i])))
			return true;
	}
	return false;
}

/** The instructions; false when a jump goes nobody knows where. */
static bool decode(const struct ms_functions *f, const struct ms_function *fn, struct ms_code *code,
		   const uint8_t *bytes, size_t size, struct ms_argument_places *p, bool *ret_short)
{
	unsigned least = f->rt->elf.arch == MS_ARCH_AMD64 ? AMD64_STEP : ARM64_STEP;

	for (size_t at = 0; at < size;) {
		struct step s = { .offset = (uint32_t)at };
		bool known = ms_code_decode(code, bytes + at, size - at, fn->entry + at, &s.insn) &&
			     ms_function_frame_bytes(f, fn, fn->entry + at, &s.frame_bytes);

		if (known && s.insn.kind == MS_INSN_JUMP && !s.insn.value)
			return false;
		if (known && s.insn.kind == MS_INSN_CALL && is_last_call(f, s.insn.value))
			s.insn.kind = MS_INSN_STOP;
		if (!known) // Nothing flows through it.
			s.insn = (struct ms_insn){ .kind = MS_INSN_STOP, .length = (uint8_t)least };
		*ret_short = !ms_vec_push(p, s);
		if (*ret_short)
			return false;
		at += s.insn.length;
	}
	return true;
}

struct ms_error *ms_argument_places_create(const struct ms_functions *f,
					   const struct ms_function *fn, struct ms_code *code,
					   struct ms_argument_places **ret_places)
{
	MS_AUTO_FREE uint8_t *bytes = NULL;
	struct ms_argument_places *p;
	struct ms_error *err = ms_function_code(f, fn, &bytes);
	bool is_short = false, settled = false;

	*ret_places = NULL;
	if (err || !bytes)
		return err;
	p = calloc(1, sizeof(*p));
	if (!p)
		return ms_error_no_memory();
	p->entry = fn->entry;
	p->stack_pointer = ms_code_stack_pointer(code);
	if (decode(f, fn, code, bytes, (size_t)(fn->end - fn->entry), p, &is_short) && p->count) {
		registers_at_entry(f->rt->elf.arch, &p->items[0].before);
		for (unsigned i = 0; i < ROUNDS_MAX && !settled; i++)
			settled = !round_make(p);
	}
	if (settled)
		*ret_places = p;
	else
		ms_argument_places_destroy(p);
	return is_short ? ms_error_no_memory() : NULL;
}

void ms_argument_places_destroy(struct ms_argument_places *p)
{
	if (!p)
		return;
	ms_vec_free(p);
	free(p);
}

struct ms_argument_place ms_argument_place(const struct ms_argument_places *p, ms_addr pc,
					   unsigned argument)
{
	size_t low = 0, high = p->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (p->items[middle].offset <= pc - p->entry)
			low = middle + 1;
		else
			high = middle;
	}
	if (pc < p->entry || !low || !p->items[low - 1].before.is_reached)
		return (struct ms_argument_place){ 0 };
	return p->items[low - 1].before.places[argument];
}
