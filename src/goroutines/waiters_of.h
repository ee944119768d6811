// waiters_of.h - who waits for the locks of maps, looked at again and again.
//
//	ms_waiters_create(rt, &waiters);
//	ms_waiters_look(waiters, now);          ten times in a window
//	ms_waiters_name(waiters, 5);            once a walk may be afforded
//	lock = ms_waiters_of(waiters, map);     NULL: nobody waited
//
// A look reads the heads of all goroutines, and the stacks of those alone that wait for a lock.
#pragma once

#include "base/arena.h"
#include "golang/unwind.h"
#include "stacks/book.h"

/** How many waited for a lock at one look. */
struct ms_waiters_seen {
	double at; // As ms_waiters_look was told.
	uint64_t waiting;
	double oldest_s; // NAN: the runtime has not noticed yet since when.
};

enum { MS_WAITERS_PCS_MAX = 64 };

/** A lock that goroutines waited for.  Strings live as long as the waiters. */
struct ms_waiters_lock {
	ms_addr address;              // Of the sync.Mutex or sync.RWMutex.
	ms_addr semaphore;            // One of those through which it was found.
	const char *name;             // "main.Registry.mu"; NULL: not known (yet).
	const char *map_owner;        // Of the map that it guards; NULL: none, or not known.
	ms_addr map;                  // Its header; 0: likewise.
	struct ms_waiters_seen *seen; // In the order of looks; only those with somebody waiting.
	size_t seen_count, seen_capacity;
	uint64_t most; // That waited at one look.
	/** The stack of one that waited, innermost first, and the go statement that made it. */
	struct ms_stack_pc pcs[MS_WAITERS_PCS_MAX];
	uint32_t pc_count;
	ms_addr created_at;
	const char *user; // The function that waits, as the linker wrote it.
	uint8_t named;    // How often it was tried to name it.
};

struct ms_waiters;

/** @p rt must outlive it. */
MS_MUST_USE struct ms_error *ms_waiters_create(struct ms_go_runtime *rt,
					       struct ms_waiters **ret_waiters);

/** Look once.  @p now is CLOCK_MONOTONIC in seconds. */
MS_MUST_USE struct ms_error *ms_waiters_look(struct ms_waiters *waiters, double now);

/** Whether a lock was seen that has not been tried @p times to be named. */
bool ms_waiters_has_nameless(const struct ms_waiters *waiters, unsigned times);

/** Name the locks that have no name yet, by a walk of @p seconds at most. */
MS_MUST_USE struct ms_error *ms_waiters_name(struct ms_waiters *waiters, double seconds);

/** Of the locks that guard the map at @p map, the one for which most waited; NULL: none did. */
const struct ms_waiters_lock *ms_waiters_of(const struct ms_waiters *waiters, ms_addr map);

/** All locks that anybody waited for. */
const struct ms_waiters_lock *ms_waiters_locks(const struct ms_waiters *waiters, size_t *ret_count);

/** When it was looked, in order. */
const double *ms_waiters_looks(const struct ms_waiters *waiters, size_t *ret_count);

/** Accepts NULL. */
void ms_waiters_destroy(struct ms_waiters *waiters);
