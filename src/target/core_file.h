// core_file.h - what an ELF core file says: memory, mapped files, threads.
//
// Written by the kernel, by gcore (gdb) or by `dlv dump`.  Nothing in it is trusted: counts are
// bounded, offsets checked against the file, names cut.  A file that ends early is read as far as
// it goes, and says how much is missing.
#pragma once

#include "target/target.h"

enum {
	MS_CORE_NAME_BYTES = 17, // pr_fname, and a zero.
};

/** One mapping whose bytes the file has, all or some or none of them. */
struct ms_core_segment {
	ms_addr start, end;
	uint64_t offset;     // In the core.
	uint64_t file_bytes; // From start on; what a core that was cut off still has of them.
	uint64_t lost_bytes; // Behind these: what its writer had put there.
	unsigned prot;       // Bits of ms_region_prot.
};

/** A file as it was mapped (NT_FILE). */
struct ms_core_mapping {
	ms_addr start, end;
	uint64_t file_offset;
	const char *path; // Owned by the core file.
};

struct ms_core_file {
	int fd;
	uint64_t bytes;         // Of the file.
	uint64_t missing_bytes; // That its own table says should be there.
	enum ms_arch arch;
	struct ms_core_segments {
		struct ms_core_segment *items;
		size_t count, capacity;
	} segments; // Sorted by address, without overlap.
	struct ms_core_mappings {
		struct ms_core_mapping *items;
		size_t count, capacity;
	} mappings; // Likewise.
	struct ms_core_threads {
		struct ms_thread_state *items;
		size_t count, capacity;
	} threads;                      // The first is the one that died.
	uint32_t pid;                   // 0: not said.
	char name[MS_CORE_NAME_BYTES];  // Of the program, cut to 16 bytes; "": not said.
	ms_addr program_headers, entry; // Of the program (NT_AUXV); 0: not said.
	char *paths;
};

/** Whether the file at @p path begins as an ELF core does; false also where it cannot be read. */
bool ms_core_is(const char *path);

/**
 * Read the tables of the core at @p path.  IO when it cannot be read, UNSUPPORTED when it is no
 * core of a 64-bit little-endian program, BAD_DATA when its tables are damaged, LIMIT when they are
 * too large.  The caller deinits it also after an error.
 */
MS_MUST_USE struct ms_error *ms_core_file_open(const char *path, struct ms_core_file *ret_core);

/** The segment at @p addr, or NULL. */
const struct ms_core_segment *ms_core_segment_at(const struct ms_core_file *core, ms_addr addr);

/** Bytes that @p segment has: [addr, addr + size) lies in its file_bytes.  False: a failed read. */
bool ms_core_segment_read(const struct ms_core_file *core, const struct ms_core_segment *segment,
			  ms_addr addr, void *buf, size_t size);

/** Memory as the core itself has it; false: not all of it is there. */
bool ms_core_memory(const struct ms_core_file *core, ms_addr addr, void *buf, size_t size);

void ms_core_file_deinit(struct ms_core_file *core);
