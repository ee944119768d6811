// render_all.h - a report in every form there is, for fuzz targets: no form may break on any
// report.
#pragma once

#include "report/census.h"
#include "report/goroutine_rows.h"
#include "report/growth_trace.h"
#include "report/inspect.h"

/** The maps alone, once their owners are summed. */
void render_all_census(const struct ms_census_report *report);
void render_all_trace(const struct ms_trace_report *report);
void render_all_goroutines(const struct ms_goroutines_report *report);

/** And hold it against what holds of each. */
void render_all_inspect(const struct ms_inspect_report *report);
