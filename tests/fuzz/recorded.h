// recorded.h - recorded processes to be changed by fuzz inputs, and the places where that tells.
#pragma once

#include "golang/goroutines.h"
#include "report/census.h"
#include "tests/fuzz/changed_target.h"
#include "tests/fuzz/input.h"

enum {
	RECORDED_CHANGE_BYTES = 13, // Of an input, for one change.
	RECORDED_CHANGES_MAX = 64,
};

/** A recording, opened once for all inputs, and the addresses that readers of it turn on. */
struct recorded {
	struct ms_target *target;
	ms_addr *places;
	size_t count, capacity;
	size_t census_count; // Of places, those that a census reads; the others are behind.
	struct ms_census_report census; // Of the unchanged recording.
	ms_addr *types;                 // Map types.
	size_t type_count;
	ms_addr text; // Where its code begins.
	struct ms_goroutines goroutines;
	/** Its memory as an input changes it, and a runtime that was opened before any change. */
	struct changed_target changed;
	struct change changes[RECORDED_CHANGES_MAX];
	struct ms_go_runtime *rt;
};

/** One of the recordings that are fuzzed, by any number. */
struct recorded *recorded_get(uint64_t index);

/** Let r->rt be as it was, with no change and so many reads until the target is gone. */
void recorded_begin(struct recorded *r, uint64_t reads_max);

/**
 * Take changes out of an input until it ends or there are @p max: 2 bytes which of the first
 * @p places places, 2 bytes offset behind it, 1 byte how many bytes, whether they replace or flip
 * those there, and whether the value chooses a place instead, 8 bytes value.
 */
void recorded_changes(struct changed_target *t, const struct recorded *r, size_t places, size_t max,
		      struct fuzz_input *in);
