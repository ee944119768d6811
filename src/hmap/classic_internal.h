// classic_internal.h - the inside of the classic engine: buckets, tags, and who calls whom.
//
// Functions and fields have Go's names, so that runtime/map.go can be read beside this.
#pragma once

#include "hmap/classic.h"
#include "hmap/misuse.h"

#include <string.h>

#if !defined(HMAP_NO_SIMD) && defined(__SSE2__)
#include <emmintrin.h>
#endif
#if !defined(HMAP_NO_MISUSE_CHECK)
#include <pthread.h>
#endif

#define LIKELY(condition) __builtin_expect(!!(condition), 1)
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)
#define INLINE static inline __attribute__((always_inline))

enum {
	bucketCnt = HMAP_GO_BUCKET_COUNT,
	dataOffset = HMAP_GO_DATA_OFFSET,
	emptyRest = HMAP_GO_EMPTY_REST,
	emptyOne = HMAP_GO_EMPTY_ONE,
	evacuatedX = HMAP_GO_EVACUATED_X,
	evacuatedY = HMAP_GO_EVACUATED_Y,
	evacuatedEmpty = HMAP_GO_EVACUATED_EMPTY,
	minTopHash = HMAP_GO_MIN_TOP_HASH,
	iterator = HMAP_GO_ITERATOR,
	oldIterator = HMAP_GO_OLD_ITERATOR,
	hashWriting = HMAP_GO_HASH_WRITING,
	sameSizeGrow = HMAP_GO_SAME_SIZE_GROW,
};

typedef struct go_bmap bmap;

/** Of overflow buckets, which follow. */
struct hmap_classic_piece {
	struct hmap_classic_piece *next;
	size_t bytes;
};

/** An array of buckets with the spare ones behind it, and the overflow buckets that it took. */
struct hmap_classic_table {
	struct go_overflow overflow; // What extra.overflow points to.
	unsigned char *buckets;
	size_t bytes;  // Of the array, this record behind it included.
	size_t spare;  // Buckets from extra.nextOverflow on; read of the present array only.
	bmap *free;    // Overflow buckets of pieces that nobody took, linked by their overflow.
	size_t frees;  // How many.
	size_t pieced; // Overflow buckets in all pieces.
	uint32_t refs; // Iterations that look at it, beside the map itself.
	bool retired;
	uint8_t B;
	struct hmap_classic_table *next; // Of those that are retired.
};

struct hmap_classic_iteration {
	struct hmap_classic *c;
	struct hmap_classic_iteration *next, **link; // In c->iterations.
	struct hmap_classic_table *own;              // The array it began on.
	struct hmap_classic_table *at;               // Of bptr; NULL with it.
	uint64_t clears;
	// From here on: Go's hiter.
	bmap *bptr;
	size_t startBucket, bucket, checkBucket;
	uint8_t offset, B, i;
	bool wrapped;
};

/* ------------------------------------------------------------------------------------------- */
/* Words                                                                                       */

INLINE size_t bucketShift(uint8_t B)
{
	return (size_t)1 << (B & (sizeof(size_t) * 8 - 1));
}

INLINE size_t bucketMask(uint8_t B)
{
	return bucketShift(B) - 1;
}

INLINE uint8_t tophash(uint64_t hash)
{
	uint8_t top = (uint8_t)(hash >> 56);

	return (uint8_t)(top < minTopHash ? top + minTopHash : top);
}

INLINE bool isEmpty(uint8_t tag)
{
	return tag <= emptyOne;
}

INLINE bool evacuated(const bmap *b)
{
	return b->tophash[0] > emptyOne && b->tophash[0] < minTopHash;
}

INLINE bmap *bucket_at(const struct hmap_classic *c, void *buckets, size_t number)
{
	return (bmap *)((unsigned char *)buckets + number * c->bucketsize);
}

INLINE bmap *overflow(const struct hmap_classic *c, const bmap *b)
{
	bmap *next;

	memcpy(&next, (const unsigned char *)b + c->bucketsize - sizeof(next), sizeof(next));
	return next;
}

INLINE void setoverflow(const struct hmap_classic *c, bmap *b, bmap *next)
{
	memcpy((unsigned char *)b + c->bucketsize - sizeof(next), &next, sizeof(next));
}

/** Where key and value number @p i lie in a bucket, or the pointers to them. */
INLINE unsigned char *key_slot(const struct hmap_classic *c, const bmap *b, size_t i)
{
	return (unsigned char *)(uintptr_t)b + dataOffset + i * c->keysize;
}

INLINE unsigned char *elem_slot(const struct hmap_classic *c, const bmap *b, size_t i)
{
	return (unsigned char *)(uintptr_t)b + c->elems_at + i * c->elemsize;
}

INLINE void *pointer_in(const unsigned char *slot)
{
	void *pointer;

	memcpy(&pointer, slot, sizeof(pointer));
	return pointer;
}

INLINE void *key_of(const struct hmap_classic *c, const bmap *b, size_t i)
{
	unsigned char *slot = key_slot(c, b, i);

	return c->indirectkey ? pointer_in(slot) : slot;
}

INLINE void *elem_of(const struct hmap_classic *c, const bmap *b, size_t i)
{
	unsigned char *slot = elem_slot(c, b, i);

	return c->indirectelem ? pointer_in(slot) : slot;
}

INLINE uint64_t hash_of(const struct hmap_classic *c, const void *key)
{
	return c->hash(key, c->h.hash0, c->state);
}

INLINE bool growing(const struct hmap_classic *c)
{
	return c->h.oldbuckets != NULL;
}

INLINE bool is_sameSizeGrow(const struct hmap_classic *c)
{
	return c->h.flags & sameSizeGrow;
}

INLINE size_t noldbuckets(const struct hmap_classic *c)
{
	return bucketShift((uint8_t)(is_sameSizeGrow(c) ? c->h.B : c->h.B - 1));
}

INLINE size_t oldbucketmask(const struct hmap_classic *c)
{
	return noldbuckets(c) - 1;
}

INLINE bool overLoadFactor(const struct hmap_classic *c, size_t count, uint8_t B)
{
	return count > bucketCnt && count > c->load_num * (bucketShift(B) / HMAP_GO_LOAD_DEN);
}

INLINE bool tooManyOverflowBuckets(uint16_t noverflow, uint8_t B)
{
	return noverflow >= 1u << (B > 15 ? 15 : B);
}

/** Neither keys nor values point to anything, as far as the type says: bucket.ptrdata == 0. */
INLINE bool pointer_free(const struct hmap_classic *c)
{
	return !c->key_points && !c->elem_points;
}

/** Tests whether two keys are the same, with what is known of them in @p keys. */
INLINE bool same_key(const struct hmap_classic *c, const void *a, const void *b,
		     enum hmap_classic_keys keys)
{
	switch (keys) {
	case HMAP_CLASSIC_KEYS_64:
		return memcmp(a, b, 8) == 0;
	case HMAP_CLASSIC_KEYS_32:
		return memcmp(a, b, 4) == 0;
	case HMAP_CLASSIC_KEYS_BYTES:
		return memcmp(a, b, c->type->key_size) == 0;
	case HMAP_CLASSIC_KEYS_CALL:
		break;
	}
	return c->type->equal(a, b, c->state);
}

/* ------------------------------------------------------------------------------------------- */
/* Eight tags at once.  A mask has one mark for each slot; see first_of() and without_first(). */

#if !defined(HMAP_NO_SIMD) && defined(__SSE2__)

typedef uint32_t tag_mask;

struct tag_matches {
	tag_mask same, rest; // Tags that are the one looked for; those that are emptyRest.
};

INLINE struct tag_matches match_tags(const bmap *b, uint8_t top)
{
	__m128i tags = _mm_loadl_epi64((const __m128i *)(const void *)b->tophash);
	__m128i want = _mm_set1_epi8((char)top);

	return (struct tag_matches){
		.same = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(tags, want)) & 0xff,
		.rest =
		    (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(tags, _mm_setzero_si128())) & 0xff,
	};
}

/** Slots that are empty, emptyRest or emptyOne. */
INLINE tag_mask match_empty(const bmap *b)
{
	__m128i tags = _mm_loadl_epi64((const __m128i *)(const void *)b->tophash);
	__m128i one = _mm_set1_epi8(emptyOne);

	return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_max_epu8(tags, one), one)) & 0xff;
}

INLINE unsigned first_of(tag_mask mask)
{
	return (unsigned)__builtin_ctz(mask);
}

#else

typedef uint64_t tag_mask;

struct tag_matches {
	tag_mask same, rest;
};

/** Tags as a word whose lowest byte is the first. */
INLINE uint64_t tags_word(const bmap *b)
{
	uint64_t word;

	memcpy(&word, b->tophash, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	word = __builtin_bswap64(word);
#endif
	return word;
}

/** The top bit of each byte that is zero, exactly. */
INLINE uint64_t zero_bytes(uint64_t word)
{
	const uint64_t low = UINT64_C(0x7f7f7f7f7f7f7f7f);

	return ~(((word & low) + low) | word | low);
}

INLINE struct tag_matches match_tags(const bmap *b, uint8_t top)
{
	uint64_t word = tags_word(b);

	return (struct tag_matches){
		.same = zero_bytes(word ^ top * UINT64_C(0x0101010101010101)),
		.rest = zero_bytes(word),
	};
}

INLINE tag_mask match_empty(const bmap *b)
{
	return zero_bytes(tags_word(b) & UINT64_C(0xfefefefefefefefe));
}

INLINE unsigned first_of(tag_mask mask)
{
	return (unsigned)__builtin_ctzll(mask) / 8;
}

#endif

INLINE tag_mask without_first(tag_mask mask)
{
	return mask & (mask - 1);
}

/** Looks for @p key in the chain from @p b: its bucket and slot, or NULL. */
INLINE bmap *find_in_chain(const struct hmap_classic *c, bmap *b, const void *key, uint8_t top,
			   enum hmap_classic_keys keys, unsigned *ret_i)
{
	while (b) {
		struct tag_matches matches = match_tags(b, top);
		bmap *next;

		for (; matches.same; matches.same = without_first(matches.same)) {
			unsigned i = first_of(matches.same);

			if (LIKELY(same_key(c, key, key_of(c, b, i), keys))) {
				*ret_i = i;
				return b;
			}
		}
		// Without a branch on emptyRest: of the buckets that are full, half have no
		// overflow, and which one it is nobody can predict.
		next = overflow(c, b);
		b = (bmap *)((uintptr_t)next & ((uintptr_t)(matches.rest != 0) - 1));
	}
	return NULL;
}

/** The bucket that a hash belongs to now: of the old array while that was not evacuated. */
INLINE bmap *bucket_of_hash(const struct hmap_classic *c, uint64_t hash)
{
	if (UNLIKELY(growing(c))) {
		bmap *b = bucket_at(c, c->h.oldbuckets, (size_t)hash & oldbucketmask(c));

		if (!evacuated(b))
			return b;
	}
	return bucket_at(c, c->h.buckets, (size_t)hash & bucketMask(c->h.B));
}

/* ------------------------------------------------------------------------------------------- */
/* hashWriting                                                                                 */

INLINE enum hmap_status begin_read(const struct hmap_classic *c, const char *text)
{
#if !defined(HMAP_NO_MISUSE_CHECK)
	if (UNLIKELY(__atomic_load_n(&c->h.flags, __ATOMIC_RELAXED) & hashWriting)) {
		hmap_misuse_found(c->map, text, __atomic_load_n(&c->writer, __ATOMIC_RELAXED));
		return HMAP_MISUSE;
	}
#else
	(void)c, (void)text;
#endif
	return HMAP_OK;
}

INLINE void put_flags(struct hmap_classic *c, unsigned flags)
{
	__atomic_store_n(&c->h.flags, (uint8_t)flags, __ATOMIC_RELAXED);
}

INLINE enum hmap_status begin_write(struct hmap_classic *c)
{
#if !defined(HMAP_NO_MISUSE_CHECK)
	uint8_t flags = __atomic_load_n(&c->h.flags, __ATOMIC_RELAXED);

	if (UNLIKELY(flags & hashWriting)) {
		hmap_misuse_found(c->map, "concurrent map writes",
				  __atomic_load_n(&c->writer, __ATOMIC_RELAXED));
		return HMAP_MISUSE;
	}
	__atomic_store_n(&c->writer, (uintptr_t)pthread_self(), __ATOMIC_RELAXED);
	put_flags(c, flags | hashWriting);
#else
	(void)c;
#endif
	return HMAP_OK;
}

/** Frees what c->dropped lists. */
void hmap_classic_free_dropped(struct hmap_classic *c);

INLINE enum hmap_status end_write(struct hmap_classic *c, enum hmap_status status)
{
	if (UNLIKELY(c->dropped != NULL))
		hmap_classic_free_dropped(c);
#if !defined(HMAP_NO_MISUSE_CHECK)
	uint8_t flags = __atomic_load_n(&c->h.flags, __ATOMIC_RELAXED);

	if (UNLIKELY(!(flags & hashWriting))) {
		hmap_misuse_found(c->map, "concurrent map writes",
				  __atomic_load_n(&c->writer, __ATOMIC_RELAXED));
		return HMAP_MISUSE;
	}
	put_flags(c, flags & ~(unsigned)hashWriting);
#endif
	return status;
}

/* ------------------------------------------------------------------------------------------- */
/* Events                                                                                      */

/** Tells who wants to know. */
void hmap_classic_tell(const struct hmap_classic *c, enum hmap_event_kind kind, size_t from,
		       size_t to, size_t entries);

/* ------------------------------------------------------------------------------------------- */
/* classic_buckets.c: memory                                                                   */

void *hmap_classic_allocate(struct hmap_classic *c, size_t size, size_t align);
void hmap_classic_release(struct hmap_classic *c, void *memory, size_t size, size_t align);

/** Go's fastrand(), of this map. */
uint64_t hmap_classic_fastrand(struct hmap_classic *c);

/** makeBucketArray: 2^B buckets and some to spare, zeroed; NULL: no memory. */
struct hmap_classic_table *hmap_classic_makeBucketArray(struct hmap_classic *c, uint8_t B);

/** Makes @p table, just made or wiped, the map's present one; its spare buckets the next ones. */
void hmap_classic_use_table(struct hmap_classic *c, struct hmap_classic_table *table);

/** Empties a table as if it were new, without an allocation. */
void hmap_classic_wipe_table(struct hmap_classic *c, struct hmap_classic_table *table);

/** The map needs a table no more: freed now, or with the last iteration that looks at it. */
void hmap_classic_drop_table(struct hmap_classic *c, struct hmap_classic_table *table);

/** An iteration looks at a table no more; the last one frees it where the map has dropped it. */
void hmap_classic_unref_table(struct hmap_classic *c, struct hmap_classic_table *table);

/** Sees to it that the next @p count calls of newoverflow succeed. */
bool hmap_classic_reserve_overflow(struct hmap_classic *c, size_t count);

/** newoverflow: a new empty bucket behind @p b, from what was reserved. */
bmap *hmap_classic_newoverflow(struct hmap_classic *c, bmap *b);

/** createOverflow: from now on a list keeps overflow buckets alive. */
void hmap_classic_createOverflow(struct hmap_classic *c);

/* ------------------------------------------------------------------------------------------- */
/* classic_grow.c                                                                              */

/** Begins a growth to a table of 2^B buckets, B as it is or one more, for a write that is adding
 *  @p adding entries; false: no memory. */
bool hmap_classic_hashGrow(struct hmap_classic *c, uint8_t B, size_t adding);

/** growWork: moves the old bucket of @p bucket, and one more.  False: it could not move the first
 *  one, which is as it was. */
bool hmap_classic_growWork(struct hmap_classic *c, size_t bucket);

/** Moves one old bucket; false: no memory, and nothing was moved. */
bool hmap_classic_evacuate(struct hmap_classic *c, size_t oldbucket);

/* ------------------------------------------------------------------------------------------- */
/* classic_assign.c, classic_delete.c                                                          */

/** Puts a key that is not in the map, without hashing twice or growing; for a map that is built. */
enum hmap_status hmap_classic_add(struct hmap_classic *c, uint64_t hash, const void *key,
				  const void *value);

/** Gives back what a slot's key or value took, and leaves the slot as it is. */
void hmap_classic_unmake_key(struct hmap_classic *c, unsigned char *slot);
void hmap_classic_unmake_value(struct hmap_classic *c, unsigned char *slot);

/** Gives back keys and values, not the table. */
void hmap_classic_destroy_entries(struct hmap_classic *c);

/** Ends all iterations. */
void hmap_classic_end_iterations(struct hmap_classic *c);
