// input.h - taking the bytes of a fuzz input apart: what the targets share.
//
// An input that is too short reads as zeros, so that every input means something.
#pragma once

#include "base/error.h"
#include "base/types.h"
#include "golang/layout.h"

#include <stdlib.h>

struct fuzz_input {
	const uint8_t *at;
	size_t left;
};

/** What must hold of a parser's result; the fuzzer keeps the input that breaks it. */
#define FUZZ_CHECK(condition)                                                                      \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

/** The next @p size bytes (at most eight) as a number. */
uint64_t fuzz_number(struct fuzz_input *in, size_t size);

/** The next @p size bytes, or what is left of them. */
struct fuzz_input fuzz_part(struct fuzz_input *in, size_t size);

/** Four bytes choose a row: minor release, patch level, architecture, experiments. */
const struct ms_go_layout *fuzz_layout(struct fuzz_input *in);

/** Read an error's sentence and free it; true when there was none. */
bool fuzz_worked(struct ms_error *err);

/** A copy filled up with zeros to whole pages, at least one; the caller frees it. */
uint8_t *fuzz_pages(const struct fuzz_input *part, size_t *ret_size);
