// fillers.h - who grew the maps that are worth a paragraph, and who waited for their locks, as the
// trace saw it.
#pragma once

#include "report/diagnosis.h"

/**
 * Fill in fillers and waiters of every finding from report->trace, and the line that its advice is
 * about. Of maps that were made anew at an address of another nothing is said: the type has to
 * agree.
 */
void ms_fillers_fill(struct ms_diagnosis_report *report);
