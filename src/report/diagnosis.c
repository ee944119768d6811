// diagnosis.c - verdict words, the clock of a finding, and what a diagnosis owns.
#include "report/diagnosis.h"

#include <math.h>
#include <stdlib.h>

const char *ms_verdict_name(enum ms_verdict verdict)
{
	switch (verdict) {
	case MS_VERDICT_RACE:
		return "race";
	case MS_VERDICT_CHURN:
		return "churn";
	case MS_VERDICT_GROWING:
		return "growing";
	case MS_VERDICT_SUSPECT:
		return "suspect";
	case MS_VERDICT_SAWTOOTH:
		return "sawtooth";
	case MS_VERDICT_SLACK:
		return "slack";
	case MS_VERDICT_STABLE:
		break;
	}
	return "stable";
}

const char *ms_finding_kind_name(enum ms_finding_kind kind)
{
	static const char *const names[] = {
		[MS_FINDING_MAP] = "map", [MS_FINDING_OWNER] = "owner", [MS_FINDING_CODE] = "code"
	};

	return names[kind];
}

const char *ms_growth_kind_name(enum ms_growth_kind kind)
{
	return kind == MS_GROWTH_SPLIT ? "split" : "double";
}

const char *ms_limit_kind_name(enum ms_limit_kind kind)
{
	switch (kind) {
	case MS_LIMIT_CGROUP_V2:
	case MS_LIMIT_CGROUP_V2_HIGH:
		return "cgroup v2";
	case MS_LIMIT_CGROUP_V1:
		return "cgroup v1";
	case MS_LIMIT_GOMEMLIMIT:
		return "GOMEMLIMIT";
	case MS_LIMIT_MACHINE:
		return "machine";
	case MS_LIMIT_RLIMIT:
		break;
	}
	return "rlimit";
}

bool ms_limit_is_soft(enum ms_limit_kind kind)
{
	return kind == MS_LIMIT_GOMEMLIMIT || kind == MS_LIMIT_CGROUP_V2_HIGH;
}

/** Until the entries are there, less the time since they were counted. */
static double seconds_to_growth(const struct ms_diagnosis_report *report, double rate,
				uint64_t entries)
{
	double s = rate > 0 ? (double)entries / rate : NAN;

	if (report->looked_ago_s > 0)
		s -= report->looked_ago_s;
	return s < 0 ? 0 : s;
}

/** What the limit will leave when the next growth starts. */
static double left_then(const struct ms_diagnosis_report *report, const struct ms_clock *clock)
{
	double left = (double)clock->limit->left_bytes;
	double rate = report->rss_bytes_per_s > 0 ? report->rss_bytes_per_s : 0;

	return isnan(clock->next_growth_s) ? left : left - rate * clock->next_growth_s;
}

static void clock_limit(const struct ms_diagnosis_report *report, struct ms_clock *clock)
{
	clock->limit = &report->limits[0];
	clock->limit_s = clock->limit->reached_s;
	if (clock->next_growth_new_bytes == MS_UNKNOWN || isnan(clock->next_growth_s))
		return;
	clock->will_not_fit = (double)clock->next_growth_new_bytes > left_then(report, clock);
	if (clock->will_not_fit && !(clock->limit_s < clock->next_growth_s))
		clock->limit_s = clock->next_growth_s;
}

struct ms_clock ms_finding_clock(const struct ms_diagnosis_report *report,
				 const struct ms_finding *finding)
{
	const struct ms_next_growth *next = &finding->next;
	uint64_t entries = finding->map.entries;
	struct ms_clock clock = { .next_growth_entries = MS_UNKNOWN,
				  .next_growth_s = NAN,
				  .next_growth_bytes = MS_UNKNOWN,
				  .next_growth_new_bytes = next->new_bytes,
				  .limit_s = NAN };

	if (next->old_bytes != MS_UNKNOWN && next->new_bytes != MS_UNKNOWN)
		clock.next_growth_bytes = next->old_bytes + next->new_bytes;
	if (next->at_entries != MS_UNKNOWN && entries != MS_UNKNOWN &&
	    next->at_entries >= entries) {
		clock.next_growth_entries = next->at_entries - entries;
		clock.next_growth_s =
		    seconds_to_growth(report, finding->entries_per_s, clock.next_growth_entries);
	}
	if (report->limit_count)
		clock_limit(report, &clock);
	return clock;
}

void ms_diagnosis_report_deinit(struct ms_diagnosis_report *report)
{
	free(report->findings);
	free(report->owner_changes);
	free(report->owners);
	ms_coverage_deinit(&report->coverage);
	ms_memory_deinit(&report->memory);
	ms_trace_report_deinit(&report->trace);
	ms_goroutines_report_deinit(&report->goroutines);
	free(report->allocations.sites);
	ms_stacks_deinit(&report->allocations.stacks);
	ms_arena_deinit(&report->arena);
	ms_arena_deinit(&report->first_arena);
	*report = (struct ms_diagnosis_report){ 0 };
}
