// code.h - machine code taken apart, one instruction at a time: what it does with registers,
// memory and control, as far as following values through a function needs it.
//
// Registers are numbered as the machine does: amd64 rax 0, rcx 1, rdx 2, rbx 3, rsp 4, rbp 5,
// rsi 6, rdi 7, r8 to r15; arm64 x0 to x30, and 31 for the stack pointer.
#pragma once

#include "base/error.h"
#include "base/types.h"

enum {
	MS_CODE_REGISTERS = 32,
	MS_CODE_NONE = 0xff, // No register: a memory operand with it is an absolute address.
	MS_AMD64_SP = 4,
	MS_ARM64_SP = 31,
};

enum ms_insn_kind {
	MS_INSN_OTHER,       // Registers in writes are something new; memory stays.
	MS_INSN_CALL,        // value: the target, 0 when it is computed: base may have it then.
	MS_INSN_JUMP,        // value: the target, 0 when it is computed.
	MS_INSN_BRANCH,      // value: the target when the condition holds.
	MS_INSN_STOP,        // Returns, or traps: nothing goes on behind it.
	MS_INSN_CONST,       // reg <- value
	MS_INSN_MOVE,        // reg <- base
	MS_INSN_ADD,         // reg <- base + value
	MS_INSN_LOAD,        // reg <- [base + value], and second <- the word behind it
	MS_INSN_STORE,       // [base + value] <- reg, and second behind it
	MS_INSN_STORE_CONST, // [base + value] <- constant
	MS_INSN_CLOBBER,     // [base + value] <- something; bytes 0: a place not known, but
			     // reached from base when there is one
	MS_INSN_COMPARE,     // reg with second, or with [base + value] when bytes is not 0
};

struct ms_insn {
	uint8_t kind; // enum ms_insn_kind.
	uint8_t length;
	uint8_t reg, second, base; // MS_CODE_NONE when there is none.
	uint8_t bytes;             // Of the memory read or written (each of two).
	uint32_t writes;           // Bit N: register N is written, reg and second included.
	uint64_t value;            // Two's complement when it is added to a register.
	uint64_t constant;         // What MS_INSN_STORE_CONST stores.
};

struct ms_code;

/** A decoder.  UNSUPPORTED for an architecture that is not known. */
MS_MUST_USE struct ms_error *ms_code_open(enum ms_arch arch, struct ms_code **ret_code);

/**
 * The instruction at the start of @p bytes, which lie at @p address.  False when there is none:
 * on amd64 the caller may go on one byte further, on arm64 four.
 */
bool ms_code_decode(struct ms_code *code, const uint8_t *bytes, size_t size, ms_addr address,
		    struct ms_insn *ret_insn);

/** The number of the stack pointer. */
unsigned ms_code_stack_pointer(const struct ms_code *code);

/** Accepts NULL. */
void ms_code_close(struct ms_code *code);
