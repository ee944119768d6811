// go_data.h - where go_data_fuzz.c and version_fuzz.c put what they make of an input; the seeds
// (make_seeds.c) point there.
#pragma once

enum {
	FUZZ_TABLE_ADDR = 0x480000, // The pclntab.
	FUZZ_NAMES_OFFSET = 64,
	FUZZ_FUNCTIONS = 10,
	FUZZ_TYPES_ADDR = 0x500000,
	FUZZ_DATA_ADDR = 0x600000,
};

#define FUZZ_ANON_ADDR 0xc000000000ull
