// text_switches.h - for text_trace.c.
#pragma once

#include "render/text.h"

/** Who took whose place on a P near the growths of a trace; nothing where it was not asked for. */
void ms_text_switches(struct ms_text *t, const struct ms_trace_report *report);
