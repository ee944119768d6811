// probe_stack.c - where a function has no frame, unwinding by frame pointers passes over its
// caller; newer kernels know some of the places where that is so and put it in themselves.
#include "trace/probe_stack.h"

size_t ms_probe_stack_calls(const struct ms_functions *functions, const uint64_t *raw,
			    uint32_t count, uint64_t caller, struct ms_stack_pc *pcs,
			    const char **ret_cut)
{
	const struct ms_function *last = NULL;
	size_t made = 0;

	for (uint32_t i = 0; i < count && (raw[i] || !i); i++) {
		if (i == 1 && caller && raw[1] != caller)
			pcs[made++] = (struct ms_stack_pc){ caller, true };
		pcs[made++] = (struct ms_stack_pc){ raw[i], i > 0 };
	}
	if (count == 1 && caller)
		pcs[made++] = (struct ms_stack_pc){ caller, true };
	if (made > 1)
		last = ms_functions_find(functions, pcs[made - 1].pc - 1);
	*ret_cut = "its frame pointers end here";
	if (last && (last->flags & MS_FUNCTION_TOP)) {
		*ret_cut = NULL;
		made--; // runtime.goexit, which Go does not show either.
	}
	return made;
}
