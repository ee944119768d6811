// code_results.h - variables that are given what a function of the program's own returns:
// "var tables = newTables()".
#pragma once

#include "golang/code_functions.h"
#include "golang/code_merge.h"

/**
 * Follow the functions whose results @p raw has variables for, and add a fact to @p raw for each
 * result that is always of one type.  What a function returns of another is looked for there.
 */
MS_MUST_USE struct ms_error *ms_code_results_resolve(struct ms_go_runtime *rt,
						     const struct ms_code_functions *functions,
						     struct ms_code_tracker *tracker,
						     struct ms_code_raw *raw);
