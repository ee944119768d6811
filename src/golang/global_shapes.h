// global_shapes.h - where the values of a type hold maps, as DWARF describes the type.
#pragma once

#include "base/arena.h"
#include "base/types.h"

#include <elfutils/libdw.h>

/** How far a shape goes: pointers are followed once at most, or not at all. */
enum ms_go_reach {
	MS_GO_REACH_VALUE,
	MS_GO_REACH_POINTER,
};

enum ms_go_shape_kind {
	MS_GO_SHAPE_NOTHING, // No map at any fixed place.
	MS_GO_SHAPE_MAP,
	MS_GO_SHAPE_POINTER,
	MS_GO_SHAPE_STRUCT,
	MS_GO_SHAPE_ARRAY,
};

struct ms_go_shape {
	Dwarf_Off die;
	enum ms_go_reach reach;
	enum ms_go_shape_kind kind;
	uint64_t bytes;
	uint64_t key, elem;                     // Of a map: descriptors, from the types' start on.
	const struct ms_go_shape *inner;        // Of a pointer or array; holds maps.
	uint64_t count;                         // Of an array.
	const struct ms_go_shape_field *fields; // Of a struct: those that hold maps.
};

struct ms_go_shape_field {
	const char *name;
	uint64_t offset;
	const struct ms_go_shape *shape;
	const struct ms_go_shape_field *next;
};

/** The shapes of one file's types; zero-initialised is empty. */
struct ms_go_shapes {
	void *tree;
	struct ms_arena arena;
	uint64_t entries;   // Of types and members, looked at so far.
	bool cut;           // A bound was reached: what is missing is missing for good.
	bool out_of_memory; // Likewise.
};

/**
 * The shape of the type at @p type; NULL when it holds no map.  Owned by @p shapes; names point
 * into the DWARF.
 */
const struct ms_go_shape *ms_go_shapes_of(struct ms_go_shapes *shapes, Dwarf_Die *type,
					  enum ms_go_reach reach);

void ms_go_shapes_deinit(struct ms_go_shapes *shapes);
