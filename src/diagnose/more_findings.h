// more_findings.h - findings that are no single map: owners of many, lines that make maps which do
// not last, and two goroutines in one map at once.
#pragma once

#include "report/diagnosis.h"

/**
 * Add owners and races to the findings of @p report, which has its owner changes and goroutines,
 * and rank all of them anew.  @p census is the last one.  NO_MEMORY.
 */
MS_MUST_USE struct ms_error *ms_more_findings_make(const struct ms_census_report *census,
						   struct ms_diagnosis_report *report);

/** Likewise lines of code, where all that grows has its fillers. */
MS_MUST_USE struct ms_error *ms_code_findings_make(const struct ms_census_report *census,
						   struct ms_diagnosis_report *report);

/** The site of each finding that no growth named a line for. */
void ms_sites_join(struct ms_diagnosis_report *report);

/** Findings held by the stacks of goroutines that become more and wait: which these are. */
void ms_leaks_join(struct ms_diagnosis_report *report);

/** A finding of a map of which no more is known. */
struct ms_finding ms_finding_of_map(const struct ms_map_row *row, enum ms_verdict verdict);

/**
 * Let go of maps that nothing leads to and that are only there: garbage which a collection has not
 * seen yet.  An owner whose maps become more only by garbage may still have too many.
 */
MS_MUST_USE struct ms_error *ms_garbage_drop(struct ms_diagnosis_report *report);

/** Whether @p row is one of the maps that a finding sums up, or is about. */
bool ms_finding_has_map(const struct ms_finding *finding, const struct ms_map_row *row);
