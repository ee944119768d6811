// globals.h - the package-level variables, as the executable's DWARF names them.
//
// Two things are found.  Maps that lie at a fixed place of a variable: the variable itself, fields
// of structs, elements of arrays, and the same behind one pointer; what slices, interfaces and maps
// hold is not followed.  And the places whose type the program itself describes, with which a typed
// walk begins.
#pragma once

#include "base/arena.h"
#include "golang/runtime.h"

#define MS_GO_NO_POINTER UINT32_MAX

/** A word that holds a map. */
struct ms_go_slot {
	ms_addr address;   // Of the word; behind a pointer: counted from where that points to.
	ms_addr key, elem; // Descriptors of the map's types; 0 for one that the program lacks.
	uint32_t pointer;  // Index in pointers of the word that leads there, or MS_GO_NO_POINTER.
	const char *owner; // In source words: "main.orders", "main.registry.byConn", "*main.p".
};

/** What the descriptor of a typed place describes. */
enum ms_go_typed_shape {
	MS_GO_TYPED_VALUE,   // The place itself.
	MS_GO_TYPED_POINTER, // What the pointer there leads to.
	MS_GO_TYPED_SLICE,   // The elements of the slice there.
	MS_GO_TYPED_MAP,     // The keys of the map there; elem describes its elems.
};

/** A place in a variable whose type the program describes: where a typed walk can begin. */
struct ms_go_typed {
	ms_addr address;
	ms_addr type, elem; // Descriptors.
	enum ms_go_typed_shape shape;
	const char *variable; // "main.shop"
	const char *path;     // From the variable to the place: "" or ".orders".
};

struct ms_go_globals {
	struct {
		struct ms_go_typed *items; // In the order of the debug information.
		size_t count, capacity;
	} typed;
	struct {
		struct ms_go_slot *items; // Without a pointer first; then by owner.
		size_t count, capacity;
	} slots;
	struct {
		ms_addr *items; // Addresses of words.
		size_t count, capacity;
	} pointers;
	size_t variables; // That were looked at.
	size_t parts;     // Of them, likewise.
	size_t left_out;  // Of these, those that a bound cut off.
	bool refused;     // The debug information is damaged or too large: some may be missing.
	struct ms_arena arena;
};

/**
 * The variables of the target's executable; none when it has no DWARF.  Read from the file at the
 * first call, and kept: *ret_globals is owned by @p rt and lives as long.
 */
MS_MUST_USE struct ms_error *ms_go_globals_load(struct ms_go_runtime *rt,
						const struct ms_go_globals **ret_globals);

/** Accepts NULL. */
void ms_go_globals_destroy(struct ms_go_globals *globals);
