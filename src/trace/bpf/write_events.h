// write_events.h - what the kernel's side of a write burst and ours say to each other.
#pragma once

#include <stdint.h>

enum { MS_BPF_WRITE_STACK_MAX = 64, MS_BPF_WRITE_RING_BYTES = 1 << 21 };

/** Set before the probes are placed.  Offsets are a layout row's. */
struct ms_bpf_writes_config {
	uint64_t pid_device, pid_inode; // Of our namespace of processes.
	uint64_t map;                   // The only one that is looked at.
	uint32_t hits_max;              // Writes that are sent; after them nothing is done.
	uint32_t g_goid;
	uint32_t mark;      // Offset of the header's byte that says that somebody writes ...
	uint32_t mark_bits; // ... and which bits of it do.
};

/** A write that begins. */
struct ms_bpf_write {
	uint64_t time_ns; // CLOCK_MONOTONIC
	uint64_t type;
	uint64_t goid; // 0 unknown.
	uint64_t caller;
	uint32_t thread;   // 0 unknown.
	uint32_t count;    // Of pcs.
	uint8_t is_marked; // The map said that somebody is writing it.
	uint8_t reserved[7];
	uint64_t pcs[MS_BPF_WRITE_STACK_MAX];
};

_Static_assert(sizeof(struct ms_bpf_writes_config) == 40, "both sides agree");
_Static_assert(sizeof(struct ms_bpf_write) == 48 + 8 * MS_BPF_WRITE_STACK_MAX, "both sides agree");
