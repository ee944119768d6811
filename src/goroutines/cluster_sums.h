// cluster_sums.h - what is said of each cluster, from its rows.
#pragma once

#include "report/goroutine_rows.h"

/**
 * Fill the report's clusters: each row's cluster is a number below @p count; afterwards the largest
 * is number 0.  Suspects must be there, for they mark clusters.  NO_MEMORY.
 */
MS_MUST_USE struct ms_error *ms_clusters_sum(struct ms_goroutines_report *report, uint32_t count);
