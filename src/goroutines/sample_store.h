// sample_store.h - what the CPU samples of a window saw, each with its stack and what it does to
// which map.
#pragma once

#include "goroutines/map_uses.h"
#include "stacks/sampled_stack.h"

enum { MS_NO_SAMPLED_STACK = UINT32_MAX };

struct ms_sample_seen {
	double time;        // CLOCK_MONOTONIC, seconds.
	uint64_t goroutine; // 0: nobody knows whose.
	ms_addr map, type;  // 0 unknown.
	uint32_t thread;
	uint32_t stack; // Index in stacks, or MS_NO_SAMPLED_STACK.
	uint8_t role;   // ms_map_role
};

/** Stacks that were sampled, each once. */
struct ms_stored_stack {
	const struct ms_stack_pc *pcs; // The arena's.
	uint32_t count;
	const char *cut;
	uint64_t code; // The same for stacks that differ only in where the innermost functions are.
};

struct ms_sample_store {
	struct ms_arena arena;
	struct {
		struct ms_sample_seen *items; // A thread's in the order of time.
		size_t count, capacity;
	} seen;
	struct {
		struct ms_stored_stack *items;
		size_t count, capacity;
	} stacks;
	struct ms_number_map stack_of;
	size_t stack_bytes;
	uint64_t left_out; // Beyond what is kept.
};

/** Keep one sample.  NO_MEMORY. */
MS_MUST_USE struct ms_error *ms_sample_store_add(struct ms_sample_store *store,
						 const struct ms_functions *functions,
						 const struct ms_cpu_sample *sample,
						 const struct ms_sampled_stack *stack,
						 const struct ms_map_use *use);

/** Write a stored stack into the report.  NO_MEMORY. */
MS_MUST_USE struct ms_error *ms_sample_store_write(const struct ms_sample_store *store,
						   uint32_t stack, struct ms_stack_book *book,
						   uint32_t *ret_index);

void ms_sample_store_deinit(struct ms_sample_store *store);
