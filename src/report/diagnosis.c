// diagnosis.c - verdict words and what a diagnosis owns.
#include "report/diagnosis.h"

#include <stdlib.h>

const char *ms_verdict_name(enum ms_verdict verdict)
{
	switch (verdict) {
	case MS_VERDICT_GROWING:
		return "growing";
	case MS_VERDICT_SAWTOOTH:
		return "sawtooth";
	case MS_VERDICT_SLACK:
		return "slack";
	case MS_VERDICT_STABLE:
		break;
	}
	return "stable";
}

void ms_diagnosis_report_deinit(struct ms_diagnosis_report *report)
{
	free(report->findings);
	ms_coverage_deinit(&report->coverage);
	ms_arena_deinit(&report->arena);
	*report = (struct ms_diagnosis_report){ 0 };
}
