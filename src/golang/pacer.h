// pacer.h - what the garbage collector goes by: GOGC and GOMEMLIMIT as they are now.
//
// Both can be changed while a program runs (debug.SetGCPercent, debug.SetMemoryLimit), so that its
// environment only says how they began.
#pragma once

#include "golang/runtime.h"

struct ms_go_pacer {
	ms_addr address;    // Of runtime.gcController.
	int32_t gc_percent; // -1: GOGC=off.
	bool has_memory_limit;
	uint64_t memory_limit_bytes; // MS_UNKNOWN without a limit.  It is soft: see pacer.c.
	uint64_t heap_live_bytes;    // Allocated since and marked by the last collection.
	uint64_t heap_marked_bytes;  // Marked by the last collection.
};

/**
 * Find runtime.gcController and read it.  @p in_use_bytes are the bytes of the heap's spans, which
 * bound what it may say.  BAD_DATA unless exactly one place can be it.
 */
MS_MUST_USE struct ms_error *ms_go_pacer_find(struct ms_go_runtime *rt, uint64_t in_use_bytes,
					      struct ms_go_pacer *ret_pacer);

/** Take the bytes at runtime.gcController apart; false when they cannot be it. */
bool ms_go_pacer_parse(const struct ms_go_layout *layout, const uint8_t *raw, uint64_t in_use_bytes,
		       struct ms_go_pacer *ret_pacer);

/** Bytes that ms_go_pacer_parse looks at; 0: more than the variable can have. */
uint32_t ms_go_pacer_bytes(const struct ms_go_layout *layout);
