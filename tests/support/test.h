// test.h - the unit tests' runner and checks.
//
// A test registers itself where it is defined and runs in a process of its own, so it may crash,
// hang or leak without taking the others along.  A failed check prints where and why and ends the
// test; there is no partial success.  What a test prints is shown only when it fails.
//
//	MS_TEST(vec_grows_from_empty)
//	{
//		...
//		CHECK_EQ(v.count, 3);
//	}
//
// The test program: mapscope-tests [--filter TEXT] [--jobs N] [--list] [--seed N] [--timeout S]
// [--verbose].
#pragma once

#include "base/error.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct ms_test {
	const char *name;
	const char *file;
	void (*run)(void);
	struct ms_test *next;
};

/** Called by MS_TEST before main.  @p test is static storage of the test. */
void ms_test_register(struct ms_test *test);

/** The seed of this run: printed at the start, set with --seed. */
uint64_t ms_test_seed(void);

/** The next number of the test's own sequence, which follows from the seed and the test's name. */
uint64_t ms_test_random(void);

/** The path of a file of the source tree; the caller frees it. */
char *ms_test_path(const char *relative);

__attribute__((noreturn)) void ms_test_fail(const char *file, int line, const char *fmt, ...)
    MS_PRINTF(3, 4);
__attribute__((noreturn)) void ms_test_skip(const char *fmt, ...) MS_PRINTF(1, 2);

/** A 64-bit integer that knows whether it is below zero. */
struct ms_test_int {
	uint64_t bits;
	bool minus;
};

static inline struct ms_test_int ms_test_signed(int64_t v)
{
	return (struct ms_test_int){ (uint64_t)v, v < 0 };
}

static inline struct ms_test_int ms_test_unsigned(uint64_t v)
{
	return (struct ms_test_int){ v, false };
}

// clang-format off
#define ms_test_int(v)                                                                             \
	_Generic(+(v), int: ms_test_signed, long: ms_test_signed, long long: ms_test_signed,       \
		 default: ms_test_unsigned)(v)
// clang-format on

void ms_test_check_eq(const char *file, int line, const char *expr, struct ms_test_int got,
		      struct ms_test_int want);
void ms_test_check_str(const char *file, int line, const char *expr, const char *got,
		       const char *want);
void ms_test_check_contains(const char *file, int line, const char *expr, const char *haystack,
			    const char *needle);
void ms_test_check_ok(const char *file, int line, const char *expr, struct ms_error *err);
void ms_test_check_err(const char *file, int line, const char *expr, struct ms_error *err,
		       enum ms_error_code code);

#define MS_TEST(test_name)                                                                         \
	static void test_name(void);                                                               \
	__attribute__((constructor)) static void test_name##_register(void)                        \
	{                                                                                          \
		static struct ms_test test = { #test_name, __FILE__, test_name, NULL };            \
		ms_test_register(&test);                                                           \
	}                                                                                          \
	static void test_name(void)

#define CHECK(cond)                                                                                \
	do {                                                                                       \
		if (!(cond))                                                                       \
			ms_test_fail(__FILE__, __LINE__, "%s", #cond);                             \
	} while (0)

/** Equal integers, enums or bools.  A negative number never equals a large unsigned one. */
#define CHECK_EQ(a, b) ms_test_check_eq(__FILE__, __LINE__, #a, ms_test_int(a), ms_test_int(b))

#define CHECK_STR(a, b) ms_test_check_str(__FILE__, __LINE__, #a, (a), (b))
#define CHECK_CONTAINS(haystack, needle)                                                           \
	ms_test_check_contains(__FILE__, __LINE__, #haystack, (haystack), (needle))

/** No error; else it is printed and freed. */
#define CHECK_OK(err) ms_test_check_ok(__FILE__, __LINE__, #err, (err))

/** An error with this code, which is freed. */
#define CHECK_ERR(err, code) ms_test_check_err(__FILE__, __LINE__, #err, (err), (code))

/** Not a failure: this machine cannot run the test.  Counted, and the reason is printed. */
#define SKIP(...) ms_test_skip(__VA_ARGS__)
