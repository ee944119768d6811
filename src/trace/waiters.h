// waiters.h - who waits for the locks of maps, on the trace's line of time.
#pragma once

#include "trace/trace.h"

/** Fills the report's waiters: some ten looks in a window, one a second in one without end. */
extern const struct ms_trace_part ms_trace_waiters;
