// probe_site.c - where in a function a probe stands.
//
// A probe is a trap in place of an instruction, which the kernel then has to carry out elsewhere:
// most by a step of its own with a second trap, which costs 16 to 33 µs on some machines, a few by
// doing what they would have done.  Go's functions begin with a stack check, one compare that is
// stepped through and one branch that is not, and then push the frame pointer, which is not either
// (from Go 1.21 on amd64).  Behind the check a function is entered once for each call.  On its
// branch it is entered again when the stack had to be moved, and the flags of the compare tell when
// that is.
//
// The check is known by what its branch leads to: code that calls and then goes back to the entry.
#include "trace/probe_site.h"

enum { PROLOGUE_MAX = 16, DETOUR_MAX = 32 };

struct prologue {
	struct ms_code *code;
	enum ms_arch arch;
	const uint8_t *bytes;
	size_t size;
	ms_addr entry;
};

/** Whether Linux carries it out itself: arch/x86/kernel/uprobes.c, simulate-insn.c of arm64. */
static bool is_emulated(enum ms_arch arch, const uint8_t *b, size_t length)
{
	uint32_t word;

	if (arch == MS_ARCH_AMD64) {
		if (b[0] >= 0x50 && b[0] <= 0x57) // push
			return true;
		if (length >= 2 && b[0] == 0x41 && b[1] >= 0x50 && b[1] <= 0x57)
			return true;
		if (length >= 2 && b[0] == 0x0f)
			return (b[1] & 0xf0) == 0x80; // jcc, 32 bits
		return (b[0] & 0xf0) == 0x70 || b[0] == 0xeb || b[0] == 0xe9 || b[0] == 0xe8 ||
		       b[0] == 0x90;
	}
	if (length != 4)
		return false;
	word = ms_load_u32(b);
	return (word & 0xff000010) == 0x54000000 || // b.cond
	       (word & 0x7c000000) == 0x14000000 || // b, bl
	       (word & 0x7c000000) == 0x34000000;   // cbz, cbnz, tbz, tbnz
}

/** What a branch asks of the flags; false for what the kernel's side does not know. */
static bool condition_of(enum ms_arch arch, const uint8_t *b, enum ms_probe_condition *ret)
{
	unsigned number;

	if (arch == MS_ARCH_AMD64) {
		if ((b[0] & 0xf0) != 0x70 && b[0] != 0x0f)
			return false;
		number = (b[0] == 0x0f ? b[1] : b[0]) & 15u;
		*ret = number == 6 ? MS_PROBE_BELOW_EQUAL : MS_PROBE_BELOW;
		return number == 6 || number == 2;
	}
	if ((ms_load_u32(b) & 0xff000010) != 0x54000000)
		return false;
	number = ms_load_u32(b) & 15u;
	*ret = number == 9 ? MS_PROBE_BELOW_EQUAL : MS_PROBE_BELOW;
	return number == 9 || number == 3;
}

static bool decode(const struct prologue *p, uint64_t at, struct ms_insn *insn)
{
	return at < p->size &&
	       ms_code_decode(p->code, p->bytes + at, p->size - at, p->entry + at, insn);
}

/** Whether code at @p address calls and then goes back to the entry. */
static bool leads_back(const struct prologue *p, ms_addr address)
{
	uint64_t at = address - p->entry;
	bool called = false;
	struct ms_insn insn;

	for (unsigned i = 0; i < DETOUR_MAX && decode(p, at, &insn); i++) {
		if (insn.kind == MS_INSN_CALL)
			called = true;
		if (insn.kind == MS_INSN_JUMP)
			return called && insn.value == p->entry;
		if (insn.kind == MS_INSN_BRANCH || insn.kind == MS_INSN_STOP)
			return false;
		at += insn.length;
	}
	return false;
}

/** Whether anything in the function jumps behind the entry up to @p offset. */
static bool is_jumped_into(const struct prologue *p, uint32_t offset)
{
	struct ms_insn insn;

	for (uint64_t at = 0; at < p->size; at += insn.length) {
		if (!decode(p, at, &insn)) {
			insn.length = p->arch == MS_ARCH_AMD64 ? 1 : 4;
			continue;
		}
		if ((insn.kind == MS_INSN_JUMP || insn.kind == MS_INSN_BRANCH) &&
		    insn.value > p->entry && insn.value <= p->entry + offset)
			return true;
	}
	return false;
}

static struct ms_error *accept(const struct prologue *p, struct ms_probe_site site,
			       struct ms_probe_site *ret_site)
{
	if (is_jumped_into(p, site.offset))
		return ms_error_new(MS_ERR_UNSUPPORTED,
				    "its code goes back to where a probe would stand");
	*ret_site = site;
	return NULL;
}

struct ms_error *ms_probe_site_find(struct ms_code *code, enum ms_arch arch, const uint8_t *bytes,
				    size_t size, ms_addr entry, uint32_t keep,
				    struct ms_probe_site *ret_site)
{
	const struct prologue p = { code, arch, bytes, size, entry };
	struct ms_probe_site check = { 0 }; // The branch of the stack check.
	struct ms_insn insn;
	uint32_t at = 0;

	keep |= UINT32_C(1) << ms_code_stack_pointer(code);
	for (unsigned i = 0; i < PROLOGUE_MAX && decode(&p, at, &insn); i++, at += insn.length) {
		const struct ms_probe_site site = { at, insn.length, MS_PROBE_ALWAYS };

		if (insn.kind == MS_INSN_BRANCH && !check.length && leads_back(&p, insn.value)) {
			if (!is_emulated(arch, bytes + at, insn.length) ||
			    !condition_of(arch, bytes + at, &check.condition))
				break;
			check.offset = at;
			check.length = insn.length;
			continue; // What stands behind it is better.
		}
		if (is_emulated(arch, bytes + at, insn.length))
			return accept(&p, site, ret_site);
		if ((insn.writes & keep) || insn.kind == MS_INSN_CALL ||
		    insn.kind == MS_INSN_JUMP || insn.kind == MS_INSN_STOP ||
		    insn.kind == MS_INSN_BRANCH)
			break;
	}
	if (check.length)
		return accept(&p, check, ret_site);
	return ms_error_new(MS_ERR_UNSUPPORTED,
			    "none of its first instructions is one that the kernel emulates");
}
