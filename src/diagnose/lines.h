// lines.h - the line of the source that an advice is about.
#pragma once

#include "golang/runtime.h"
#include "report/diagnosis.h"

/**
 * Fill in file and line of the advice of every finding, where one is known, and where the maps of a
 * line of code are made.
 */
MS_MUST_USE struct ms_error *ms_lines_name(struct ms_go_runtime *rt,
					   struct ms_diagnosis_report *report);
