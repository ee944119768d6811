// growth_trace.h - the result of `mapscope trace`: every growth in a window, collections and
// waiters on the same line of time.
#pragma once

#include "report/call_stacks.h"
#include "report/census.h"

/** What a growth did. */
enum ms_growth_event_kind {
	MS_GROWTH_EVENT_DOUBLE, // Classic: into twice the buckets.  Swiss: a table into twice its
				// slots.
	MS_GROWTH_EVENT_SAME_SIZE, // Classic: into as many, to be rid of overflow.
	MS_GROWTH_EVENT_SPLIT,     // Swiss: a table of 1,024 slots into two.
	MS_GROWTH_EVENT_TO_TABLE,  // Swiss: a small map into its first table.
	MS_GROWTH_EVENT_TO_SMALL,  // Swiss: the first group of an empty map.
	MS_GROWTH_EVENT_SHRINK,    // libhmap.
};

/** How events were learnt. */
enum ms_trace_source {
	MS_TRACE_PROBES,  // eBPF on the runtime's growth functions: exact, with stacks.
	MS_TRACE_POLLING, // Headers read again and again: at least so many, bracketed, no stack.
};

/** One growth.  Unknown numbers are MS_UNKNOWN, unknown times NAN, unknown strings NULL. */
struct ms_growth_event {
	double time_s;     // Since the trace began.
	double earliest_s; // By polling: it began between this and time_s; else equal to time_s.
	uint64_t number;   // 1, 2, ... in order of time.
	ms_addr map;       // Its header.
	uint64_t table_entries; // Of that table, where a Swiss map has several; MS_UNKNOWN.
	ms_addr table;          // That grows, of a classic map the array; 0: unknown.
	const char *type, *owner;
	uint8_t map_kind;              // ms_map_kind
	uint8_t kind;                  // ms_growth_event_kind
	uint64_t from, to;             // Slots of the table that grows, overflow not counted.
	uint64_t from_bytes, to_bytes; // Of that table, as allocated.
	uint64_t entries;              // Of the map when it began, without the one being written.
	uint64_t capacity;  // Slots of the whole map before; Swiss maps have several tables.
	uint64_t goroutine; // goid.
	uint32_t thread;    // tid; 0 unknown.
	uint32_t p;         // P's id; UINT32_MAX unknown.
	uint32_t stack;     // Index in stacks, or MS_NO_STACK.
	struct ms_stack_call
	    created_by;          // The go statement of the goroutine; function NULL if unknown.
	double duration_s;       // Of the evacuation, classic maps, bracketed by polling; else NAN.
	double duration_error_s; // It may be so much shorter or longer.
	uint64_t
	    together_bytes; // Old and new table while both were held; MS_UNKNOWN unless classic.
	uint32_t gc_cycles; // Collections that began while both were held.
	/**
	 * Heap that was left to the collector's goal some 10 ms before it at most, and how much of
	 * it the new table took: by so many bytes the next cycle comes sooner.  The old table is no
	 * help before that cycle has freed it.  NAN: unknown, or a cycle was under way, which a
	 * new table makes no sooner.
	 */
	double gc_runway_bytes, gc_sooner_bytes;
	/**
	 * The next cycle began right behind it, and would not have begun then without it: the heap
	 * at its start less the new table was below the lowest trigger of that cycle.  False also
	 * where this cannot be shown.
	 */
	bool brought_gc;
	bool one_of_several; // By polling: it happened with others between two polls, and what
			     // each began with is not known.
};

/** All growths of one map, stack and kind, whether they were kept as events or only counted. */
struct ms_growth_sum {
	ms_addr map; // 0: all maps.
	const char *type, *owner;
	uint8_t kind; // ms_growth_event_kind
	uint32_t stack;
	uint64_t count, to_bytes;
};

/** A map that was created, where this was asked for. */
struct ms_creation_event {
	double time_s;
	ms_addr map; // 0 unknown.
	const char *type;
	uint64_t hint;
	uint64_t bucket_shift; // B, MS_UNKNOWN for Swiss maps.
	uint32_t stack;
};

/** What polling saw of an evacuation: totals, or one old bucket's entries. */
struct ms_migration {
	double time_s;
	ms_addr map;
	uint64_t moved, of;  // Old buckets moved so far, and how many there are.
	uint64_t bucket;     // MS_UNKNOWN: totals, and the four below are.  Else the old bucket ...
	uint64_t to_x, to_y; // ... where its entries went ...
	uint64_t keys_x, keys_y; // ... and how many.
	bool at_least; // The old bucket was cleared behind its tags.  Of totals: buckets that were
		       // moved beyond the first that is not are left out.
};

/** A collection. */
struct ms_gc_cycle {
	uint64_t number;
	double start_s, end_s; // The whole cycle; NAN before or behind the window, or unknown.
	// Phases with the world stopped, at its start and at its end; NAN unknown.  From Go 1.22
	// on they count some microseconds more than pause_s: from before the stop was asked for.
	double pause_sweep_s, pause_mark_s;
	double pause_s;              // Both, by the runtime's own count; NAN while it runs.
	double assist_s;             // CPU time of allocating goroutines made to mark; NAN unknown.
	double background_s, idle_s; // CPU time of mark workers; NAN unknown.
	uint64_t heap_start_bytes, heap_end_bytes, heap_marked_bytes, goal_bytes;
	uint64_t stack_scan_bytes, globals_scan_bytes;
	uint32_t procs;       // GOMAXPROCS; 0 unknown.
	bool is_forced;       // By runtime.GC or debug.FreeOSMemory.
	bool is_forced_known; // Else one of several that ended between two looks.
	const char *gctrace;  // The runtime's own line, when asked for; "?" for what is unknown.
};

/** The heap at one moment. */
struct ms_heap_sample {
	double time_s;
	uint64_t live_bytes, goal_bytes;
	bool is_marking;
};

/** How many goroutines wait behind a map at one moment. */
struct ms_waiter_sample {
	double time_s;
	ms_addr map;
	const char *behind; // "Registry.mu"
	uint64_t waiting;
	double oldest_s;                 // NAN unknown.
	uint32_t stack;                  // Of one that waited, index in stacks, or MS_NO_STACK.
	struct ms_stack_call created_by; // Likewise; function NULL unknown.
};

/** A goroutine that took another's place on a P, near a growth. */
struct ms_switch_event {
	double time_s;
	uint32_t p;
	uint64_t from, to; // goid; 0: idle.
};

struct ms_trace_report {
	struct ms_report_target target;
	struct ms_report_cost cost;
	enum ms_trace_source source;
	const char
	    *no_probes_reason; // Static or the arena's: why polling stood in; NULL with probes.
	double window_s;
	int64_t began_unix_ns;          // Wall time of time_s 0.
	struct ms_growth_event *events; // By time.
	size_t event_count, event_capacity;
	struct ms_growth_sum *sums; // By count, descending; none: the events are all there is.
	size_t sum_count, sum_capacity;
	uint64_t counted;  // Growths that the kernel counted, or that polls saw.
	uint64_t dropped;  // Of these, growths that are only in sums.
	uint64_t repeated; // Hits that were the same growth tried again.
	uint64_t to_small; // First groups of empty maps, counted only.
	struct ms_creation_event *creations;
	size_t creation_count, creation_capacity;
	bool has_creations;         // They were asked for and looked for; the next three say more.
	uint64_t creations_counted; // Maps made with a hint that may be more than 8.
	uint64_t creations_dropped; // Of these, maps that are not in creations.
	uint64_t creations_small;   // Made beside them, with a hint of 8 at most or with none.
	const char *creations_unknown;  // Why they could not be looked for; NULL.
	const char *creations_nameless; // Why not all addresses are known; NULL.
	struct ms_migration *migrations;
	size_t migration_count, migration_capacity;
	uint64_t migrations_dropped; // Old buckets of which no row was kept: no room, gone unread.
	const char *migrations_unknown; // Why nothing is known of those asked for; NULL.
	uint64_t followed;              // Maps whose headers were read again and again.
	uint64_t not_followed;          // Maps of the last census that were not.
	uint64_t polls;                 // Headers read.
	struct ms_gc_cycle *cycles;
	size_t cycle_count, cycle_capacity;
	struct ms_heap_sample *heap;
	size_t heap_count, heap_capacity;
	struct ms_waiter_sample *waiters;
	size_t waiter_count, waiter_capacity;
	struct ms_switch_event *switches;
	size_t switch_count, switch_capacity;
	bool has_switches;            // They were looked for.
	uint64_t switches_unseen;     // Goroutines taken up in the window that no look saw.
	const char *switches_unknown; // Why they could not be looked for; NULL when they could.
	struct ms_stacks stacks;
	double gc_pause_s;      // Pauses of the collections that ended in the window; NAN unknown.
	uint64_t gc_cycles;     // So many; cycles holds the first 65,536, and one that still runs.
	const char *gc_unknown; // Why nothing is said of collections; NULL when something is.
	bool partial;
	const char *partial_reason;
	struct ms_arena arena;
};

/** "double", "same_size", "split", "to_table", "to_small", "shrink" */
const char *ms_growth_event_kind_name(enum ms_growth_event_kind kind);

const char *ms_trace_source_name(enum ms_trace_source source); // "probes", "polling"

/** Append a copy.  NO_MEMORY; how many there may be is for the caller to say. */
MS_MUST_USE struct ms_error *ms_trace_add_event(struct ms_trace_report *report,
						const struct ms_growth_event *event);
MS_MUST_USE struct ms_error *ms_trace_add_creation(struct ms_trace_report *report,
						   const struct ms_creation_event *creation);
MS_MUST_USE struct ms_error *ms_trace_add_migration(struct ms_trace_report *report,
						    const struct ms_migration *migration);

void ms_trace_report_deinit(struct ms_trace_report *report);
