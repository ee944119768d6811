// text_trace.h - the parts of a trace's page.
#pragma once

#include "render/text.h"

/** Growths, collections, the heap and waiters over the window, a row each; nothing when empty. */
void ms_text_trace_time(struct ms_text *t, const struct ms_trace_report *r);

/** Who grew and where in the source, with shares; nothing when nothing grew. */
void ms_text_trace_sums(struct ms_text *t, const struct ms_trace_report *r);

/** Append what a growth's map is called: its owner, or its type, or its address. */
void ms_text_grown(struct ms_text *t, const struct ms_growth_event *e, size_t columns);
