// types.h - scalars with a meaning, byte loads, checked arithmetic.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/** An address in a target, never in this process. */
typedef uint64_t ms_addr;

/** A value that could not be established.  Rendered as "unknown" or JSON null, never as a number.
 */
#define MS_UNKNOWN UINT64_MAX

#define MS_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/** The machine a target's code was built for. */
enum ms_arch {
	MS_ARCH_UNKNOWN,
	MS_ARCH_AMD64,
	MS_ARCH_ARM64,
};

/** Little-endian loads from unaligned bytes.  Every supported target is little-endian. */
static inline uint16_t ms_load_u16(const void *p)
{
	uint16_t v;
	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint32_t ms_load_u32(const void *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint64_t ms_load_u64(const void *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof(v));
	return v;
}

/** True when [addr, addr + size) does not wrap around and lies in [start, end). */
static inline bool ms_range_holds(ms_addr start, ms_addr end, ms_addr addr, uint64_t size)
{
	return addr >= start && addr <= end && size <= end - addr;
}

static inline uint64_t ms_round_up(uint64_t v, uint64_t power_of_two)
{
	return (v + power_of_two - 1) & ~(power_of_two - 1);
}

static inline bool ms_is_power_of_two(uint64_t v)
{
	return v && !(v & (v - 1));
}

static inline uint64_t ms_min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t ms_max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}
