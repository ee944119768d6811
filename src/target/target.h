// target.h - a place a process's memory can be read from.
//
// A live process, a recording and a test double all look the same from above this header.  Code
// that must ask which one it has is in the wrong layer: add an operation here instead, and say in
// its comment what a target that cannot do it answers.
//
// What a read promises, for every kind:
//   - whole or failed; there is no short read;
//   - only anonymous memory and private mappings of files are touched; an address in any other
//     mapping (a device, a shared file) is a FAULT without being read;
//   - pages that are not present are not pulled in: untouched anonymous memory reads as zeros and
//     is counted, a swapped-out page is a FAULT and is counted, an absent page of the executable
//     is read from the file, one of a library is a FAULT;
//   - it returns within MS_TARGET_STUCK_S seconds even when the kernel does not.
#pragma once

#include "base/error.h"
#include "base/types.h"

#include <sys/types.h>

enum { MS_TARGET_STUCK_S = 2 };

/** What a mapping is, as far as reading it goes. */
enum ms_region_kind {
	MS_REGION_ANON,    // Anonymous memory, [heap], [stack].
	MS_REGION_EXE,     // A private mapping of the executable itself.
	MS_REGION_OTHER,   // Anything else: never read.
	MS_REGION_LIBRARY, // A private mapping of another file: what is present of it is read.
};

enum ms_region_prot {
	MS_PROT_READ = 1,
	MS_PROT_WRITE = 2,
	MS_PROT_EXEC = 4,
};

struct ms_region {
	ms_addr start, end;   // Page-aligned, end exclusive.
	uint64_t file_offset; // Of start; meaningful for MS_REGION_EXE and MS_REGION_LIBRARY.
	enum ms_region_kind kind;
	unsigned prot; // Bits of ms_region_prot.
};

/** Whether a program without libraries could have it: anonymous memory, or the executable. */
static inline bool ms_region_is_own(const struct ms_region *region)
{
	return region->kind == MS_REGION_ANON || region->kind == MS_REGION_EXE;
}

/** A snapshot of the target's mappings, sorted by address, without overlap. */
struct ms_regions {
	struct ms_region *items;
	size_t count, capacity;
};

enum ms_read_status {
	MS_READ_OK,
	MS_READ_FAULT,   // Unmapped, or of a kind that is never read.
	MS_READ_SWAPPED, // Out on swap: left there.
	MS_READ_STUCK,   // The kernel did not answer in time; the mapping is avoided from now on.
};

/** One read of a batch; status is filled in by the target. */
struct ms_read {
	ms_addr addr;
	void *buf;
	uint32_t size; // 1 to MS_READ_BYTES_MAX.
	uint32_t status;
};

enum { MS_READ_BYTES_MAX = 1 << 20 };

/** What reading has cost so far. */
struct ms_target_cost {
	uint64_t read_bytes;
	uint64_t reads; // Read operations handed to the kernel.
	uint64_t absent_pages;
	uint64_t swapped_pages;
	uint64_t stuck_reads;
};

enum { MS_THREAD_REGISTERS_MAX = 34 };

/** A thread as it was stopped. */
struct ms_thread_state {
	uint32_t id;
	unsigned signal; // That it was stopped by; 0: by none of its own.
	ms_addr pc, sp;
	ms_addr bp;            // The register for frame pointers.
	ms_addr lr;            // arm64: the link register.
	size_t register_count; // In the kernel's order (user_regs_struct).
	uint64_t registers[MS_THREAD_REGISTERS_MAX];
};

struct ms_target;
struct ms_resident;

/**
 * The operations of one kind of target.
 *
 * To add a kind: 1. a pair of files beside process.c that fills this in; 2. a creator declared in
 * its header; 3. a run of tests/unit/target_contract.h over it.
 */
struct ms_target_ops {
	const char *kind; // Shown in reports: "process", "replay", "fake".

	/**
	 * Do @p count reads, each with its own status.  An error means that the target as a whole
	 * is lost (GONE, DENIED); then no status can be relied upon.
	 */
	struct ms_error *(*read_many)(struct ms_target *t, struct ms_read *reads, size_t count);

	/**
	 * Optional: the same, but reads[i].buf may come back pointing to memory of the target's
	 * own, valid until it is asked for anything else.  NULL means that it has none to lend.
	 */
	struct ms_error *(*read_lent)(struct ms_target *t, struct ms_read *reads, size_t count);

	/** A fresh snapshot of the mappings; the caller frees ret_regions->items. */
	struct ms_error *(*regions)(struct ms_target *t, struct ms_regions *ret_regions);

	/** Bytes of the executable file.  FAULT beyond its end. */
	struct ms_error *(*exe_read)(struct ms_target *t, uint64_t offset, void *buf, size_t size);

	/** A descriptor of the executable for libelf, owned by the target. */
	int (*exe_fd)(struct ms_target *t);

	/** GONE when the target has exited or is no longer the program that was opened. */
	struct ms_error *(*check)(struct ms_target *t);

	/** All resident pages (resident.h).  NULL for a kind that cannot tell: nothing is known. */
	struct ms_error *(*resident)(struct ms_target *t, struct ms_resident *ret_resident);

	/** Its threads, which stand still for good.  NULL for a kind whose threads go on. */
	const struct ms_thread_state *(*threads)(struct ms_target *t, size_t *ret_count);

	/** Optional: end the threads that do the reading; they are made anew, by who asks next. */
	void (*end_threads)(struct ms_target *t);

	void (*destroy)(struct ms_target *t);
};

/** Embedded first in each kind's own struct. */
struct ms_target {
	const struct ms_target_ops *ops;
	struct ms_target_cost cost;
	uint64_t exe_size;  // Bytes of the executable file.
	pid_t pid;          // 0 where there is no process.
	bool lacks_program; // Of the executable only headers and data are here: no code, no types.
	bool is_cut;        // Memory that was there is missing: of a core file, its end.
};

/** Fill @p buf with @p size bytes at @p addr.  FAULT, GONE or DENIED; untouched on FAULT only. */
MS_MUST_USE struct ms_error *ms_target_read(struct ms_target *t, ms_addr addr, void *buf,
					    size_t size);

/** Do many reads at once: the fast path.  See ms_target_ops.read_many. */
MS_MUST_USE struct ms_error *ms_target_read_many(struct ms_target *t, struct ms_read *reads,
						 size_t count);

/**
 * Likewise, one copy less: afterwards the bytes are where reads[i].buf points, which may be memory
 * of the target's own, valid until it is asked for anything else.
 */
MS_MUST_USE struct ms_error *ms_target_read_lent(struct ms_target *t, struct ms_read *reads,
						 size_t count);

/** Threads of ours keep the capabilities they were made with: end them when some are given up. */
void ms_target_end_threads(struct ms_target *t);

MS_MUST_USE struct ms_error *ms_target_regions(struct ms_target *t, struct ms_regions *ret_regions);

MS_MUST_USE struct ms_error *ms_target_exe_read(struct ms_target *t, uint64_t offset, void *buf,
						size_t size);

int ms_target_exe_fd(struct ms_target *t);

MS_MUST_USE struct ms_error *ms_target_check(struct ms_target *t);

/** Which pages are in memory; not known is an answer.  The caller deinits it. */
MS_MUST_USE struct ms_error *ms_target_resident(struct ms_target *t,
						struct ms_resident *ret_resident);

/** Its threads as they were stopped, the one that died first; NULL, none: they go on. */
const struct ms_thread_state *ms_target_threads(struct ms_target *t, size_t *ret_count);

/** Accepts NULL. */
void ms_target_destroy(struct ms_target *t);

/** The region that holds @p addr, or NULL. */
const struct ms_region *ms_regions_find(const struct ms_regions *regions, ms_addr addr);

/** A copy for whom the caller frees; untouched when memory is short. */
MS_MUST_USE struct ms_error *ms_regions_copy(const struct ms_regions *regions,
					     struct ms_regions *ret_regions);

/** Bytes of the anonymous mappings that can be written. */
uint64_t ms_regions_writable_bytes(const struct ms_regions *regions);

void ms_regions_deinit(struct ms_regions *regions);
