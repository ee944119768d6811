// gc_blame.h - which growths made a collection come sooner, and how many collections a growth saw.
#pragma once

#include "report/growth_trace.h"

/** What is known of each of report->cycles beyond what is reported. */
struct ms_gc_notes {
	struct ms_gc_note {
		uint64_t trigger_least; // Below it the cycle would not have begun; MS_UNKNOWN.
		double idle_s;          // From the end of the one before to its start; NAN unknown.
	} * items;
	size_t count, capacity;
};

/**
 * Fill in what each event has of collections; all samples of the heap and all cycles are there.
 * @p notes may be shorter than the cycles.
 */
void ms_gc_blame(struct ms_trace_report *report, const struct ms_gc_notes *notes);
