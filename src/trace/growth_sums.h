// growth_sums.h - growths counted by map, kind and stack, whether they were kept one by one or not.
#pragma once

#include "base/number_map.h"
#include "report/growth_trace.h"

enum { MS_GROWTH_SUMS_MAX = 65536 };

struct ms_growth_sums {
	struct ms_trace_report *report; // Borrowed: its sums are filled.
	struct ms_number_map row_of;
};

/**
 * Add @p count growths to the row of sum's map, kind and stack; beyond MS_GROWTH_SUMS_MAX rows to
 * one of all maps.  sum->to_bytes is that of all of them, MS_UNKNOWN when it is not known.
 */
MS_MUST_USE struct ms_error *ms_growth_sums_add(struct ms_growth_sums *sums,
						const struct ms_growth_sum *sum);

/** Put the rows in order, when nobody adds any more. */
void ms_growth_sums_order(struct ms_trace_report *report);

void ms_growth_sums_deinit(struct ms_growth_sums *sums);
