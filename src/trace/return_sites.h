// return_sites.h - the instructions by which a function goes back to its caller.
#pragma once

#include "image/code.h"

enum { MS_RETURN_SITES_MAX = 16 };

struct ms_return_sites {
	uint64_t items[MS_RETURN_SITES_MAX]; // Offsets.
	size_t count;
};

/**
 * All of the @p size bytes of a whole function that lie at @p entry; offsets are from the entry.
 * At each of them the result is where the calling convention puts it.  UNSUPPORTED, with the
 * reason, where the function may go back another way, or its code cannot be told from data.
 */
MS_MUST_USE struct ms_error *ms_return_sites_find(struct ms_code *code, enum ms_arch arch,
						  const uint8_t *bytes, size_t size, ms_addr entry,
						  struct ms_return_sites *ret_sites);
