// pacer.h - what the garbage collector goes by: GOGC and GOMEMLIMIT as they are now, the heap at
// which it aims, and the time that marking took.
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
	/** The goal that follows from GOGC; MS_UNKNOWN for none (GOGC=off), or if it does not. */
	uint64_t percent_goal_bytes;
	uint64_t trigger_bytes;   // Go 1.18: where the next cycle begins; else MS_UNKNOWN.
	uint64_t last_goal_bytes; // What the last cycle to end aimed at.
	uint64_t stack_scan_bytes, globals_scan_bytes; // Of roots; MS_UNKNOWN if it is not kept.
	// Of the cycle that began last, nanoseconds.  Times of CPU are exact once it has ended;
	// until then a worker's share is missing as long as it works.
	int64_t mark_start_ns; // CLOCK_MONOTONIC of the target; 0: none has begun.
	int64_t assist_ns, dedicated_ns, fractional_ns, idle_ns;
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

/**
 * The heap at which the collector aims, as runtime/metrics' /gc/heap/goal:bytes says between two
 * cycles.  MS_UNKNOWN: none, or it cannot be proved; with a memory limit it is, as long as
 * @p writable_bytes, all of the target's writable anonymous mappings, leave room enough below it.
 */
uint64_t ms_go_pacer_goal(const struct ms_go_pacer *pacer, uint64_t writable_bytes);

/**
 * A heap below which no cycle begins by itself while the goal is @p goal_bytes: the trigger is
 * never lower (mgcpacer.go, trigger).  MS_UNKNOWN for an unknown goal.
 */
uint64_t ms_go_pacer_trigger_least(const struct ms_go_pacer *pacer, uint64_t goal_bytes);

/** Bytes that ms_go_pacer_parse looks at; 0: more than the variable can have. */
uint32_t ms_go_pacer_bytes(const struct ms_go_layout *layout);
