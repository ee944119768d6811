// map_uses.h - what a stack does to which map.
//
// A goroutine is inside map code when a function of the runtime on a map is called from the
// program's own innermost function, with nothing but the runtime in between.  Which map is told by
// that function's arguments, where the code at that place still has them (argument_places.h), and
// only when what is there is a map: one of the census, or a header of the type beside it.
#pragma once

#include "golang/types.h"
#include "golang/unwind.h"
#include "goroutines/map_roles.h"
#include "report/census.h"

struct ms_map_use {
	enum ms_map_role role; // MS_ROLE_NONE: not inside map code.
	ms_addr map;           // Its header; 0 when it could not be told.
	ms_addr type;          // Of the map; 0 when it could not be told.
};

/** A loop over a map that has not ended. */
struct ms_map_loop {
	ms_addr map, type;
	const struct ms_function *function; // That has the loop.
	size_t frame;                       // Index of that frame.
	bool is_replaced;                   // What it goes through is no table of the map any more.
};

enum { MS_MAP_LOOPS_MAX = 8 }; // Of one stack.

struct ms_map_finder;

/** @p census (NULL: none) is sorted by address; both must outlive the finder. */
MS_MUST_USE struct ms_error *ms_map_finder_create(struct ms_go_runtime *rt,
						  const struct ms_census_report *census,
						  struct ms_map_finder **ret_finder);

/** Take another census, for the names that its rows have. */
void ms_map_finder_use_census(struct ms_map_finder *finder, const struct ms_census_report *census);

/** Accepts NULL. */
void ms_map_finder_destroy(struct ms_map_finder *finder);

/** The role alone: quick, without looking at the stack's bytes. */
enum ms_map_role ms_map_role_of_frames(struct ms_map_finder *finder,
				       const struct ms_frames *frames);

/**
 * What the stack of @p image with its @p frames does.  @p registers (MS_CODE_REGISTERS) of the
 * thread that was interrupted there, NULL for a goroutine that rests.
 */
MS_MUST_USE struct ms_error *ms_map_use_find(struct ms_map_finder *finder,
					     const struct ms_stack_image *image,
					     const ms_addr *registers,
					     const struct ms_frames *frames,
					     struct ms_map_use *ret_use);

/**
 * The same for a stack that stands still for good, by what the program's code called the map's with
 * (golang/passed_values.h), where that has dropped its arguments.  The type may be known without
 * the map.
 */
MS_MUST_USE struct ms_error *ms_map_use_of_caller(struct ms_map_finder *finder,
						  const struct ms_frames *frames,
						  struct ms_map_use *ret_use);

/** Whether a function on the stack goes through a map at all; quick once it was seen. */
MS_MUST_USE struct ms_error *ms_map_loops_may_be(struct ms_map_finder *finder,
						 const struct ms_frames *frames, bool *ret_may);

/**
 * The loops over maps that are open on a stack, innermost first: iterators that the functions
 * around them still need.
 */
MS_MUST_USE struct ms_error *ms_map_loops_find(struct ms_map_finder *finder,
					       const struct ms_stack_image *image,
					       const struct ms_frames *frames,
					       struct ms_map_loop ret_loops[MS_MAP_LOOPS_MAX],
					       size_t *ret_count);

/** The census's row of the map at @p address, or NULL. */
const struct ms_map_row *ms_map_finder_row(const struct ms_map_finder *finder, ms_addr address);

/** A map type as a census writes it, "map[string]int", of @p arena; NULL when it has no name. */
const char *ms_map_finder_type_name(const struct ms_map_finder *finder, ms_addr type,
				    struct ms_arena *arena);
