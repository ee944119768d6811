// lock_holders.h - which goroutine holds a lock, where its stack and the code of its functions
// leave no other reading.
#pragma once

#include "golang/unwind.h"
#include "goroutines/lock_code.h"
#include "goroutines/lock_state.h"

/** A frame that holds some lock of a class, by its code. */
struct ms_holding {
	ms_addr g;
	uint64_t id, since;
	ms_addr sp;         // Of the goroutine.
	ms_addr frame, end; // Words that may lead to the lock.
	ms_addr pc;         // Where the frame stands, as ms_frame_call_pc.
	ms_addr stack_lo, stack_hi;
	const struct ms_function *function;
	const struct ms_lock_at *at;
	uint32_t row;  // The caller's.
	uint8_t class; // ms_lock_class
};

/** A lock that somebody waits for. */
struct ms_held_lock {
	ms_addr address; // Of the sync.Mutex or sync.RWMutex.
	bool is_rw;
	bool by_reader; // Those who wait want to write while readers hold it.
	// Found.
	struct ms_lock_state state;
	bool has_state;
	const struct ms_holding *holding; // NULL: not known ...
	const char *unknown;              // ... for this reason; static.
};

/** Zero-initialise, then ms_lock_holders_init. */
struct ms_lock_holders {
	struct ms_go_runtime *rt;
	struct ms_lock_code *code;
	struct ms_lock_layout layout;
	struct {
		struct ms_holding *items;
		size_t count, capacity;
	} holdings;
	struct {
		struct ms_stack_holds {
			uint32_t first, end; // In held_frames.
			bool is_known;
		} * items; // By stack.
		size_t count, capacity;
	} stacks;
	struct {
		struct ms_held_frame {
			const struct ms_lock_at *at;
			uint32_t frame;
			uint8_t class; // ms_lock_class
		} * items;
		size_t count, capacity;
	} held_frames;
	uint64_t without_stack; // Goroutines that run: nothing is known of what they hold.
};

MS_MUST_USE struct ms_error *ms_lock_holders_init(struct ms_lock_holders *holders,
						  struct ms_go_runtime *rt,
						  const struct ms_functions *functions);

/**
 * Take down what the frames of @p g hold.  @p stack is a number that all frames at the same
 * addresses share, counted from 0 on without large gaps: their code is asked once.
 */
MS_MUST_USE struct ms_error *ms_lock_holders_add(struct ms_lock_holders *holders,
						 const struct ms_goroutine *g,
						 const struct ms_frames *frames, uint32_t stack,
						 uint32_t row);

/** Say of each of @p locks, sorted by address, in which state it is and who holds it. */
MS_MUST_USE struct ms_error *ms_lock_holders_find(struct ms_lock_holders *holders,
						  struct ms_held_lock *locks, size_t count);

void ms_lock_holders_deinit(struct ms_lock_holders *holders);
