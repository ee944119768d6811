// fail_ifs.h - the conditions of --fail-if, held against what a verb saw.
#pragma once

#include "cli/exit_code.h"
#include "cli/options.h"
#include "report/fail_if.h"

/**
 * Say on stderr which conditions hold, and of how many owners or maps a value was not known.
 * *ret_exit becomes MS_EXIT_BUDGET when one holds.  @p diagnosis is NULL for a census, of which a
 * condition on a window is a USAGE error.
 */
MS_MUST_USE struct ms_error *ms_fail_ifs_check(const struct ms_options *options,
					       const struct ms_owner_row *owners, size_t count,
					       const struct ms_diagnosis_report *diagnosis,
					       enum ms_exit_code *ret_exit);

/** USAGE when a verb without a window has a condition on one; asked before anything is read. */
MS_MUST_USE struct ms_error *ms_fail_ifs_are_of_census(const struct ms_options *options);
