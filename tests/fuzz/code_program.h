// code_program.h - a program as far as its code is looked at, out of one run of bytes:
//
//	4 bytes  the row        2 bytes each  sizes of types, of records, of names; functions
//	types | function table and records | names | text
#pragma once

#include "golang/code_facts.h"
#include "tests/fuzz/input.h"
#include "tests/support/fake_target.h"

#define CODE_TEXT ((ms_addr)0x401000)
#define CODE_TABLE ((ms_addr)0x480000)
#define CODE_TYPES ((ms_addr)0x500000)
#define CODE_MODULE ((ms_addr)0x600000)
#define CODE_DATA ((ms_addr)0x700000)

enum { CODE_DATA_BYTES = 0x10000 };

struct code_program {
	struct fake_target fake;
	struct ms_go_runtime *rt;
	uint8_t module[4096];
};

/** Borrows @p data. */
void code_program_open(struct code_program *p, const uint8_t *data, size_t size);
void code_program_close(struct code_program *p);
