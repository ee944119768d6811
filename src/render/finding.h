// finding.h - the sentences that stand behind a verdict, for the page and for `evidence` in JSON.
#pragma once

#include "render/render.h"

enum { MS_FINDING_LINES = 6 };

enum ms_finding_detail {
	MS_FINDING_BRIEF, // For a page: without what is only of interest afterwards.
	MS_FINDING_FULL,
};

/**
 * Append line @p index (0 to MS_FINDING_LINES - 1) of a finding; nothing when it has nothing to
 * say.  A line holds numbers and our own words only.
 */
void ms_finding_line(const struct ms_diagnosis_report *report, const struct ms_finding *finding,
		     enum ms_finding_detail detail, unsigned index, struct ms_sink *line);

/** Append how far it has moved its entries; nothing when it does not. */
void ms_finding_evacuation(const struct ms_finding *finding, struct ms_sink *line);

/** Append what to change, what that saves, and its risk; nothing when there is no advice. */
void ms_finding_advice(const struct ms_advice *advice, struct ms_sink *line);

/** Append all limits of the process's memory, in one sentence. */
void ms_limits_line(const struct ms_diagnosis_report *report, struct ms_sink *line);
