// growth_probes.h - the part of a trace that learns of growths from probes.
#pragma once

#include "trace/bpf/events.h"
#include "trace/trace.h"

/**
 * Places the probes, takes their events, and takes the probes away.  Where it cannot, it says so
 * in the report (source, no_probes_reason), and polling stands in.
 */
extern const struct ms_trace_part ms_growth_probes;
