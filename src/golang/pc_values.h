// pc_values.h - one value per instruction of a function, as the linker packs it: steps of two
// varints, by how much the value changes and for how many bytes of code it then holds
// (runtime.step in runtime/symtab.go).  A step that changes nothing ends the list.
#pragma once

#include "base/types.h"

enum { MS_PC_STEPS_MAX = 1 << 20 }; // The longest generated functions have some ten thousand.

struct ms_pc_values {
	const uint8_t *at, *end;
	ms_addr pc;        // Where the value ceases to hold.
	int32_t value;     // Begins at -1.
	uint8_t quantum;   // Of instructions.
	uint32_t steps;    // Taken so far.
	bool is_malformed; // Why there are no more.
};

static inline struct ms_pc_values ms_pc_values_begin(const uint8_t *at, const uint8_t *end,
						     ms_addr entry, uint8_t quantum)
{
	return (struct ms_pc_values){ at, end, entry, -1, quantum, 0, false };
}

static inline bool ms_pc_varint(struct ms_pc_values *v, uint32_t *ret_value)
{
	uint32_t value = 0;

	for (unsigned shift = 0; shift < 35; shift += 7) {
		uint8_t byte;

		if (v->at == v->end)
			break;
		byte = *v->at++;
		value |= (uint32_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			*ret_value = value;
			return true;
		}
	}
	v->is_malformed = true;
	return false;
}

/** Take one step: the value now holds up to v->pc.  False at the end. */
static inline bool ms_pc_values_next(struct ms_pc_values *v)
{
	uint32_t change, length;

	if (v->steps == MS_PC_STEPS_MAX) {
		v->is_malformed = true;
		return false;
	}
	if (!ms_pc_varint(v, &change) || (!change && v->steps))
		return false;
	if (!ms_pc_varint(v, &length))
		return false;
	v->value = (int32_t)((uint32_t)v->value + ((change >> 1) ^ (0 - (change & 1))));
	v->pc += (ms_addr)length * v->quantum;
	v->steps++;
	return true;
}
