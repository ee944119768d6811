// vec.h - the one growing array.  A vector is any struct with items, count and capacity:
//
//	struct span_vec { struct ms_span *items; size_t count, capacity; };
//
// Zero-initialised is empty.  The owner frees items.
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

/** Make room for @p want items of @p item_size; false when memory is short or sizes overflow. */
bool ms_vec_reserve_raw(void **items, size_t *capacity, size_t want, size_t item_size);

#define ms_vec_reserve(v, want)                                                                    \
	((want) <= (v)->capacity ||                                                                \
	 ms_vec_reserve_raw((void **)&(v)->items, &(v)->capacity, (want), sizeof(*(v)->items)))

/** Append a copy; false when memory is short. */
#define ms_vec_push(v, ...)                                                                        \
	(ms_vec_reserve((v), (v)->count + 1) &&                                                    \
	 ((v)->items[(v)->count++] = (__typeof__(*(v)->items))__VA_ARGS__, true))

#define ms_vec_free(v)                                                                             \
	do {                                                                                       \
		free((v)->items);                                                                  \
		(v)->items = NULL;                                                                 \
		(v)->count = (v)->capacity = 0;                                                    \
	} while (0)
