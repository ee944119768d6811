// creation_events.h - what the kernel's side of the creations of maps and ours say to each other.
#pragma once

#include <stdint.h>

enum {
	MS_BPF_CREATION_STACK_MAX = 127,
	MS_BPF_CREATION_RING_BYTES = 1 << 23,
	MS_BPF_CREATIONS_BEGUN = 1 << 13, // Goroutines in such a function at once.
};

/** Set before the programs are loaded.  Offsets are a layout row's, UINT32_MAX for none. */
struct ms_bpf_creations_config {
	uint64_t window_ns;     // Of these ...
	uint32_t window_events; // ... so many are sent, about; all are counted.
	uint32_t g_stack_hi;
	uint32_t count;       // Of the header: its number of entries ...
	uint32_t bucket_log2; // ... and B, of classic maps.
};

/** A call of a function that makes a map: kept by goroutine until it returns. */
struct ms_bpf_creation_call {
	uint64_t type, hint;
	uint64_t depth; // Of the stack pointer below the stack's end: it is the same when the
			// stack was moved.
};

/** A map that was made, or without probes where the function returns one that is about to be. */
struct ms_bpf_creation {
	uint64_t time_ns; // CLOCK_MONOTONIC
	uint64_t map;     // 0: not known yet.
	uint64_t type, hint;
	uint64_t entries; // Of the header; UINT64_MAX unread.
	uint64_t caller;
	uint32_t count;      // Of pcs.
	uint8_t bucket_log2; // UINT8_MAX unread, or there is none.
	uint8_t reserved[3];
	uint64_t pcs[MS_BPF_CREATION_STACK_MAX];
};

/** Hits. */
struct ms_bpf_creation_counters {
	uint64_t begun;     // Entered, with a hint.
	uint64_t small;     // Made by the function that takes none.
	uint64_t over_rate; // Of those begun, not followed to their end.
	uint64_t no_room;   // Of those begun, no place in the table or in the ring.
	uint64_t unmatched; // Returned from another depth than entered at.
};

_Static_assert(sizeof(struct ms_bpf_creations_config) == 24, "both sides agree");
_Static_assert(sizeof(struct ms_bpf_creation) == 56 + 8 * MS_BPF_CREATION_STACK_MAX,
	       "both sides agree");
