// saturate.h - signed sums of numbers that come from a target, and may be anything.
#pragma once

#include <stdint.h>

/** Sum and difference; at the end of the range instead of beyond it. */
static inline int64_t ms_add_i64(int64_t a, int64_t b)
{
	int64_t sum;

	if (!__builtin_add_overflow(a, b, &sum))
		return sum;
	return a < 0 ? INT64_MIN : INT64_MAX;
}

static inline int64_t ms_sub_i64(int64_t a, int64_t b)
{
	int64_t difference;

	if (!__builtin_sub_overflow(a, b, &difference))
		return difference;
	return a < 0 ? INT64_MIN : INT64_MAX;
}
