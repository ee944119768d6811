// map_calls.h - where the program's code makes, fills and empties maps, and of which type.
#pragma once

#include "golang/functions.h"
#include "golang/types.h"
#include "image/code.h"

enum ms_map_call_kind {
	MS_MAP_CALL_MAKE,   // With a size: make(map[K]V, n).
	MS_MAP_CALL_FILL,   // m[k] = v, and what changes m[k].
	MS_MAP_CALL_DELETE, // delete(m, k), clear(m).
	MS_MAP_CALL_KINDS,
};

struct ms_map_call {
	ms_addr type; // Of the map, its descriptor; 0: not known, or of a sync.Map none.
	ms_addr at;   // The return address.
	uint8_t kind; // ms_map_call_kind
	bool is_sync; // A method of sync.Map.
};

struct ms_map_calls {
	struct ms_map_call *items; // By address of the call.
	size_t count, capacity;
	uint64_t nameless[MS_MAP_CALL_KINDS]; // Of maps, without a type.
	bool is_known;                        // The code could be looked through to its end.
	struct ms_code *code;                 // To take calls apart; NULL where there are none.
};

/**
 * Look through the code of the main module for calls of mapassign, mapdelete, makemap and their
 * like, each with the address of a map's type put into its first argument just before, and of the
 * methods of sync.Map.  amd64; elsewhere nothing is known.  An error means that the target is lost
 * or memory is short.
 */
MS_MUST_USE struct ms_error *ms_map_calls_find(struct ms_go_runtime *rt,
					       const struct ms_functions *functions,
					       struct ms_map_calls *ret_calls);

/**
 * Whether no code takes an entry out of a map of a type called @p type_name, of any descriptor of
 * that name.  False where that is not known: also when any call does not say its type.
 */
bool ms_map_calls_never_delete(struct ms_go_runtime *rt, const struct ms_map_calls *calls,
			       const char *type_name);

enum ms_map_place_kind { MS_MAP_PLACE_UNKNOWN, MS_MAP_PLACE_GLOBAL, MS_MAP_PLACE_FIELD };

/** Where code has a map from: the variable at an address, or a field at an offset of something. */
struct ms_map_place {
	uint8_t kind; // ms_map_place_kind
	uint64_t value;
};

/**
 * Where the map of a call that fills or deletes is loaded from, or a sync.Map is, by the straight
 * line of code in front of it.  @p call is one of @p calls.
 */
MS_MUST_USE struct ms_error *ms_map_call_place(const struct ms_functions *functions,
					       const struct ms_map_calls *calls,
					       const struct ms_map_call *call,
					       struct ms_map_place *ret_place);

void ms_map_calls_deinit(struct ms_map_calls *calls);
