// return_sites.c - where a function returns.
//
// The calling convention says that a result lies in the first register and the stack pointer is
// what it was at the entry when a return instruction is carried out: so no path through the
// function has to be followed.  All of them have to be found, though.  Go's compiler puts no data
// between instructions, so they are decoded one behind the other, each of them; and a jump out of
// the function, or to a place that is computed, might be another way back.
#include "trace/return_sites.h"

static const uint32_t ARM64_RET = 0xd65f03c0;

static bool is_return(enum ms_arch arch, const uint8_t *bytes, size_t length)
{
	if (arch == MS_ARCH_AMD64)
		return length == 1 && bytes[0] == 0xc3;
	return length == 4 && ms_load_u32(bytes) == ARM64_RET;
}

static struct ms_error *refuse(const char *why)
{
	return ms_error_new(MS_ERR_UNSUPPORTED, "%s", why);
}

struct ms_error *ms_return_sites_find(struct ms_code *code, enum ms_arch arch, const uint8_t *bytes,
				      size_t size, ms_addr entry, struct ms_return_sites *ret_sites)
{
	struct ms_return_sites sites = { 0 };
	struct ms_insn insn;

	for (size_t at = 0; at < size; at += insn.length) {
		bool leaves;

		if (!ms_code_decode(code, bytes + at, size - at, entry + at, &insn) || !insn.length)
			return refuse("not all of its code can be decoded");
		leaves = insn.kind == MS_INSN_JUMP || insn.kind == MS_INSN_BRANCH;
		if (leaves && (insn.value < entry || insn.value >= entry + size))
			return refuse("it may go on in another function");
		if (!is_return(arch, bytes + at, insn.length))
			continue;
		if (sites.count == MS_RETURN_SITES_MAX)
			return refuse("it returns in too many places");
		sites.items[sites.count++] = at;
	}
	if (!sites.count)
		return refuse("it does not return");
	*ret_sites = sites;
	return NULL;
}
