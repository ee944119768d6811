// make_calls.h - where a function makes a map.
#pragma once

#include "golang/functions.h"

/**
 * The return address of the call by which @p function makes the map that it fills at @p pc: the
 * last one in front of it, else the first.  0 when it makes none, or its code cannot be read.
 */
MS_MUST_USE struct ms_error *ms_make_call_find(struct ms_go_runtime *rt,
					       const struct ms_functions *functions,
					       const struct ms_function *function, ms_addr pc,
					       ms_addr *ret_return);
