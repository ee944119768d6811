// hmap_events.h - what the kernel's side of libhmap's probes and ours say to each other.
//
// Both sides compile this file; the sizes are asserted, so that they agree.
#pragma once

#include <stdint.h>

enum {
	MS_BPF_HMAP_RING_BYTES = 1 << 23,
	MS_BPF_HMAP_STACK_BYTES = 8192, // Of a thread's stack, to be unwound later.
	MS_BPF_HMAP_NAME_BYTES = 64,
	MS_BPF_HMAP_REGS = 32,
};

/** A probe of provider "hmap"; what it is attached with. */
enum ms_bpf_hmap_kind {
	MS_BPF_HMAP_CREATED,
	MS_BPF_HMAP_GROWS,
	MS_BPF_HMAP_MIGRATES,
	MS_BPF_HMAP_SHRINKS,
	MS_BPF_HMAP_FREED,
	MS_BPF_HMAP_KINDS,
};

/** Set before the program is loaded. */
struct ms_bpf_hmap_config {
	uint64_t pid_device, pid_inode; // Of our namespace of processes.
	uint64_t window_ns;             // In each, so many events are sent one by one.
	uint64_t window_events;
};

/** One event, as it happens; from, to and entries are those of include/hmap/hmap.h. */
struct ms_bpf_hmap_event {
	uint64_t time_ns; // CLOCK_MONOTONIC
	uint64_t map, from, to, entries;
	uint64_t pc, sp;
	uint64_t regs[MS_BPF_HMAP_REGS]; // By DWARF's numbers; x86 has 17, arm64 32.
	uint32_t kind, thread;
	uint32_t stack_bytes; // 0: it could not be read.
	uint32_t unused;
	char name[MS_BPF_HMAP_NAME_BYTES];
	uint8_t stack[MS_BPF_HMAP_STACK_BYTES];
};

_Static_assert(sizeof(struct ms_bpf_hmap_event) == 7 * 8 + 32 * 8 + 16 + 64 + 8192,
	       "both sides agree on it");

struct ms_bpf_hmap_counters {
	uint64_t seen[MS_BPF_HMAP_KINDS];
	uint64_t sent[MS_BPF_HMAP_KINDS]; // The others were too many, or the ring was full.
};
