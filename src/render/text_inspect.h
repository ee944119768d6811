// text_inspect.h - parts of the page of one map opened.
#pragma once

#include "render/text.h"

/** What the map takes, as the census counts it. */
void ms_text_inspect_bytes(struct ms_text *t, const struct ms_inspect_report *report);

/** The current array, and while it grows the old one above, in the same columns. */
void ms_text_inspect_arrays(struct ms_text *t, const struct ms_inspect_report *report);

/** Chains, entries of units, tags, and how even they are. */
void ms_text_inspect_table(struct ms_text *t, const struct ms_inspect_report *report);
