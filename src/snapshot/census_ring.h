// census_ring.h - the latest snapshots in one file that never grows over its bound (.mring).
//
// docs/snapshot-format.md describes the bytes.  A writer that is killed at any moment leaves a file
// that can be read: what its list of censuses names is there.
#pragma once

#include "snapshot/snapshot_file.h"

enum {
	MS_RING_ENTRIES_MAX = 800,
	MS_RING_LIST_BYTES = 32 << 10,
	MS_RING_LISTS = 2, // The list is written to one place and the other by turns.
};

/** No bound is smaller: a census of some thousand maps has to fit many times. */
#define MS_RING_BYTES_MIN ((uint64_t)1 << 20)
#define MS_RING_BYTES_MAX ((uint64_t)1 << 40)

/** One census of the ring. */
struct ms_ring_entry {
	uint64_t offset; // In the data behind the lists.
	uint64_t size;
	uint64_t taken_ns;         // Of CLOCK_REALTIME.
	uint64_t pid, start_ticks; // Together they name the process.
};

struct ms_ring {
	int fd;
	uint64_t data_bytes;
	uint64_t generation; // Of the list; each one written is one more.
	size_t count;
	struct ms_ring_entry entries[MS_RING_ENTRIES_MAX]; // By time, the oldest first.
};

/**
 * Open a ring for writing, of @p bytes at most, all in all; what an earlier one of this size left
 * is kept.  IO: it cannot be made, is another kind of file, of another size, damaged, or another
 * process writes it.  The caller closes it.
 */
MS_MUST_USE struct ms_error *ms_ring_open(const char *path, uint64_t bytes,
					  struct ms_ring *ret_ring);

/** Open a ring to read it, even while it is written.  The caller closes it.  IO. */
MS_MUST_USE struct ms_error *ms_ring_open_read(const char *path, struct ms_ring *ret_ring);

/** Whether this is the beginning of a ring, of whichever version. */
bool ms_ring_is_ring(const void *bytes, size_t size);

/**
 * Add a snapshot, over the oldest ones where there is no other room; those taken before
 * @p oldest_ns are let go of.  @p entry says what it is of; its place is chosen here.  LIMIT: it is
 * larger than all of the ring.  IO.
 */
MS_MUST_USE struct ms_error *ms_ring_add(struct ms_ring *ring, const struct ms_bytes *file,
					 const struct ms_ring_entry *entry, uint64_t oldest_ns);

/** Read the census at @p index; the caller deinits it.  IO, NO_MEMORY. */
MS_MUST_USE struct ms_error *ms_ring_get(const struct ms_ring *ring, size_t index,
					 struct ms_snapshot *ret_snapshot);

/** The index of the oldest census of the process that the last one is of; the ring is not empty. */
size_t ms_ring_first_of_last(const struct ms_ring *ring);

/** The index of the census that was taken nearest to @p ago_s before the last one. */
size_t ms_ring_find(const struct ms_ring *ring, double ago_s);

/** A ring that could not be opened may be closed, too: its fd is -1 then. */
void ms_ring_close(struct ms_ring *ring);
