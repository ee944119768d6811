// collections.h - how many collections there were, when, how long they stopped the program, and
// what each of them met: as the runtime itself keeps it.
//
//	ms_go_collections_find(rt, in_use_bytes, &c);
//	... as often as one likes, one batched read each time:
//	ms_go_collections_read(&c, &now);
//	if (now.ended != before.ended)
//		ms_go_collections_pauses(&c, now.ended, pauses, count);
//
// Counts and pauses are exact however seldom one looks; what else a cycle has (struct ms_go_cycle)
// the runtime keeps only until the next one begins.
#pragma once

#include "golang/pacer.h"

enum { MS_GO_PAUSES = 256 }; // Of the last so many cycles, the runtime keeps pauses.

/** Where it is kept.  Addresses are 0 while they are not known. */
struct ms_go_collections {
	struct ms_go_runtime *rt; // Borrowed.
	ms_addr memstats;         // runtime.memstats; not to be found before a cycle has ended.
	ms_addr pacer;            // runtime.gcController.
	ms_addr cycle;            // Where runtime.work speaks of the last cycle; as memstats.
	uint32_t cycle_heap;      // Bytes from there to the sizes of the heap.
	uint32_t cycle_tried;     // Cycles ended when it was looked for and not found.
	uint32_t cycle_tries, memstats_tries;
	uint32_t paused;   // The cycle ...
	uint64_t pause_ns; // ... whose pauses these are.
	uint8_t *bytes;    // Of the last read.
};

/** What the runtime keeps of the last cycle that ended (runtime.work). */
struct ms_go_cycle {
	// CLOCK_MONOTONIC of the target, nanoseconds: it decides to stop the world; marking runs
	// beside the program; it decides to stop the world again; it is over.
	int64_t start_ns, mark_ns, mark_end_ns, end_ns;
	int64_t pause_ns; // Both stops, from the decision on.
	uint64_t heap_start_bytes, heap_end_bytes, heap_marked_bytes;
	uint32_t stop_procs; // GOMAXPROCS, at most the machine's processors.
	uint32_t procs;      // GOMAXPROCS
};

/** One look. */
struct ms_go_collections_now {
	uint32_t ended;      // Cycles, since the program began.
	uint32_t forced;     // Of these, by runtime.GC or runtime/debug.
	bool forced_known;   // Else one that is about to end may be among them.
	double cpu_share;    // Of all its CPU time, 0 to 1; NAN before a cycle has ended.
	int64_t last_end_ns; // CLOCK_MONOTONIC of the target; 0: none has ended.
	bool has_pacer;
	struct ms_go_pacer pacer;
	/** Times agree with each other, so that the next two can be known. */
	bool has_times;
	bool is_marking; // A cycle is under way, since pacer.mark_start_ns.
	bool has_cycle;  // The last cycle that ended is still all there:
	struct ms_go_cycle cycle;
};

/** One cycle's pauses together, and when it ended. */
struct ms_go_pause {
	uint64_t pause_ns;
	uint64_t end_unix_ns;
};

/**
 * Find what can be found now.  @p in_use_bytes are the bytes of the heap's spans.  BAD_DATA, saying
 * why, when collections have ended and not exactly one place can be runtime.memstats; without
 * gcController only counts and pauses are known.  deinit it, also when it was found without error.
 */
MS_MUST_USE struct ms_error *ms_go_collections_find(struct ms_go_runtime *rt, uint64_t in_use_bytes,
						    struct ms_go_collections *ret_collections);

/**
 * Read it.  Goes on looking for what could not be found before the first cycle ended.  BAD_DATA
 * when what was found is not what it seemed.
 */
MS_MUST_USE struct ms_error *ms_go_collections_read(struct ms_go_collections *collections,
						    struct ms_go_collections_now *ret_now);

/**
 * Pauses of the @p count cycles up to the one numbered @p last, the first that ended being 1, in
 * order.  Known when last is not over what was read as ended, and count not over MS_GO_PAUSES or
 * last.
 */
MS_MUST_USE struct ms_error *ms_go_collections_pauses(struct ms_go_collections *collections,
						      uint32_t last, uint32_t count,
						      struct ms_go_pause *ret_pauses);

/**
 * How many cycles ended since @p before was read, and how long they stopped the program together;
 * MS_UNKNOWN for more than MS_GO_PAUSES.  Reads anew; @p before is then this reading.
 */
MS_MUST_USE struct ms_error *ms_go_collections_since(struct ms_go_collections *collections,
						     struct ms_go_collections_now *before,
						     uint64_t *ret_count, uint64_t *ret_pause_ns);

/** Bytes of runtime.memstats that are looked at; 0: more than the variable can have. */
uint32_t ms_go_memstats_bytes(const struct ms_go_layout *layout);

/**
 * Whether the bytes can be runtime.memstats of a program whose collections so far are @p begun or,
 * while one ends, one less.
 */
bool ms_go_memstats_fits(const struct ms_go_layout *layout, const uint8_t *raw, uint32_t begun);

/** Frees what it holds, not itself. */
void ms_go_collections_deinit(struct ms_go_collections *collections);
