// hmap_probes.h - growths of libhmap's maps in a trace: by its static probes, else by its counters.
#pragma once

#include "trace/trace.h"

extern const struct ms_trace_part ms_hmap_probes;
