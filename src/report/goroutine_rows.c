// goroutine_rows.c - names in a report of goroutines, and its end.
#include "report/goroutine_rows.h"

#include <stdlib.h>

const char *ms_map_role_name(enum ms_map_role role)
{
	static const char *const names[] = {
		[MS_ROLE_NONE] = NULL,           [MS_ROLE_READS] = "reads",
		[MS_ROLE_WRITES] = "writes",     [MS_ROLE_GROWS] = "grows",
		[MS_ROLE_ITERATES] = "iterates", [MS_ROLE_WAITS] = "waits",
	};

	return names[role];
}

const char *ms_stack_source_name(enum ms_stack_source source)
{
	static const char *const names[] = {
		[MS_STACK_NONE] = "none",
		[MS_STACK_UNWOUND] = "unwound",
		[MS_STACK_SAMPLED] = "sampled",
	};

	return names[source];
}

void ms_goroutines_report_deinit(struct ms_goroutines_report *report)
{
	free(report->rows);
	free(report->clusters);
	free(report->places);
	free(report->suspects);
	free(report->clues);
	free(report->holds);
	free(report->lines);
	free(report->ps);
	free(report->ms);
	free(report->global_queue);
	ms_stacks_deinit(&report->stacks);
	ms_arena_deinit(&report->arena);
}
