/*
 * hmap_tags.h - sixteen bytes of tags compared at once: SSE2, NEON, or plain C on two words.
 *
 * A group's tags are 14 bytes of hash, a filter and a count.  Each function returns a mask with one
 * bit for each of the 14 slots.  Not a header to include by itself: see hmap_table.h.
 */
#ifndef HMAP_HMAP_TAGS_H
#define HMAP_HMAP_TAGS_H

#include <stdint.h>
#include <string.h>

#if !defined(HMAP_NO_SIMD) && defined(__SSE2__)
#define HMAPI_SSE2 1
#include <immintrin.h>
#elif !defined(HMAP_NO_SIMD) && defined(__aarch64__) && defined(__ARM_NEON)
#define HMAPI_NEON 1
#include <arm_neon.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define HMAPI_LIKELY(condition) __builtin_expect(!!(condition), 1)
#define HMAPI_UNLIKELY(condition) __builtin_expect(!!(condition), 0)
#define HMAPI_INLINE static inline __attribute__((always_inline))
#define HMAPI_NOINLINE __attribute__((noinline))

/* The bytes of tags. */
#define HMAP_GROUP_SLOTS 14
#define HMAP_GROUP_BYTES 16
#define HMAP_TAG_EMPTY 0
#define HMAP_TAG_LINK 1
#define HMAPI_FILTER 14 /* its place in a group's tags */
#define HMAPI_COUNT 15
#define HMAPI_ALL 0x3fffu   /* one bit for each slot */
#define HMAPI_COUNT_MAX 255 /* a count that got here stays: it no longer knows */
/** Never 0 or 1; its lowest three bits are the hash's own. */
HMAPI_INLINE uint8_t hmapi_tag(uint64_t hash)
{
	uint8_t tag = (uint8_t)(hash >> 56);

	return (uint8_t)(tag < 2 ? tag + 8 : tag);
}

/** The bit of the filter that strays of this hash set: it follows from the tag, which every entry
 *  still has. */
HMAPI_INLINE uint8_t hmapi_filter_bit(uint64_t hash)
{
	return (uint8_t)(1u << ((hash >> 56) & 7));
}

#if defined(HMAPI_SSE2)
#define HMAPI_TAG4(n) (uint32_t)(n) * 0x01010101u
#define HMAPI_TAG16(n)                                                                             \
	HMAPI_TAG4(n), HMAPI_TAG4(n + 1), HMAPI_TAG4(n + 2), HMAPI_TAG4(n + 3), HMAPI_TAG4(n + 4), \
	    HMAPI_TAG4(n + 5), HMAPI_TAG4(n + 6), HMAPI_TAG4(n + 7), HMAPI_TAG4(n + 8),            \
	    HMAPI_TAG4(n + 9), HMAPI_TAG4(n + 10), HMAPI_TAG4(n + 11), HMAPI_TAG4(n + 12),         \
	    HMAPI_TAG4(n + 13), HMAPI_TAG4(n + 14), HMAPI_TAG4(n + 15)

/* A tag four times over, by the byte of the hash: cheaper than to make it. */
static const uint32_t hmapi_tag_words[256] = {
	HMAPI_TAG4(8),    HMAPI_TAG4(9),    HMAPI_TAG4(2),    HMAPI_TAG4(3),    HMAPI_TAG4(4),
	HMAPI_TAG4(5),    HMAPI_TAG4(6),    HMAPI_TAG4(7),    HMAPI_TAG4(8),    HMAPI_TAG4(9),
	HMAPI_TAG4(10),   HMAPI_TAG4(11),   HMAPI_TAG4(12),   HMAPI_TAG4(13),   HMAPI_TAG4(14),
	HMAPI_TAG4(15),   HMAPI_TAG16(16),  HMAPI_TAG16(32),  HMAPI_TAG16(48),  HMAPI_TAG16(64),
	HMAPI_TAG16(80),  HMAPI_TAG16(96),  HMAPI_TAG16(112), HMAPI_TAG16(128), HMAPI_TAG16(144),
	HMAPI_TAG16(160), HMAPI_TAG16(176), HMAPI_TAG16(192), HMAPI_TAG16(208), HMAPI_TAG16(224),
	HMAPI_TAG16(240),
};

HMAPI_INLINE unsigned hmapi_match(const uint8_t *tags, uint64_t hash)
{
	__m128i wanted = _mm_set1_epi32((int)hmapi_tag_words[hash >> 56]);
	__m128i have = _mm_load_si128((const __m128i *)(const void *)tags);

	return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(have, wanted)) & HMAPI_ALL;
}

HMAPI_INLINE unsigned hmapi_empty(const uint8_t *tags)
{
	__m128i have = _mm_load_si128((const __m128i *)(const void *)tags);

	return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(have, _mm_setzero_si128())) & HMAPI_ALL;
}

/** Slots with an entry: their tags are 2 and more. */
HMAPI_INLINE unsigned hmapi_occupied(const uint8_t *tags)
{
	__m128i have = _mm_load_si128((const __m128i *)(const void *)tags);
	__m128i low = _mm_cmpeq_epi8(_mm_subs_epu8(have, _mm_set1_epi8(1)), _mm_setzero_si128());

	return ~(unsigned)_mm_movemask_epi8(low) & HMAPI_ALL;
}

/** Slots whose tag has one of the bits of a filter. */
HMAPI_INLINE unsigned hmapi_in_filter(const uint8_t *tags, uint8_t filter)
{
	unsigned found = 0;

	for (unsigned f = filter; f; f &= f - 1) {
		__m128i have = _mm_load_si128((const __m128i *)(const void *)tags);
		__m128i class_ = _mm_set1_epi8((char)__builtin_ctz(f));

		found |= (unsigned)_mm_movemask_epi8(
		    _mm_cmpeq_epi8(_mm_and_si128(have, _mm_set1_epi8(7)), class_));
	}
	return found & hmapi_occupied(tags);
}
#elif defined(HMAPI_NEON)
HMAPI_INLINE unsigned hmapi_neon_mask(uint8x16_t equal)
{
	static const uint8_t bits[16] = {
		1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128
	};
	uint8x16_t some = vandq_u8(equal, vld1q_u8(bits));

	return (vaddv_u8(vget_low_u8(some)) | (unsigned)vaddv_u8(vget_high_u8(some)) << 8) &
	       HMAPI_ALL;
}

HMAPI_INLINE unsigned hmapi_match(const uint8_t *tags, uint64_t hash)
{
	return hmapi_neon_mask(vceqq_u8(vld1q_u8(tags), vdupq_n_u8(hmapi_tag(hash))));
}

HMAPI_INLINE unsigned hmapi_empty(const uint8_t *tags)
{
	return hmapi_neon_mask(vceqq_u8(vld1q_u8(tags), vdupq_n_u8(0)));
}

HMAPI_INLINE unsigned hmapi_occupied(const uint8_t *tags)
{
	return hmapi_neon_mask(vcgtq_u8(vld1q_u8(tags), vdupq_n_u8(1)));
}

HMAPI_INLINE unsigned hmapi_in_filter(const uint8_t *tags, uint8_t filter)
{
	unsigned found = 0;
	uint8x16_t low = vandq_u8(vld1q_u8(tags), vdupq_n_u8(7));

	for (unsigned f = filter; f; f &= f - 1)
		found |= hmapi_neon_mask(vceqq_u8(low, vdupq_n_u8((uint8_t)__builtin_ctz(f))));
	return found & hmapi_occupied(tags);
}
#else
/* Eight tags as one word, the first in its lowest byte. */
HMAPI_INLINE uint64_t hmapi_word(const uint8_t *tags)
{
	uint64_t word;

	memcpy(&word, tags, 8);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	word = __builtin_bswap64(word);
#endif
	return word;
}

/** One bit for each byte of a word that is zero. */
HMAPI_INLINE unsigned hmapi_zero_bytes(uint64_t word)
{
	const uint64_t low = UINT64_C(0x7f7f7f7f7f7f7f7f);
	uint64_t zero = ~(((word & low) + low) | word | low);

	return (unsigned)(((zero >> 7) * UINT64_C(0x0102040810204080)) >> 56);
}

HMAPI_INLINE unsigned hmapi_equal_bytes(const uint8_t *tags, uint8_t byte, uint8_t mask)
{
	uint64_t wanted = byte * UINT64_C(0x0101010101010101),
		 kept = mask * UINT64_C(0x0101010101010101);

	return (hmapi_zero_bytes((hmapi_word(tags) & kept) ^ wanted) |
		hmapi_zero_bytes((hmapi_word(tags + 8) & kept) ^ wanted) << 8) &
	       HMAPI_ALL;
}

HMAPI_INLINE unsigned hmapi_match(const uint8_t *tags, uint64_t hash)
{
	return hmapi_equal_bytes(tags, hmapi_tag(hash), 0xff);
}

HMAPI_INLINE unsigned hmapi_empty(const uint8_t *tags)
{
	return hmapi_equal_bytes(tags, 0, 0xff);
}

HMAPI_INLINE unsigned hmapi_occupied(const uint8_t *tags)
{
	return ~hmapi_equal_bytes(tags, 0, 0xfe) & HMAPI_ALL;
}

HMAPI_INLINE unsigned hmapi_in_filter(const uint8_t *tags, uint8_t filter)
{
	unsigned found = 0;

	for (unsigned f = filter; f; f &= f - 1)
		found |= hmapi_equal_bytes(tags, (uint8_t)__builtin_ctz(f), 7);
	return found & hmapi_occupied(tags);
}
#endif

HMAPI_INLINE unsigned hmapi_first(unsigned slots)
{
	return (unsigned)__builtin_ctz(slots);
}

HMAPI_INLINE void hmapi_count_stray(uint8_t *home, uint64_t hash)
{
	home[HMAPI_FILTER] |= hmapi_filter_bit(hash);
	if (home[HMAPI_COUNT] != HMAPI_COUNT_MAX)
		home[HMAPI_COUNT]++;
}

HMAPI_INLINE void hmapi_forget_stray(uint8_t *home)
{
	if (home[HMAPI_COUNT] != HMAPI_COUNT_MAX && --home[HMAPI_COUNT] == 0)
		home[HMAPI_FILTER] = 0;
}

#ifdef __cplusplus
}
#endif

#endif
