// map_deletes.h - which map types the program ever takes an entry out of, by its code.
#pragma once

#include "golang/functions.h"
#include "golang/types.h"

/** Map types by the address of their descriptor, sorted. */
struct ms_map_deletes {
	ms_addr *items;
	size_t count, capacity;
	uint64_t calls;    // To functions that take entries out.
	uint64_t nameless; // Of these, calls of which the type was not found beside them.
	bool is_known;     // The code could be looked through to its end.
};

/**
 * Look through the code of the main module for calls of mapdelete and mapclear, each with the
 * address of a map's type put into its first argument just before.  amd64; elsewhere nothing is
 * known.  An error means that the target is lost or memory is short.
 */
MS_MUST_USE struct ms_error *ms_map_deletes_find(struct ms_go_runtime *rt,
						 const struct ms_functions *functions,
						 struct ms_map_deletes *ret_deletes);

/**
 * Whether no code takes an entry out of a map of a type called @p type_name, of any descriptor of
 * that name.  False where that is not known: also when any call does not say its type.
 */
bool ms_map_deletes_has_none(struct ms_go_runtime *rt, const struct ms_map_deletes *deletes,
			     const char *type_name);

void ms_map_deletes_deinit(struct ms_map_deletes *deletes);
