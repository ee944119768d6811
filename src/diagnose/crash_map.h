// crash_map.h - which map a goroutine died in.
#pragma once

#include "golang/unwind.h"
#include "goroutines/map_uses.h"
#include "report/crash.h"

/** What finding maps on stacks needs; the parts are the caller's. */
struct ms_crash_stacks {
	struct ms_go_runtime *rt;
	struct ms_unwinder *unwinder;
	struct ms_map_finder *finder;
	struct ms_goroutine goroutine; // Of the last that was asked for ...
	struct ms_frames frames;       // ... and its stack.
};

/** What cannot be read shows nothing: an error that is not for want of memory goes. */
MS_MUST_USE struct ms_error *ms_crash_leave_out(struct ms_error *err);

/** The frames of the goroutine of @p row, into @p stacks. */
MS_MUST_USE struct ms_error *ms_crash_unwind(struct ms_crash_stacks *stacks,
					     const struct ms_goroutine_row *row);

/** What the code that called map code on the stack of @p row had as its map and type. */
MS_MUST_USE struct ms_error *ms_crash_use_of_caller(struct ms_crash_stacks *stacks,
						    const struct ms_goroutine_row *row,
						    struct ms_map_use *ret_use);

/** Set the map of @p report that @p dead died in, or else which it may have been. */
MS_MUST_USE struct ms_error *ms_crash_find_map(struct ms_crash_stacks *stacks,
					       struct ms_crash_report *report,
					       const struct ms_goroutine_row *dead);

/** The type of the map of a use, in the census's arena; NULL: not known. */
const char *ms_crash_type_name(struct ms_crash_stacks *stacks, struct ms_crash_report *report,
			       const struct ms_map_use *use);
