// trace_reports.h - fixed traces for the renderers' tests.
//
// Their arrays are static: they must not be given to a report's deinit.
#pragma once

#include "report/growth_trace.h"

/** Probes on a program of Go 1.19: everything a trace can hold. */
struct ms_trace_report ms_trace_example_classic(void);
/** Probes on a program of Go 1.26: tables that split, and sums of what was only counted. */
struct ms_trace_report ms_trace_example_swiss(void);
/** Headers polled: no stack, times between two looks. */
struct ms_trace_report ms_trace_example_polled(void);
/** Nothing grew. */
struct ms_trace_report ms_trace_example_empty(void);
/** Cut short, and every string is somebody's attempt at the reader. */
struct ms_trace_report ms_trace_example_hostile(void);
