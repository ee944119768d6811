// Hash functions that others made, as they define them, in one form: to choose from, to teach with,
// and to hold the default against.
//
// Their numbers are the published ones: tests hold them against the vectors of their authors. Bytes
// are read as little-endian numbers, so results are the same on every machine.
#include <hmap/hmap_hash.h>

/* Two lanes, so that one multiplication need not wait for the other. */
uint64_t hmapi_hash_long(const unsigned char *at, size_t size, uint64_t seed)
{
	const unsigned char *end = at + size;
	uint64_t other = seed ^ HMAPI_ODD3;

	for (; end - at > 32; at += 32) {
		seed = hmap_fold(hmapi_load8(at) ^ HMAPI_ODD1, hmapi_load8(at + 8) ^ seed);
		other = hmap_fold(hmapi_load8(at + 16) ^ HMAPI_ODD2, hmapi_load8(at + 24) ^ other);
	}
	seed = hmap_fold(hmapi_load8(end - 32) ^ HMAPI_ODD1, hmapi_load8(end - 24) ^ seed ^ other);
	return hmap_fold(
	    hmap_fold(hmapi_load8(end - 16) ^ HMAPI_ODD2, hmapi_load8(end - 8) ^ seed) ^ size,
	    HMAPI_ODD3);
}

static uint64_t load64(const unsigned char *at)
{
	return hmap_little_endian(at, 8);
}

static uint64_t rotated(uint64_t x, unsigned by)
{
	return x << by | x >> (64 - by);
}

static uint32_t rotated32(uint32_t x, unsigned by)
{
	return x << by | x >> (32 - by);
}

uint64_t hmap_hash_fnv1a32(const void *bytes, size_t size, uint64_t seed)
{
	const unsigned char *at = bytes;
	uint32_t hash = 0x811c9dc5;

	(void)seed;
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ at[i]) * 0x01000193;
	return hash;
}

uint64_t hmap_hash_fnv1a64(const void *bytes, size_t size, uint64_t seed)
{
	const unsigned char *at = bytes;
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	(void)seed;
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
	return hash;
}

uint64_t hmap_hash_murmur3_32(const void *bytes, size_t size, uint64_t seed)
{
	const unsigned char *at = bytes;
	uint32_t hash = (uint32_t)seed, k;

	for (size_t left = size;; left -= 4, at += 4) {
		k = (uint32_t)hmap_little_endian(at, left < 4 ? left : 4) * 0xcc9e2d51;
		k = rotated32(k, 15) * 0x1b873593;
		if (left < 4)
			break;
		hash = rotated32(hash ^ k, 13) * 5 + 0xe6546b64;
	}
	hash ^= k;
	hash ^= (uint32_t)size;
	hash = (hash ^ hash >> 16) * 0x85ebca6b;
	hash = (hash ^ hash >> 13) * 0xc2b2ae35;
	return hash ^ hash >> 16;
}

static uint64_t murmur_mixed(uint64_t k)
{
	k = (k ^ k >> 33) * UINT64_C(0xff51afd7ed558ccd);
	k = (k ^ k >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	return k ^ k >> 33;
}

uint64_t hmap_hash_murmur3_64(const void *bytes, size_t size, uint64_t seed)
{
	const uint64_t c1 = UINT64_C(0x87c37b91114253d5), c2 = UINT64_C(0x4cf5ad432745937f);
	const unsigned char *at = bytes;
	uint64_t h1 = seed, h2 = seed;
	size_t left = size;

	for (; left >= 16; left -= 16, at += 16) {
		h1 ^= rotated(load64(at) * c1, 31) * c2;
		h1 = (rotated(h1, 27) + h2) * 5 + 0x52dce729;
		h2 ^= rotated(load64(at + 8) * c2, 33) * c1;
		h2 = (rotated(h2, 31) + h1) * 5 + 0x38495ab5;
	}
	if (left > 8)
		h2 ^= rotated(hmap_little_endian(at + 8, left - 8) * c2, 33) * c1;
	if (left)
		h1 ^= rotated(hmap_little_endian(at, left > 8 ? 8 : left) * c1, 31) * c2;
	h1 ^= size;
	h2 ^= size;
	h1 += h2;
	h2 += h1;
	h1 = murmur_mixed(h1);
	h2 = murmur_mixed(h2);
	return h1 + h2;
}

uint64_t hmap_hash_multiply32(const void *bytes, size_t size, uint64_t seed)
{
	(void)seed;
	return (uint32_t)((uint32_t)hmap_little_endian(bytes, size < 4 ? size : 4) * 2654435761u);
}

uint64_t hmap_hash_multiply64(const void *bytes, size_t size, uint64_t seed)
{
	(void)seed;
	return hmap_little_endian(bytes, size < 8 ? size : 8) * UINT64_C(11400714819323198485);
}

/** a x b mod 2^61 - 1. */
static uint64_t times_mod(uint64_t a, uint64_t b)
{
	const uint64_t p = (UINT64_C(1) << 61) - 1;
	uint64_t a1 = a >> 31, a0 = a & 0x7fffffff, b1 = b >> 31, b0 = b & 0x7fffffff;
	uint64_t middle = a1 * b0 + a0 * b1, sum;

	// 2^62 is 2, and the middle's upper part by 2^61 is 1.
	sum = 2 * a1 * b1 + (middle >> 30) + ((middle & 0x3fffffff) << 31) + a0 * b0;
	sum = (sum & p) + (sum >> 61);
	return sum >= p ? sum - p : sum;
}

uint64_t hmap_hash_two_parameter(const void *bytes, size_t size, uint64_t seed)
{
	const uint64_t p = (UINT64_C(1) << 61) - 1;
	uint64_t key = hmap_little_endian(bytes, size < 8 ? size : 8);
	uint64_t a = murmur_mixed(seed + 1) % (p - 1) + 1, b = murmur_mixed(~seed) % p;
	uint64_t sum = times_mod(a, (key & p) + (key >> 61) >= p ? (key & p) + (key >> 61) - p
								 : (key & p) + (key >> 61));

	return (sum + b) % p;
}

uint64_t hmap_siphash(const void *bytes, size_t size, uint64_t key0, uint64_t key1, unsigned rounds,
		      unsigned final_rounds)
{
	uint64_t v[4] = { key0 ^ UINT64_C(0x736f6d6570736575), key1 ^ UINT64_C(0x646f72616e646f6d),
			  key0 ^ UINT64_C(0x6c7967656e657261),
			  key1 ^ UINT64_C(0x7465646279746573) };
	const unsigned char *at = bytes;
	size_t left = size;

	for (bool last = false; !last; left -= 8, at += 8) {
		uint64_t word = hmap_little_endian(at, left < 8 ? left : 8);

		last = left < 8;
		if (last)
			word |= (uint64_t)size << 56;
		v[3] ^= word;
		for (unsigned i = 0; i < rounds + (last ? final_rounds : 0); i++) {
			if (last && i == rounds) {
				v[0] ^= word;
				v[2] ^= 0xff;
			}
			v[0] += v[1];
			v[2] += v[3];
			v[1] = rotated(v[1], 13) ^ v[0];
			v[3] = rotated(v[3], 16) ^ v[2];
			v[0] = rotated(v[0], 32);
			v[2] += v[1];
			v[0] += v[3];
			v[1] = rotated(v[1], 17) ^ v[2];
			v[3] = rotated(v[3], 21) ^ v[0];
			v[2] = rotated(v[2], 32);
		}
		if (!last)
			v[0] ^= word;
	}
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* The second half of the key is fixed: who wants 128 bits of it calls hmap_siphash. */
uint64_t hmap_hash_siphash24(const void *bytes, size_t size, uint64_t seed)
{
	return hmap_siphash(bytes, size, seed, UINT64_C(0x9e3779b97f4a7c15), 2, 4);
}

uint64_t hmap_hash_siphash13(const void *bytes, size_t size, uint64_t seed)
{
	return hmap_siphash(bytes, size, seed, UINT64_C(0x9e3779b97f4a7c15), 1, 3);
}

static uint64_t usual(const void *bytes, size_t size, uint64_t seed)
{
	return hmap_hash_bytes(bytes, size, seed);
}

static uint64_t folded_integer(const void *bytes, size_t size, uint64_t seed)
{
	return hmap_hash_u64(hmap_little_endian(bytes, size < 8 ? size : 8), seed);
}

const struct hmap_hash_entry *hmap_hash_list(void)
{
	static const struct hmap_hash_entry list[] = {
		{ "default", usual, HMAP_HASH_SEEDED | HMAP_HASH_FIT_FOR_MAP },
		{ "default-u64", folded_integer, HMAP_HASH_SEEDED | HMAP_HASH_FIT_FOR_MAP },
		{ "fnv1a-32", hmap_hash_fnv1a32, 0 },
		{ "fnv1a-64", hmap_hash_fnv1a64, 0 },
		{ "murmur3-32", hmap_hash_murmur3_32, HMAP_HASH_SEEDED },
		{ "murmur3-64", hmap_hash_murmur3_64, HMAP_HASH_SEEDED | HMAP_HASH_FIT_FOR_MAP },
		{ "multiply-32", hmap_hash_multiply32, 0 },
		{ "multiply-64", hmap_hash_multiply64, 0 },
		{ "two-parameter", hmap_hash_two_parameter, HMAP_HASH_SEEDED },
		{ "siphash-1-3", hmap_hash_siphash13,
		  HMAP_HASH_SEEDED | HMAP_HASH_WITHSTANDS | HMAP_HASH_FIT_FOR_MAP },
		{ "siphash-2-4", hmap_hash_siphash24,
		  HMAP_HASH_SEEDED | HMAP_HASH_WITHSTANDS | HMAP_HASH_FIT_FOR_MAP },
		{ NULL, NULL, 0 },
	};

	return list;
}

uint64_t hmap_hash_keyed(const void *key, uint64_t seed, void *state)
{
	const struct hmap_keyed_hash *keyed = state;
	uint64_t hash = keyed->hash(key, keyed->key_size, seed);

	return keyed->traits & HMAP_HASH_FIT_FOR_MAP ? hash : murmur_mixed(hash);
}
