// switches.h - the part of a trace that sees which goroutine takes another's place near a growth.
#pragma once

#include "trace/trace.h"

/** Fills switches, switches_unseen and switches_unknown, where options->switches asks for them. */
extern const struct ms_trace_part ms_trace_switches;
