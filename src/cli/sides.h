// sides.h - a census for diff from a file, whatever kind of file it is.
#pragma once

#include "cli/options.h"
#include "snapshot/census_ring.h"

/**
 * Read the census that @p name says: a snapshot, a document, or a ring, of which it is the last
 * one, or with @-TIME behind the name the one that was taken so long before.  The caller deinits
 * it.  IO.
 */
MS_MUST_USE struct ms_error *ms_side_read(const char *name, struct ms_snapshot *ret_side);

/** The first and the last census of one process in a ring, and what they are called. */
struct ms_ring_sides {
	struct ms_snapshot sides[2];
	char names[2][256];
	double apart_s;
};

/** Of the process that the last census is of.  The caller deinits both censuses.  IO. */
MS_MUST_USE struct ms_error *ms_ring_sides_read(const struct ms_ring *ring, const char *path,
						struct ms_ring_sides *ret_sides);

/** Those of the ring at @p path.  USAGE when it is no ring. */
MS_MUST_USE struct ms_error *ms_ring_file_sides(const char *path, struct ms_ring_sides *ret_sides);
