// render_all.h - a report in every form there is, for fuzz targets: no form may break on any
// report.
#pragma once

#include "report/census.h"
#include "report/goroutine_rows.h"
#include "report/growth_trace.h"

/** The maps alone, once their owners are summed. */
void render_all_census(const struct ms_census_report *report);
void render_all_trace(const struct ms_trace_report *report);
void render_all_goroutines(const struct ms_goroutines_report *report);
