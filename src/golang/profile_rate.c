// profile_rate.c - one in MemProfileRate bytes is sampled.  That variable has no symbol in a
// stripped program, but runtime.allocmcache hands it to fastexprand, by way of nextSample, which is
// inlined (runtime/mcache.go and malloc.go, Go 1.18 to 1.27).
#include "golang/profile_rate.h"

#include "base/cleanup.h"
#include "golang/functions.h"
#include "image/code.h"

/**
 * The address of the word that a function loads last before it calls runtime.fastexprand; 0 for
 * none.
 */
static ms_addr rate_place(struct ms_code *code, const struct ms_function *function,
			  const struct ms_function *callee, const uint8_t *bytes)
{
	size_t size = (size_t)(function->end - function->entry), i = 0;
	struct ms_insn insn;
	ms_addr at = 0;

	while (i < size && ms_code_decode(code, bytes + i, size - i, function->entry + i, &insn)) {
		if (insn.kind == MS_INSN_LOAD && insn.bytes == 8 && insn.base == MS_CODE_NONE)
			at = insn.value;
		else if (insn.kind == MS_INSN_CALL && insn.value == callee->entry)
			return at;
		i += insn.length;
	}
	return 0;
}

struct ms_error *ms_profile_rate_read(struct ms_go_runtime *rt, uint64_t *ret_rate)
{
	const struct ms_functions *functions;
	const struct ms_function *function, *callee;
	MS_AUTO_FREE uint8_t *bytes = NULL;
	struct ms_code *code;
	struct ms_error *err = ms_go_functions(rt, &functions);
	uint8_t raw[8];
	ms_addr at;

	*ret_rate = MS_UNKNOWN;
	if (err)
		return err;
	function = ms_functions_by_name(functions, "runtime.allocmcache");
	callee = ms_functions_by_name(functions, "runtime.fastexprand");
	if (!function || !callee)
		return NULL;
	err = ms_function_code(functions, function, &bytes);
	if (err || !bytes)
		return err;
	err = ms_code_open(rt->layout->arch, &code);
	if (err)
		return err;
	at = rate_place(code, function, callee, bytes);
	ms_code_close(code);
	if (at < rt->modules[0].noptrdata || at >= rt->modules[0].enoptrbss)
		return NULL;
	err = ms_target_read(rt->target, at, raw, sizeof(raw));
	if (!err && ms_load_u64(raw) < (uint64_t)1 << 47)
		*ret_rate = ms_load_u64(raw);
	if (err && ms_error_code(err) != MS_ERR_FAULT)
		return err;
	ms_error_free(err);
	return NULL;
}
