/*
 * hmap_hash.h - hash functions for libhmap.
 *
 * The default for integers, pointers and strings is inline here: a folded multiplication of the
 * key and the map's seed.  It is fast, spreads every bit of the key over all 64, and an attacker
 * who does not know the seed cannot choose collisions; who must withstand one that measures times
 * takes SipHash.
 */
#ifndef HMAP_HMAP_HASH_H
#define HMAP_HMAP_HASH_H

#include <hmap/hmap.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Both halves of a 64 x 64 bit product, folded into one word. */
static inline uint64_t hmap_fold(uint64_t a, uint64_t b)
{
#if defined(__SIZEOF_INT128__)
	__extension__ typedef unsigned __int128 hmap_u128;
	hmap_u128 product = (hmap_u128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
#else
	uint64_t low = (a & 0xffffffff) * (b & 0xffffffff), middle1 = (a >> 32) * (b & 0xffffffff),
		 middle2 = (a & 0xffffffff) * (b >> 32), high = (a >> 32) * (b >> 32);
	uint64_t carry = (low >> 32) + (middle1 & 0xffffffff) + (middle2 & 0xffffffff);

	return (low & 0xffffffff) ^ (carry << 32) ^
	       (high + (middle1 >> 32) + (middle2 >> 32) + (carry >> 32));
#endif
}

/** The default hash of an integer or a pointer. */
static inline uint64_t hmap_hash_u64(uint64_t key, uint64_t seed)
{
	return hmap_fold(key ^ seed, UINT64_C(0xe7037ed1a0b428db));
}

#ifdef __cplusplus
}
#endif

#endif
