// code_merge.h - from what single places of the code say to what is so.
#pragma once

#include "golang/code_facts.h"

/** All facts of a program, in any order. */
struct ms_code_raw {
	struct {
		struct ms_code_fact *items;
		size_t count, capacity;
	} facts;
	struct {
		struct ms_code_function *items;
		size_t count, capacity;
	} functions;
	struct {
		struct ms_code_given *items;
		size_t count, capacity;
	} given;
};

/** Fill globals, closures and conflicts; sorts @p raw. */
MS_MUST_USE struct ms_error *ms_code_merge(const struct ms_types *types,
					   const struct ms_go_layout *layout,
					   struct ms_code_raw *raw, struct ms_code_facts *facts);
