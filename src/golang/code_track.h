// code_track.h - following values through one function: what it hands to the runtime and to
// methods, and where it puts what it gets.
//
// Pure over bytes: the caller says which functions mean something and where variables lie.
#pragma once

#include "image/code.h"

/** What a call of a function says.  Arguments are counted in Go's registers. */
enum ms_callee_role {
	MS_CALLEE_OTHER,
	MS_CALLEE_BARRIER,       // The write barrier: keeps the registers.
	MS_CALLEE_BARRIER_STORE, // The same until Go 1.20: stores register type of struct
				 // ms_callee.
	MS_CALLEE_NO_RETURN,     // Panics.
	MS_CALLEE_MAP,           // 0: a map type, 1: the map.
	MS_CALLEE_MAP_INSERT,    // The same, and the map grows.
	MS_CALLEE_MAP_AT_1,      // 1: a map type, 2: the map.
	MS_CALLEE_MAKE_MAP,      // 0: a map type; returns the map.
	MS_CALLEE_MAKE_SMALL,    // Returns a map of a type that is not said.
	MS_CALLEE_MAKE_CHAN,     // 0: a channel type; returns the channel.
	MS_CALLEE_MAKE_SLICE,    // 0: an element's type; returns the array.
	MS_CALLEE_GROW_SLICE,    // The same with the type as argument 4.
	MS_CALLEE_NEW,           // 0: a type; returns an object of it.
	MS_CALLEE_NEW_SIZED, // 0: a size, 1: a type; returns an object if that is the type's size.
	MS_CALLEE_AT,        // 0: a type, 1 and 2: addresses of values of it.
	MS_CALLEE_AT_1,      // 0: a type, 1: the address of a value of it.
	MS_CALLEE_STORE,     // 0: an address, 1: what is put there.
	MS_CALLEE_STORE_2,   // 0: an address, 2: what is put there.
	MS_CALLEE_STORE_1_2, // 1: an address, 2: what is put there.
	MS_CALLEE_METHOD,    // 0: the address of a value of the callee's type.
};

struct ms_callee {
	ms_addr entry;
	ms_addr type; // Of a MS_CALLEE_METHOD; a register's number for MS_CALLEE_BARRIER_STORE.
	enum ms_callee_role role;
};

enum ms_code_shape {
	MS_CODE_VALUE,   // The address is that of a T.
	MS_CODE_POINTER, // The word there points to a T.
	MS_CODE_SLICE,   // The word there points to elements that are T.
	MS_CODE_MAP,     // The word there points to a map of the map type T.
	MS_CODE_CHAN,    // The word there points to a channel of the channel type T.
};

struct ms_code_fact {
	ms_addr address;
	ms_addr type;
	uint64_t bytes; // What the type's size has to be; 0: not said.
	enum ms_code_shape shape;
	enum ms_code_source {
		MS_CODE_BY_CALL,  // Handed to the runtime together with its type.
		MS_CODE_BY_STORE, // What the runtime made was put there.
		MS_CODE_BY_METHOD,
		MS_CODE_BY_RESULT, // What a function of the program's own made was put there.
	} source;
	bool is_boxed;   // A VALUE that is the word itself: it went into an interface of that type.
	bool has_length; // A SLICE by store: its length was stored behind it.
};

/** A function's address, put into the first word of a new object. */
struct ms_code_function {
	ms_addr entry;
	ms_addr type;   // Of the object.
	uint64_t bytes; // As in struct ms_code_fact.
};

/** A word that is given the first result of a function of the program's own. */
struct ms_code_given {
	ms_addr address;
	ms_addr entry;
};

/** What a function's first result is where a call made it; it has one type. */
struct ms_code_return {
	bool is_known;
	ms_addr entry;            // What that function returns; 0: fact says.
	struct ms_code_fact fact; // Of the word that the result is put into.
};

struct ms_code_found {
	struct {
		struct ms_code_fact *items;
		size_t count, capacity;
	} facts;
	struct {
		struct ms_code_function *items;
		size_t count, capacity;
	} functions;
	struct {
		ms_addr *items; // Words whose map something was inserted into.
		size_t count, capacity;
	} inserts;
	struct {
		struct ms_code_given *items;
		size_t count, capacity;
	} given;
	struct ms_code_return returned;
	size_t left_out; // Facts of this function that an interface beside them makes doubtful.
	bool cut;        // A bound was reached.
};

struct ms_code_range {
	ms_addr start, end;
};

struct ms_code_world {
	const struct ms_callee *callees; // Sorted by entry; all of the runtime's are among them.
	size_t callee_count;
	struct ms_code_range text, image;
	const struct ms_code_range *data; // Where variables lie.
	size_t data_count;
	unsigned arguments[5]; // Registers of Go's first arguments; the first is the result's, too.
	unsigned barrier_to;   // Register with the address for MS_CALLEE_BARRIER_STORE.
	uint32_t barrier_clobbers; // Registers that a write barrier does not keep.
};

struct ms_code_tracker;

/** Borrows @p world and @p code. */
MS_MUST_USE struct ms_error *ms_code_tracker_create(const struct ms_code_world *world,
						    struct ms_code *code,
						    struct ms_code_tracker **ret_tracker);

/** Follow the function whose @p size bytes lie at @p address; *found is emptied first. */
MS_MUST_USE struct ms_error *ms_code_track(struct ms_code_tracker *tracker, const uint8_t *bytes,
					   size_t size, ms_addr address,
					   struct ms_code_found *found);

void ms_code_found_deinit(struct ms_code_found *found);

/** The callee at @p entry, or NULL. */
const struct ms_callee *ms_code_callee(const struct ms_code_world *world, ms_addr entry);

/** Whether a variable may lie at @p address. */
bool ms_code_in_data(const struct ms_code_world *world, ms_addr address);

/** Accepts NULL. */
void ms_code_tracker_destroy(struct ms_code_tracker *tracker);
