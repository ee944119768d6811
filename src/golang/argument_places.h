// argument_places.h - where a function has its first arguments, at each of its instructions.
//
// Go passes arguments in registers, and a function that needs one across a call keeps it in a place
// of the caller's frame, right above the return address.  Until it has written it there, the place
// holds what some earlier call left: so a word that lies there is an argument only where every way
// to the instruction has stored it.
#pragma once

#include "golang/functions.h"
#include "image/code.h"

enum { MS_ARGUMENTS = 3 }; // Words: a slice or a string takes several.

/** Where one argument is, as it was passed. */
struct ms_argument_place {
	uint32_t registers; // Bit N: register N has it.  Of an instruction about to be executed.
	bool in_slot;       // The word at ms_argument_slot.
};

struct ms_argument_places;

/**
 * Follow the code of @p function.  *ret_places is NULL where that cannot be done: code that is not
 * in the file, jumps to places that are computed.
 */
MS_MUST_USE struct ms_error *ms_argument_places_create(const struct ms_functions *functions,
						       const struct ms_function *function,
						       struct ms_code *code,
						       struct ms_argument_places **ret_places);

/** Accepts NULL. */
void ms_argument_places_destroy(struct ms_argument_places *places);

/** At the instruction that holds @p pc; nothing is known of code that no way leads to. */
struct ms_argument_place ms_argument_place(const struct ms_argument_places *places, ms_addr pc,
					   unsigned argument);

/** The address of an argument's word, by the frame's end (unwind.h). */
static inline ms_addr ms_argument_slot(ms_addr frame_end, unsigned argument)
{
	return frame_end + 8 + 8ull * argument;
}
