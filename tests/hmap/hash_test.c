// Goal: the hash functions are those that their names say, and the default is fit for maps.
// Method: published vectors; evenness, avalanche and tags of the default on keys as programs have
// them, with fixed seeds and bounds that a fair hash misses less than once in a billion runs.
#include "tests/support/test.h"

#include <hmap/hmap_hash.h>
#include <hmap/hmap_typed.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

MS_TEST(hash_vectors_are_the_published_ones)
{
	unsigned char bytes[64];
	uint64_t key0 = UINT64_C(0x0706050403020100), key1 = UINT64_C(0x0f0e0d0c0b0a0908);

	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)i;
	CHECK_EQ(hmap_hash_fnv1a32("", 0, 1), 0x811c9dc5);
	CHECK_EQ(hmap_hash_fnv1a32("foobar", 6, 2), 0xbf9cf968);
	CHECK_EQ(hmap_hash_fnv1a64("foobar", 6, 3), UINT64_C(0x85944171f73967e8));
	CHECK_EQ(hmap_hash_murmur3_32("", 0, 0), 0);
	CHECK_EQ(hmap_hash_murmur3_32("", 0, 1), 0x514e28b7);
	CHECK_EQ(hmap_hash_murmur3_32("\0\0\0\0", 4, 0), 0x2362f9de);
	CHECK_EQ(hmap_hash_murmur3_32("aaa", 3, 0x9747b28c), 0x283e0130);
	CHECK_EQ(hmap_hash_murmur3_32("Hello, world!", 13, 0x9747b28c), 0x24884cba);
	CHECK_EQ(hmap_hash_murmur3_64("", 0, 0), 0);
	CHECK_EQ(hmap_hash_murmur3_64("hello", 5, 0), UINT64_C(0xcbd8a7b341bd9b02));
	CHECK_EQ(hmap_hash_murmur3_64("The quick brown fox jumps over the lazy dog", 43, 0),
		 UINT64_C(0xe34bbc7bbc071b6c));
	CHECK_EQ(hmap_siphash(bytes, 0, key0, key1, 2, 4), UINT64_C(0x726fdb47dd0e0e31));
	CHECK_EQ(hmap_siphash(bytes, 15, key0, key1, 2, 4), UINT64_C(0xa129ca6149be45e5));
	CHECK_EQ(hmap_siphash(bytes, 8, key0, key1, 2, 4), UINT64_C(0x93f5f5799a932462));
	CHECK_EQ(hmap_siphash(bytes, 63, key0, key1, 2, 4), UINT64_C(0x958a324ceb064572));
	CHECK_EQ(hmap_siphash(bytes, 0, key0, key1, 1, 3), UINT64_C(0xabac0158050fc4dc));
	CHECK_EQ(hmap_siphash(bytes, 1, key0, key1, 1, 3), UINT64_C(0xc9f49bf37d57ca93));
	CHECK_EQ(hmap_hash_multiply32("\x01\0\0\0", 4, 0), 2654435761u);
	CHECK_EQ(hmap_hash_multiply64("\x02\0\0\0\0\0\0\0", 8, 0),
		 UINT64_C(11400714819323198485) * 2);
}

MS_TEST(hash_two_parameter_is_arithmetic)
{
	// h(k) - h(0) = a k (mod p): twice the key is twice the distance.
	const uint64_t p = (UINT64_C(1) << 61) - 1;

	for (uint64_t seed = 0; seed < 100; seed++) {
		uint64_t zero = 0, one = ms_test_random() >> 4, two = one * 2;
		unsigned char bytes[3][8];
		uint64_t h[3];

		for (int i = 0; i < 8; i++) {
			bytes[0][i] = (unsigned char)(zero >> 8 * i);
			bytes[1][i] = (unsigned char)(one >> 8 * i);
			bytes[2][i] = (unsigned char)(two >> 8 * i);
		}
		for (int i = 0; i < 3; i++)
			h[i] = hmap_hash_two_parameter(bytes[i], 8, seed);
		CHECK_EQ((h[2] + p - h[0]) % p, 2 * ((h[1] + p - h[0]) % p) % p);
	}
}

enum shape { SEQUENTIAL, STRIDED, POINTERS, HIGH_BITS, RANDOM, TEXTS, SHAPES };

static uint64_t hash_of(enum shape shape, uint64_t i, uint64_t seed)
{
	char text[32];
	int length;

	switch (shape) {
	case SEQUENTIAL:
		return hmap_hash_u64(i, seed);
	case STRIDED:
		return hmap_hash_u64(i * 4096, seed);
	case POINTERS:
		return hmap_hash_u64(UINT64_C(0x7f3a00000000) + i * 48, seed);
	case HIGH_BITS:
		return hmap_hash_u64(i << 44, seed);
	case RANDOM:
		return hmap_hash_u64(hmap_hash_u64(i + 1, 99), seed);
	default:
		length = snprintf(text, sizeof(text), "usr:%d", (int)i);
		return hmap_hash_bytes(text, (size_t)length, seed);
	}
}

/** Chi-squared over what chance gives: 1 for a random function, less for one that is more even. */
static double unevenness(const unsigned *counts, unsigned buckets, unsigned keys)
{
	double mean = (double)keys / buckets, chi = 0;

	for (unsigned i = 0; i < buckets; i++)
		chi += ((double)counts[i] - mean) * ((double)counts[i] - mean) / mean;
	return chi / (buckets - 1);
}

MS_TEST(hash_default_is_even_low_and_high)
{
	enum { KEYS = 100000, BUCKETS = 1024 };

	for (enum shape shape = SEQUENTIAL; shape < SHAPES; shape++)
		for (uint64_t seed = 1; seed <= 5; seed++) {
			static unsigned low[BUCKETS], tags[256];

			memset(low, 0, sizeof(low));
			memset(tags, 0, sizeof(tags));
			for (unsigned i = 0; i < KEYS; i++) {
				uint64_t hash =
				    hash_of(shape, i, seed * UINT64_C(0x9e3779b97f4a7c15));

				low[hash % BUCKETS]++;
				tags[hash >> 56]++;
			}
			printf("shape %d seed %d: low %.2f, tags %.2f\n", (int)shape, (int)seed,
			       unevenness(low, BUCKETS, KEYS), unevenness(tags, 256, KEYS));
			// One multiplication leaves some structure of a sequence: more even than
			// chance mostly, and never so uneven that it would be felt.
			CHECK(unevenness(low, BUCKETS, KEYS) < 2);
			CHECK(unevenness(tags, 256, KEYS) < 2.5);
		}
}

MS_TEST(hash_default_of_bytes_avalanches)
{
	enum { TIMES = 2000 };

	for (size_t size = 1; size <= 40; size += 3)
		for (unsigned bit = 0; bit < size * 8; bit += 5) {
			unsigned flips[64] = { 0 };

			for (unsigned t = 0; t < TIMES; t++) {
				unsigned char bytes[48];
				uint64_t seed = ms_test_random(), a, b;

				for (size_t i = 0; i < size; i++)
					bytes[i] = (unsigned char)ms_test_random();
				a = hmap_hash_bytes(bytes, size, seed);
				bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
				b = hmap_hash_bytes(bytes, size, seed);
				for (unsigned i = 0; i < 64; i++)
					flips[i] += (unsigned)((a ^ b) >> i & 1);
			}
			for (unsigned i = 0; i < 64; i++)
				CHECK(flips[i] > TIMES * 3 / 10 && flips[i] < TIMES * 7 / 10);
		}
}

MS_TEST(hash_of_every_name_works_in_a_map)
{
	for (const struct hmap_hash_entry *e = hmap_hash_list(); e->name; e++) {
		struct hmap_keyed_hash keyed = { e->hash, 8, e->traits };
		struct hmap_type type = { .key_size = 8, .hash = hmap_hash_keyed, .state = &keyed };
		struct hmap *m = NULL;
		struct hmap_stats stats;

		CHECK_EQ(hmap_create(&type, NULL, &m), HMAP_OK);
		for (uint64_t i = 0; i < 20000; i++) {
			uint64_t key = i << 12;

			CHECK_EQ(hmap_put(m, &key, NULL), HMAP_OK);
		}
		hmap_stats(m, HMAP_STATS_WALK, &stats);
		printf("%s: longest chain %zu\n", e->name, stats.longest_chain);
		// 32 bits of which the lowest are constant leave fewer values: only the others are
		// judged.
		if (e->traits & HMAP_HASH_FIT_FOR_MAP)
			CHECK(stats.longest_chain <= 4);
		hmap_destroy(m);
	}
}
