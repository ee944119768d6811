// unwind.h - the frames of a goroutine that rests, innermost first.
#pragma once

#include "golang/functions.h"
#include "golang/goroutines.h"

enum { MS_FRAMES_MAX = 512 };

/** Why there are no more frames. */
enum ms_unwind_end {
	MS_UNWIND_TOP,         // The stack's own end: goexit, mstart, rt0_go.
	MS_UNWIND_LIMIT,       // MS_FRAMES_MAX frames.
	MS_UNWIND_RUNNING,     // It runs: what is saved of it is stale.  No frames.
	MS_UNWIND_MOVED,       // It went on while it was looked at, each time.  No frames.
	MS_UNWIND_UNREADABLE,  // Its stack cannot be read there.
	MS_UNWIND_NO_FUNCTION, // The address is in no function of the main module.
	MS_UNWIND_NO_FRAME,    // The function does not say how large its frame is.
	MS_UNWIND_SWITCHED,    // The function changes stacks.
	MS_UNWIND_OFF_STACK,   // The frame would leave the stack.
	MS_UNWIND_IMAGE_END,   // The bytes of an image end before the stack does.
};

struct ms_frame {
	ms_addr pc;
	ms_addr sp;  // The lowest address of its locals.
	ms_addr end; // Behind them: on amd64 its return address.  Is sp where it is not known.
	const struct ms_function *function;
	bool is_return; // pc is where a call returns to: the call is at ms_frame_call_pc.
};

struct ms_frames {
	struct ms_frame items[MS_FRAMES_MAX];
	size_t count;
	enum ms_unwind_end ended;
	uint32_t by_frame_pointer; // Steps that the function table could not tell.
	// Steps by the function table where the chain of frame pointers says the same, or another
	// place.  Frames that have none, and all of arm64, are not counted.
	uint32_t pointer_agrees, pointer_differs;
};

struct ms_unwinder;

/** @p rt must outlive it.  Loads the functions.  Not for two threads at once. */
MS_MUST_USE struct ms_error *ms_unwinder_create(struct ms_go_runtime *rt,
						struct ms_unwinder **ret_unwinder);

/** Accepts NULL. */
void ms_unwinder_destroy(struct ms_unwinder *unwinder);

/**
 * The frames of @p g as its stack is now.  A stack that ends early is no error: see ended.  What
 * @p g says is believed; ms_unwind_each also asks whether it went on meanwhile.
 */
MS_MUST_USE struct ms_error *ms_unwind(struct ms_unwinder *unwinder, const struct ms_goroutine *g,
				       struct ms_frames *ret_frames);

/** The lowest part of a stack as it was at one moment, and where its thread or goroutine was. */
struct ms_stack_image {
	ms_addr pc, sp, bp;
	ms_addr lr;                 // arm64, see ms_goroutine; of a thread the register.
	ms_addr stack_lo, stack_hi; // Of the whole stack.
	const uint8_t *bytes;       // From sp on.
	size_t size;
	bool is_return; // It rested: pc is where a call returns to.  Else the next instruction.
};

/** The frames of @p image by its bytes alone: the target's memory is not read. */
MS_MUST_USE struct ms_error *ms_unwind_image(struct ms_unwinder *unwinder,
					     const struct ms_stack_image *image,
					     struct ms_frames *ret_frames);

/** Called with each goroutine as it was when @p frames were read; they last until it returns. */
typedef struct ms_error *(*ms_unwind_fn)(const struct ms_goroutine *g,
					 const struct ms_frames *frames, void *context);

/** Unwind all of @p goroutines, many reads at a time.  An error of @p fn ends it. */
MS_MUST_USE struct ms_error *ms_unwind_each(struct ms_unwinder *unwinder,
					    const struct ms_goroutines *goroutines, ms_unwind_fn fn,
					    void *context);

/**
 * While @p fn is called with @p g: its stack from sp to the end, as it was when the frames were
 * read.  NULL where that was not kept, as of stacks in use longer than 2 KiB.
 */
const uint8_t *ms_unwind_stack_bytes(const struct ms_unwinder *unwinder,
				     const struct ms_goroutine *g);

/** Where in its function a frame is: the call that has not returned, or the instruction. */
static inline ms_addr ms_frame_call_pc(const struct ms_frame *frame)
{
	return frame->is_return ? frame->pc - 1 : frame->pc;
}

/**
 * The frame to name for an address on the stack: the one that holds it, or the first around that
 * which is no runtime function.  NULL when there is none.
 */
const struct ms_frame *ms_unwind_owner(const struct ms_frames *frames, ms_addr address);

/** "goexit reached", "it runs", ... */
const char *ms_unwind_end_text(enum ms_unwind_end end);
