// retained.h - what lives through a map alone: the bytes that would go with it.
//
// A collector's own question, asked twice: what is reached from variables and stacks without
// going through the maps in question, and what do these reach beyond that.
#pragma once

#include "golang/runtime.h"

enum { MS_RETAINED_ASKS_MAX = 200 };

/** Some maps that are asked about together, and the answer. */
struct ms_retained_ask {
	const ms_addr *maps; // Headers (of a hash trie: the sync.Map), in any order; borrowed.
	size_t map_count;
	uint64_t bytes;      // Reached through these maps alone, their tables included.
	uint64_t objects;    // Likewise.  Both MS_UNKNOWN: see unknown.
	uint64_t scan_bytes; // Of these, what a collection has to read.
	uint64_t reached;    // Of its maps, those that anything leads to; the others are garbage.
	bool at_least;       // Time was up before all of it was seen.
	bool is_unreached;   // Nothing leads to any of them, though all was gone through.
	const char *unknown; // Static: why there is no answer; NULL when there is one.
};

struct ms_retained_options {
	double seconds;              // It may take; 0: no bound.
	bool (*tick)(void *context); // Asked between batches; true ends it.  May be NULL.
	void *tick_context;
};

/** Of the whole look. */
struct ms_retained_figures {
	uint64_t objects, bytes; // Reached, through whatever.
	uint64_t scan_bytes;     // Of these, what a collection has to read.
	uint64_t unread;         // Pieces of memory that could not be.
	double seconds;
	bool cut; // By the bound or the caller.
};

/**
 * Answer @p asks (at most MS_RETAINED_ASKS_MAX).  Every word that looks like the address of an
 * object counts as one, as no type is asked for: what something else may hold is not counted, so
 * the answer rather falls short.  Maps among what others of the asks hold count for both.  An error
 * means that the target is lost or memory is short.
 */
MS_MUST_USE struct ms_error *ms_retained_run(struct ms_go_runtime *rt,
					     const struct ms_retained_options *options,
					     struct ms_retained_ask *asks, size_t count,
					     struct ms_retained_figures *ret_figures);
