// live_maps.h - the maps of the last census, followed from look to look.
//
//	census  ──► ms_live_maps_take        what there is; histories are taken over
//	headers ──► ms_live_maps_look        what they hold now
//	          ► ms_live_maps_rows        sorted, filtered, cut
//
// A census costs a hundred times what a look at the headers does.  So bytes, capacity and load are
// the census's; entries and evacuations are the look's.
#pragma once

#include "census/poll.h"
#include "report/top.h"

struct ms_live_map {
	uint64_t entries;
	uint64_t seed;
	ms_addr table;
	uint32_t group;
	uint64_t waiting;
	bool is_polled; // One of Go's with a header that can be read by itself.
	bool has_seed;  // Of the first look after the census.
	bool is_lost;
	bool growing;
	uint8_t history_count;
	float progress;
	float history[MS_TOP_HISTORY]; // A ring, the latest at ms_live_maps.at.
};

struct ms_live_group {
	size_t first; // A map of it.
	uint8_t history_count;
	float history[MS_TOP_HISTORY];
};

/** Zero-initialised is empty. */
struct ms_live_maps {
	struct ms_census_report census; // The last one, its own.
	struct ms_live_map *maps;       // Of each of its rows.
	struct ms_live_group *groups;   // By owner, type and kind.
	size_t group_count;
	struct ms_poll *polls; // Of those that are polled.
	size_t poll_count;
	double times[MS_TOP_HISTORY]; // Of the latest looks; a ring.
	unsigned at;
	uint64_t looks;
	double census_at;
	const char *waiting_unknown; // NULL: maps have their counts.
};

/** Take a census over, which is then nobody else's; histories of what was there go on. NO_MEMORY.
 */
MS_MUST_USE struct ms_error *ms_live_maps_take(struct ms_live_maps *live,
					       struct ms_census_report *census, double now);

/**
 * One look is over: live->polls hold what was read, or are as they were where nothing was.
 * @p now is on the clock of ms_live_maps_take.
 */
void ms_live_maps_look(struct ms_live_maps *live, double now);

/** Before counting anew how many wait. */
void ms_live_maps_clear_waiting(struct ms_live_maps *live);

void ms_live_maps_add_waiting(struct ms_live_maps *live, ms_addr map, uint64_t waiting);

struct ms_live_view {
	enum ms_top_sort sort;
	bool expanded;
	size_t top;                   // Rows at most.
	struct ms_row_filter *filter; // NULL: everything.
};

/** Fill in rows and what is counted over all maps.  The caller frees report->rows. */
MS_MUST_USE struct ms_error *ms_live_maps_rows(const struct ms_live_maps *live,
					       const struct ms_live_view *view, double now,
					       struct ms_top_report *report);

void ms_live_maps_deinit(struct ms_live_maps *live);
