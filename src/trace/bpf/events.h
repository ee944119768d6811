// events.h - what the kernel's side of a trace and ours say to each other.
//
// Both sides compile this file; the sizes are asserted, so that they agree.
#pragma once

#include <stdint.h>

enum {
	MS_BPF_STACK_MAX = 127, // Frames that the kernel unwinds (perf_event_max_stack).
	MS_BPF_STACKS = 4096,   // Different stacks that are kept.
	MS_BPF_SUMS = 32768,
	MS_BPF_RING_BYTES = 1 << 21,
};

/** A growth function; the order is that of the programs. */
enum ms_bpf_kind {
	MS_BPF_HASH_GROW,   // runtime.hashGrow
	MS_BPF_TO_SMALL,    // (*Map).growToSmall
	MS_BPF_TO_TABLE,    // (*Map).growToTable
	MS_BPF_TABLE_GROW,  // (*table).grow
	MS_BPF_TABLE_SPLIT, // (*table).split
	MS_BPF_KINDS,
};

/** Of the branch that a probe stands on: whether the stack check sends the function away. */
enum ms_bpf_condition {
	MS_BPF_NO_CONDITION, // The probe is hit once for each call.
	MS_BPF_BELOW_EQUAL,  // amd64 jbe, arm64 b.ls
	MS_BPF_BELOW,        // amd64 jb, arm64 b.lo
};

/** What could not be read of an event. */
enum ms_bpf_unread {
	MS_BPF_UNREAD_MAP = 1,
	MS_BPF_UNREAD_TABLE = 2,
	MS_BPF_UNREAD_GOROUTINE = 4,
	MS_BPF_UNREAD_THREAD = 8,
	MS_BPF_UNREAD_P = 16,
	MS_BPF_UNREAD_STACK = 32, // Another probe was unwinding here, or no room for it.
};

/** Set before the programs are loaded.  Offsets are a layout row's; UINT32_MAX: there is none. */
struct ms_bpf_config {
	uint64_t pid_device, pid_inode; // Of our namespace of processes.
	uint64_t window_ns;             // In each, a CPU sends so many single events.
	uint64_t window_events;
	uint32_t g_goid, g_m, g_gopc;
	uint32_t m_p, p_id;
	uint32_t hmap_count, hmap_flags, hmap_bucket_log2, hmap_noverflow, hmap_buckets;
	uint32_t map_used, map_dir_len;
	uint32_t table_used, table_capacity;
	uint32_t load;         // Classic: entries that two buckets may hold on average.
	uint32_t small_events; // Send first groups of empty maps, too.
	uint32_t unused;
	uint32_t condition[MS_BPF_KINDS]; // ms_bpf_condition
};

/** One growth, as it begins. */
struct ms_bpf_event {
	uint64_t time_ns; // CLOCK_MONOTONIC
	uint64_t map, type;
	uint64_t table; // Classic: the array of buckets.
	uint64_t stack; // Key in stacks; 0: none.
	uint64_t goid, gopc;
	uint64_t entries;       // Of the map.
	uint64_t slots;         // Of the table that grows.
	uint64_t table_entries; // Swiss.
	uint64_t directory;     // Swiss: its length.
	uint32_t thread, p;
	uint16_t noverflow;
	uint8_t kind;    // ms_bpf_kind
	uint8_t flags;   // hmap.flags
	uint8_t unread;  // Bits of ms_bpf_unread.
	uint8_t is_over; // Classic: its load makes it grow, else its overflow.
	uint8_t reserved[2];
};

/** Growths that were not sent one by one, by what they have in common. */
struct ms_bpf_sum_key {
	uint64_t map, type, stack, slots;
	uint64_t is_over; // Classic: its load makes it grow, else its overflow.
	uint32_t kind, unread;
};

/** A stack, innermost first. */
struct ms_bpf_stack {
	uint64_t caller; // The return address that unwinding at an entry passes over.
	uint32_t count;
	uint32_t busy; // Of the scratch one.
	uint64_t pcs[MS_BPF_STACK_MAX];
};

/** Of each CPU. */
struct ms_bpf_counters {
	uint64_t hits[MS_BPF_KINDS];     // Growths.
	uint64_t repeated;               // Hits that the stack check sent away: they come again.
	uint64_t sent;                   // Single events.
	uint64_t no_room;                // Not sent: the ring was full.
	uint64_t over_rate;              // Not sent: too many.
	uint64_t unsummed[MS_BPF_KINDS]; // Neither sent nor summed: no room.
	uint64_t window_start, window_used;
};

_Static_assert(sizeof(struct ms_bpf_config) == 32 + 22 * 4, "both sides agree");
_Static_assert(sizeof(struct ms_bpf_event) == 88 + 8 + 8, "both sides agree");
_Static_assert(sizeof(struct ms_bpf_sum_key) == 48, "both sides agree");
_Static_assert(sizeof(struct ms_bpf_stack) == 16 + 8 * MS_BPF_STACK_MAX, "both sides agree");
_Static_assert(sizeof(struct ms_bpf_counters) == 8 * (2 * MS_BPF_KINDS + 6), "both sides agree");
