// live_locals.h - which words of a frame the function still needs.
//
// The compiler tells the collector for each call which local words with a pointer are needed behind
// it.  What a loop that ended left in the frame is not among them.
#pragma once

#include "golang/unwind.h"

enum ms_live {
	MS_LIVE_UNKNOWN, // Not at a call, or the table does not say.
	MS_LIVE_NO,
	MS_LIVE_YES,
};

/** Whether the pointer at @p address, a local of @p frame, is needed when its call returns. */
enum ms_live ms_local_is_live(const struct ms_functions *functions, const struct ms_frame *frame,
			      ms_addr address);
