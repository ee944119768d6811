// recordings.h - the recordings under tests/golden/recordings/, and what is true of each.
//
// NAME.msrec is a whole small process; NAME.truth.json is what that process printed of its own
// maps, one JSON object a line; NAME.decoys.txt are the addresses of what it made to look like a
// map.  tools/record/make-recordings.sh made all three.
#pragma once

#include "census/census_run.h"

enum { RECORDINGS_MAX = 64, RECORDING_NAME_MAX = 64, TRUTH_TYPE_MAX = 256 };

struct recording_names {
	char items[RECORDINGS_MAX][RECORDING_NAME_MAX]; // Sorted, without the ending.
	size_t count;
};

/** One map as the program itself knows it. */
struct truth_map {
	ms_addr address;
	uint64_t entries, capacity;
	char type[TRUTH_TYPE_MAX];
	bool is_swiss, on_stack, never_written;
	bool growing, same_size;                // Classic.
	uint64_t bucket_log2, overflow_buckets; // Classic.
	uint64_t evacuated, grows_from;         // Classic, in buckets and in slots.
	uint64_t tables, deleted_slots, depth;  // Swiss.
};

struct decoy {
	ms_addr address;
	bool is_empty; // Looks like a map that was never written: nothing tells it from one.
};

struct truth {
	struct {
		struct truth_map *items;
		size_t count, capacity;
	} maps;
	struct {
		struct decoy *items;
		size_t count, capacity;
	} decoys;
};

/** All of them; fails the test when there is none. */
void recordings_list(struct recording_names *ret_names);

/** Open one; the caller destroys it. */
struct ms_target *recording_open(const char *name);

void truth_load(const char *name, struct truth *ret_truth);
void truth_deinit(struct truth *truth);

/** A census of one recording, beside what is true of it. */
struct recorded_census {
	const char *name;
	struct ms_target *target;
	struct ms_go_runtime *rt;
	struct ms_census_report report;
	struct truth truth;
};

typedef void (*recorded_census_fn)(const struct recorded_census *census, void *context);

/** Take a census of every recording and call @p check on each. */
void on_each_census(recorded_census_fn check, void *context);

/** The same where nothing is known of the program but its headers and data, as in some cores. */
void on_each_census_without_program(recorded_census_fn check, void *context);

/** The row of a map, or NULL. */
const struct ms_map_row *census_row(const struct ms_census_report *report, ms_addr address);

/** Fail unless @p row says of a map what the program says. */
void check_row(const struct truth_map *truth, const struct ms_map_row *row);
