// fillers.h - who grew the maps that are worth a paragraph, and who waited for their locks, as the
// trace saw it.
#pragma once

#include "report/diagnosis.h"

/**
 * Fill in fillers and waiters of every finding from report->trace. Of maps that were made anew at
 * an address of another nothing is said: the type has to agree.  @p census, sorted by address, says
 * which maps an owner has; NULL where no finding is of an owner.
 */
void ms_fillers_fill(const struct ms_census_report *census, struct ms_diagnosis_report *report);
