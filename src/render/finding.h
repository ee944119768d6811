// finding.h - the sentences that stand behind a verdict, for the page and for `evidence` in JSON.
#pragma once

#include "render/render.h"

enum { MS_FINDING_LINES = 5 };

/**
 * Append line @p index (0 to MS_FINDING_LINES - 1) of a finding; nothing when it has nothing to
 * say.  A line holds numbers and our own words only.
 */
void ms_finding_line(const struct ms_diagnosis_report *report, const struct ms_finding *finding,
		     unsigned index, struct ms_sink *line);

/** Append what to change, what that saves, and its risk; nothing when there is no advice. */
void ms_finding_advice(const struct ms_advice *advice, struct ms_sink *line);

/** Append all limits of the process's memory, in one sentence. */
void ms_limits_line(const struct ms_diagnosis_report *report, struct ms_sink *line);
