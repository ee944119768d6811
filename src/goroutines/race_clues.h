// race_clues.h - goroutines that are inside map code of one map at one time, one of them changing
// it.  A clue, never a proof.
#pragma once

#include "goroutines/goroutines_run.h"
#include "goroutines/sample_store.h"

/** A goroutine that rested inside map code when it was looked at. */
struct ms_map_rest {
	struct ms_goroutine g;
	ms_addr map, type;
	uint8_t role;   // ms_map_role
	uint32_t stack; // In the report.
	double time;    // When, on options->now.
};

/** A loop over a map that was open when its goroutine, which rested, was looked at. */
struct ms_open_loop {
	uint64_t goroutine;
	ms_addr map, type;
	uint32_t stack; // In the report.
	bool is_replaced;
};

/** What is looked through for clues. */
struct ms_clue_sources {
	const struct ms_sample_store *store;
	double period_s; // Of CPU time, between two samples of a thread.
	double window_s; // How long samples were taken.
	struct {
		struct ms_map_rest *items;
		size_t count, capacity;
	} rests;
	struct {
		struct ms_open_loop *items;
		size_t count, capacity;
	} loops;
	const struct ms_map_finder *finder; // For owners and types.
};

/** Fill the report's clues, the strongest first. */
MS_MUST_USE struct ms_error *ms_race_clues_find(struct ms_goroutines_run *run,
						const struct ms_clue_sources *sources);
