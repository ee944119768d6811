// misuse.h - two threads were in one map, and one of them was writing.
#pragma once

#include <hmap/hmap.h>

/**
 * Reports it, with both stacks where they can be had: to the map's hook, or on standard error
 * before it ends the program.  @p text is in Go's words; @p other is what the other thread left in
 * the map, its pthread_self() without the lowest four bits, or 0.  Returns only where a hook does.
 */
void hmap_misuse_found(const struct hmap *map, const char *text, uintptr_t other);

/** The map's hook; NULL: none. */
void hmap_misuse_hook(const struct hmap *map, hmap_misuse_fn *ret_hook, void **ret_state);
