// fake_process.h - a small process on the fake target: an executable of three segments, a heap
// with zeros and noise, a stack, and a device that nobody may read.
#pragma once

#include "tests/support/fake_target.h"

enum {
	FAKE_EXE_BYTES = 0x5200, // Code, constants, data, and 0x200 bytes that are not mapped.
	FAKE_HEAP_BYTES = 0x40000,
	FAKE_STACK_BYTES = 0x2000,
};

#define FAKE_CODE ((ms_addr)0x400000)  // File offset 0, two pages.
#define FAKE_CONST ((ms_addr)0x402000) // File offset 0x2000, two pages.
#define FAKE_DATA ((ms_addr)0x404000)  // File offset 0x4000, one page, half of it written.
#define FAKE_HEAP ((ms_addr)0xc000000000)
#define FAKE_STACK ((ms_addr)0x7ffd00000000)
#define FAKE_DEVICE ((ms_addr)0x7f0000000000)

struct fake_process {
	struct fake_target fake;
	uint8_t exe[FAKE_EXE_BYTES];
	uint8_t data[0x1000];
	uint8_t heap[FAKE_HEAP_BYTES];
	uint8_t stack[FAKE_STACK_BYTES];
};

/** The same bytes every time.  Large: keep it off small stacks. */
void fake_process_init(struct fake_process *process);
void fake_process_deinit(struct fake_process *process);
