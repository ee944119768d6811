// fuzz.h - a fuzz target is one function from bytes to nothing.
//
//	MS_FUZZ_TARGET(build_info) // in tests/fuzz/build_info_fuzz.c
//	{
//		... data, size ...
//	}
//
// To add one: 1. tests/fuzz/NAME_fuzz.c; 2. seeds in tests/fuzz/corpus/NAME/, at least one.
// Built with the `fuzz` preset it is the libFuzzer program fuzz-NAME; in every other build all
// targets are linked into fuzz-regression, which runs the corpora as plain tests and fails for a
// target without a corpus.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct ms_fuzz_target {
	const char *name;
	void (*run)(const uint8_t *data, size_t size);
	struct ms_fuzz_target *next;
};

/** Called by MS_FUZZ_TARGET before main.  @p target is static storage. */
void ms_fuzz_register(struct ms_fuzz_target *target);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#ifdef MS_FUZZING
#define MS_FUZZ_TARGET(target_name)                                                                \
	static void target_name##_fuzz(const uint8_t *data, size_t size);                          \
	__attribute__((visibility("default"))) int LLVMFuzzerTestOneInput(const uint8_t *data,     \
									  size_t size)             \
	{                                                                                          \
		target_name##_fuzz(data, size);                                                    \
		return 0;                                                                          \
	}                                                                                          \
	static void target_name##_fuzz(const uint8_t *data, size_t size)
#else
#define MS_FUZZ_TARGET(target_name)                                                                \
	static void target_name##_fuzz(const uint8_t *data, size_t size);                          \
	__attribute__((constructor)) static void target_name##_register(void)                      \
	{                                                                                          \
		static struct ms_fuzz_target target = { #target_name, target_name##_fuzz, NULL };  \
		ms_fuzz_register(&target);                                                         \
	}                                                                                          \
	static void target_name##_fuzz(const uint8_t *data, size_t size)
#endif
