// map_roles.h - what a function of the runtime does to a map, by its name.
#pragma once

#include "report/goroutine_rows.h"

enum { MS_NO_ARGUMENT = 0xff };

/** One of the runtime's functions on a map. */
struct ms_map_function {
	uint8_t role;                // ms_map_role; MS_ROLE_NONE for any other function.
	uint8_t type, map, iterator; // Which argument is what, or MS_NO_ARGUMENT.
	uint8_t begins;              // Likewise, of an iterator that it fills with type and map.
};

/** By the name that the linker wrote, of any release. */
struct ms_map_function ms_map_function_of(const char *name);

/** Whether the function makes a map or its tables, or copies one. */
bool ms_map_function_makes(const char *name);

/** The one of two that says more of a stack that has both: grows, writes, iterates, reads. */
enum ms_map_role ms_map_role_stronger(enum ms_map_role a, enum ms_map_role b);
