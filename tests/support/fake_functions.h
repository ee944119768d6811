// fake_functions.h - a small program's function table, and a runtime that has it.
//
//	struct fake_functions *fake = fake_functions_create(list, count, MS_ARCH_AMD64);
//
//	CHECK_OK(ms_go_functions(&fake->rt, &functions));
//	...
//	fake_functions_destroy(fake);
//
// Functions lie behind each other from FAKE_TEXT on.  What a test wants damaged it changes in
// fake->exe, then calls fake_functions_commit.
#pragma once

#include "golang/functions.h"
#include "tests/support/fake_target.h"

#define FAKE_TEXT ((ms_addr)0x401000)
#define FAKE_STACK_LO ((ms_addr)0xc000100000)

enum {
	FAKE_PROLOGUE_BYTES = 16, // Up to there a function has no frame yet.
	FAKE_TABLE_BYTES = 8192,
	FAKE_STACK_WORDS = 1024,
};

struct fake_function {
	const char *name;
	uint32_t bytes; // Of code; a multiple of 4.
	uint32_t frame_bytes;
	uint32_t line;
	uint8_t flags;       // abi.FuncFlag.
	uint8_t id;          // abi.FuncID.
	const char *inlined; // What the second half of its code is inlined from, or NULL.
};

struct fake_functions {
	struct fake_target fake;
	struct ms_go_runtime rt;
	uint8_t exe[FAKE_TABLE_BYTES]; // The table stands at offset 0.
	size_t exe_bytes;
	size_t steps_at, records_at;
	uint8_t module[1024];
	ms_addr stack[FAKE_STACK_WORDS]; // From FAKE_STACK_LO on.
};

struct fake_functions *fake_functions_create(const struct fake_function *list, size_t count,
					     enum ms_arch arch);
void fake_functions_destroy(struct fake_functions *fake);

/** Take a changed fake->exe over, and forget what was loaded. */
void fake_functions_commit(struct fake_functions *fake);
