// census.h - the result of one census: rows, sums by owner, coverage.
#pragma once

#include "base/error.h"
#include "report/common.h"
#include "report/filter.h"
#include "report/memory.h"

enum ms_map_kind {
	MS_MAP_CLASSIC,      // Bucket arrays: Go up to 1.23, and noswissmap.
	MS_MAP_SWISS,        // Groups and tables: Go from 1.24.
	MS_MAP_SYNC_TRIE,    // sync.Map from Go 1.24: a hash trie, without capacity or load.
	MS_MAP_HMAP_STEADY,  // libhmap's own engine, in a C program or a library of a Go program.
	MS_MAP_HMAP_CLASSIC, // Its other one: Go's map of 1.19-1.23, in C.
};

enum ms_map_where {
	MS_WHERE_HEAP,
	MS_WHERE_STACK,
};

enum ms_map_confidence {
	MS_CONFIDENCE_VERIFIED,   // Every invariant held over one consistent look.
	MS_CONFIDENCE_CHANGED,    // It moved while it was read; the numbers are its header's.
	MS_CONFIDENCE_UNVERIFIED, // Never written, nothing but its header to go by.
};

/** How a type was found. */
enum ms_type_source {
	MS_TYPE_NONE,          // Not typed: the type strings are NULL.
	MS_TYPE_MALLOC_HEADER, // The allocation of its table names it (Go >= 1.22).
	MS_TYPE_DWARF,         // A global variable's debug information names it.
	MS_TYPE_WALK,          // A walk from typed roots led to it.
	MS_TYPE_REGISTRY,      // libhmap's registry names it.
	MS_TYPE_CALL,          // A core's call that died in it was for that type.
};

/** Growth of a classic map that was under way. */
struct ms_map_growth {
	uint64_t from, to; // Capacity in entries.
	double progress;   // 0 to 1: share of old buckets evacuated.
	bool same_size;
};

/** One map.  Bytes are as design section 6 defines them; unknown values are MS_UNKNOWN. */
struct ms_map_row {
	ms_addr address;
	uint64_t entries;
	uint64_t capacity;         // Slots of the current table or tables, overflow not counted.
	uint64_t grow_at;          // Entries at which the next growth starts.
	uint64_t overflow_buckets; // Classic.
	uint64_t deleted_slots;    // Swiss.
	uint64_t live_bytes, total_bytes, slack_bytes;
	const char *type, *key_type, *elem_type;
	const char *owner;
	uint32_t owners;         // Places that hold it; 0: not known.
	ms_addr held_at;         // One of these places: a word that holds it; 0: not known.
	uint32_t tables;         // Swiss: tables, 0 for a small map.
	uint8_t directory_depth; // Swiss.
	uint8_t kind;            // ms_map_kind
	uint8_t where;           // ms_map_where
	uint8_t confidence;      // ms_map_confidence
	uint8_t type_source;     // ms_type_source
	bool growing;
	struct ms_map_growth growth; // Meaningful while growing.
};

/** A row of which nothing is known but where it is. */
struct ms_map_row ms_map_row_unknown(ms_addr address);

/** Rows summed by owner, type and kind.  A sum is over the maps whose value is known. */
struct ms_owner_row {
	const char *owner, *type; // Either may be NULL.
	uint64_t maps, entries, capacity;
	uint64_t live_bytes, total_bytes, slack_bytes;
	uint64_t unknown_bytes_maps; // Maps with at least one of the three bytes unknown.
	uint64_t never_written;      // Maps without any table yet.
	uint64_t growing;            // Maps with a growth under way.
	size_t first_map;            // Index of the first of them: the map itself where it is one.
	uint8_t kind;                // ms_map_kind
};

/** Something that was not counted as a map, and why. */
struct ms_skip {
	const char *reason; // "swapped out", "changed twice while read", ...
	uint64_t count;
};

/** What a walk for types and owners did (walk/walk.h); without one nothing of it is known. */
struct ms_walk_figures {
	bool taken;
	uint64_t objects;   // Visited.
	uint64_t bytes;     // Of them.
	uint64_t roots;     // Places where it began.
	uint64_t conflicts; // Maps that were met with two types that are no aliases.
	uint64_t unseen;    // Maps met that the census does not have: made since, or passed over.
	uint64_t unreached; // Rows that no variable and no stack led to.
	double seconds;
	bool cut;               // It did not get to its end.
	const char *cut_reason; // Static, or the report's.
	const char *limit;      // Static: what kept it from following all that it could, or NULL.
};

struct ms_coverage {
	uint64_t seen;    // Candidates that looked like a map's header.
	uint64_t read;    // Maps in the result.
	uint64_t typed;   // Of these, with a type.
	uint64_t changed; // Of these, with confidence "changed".
	struct ms_skip *skips;
	size_t skip_count;
	struct ms_walk_figures walk;
};

struct ms_census_report {
	struct ms_report_target target;
	struct ms_report_cost cost;
	struct ms_map_row *maps; // Sorted by address; the renderer orders and cuts.
	size_t map_count;
	uint64_t never_written;      // Of these, maps without any table yet.
	struct ms_owner_row *owners; // By total_bytes, descending.
	size_t owner_count;
	struct ms_coverage coverage;
	uint64_t heap_bytes; // Bytes of in-use heap spans.
	uint64_t rss_bytes;
	struct ms_memory memory;
	bool partial; // Cut short; partial_reason says by what.
	const char *partial_reason;
	struct ms_arena arena;
};

/** How the rows are shown. */
enum ms_sort_key {
	MS_SORT_BYTES,
	MS_SORT_ENTRIES,
	MS_SORT_SLACK,
	MS_SORT_LOAD,
	MS_SORT_MAPS, // Of a group; single maps are then in the order of their bytes.
};

/** What a row of the page is. */
enum ms_census_rows {
	MS_ROWS_GROUPED,  // All maps of one owner and type.
	MS_ROWS_EXPANDED, // One map.
};

struct ms_census_view {
	size_t top; // Rows at most; SIZE_MAX for all.
	enum ms_sort_key sort;
	enum ms_census_rows rows;     // Documents and tables always have single maps.
	struct ms_row_filter *filter; // NULL: everything is shown.
};

/** Add one map to a sum. */
void ms_owner_row_add(struct ms_owner_row *sum, const struct ms_map_row *row);

/** All rows summed into one; owner and type are NULL. */
struct ms_owner_row ms_census_totals(const struct ms_census_report *report);

/** The rows that the view's filter lets through, summed into one. */
struct ms_owner_row ms_census_filtered(const struct ms_census_report *report,
				       const struct ms_census_view *view);

/**
 * Give rows of @p census that have no owner or type those of the row at the same address in
 * @p earlier, a census of the same process; strings are copied.  Owners are summed anew.
 */
MS_MUST_USE struct ms_error *ms_census_inherit(struct ms_census_report *census,
					       const struct ms_census_report *earlier);

/** Fill in owners and owner_count from the rows, in place of what was there. */
MS_MUST_USE struct ms_error *ms_census_sum_owners(struct ms_census_report *report);

/** What its maps take of a Go heap: those whose bytes are known, none of libhmap's. */
struct ms_map_bytes ms_census_map_bytes(const struct ms_census_report *report);

/** Split report->memory into maps and others by the owners' sums: after these changed. */
void ms_census_split_memory(struct ms_census_report *report);

/** True for a map that has no table yet: its header alone says that it is one. */
static inline bool ms_map_row_never_written(const struct ms_map_row *row)
{
	return row->confidence == MS_CONFIDENCE_UNVERIFIED;
}

/** total - live, MS_UNKNOWN where one of them is, or where a moving map made no sense of them. */
static inline uint64_t ms_map_row_slack(const struct ms_map_row *row)
{
	bool known = row->live_bytes != MS_UNKNOWN && row->total_bytes != MS_UNKNOWN;

	return known && row->live_bytes <= row->total_bytes ? row->total_bytes - row->live_bytes
							    : MS_UNKNOWN;
}

/** True for a map of libhmap's: no runtime knows of it. */
static inline bool ms_map_row_is_hmap(const struct ms_map_row *row)
{
	return row->kind == MS_MAP_HMAP_STEADY || row->kind == MS_MAP_HMAP_CLASSIC;
}

/** Whether it is one of the two maps that a sync.Map is made of (sync/map.go, up to Go 1.23). */
bool ms_map_row_is_of_sync_map(const struct ms_map_row *row);

/** The row at @p address, or NULL; the rows are sorted by it. */
const struct ms_map_row *ms_census_row_at(const struct ms_census_report *report, ms_addr address);

/**
 * Whether the map at @p address was in use: by a row that something led to.  Without a walk, or
 * with one that was cut, every row counts.
 */
bool ms_census_holds(const struct ms_census_report *report, ms_addr address);

/** entries / capacity, NAN when the capacity is 0 or unknown. */
double ms_map_row_load(const struct ms_map_row *row);
double ms_owner_row_load(const struct ms_owner_row *row);

const char *ms_map_kind_name(enum ms_map_kind kind);          // "classic", "swiss"
const char *ms_map_where_name(enum ms_map_where where);       // "heap", "stack"
const char *ms_confidence_name(enum ms_map_confidence value); // "verified", ...
const char *ms_type_source_name(enum ms_type_source source);  // "malloc header", "dwarf", NULL

/**
 * Indices of the maps to show, largest first; NULL when memory is short.  The caller frees it.
 * Rows with an unknown key come after the known ones, never-written maps come last; equal rows are
 * in the order of their addresses.
 */
size_t *ms_census_order(const struct ms_census_report *report, const struct ms_census_view *view,
			size_t *ret_count);

/**
 * Likewise indices of the owners to show.  Groups of never-written maps alone come last; equal ones
 * are in the order of the report.
 */
size_t *ms_census_group_order(const struct ms_census_report *report,
			      const struct ms_census_view *view, size_t *ret_count);

/** Sum of the counts of all skips. */
uint64_t ms_coverage_skipped(const struct ms_coverage *coverage);

/** Add to what was skipped; @p reason is static. */
MS_MUST_USE struct ms_error *ms_coverage_skip(struct ms_coverage *coverage, const char *reason,
					      uint64_t count);

void ms_coverage_deinit(struct ms_coverage *coverage);

void ms_census_report_deinit(struct ms_census_report *report);
