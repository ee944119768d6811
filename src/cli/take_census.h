// take_census.h - a whole census for a page: maps, types, owners, memory, and what it cost.
#pragma once

#include "cli/session.h"
#include "report/census.h"

/** Take it, with progress on a terminal; Ctrl-C cuts it short.  The caller deinits the report. */
MS_MUST_USE struct ms_error *ms_take_census(struct ms_session *session,
					    struct ms_census_report *ret_report);
