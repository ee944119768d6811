// fake_code.h - one function of a small program, put together from machine code by hand, for amd64.
//
//	struct fake_code *c = fake_code_create(list, COUNT, IT);
//
//	fake_code_put(c, (uint8_t[]){ 0x31, 0xc9 }, 2);
//	at = fake_code_call(c, CALLEE);
//	fake_code_map(c);
//	...
//	fake_code_destroy(c);
//
// Bytes that were not put are traps.
#pragma once

#include "tests/support/fake_functions.h"

enum { FAKE_CODE_BYTES = 1024 };

struct fake_code {
	struct fake_functions *fake;
	const struct ms_functions *functions;
	const struct fake_function *list;
	unsigned it;
	size_t used; // Of the function's bytes.
	size_t text_bytes;
	uint8_t text[FAKE_CODE_BYTES]; // Of the whole program.
};

/** The function number @p it of @p list is to be written. */
struct fake_code *fake_code_create(const struct fake_function *list, size_t count, unsigned it);
void fake_code_destroy(struct fake_code *code);

/** Where a function begins. */
ms_addr fake_code_entry(const struct fake_code *code, unsigned function);

/** Both return where in the function that is. */
size_t fake_code_put(struct fake_code *code, const void *bytes, size_t size);
size_t fake_code_call(struct fake_code *code, unsigned function);

/** The byte at an offset of the function. */
uint8_t *fake_code_at(struct fake_code *code, size_t at);

/** Show what was put in the program's memory. */
void fake_code_map(struct fake_code *code);

/** Show it in the program's file, behind the table; once. */
void fake_code_file(struct fake_code *code);
