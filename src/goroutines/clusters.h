// clusters.h - goroutines that do the same, made one.
#pragma once

#include "report/goroutine_rows.h"

/**
 * Fill the report's clusters and each row's cluster.  Rows are in one cluster when their state,
 * wait reason and the eight innermost calls of the program are the same, or nearly
 * (cluster_frames.h). The result does not depend on the order of rows or stacks.  NO_MEMORY.
 */
MS_MUST_USE struct ms_error *ms_clusters_make(struct ms_goroutines_report *report);
