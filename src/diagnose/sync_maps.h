// sync_maps.h - keys that a sync.Map up to Go 1.23 keeps although they were deleted.
#pragma once

#include "golang/runtime.h"
#include "report/diagnosis.h"

/**
 * Look into the largest maps of sync.Maps in @p census; where most keys are of deleted entries it
 * is a finding of slack, a new one or one that is there.  An error means that the target is lost or
 * memory is short.
 */
MS_MUST_USE struct ms_error *ms_sync_maps_look(struct ms_go_runtime *rt,
					       const struct ms_census_report *census,
					       struct ms_diagnosis_report *report);
