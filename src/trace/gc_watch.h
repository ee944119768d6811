// gc_watch.h - collections and the heap on the trace's line of time.
#pragma once

#include "trace/trace.h"

/**
 * Fills heap, cycles, gc_cycles, gc_pause_s or gc_unknown, and at the end what events have of
 * collections: it has to end behind the parts that make events and time them.
 */
extern const struct ms_trace_part ms_trace_gc;
