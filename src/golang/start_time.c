// start_time.c - runtime.main asks for the time once and stores it in a variable (proc.go:
// runtimeInitTime = nanotime()): the store behind the call says which one.
#include "golang/start_time.h"

#include "base/cleanup.h"
#include "golang/functions.h"
#include "image/code.h"

enum {
	MAIN_BYTES_MAX = 1 << 14,
	STORE_WITHIN = 8, // Instructions behind the call.
};

/** The address that @p insn stores eight bytes to, or 0; follows what registers hold for sure. */
static ms_addr stored_to(const struct ms_insn *insn, uint64_t *known, uint32_t *is_known)
{
	ms_addr at = 0;

	if (insn->kind == MS_INSN_STORE && insn->bytes == 8) {
		if (insn->base == MS_CODE_NONE)
			at = insn->value;
		else if (insn->base < MS_CODE_REGISTERS && *is_known >> insn->base & 1)
			at = known[insn->base] + insn->value;
	}
	*is_known &= ~insn->writes;
	if (insn->kind == MS_INSN_CONST && insn->reg < MS_CODE_REGISTERS) {
		known[insn->reg] = insn->value;
		*is_known |= 1u << insn->reg;
	}
	return at;
}

/** The variable in [start, end) that is stored to right behind the first call of @p clock. */
static ms_addr clock_variable(struct ms_code *code, const uint8_t *bytes, size_t size,
			      ms_addr address, ms_addr clock, const struct ms_go_module *m)
{
	uint64_t known[MS_CODE_REGISTERS];
	uint32_t is_known = 0;
	unsigned left = 0; // Instructions to look at; 0 before the call.

	for (size_t i = 0; i < size;) {
		struct ms_insn insn;
		ms_addr at;

		if (!ms_code_decode(code, bytes + i, size - i, address + i, &insn))
			return 0;
		at = stored_to(&insn, known, &is_known);
		if (left && at >= m->noptrbss && ms_range_holds(at, m->enoptrbss, at, 8))
			return at;
		if (left && --left == 0)
			return 0;
		if (!left && insn.kind == MS_INSN_CALL && insn.value == clock)
			left = STORE_WITHIN;
		i += insn.length;
	}
	return 0;
}

static struct ms_error *not_said(void)
{
	return ms_error_new(MS_ERR_BAD_DATA, "the program's code does not say when it began");
}

struct ms_error *ms_go_start_time(struct ms_go_runtime *rt, int64_t *ret_start_ns)
{
	MS_AUTO_FREE uint8_t *bytes = NULL;
	const struct ms_functions *functions;
	const struct ms_function *begin, *clock;
	struct ms_code *code;
	uint8_t raw[8];
	ms_addr at;
	uint64_t offset;
	size_t size;
	struct ms_error *err = ms_go_functions(rt, &functions);

	if (err)
		return err;
	begin = ms_functions_by_name(functions, "runtime.main");
	clock = ms_functions_by_name(functions, "runtime.nanotime1.abi0");
	if (!clock)
		clock = ms_functions_by_name(functions, "runtime.nanotime1");
	if (!begin || !clock || begin->end - begin->entry > MAIN_BYTES_MAX)
		return not_said();
	size = (size_t)(begin->end - begin->entry);
	bytes = malloc(size);
	if (!bytes)
		return ms_error_no_memory();
	if (!ms_elf_offset_of(&rt->elf, begin->entry - rt->elf.bias, size, &offset))
		return not_said();
	err = ms_target_exe_read(rt->target, offset, bytes, size);
	if (!err)
		err = ms_code_open(rt->layout->arch, &code);
	if (err)
		return err;
	at = clock_variable(code, bytes, size, begin->entry, clock->entry, &rt->modules[0]);
	ms_code_close(code);
	err = at ? ms_target_read(rt->target, at, raw, sizeof(raw)) : not_said();
	if (!err)
		*ret_start_ns = (int64_t)ms_load_u64(raw);
	return err;
}
