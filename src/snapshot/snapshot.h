// snapshot.h - a census that was written to a file, read back.
//
// A file is a snapshot (snapshot_file.h) or a document, which its first bytes tell.  A document of
// `mapscope maps --json` is taken in as it comes, in pieces of any size.  It may have
// been written by anybody: sizes, nesting and numbers are bounded, and what is wrong is said with
// the offset of the byte where it was seen.  Members that are not known are passed over, because
// later versions add some; a document of another schema is refused.
#pragma once

#include "report/census.h"

#include <stdio.h>

/** What a document held.  Owners that stand for one map do not say which: first_map is SIZE_MAX. */
struct ms_snapshot {
	struct ms_census_report census;
	bool filtered;     // Owners and maps are those of a filter, not all.
	bool all_maps;     // Every map of the census is among its rows.
	uint64_t taken_ns; // Of CLOCK_REALTIME; MS_UNKNOWN of a document.
};

struct ms_snapshot_reader;

/** NULL when memory is short. */
struct ms_snapshot_reader *ms_snapshot_reader_create(void);

/** Take in the next bytes.  After an error the reader can only be destroyed.  IO, NO_MEMORY. */
MS_MUST_USE struct ms_error *ms_snapshot_feed(struct ms_snapshot_reader *reader, const void *bytes,
					      size_t size);

/** The whole document has been fed.  The caller deinits the snapshot's census.  IO. */
MS_MUST_USE struct ms_error *ms_snapshot_finish(struct ms_snapshot_reader *reader,
						struct ms_snapshot *ret_snapshot);

/** Accepts NULL. */
void ms_snapshot_reader_destroy(struct ms_snapshot_reader *reader);

/** A snapshot or a document from an open file, which stays the caller's.  IO, NO_MEMORY. */
MS_MUST_USE struct ms_error *ms_snapshot_read(FILE *in, struct ms_snapshot *ret_snapshot);
