// code_values.h - what is known of registers and stack words at one place of a function.
#pragma once

#include "image/code.h"

enum ms_value_kind {
	MS_VALUE_UNKNOWN,
	MS_VALUE_CONST,  // number
	MS_VALUE_WORD,   // What the word at the address number held.
	MS_VALUE_MADE,   // What a call returned: made says which kind, number its type, site the
			 // call.
	MS_VALUE_RESULT, // What a function of the program's own returned: number is its entry,
			 // site the call.
};

struct ms_value {
	uint8_t kind; // enum ms_value_kind
	uint8_t made; // enum ms_callee_role
	uint32_t site;
	uint64_t number;
	uint64_t bytes; // Of what was made, when the call says it.
};

enum { MS_VALUE_SLOTS = 32 };

struct ms_values {
	struct ms_value regs[MS_CODE_REGISTERS];
	struct ms_stack_slot {
		int64_t at; // From the stack pointer.
		struct ms_value value;
	} slots[MS_VALUE_SLOTS];
	uint32_t known; // Bit N: regs[N] is not unknown.
	unsigned slot_count;
};

static inline bool ms_value_equal(const struct ms_value *a, const struct ms_value *b)
{
	return a->kind == b->kind && a->made == b->made && a->site == b->site &&
	       a->number == b->number && a->bytes == b->bytes;
}

/** Register @p reg, or unknown for MS_CODE_NONE. */
struct ms_value ms_values_get(const struct ms_values *v, unsigned reg);
void ms_values_set(struct ms_values *v, unsigned reg, struct ms_value value);

/** Forget the registers of a set. */
void ms_values_forget(struct ms_values *v, uint32_t registers);

struct ms_value ms_values_slot(const struct ms_values *v, int64_t at);

/** The same, and the word is the last that makes room for others. */
struct ms_value ms_values_slot_use(struct ms_values *v, int64_t at);
void ms_values_slot_set(struct ms_values *v, int64_t at, struct ms_value value);

/** Forget the stack words that overlap [start, end). */
void ms_values_slots_forget(struct ms_values *v, int64_t start, int64_t end);

/** Keep in @p v only what @p other says, too; true when that is less than before. */
bool ms_values_meet(struct ms_values *v, const struct ms_values *other);

/** Copy what is known. */
void ms_values_copy(struct ms_values *to, const struct ms_values *from);
