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

HMAP_API uint64_t hmapi_hash_long(const unsigned char *at, size_t size, uint64_t seed);

/** Eight and four bytes, little-endian. */
static inline uint64_t hmapi_load8(const unsigned char *at)
{
	uint64_t word;

	memcpy(&word, at, 8);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	word = __builtin_bswap64(word);
#endif
	return word;
}

static inline uint64_t hmapi_load4(const unsigned char *at)
{
	uint32_t word;

	memcpy(&word, at, 4);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	word = __builtin_bswap32(word);
#endif
	return word;
}

#define HMAPI_ODD1 UINT64_C(0xa0761d6478bd642f)
#define HMAPI_ODD2 UINT64_C(0xe7037ed1a0b428db)
#define HMAPI_ODD3 UINT64_C(0x8ebc6af09c88c6e3)

/**
 * The default hash of text and other bytes: folded multiplications of sixteen bytes at a time, the
 * last of which may overlap.  Seeded; every bit of the key moves every bit of the hash.
 */
static inline uint64_t hmap_hash_bytes(const void *bytes, size_t size, uint64_t seed)
{
	const unsigned char *at = (const unsigned char *)bytes;
	uint64_t a, b;

	if (size > 16) {
		if (size > 64)
			return hmapi_hash_long(at, size, seed);
		for (size_t i = 0; i + 16 < size; i += 16)
			seed = hmap_fold(hmapi_load8(at + i) ^ HMAPI_ODD1,
					 hmapi_load8(at + i + 8) ^ seed);
		a = hmapi_load8(at + size - 16);
		b = hmapi_load8(at + size - 8);
	} else if (size >= 8) {
		a = hmapi_load8(at);
		b = hmapi_load8(at + size - 8);
	} else if (size >= 4) {
		a = hmapi_load4(at);
		b = hmapi_load4(at + size - 4);
	} else {
		a = size ? (uint64_t)at[0] << 16 | (uint64_t)at[size / 2] << 8 | at[size - 1] : 0;
		b = 0;
	}
	return hmap_fold(hmap_fold(a ^ HMAPI_ODD2, b ^ seed) ^ size, HMAPI_ODD3);
}

/* ------------------------------------------------------------------------------------------- */
/* Others, to choose from and to compare with: over bytes, all of the same form                */

/** Hash of `size` bytes.  A function that takes no seed says so, and ignores it. */
typedef uint64_t (*hmap_bytes_hash_fn)(const void *bytes, size_t size, uint64_t seed);

enum hmap_hash_traits {
	HMAP_HASH_SEEDED = 1,      /**< the seed changes what collides */
	HMAP_HASH_WITHSTANDS = 2,  /**< also who chooses keys and can measure */
	HMAP_HASH_FIT_FOR_MAP = 4, /**< low and high bits both depend on all of the key */
};

/** FNV-1a (Fowler, Noll, Vo), 32 and 64 bits.  A byte at a time: slow.  No seed.  Its highest bits
 *  follow late from the last bytes, so short keys share tags. */
HMAP_API uint64_t hmap_hash_fnv1a32(const void *bytes, size_t size, uint64_t seed);
HMAP_API uint64_t hmap_hash_fnv1a64(const void *bytes, size_t size, uint64_t seed);

/** MurmurHash3 (Appleby): x86_32, and the first half of x64_128.  Good evenness; collisions that do
 *  not depend on the seed are known. */
HMAP_API uint64_t hmap_hash_murmur3_32(const void *bytes, size_t size, uint64_t seed);
HMAP_API uint64_t hmap_hash_murmur3_64(const void *bytes, size_t size, uint64_t seed);

/** Multiply-shift (Knuth): the key's first bytes as a number times 2654435761, or
 *  11400714819323198485, which is 2^64 by the golden ratio.  For integers; very fast; no seed.  The
 *  good bits are the highest: as it is its low bits are the key's. */
HMAP_API uint64_t hmap_hash_multiply32(const void *bytes, size_t size, uint64_t seed);
HMAP_API uint64_t hmap_hash_multiply64(const void *bytes, size_t size, uint64_t seed);

/** (a k + b) mod p mod m, the textbook's universal family, with p = 2^61 - 1, a and b from the seed
 *  and m = 2^64; for integers. */
HMAP_API uint64_t hmap_hash_two_parameter(const void *bytes, size_t size, uint64_t seed);

/** SipHash-2-4 and -1-3 (Aumasson, Bernstein) with the seed as half of their key: for keys that an
 *  attacker chooses. */
HMAP_API uint64_t hmap_hash_siphash24(const void *bytes, size_t size, uint64_t seed);
HMAP_API uint64_t hmap_hash_siphash13(const void *bytes, size_t size, uint64_t seed);

/** SipHash with both halves of its key. */
HMAP_API uint64_t hmap_siphash(const void *bytes, size_t size, uint64_t key0, uint64_t key1,
			       unsigned rounds, unsigned final_rounds);

/** All of them by name, the default (hmap_hash_bytes) first; name NULL ends the list. */
struct hmap_hash_entry {
	const char *name;
	hmap_bytes_hash_fn hash;
	unsigned traits; /**< enum hmap_hash_traits */
};
HMAP_API const struct hmap_hash_entry *hmap_hash_list(void);

/**
 * Any of them for a map: a struct hmap_keyed_hash in the type's `state`.  What is not fit for
 * a map as it is, is mixed once more.
 */
struct hmap_keyed_hash {
	hmap_bytes_hash_fn hash;
	size_t key_size;
	unsigned traits;
};
HMAP_API uint64_t hmap_hash_keyed(const void *key, uint64_t seed, void *state);

#ifdef __cplusplus
}
#endif

#endif
