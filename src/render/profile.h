// profile.h - writing a gzipped profile.proto in pieces.
//
// Strings, functions and locations are numbered when they are first used, and written then.  The
// first failure sticks, as in a sink.
#pragma once

#include "base/arena.h"
#include "base/number_map.h"
#include "render/sink.h"
#include "report/call_stacks.h"

#include <profile.pb-c.h>
#include <zlib.h>

struct ms_profile {
	ProtobufCBuffer base; // Must be first: what protobuf-c appends to.
	struct ms_sink *sink;
	struct ms_sink scratch; // A string with what is unsafe replaced.
	z_stream deflate;
	struct ms_number_map text_numbers; // By hash.
	struct ms_profile_texts {
		const char **items;
		size_t count, capacity;
	} texts;
	struct ms_number_map functions; // By name and file.
	struct ms_number_map locations; // By address, or by function and line.
	uint32_t function_count, location_count;
	struct ms_arena arena;
	bool no_memory;
};

/** NO_MEMORY. */
MS_MUST_USE struct ms_error *ms_profile_begin(struct ms_profile *p, struct ms_sink *sink);

/** A string's index; NULL is the empty one. */
int64_t ms_profile_text(struct ms_profile *p, const char *text);

/**
 * The location of calls[0 .. count), where each is inlined into the next; all that have one
 * address are the same.
 */
uint64_t ms_profile_location(struct ms_profile *p, const struct ms_stack_call *calls,
			     uint32_t count);

/** Write a piece of the profile. */
void ms_profile_put(struct ms_profile *p, const Ms__Pprof__Profile *piece);

/** Finish the sink and free everything. */
MS_MUST_USE struct ms_error *ms_profile_end(struct ms_profile *p);
