// goroutine_rows.h - the result of `mapscope goroutines`: every goroutine, what it waits for, and
// the clusters they make.
#pragma once

#include "report/call_stacks.h"
#include "report/common.h"

/** How sure the stack of a goroutine is. */
enum ms_stack_source {
	MS_STACK_NONE,    // It runs, and no sample caught it.
	MS_STACK_UNWOUND, // It rested while it was read.
	MS_STACK_SAMPLED, // It ran: where the CPU clock found it.
};

/** Something that a goroutine does to a map, as its stack tells. */
enum ms_map_role {
	MS_ROLE_NONE,
	MS_ROLE_READS,
	MS_ROLE_WRITES,
	MS_ROLE_GROWS,
	MS_ROLE_ITERATES,
	MS_ROLE_WAITS, // For a lock that guards it.
	MS_ROLE_COUNT,
};

/** What a goroutine is parked on.  One entry for all that wait for the same thing. */
struct ms_wait_place {
	ms_addr address; // Of the semaphore, channel, ...
	const char
	    *kind; // Static: "mutex", "rwmutex (read)", "rwmutex (write)", "channel receive", ...
	const char *name;    // "Registry.mu", NULL unknown.
	const char *owner;   // Path to the object, as an owner is written; NULL unknown.
	const char *map;     // The map in the same object that it guards, as an owner; NULL none.
	ms_addr map_address; // Its header, 0 none.
	uint64_t waiting;
	double oldest_s;            // NAN unknown.
	uint32_t holder_stack;      // Where it is held, or MS_NO_STACK ...
	uint64_t holder;            // ... by this goroutine, 0 unknown ...
	const char *holder_unknown; // ... or why it cannot be said.
	uint64_t length, capacity;  // Of a channel; MS_UNKNOWN otherwise.
	const char *unknown;        // Static: why it has no name.
	const char *state;          // Static: of a lock, "held by a writer", ...; NULL unknown.
	uint32_t maps;              // In that object that it may guard: map is the nearest.
	uint32_t choices; // Of a select: channels it waits for; the one named is waited for most.
	bool is_closed;   // Of a channel.
};

enum { MS_NO_PLACE = UINT32_MAX };

struct ms_goroutine_row {
	uint64_t id;
	ms_addr address;
	const char *state; // Static: "running", "runnable", "syscall", "waiting", ...
	const char
	    *wait_reason; // As the runtime calls it: "sync.Mutex.Lock"; NULL when it does not wait.
	double waited_s;  // NAN when the runtime has not noticed yet.
	uint32_t stack;   // Index in stacks, or MS_NO_STACK.
	uint8_t stack_source;  // ms_stack_source
	uint64_t samples;      // That caught it; it may rest by now.
	double stack_share;    // Of its samples, those with this stack's code; where it is sampled.
	double role_share;     // Of its samples, those with this role and map; 0: it rests in it.
	uint32_t role_stack;   // One that shows the role; meaningful from reads to iterates.
	uint8_t role;          // ms_map_role
	ms_addr map;           // That the role is about; 0 unknown.
	const char *map_owner; // Likewise; NULL unknown.
	struct ms_stack_call created_by; // function NULL for the first.
	uint64_t parent;                 // goid that made it, MS_UNKNOWN (before Go 1.21).
	uint32_t place;                  // Index in places, or MS_NO_PLACE.
	uint32_t cluster;
	uint32_t thread; // tid where it runs or is in a system call; 0 none.
	uint32_t p;      // UINT32_MAX none.
	bool is_system;  // The runtime's own.
};

enum { MS_CLUSTER_EXAMPLES_MAX = 5 };

/** Goroutines that do the same: like stacks in the same state. */
struct ms_goroutine_cluster {
	uint64_t count;
	const char *state, *wait_reason;
	double oldest_s;                 // NAN unknown.
	uint32_t stack;                  // The most frequent of its stacks.
	uint64_t stack_count;            // Different stacks merged into it.
	struct ms_stack_call created_by; // The most frequent.
	uint64_t created_by_count;
	uint32_t place; // What most of them wait for, or MS_NO_PLACE.
	uint64_t place_count;
	uint64_t places;                            // Different ones that they wait for.
	uint64_t examples[MS_CLUSTER_EXAMPLES_MAX]; // goids, the oldest waits first.
	uint32_t example_count;
	bool is_stuck;   // The oldest waits for over five minutes.
	bool is_suspect; // See suspects; never said from one look.
	bool is_system;
};

/** Goroutines of one go statement that became more between two looks, and wait. */
struct ms_leak_suspect {
	struct ms_stack_call created_by;
	uint64_t before, after; // How many at each look.
	uint64_t stayed;        // Were there at both, in the same wait.
	const char *wait_reason;
	uint32_t stack;
	double oldest_s;
	const char *why; // Static or the arena's.
};

/** A goroutine with a map, or the object that holds it, on its stack. */
struct ms_map_hold {
	ms_addr map;
	uint64_t goroutine;
};

/** A line of the program below which threads were sampled that made, wrote or grew maps. */
struct ms_map_line {
	uint32_t stack;   // One of those with that line.
	uint64_t samples; // In all.
	// Of these, with a map that nothing held in the census, or of which none knows ...
	uint64_t passing;
	uint64_t growing; // ... and grew it, or cloned another one.
	uint64_t copying; // Going through a map that is held, in the function of that line.
};

enum { MS_SAMPLED_TYPES_MAX = 64 };

/** The type of a map that a census could not name, by what map code was given with it. */
struct ms_sampled_type {
	ms_addr map;
	const char *type;
};

/** Two goroutines in code of one map at once, or what looks like it. */
enum ms_clue_strength {
	MS_CLUE_WEAK,   // Could be lawful: under one lock, or at different moments.
	MS_CLUE_STRONG, // At one moment, no common lock seen.
};

struct ms_race_clue {
	ms_addr map;
	const char *owner, *type;
	const char *kind; // Static: "two writers", "a writer and a reader", "iterates a table being
			  // replaced"
	uint64_t goroutines[2];
	uint32_t stacks[2];
	double apart_s;         // Between the two looks; NAN for one and the same look.
	uint64_t seen;          // Times.
	uint8_t strength;       // ms_clue_strength
	const char *lock_state; // "Registry.mu is not held", NULL unknown.
	const char *why;        // Why it is no stronger, or no weaker.
};

/** One P and what it does. */
struct ms_sched_p {
	uint32_t id;
	const char *status; // Static: "idle", "running", "syscall", "gcstop", "dead"
	uint32_t thread;    // tid of its M, 0 none.
	int64_t m;          // M's id, -1 none.
	uint64_t running;   // goid, 0 none.
	uint64_t *queue;    // goids, next first; the arena's.
	size_t queue_count;
	uint64_t ticks; // Of the scheduler.
	bool is_moved;  // It went on each time it was read: the queue is of several moments.
};

struct ms_sched_m {
	int64_t id;
	uint32_t thread;
	uint64_t running; // goid, 0 none.
	int64_t p;        // -1 none.
	bool is_spinning, is_blocked;
	uint64_t locked;   // goid of LockOSThread, 0 none.
	const char *doing; // Static: "runs", "in a system call", "sleeps", ...
};

struct ms_goroutines_report {
	struct ms_report_target target;
	struct ms_report_cost cost;
	struct ms_goroutine_row *rows; // By id.
	size_t row_count, row_capacity;
	struct ms_goroutine_cluster *clusters; // By count, descending.
	size_t cluster_count, cluster_capacity;
	struct ms_wait_place *places; // By waiting, descending.
	size_t place_count, place_capacity;
	struct ms_leak_suspect *suspects;
	size_t suspect_count, suspect_capacity;
	const char *proof; // How to get a leak profile from this release; NULL when it has none.
	struct ms_race_clue *clues;
	size_t clue_count, clue_capacity;
	struct ms_map_line *lines; // By samples, descending; where samples were taken.
	size_t line_count, line_capacity;
	struct ms_sampled_type sampled_types[MS_SAMPLED_TYPES_MAX];
	size_t sampled_type_count;
	struct ms_map_hold *holds; // Of the maps that were asked about, by map and goroutine.
	size_t hold_count, hold_capacity;
	bool holds_cut;        // There were more than are kept.
	struct ms_sched_p *ps; // With --sched.
	size_t p_count;
	struct ms_sched_m *ms;
	size_t m_count;
	uint64_t *global_queue; // goids, next first.
	size_t global_queue_count;
	uint64_t global_queue_size;       // As the scheduler counts it; MS_UNKNOWN.
	bool global_queue_moved;          // It went on each time it was read.
	bool has_sched;                   // It was asked for.
	const char *sched_unknown;        // Why nothing is said of it; NULL when something is.
	const char *global_queue_unknown; // Likewise of the global queue.
	struct ms_stacks stacks;
	// Coverage.
	uint64_t seen, unwound, sampled, without_stack, moved, dead, cut;
	uint64_t unread; // Entries of the table of goroutines that cannot be read: no rows.
	uint64_t frame_pointer_agrees,
	    frame_pointer_differs;               // The check beside the function table.
	uint64_t samples;                        // CPU samples taken.
	uint64_t samples_by_role[MS_ROLE_COUNT]; // Of these, by what they did to a map.
	uint64_t samples_hashing;  // Of those in map code, in a function that hashes a key.
	uint64_t samples_lost;     // Where they came faster than they were taken.
	uint64_t samples_nobody;   // Of no goroutine that is known: the runtime's own work, C.
	uint64_t threads_left_out; // That could not be sampled, of so many.
	const char *no_samples;    // Why none were; NULL when some were.
	const char *burst;         // What a burst of write probes saw; NULL: there was none.
	double apart_s;            // Between the two looks; NAN for one look.
	bool partial;
	const char *partial_reason;
	struct ms_arena arena;
};

/** Which clusters and goroutines a page shows. */
struct ms_goroutines_view {
	size_t top;    // Clusters, or goroutines where they are expanded.
	bool stuck;    // Only those that wait for over five minutes.
	bool expanded; // Goroutines, not clusters.
};

const char *ms_map_role_name(
    enum ms_map_role role); // "reads", "writes", "grows", "iterates", "waits"; NULL for none

const char *ms_stack_source_name(enum ms_stack_source source); // "none", "unwound", "sampled"

void ms_goroutines_report_deinit(struct ms_goroutines_report *report);
