// argument_places.c - registers and slots followed through one function.
//
// For each instruction: which registers hold an argument as it was passed, and whether its slot
// does.  Where two ways join, what both have remains.  All that is not understood forgets: a call
// forgets every register, a store to the slot of anything else forgets the slot.  The ways are gone
// through until nothing changes, which it does soon, for a state only ever loses.
//
// A slot is told by the distance of the stack pointer from the frame's end, which the function
// table has for each instruction.
#include "golang/argument_places.h"

#include "golang/code_ways.h"

#include <stdlib.h>

/** What is known before an instruction. */
struct state {
	struct ms_argument_place places[MS_ARGUMENTS];
	bool is_reached;
};

struct ms_argument_places {
	struct ms_code_ways *ways;
	struct state *before; // Of each instruction.
};

static void registers_at_entry(enum ms_arch arch, struct state *s)
{
	static const uint8_t amd64[MS_ARGUMENTS] = { 0, 3, 1 }; // rax, rbx, rcx

	for (unsigned i = 0; i < MS_ARGUMENTS; i++)
		s->places[i].registers = 1u << (arch == MS_ARCH_AMD64 ? amd64[i] : i);
	s->is_reached = true;
}

/** The argument whose slot a memory operand is; MS_ARGUMENTS for none. */
static unsigned slot_of(const struct ms_argument_places *p, const struct ms_code_step *s,
			unsigned word)
{
	uint64_t first = ms_argument_slot(s->frame_bytes, 0), at = s->insn.value + 8ull * word;

	if (s->insn.base != p->ways->stack_pointer || at < first || (at - first) % 8 ||
	    (at - first) / 8 >= MS_ARGUMENTS)
		return MS_ARGUMENTS;
	return (unsigned)((at - first) / 8);
}

static void forget(struct state *s, uint32_t registers)
{
	for (unsigned i = 0; i < MS_ARGUMENTS; i++)
		s->places[i].registers &= ~registers;
}

static void store(const struct ms_argument_places *p, const struct ms_code_step *at,
		  struct state *s, unsigned reg, unsigned word)
{
	unsigned argument = slot_of(p, at, word);

	if (argument < MS_ARGUMENTS)
		s->places[argument].in_slot = at->insn.bytes == 8 && reg < MS_CODE_REGISTERS &&
					      (s->places[argument].registers >> reg & 1);
}

static void load(const struct ms_argument_places *p, const struct ms_code_step *at, struct state *s,
		 unsigned reg, unsigned word)
{
	unsigned argument = slot_of(p, at, word);

	if (argument < MS_ARGUMENTS && reg < MS_CODE_REGISTERS && at->insn.bytes == 8 &&
	    s->places[argument].in_slot)
		s->places[argument].registers |= 1u << reg;
}

/** What an instruction makes of the state before it. */
static struct state after(const struct ms_argument_places *p, size_t index)
{
	const struct ms_code_step *at = &p->ways->items[index];
	const struct ms_insn *insn = &at->insn;
	const struct state *before = &p->before[index];
	struct state s = *before;

	switch (insn->kind) {
	case MS_INSN_CALL:
		forget(&s, UINT32_MAX);
		break;
	case MS_INSN_MOVE:
		forget(&s, insn->writes);
		for (unsigned i = 0; i < MS_ARGUMENTS && insn->base < MS_CODE_REGISTERS; i++) {
			if (before->places[i].registers >> insn->base & 1)
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

static bool flow(void *context, size_t from, size_t to)
{
	struct ms_argument_places *p = context;
	struct state *there = &p->before[to], out;
	bool changed = false;

	if (!p->before[from].is_reached)
		return false;
	out = after(p, from);
	if (!there->is_reached) {
		*there = out;
		return true;
	}
	for (unsigned i = 0; i < MS_ARGUMENTS; i++) {
		struct ms_argument_place *a = &there->places[i];
		struct ms_argument_place both = { a->registers & out.places[i].registers,
						  a->in_slot && out.places[i].in_slot };

		changed |= both.registers != a->registers || both.in_slot != a->in_slot;
		*a = both;
	}
	return changed;
}

struct ms_error *ms_argument_places_create(const struct ms_functions *f,
					   const struct ms_function *fn, struct ms_code *code,
					   struct ms_argument_places **ret_places)
{
	struct ms_argument_places *p;
	struct ms_code_ways *ways;
	struct ms_error *err = ms_code_ways_create(f, fn, code, &ways);

	*ret_places = NULL;
	if (err || !ways)
		return err;
	p = calloc(1, sizeof(*p));
	if (p)
		p->before = calloc(ways->count, sizeof(*p->before));
	if (!p || !p->before) {
		free(p);
		ms_code_ways_destroy(ways);
		return ms_error_no_memory();
	}
	p->ways = ways;
	registers_at_entry(f->rt->elf.arch, &p->before[0]);
	if (ms_code_ways_settle(ways, flow, p))
		*ret_places = p;
	else
		ms_argument_places_destroy(p);
	return NULL;
}

void ms_argument_places_destroy(struct ms_argument_places *p)
{
	if (!p)
		return;
	ms_code_ways_destroy(p->ways);
	free(p->before);
	free(p);
}

struct ms_argument_place ms_argument_place(const struct ms_argument_places *p, ms_addr pc,
					   unsigned argument)
{
	size_t index = ms_code_ways_at(p->ways, pc);

	if (index == p->ways->count || !p->before[index].is_reached)
		return (struct ms_argument_place){ 0 };
	return p->before[index].places[argument];
}
