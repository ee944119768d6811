// hmap_advice.h - the next growth of a map of libhmap's, and what to change about it.
#pragma once

#include "report/diagnosis.h"

/** Fill in next, advice and what is not known of a finding of libhmap's maps. */
MS_MUST_USE struct ms_error *ms_hmap_finding_complete(struct ms_diagnosis_report *report,
						      struct ms_finding *finding);
