// owner_changes.h - owners whose many maps grow together, though none of them is worth a finding.
#pragma once

#include "report/diagnosis.h"

/**
 * Fill in the owner changes of @p report from the sums of two censuses @p window_s apart.  Strings
 * are copied.  NO_MEMORY.
 */
MS_MUST_USE struct ms_error *ms_owner_changes_make(const struct ms_census_report *before,
						   const struct ms_census_report *after,
						   double window_s,
						   struct ms_diagnosis_report *report);
