// sampled_stack.h - a thread that was interrupted, made into the stack of a goroutine.
#pragma once

#include "golang/unwind.h"
#include "stacks/book.h"
#include "stacks/cpu_samples.h"

struct ms_sampled_stack {
	/**
	 * Whose stack it is; id 0 when that cannot be told: a thread on the runtime's own stack, in
	 * code of C, or a goroutine that has ended since.
	 */
	struct ms_goroutine g;
	struct ms_stack_image image; // Borrows the sample's bytes.
	struct ms_frames frames;     // As far as the copied bytes reach.
	struct ms_stack_pc pcs[MS_FRAMES_MAX];
	size_t count;
	const char *cut;   // Static: why they end before the stack does; NULL when they do not.
	size_t by_pointer; // Of pcs, the last ones that only frame pointers tell.
	bool chain_agrees; // The kernel's walk by frame pointers met nothing but these frames.
};

/**
 * Unwind one sample.  GONE or NO_MEMORY; a sample that tells nothing is no error, its count is 0.
 */
MS_MUST_USE struct ms_error *ms_sampled_stack_make(struct ms_go_runtime *rt,
						   struct ms_unwinder *unwinder,
						   const struct ms_cpu_sample *sample,
						   struct ms_sampled_stack *ret_stack);
