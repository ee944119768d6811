// memory_profile.h - the runtime's own memory profile, read where it keeps it: one allocation in
// half a megabyte, with its stack, since the program began (runtime/mprof.go).
//
// No endpoint is asked.  A program into which the linker put no use of the profile has none.
#pragma once

#include "golang/functions.h"

enum { MS_PROFILE_PCS_MAX = 128 };

/** Objects of one size that were made at one stack: sampled counts, as the runtime has them. */
struct ms_profile_row {
	ms_addr address;     // Of its bucket.
	uint64_t size_bytes; // Of one object, as it was asked for.
	uint64_t allocs;     // Up to now.
	uint64_t in_use;     // As of the collection before last.
	uint64_t in_use_now; // With what was made since, whether it is garbage by now or not.
	size_t first_pc;     // In pcs of the profile, innermost first, return addresses.
	uint32_t pc_count;
};

struct ms_profile {
	struct ms_profile_row *rows; // Sorted by address.
	size_t row_count, row_capacity;
	ms_addr *pcs;
	size_t pc_count, pc_capacity;
	bool cut; // There were more rows than are kept.
};

/** Where it is.  Zero-initialised is nowhere. */
struct ms_profile_place {
	ms_addr list;         // The variable runtime.mbuckets.
	uint32_t cycle_bytes; // Of a runtime.memRecordCycle: with counts of bytes up to 1.26.
	uint64_t rate;        // runtime.MemProfileRate now, MS_UNKNOWN.
};

/** UNSUPPORTED, with the reason, when there is none. */
MS_MUST_USE struct ms_error *ms_profile_find(struct ms_go_runtime *rt,
					     struct ms_profile_place *ret_place);

MS_MUST_USE struct ms_error *ms_profile_read(struct ms_go_runtime *rt,
					     const struct ms_profile_place *place,
					     struct ms_profile *ret_profile);

/**
 * What so many sampled objects of one size stand for, in bytes (runtime/pprof, scaleHeapSample).
 * @p rate 0 or 1: every object was sampled.
 */
double ms_profile_scaled_bytes(uint64_t objects, uint64_t size_bytes, uint64_t rate);

void ms_profile_deinit(struct ms_profile *profile);
