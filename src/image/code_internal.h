// code_internal.h - one file for each machine's decoder, so that no other knows its library.
#pragma once

#include "image/code.h"

struct ms_code_ops {
	void *(*open)(void); // NULL when memory is short.
	bool (*decode)(void *decoder, const uint8_t *bytes, size_t size, ms_addr address,
		       struct ms_insn *insn);
	void (*close)(void *decoder);
	unsigned stack_pointer;
};

extern const struct ms_code_ops ms_code_amd64;
extern const struct ms_code_ops ms_code_arm64;
