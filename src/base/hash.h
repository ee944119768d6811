// hash.h - two hashes for tables in memory: of numbers, and of texts.  None is kept or compared
// with another program's.
#pragma once

#include "base/types.h"

static inline uint64_t ms_hash_number(uint64_t v)
{
	v ^= v >> 32;
	v *= 0x9e3779b97f4a7c15;
	return v ^ v >> 29;
}

/** FNV-1a. */
static inline uint64_t ms_hash_text(const char *text, size_t size)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3;
	return hash;
}
