// snapshot_file.h - a census as the bytes of a .msnap file: shape only, compressed, versioned.
//
// docs/snapshot-format.md describes them.  A snapshot holds no byte of a key or a value, because a
// census has none.
#pragma once

#include "snapshot/snapshot_columns.h"

enum { MS_SNAPSHOT_HEADER_BYTES = 48, MS_SNAPSHOT_MAGIC_BYTES = 8 };

/** No snapshot has more bytes, packed or unpacked. */
#define MS_SNAPSHOT_BYTES_MAX ((uint64_t)1 << 30)

/**
 * All of a snapshot that was taken at @p taken_ns (of CLOCK_REALTIME).  The caller frees
 * ret_file->items.  NO_MEMORY, LIMIT.
 */
MS_MUST_USE struct ms_error *ms_snapshot_pack(const struct ms_census_report *report,
					      enum ms_snapshot_rows rows, uint64_t taken_ns,
					      struct ms_bytes *ret_file);

/** Whether this is the beginning of a snapshot, of whichever version. */
bool ms_snapshot_is_packed(const void *bytes, size_t size);

/** The caller deinits the snapshot's census.  IO with what is wrong, NO_MEMORY. */
MS_MUST_USE struct ms_error *ms_snapshot_unpack(const void *bytes, size_t size,
						struct ms_snapshot *ret_snapshot);
