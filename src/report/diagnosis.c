// diagnosis.c - verdict words, the clock of a finding, and what a diagnosis owns.
#include "report/diagnosis.h"

#include <math.h>
#include <stdlib.h>

const char *ms_verdict_name(enum ms_verdict verdict)
{
	switch (verdict) {
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

struct ms_clock ms_finding_clock(const struct ms_finding *finding)
{
	const struct ms_map_row *map = &finding->map;
	struct ms_clock clock = { .next_growth_entries = MS_UNKNOWN, .next_growth_s = NAN };

	if (map->grow_at == MS_UNKNOWN || map->entries == MS_UNKNOWN || map->grow_at < map->entries)
		return clock;
	clock.next_growth_entries = map->grow_at - map->entries;
	if (finding->entries_per_s > 0)
		clock.next_growth_s = (double)clock.next_growth_entries / finding->entries_per_s;
	return clock;
}

void ms_diagnosis_report_deinit(struct ms_diagnosis_report *report)
{
	free(report->findings);
	ms_coverage_deinit(&report->coverage);
	ms_memory_deinit(&report->memory);
	ms_arena_deinit(&report->arena);
	*report = (struct ms_diagnosis_report){ 0 };
}
