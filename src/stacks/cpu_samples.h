// cpu_samples.h - what the threads of a process are doing: where the CPU clock finds them.
//
// What is saved of a goroutine that runs is stale, and stopping it is out of the question.  The
// kernel's CPU clock (a perf event) interrupts each thread anyhow; while it does, it copies the
// thread's registers and the lowest part of its stack.  Only code of user space is sampled, only
// threads that run.
//
// Not for two threads at once.
#pragma once

#include "base/error.h"
#include "base/types.h"
#include "image/code.h"

#include <sys/types.h>

enum {
	MS_CPU_HZ = 199, // By default.  A prime: not in step with what a program does.
	MS_CPU_HZ_MAX = 250,
	MS_CPU_STACK_BYTES = 8192,
	MS_CPU_CHAIN_MAX = 127, // What the kernel gives.
	MS_CPU_THREADS_MAX = 256,
};

/** One thread, as it was when it was interrupted.  Borrowed until the callback returns. */
struct ms_cpu_sample {
	double time; // CLOCK_MONOTONIC, seconds.
	uint32_t thread;
	ms_addr pc;
	ms_addr registers[MS_CODE_REGISTERS]; // Numbered as code.h does; sp among them.
	ms_addr sp, bp, lr;                   // lr: arm64, 0 elsewhere.
	const uint8_t *stack;                 // From sp on.
	size_t stack_bytes;
	const uint8_t *chain; // Words: return addresses by frame pointers, the first is pc.
	size_t chain_count;
};

struct ms_cpu_figures {
	uint64_t samples;
	uint64_t lost;             // Where a thread's buffer was full.
	uint64_t threads;          // That were sampled, all in all.
	uint64_t threads_left_out; // Beyond MS_CPU_THREADS_MAX at a time, or refused.
	size_t buffer_bytes_peak;
};

struct ms_cpu_sampler;

/**
 * Begin to sample the threads of @p pid @p hz (at most MS_CPU_HZ_MAX) times in a second of their
 * running.  DENIED or
 * UNSUPPORTED when the kernel does not let us, with a sentence that says what to type; GONE when
 * there is no such process.
 */
MS_MUST_USE struct ms_error *ms_cpu_sampler_create(pid_t pid, unsigned hz,
						   struct ms_cpu_sampler **ret_sampler);

/** May return an error, which ends the taking. */
typedef struct ms_error *(*ms_cpu_sample_fn)(const struct ms_cpu_sample *sample, void *context);

/**
 * Hand what was sampled since the last call to @p fn, a thread at a time and each thread's in the
 * order of time, and look for new threads.  To be called at least each MS_CPU_TAKE_S seconds, or
 * samples get lost.
 */
MS_MUST_USE struct ms_error *ms_cpu_sampler_take(struct ms_cpu_sampler *sampler,
						 ms_cpu_sample_fn fn, void *context);

#define MS_CPU_TAKE_S 0.06

struct ms_cpu_figures ms_cpu_sampler_figures(const struct ms_cpu_sampler *sampler);

/** Nothing is left behind in the kernel.  Accepts NULL. */
void ms_cpu_sampler_destroy(struct ms_cpu_sampler *sampler);
