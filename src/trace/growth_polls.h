// growth_polls.h - the part of a trace that learns of growths by reading headers again and again.
#pragma once

#include "trace/trace.h"

/**
 * Behind the probes.  Where report->source is MS_TRACE_POLLING it makes the events; with probes it
 * adds to theirs how long the evacuation took.
 */
extern const struct ms_trace_part ms_growth_polls;
