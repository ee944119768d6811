// lock_code.h - whether a function holds a lock at one of its instructions, as its code says.
#pragma once

#include "base/number_map.h"
#include "golang/functions.h"
#include "image/code.h"

enum ms_lock_class {
	MS_LOCK_MUTEX,
	MS_LOCK_WRITE, // RWMutex, by its writer.
	MS_LOCK_READ,
	MS_LOCK_CLASSES,
};

/** What may hold at an instruction, one bit for each way to come there. */
enum ms_lock_hold {
	MS_HOLD_NONE = 1,      // It holds no such lock of its own.
	MS_HOLD_HELD = 2,      // It took one, and has it.
	MS_HOLD_RELEASED = 4,  // It gave back one that it did not take: a caller's.
	MS_HOLD_ACQUIRING = 8, // It is taking one right now.
};

enum { MS_LOCK_OPERANDS_MAX = 8 };

/** An address that the code which takes the lock refers to. */
struct ms_lock_operand {
	int64_t offset; // From a pointer; or an address, when it is absolute.
	bool is_absolute;
	bool is_atomic; // Of the word in the lock that is changed; else of the lock itself.
};

struct ms_lock_at {
	uint8_t hold[MS_LOCK_CLASSES]; // Bits of ms_lock_hold; MS_HOLD_HELD alone: it is certain.
	struct ms_lock_operands {
		struct ms_lock_operand items[MS_LOCK_OPERANDS_MAX];
		uint8_t count;
	} operands[MS_LOCK_CLASSES]; // Where it is certain: of the place where it was taken.
};

struct ms_lock_code;

/** @p functions and its runtime must outlive it. */
MS_MUST_USE struct ms_error *ms_lock_code_create(struct ms_go_runtime *rt,
						 const struct ms_functions *functions,
						 struct ms_lock_code **ret_code);

/**
 * What @p function does with locks before the instruction that holds @p pc (of a call: a byte of
 * it).  *ret_at is NULL for one that does nothing with them; else it lasts as long as @p code.
 * An error means that the target is lost or memory is short.
 */
MS_MUST_USE struct ms_error *ms_lock_code_at(struct ms_lock_code *code,
					     const struct ms_function *function, ms_addr pc,
					     const struct ms_lock_at **ret_at);

/** Accepts NULL. */
void ms_lock_code_destroy(struct ms_lock_code *code);
