// engine.h - the inside of a census: candidates, what is known of them, how they are judged.
//
//	spans of 48-byte objects ─┐
//	                          ├─► candidates ─► plan ─► fetch ─► judge ─► rows
//	goroutine stacks ─────────┘        ▲                           │
//	                                   └── once more, fresh ◄── does not fit
#pragma once

#include "base/number_map.h"
#include "census/census_run.h"
#include "golang/spans.h"
#include "golang/types.h"
#include "maps/classic.h"
#include "maps/shape.h"
#include "maps/swiss.h"
#include "target/fetch.h"

enum { MS_HEADER_BYTES_MAX = 64, MS_ATTEMPTS_MAX = 4 };

/** Why a candidate is no map of the result.  Texts in census.c. */
enum ms_reject {
	MS_REJECT_NONE,
	MS_REJECT_NO_TABLE, // Its table is in no heap object.
	MS_REJECT_NO_TYPE,  // No map type of the program fits its table.
	MS_REJECT_TAGS,     // What should be tags is none.
	MS_REJECT_COUNT,    // Its tags or tables do not make its count.
	MS_REJECT_HEADER,   // Its header did not stay one.
	MS_REJECT_UNREADABLE,
	MS_REJECT_SWAPPED,
	MS_REJECT_RUNNING, // Stacks of running goroutines: not looked at.
	MS_REJECT_STACK,   // Stacks that could not be read.
	MS_REJECT_SPAN,    // Parts of the heap that could not be read.
	MS_REJECT_DWARF,   // Debug information that was not taken in, or not all of it.
	MS_REJECT_GLOBAL,  // Package-level variables that were not looked through to their end.
	MS_REJECT_HOLE,    // Its table is where spans are missing, and nothing tells its type.
	MS_REJECT_PLACE,   // Its header is not where an object of its size can begin.
	MS_REJECT_TYPES,   // Several types fit it, and not the same numbers.
	MS_REJECT_COUNT_,  // How many there are.
};

enum ms_judgement {
	MS_JUDGE_MAP,
	MS_JUDGE_AGAIN, // Does not fit: may be our view that is stale.
	MS_JUDGE_MORE,  // Nothing speaks for it yet: fetch more of it, in this same view.
	MS_JUDGE_DROP,  // Certainly no map.
};

struct ms_candidate {
	ms_addr address;
	uint8_t raw[MS_HEADER_BYTES_MAX];
	struct ms_classic_map classic; // The header taken apart, from the plan on.
	ms_addr stack_lo, stack_hi;    // Of a header on a stack; 0 in the heap.
	const struct ms_map_type *type;
	const struct ms_map_type *met_as; // By the way that led there; NULL: it was searched for.
	const struct ms_span *span; // Of the table, in the snapshot of this look; NULL on a stack.
	uint64_t table_bytes;       // Of everything but the header.
	uint64_t entry_bytes;       // 0: unknown.
	uint32_t want, want_count;  // What was fetched for it.
	uint32_t header_want;       // The word that names the table's type; UINT32_MAX: none.
	uint32_t extra_want;        // runtime.mapextra; UINT32_MAX: none.
	uint32_t old_want;          // First tags of the old array, while growing.
	uint32_t table_want, table_count; // Swiss tables.
	uint32_t unit_bytes;              // Of one bucket or group; 0: unknown.
	uint8_t attempts;
	uint8_t reject;         // ms_reject of the last attempt.
	uint8_t classic_header; // ms_classic_header, from the plan on.
	bool changed;           // Its header moved between two attempts.
	bool sound;             // Everything but the counts fitted.
	bool whole;             // All tags of its table were fetched, not a sample.
	bool doubtful;          // The sample was empty: fetch as much as can be.
};

struct ms_candidates {
	struct ms_candidate *items;
	size_t count, capacity;
};

struct ms_type_names {
	const char *type, *key, *elem;
};

struct ms_engine {
	struct ms_go_runtime *rt;
	const struct ms_go_layout *layout;
	const struct ms_census_options *options;
	struct ms_census_report *report;
	const struct ms_types *types; // The runtime's.
	struct ms_shapes *shapes;
	struct ms_spans spans;
	struct ms_type_names *names; // By index in types.
	struct ms_fetch fetch;
	struct ms_candidates queue;      // Being judged now.
	struct ms_candidates more;       // To be judged by more of their bytes, in this same view.
	struct ms_candidates again;      // To be looked at once more.
	struct ms_number_map assumed_by; // By bytes: index in assumed.
	struct {
		struct ms_span **items;
		size_t count, capacity;
	} assumed;           // What is said of objects whose spans are missing (typed_search.c).
	uint8_t *scratch;    // MS_READ_BYTES_MAX; NULL until it is needed.
	uint64_t bytes_left; // That may be read to count all of what was met.
	bool out_of_memory;
	size_t row_capacity;
	uint64_t spans_unread; // Records, at the look that had most of them.
	uint64_t skips[MS_REJECT_COUNT_];
	struct ms_walks {
		struct ms_walk *items;
		size_t count, capacity;
	} walks;
};

/** Bytes of a map's header in this release. */
uint32_t ms_engine_header_bytes(const struct ms_engine *e);

/** The heap object that starts at @p addr, or NULL. */
const struct ms_span *ms_engine_object(const struct ms_engine *e, ms_addr addr);

/** Whether an object may begin at @p addr whose span is missing. */
bool ms_engine_may_be_in_hole(const struct ms_engine *e, ms_addr addr);

/**
 * Likewise of one that is part of @p c and was made for @p bytes.  Where spans are missing and a
 * type is known, it is what the allocator makes of them.
 */
const struct ms_span *ms_engine_part(struct ms_engine *e, const struct ms_candidate *c,
				     ms_addr addr, uint64_t bytes, bool has_pointers);

/** The object of @p units buckets or groups of @p c, NULL with the reason in @p c. */
const struct ms_span *ms_engine_table(struct ms_engine *e, struct ms_candidate *c, ms_addr addr,
				      uint64_t units, struct ms_shape *ret_shape);

/** Queue what is needed to know the type of the object at @p table, when its memory names it. */
MS_MUST_USE struct ms_error *ms_engine_want_type(struct ms_engine *e, struct ms_candidate *c,
						 const struct ms_span *span, ms_addr table);

/** Take that type in.  False when the memory names something that is no map's table. */
bool ms_engine_take_type(struct ms_engine *e, struct ms_candidate *c, const struct ms_span *span);

/** Whether no type is known, so that the bytes of a table alone say how large its buckets are. */
bool ms_engine_is_untyped(const struct ms_engine *e);

/** Make room for about @p count rows at once. */
void ms_engine_expect_rows(struct ms_engine *e, size_t count);

/** Judge everything in the queue; afterwards it is empty. */
MS_MUST_USE struct ms_error *ms_engine_judge(struct ms_engine *e);

/** Name the type of a row; @p type may be NULL. */
void ms_engine_type_row(struct ms_engine *e, const struct ms_map_type *type,
			enum ms_type_source source, struct ms_map_row *row);

/** True when the caller wants the census to end. */
bool ms_engine_stopped(struct ms_engine *e);

// Finding candidates: heap_search.c, stack_search.c.
MS_MUST_USE struct ms_error *ms_engine_search_heap(struct ms_engine *e);
MS_MUST_USE struct ms_error *ms_engine_search_stacks(struct ms_engine *e);

/** Judge what a walk has led to where spans are missing: typed_search.c. */
MS_MUST_USE struct ms_error *ms_engine_search_typed(struct ms_engine *e);

/** Room for a table that is counted; NULL when memory is short. */
uint8_t *ms_engine_scratch(struct ms_engine *e);

/** Whether so many bytes more may be read to hold a map that was met against all of its table. */
bool ms_engine_may_count(struct ms_engine *e, uint64_t bytes);

/**
 * Whether all tags of a classic map that was met make its count, those of overflow buckets with
 * them; while it grows, whether those of its new array are no more.  Of an array that is too large
 * for that, true.
 */
bool ms_engine_chains_fit(struct ms_engine *e, const struct ms_candidate *c);

/** Of rows at one address keep one, and none where they differ.  They are sorted. */
void ms_engine_join_typed(struct ms_engine *e);

// The two kinds: classic_reader.c, swiss_reader.c.  A plan returns JUDGE_MAP when reads were queued
// (or none are needed), else why not; a judge is called after the fetch.
MS_MUST_USE struct ms_error *ms_classic_plan(struct ms_engine *e, struct ms_candidate *c,
					     enum ms_judgement *ret_judgement);
enum ms_judgement ms_classic_judge(struct ms_engine *e, struct ms_candidate *c);
void ms_classic_fill(struct ms_engine *e, const struct ms_candidate *c, struct ms_map_row *row);

MS_MUST_USE struct ms_error *ms_swiss_plan(struct ms_engine *e, struct ms_candidate *c,
					   enum ms_judgement *ret_judgement);
MS_MUST_USE struct ms_error *ms_swiss_plan_tables(struct ms_engine *e, struct ms_candidate *c);
enum ms_judgement ms_swiss_judge(struct ms_engine *e, struct ms_candidate *c);
void ms_swiss_fill(struct ms_engine *e, const struct ms_candidate *c, struct ms_map_row *row);

/** A classic map whose header does not tell its overflow buckets: big, or growing. */
struct ms_walk {
	size_t row; // In the report.
	ms_addr buckets, oldbuckets;
	uint64_t bucket_count, old_count; // To be walked; 0 where the header tells.
	uint64_t known_bytes;             // Header, arrays, and overflow buckets known already.
	uint64_t known_overflow;
	uint64_t overflow_bytes;               // Of one overflow bucket by itself.
	uint64_t array_bytes, old_array_bytes; // Where no span tells; else 0.
	uint32_t unit_bytes;
};

/** What is to be walked of a map; false when its header tells all, or nothing can. */
bool ms_classic_walk(const struct ms_engine *e, const struct ms_candidate *c,
		     struct ms_walk *ret_walk);

/** Count overflow buckets by following the chains (overflow_walk.c). */
MS_MUST_USE struct ms_error *ms_engine_walk_overflow(struct ms_engine *e);

/**
 * Give the maps that package-level variables hold the variable's name, and their type
 * (name_globals.c).  The rows have to be sorted by address.
 */
MS_MUST_USE struct ms_error *ms_engine_name_globals(struct ms_engine *e);
