// misuse.h - two threads were in one map, and one of them was writing.
#pragma once

#include <hmap/hmap.h>

/** Reports it, with both stacks where they can be had; see hmap_misuse_fn. */
void hmap_misuse_found(const struct hmap *map, const char *text, uintptr_t other);

/** The map's hook; NULL: none. */
void hmap_misuse_hook(const struct hmap *map, hmap_misuse_fn *ret_hook, void **ret_state);
