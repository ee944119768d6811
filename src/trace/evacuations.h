// evacuations.h - how long a classic map held two tables, from the looks at its header.
#pragma once

#include "report/growth_trace.h"
#include "trace/followed.h"

/** Evacuations that ended and still wait for the event they belong to. */
struct ms_evacuations {
	struct ms_evacuation *items;
	size_t count, capacity;
	uint64_t dropped; // For which there was no room.
};

/** Take in a look at a classic map; @p sweepgen is that of about now. */
MS_MUST_USE struct ms_error *ms_evacuations_look(struct ms_evacuations *evacuations,
						 struct ms_followed_map *map,
						 const struct ms_followed_look *look,
						 uint32_t sweepgen);

/**
 * Write what is known into the growths that they belong to.  An evacuation that finds none is kept
 * until @p now is @p patience_s behind its end: probes are read some time after they were hit.
 */
void ms_evacuations_settle(struct ms_evacuations *evacuations, struct ms_trace_report *report,
			   double now, double patience_s);

void ms_evacuations_deinit(struct ms_evacuations *evacuations);
