// advice.h - what to change about a map, in one line that is true for the target's release.
#pragma once

#include "golang/layout.h"
#include "report/diagnosis.h"

/**
 * Advice on finding @p index of @p report; text is NULL when there is none to give.  Strings go to
 * the report's arena.
 */
MS_MUST_USE struct ms_error *ms_advise(struct ms_diagnosis_report *report,
				       const struct ms_go_layout *layout, size_t index);
