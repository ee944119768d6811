// open_map.h - one map of a census, read whole.
#pragma once

#include "cli/session.h"
#include "report/census.h"
#include "report/inspect.h"

/**
 * Read the map of @p row of @p census, as the session's options say.  Of a kind whose table is not
 * read here the report has the row, and why no more.  USAGE when nothing but the address speaks for
 * a map.  The report is the caller's to deinit; it borrows the strings of the census.
 */
MS_MUST_USE struct ms_error *ms_open_map(struct ms_session *s,
					 const struct ms_census_report *census,
					 const struct ms_map_row *row,
					 struct ms_inspect_report *ret_report);
