// snapshot_columns.h - a census as columns of bytes, and back: what a .msnap file holds unpacked.
//
// docs/snapshot-format.md describes the bytes.  Which columns there are follows from the table of
// fields in snapshot_fields.c, the same that says what a document holds.
#pragma once

#include "snapshot/snapshot.h"

/** A vector of bytes (base/vec.h). */
struct ms_bytes {
	uint8_t *items;
	size_t count, capacity;
};

/** What of a census is kept. */
enum ms_snapshot_rows {
	MS_SNAPSHOT_MAPS,   // Owners and single maps.
	MS_SNAPSHOT_OWNERS, // Owners alone.
};

/** Append @p report to @p out, which the caller frees in any case.  NO_MEMORY. */
MS_MUST_USE struct ms_error *ms_snapshot_columns_write(const struct ms_census_report *report,
						       enum ms_snapshot_rows rows,
						       struct ms_bytes *out);

/** The other way round; the caller deinits the report.  IO when the bytes make no sense. */
MS_MUST_USE struct ms_error *ms_snapshot_columns_read(const void *bytes, size_t size,
						      struct ms_census_report *ret_report);
