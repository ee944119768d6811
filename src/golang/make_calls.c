// make_calls.c - `make(map[K]V)` is a call, even where the map lies on the stack: its seed then
// comes from the runtime's random numbers, which nothing else in a program's own code asks for by
// these names (cmd/compile/internal/walk/builtin.go, walkMakeMap).
#include "golang/make_calls.h"

#include "base/cleanup.h"
#include "image/code.h"

static bool is_maker(const struct ms_function *callee)
{
	static const char *const names[] = {
		"runtime.makemap",
		"runtime.makemap64",
		"runtime.makemap_small",
		"internal/runtime/maps.NewMap",      // 1.24
		"internal/runtime/maps.NewEmptyMap", // 1.24
		"runtime.fastrand",                  // Up to 1.21.
		"runtime.rand32",                    // 1.22
		"runtime.rand",                      // 1.24
	};

	for (size_t i = 0; callee && i < MS_ARRAY_SIZE(names); i++) {
		if (!strcmp(callee->name, names[i]))
			return true;
	}
	return false;
}

struct ms_error *ms_make_call_find(struct ms_go_runtime *rt, const struct ms_functions *functions,
				   const struct ms_function *function, ms_addr pc,
				   ms_addr *ret_return)
{
	size_t size = (size_t)(function->end - function->entry), at = 0;
	MS_AUTO_FREE uint8_t *bytes = NULL;
	struct ms_code *code = NULL;
	struct ms_error *err = ms_function_code(functions, function, &bytes);
	struct ms_insn insn;
	ms_addr found = 0;

	*ret_return = 0;
	if (err || !bytes)
		return err;
	err = ms_code_open(rt->layout->arch, &code);
	while (!err && at < size) {
		ms_addr address = function->entry + at;

		if (!ms_code_decode(code, bytes + at, size - at, address, &insn))
			break;
		at += insn.length;
		if (insn.kind != MS_INSN_CALL || (found && address >= pc))
			continue;
		if (is_maker(ms_functions_find(functions, insn.value)) &&
		    ms_functions_find(functions, insn.value)->entry == insn.value)
			found = address + insn.length;
	}
	ms_code_close(code);
	if (err && ms_error_code(err) == MS_ERR_UNSUPPORTED) {
		ms_error_free(err);
		err = NULL;
	}
	*ret_return = found;
	return err;
}
