// lock_state.h - what the words of a sync.Mutex and a sync.RWMutex say: held or not, by how many.
#pragma once

#include "golang/types.h"
#include "goroutines/waits.h"

/** Where their fields are, as the program itself describes both types. */
struct ms_lock_layout {
	bool has_mutex, has_rw; // It describes them.
	uint32_t mutex_state, mutex_sema, mutex_bytes;
	uint32_t rw_writer; // The mutex that writers queue for.
	uint32_t rw_writer_sem, rw_reader_sem;
	uint32_t rw_reader_count, rw_reader_wait, rw_bytes;
};

enum { MS_LOCK_BYTES_MAX = 64 };

/** A lock's words at one moment. */
struct ms_lock_state {
	bool is_locked;    // Mutex: held.  RWMutex: a writer holds it.
	bool is_starving;  // Handed from one to the next.
	bool writer_waits; // RWMutex: for readers to leave.
	uint32_t readers;  // That hold it.
};

/** Look both up.  An error means that memory is short or the target lost. */
MS_MUST_USE struct ms_error *ms_lock_layout_find(struct ms_go_runtime *rt,
						 struct ms_lock_layout *ret_layout);

/**
 * Where the lock begins whose semaphore @p wait waits for; 0 when it waits for no lock, or the
 * program does not describe its locks.
 */
ms_addr ms_lock_address(const struct ms_lock_layout *layout, const struct ms_wait *wait);

/** Take a sync.Mutex's mutex_bytes apart. */
struct ms_lock_state ms_lock_mutex_parse(const struct ms_lock_layout *layout, const uint8_t *raw);

/** Take a sync.RWMutex's rw_bytes apart; false when they cannot be one. */
bool ms_lock_rw_parse(const struct ms_lock_layout *layout, const uint8_t *raw,
		      struct ms_lock_state *ret_state);
