// live_locals.c - a function's maps of live pointers, as the collector reads them.
//
// Steps (pc_values.h) say of each call which bitmap holds, -1 the first.  All bitmaps of a function
// have one size and end where its locals end, below the saved frame pointer (runtime.getStackMap):
//
//	count (4) | bits in each (4) | bitmaps, each in whole bytes
#include "golang/live_locals.h"

enum {
	STEPS_INDEX = 1, // abi.PCDATA_StackMapIndex
	DATA_INDEX = 1,  // abi.FUNCDATA_LocalsPointerMaps
	HEAD_BYTES = 8,
	BITS_MAX = 1 << 20,
};

enum ms_live ms_local_is_live(const struct ms_functions *f, const struct ms_frame *frame,
			      ms_addr address)
{
	const struct ms_function *fn = frame->function;
	uint32_t steps = ms_function_steps(f, fn, STEPS_INDEX), count, bits;
	ms_addr end = frame->end > frame->sp ? frame->end - 8 : frame->end, start;
	uint64_t offset, bit;
	uint8_t head[HEAD_BYTES], byte;
	int32_t index;
	struct ms_error *err;

	if (!frame->is_return || !steps ||
	    !ms_function_value(f, fn, steps, ms_frame_call_pc(frame), &index) ||
	    !ms_function_data(f, fn, DATA_INDEX, sizeof(head), &offset))
		return MS_LIVE_UNKNOWN;
	err = ms_target_exe_read(f->rt->target, offset, head, sizeof(head));
	count = err ? 0 : ms_load_u32(head);
	bits = err ? 0 : ms_load_u32(head + 4);
	index = index == -1 ? 0 : index;
	if (err || index < 0 || (uint32_t)index >= count || bits > BITS_MAX) {
		ms_error_free(err);
		return MS_LIVE_UNKNOWN;
	}
	start = end - 8ull * bits;
	if (address < start || address >= end || (address & 7))
		return MS_LIVE_UNKNOWN; // Words below hold no pointers, or are arguments of calls.
	bit = (address - start) / 8;
	err = ms_target_exe_read(f->rt->target,
				 offset + HEAD_BYTES + (uint64_t)index * ((bits + 7) / 8) + bit / 8,
				 &byte, 1);
	if (err) {
		ms_error_free(err);
		return MS_LIVE_UNKNOWN;
	}
	return byte >> (bit % 8) & 1 ? MS_LIVE_YES : MS_LIVE_NO;
}
