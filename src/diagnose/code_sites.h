// code_sites.h - which lines of the program make, fill and empty maps like those of a finding.
#pragma once

#include "golang/runtime.h"
#include "report/diagnosis.h"

/**
 * Fill in the sites of every finding that asks for something to be changed, and whether there is
 * code that deletes from such maps at all.  What cannot be read says nothing.
 */
MS_MUST_USE struct ms_error *ms_code_sites_find(struct ms_go_runtime *rt,
						struct ms_diagnosis_report *report);

/** Likewise of one map; its texts are the arena's. */
MS_MUST_USE struct ms_error *ms_code_sites_of_map(struct ms_go_runtime *rt,
						  const struct ms_map_row *map,
						  struct ms_arena *arena,
						  struct ms_code_sites *ret_sites);
