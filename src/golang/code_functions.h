// code_functions.h - the functions of a program in the order of their code, for going through it.
#pragma once

#include "golang/code_track.h"
#include "golang/named_types.h"
#include "golang/runtime.h"

struct ms_code_functions {
	ms_addr text;      // What entries count from, at run time.
	uint32_t *entries; // Sorted; one more than functions: where the last ends.
	uint8_t *is_inner; // Whether a function is the runtime's, or another that no user wrote.
	size_t count;
	struct ms_callee *callees; // Sorted by entry.
	size_t callee_count, callee_capacity;
};

/**
 * Read the first module's function table out of the executable's file, and give a role to each
 * function whose call says something.
 */
MS_MUST_USE struct ms_error *ms_code_functions_load(struct ms_go_runtime *rt,
						    const struct ms_named_types *named,
						    struct ms_code_functions *ret_functions);

void ms_code_functions_deinit(struct ms_code_functions *functions);
