// fake_core.h - a small program and a core file of it, byte by byte.
#pragma once

#include "base/types.h"

enum {
	FAKE_CORE_PAGE = 4096,
	FAKE_CORE_THREAD = 77,
	FAKE_CORE_PID = 70,
	FAKE_CORE_SIGNAL = 6,
};

#define FAKE_CORE_EXE 0x400000ULL      // Two pages of a program: the core has the first.
#define FAKE_CORE_HEAP 0xc000000000ULL // Two pages, both in the core.
#define FAKE_CORE_HOLE 0xd000000000ULL // A page that the core knows of and does not have.
#define FAKE_CORE_FREE 0xe000000000ULL // Nothing.

struct fake_core {
	uint8_t exe[2 * FAKE_CORE_PAGE];
	uint8_t core[6 * FAKE_CORE_PAGE];
	size_t core_bytes;
	char exe_path[64], core_path[64]; // Of files without a name, while they are open.
	int exe_fd, core_fd;
};

/** Makes both, the core's mapped file being @p exe_path, or the program's own where that is NULL.
 */
void fake_core_init(struct fake_core *f, const char *exe_path);

/** As dlv does: the core gets the program's second page, too. */
void fake_core_leave_nothing_out(struct fake_core *f);

/** The program gets data, whose page is the heap's first: the core has that, and not all else. */
void fake_core_add_data(struct fake_core *f);

/** As qemu does for its guests: no list of files, and not the first page of the program but its
 * second. */
void fake_core_as_qemu(struct fake_core *f);

/** Writes the bytes to the files anew. */
void fake_core_write(struct fake_core *f);

void fake_core_deinit(struct fake_core *f);
