// watch.h - a few maps, followed by polling, and what they did.
#pragma once

#include "census/poll.h"
#include "diagnose/verdict.h"
#include "registry/hmap_census.h"
#include "report/census.h"

enum { MS_WATCHED_MAX = 256, MS_WATCH_SAMPLES_MAX = 128 };

/** One map's history over the window. */
struct ms_watched {
	ms_addr address;
	const struct ms_registry *registry; // Of a map of libhmap's; NULL: one of Go's.
	uint64_t polls;
	uint64_t entries_first, entries_last, entries_low, entries_high;
	double time_first, time_last; // Of the first and last valid poll.
	uint64_t rises, falls;        // Polls that found more, fewer entries than the one before.
	uint64_t growths;             // Seen to start, at least.
	uint64_t size;
	bool growing;
	struct ms_sample samples[MS_WATCH_SAMPLES_MAX]; // Evenly spread over the polls.
	size_t sample_count;
	uint64_t stride; // Polls for one sample.
};

struct ms_watch {
	struct ms_watched items[MS_WATCHED_MAX]; // Sorted by address.
	struct ms_poll polls[MS_WATCHED_MAX];
	size_t count;
	struct ms_target *target; // Of libhmap's maps.
};

/**
 * Choose the maps to follow: the largest by bytes and by entries, and those that grow.  @p places
 * says which of them are libhmap's, in @p target.
 */
MS_MUST_USE struct ms_error *ms_watch_choose(struct ms_watch *watch,
					     const struct ms_census_report *census,
					     const struct ms_hmap_places *places,
					     struct ms_target *target);

/** Poll once; @p now is the time of it.  @p rt is NULL where no map is Go's. */
MS_MUST_USE struct ms_error *ms_watch_poll(struct ms_watch *watch, struct ms_go_runtime *rt,
					   double now);

/** The history of the map at @p address, or NULL when it was not followed. */
const struct ms_watched *ms_watch_find(const struct ms_watch *watch, ms_addr address);

/**
 * What the polls saw as a history that ends with @p last, a later look of another kind (NULL for
 * none).  @p samples is the caller's room for MS_WATCH_SAMPLES_MAX + 2 of them.
 */
struct ms_history ms_watched_history(const struct ms_watched *watched, const struct ms_sample *last,
				     struct ms_sample *samples);
