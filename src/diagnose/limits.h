// limits.h - what bounds the target's memory, and how fast it comes nearer.
#pragma once

#include "golang/pacer.h"
#include "report/diagnosis.h"
#include "target/memory_bound.h"

/** Resident memory over a window, as a line through all looks at it. */
struct ms_memory_trend {
	double first_s;
	uint64_t looks;
	double sum_t, sum_b, sum_tt, sum_tb; // Of seconds since first_s, and bytes.
	uint64_t last_bytes;
};

/** Take a look in; MS_UNKNOWN bytes are none. */
void ms_memory_trend_add(struct ms_memory_trend *trend, double now_s, uint64_t bytes);

/** Bytes per second; NAN with fewer than three looks. */
double ms_memory_trend_rate(const struct ms_memory_trend *trend);

/**
 * Fill limits, limit_count, limits_hidden and rss_bytes_per_s of @p report.  @p pacer
 * is NULL when it was not found.
 */
void ms_limits_fill(const struct ms_memory_bounds *bounds, const struct ms_go_pacer *pacer,
		    const struct ms_memory_trend *trend, struct ms_diagnosis_report *report);
