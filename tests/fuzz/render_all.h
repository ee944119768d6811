// render_all.h - a report in every form there is, for fuzz targets: no form may break on any
// report.
#pragma once

#include "report/goroutine_rows.h"
#include "report/growth_trace.h"

void render_all_trace(const struct ms_trace_report *report);
void render_all_goroutines(const struct ms_goroutines_report *report);
