// growth_trace.c - names in a trace, its rows, and its end.
#include "report/growth_trace.h"

#include "base/vec.h"

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

/** Room for one more of @p count items; false when memory is short. */
static bool have_room(void **items, size_t *capacity, size_t count, size_t size)
{
	return count < *capacity || ms_vec_reserve_raw(items, capacity, count + 1, size);
}

struct ms_error *ms_trace_add_event(struct ms_trace_report *r, const struct ms_growth_event *event)
{
	if (!have_room((void **)&r->events, &r->event_capacity, r->event_count, sizeof(*event)))
		return ms_error_no_memory();
	r->events[r->event_count++] = *event;
	return NULL;
}

struct ms_error *ms_trace_add_creation(struct ms_trace_report *r,
				       const struct ms_creation_event *creation)
{
	if (!have_room((void **)&r->creations, &r->creation_capacity, r->creation_count,
		       sizeof(*creation)))
		return ms_error_no_memory();
	r->creations[r->creation_count++] = *creation;
	return NULL;
}

struct ms_error *ms_trace_add_migration(struct ms_trace_report *r,
					const struct ms_migration *migration)
{
	if (!have_room((void **)&r->migrations, &r->migration_capacity, r->migration_count,
		       sizeof(*migration)))
		return ms_error_no_memory();
	r->migrations[r->migration_count++] = *migration;
	return NULL;
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
