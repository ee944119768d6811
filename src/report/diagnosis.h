// diagnosis.h - the result of `mapscope PID`: what grows, what holds slack, in order of weight.
#pragma once

#include "report/census.h"
#include "report/diff.h"
#include "report/goroutine_rows.h"
#include "report/growth_trace.h"

enum ms_verdict {
	MS_VERDICT_RACE, // Two were in it at one time, one of them writing: a clue, no proof.
	MS_VERDICT_GROWING,
	MS_VERDICT_SUSPECT, // Growing, and nothing was ever seen to be taken out.
	MS_VERDICT_CHURN,   // Of code: maps made, filled and dropped again and again.
	MS_VERDICT_SAWTOOTH,
	MS_VERDICT_SLACK, // Capacity held, entries gone.
	MS_VERDICT_STABLE,
};

/** What the next growth of a map will be. */
enum ms_growth_kind {
	MS_GROWTH_DOUBLE, // The table, into one of twice the size.
	MS_GROWTH_SPLIT,  // Swiss: one table of 1,024 slots into two.
};

struct ms_next_growth {
	enum ms_growth_kind kind;
	uint64_t at_entries; // Entries with which it starts; MS_UNKNOWN when that cannot be said.
	bool is_estimate;    // at_entries is what to expect; hashes to come decide.
	uint64_t old_bytes, new_bytes; // What is left, and what is allocated for it.
	uint64_t new_directory_bytes;  // Of new_bytes: a directory that doubles too, or 0.
	/** Where one of several tables splits: when about all have, and what that adds; else 0. */
	uint64_t all_at_entries, all_bytes;
};

/** What to change, in one line. */
struct ms_advice {
	const char *text; // NULL: no advice.
	const char *file; // NULL until a trace has seen the line.
	uint64_t line;
	uint64_t saves_bytes;      // MS_UNKNOWN where it has no number.
	const char *risk;          // What it costs, or breaks.
	const char *since, *until; // Go releases it is true for ("1.21"); NULL without a bound.
};

/** Something that bounds the process's memory. */
enum ms_limit_kind {
	MS_LIMIT_CGROUP_V2,
	MS_LIMIT_CGROUP_V2_HIGH, // memory.high: above it the kernel slows the process down.
	MS_LIMIT_CGROUP_V1,
	MS_LIMIT_GOMEMLIMIT, // Above it the collector runs more often; nothing fails.
	MS_LIMIT_MACHINE,
	MS_LIMIT_RLIMIT,
};

struct ms_limit {
	enum ms_limit_kind kind;
	uint64_t limit_bytes, left_bytes;
	double reached_s; // At the growth of the whole process; NAN unless it grows.
};

enum { MS_LIMITS_MAX = 7 };

enum { MS_FILLERS_MAX = 3 };

/** A stack that grew a map while it was traced. */
struct ms_filler {
	uint32_t stack; // Index in trace.stacks.
	uint64_t growths;
	struct ms_stack_call created_by; // function NULL: unknown, or several go statements.
};

/** Who waited for the lock that guards a map, over all looks of the window. */
struct ms_finding_waiters {
	const char *behind; // "main.Registry.mu"; NULL: nobody was seen to wait.
	uint64_t most;      // At one look.
	uint64_t looks;     // At which somebody waited.
	double oldest_s;    // The longest wait that was noticed; NAN unknown.
	uint32_t stack;     // Of one that waited, in trace.stacks, or MS_NO_STACK.
	struct ms_stack_call created_by;
};

enum { MS_NO_CLUSTER = UINT32_MAX };

/** Goroutines that have to do with a map, each counted once. */
struct ms_finding_users {
	uint64_t total;
	uint64_t by_role[MS_ROLE_COUNT]; // Doing something to it, or waiting for its lock.
	uint64_t holding;                // No more than that: by a word on their stacks.
	uint32_t cluster;                // Of one that does something, or MS_NO_CLUSTER.
	uint32_t holding_cluster;        // That most holders are in, or MS_NO_CLUSTER ...
	uint64_t holding_in_cluster;     // ... and how many.
	const char *behind;              // The lock for which they wait; NULL for none.
};

/** What lives through a map alone, beside its own table.  An estimate: see walk/retained.h. */
struct ms_retained {
	uint64_t bytes, objects; // MS_UNKNOWN: see unknown.
	double gc_share;         // Of the bytes that a collection reads, table included; NAN.
	bool at_least;           // Time was up before all of it was seen.
	bool is_unreached;       // Nothing was seen that leads to it.
	uint64_t reached_maps;   // Of an owner's, those that something leads to; MS_UNKNOWN.
	const char *unknown;     // Static.
};

enum { MS_NO_CLUE = UINT32_MAX, MS_NO_LEAK = UINT32_MAX };

/** A line of the program that allocated for maps, as the runtime's memory profile has it. */
struct ms_alloc_site {
	uint32_t stack;      // In allocations.stacks: the one with most of it.
	double window_bytes; // Allocated for maps there in the window, scaled from samples.
	double in_use_bytes; // Of all it ever allocated, with what is garbage by now.
	uint64_t samples;    // Behind window_bytes.
};

/** A line that makes or fills maps, and what it costs. */
struct ms_code_line {
	const struct ms_stack *stack; // The report's; NULL: none is known.
	struct ms_stack_call made_at; // Where the map is made; function NULL: unknown.
	double alloc_bytes_per_s;     // For tables, by the memory profile; NAN unknown ...
	double alloc_share;           // ... and of all that was allocated.
	double grown_bytes_per_s; // Allocated by growths of maps that did not last; NAN unknown.
	double cpu_share; // Of CPU samples, making and filling maps that did not last; NAN unknown.
};

enum { MS_CODE_CALLS_SHOWN = 3 };

/** Places in the code that do one thing to maps like a finding's. */
struct ms_code_calls {
	struct ms_stack_call items[MS_CODE_CALLS_SHOWN]; // Different lines, by address.
	size_t count;
	uint64_t lines;   // All of them, those not shown included.
	bool is_of_place; // On this field or variable; false: on any map of its type.
};

/** What the machine code says of the maps of a finding, whether it runs or not. */
struct ms_code_sites {
	struct ms_code_calls made, filled, deleted;
};

/** What was allocated in the window. */
struct ms_allocations {
	const char *unknown; // Why nothing is known; NULL when something is.
	uint64_t rate;       // One in so many bytes is sampled; MS_UNKNOWN: nothing is scaled.
	double window_s;     // Between the two looks at the profile.
	double window_bytes; // By all of the program.
	double map_bytes;    // Of these, by map code for tables.
	struct ms_alloc_site *sites; // By window_bytes, descending.
	size_t site_count, site_capacity;
	struct ms_stacks stacks;
};

/** What a paragraph is about. */
enum ms_finding_kind {
	MS_FINDING_MAP,
	MS_FINDING_OWNER, // Many maps of one owner and type: map holds their sums, no address.
	MS_FINDING_CODE,  // A line that makes maps which do not last: map is all zeros.
};

/** One map, owner or line that is worth a paragraph. */
struct ms_finding {
	enum ms_finding_kind kind;
	enum ms_verdict verdict;
	uint64_t maps_before, maps_after; // Of an owner; MS_UNKNOWN elsewhere.
	struct ms_code_line line;         // Of code; of others where their tables were made.
	struct ms_code_sites sites;
	uint32_t clue;        // In goroutines.clues, or MS_NO_CLUE.
	uint32_t leak;        // In goroutines.suspects: whose stacks hold it, or MS_NO_LEAK.
	double deleted_share; // Of a sync.Map's keys, those that were deleted; 0 unless looked for.
	bool no_delete;       // No code of the program takes an entry out of a map of its type.
	struct ms_map_row map;   // As the last census saw it.
	uint64_t entries_before; // In the first census; MS_UNKNOWN for a map that is new.
	uint64_t bytes_before;   // Likewise.
	double entries_per_s;    // Net, over the window; NAN when unknown.
	double bytes_per_min;    // Of the table, from the growths seen; NAN when unknown.
	uint64_t growths_seen;   // By polling: at least so many.
	uint64_t entries_low, entries_high; // Over all polls.
	uint64_t polls;
	uint64_t growths_traced; // Of all its tables, in the window; MS_UNKNOWN without probes.
	struct ms_filler fillers[MS_FILLERS_MAX]; // By growths, descending.
	size_t filler_count;
	struct ms_finding_waiters waiters;
	struct ms_finding_users users;
	struct ms_retained retained;
	struct ms_next_growth next;
	struct ms_advice advice;
};

/** The maps that are too small for a paragraph of their own, summed. */
struct ms_fleet {
	uint64_t maps_before, maps_after;
	uint64_t entries_before, entries_after;
	uint64_t bytes_before, bytes_after;
	uint64_t appeared, vanished; // Addresses in one census only.
};

/** The maps of one owner and type that grew together, in the two censuses. */
struct ms_owner_change {
	const char *owner, *type; // The type may be NULL.
	struct ms_diff_side before, after;
	enum ms_verdict verdict;
};

struct ms_diagnosis_report {
	struct ms_report_target target;
	struct ms_report_cost cost;
	struct ms_finding *findings; // Ranked.
	size_t finding_count;
	struct ms_owner_change *owner_changes; // Owners of several maps, by what they add.
	size_t owner_change_count;
	struct ms_owner_row *owners; // All maps of the last census, by bytes: the first so many ...
	size_t owner_count;          // ... and one more row, "[others]", where there are more.
	struct ms_fleet fleet;       // Every map, findings included.
	struct ms_coverage coverage; // Of the last census.
	uint64_t map_bytes, slack_bytes; // total_bytes and slack_bytes over all maps.
	uint64_t heap_bytes, rss_bytes;
	struct ms_memory memory; // As of the last census.
	double window_s;
	double looked_ago_s;                   // Between the last look at the maps and this report.
	struct ms_limit limits[MS_LIMITS_MAX]; // What leaves least first.
	size_t limit_count;
	const char *limits_hidden;    // Why a limit may be missing above; NULL when none is.
	double rss_bytes_per_s;       // Of the whole process, in the window; NAN when unknown.
	uint64_t gc_cycles;           // Collections during the window.
	struct ms_trace_report trace; // What went on in the window; all zeros unless is_traced.
	bool is_traced;
	struct ms_goroutines_report goroutines; // As of the window's end, without its rows.
	bool has_goroutines;
	struct ms_allocations allocations;
	uint64_t goroutine_count;  // MS_UNKNOWN unless has_goroutines.
	const char *no_goroutines; // Why there are none; NULL where it was not tried.
	double retained_s;         // What the look at what maps retain took.
	uint64_t retained_objects; // That it reached.
	bool partial;
	const char *partial_reason;
	struct ms_arena arena;
	struct ms_arena first_arena; // Names of the first census, which the trace refers to.
};

/** What lies ahead of a map if it goes on as it did in the window. */
struct ms_clock {
	uint64_t next_growth_entries;   // Still to come until the next growth starts.
	double next_growth_s;           // NAN unless entries are added.
	uint64_t next_growth_bytes;     // Old and new table together at that moment.
	uint64_t next_growth_new_bytes; // Of these, allocated for it.
	const struct ms_limit *limit;   // The one that is hit first, NULL when none is known.
	double limit_s;                 // Until then, at the latest; NAN unless it comes nearer.
	bool will_not_fit;              // The next growth needs more than will be left by then.
};

struct ms_clock ms_finding_clock(const struct ms_diagnosis_report *report,
				 const struct ms_finding *finding);

const char *ms_growth_kind_name(enum ms_growth_kind kind); // "double", "split"

/** "cgroup v2", "cgroup v1", "GOMEMLIMIT", "machine", "rlimit". */
const char *ms_limit_kind_name(enum ms_limit_kind kind);

/** Whether passing it makes the process slow instead of ending it. */
bool ms_limit_is_soft(enum ms_limit_kind kind);

const char *ms_finding_kind_name(enum ms_finding_kind kind); // "map", "owner", "code"

const char *ms_verdict_name(enum ms_verdict verdict); // "growing", ...

void ms_diagnosis_report_deinit(struct ms_diagnosis_report *report);
