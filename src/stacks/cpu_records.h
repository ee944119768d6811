// cpu_records.h - what the kernel writes into the buffer of a thread's CPU clock, taken apart.
#pragma once

#include "stacks/cpu_samples.h"

enum { MS_CPU_RECORD_BYTES_MAX = 1 << 16 }; // perf_event_header.size is 16 bits wide.

#if defined(__aarch64__)
enum { MS_CPU_REGISTERS = 33 }; // Of those asked for.
#define MS_CPU_REGISTER_MASK (((uint64_t)1 << MS_CPU_REGISTERS) - 1)
#else
enum { MS_CPU_REGISTERS = 17 };
// ax bx cx dx si di bp sp ip, then r8 to r15 (asm/perf_regs.h).
#define MS_CPU_REGISTER_MASK (0x1ff | (uint64_t)0xff << 16)
#endif

/** A buffer that records are written around and around. */
struct ms_cpu_ring {
	const uint8_t *data;
	size_t size;         // At least MS_CPU_RECORD_BYTES_MAX, and a power of two.
	uint64_t tail, head; // Records from tail to head are there; both only grow.
};

/**
 * Hand each sample between tail and head to @p fn, and count them and what was lost.  @p record is
 * room for MS_CPU_RECORD_BYTES_MAX.  What is no record of the kernel's ends it without an error; an
 * error of @p fn ends it, too.
 */
MS_MUST_USE struct ms_error *ms_cpu_records_take(const struct ms_cpu_ring *ring, uint8_t *record,
						 struct ms_cpu_figures *figures,
						 ms_cpu_sample_fn fn, void *context);
