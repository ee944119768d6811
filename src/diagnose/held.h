// held.h - what the maps of a page hold beside their own tables.
#pragma once

#include "golang/runtime.h"
#include "report/diagnosis.h"
#include "walk/retained.h"

/** Say of no finding what it retains, for this static reason. */
void ms_held_leave(struct ms_diagnosis_report *report, const char *why);

/**
 * Fill in what each finding retains, and its share of what a collection reads; @p census is the
 * last one.  Takes no longer than @p options say; what was not seen in time stays unknown, with its
 * reason.
 */
MS_MUST_USE struct ms_error *ms_held_fill(struct ms_go_runtime *rt,
					  const struct ms_retained_options *options,
					  const struct ms_census_report *census,
					  struct ms_diagnosis_report *report);
