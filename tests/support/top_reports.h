// top_reports.h - a look of top to render.
#pragma once

#include "report/top.h"

/** Rows that grow, that move, that wait, that nothing is known of.  Borrowed; for good. */
struct ms_top_report ms_example_top(void);

/** Nothing but what is certain. */
struct ms_top_report ms_example_top_unknown(void);

/** Names that would act on a terminal. */
struct ms_top_report ms_example_top_hostile(void);
