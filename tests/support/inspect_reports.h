// inspect_reports.h - fixed reports of opened maps for the renderers' tests.
//
// Their arrays are static: they must not be given to a report's deinit.
#pragma once

#include "report/inspect.h"

struct ms_inspect_report ms_inspect_example_growing(void); // Classic, one thing broken.
struct ms_inspect_report ms_inspect_example_same_size(void);
struct ms_inspect_report ms_inspect_example_swiss(void);
struct ms_inspect_report ms_inspect_example_moving(void); // It never held still.
struct ms_inspect_report ms_inspect_example_hmap(void);   // Of a map whose table is not read.
struct ms_inspect_report ms_inspect_example_steady(void); // Of one that grows in place.
struct ms_inspect_report ms_inspect_example_halving(void);
struct ms_inspect_report ms_inspect_example_tidied(void);
struct ms_inspect_report ms_inspect_example_hostile(void);
