// map_lines.h - which lines of the program spend time in making, writing and growing maps.
#pragma once

#include "goroutines/goroutines_run.h"
#include "goroutines/sample_store.h"

/** Fill the report's lines from @p store; @p finder knows the maps of the census.  NO_MEMORY. */
MS_MUST_USE struct ms_error *ms_map_lines_make(struct ms_goroutines_run *run,
					       const struct ms_sample_store *store,
					       const struct ms_map_finder *finder);
