// lines.h - the line of the source that an advice is about.
#pragma once

#include "golang/runtime.h"
#include "report/diagnosis.h"

/** Find where the maps of each line of code are made; what cannot be read is left out. */
MS_MUST_USE struct ms_error *ms_made_at_find(struct ms_go_runtime *rt,
					     struct ms_diagnosis_report *report);

/** Fill in file and line of the advice of every finding, where one is known. */
void ms_lines_name(struct ms_diagnosis_report *report);
