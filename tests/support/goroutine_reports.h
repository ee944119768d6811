// goroutine_reports.h - fixed reports of goroutines for the renderers' tests.
//
// Their arrays are static: they must not be given to a report's deinit.
#pragma once

#include "report/goroutine_rows.h"

/** Two looks at a program in which much is wrong: everything a report can hold. */
struct ms_goroutines_report ms_goroutines_example_busy(void);
/** One look, nothing known but that they are there. */
struct ms_goroutines_report ms_goroutines_example_unknown(void);
/** Nothing was seen. */
struct ms_goroutines_report ms_goroutines_example_empty(void);
/** Cut short, and every string is somebody's attempt at the reader. */
struct ms_goroutines_report ms_goroutines_example_hostile(void);
