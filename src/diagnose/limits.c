// limits.c - all bounds on one list, what leaves least first.
//
// The time to each is a guess from one line: resident memory as it went in the window.  Memory that
// does not rise says nothing of when a limit is reached.  What GOMEMLIMIT counts (memory of the
// runtime that is not returned) is close to what is resident, which stands in for it.
#include "diagnose/limits.h"

#include <math.h>

enum { LOOKS_MIN = 3 };

static const double REACHED_S_MAX = 30 * 86400; // Nobody believes a line for longer.

void ms_memory_trend_add(struct ms_memory_trend *trend, double now_s, uint64_t bytes)
{
	double t, b = (double)bytes;

	if (bytes == MS_UNKNOWN)
		return;
	if (!trend->looks++)
		trend->first_s = now_s;
	t = now_s - trend->first_s;
	trend->sum_t += t;
	trend->sum_b += b;
	trend->sum_tt += t * t;
	trend->sum_tb += t * b;
	trend->last_bytes = bytes;
}

double ms_memory_trend_rate(const struct ms_memory_trend *trend)
{
	double n = (double)trend->looks;
	double spread = n * trend->sum_tt - trend->sum_t * trend->sum_t;

	if (trend->looks < LOOKS_MIN || !(spread > 0))
		return NAN;
	return (n * trend->sum_tb - trend->sum_t * trend->sum_b) / spread;
}

static void limit_add(struct ms_diagnosis_report *report, enum ms_limit_kind kind,
		      const struct ms_memory_bound *bound)
{
	struct ms_limit limit = { .kind = kind,
				  .limit_bytes = bound->limit_bytes,
				  .left_bytes = ms_memory_bound_left(bound),
				  .reached_s = NAN };
	size_t at = report->limit_count;

	if (limit.left_bytes == MS_UNKNOWN || report->limit_count == MS_LIMITS_MAX)
		return;
	if (report->rss_bytes_per_s > 0)
		limit.reached_s = (double)limit.left_bytes / report->rss_bytes_per_s;
	if (limit.reached_s > REACHED_S_MAX)
		limit.reached_s = NAN;
	for (; at > 0 && report->limits[at - 1].left_bytes > limit.left_bytes; at--)
		report->limits[at] = report->limits[at - 1];
	report->limits[at] = limit;
	report->limit_count++;
}

void ms_limits_fill(const struct ms_memory_bounds *bounds, const struct ms_go_pacer *pacer,
		    const struct ms_memory_trend *trend, struct ms_diagnosis_report *report)
{
	report->limit_count = 0;
	report->limits_hidden = NULL;
	report->rss_bytes_per_s = ms_memory_trend_rate(trend);
	limit_add(report, MS_LIMIT_CGROUP_V2, &bounds->cgroup2);
	limit_add(report, MS_LIMIT_CGROUP_V2_HIGH, &bounds->cgroup2_high);
	limit_add(report, MS_LIMIT_CGROUP_V1, &bounds->cgroup1);
	limit_add(report, MS_LIMIT_MACHINE, &bounds->machine);
	limit_add(report, MS_LIMIT_RLIMIT, &bounds->address_space);
	limit_add(report, MS_LIMIT_RLIMIT, &bounds->data);
	if (pacer && pacer->has_memory_limit && trend->looks) {
		const struct ms_memory_bound soft = { pacer->memory_limit_bytes,
						      trend->last_bytes };

		limit_add(report, MS_LIMIT_GOMEMLIMIT, &soft);
	}
	if (bounds->cgroup_hidden)
		report->limits_hidden =
		    "its cgroup is outside of what can be seen from here: run mapscope on the host";
	else if (!pacer)
		report->limits_hidden = "GOMEMLIMIT was not found in its memory";
}
