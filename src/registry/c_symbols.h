// c_symbols.h - addresses of C code in source words, and stacks from a thread's bytes: by libdw.
#pragma once

#include "base/arena.h"
#include "report/call_stacks.h"
#include "target/target.h"

struct ms_c_symbols;

enum { MS_C_INLINED_MAX = 16, MS_C_STACK_MAX = 64 }; // The first is MS_STACK_RESOLVED_MAX.

/**
 * Open the symbols of the modules of a live process.  Nothing of it is stopped.  What cannot be had
 * (no files, no debug information) shows later as addresses without names.
 */
MS_MUST_USE struct ms_error *ms_c_symbols_open(struct ms_target *target,
					       struct ms_c_symbols **ret_symbols);

/**
 * The calls at @p pc, innermost first: what is inlined there, then the function.  Strings are
 * @p arena's.  Without symbols it is one call, "app+0x1234".  NO_MEMORY.
 */
MS_MUST_USE struct ms_error *ms_c_symbols_calls(struct ms_c_symbols *symbols, ms_addr pc,
						bool is_return, struct ms_arena *arena,
						struct ms_stack_call *ret_calls, size_t *ret_count);

/** Whether the module at @p addr has the static probe (USDT) @p name of @p provider in its file. */
bool ms_c_symbols_has_probe(struct ms_c_symbols *symbols, ms_addr addr, const char *provider,
			    const char *name);

/** A thread's registers, and bytes of its stack from the stack pointer up. */
struct ms_c_thread_state {
	uint64_t pc, sp;
	uint64_t regs[32]; // By the architecture's DWARF numbers.
	unsigned reg_count;
	const uint8_t *stack;
	size_t stack_bytes;
};

/**
 * The addresses on a stack, innermost first, unwound by the modules' own tables (.eh_frame or
 * .debug_frame) and frame pointers; at most MS_C_STACK_MAX.  @p ret_cut says why it ends early
 * (static), or is NULL.
 */
size_t ms_c_symbols_unwind(struct ms_c_symbols *symbols, const struct ms_c_thread_state *state,
			   ms_addr *ret_pcs, const char **ret_cut);

/** Accepts NULL. */
void ms_c_symbols_close(struct ms_c_symbols *symbols);
