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

/** Eight bytes, or fewer, as the number that they are in little-endian order. */
static inline uint64_t hmap_little_endian(const void *bytes, size_t size)
{
	uint64_t word = 0;

	memcpy(&word, bytes, size);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	word = __builtin_bswap64(word);
#endif
	return word;
}

/** The default hash of text and other bytes. */
static inline uint64_t hmap_hash_bytes(const void *bytes, size_t size, uint64_t seed)
{
	const unsigned char *at = (const unsigned char *)bytes;
	uint64_t hash =
	    seed ^ hmap_fold(size ^ UINT64_C(0xa0761d6478bd642f), UINT64_C(0x9e3779b97f4a7c15));

	for (; size > 16; size -= 16, at += 16)
		hash = hmap_fold(hmap_little_endian(at, 8) ^ hash,
				 hmap_little_endian(at + 8, 8) ^ UINT64_C(0xe7037ed1a0b428db));
	if (size > 8)
		return hmap_fold(hmap_little_endian(at, 8) ^ hash,
				 hmap_little_endian(at + size - 8, 8) ^
				     UINT64_C(0x8ebc6af09c88c6e3));
	return hmap_fold(hmap_little_endian(at, size) ^ hash, UINT64_C(0x8ebc6af09c88c6e3));
}

#ifdef __cplusplus
}
#endif

#endif
