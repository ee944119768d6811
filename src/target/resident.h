// resident.h - which pages of a process are in memory, all of them at once.
//
// residency.h answers for the pages that are about to be read; this is for sums: a list of ranges
// beside what the kernel itself counts as resident at that moment.
#pragma once

#include "target/target.h"
#include "target/worker.h"

struct ms_page_range {
	ms_addr start, end;
	uint64_t before; // Bytes of all ranges before this one.
};

/** Sorted, without overlap.  Zero-initialised: nothing is known. */
struct ms_resident {
	struct ms_page_range *items;
	size_t count, capacity;
	uint64_t rss_bytes; // As the kernel counts it; MS_UNKNOWN where it does not.
	bool known;         // False where the kind of target cannot tell: then there are no ranges.
};

/** Append a range behind all others.  NO_MEMORY; ranges out of order are left out. */
MS_MUST_USE struct ms_error *ms_resident_add(struct ms_resident *r, ms_addr start, ms_addr end);

/** Resident bytes of [start, end). */
uint64_t ms_resident_bytes(const struct ms_resident *r, ms_addr start, ms_addr end);

void ms_resident_deinit(struct ms_resident *r);

/** What a look at all pages needs, for a worker that may be given up (worker.h). */
struct ms_resident_job {
	int pagemap_fd, statm_fd, rollup_fd; // Its own; -1 for one that could not be opened.
	struct ms_regions regions;           // A copy of its own.
	struct ms_resident result;
	int error;    // errno of what failed, or 0.
	bool by_page; // Do not try the call that answers in ranges.
};

/** The job (ms_job_fn): fills result, or error. */
void ms_resident_job_run(void *context, atomic_ullong *progress);

/** Accepts NULL. */
void ms_resident_job_free(struct ms_resident_job *job);
