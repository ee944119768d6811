// growth_trace.c - names in a trace, and its end.
#include "report/growth_trace.h"

#include <stdlib.h>

const char *ms_growth_event_kind_name(enum ms_growth_event_kind kind)
{
	static const char *const names[] = {
		[MS_GROWTH_EVENT_DOUBLE] = "double",     [MS_GROWTH_EVENT_SAME_SIZE] = "same_size",
		[MS_GROWTH_EVENT_SPLIT] = "split",       [MS_GROWTH_EVENT_TO_TABLE] = "to_table",
		[MS_GROWTH_EVENT_TO_SMALL] = "to_small", [MS_GROWTH_EVENT_SHRINK] = "shrink",
	};

	return names[kind];
}

const char *ms_trace_source_name(enum ms_trace_source source)
{
	static const char *const names[] = {
		[MS_TRACE_PROBES] = "probes",
		[MS_TRACE_POLLING] = "polling",
	};

	return names[source];
}

void ms_trace_report_deinit(struct ms_trace_report *report)
{
	free(report->events);
	free(report->sums);
	free(report->creations);
	free(report->migrations);
	free(report->cycles);
	free(report->heap);
	free(report->waiters);
	free(report->switches);
	ms_stacks_deinit(&report->stacks);
	ms_arena_deinit(&report->arena);
}
