// name_maps.h - owners from a census for events that came without one.
#pragma once

#include "report/census.h"
#include "report/growth_trace.h"

/** Whether an event or a sum of a map has no owner. */
bool ms_trace_has_nameless(const struct ms_trace_report *report);

/**
 * Give events and sums that lack an owner, or a type, those of the census's row at the map's
 * address; strings are copied.  A row of another type is of another map, which lay there later or
 * before.  NO_MEMORY.
 */
MS_MUST_USE struct ms_error *ms_trace_name_maps(struct ms_trace_report *report,
						const struct ms_census_report *census);
