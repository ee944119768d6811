// code_scan.c - most of a program's functions say nothing of its variables.  Which do is told by
// their bytes, without taking them apart: a call is a byte and a distance to a function's entry, a
// reference to a variable is an opcode, a byte and a distance into the variables' ranges.  At a
// wrong place in an instruction such a distance leads anywhere in four gigabytes; that it leads to
// a function's entry or to a certain variable by chance is rarer than one in a million.
//
// On arm64 an instruction has four bytes, and a variable's address takes two of them: its page goes
// into a register, what is in the page is added by the instruction that uses it.
#include "golang/code_scan.h"

#include "base/cleanup.h"
#include "base/vec.h"

enum {
	GRAIN = 16, // Entries of functions lie on multiples of it.
	REFERENCES_MAX = 16 << 20,
	IS_MAP = 1, // Bits by entry.
	IS_NEW = 2,
	IS_METHOD = 4,
	IS_MAKER = 8,
	IS_AT = 16,
	REXW = 0x48,
	CALL = 0xe8,
	LOAD = 0x8b,
	LEA = 0x8d,
	STORE = 0x89,
	STORE_IMM = 0xc7,
	GROUP_IMM8 = 0x83, // Compare with a small number, for one.
};

struct ms_code_scan {
	enum ms_arch arch;
	const struct ms_code_world *world;
	struct ms_code_range data; // From the first variable to the last.
	uint8_t *callees;          // By entry / GRAIN.
	uint64_t callee_slots;
};

/** One function's bytes. */
struct glance {
	const struct ms_code_scan *scan;
	const uint8_t *bytes;
	size_t size;
	ms_addr address;
	uint32_t function;
	struct ms_code_references *references;
	struct ms_code_glance is;
	bool out_of_memory;
};

static unsigned callee_bits(enum ms_callee_role role)
{
	switch (role) {
	case MS_CALLEE_OTHER:
	case MS_CALLEE_BARRIER:
	case MS_CALLEE_BARRIER_STORE:
	case MS_CALLEE_NO_RETURN:
	case MS_CALLEE_STORE:
	case MS_CALLEE_STORE_2:
	case MS_CALLEE_STORE_1_2:
		return 0;
	case MS_CALLEE_NEW:
	case MS_CALLEE_NEW_SIZED:
		return IS_MAKER | IS_NEW;
	case MS_CALLEE_MAKE_MAP:
	case MS_CALLEE_MAKE_SMALL:
	case MS_CALLEE_MAKE_CHAN:
	case MS_CALLEE_MAKE_SLICE:
	case MS_CALLEE_GROW_SLICE:
		return IS_MAKER;
	case MS_CALLEE_METHOD:
		return IS_METHOD;
	case MS_CALLEE_AT:
	case MS_CALLEE_AT_1:
		return IS_AT;
	default:
		return IS_MAP;
	}
}

struct ms_error *ms_code_scan_create(enum ms_arch arch, const struct ms_code_world *world,
				     struct ms_code_scan **ret_scan)
{
	struct ms_code_scan *s = calloc(1, sizeof(*s));

	if (!s)
		return ms_error_no_memory();
	s->arch = arch;
	s->world = world;
	s->data.start = UINT64_MAX;
	for (size_t i = 0; i < world->data_count; i++) {
		s->data.start = ms_min_u64(s->data.start, world->data[i].start);
		s->data.end = ms_max_u64(s->data.end, world->data[i].end);
	}
	s->callee_slots = (world->text.end - world->text.start) / GRAIN + 1;
	s->callees = calloc(s->callee_slots, 1);
	if (!s->callees) {
		free(s);
		return ms_error_no_memory();
	}
	for (size_t i = 0; i < world->callee_count; i++) {
		uint64_t slot = (world->callees[i].entry - world->text.start) / GRAIN;

		if (slot < s->callee_slots)
			s->callees[slot] |= (uint8_t)callee_bits(world->callees[i].role);
	}
	*ret_scan = s;
	return NULL;
}

static void called(struct glance *g, ms_addr target)
{
	uint64_t distance = target - g->scan->world->text.start;
	unsigned bits;

	if (distance % GRAIN || distance / GRAIN >= g->scan->callee_slots)
		return;
	bits = g->scan->callees[distance / GRAIN];
	g->is.calls_map |= (bits & IS_MAP) != 0;
	g->is.calls_at |= (bits & IS_AT) != 0;
	g->is.calls_maker |= (bits & IS_MAKER) != 0;
	g->is.calls_new |= (bits & IS_NEW) != 0;
	g->is.calls_method |= (bits & IS_METHOD) != 0;
}

static void referred(struct glance *g, ms_addr address, unsigned flags)
{
	uint64_t offset = address - g->scan->data.start;

	if (g->references->count >= REFERENCES_MAX || offset > UINT32_MAX ||
	    !ms_code_in_data(g->scan->world, address))
		return;
	if (!ms_vec_push(g->references,
			 ms_code_reference_make((uint32_t)offset, g->function, flags)))
		g->out_of_memory = true;
}

/** The bytes at @p at may be the place of an instruction's memory operand, from its middle on. */
static void operand_glance(struct glance *g, size_t at)
{
	const uint8_t *p = g->bytes + at;
	uint8_t opcode = p[-1];
	bool is_wide = at > 1 && (p[-2] & 0xf8) == REXW;
	unsigned behind = opcode == STORE_IMM ? 4 : opcode == GROUP_IMM8 ? 1 : 0;
	ms_addr target =
	    g->address + at + 5 + behind + (uint64_t)(int64_t)(int32_t)ms_load_u32(p + 1);

	if (opcode == LEA && target % GRAIN == 0 &&
	    ms_range_holds(g->scan->world->text.start, g->scan->world->text.end, target, 1))
		g->is.has_function = true;
	if (target < g->scan->data.start || target >= g->scan->data.end)
		return;
	if (opcode == GROUP_IMM8 && !is_wide)
		return; // Every function that stores pointers asks so for the write barrier.
	referred(g, target, opcode == STORE || opcode == STORE_IMM ? MS_CODE_WRITES : 0);
	g->is.has_load |= is_wide && opcode == LOAD;
	g->is.has_address |= is_wide && opcode == LEA;
	g->is.has_store |= is_wide && opcode == STORE;
	g->is.has_receiver |= is_wide && p[0] == 0x05 && (opcode == LOAD || opcode == LEA);
}

static void amd64_glance(struct glance *g)
{
	for (size_t at = 1; at + 5 <= g->size; at++) {
		uint8_t byte = g->bytes[at];

		if ((byte & 0xc7) == 0x05)
			operand_glance(g, at);
		else if (byte == CALL)
			called(g, g->address + at + 5 +
				      (uint64_t)(int64_t)(int32_t)ms_load_u32(g->bytes + at + 1));
	}
}

static uint64_t sign_extend(uint64_t v, unsigned bits)
{
	uint64_t sign = (uint64_t)1 << (bits - 1);

	return (v ^ sign) - sign;
}

/** An instruction that uses the page in a register: ADD, LDR or STR of a word, with a number. */
static void page_glance(struct glance *g, uint32_t insn, const ms_addr pages[32])
{
	unsigned to = insn & 31, by = insn >> 5 & 31;
	uint64_t number = insn >> 10 & 0xfff;
	bool is_add = (insn & 0xffc00000) == 0x91000000;
	bool is_load = (insn & 0xffc00000) == 0xf9400000,
	     is_store = (insn & 0xffc00000) == 0xf9000000;
	ms_addr address;

	if (!(is_add || is_load || is_store) || !pages[by])
		return;
	address = pages[by] + (is_add ? number : number * 8);
	if (is_add && address % GRAIN == 0 &&
	    ms_range_holds(g->scan->world->text.start, g->scan->world->text.end, address, 1))
		g->is.has_function = true;
	if (address < g->scan->data.start || address >= g->scan->data.end)
		return;
	referred(g, address, is_store ? MS_CODE_WRITES : 0);
	g->is.has_load |= is_load;
	g->is.has_address |= is_add;
	g->is.has_store |= is_store;
	g->is.has_receiver |= !is_store && to == 0;
}

static void arm64_glance(struct glance *g)
{
	ms_addr pages[32] = { 0 };

	for (size_t at = 0; at + 4 <= g->size; at += 4) {
		uint32_t insn = ms_load_u32(g->bytes + at);
		ms_addr here = g->address + at;

		if ((insn & 0xfc000000) == 0x94000000)
			called(g, here + 4 * sign_extend(insn & 0x3ffffff, 26));
		else if ((insn & 0x9f000000) == 0x90000000)
			pages[insn & 31] =
			    (here & ~(uint64_t)4095) +
			    (sign_extend((insn >> 5 & 0x7ffff) << 2 | (insn >> 29 & 3), 21) << 12);
		else
			page_glance(g, insn, pages);
	}
}

bool ms_code_glance(const struct ms_code_scan *scan, const uint8_t *bytes, size_t size,
		    ms_addr address, uint32_t function, struct ms_code_references *references,
		    struct ms_code_glance *ret_glance)
{
	struct glance g = { scan, bytes, size, address, function, references, { 0 }, false };

	if (scan->arch == MS_ARCH_ARM64)
		arm64_glance(&g);
	else
		amd64_glance(&g);
	*ret_glance = g.is;
	return !g.out_of_memory;
}

bool ms_code_references_sort(struct ms_code_references *references)
{
	enum { DIGIT_BITS = 11, DIGITS = 3 };
	size_t count = references->count;
	MS_AUTO_FREE ms_code_reference *other = malloc((count + 1) * sizeof(*other));
	ms_code_reference *from = references->items, *to = other;

	if (!other)
		return false;
	for (unsigned digit = 0; digit < DIGITS; digit++) {
		unsigned shift = 32 + digit * DIGIT_BITS;
		size_t starts[1 << DIGIT_BITS] = { 0 }, at = 0;
		ms_code_reference *swap = from;

		for (size_t i = 0; i < count; i++)
			starts[from[i] >> shift & ((1 << DIGIT_BITS) - 1)]++;
		for (size_t i = 0; i < MS_ARRAY_SIZE(starts); i++) {
			size_t n = starts[i];

			starts[i] = at;
			at += n;
		}
		for (size_t i = 0; i < count; i++)
			to[starts[from[i] >> shift & ((1 << DIGIT_BITS) - 1)]++] = from[i];
		from = to;
		to = swap;
	}
	if (count)
		memcpy(references->items, from, count * sizeof(*from));
	return true;
}

void ms_code_scan_destroy(struct ms_code_scan *scan)
{
	if (!scan)
		return;
	free(scan->callees);
	free(scan);
}
