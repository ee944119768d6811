// want.h - addresses of which somebody wants to know what lies there: locks, channels.
//
// The walk meets every value with its type and its holder.  One whose extent holds a wanted address
// is taken down, and in the end taken apart down to the field: so a semaphore's address becomes
// "main.Registry.mu", and the fields beside it tell the map that it guards.
#pragma once

#include "golang/runtime.h"

/** What a wanted address is.  Strings are the report's. */
struct ms_walk_want {
	// Given.
	ms_addr address;
	const char *user; // A function that uses it, as the linker wrote its name; NULL: none.
	bool is_channel;  // The head of one, which lies in no value: only a channel leads there.
	// Found; all zeros when nothing that is typed leads there.
	const char *name;      // "main.Registry.mu", as an owner without its root.
	const char *owner;     // "main.Registry.mu <- main.registry"
	const char *lock_type; // "sync.RWMutex": the type of the standard library that holds it.
	ms_addr lock;          // Where that begins; 0: it lies in none.
	ms_addr holder;        // The value that holds both lock and map, or the lock alone.
	ms_addr map_word;      // The field with the map that it guards; 0: none.
	const char *map_owner;
	uint32_t maps;  // That may be guarded by it: map_word is the nearest.
	bool is_global; // The value lies in the program's own variables.
	bool is_typed;  // Else only who leads there is known: name is NULL.
};
