// walk.h - the typed walk: from variables and stacks to every map, with the type and the owner of
// each.
//
// A census finds maps by what their memory looks like; it cannot say whose they are.  The walk
// starts where types are known - package-level variables, interfaces, stacks - and follows values
// by their descriptors.  It reads a moving process like everything here: what it meets is held
// against the span table, and what does not fit is passed over.
//
// Of a core that was cut off spans may be missing.  There the program's types alone say how long
// what they lead to is: only typed words are followed, never what may be left over.
#pragma once

#include "golang/types.h"
#include "report/census.h"
#include "walk/want.h"

/** Asked between batches, some milliseconds apart; true ends the walk with what it has. */
typedef bool (*ms_walk_tick_fn)(void *context);

/** Maps that were met by their type, and that the census does not have. */
struct ms_walk_missed {
	ms_addr *items;
	size_t count, capacity;
};

enum { MS_WALK_MISSED_MAX = 1 << 16 };

enum { MS_WALK_TYPED_MAX = 1 << 22 };

struct ms_walk_options {
	ms_walk_tick_fn tick; // May be NULL.
	void *tick_context;
	uint64_t own_bytes_max;     // What waits to be visited may take; 0: a default.
	uint64_t objects_max;       // Objects visited at most; 0: no bound.
	double seconds;             // It may take; 0: no bound.
	struct ms_walk_want *wants; // Sorted by address; filled in.  NULL: none.
	size_t want_count;
	struct ms_walk_missed *missed; // Added to, up to the bound above; NULL: none.
	// Where spans are missing: NULL, and of memory without a span only maps of the report are
	// entered; or all that are met by their type, which are added here up to the bound above.
	struct ms_typed_maps *typed;
};

/**
 * Walk, and say in the rows of @p report (sorted by address) what was found: type, owner, how many
 * hold it.  Rows keep a type that their own memory names.  Hash tries (sync.Map from Go 1.24) are
 * added as rows.  Owners and coverage are summed anew, the figures of the walk and the types that
 * fill the heap (where memory was measured) filled in.
 *
 * What cannot be read or is damaged costs types and owners, and the figures say so.  An error means
 * that the target is lost (GONE, DENIED) or memory is short; the report stays as it was.
 */
MS_MUST_USE struct ms_error *ms_walk_run(struct ms_go_runtime *rt,
					 const struct ms_walk_options *options,
					 struct ms_census_report *report);

/**
 * Find out what lies at @p wants (sorted by address), and no more: the walk ends as soon as all are
 * known, or after @p seconds (0: no bound).  Strings are @p arena's.  An error means that the
 * target is lost (GONE, DENIED) or memory is short.
 */
MS_MUST_USE struct ms_error *ms_walk_find(struct ms_go_runtime *rt, double seconds,
					  struct ms_walk_want *wants, size_t want_count,
					  struct ms_arena *arena);
