// type_name.h - sizes of types by their names in C and Go.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct type_size {
	uint32_t size, align;
};

/**
 * Size and alignment, on a 64-bit machine, of a type written in C or Go: uint64_t, int, u32,
 * float64, string, char *, *T, []T, map[K]V, char[24], [16]byte, struct { uint32_t a; T b; } and
 * nestings of these.  NULL on success, else one sentence about what could not be read, in static
 * storage.
 */
const char *type_size_of_name(const char *name, struct type_size *ret_size);
