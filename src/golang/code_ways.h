// code_ways.h - the instructions of one function, and the ways between them.
//
// For those who follow something through a function: they keep a state for each instruction, and
// say what becomes of it from one to the next, until nothing changes any more.
#pragma once

#include "golang/functions.h"
#include "image/code.h"

struct ms_code_step {
	uint32_t offset; // From the function's entry.
	uint32_t frame_bytes;
	struct ms_insn insn; // MS_INSN_STOP, too, where nothing goes on behind a call.
};

struct ms_code_ways {
	ms_addr entry;
	struct ms_code_step *items; // By offset.
	size_t count, capacity;
	unsigned stack_pointer;
};

/**
 * The code of @p function.  *ret_ways is NULL where not all ways are known: code that is not in the
 * file, jumps to places that are computed.
 */
MS_MUST_USE struct ms_error *ms_code_ways_create(const struct ms_functions *functions,
						 const struct ms_function *function,
						 struct ms_code *code,
						 struct ms_code_ways **ret_ways);

/** Accepts NULL. */
void ms_code_ways_destroy(struct ms_code_ways *ways);

/** Index of the instruction that holds @p pc; count when none does. */
size_t ms_code_ways_at(const struct ms_code_ways *ways, ms_addr pc);

/** Let the state of step @p from flow into @p to; true when that changed what is there. */
typedef bool (*ms_code_flow_fn)(void *context, size_t from, size_t to);

/**
 * Call @p flow along all ways until nothing changes; false when that did not end.  No way leads to
 * the entry itself: what is known there is as it was called, also when the code that had the stack
 * grown jumps back to it.
 */
bool ms_code_ways_settle(const struct ms_code_ways *ways, ms_code_flow_fn flow, void *context);
