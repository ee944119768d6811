// text_trace_gc.h - what a trace's page says of collections.
#pragma once

#include "render/text.h"

/** The runtime's own line of each cycle that ended since @p mark, which is moved on. */
void ms_text_trace_gc_lines(struct ms_text *t, const struct ms_trace_report *report,
			    struct ms_trace_mark *mark);

/** "7 collections, 3.1 ms paused ...", and which growths brought one forward. */
void ms_text_trace_gc(struct ms_text *t, const struct ms_trace_report *report);
