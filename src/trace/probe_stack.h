// probe_stack.h - the addresses that the kernel finds at a probe, as those of calls.
#pragma once

#include "golang/functions.h"
#include "stacks/book.h"

enum { MS_PROBE_STACK_SPARE = 1 };

/**
 * The @p count addresses at @p raw, made at a place of a function where it has no frame, so that
 * @p caller (0 unknown) is on top of the stack.  @p pcs has room for MS_PROBE_STACK_SPARE more.
 * Leaves in *ret_cut why it ends too soon, NULL where it does not; it is static.
 */
size_t ms_probe_stack_calls(const struct ms_functions *functions, const uint64_t *raw,
			    uint32_t count, uint64_t caller, struct ms_stack_pc *pcs,
			    const char **ret_cut);
