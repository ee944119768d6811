// stopped.h - where a goroutine that ran was, in a program whose threads stand still.
#pragma once

#include "golang/goroutines.h"

/**
 * In a core file: give @p g, which runs, the registers of its thread.  Where that was on another of
 * its stacks, those that the kernel saved for the signal that took it there, or what the runtime
 * saved as it left.  Nothing is changed where none of these is known, and in a live process.
 */
MS_MUST_USE struct ms_error *ms_goroutine_stop(struct ms_go_runtime *rt, struct ms_goroutine *g);

/**
 * In a core file: the thread that runs @p g, where it is on the stack of its own (g0) that the
 * runtime works on for a goroutine, as one that rests there.  False in *ret_is_there where it is
 * not, and in a live process.
 */
MS_MUST_USE struct ms_error *ms_goroutine_system_stack(struct ms_go_runtime *rt,
						       const struct ms_goroutine *g,
						       struct ms_goroutine *ret_system,
						       bool *ret_is_there);

/** Read the lowest part of a stack: half of @p size, or half of that ..., where not all is there.
 */
MS_MUST_USE struct ms_error *ms_stack_read(struct ms_go_runtime *rt, ms_addr sp, uint8_t *bytes,
					   size_t size, size_t *ret_size);

/**
 * Where a thread of a core was as the signal came whose handler it is in, whichever goroutine it
 * ran; where it is, if it is in none.
 */
MS_MUST_USE struct ms_error *ms_thread_before_signal(struct ms_go_runtime *rt,
						     const struct ms_thread_state *thread,
						     struct ms_thread_state *ret_before);
