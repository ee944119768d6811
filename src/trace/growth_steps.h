// growth_steps.h - which growths led from one look at a map to the next.
#pragma once

#include "trace/followed.h"

/** One growth, at least: more may have happened that left no trace. */
struct ms_growth_step {
	uint8_t kind;      // ms_growth_event_kind
	uint64_t from, to; // Slots of the table that grew, and of what took its place.
	uint64_t entries;  // Of the map when it began, where that is certain; else MS_UNKNOWN.
	uint64_t capacity; // Of the whole map before; MS_UNKNOWN.
	bool one_of_several;
};

typedef struct ms_error *(*ms_growth_step_fn)(void *context, const struct ms_growth_step *step);

/** Steps of the classic map @p map, from its last look to this one. */
MS_MUST_USE struct ms_error *ms_growth_steps_classic(const struct ms_go_layout *layout,
						     const struct ms_followed_map *map,
						     const struct ms_poll *now,
						     ms_growth_step_fn fn, void *context);

/** Steps of a Swiss map that its header tells: its first group, its first table. */
MS_MUST_USE struct ms_error *ms_growth_steps_swiss(const struct ms_followed_map *map,
						   const struct ms_poll *now, ms_growth_step_fn fn,
						   void *context);

/** Steps of a Swiss map's tables. */
MS_MUST_USE struct ms_error *ms_growth_steps_tables(const struct ms_followed_map *map,
						    const struct ms_table_look *tables,
						    ms_growth_step_fn fn, void *context);
