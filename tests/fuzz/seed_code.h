// seed_code.h - a program made by hand whose code says something of each kind of variable.
#pragma once

#include "tests/fuzz/seed.h"

/** Where its variables lie, and what the code says of them. */
enum seed_code_word {
	SEED_CODE_MAP = 0x700000,     // Read by mapaccess: a map.
	SEED_CODE_POINTER = 0x700008, // Given a new T.
	SEED_CODE_BARRIER = 0x700010, // Given a new T on both ways around the write barrier.
	SEED_CODE_SMALL = 0x700018,   // Given a map that was filled before.
	SEED_CODE_CHAN = 0x700020,
	SEED_CODE_SLICE = 0x700028,     // Given a grown array.
	SEED_CODE_LITERAL = 0x700040,   // Given an array of four, and their number behind.
	SEED_CODE_VALUE = 0x700060,     // A T: its method is called.
	SEED_CODE_BOXED = 0x700080,     // Went into an interface.
	SEED_CODE_LOOP = 0x700088,      // Given a map that a loop fills.
	SEED_CODE_INTERFACE = 0x700090, // Two words: nothing may be said of the second.
	SEED_CODE_CONFLICT = 0x7000a0,  // Said to be maps of two types.
	SEED_CODE_MERGED = 0x7000a8,    // Given one of two types, by two ways: nothing.
	SEED_CODE_FIRST = 0x7000b0,     // A T whose first field's method is called, too.
	SEED_CODE_MOVED = 0x7000d0,     // Copied by typedmemmove: a T.
	SEED_CODE_STALE = 0x7000e8,     // Was in a register before another function was called.
	SEED_CODE_ASSERTED =
	    0x7000f0,                // An interface whose type is asked for: nothing of the second.
	SEED_CODE_RESULT = 0x700100, // Given what a function makes and another one returns.
	SEED_CODE_FILLED = 0x700108, // Given a map that a function makes and fills.
	SEED_CODE_EITHER = 0x700110, // Given what a function makes of two types: nothing.
	SEED_CODE_WRITTEN = 0x700118, // Given a stack word that others may write: nothing.
	SEED_CODE_FULL = 0x700120,    // Given a map that lay beside many constants.
	SEED_CODE_ATOMIC = 0x700130,  // Given a new T by sync/atomic.
	SEED_CODE_SWAPPED = 0x700138, // Likewise, by a method behind a dictionary.
	SEED_CODE_FOREIGN = 0x700128, // Given a function's result that is said to be a map.
};

/** Offsets of descriptors from the types' start. */
enum seed_code_type {
	SEED_TYPE_INT = 0x400,
	SEED_TYPE_UINTPTR = 0x440,
	SEED_TYPE_TABLE = 0x480,
	SEED_TYPE_MAP = 0x500,
	SEED_TYPE_NAMED_MAP = 0x580,
	SEED_TYPE_OTHER_MAP = 0x600,
	SEED_TYPE_T = 0x680,
	SEED_TYPE_CLOSURE = 0x700,
	SEED_TYPE_CHAN = 0x780,
	SEED_TYPE_ARRAY = 0x800,
	SEED_TYPE_POINTER = 0x880,
	SEED_TYPE_MUTEX = 0x900,
	SEED_TYPES_BYTES = 0xa00,
};

enum { SEED_FUNCTION_BYTES = 48 };

/** Functions in the order of the table, of one size; the last is as long as it is. */
enum seed_code_function {
	SEED_FN_MAPACCESS,
	SEED_FN_MAPASSIGN,
	SEED_FN_MAKEMAP_SMALL,
	SEED_FN_MAKEMAP,
	SEED_FN_MAKECHAN,
	SEED_FN_GROWSLICE,
	SEED_FN_NEWOBJECT,
	SEED_FN_BARRIER,
	SEED_FN_TYPEDMEMMOVE,
	SEED_FN_PANIC,
	SEED_FN_METHOD,
	SEED_FN_MUTEX_METHOD,
	SEED_FN_CLOSURE,
	SEED_FN_RUNTIME,
	SEED_FN_OTHER,
	SEED_FN_STORE_POINTER,
	SEED_FN_SWAP_POINTER,
	SEED_FN_MAKE,
	SEED_FN_PASS,
	SEED_FN_FILL,
	SEED_FN_EITHER,
	SEED_FN_USE,
	SEED_FN_COUNT,
};

/** An input of the fuzz target "code" for a row of amd64. */
void seed_code_amd64(struct seed *s, const struct ms_go_layout *layout);

/** One for arm64: SEED_CODE_MAP and SEED_CODE_POINTER only. */
void seed_code_arm64(struct seed *s, const struct ms_go_layout *layout);
