/*
 * hmap_steady.h - the table of the steady engine, and its operations as inline functions.
 *
 * Not a header to include by itself: hmap.h is the interface, hmap_typed.h makes typed maps out of
 * what is here.  All names that begin with hmapi_ are the library's own and may change.
 *
 * The table.  Entries live in groups of 14 slots.  A group has 16 bytes of tags: one byte of hash
 * for each slot, a filter and a count.  Four groups make a block, whose tags are one line of 64
 * bytes; the slots lie apart, so that a search for what is not there never touches them.
 *
 *	tags   | t0 .. t13 filter count | t0 .. t13 filter count | ...     4 x 16 bytes a block
 *	slots  | s0 .. s13 | s0 .. s13 | ...                               14 slots a group
 *
 * The lowest bits of a hash choose the group, its highest eight are the tag (0 is an empty slot, 1
 * a link, both left out).  An entry whose group is full goes to another group of its block: the
 * tags of that one are already here.  It is a stray then; its home group counts it, and sets a bit
 * of its filter chosen by the tag, so that searches know whether to look farther.  When a block is
 * full, its last slot gives its place to a link, and entries go on in a chain of nodes.
 *
 * Growth.  A table of 2^B groups becomes one of 2^(B+1) in place.  A cursor walks over its blocks,
 * one for each write; the entries of block b whose next hash bit is 1 move to block b + 2^B, the
 * others stay.  Memory for the upper half appears in pieces, just ahead of the cursor; there is no
 * old table.  Halving is the same cursor backwards.
 *
 *	         0        cursor - low       low           cursor           2 x low
 *	groups   |  split  |  to be split     | upper half  |  not there yet |
 *
 * A hash belongs to group (hash & mask), or, where that is at or above the cursor, `low` below it.
 */
#ifndef HMAP_HMAP_STEADY_H
#define HMAP_HMAP_STEADY_H

#include <hmap/hmap.h>
#include <hmap/hmap_hash.h>
#include <string.h>

#if !defined(HMAP_NO_SIMD) && defined(__SSE2__)
#define HMAPI_SSE2 1
#include <immintrin.h>
#elif !defined(HMAP_NO_SIMD) && defined(__aarch64__) && defined(__ARM_NEON)
#define HMAPI_NEON 1
#include <arm_neon.h>
#endif

#if defined(__GLIBC__) || !defined(HMAP_NO_THREADS)
#include <pthread.h>
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
#define HMAP_BLOCK_GROUPS 4
#define HMAP_BLOCK_SLOTS (HMAP_GROUP_SLOTS * HMAP_BLOCK_GROUPS)
#define HMAP_TAG_EMPTY 0
#define HMAP_TAG_LINK 1
#define HMAPI_FILTER 14 /* its place in a group's tags */
#define HMAPI_COUNT 15
#define HMAPI_ALL 0x3fffu   /* one bit for each slot */
#define HMAPI_WAIT 64       /* writes between two tries of a step that was refused */
#define HMAPI_COUNT_MAX 255 /* a count that got here stays: it no longer knows */

#define HMAPI_NO_HASH UINT32_MAX
#define HMAPI_LEAF 1024 /* segments in a leaf, leaves in the root */

/* ------------------------------------------------------------------------------------------- */
/* Shape: where things lie in a slot and in a node                                             */

enum hmapi_shape_flags {
	HMAPI_KEY_BY_REFERENCE = 1,
	HMAPI_VALUE_BY_REFERENCE = 2,
	HMAPI_CALLBACKS = 4, /* copying or destroying is more than bytes */
};

/** All of it follows from a type. */
struct hmap_shape {
	uint32_t key_size;   /* in the slot: a pointer's where it is by reference */
	uint32_t value_size; /* likewise */
	uint32_t value_at;
	uint32_t hash_at; /* of 32 stored bits of hash, or HMAPI_NO_HASH */
	uint32_t slot_size;
	uint32_t align;
	uint32_t links;      /* slots that a link takes, at the end of a block */
	uint32_t node_slots; /* at most 8 */
	uint32_t node_slots_at;
	uint32_t node_size;
	uint32_t flags; /* enum hmapi_shape_flags */
};

/** Overflow of a block: `node_slots` tags, and as many slots behind them. */
struct hmapi_node {
	struct hmapi_node *next;
	uint8_t tags[8];
};

HMAPI_INLINE uint32_t hmapi_round_up(uint32_t size, uint32_t align)
{
	return (size + align - 1) & ~(align - 1);
}

HMAPI_INLINE uint32_t hmapi_align_of(uint32_t size, uint32_t given)
{
	if (given)
		return given;
	return size % 8 == 0 ? 8 : size % 4 == 0 ? 4 : size % 2 == 0 ? 2 : 1;
}

HMAPI_INLINE struct hmap_shape hmapi_shape_of(const struct hmap_type *type)
{
	struct hmap_shape s;
	const uint32_t pointer = sizeof(void *);
	bool key_away = type->key_size > HMAP_MAX_IN_PLACE && !(type->flags & HMAP_KEEP_IN_PLACE);
	bool value_away =
	    type->value_size > HMAP_MAX_IN_PLACE && !(type->flags & HMAP_KEEP_IN_PLACE);
	uint32_t key_align = key_away ? pointer : hmapi_align_of(type->key_size, type->key_align);
	uint32_t value_align = value_away ? pointer
			       : type->value_size
				   ? hmapi_align_of(type->value_size, type->value_align)
				   : 1;
	uint32_t end, room;

	s.flags = 0;
	if (key_away)
		s.flags |= HMAPI_KEY_BY_REFERENCE;
	if (value_away)
		s.flags |= HMAPI_VALUE_BY_REFERENCE;
	if (type->key_copy || type->value_copy || type->key_destroy || type->value_destroy)
		s.flags |= HMAPI_CALLBACKS;
	s.key_size = key_away ? pointer : type->key_size;
	s.value_size = value_away ? pointer : type->value_size;
	s.align = key_align > value_align ? key_align : value_align;
	s.value_at = hmapi_round_up(s.key_size, value_align);
	end = s.value_at + s.value_size;
	s.hash_at = HMAPI_NO_HASH;
	if (type->flags & (HMAP_STORE_HASH | HMAP_IRREFLEXIVE)) {
		if ((type->flags & HMAP_HASH_IN_KEY) && !key_away && type->key_size >= 8) {
			s.hash_at = type->key_size - 4;
		} else {
			s.hash_at = hmapi_round_up(end, 4);
			end = s.hash_at + 4;
			s.align = s.align < 4 ? 4 : s.align;
		}
	}
	s.slot_size = hmapi_round_up(end, s.align);
	if (s.slot_size < 2)
		s.slot_size = 2;
	s.links = (uint32_t)(sizeof(void *) + s.slot_size - 1) / s.slot_size;
	s.node_slots_at = hmapi_round_up((uint32_t)sizeof(struct hmapi_node), s.align);
	room = (64 - 16) / s.slot_size;
	s.node_slots = room < 3 ? 3 : room > 8 ? 8 : room;
	s.node_size = hmapi_round_up(s.node_slots_at + s.node_slots * s.slot_size,
				     s.align < 16 ? 16 : s.align);
	return s;
}

/* ------------------------------------------------------------------------------------------- */
/* The map                                                                                     */

/* Why an operation cannot take the straight way. */
enum hmapi_detour {
	HMAPI_CURSOR = 1,   /* a pass is under way */
	HMAPI_SEGMENTS = 2, /* the table is in segments */
	HMAPI_CLASSIC = 4,  /* the other engine */
	HMAPI_UNBORN = 8,   /* no table yet: nothing was ever put */
};

struct hmapi_space;
struct hmap_classic;

enum hmapi_phase {
	HMAPI_IN_SLOTS, /* of the block's groups */
	HMAPI_IN_CHAIN,
	HMAPI_ASIDE, /* the block was changed: what was left of it is in a list */
	HMAPI_AT_END,
};

/** An iteration under way: the map knows it, so that an entry which moves is not met twice. */
struct hmap_iteration {
	struct hmap_iteration *next;
	/* The group it stands in. */
	const uint8_t *tags;
	unsigned char *slots;
	unsigned mask; /* slots still to see */
	enum hmapi_phase phase;
	size_t block, group;     /* the block's first group, and the group */
	unsigned done;           /* groups of the block that were seen */
	unsigned turn, rotation; /* where in a block, and in a group, it begins */
	bool second;             /* in the part of the group before `rotation` */
	bool filter;             /* only entries of the window count */
	struct hmapi_node *node;
	unsigned node_slot;
	/* The window: units are the blocks of the smaller size when it began, in order; within one,
	 * higher bits of the hash in reversed order, so that a split halves an interval. */
	size_t unit_mask, first_unit, units_done;
	unsigned unit_bits;
	uint64_t at, end; /* of the unit: 0 as an end is the whole */
	/* Aside. */
	unsigned char *list;
	size_t list_room, list_count, list_at; /* in entries */
};

struct hmap {
	/* One line: all that a lookup reads. */
	uint8_t *tags;
	unsigned char *slots;
	size_t mask; /* groups - 1; during a pass, of the larger of both sizes */
	uint64_t seed;
	size_t count;
	size_t grow_at;   /* entries over which a growth begins */
	uintptr_t writer; /* who is writing just now; 0: nobody */
	uint32_t detour;  /* enum hmapi_detour */
	uint32_t kinds;   /* of events that somebody wants to know */
	/* What writes read. */
	size_t groups;    /* in use now: the cursor, while a pass is under way */
	size_t low;       /* groups of the smaller size, while a pass is under way */
	size_t ready;     /* groups that have memory */
	size_t shrink_at; /* entries under which a halving begins */
	struct hmapi_node *free_nodes;
	struct hmap_iteration *iterations;
	size_t usual_grow_at; /* grow_at, when a watermark stands in for it */
	enum hmap_pass pass;
	uint32_t block_mask; /* groups of a block - 1: 3, or 0 for a table of one group */
	size_t nodes_used;
	/* What few read. */
	const struct hmap_type *type;
	struct hmap_shape shape;
	uint32_t wait;     /* writes to let pass before a refused step is tried again */
	size_t pass_end;   /* groups at which the pass is done */
	size_t compacted;  /* where a pass of the same size has got to */
	size_t release_at; /* groups under which memory can go back */
	size_t nodes_made;
	struct hmapi_slab *slabs, *dead_slabs;
	struct hmapi_space *space; /* a large table's range or segments */
	size_t small_bytes;        /* of a small table's one block; 0: none */
	unsigned char ***segments; /* a table in segments: leaves of 1,024 of them each */
	uint32_t segment_shift;    /* groups in a segment, as a power of two */
	uint32_t segment_slots_at; /* where slots begin in one */
	struct hmap_classic *classic;
	uint64_t growths, compactions, shrinks;
	const struct hmap_allocator *allocator;
	const struct hmap_hooks *hooks;
	double load, shrink, shrink_idle, high_load;
	size_t compact_at; /* nodes over which a pass of the same size begins */
	size_t high_load_at;
	bool iterations_lock;
	bool shrinking; /* on request: halve as long as it fits */
	const char *name;
	hmap_misuse_fn misuse;
	void *misuse_state;
#ifdef HMAP_CHECKS
	size_t work_moves, work_bytes; /* of the call under way: held against the promise */
#endif
};

/* ------------------------------------------------------------------------------------------- */
/* Tags                                                                                        */

HMAPI_INLINE uint8_t hmapi_tag(uint64_t hash)
{
	uint8_t tag = (uint8_t)(hash >> 56);

	return (uint8_t)(tag < 2 ? tag + 2 : tag);
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
	HMAPI_TAG4(2),    HMAPI_TAG4(3),    HMAPI_TAG4(2),    HMAPI_TAG4(3),    HMAPI_TAG4(4),
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

/* ------------------------------------------------------------------------------------------- */
/* Code: the operations for one type                                                           */

/* Where a new entry goes: the tag is set, and the stray counted, once it is filled. */
struct hmapi_place {
	uint8_t *tag;
	unsigned char *slot; /* NULL: no memory */
	uint8_t *home;       /* of a stray: the tags of its home group */
};

/**
 * The operations that are not inlined at every call.  A typed map has a constant one, and the
 * compiler sees through it; the generic map's has no type, which is the map's then.
 */
struct hmapi_code {
	const struct hmap_type *type;
	bool segments; /* the table is in segments, not in one piece */
	unsigned char *(*find_far)(const struct hmap *m, size_t group, uint64_t hash,
				   const void *key);
	struct hmapi_place (*make_room)(struct hmap *m, size_t group);
	bool (*erase_far)(struct hmap *m, size_t group, uint64_t hash, const void *key);
	void (*pull_home)(struct hmap *m, size_t group);
	void (*step)(struct hmap *m);
};

/* What the library does for all of them; cold. */
HMAP_API void hmapi_begin_growth(struct hmap *m, void (*step)(struct hmap *m));
HMAP_API void hmapi_begin_shrink(struct hmap *m);
HMAP_API void hmapi_end_pass(struct hmap *m);
HMAP_API bool hmapi_more_memory(struct hmap *m);
HMAP_API void hmapi_less_memory(struct hmap *m);
HMAP_API struct hmapi_node *hmapi_new_node(struct hmap *m);
/** At least so many entries' worth of free nodes are at hand afterwards. */
HMAP_API bool hmapi_have_nodes(struct hmap *m, size_t entries);
HMAP_API void hmapi_pull_from_chain(struct hmap *m, size_t group, unsigned index);
HMAP_API bool hmapi_erase_from_chain(struct hmap *m, size_t last, uint64_t hash, const void *key);
HMAP_API void hmapi_unlink(struct hmap *m, size_t last, struct hmapi_node *before,
			   struct hmapi_node *node);
HMAP_API bool hmapi_detach(struct hmap *m, size_t block);
HMAP_API bool hmapi_fill(struct hmap *m, unsigned char *slot, const void *key, const void *value);
HMAP_API bool hmapi_replace(struct hmap *m, unsigned char *slot, const void *value);
HMAP_API void hmapi_drop(struct hmap *m, unsigned char *slot);
HMAP_API bool hmapi_next_far(struct hmap_iterator *iterator);
HMAP_API void hmapi_tell(struct hmap *m, enum hmap_event_kind kind, size_t from, size_t to,
			 size_t entries);
HMAP_API enum hmap_status hmapi_misuse(const struct hmap *m, const char *text, uintptr_t other);
HMAP_API enum hmap_status hmapi_put_any(struct hmap *m, const void *key, const void *value,
					bool replace, void **ret_value, bool *ret_added);
HMAP_API void *hmapi_get_any(const struct hmap *m, const void *key);
HMAP_API enum hmap_status hmapi_erase_any(struct hmap *m, const void *key);

HMAPI_INLINE const struct hmap_type *hmapi_type(const struct hmap *m, const struct hmapi_code *c)
{
	return c->type ? c->type : m->type;
}

HMAPI_INLINE struct hmap_shape hmapi_shape(const struct hmap *m, const struct hmapi_code *c)
{
	return c->type ? hmapi_shape_of(c->type) : m->shape;
}

/** The segment that a group is in: its tags, then its slots. */
HMAPI_INLINE unsigned char *hmapi_segment(const struct hmap *m, size_t group)
{
	size_t segment = group >> m->segment_shift;

	return m->segments[segment / HMAPI_LEAF][segment % HMAPI_LEAF];
}

HMAPI_INLINE size_t hmapi_in_segment(const struct hmap *m, size_t group)
{
	return group & (((size_t)1 << m->segment_shift) - 1);
}

HMAPI_INLINE uint8_t *hmapi_tags(const struct hmap *m, const struct hmapi_code *c, size_t group)
{
	if (c->segments)
		return hmapi_segment(m, group) + hmapi_in_segment(m, group) * HMAP_GROUP_BYTES;
	return m->tags + group * HMAP_GROUP_BYTES;
}

HMAPI_INLINE unsigned char *hmapi_slots(const struct hmap *m, const struct hmapi_code *c,
					size_t group)
{
	size_t bytes = (size_t)hmapi_shape(m, c).slot_size * HMAP_GROUP_SLOTS;

	if (c->segments)
		return hmapi_segment(m, group) + m->segment_slots_at +
		       hmapi_in_segment(m, group) * bytes;
	return m->slots + group * bytes;
}

/** The group that a hash belongs to, while a pass may be under way. */
HMAPI_INLINE size_t hmapi_home(const struct hmap *m, uint64_t hash)
{
	size_t group = (size_t)hash & m->mask;

	if (HMAPI_UNLIKELY(m->detour & HMAPI_CURSOR))
		group = group >= m->groups ? group - m->low : group;
	return group;
}

HMAPI_INLINE const void *hmapi_key(const struct hmap_shape *s, const unsigned char *slot)
{
	const void *away;

	if (!(s->flags & HMAPI_KEY_BY_REFERENCE))
		return slot;
	memcpy(&away, slot, sizeof(away));
	return away;
}

HMAPI_INLINE void *hmapi_value(const struct hmap_shape *s, unsigned char *slot)
{
	void *away;

	if (!(s->flags & HMAPI_VALUE_BY_REFERENCE))
		return slot + s->value_at;
	memcpy(&away, slot + s->value_at, sizeof(away));
	return away;
}

HMAPI_INLINE uint32_t hmapi_stored_hash(const struct hmap_shape *s, const unsigned char *slot)
{
	uint32_t bits;

	memcpy(&bits, slot + s->hash_at, sizeof(bits));
	return bits;
}

/** The hash of an entry: of its key, or, where 32 bits are stored, those and the tag. */
HMAPI_INLINE uint64_t hmapi_hash_in(const struct hmap *m, const struct hmap_type *type,
				    const struct hmap_shape *s, uint8_t tag,
				    const unsigned char *slot)
{
	if (s->hash_at != HMAPI_NO_HASH)
		return (uint64_t)tag << 56 | hmapi_stored_hash(s, slot);
	return type->hash(hmapi_key(s, slot), m->seed, type->state);
}

HMAPI_INLINE bool hmapi_same_key(const struct hmap_type *type, const void *a, const void *b)
{
	if (type->equal)
		return type->equal(a, b, type->state);
	return memcmp(a, b, type->key_size) == 0;
}

HMAPI_INLINE bool hmapi_is(const struct hmap_type *type, const struct hmap_shape *s,
			   const unsigned char *slot, const void *key, uint64_t hash)
{
	if (s->hash_at != HMAPI_NO_HASH && hmapi_stored_hash(s, slot) != (uint32_t)hash)
		return false;
	return hmapi_same_key(type, hmapi_key(s, slot), key);
}

HMAPI_INLINE struct hmapi_node *hmapi_link(const struct hmap_shape *s, const unsigned char *slots)
{
	struct hmapi_node *node;

	memcpy(&node, slots + (HMAP_GROUP_SLOTS - s->links) * s->slot_size, sizeof(node));
	return node;
}

HMAPI_INLINE void hmapi_set_link(const struct hmap_shape *s, unsigned char *slots,
				 const struct hmapi_node *node)
{
	memcpy(slots + (HMAP_GROUP_SLOTS - s->links) * s->slot_size, &node, sizeof(node));
}

HMAPI_INLINE unsigned char *hmapi_node_slot(const struct hmap_shape *s, struct hmapi_node *node,
					    unsigned index)
{
	return (unsigned char *)node + s->node_slots_at + (size_t)index * s->slot_size;
}

HMAPI_INLINE void hmapi_free_node(struct hmap *m, struct hmapi_node *node)
{
	node->next = m->free_nodes;
	m->free_nodes = node;
	m->nodes_used--;
}

/* ------------------------------------------------------------------------------------------- */
/* Search                                                                                      */

HMAPI_INLINE unsigned char *hmapi_find(const struct hmap *m, const struct hmapi_code *c,
				       size_t group, uint64_t hash, const void *key)
{
	const struct hmap_type *type = hmapi_type(m, c);
	const struct hmap_shape s = hmapi_shape(m, c);
	const uint8_t *tags = hmapi_tags(m, c, group);
	unsigned char *slots = hmapi_slots(m, c, group);
	unsigned found = hmapi_match(tags, hash);

	if (found) {
		// Under the predicted branch: the line of the first slots comes while the tags do.
		__builtin_prefetch(slots);
		__asm__ volatile("");
	}
	for (; found; found &= found - 1) {
		unsigned char *slot = slots + (size_t)hmapi_first(found) * s.slot_size;

		if (HMAPI_LIKELY(hmapi_is(type, &s, slot, key, hash)))
			return slot;
	}
	if (HMAPI_LIKELY(!(tags[HMAPI_FILTER] & hmapi_filter_bit(hash))))
		return NULL;
	return c->find_far(m, group, hash, key);
}

/** The rest of the block, and its chain. */
HMAPI_INLINE unsigned char *hmapi_find_far(const struct hmap *m, const struct hmapi_code *c,
					   size_t group, uint64_t hash, const void *key)
{
	const struct hmap_type *type = hmapi_type(m, c);
	const struct hmap_shape s = hmapi_shape(m, c);
	size_t last = group | m->block_mask;
	uint8_t tag = hmapi_tag(hash);

	for (size_t j = 1; j <= m->block_mask; j++) {
		unsigned char *slots = hmapi_slots(m, c, group ^ j);

		for (unsigned x = hmapi_match(hmapi_tags(m, c, group ^ j), hash); x; x &= x - 1) {
			unsigned char *slot = slots + (size_t)hmapi_first(x) * s.slot_size;

			if (hmapi_is(type, &s, slot, key, hash))
				return slot;
		}
	}
	if (hmapi_tags(m, c, last)[HMAP_GROUP_SLOTS - 1] != HMAP_TAG_LINK)
		return NULL;
	for (struct hmapi_node *node = hmapi_link(&s, hmapi_slots(m, c, last)); node;
	     node = node->next)
		for (unsigned i = 0; i < s.node_slots; i++)
			if (node->tags[i] == tag) {
				unsigned char *slot = hmapi_node_slot(&s, node, i);

				if (hmapi_is(type, &s, slot, key, hash))
					return slot;
			}
	return NULL;
}

/* ------------------------------------------------------------------------------------------- */
/* Room                                                                                        */

/** A free slot of a chain; its node is taken where there is none.  slot NULL: no memory. */
HMAPI_INLINE struct hmapi_place hmapi_room_in_chain(struct hmap *m, const struct hmap_shape *s,
						    struct hmapi_node *node)
{
	struct hmapi_place none = { NULL, NULL, NULL };

	for (;;) {
		struct hmapi_place place = none;

		for (unsigned i = 0; i < s->node_slots; i++)
			if (node->tags[i] == HMAP_TAG_EMPTY) {
				place.tag = &node->tags[i];
				place.slot = hmapi_node_slot(s, node, i);
				return place;
			}
		if (!node->next) {
			node->next = hmapi_new_node(m);
			if (!node->next)
				return none;
		}
		node = node->next;
	}
}

/** Begins a chain: the entries in the places of its link go into its first node. */
HMAPI_INLINE bool hmapi_begin_chain(struct hmap *m, const struct hmapi_code *c, size_t last)
{
	const struct hmap_type *type = hmapi_type(m, c);
	const struct hmap_shape s = hmapi_shape(m, c);
	uint8_t *tags = hmapi_tags(m, c, last);
	unsigned char *slots = hmapi_slots(m, c, last);
	struct hmapi_node *node;
	unsigned filled = 0;

	if (HMAPI_UNLIKELY(m->iterations != NULL) &&
	    !hmapi_detach(m, last & ~(size_t)m->block_mask))
		return false;
	node = hmapi_new_node(m);
	if (!node)
		return false;
	for (unsigned i = HMAP_GROUP_SLOTS - s.links; i < HMAP_GROUP_SLOTS; i++) {
		unsigned char *slot = slots + (size_t)i * s.slot_size;

		if (tags[i] >= 2) {
			uint64_t hash = hmapi_hash_in(m, type, &s, tags[i], slot);

			if (((hash ^ last) & m->block_mask) == 0)
				hmapi_count_stray(tags, hash);
			node->tags[filled] = tags[i];
			memcpy(hmapi_node_slot(&s, node, filled++), slot, s.slot_size);
		}
		tags[i] = HMAP_TAG_LINK;
	}
	hmapi_set_link(&s, slots, node);
	return true;
}

HMAPI_INLINE bool hmapi_split(struct hmap *m, const struct hmapi_code *c, size_t block,
			      size_t other, size_t bit);

enum { HMAPI_TIDY_STRAYS = 6, HMAPI_TIDY_EVERY = 3 };

/** Room for a new entry whose home group is full: in its block, else in the block's chain. */
HMAPI_INLINE struct hmapi_place hmapi_make_room(struct hmap *m, const struct hmapi_code *c,
						size_t group)
{
	const struct hmap_shape s = hmapi_shape(m, c);
	uint8_t *home = hmapi_tags(m, c, group);
	size_t last = group | m->block_mask;
	struct hmapi_place place = { NULL, NULL, NULL };

	if (m->block_mask) {
		size_t block = group & ~(size_t)m->block_mask;
		unsigned strays = 0;

		for (size_t j = 0; j <= m->block_mask; j++)
			strays += hmapi_tags(m, c, block + j)[HMAPI_COUNT];
		if (strays >= HMAPI_TIDY_STRAYS && strays % HMAPI_TIDY_EVERY == 0 &&
		    hmapi_split(m, c, block, block, 0)) {
			unsigned x = hmapi_empty(home);

			if (x) {
				place.tag = home + hmapi_first(x);
				place.slot =
				    hmapi_slots(m, c, group) + (size_t)hmapi_first(x) * s.slot_size;
				return place;
			}
		}
	}
	for (size_t j = 1; j <= m->block_mask; j++) {
		uint8_t *tags = hmapi_tags(m, c, group ^ j);
		unsigned x = hmapi_empty(tags);

		if (x) {
			place.tag = tags + hmapi_first(x);
			place.slot =
			    hmapi_slots(m, c, group ^ j) + (size_t)hmapi_first(x) * s.slot_size;
			place.home = home;
			return place;
		}
	}
	if (hmapi_tags(m, c, last)[HMAP_GROUP_SLOTS - 1] != HMAP_TAG_LINK &&
	    !hmapi_begin_chain(m, c, last))
		return place;
	place = hmapi_room_in_chain(m, &s, hmapi_link(&s, hmapi_slots(m, c, last)));
	place.home = home;
	return place;
}

/** Moves an entry into the block of `group`, which has room or a supply of nodes. */
HMAPI_INLINE bool hmapi_rehome(struct hmap *m, const struct hmapi_code *c, size_t group,
			       uint64_t hash, uint8_t tag, const unsigned char *from)
{
	const struct hmap_shape s = hmapi_shape(m, c);
	uint8_t *tags = hmapi_tags(m, c, group), *home = tags;
	size_t last = group | m->block_mask;
	struct hmapi_place place;

	for (size_t j = 0; j <= m->block_mask; j++) {
		unsigned x;

		tags = hmapi_tags(m, c, group ^ j);
		x = hmapi_empty(tags);
		if (x) {
			tags[hmapi_first(x)] = tag;
			memcpy(hmapi_slots(m, c, group ^ j) + (size_t)hmapi_first(x) * s.slot_size,
			       from, s.slot_size);
			if (j)
				hmapi_count_stray(home, hash);
			return true;
		}
	}
	if (hmapi_tags(m, c, last)[HMAP_GROUP_SLOTS - 1] != HMAP_TAG_LINK &&
	    !hmapi_begin_chain(m, c, last))
		return false;
	place = hmapi_room_in_chain(m, &s, hmapi_link(&s, hmapi_slots(m, c, last)));
	if (!place.slot)
		return false;
	*place.tag = tag;
	memcpy(place.slot, from, s.slot_size);
	hmapi_count_stray(home, hash);
	return true;
}

/* ------------------------------------------------------------------------------------------- */
/* Growth                                                                                      */

/** Moves the entries of a group together, so that its first line holds most. */
HMAPI_INLINE void hmapi_close_gaps(const struct hmap_shape *s, uint8_t *tags, unsigned char *slots)
{
	unsigned have = hmapi_occupied(tags);
	unsigned count = (unsigned)__builtin_popcount(have);
	unsigned behind = have >> count << count, gaps = ~have & ((1u << count) - 1);

	for (; behind; behind &= behind - 1, gaps &= gaps - 1) {
		unsigned from = hmapi_first(behind), to = hmapi_first(gaps);

		memcpy(slots + (size_t)to * s->slot_size, slots + (size_t)from * s->slot_size,
		       s->slot_size);
		tags[to] = tags[from];
		tags[from] = HMAP_TAG_EMPTY;
	}
}

/**
 * Splits a block: the entries whose hash has `bit` go to the block `other`, which is empty; strays
 * go home where they can.  With `other` the block itself and no bit, it is only tidied up.  Needs
 * no memory: what is taken out of the chain gives back as many nodes as can be wanted.  False: an
 * iteration stands in it and could not step aside; nothing was changed.
 */
HMAPI_INLINE bool hmapi_split(struct hmap *m, const struct hmapi_code *c, size_t block,
			      size_t other, size_t bit)
{
	const struct hmap_type *type = hmapi_type(m, c);
	const struct hmap_shape s = hmapi_shape(m, c);
	unsigned strays[HMAP_BLOCK_GROUPS], any = 0;
	struct hmapi_node *chain = NULL;
	uint8_t *last;

	if (HMAPI_UNLIKELY(m->iterations != NULL) && !hmapi_detach(m, block))
		return false;
	last = hmapi_tags(m, c, block + HMAP_BLOCK_GROUPS - 1);
	if (HMAPI_UNLIKELY(last[HMAP_GROUP_SLOTS - 1] == HMAP_TAG_LINK)) {
		// One node at hand, since each gives back its own only when it is empty.
		if (!hmapi_have_nodes(m, 1))
			return false;
		chain = hmapi_link(&s, hmapi_slots(m, c, block + HMAP_BLOCK_GROUPS - 1));
		memset(last + HMAP_GROUP_SLOTS - s.links, HMAP_TAG_EMPTY, s.links);
	}
	for (size_t q = 0; q < HMAP_BLOCK_GROUPS; q++) {
		uint8_t *tags = hmapi_tags(m, c, block + q);
		unsigned char *slots = hmapi_slots(m, c, block + q);
		unsigned moves = 0, away = 0;

		for (unsigned x = hmapi_occupied(tags); x; x &= x - 1) {
			unsigned i = hmapi_first(x);
			uint64_t hash =
			    hmapi_hash_in(m, type, &s, tags[i], slots + (size_t)i * s.slot_size);

			moves |= (unsigned)((hash & bit) != 0) << i;
			away |= (unsigned)((hash & (HMAP_BLOCK_GROUPS - 1)) != q) << i;
		}
		moves &= ~away;
		strays[q] = away;
		any |= away;
		if (bit) {
			uint8_t *to_tags = hmapi_tags(m, c, other + q);
			unsigned char *to = hmapi_slots(m, c, other + q);
			unsigned j = 0;

			for (unsigned x = moves; x; x &= x - 1, j++) {
				unsigned i = hmapi_first(x);

				memcpy(to + (size_t)j * s.slot_size,
				       slots + (size_t)i * s.slot_size, s.slot_size);
				to_tags[j] = tags[i];
				tags[i] = HMAP_TAG_EMPTY;
			}
		}
		tags[HMAPI_FILTER] = 0;
		tags[HMAPI_COUNT] = 0;
		if (HMAPI_LIKELY(!away))
			hmapi_close_gaps(&s, tags, slots);
	}
	if (HMAPI_UNLIKELY(any))
		for (size_t q = 0; q < HMAP_BLOCK_GROUPS; q++) {
			uint8_t *tags = hmapi_tags(m, c, block + q);
			unsigned char *slots = hmapi_slots(m, c, block + q);

			for (unsigned x = strays[q]; x; x &= x - 1) {
				unsigned i = hmapi_first(x);
				unsigned char *slot = slots + (size_t)i * s.slot_size;
				uint64_t hash = hmapi_hash_in(m, type, &s, tags[i], slot);
				size_t to =
				    (hash & bit ? other : block) + (hash & (HMAP_BLOCK_GROUPS - 1));

				if (!(hash & bit) && !hmapi_empty(hmapi_tags(m, c, to))) {
					hmapi_count_stray(hmapi_tags(m, c, to), hash);
					continue;
				}
				hmapi_rehome(m, c, to, hash, tags[i], slot);
				tags[i] = HMAP_TAG_EMPTY;
			}
		}
	if (HMAPI_UNLIKELY(any))
		for (size_t q = 0; q < HMAP_BLOCK_GROUPS; q++)
			hmapi_close_gaps(&s, hmapi_tags(m, c, block + q),
					 hmapi_slots(m, c, block + q));
	while (HMAPI_UNLIKELY(chain != NULL)) {
		struct hmapi_node *node = chain;

		chain = node->next;
		for (unsigned i = 0; i < s.node_slots; i++)
			if (node->tags[i]) {
				const unsigned char *slot = hmapi_node_slot(&s, node, i);
				uint64_t hash = hmapi_hash_in(m, type, &s, node->tags[i], slot);
				size_t to =
				    (hash & bit ? other : block) + (hash & (HMAP_BLOCK_GROUPS - 1));

				hmapi_rehome(m, c, to, hash, node->tags[i], slot);
			}
		hmapi_free_node(m, node);
	}
	return true;
}

/** Takes the entries of block `other` into `block`, which leaves `other` empty.  False: no memory
 *  for a chain, or an iteration could not step aside; nothing was changed. */
HMAPI_INLINE bool hmapi_merge(struct hmap *m, const struct hmapi_code *c, size_t block,
			      size_t other)
{
	const struct hmap_type *type = hmapi_type(m, c);
	const struct hmap_shape s = hmapi_shape(m, c);
	struct hmapi_node *chain = NULL;
	size_t room = 0, wanted = 0;
	uint8_t *last = hmapi_tags(m, c, other + HMAP_BLOCK_GROUPS - 1);

	if (HMAPI_UNLIKELY(m->iterations != NULL) &&
	    (!hmapi_detach(m, block) || !hmapi_detach(m, other)))
		return false;
	for (size_t q = 0; q < HMAP_BLOCK_GROUPS; q++) {
		room += (size_t)__builtin_popcount(hmapi_empty(hmapi_tags(m, c, block + q)));
		wanted += (size_t)__builtin_popcount(hmapi_occupied(hmapi_tags(m, c, other + q)));
	}
	if (HMAPI_UNLIKELY(wanted > room) && !hmapi_have_nodes(m, wanted - room + s.links))
		return false;
	if (HMAPI_UNLIKELY(last[HMAP_GROUP_SLOTS - 1] == HMAP_TAG_LINK)) {
		chain = hmapi_link(&s, hmapi_slots(m, c, other + HMAP_BLOCK_GROUPS - 1));
		// What the chain's own nodes cannot take in is the entries that a link displaces.
		if (!hmapi_have_nodes(m, s.links + s.node_slots))
			return false;
		memset(last + HMAP_GROUP_SLOTS - s.links, HMAP_TAG_EMPTY, s.links);
	}
	for (size_t q = 0; q < HMAP_BLOCK_GROUPS; q++) {
		uint8_t *tags = hmapi_tags(m, c, other + q);
		unsigned char *slots = hmapi_slots(m, c, other + q);

		for (unsigned x = hmapi_occupied(tags); x; x &= x - 1) {
			unsigned i = hmapi_first(x);
			unsigned char *slot = slots + (size_t)i * s.slot_size;
			uint64_t hash = hmapi_hash_in(m, type, &s, tags[i], slot);

			hmapi_rehome(m, c, block + (hash & (HMAP_BLOCK_GROUPS - 1)), hash, tags[i],
				     slot);
		}
		memset(tags, HMAP_TAG_EMPTY, HMAP_GROUP_BYTES);
	}
	while (HMAPI_UNLIKELY(chain != NULL)) {
		struct hmapi_node *node = chain;

		chain = node->next;
		for (unsigned i = 0; i < s.node_slots; i++)
			if (node->tags[i]) {
				const unsigned char *slot = hmapi_node_slot(&s, node, i);
				uint64_t hash = hmapi_hash_in(m, type, &s, node->tags[i], slot);

				hmapi_rehome(m, c, block + (hash & (HMAP_BLOCK_GROUPS - 1)), hash,
					     node->tags[i], slot);
			}
		hmapi_free_node(m, node);
	}
	return true;
}

/** One block of the pass under way. */
HMAPI_INLINE void hmapi_step(struct hmap *m, const struct hmapi_code *c)
{
	size_t block, other;

	if (HMAPI_UNLIKELY(m->wait)) {
		m->wait--;
		return;
	}
	if (HMAPI_LIKELY(m->pass == HMAP_PASS_GROW)) {
		block = m->groups - m->low;
		other = m->groups;
		if (HMAPI_UNLIKELY(other + HMAP_BLOCK_GROUPS > m->ready) && !hmapi_more_memory(m)) {
			m->wait = HMAPI_WAIT;
			return;
		}
		if (!hmapi_split(m, c, block, other, m->low)) {
			m->wait = HMAPI_WAIT;
			return;
		}
		m->groups += HMAP_BLOCK_GROUPS;
	} else if (m->pass == HMAP_PASS_SHRINK) {
		other = m->groups - HMAP_BLOCK_GROUPS;
		block = other - m->low;
		if (!hmapi_merge(m, c, block, other)) {
			m->wait = HMAPI_WAIT;
			return;
		}
		m->groups -= HMAP_BLOCK_GROUPS;
		if (HMAPI_UNLIKELY(m->groups < m->release_at))
			hmapi_less_memory(m);
	} else {
		block = other = m->compacted;
		if (!hmapi_split(m, c, block, block, 0)) {
			m->wait = HMAPI_WAIT;
			return;
		}
		m->compacted += HMAP_BLOCK_GROUPS;
	}
	if (HMAPI_UNLIKELY(m->kinds & 1u << HMAP_EVENT_MIGRATES))
		hmapi_tell(m, HMAP_EVENT_MIGRATES, block / HMAP_BLOCK_GROUPS,
			   other / HMAP_BLOCK_GROUPS, 0);
	if (HMAPI_UNLIKELY(m->pass == HMAP_PASS_COMPACT ? m->compacted == m->groups
							: m->groups == m->pass_end))
		hmapi_end_pass(m);
}

/** After an entry of `group` was erased there: one of its strays, or of the block's chain, comes
 *  into the block, so that a table under churn stays as it was when it was built. */
HMAPI_INLINE void hmapi_pull_home(struct hmap *m, const struct hmapi_code *c, size_t group)
{
	const struct hmap_type *type = hmapi_type(m, c);
	const struct hmap_shape s = hmapi_shape(m, c);
	uint8_t *home = hmapi_tags(m, c, group);
	unsigned gap = hmapi_empty(home);
	unsigned char *to;

	if (!gap || m->iterations)
		return;
	to = hmapi_slots(m, c, group) + (size_t)hmapi_first(gap) * s.slot_size;
	for (size_t j = 1; j <= m->block_mask; j++) {
		uint8_t *tags = hmapi_tags(m, c, group ^ j);
		unsigned char *slots = hmapi_slots(m, c, group ^ j);

		for (unsigned x = hmapi_in_filter(tags, home[HMAPI_FILTER]); x; x &= x - 1) {
			unsigned i = hmapi_first(x);
			unsigned char *slot = slots + (size_t)i * s.slot_size;
			uint64_t hash = hmapi_hash_in(m, type, &s, tags[i], slot);

			if (((hash ^ group) & m->block_mask) != 0)
				continue;
			memcpy(to, slot, s.slot_size);
			home[hmapi_first(gap)] = tags[i];
			tags[i] = HMAP_TAG_EMPTY;
			hmapi_forget_stray(home);
			return;
		}
	}
	hmapi_pull_from_chain(m, group, hmapi_first(gap));
}

/* ------------------------------------------------------------------------------------------- */
/* The calls                                                                                   */

#if defined(HMAP_NO_MISUSE_CHECK)
#define HMAPI_ME 0
#elif defined(__x86_64__) && defined(__GLIBC__) && defined(__LP64__)
#define HMAPI_ME hmapi_me()
/** pthread_self(), in one instruction. */
HMAPI_INLINE uintptr_t hmapi_me(void)
{
	uintptr_t me;

	__asm__("mov %%fs:0x10, %0" : "=r"(me));
	return me;
}
#else
#define HMAPI_ME ((uintptr_t)pthread_self())
#endif

/** Somebody else is writing: for the start of a read. */
HMAPI_INLINE void hmapi_begin_read(const struct hmap *m)
{
#if !defined(HMAP_NO_MISUSE_CHECK)
	uintptr_t other = __atomic_load_n(&m->writer, __ATOMIC_RELAXED);

	if (HMAPI_UNLIKELY(other != 0))
		hmapi_misuse(m, "concurrent map read and map write", other);
#else
	(void)m;
#endif
}

HMAPI_INLINE void hmapi_begin_iteration_read(const struct hmap *m)
{
#if !defined(HMAP_NO_MISUSE_CHECK)
	uintptr_t other = __atomic_load_n(&m->writer, __ATOMIC_RELAXED);

	if (HMAPI_UNLIKELY(other != 0))
		hmapi_misuse(m, "concurrent map iteration and map write", other);
#else
	(void)m;
#endif
}

HMAPI_INLINE enum hmap_status hmapi_begin_write(struct hmap *m)
{
#if !defined(HMAP_NO_MISUSE_CHECK)
	uintptr_t other = __atomic_load_n(&m->writer, __ATOMIC_RELAXED);

	__atomic_store_n(&m->writer, HMAPI_ME, __ATOMIC_RELAXED);
	if (HMAPI_UNLIKELY(other != 0))
		return hmapi_misuse(m, "concurrent map writes", other);
#else
	(void)m;
#endif
	return HMAP_OK;
}

HMAPI_INLINE enum hmap_status hmapi_end_write(struct hmap *m, enum hmap_status status)
{
#if !defined(HMAP_NO_MISUSE_CHECK)
	uintptr_t other = __atomic_load_n(&m->writer, __ATOMIC_RELAXED);

	__atomic_store_n(&m->writer, 0, __ATOMIC_RELAXED);
	if (HMAPI_UNLIKELY(other != HMAPI_ME))
		return hmapi_misuse(m, "concurrent map writes", other);
#else
	(void)m;
#endif
	return status;
}

HMAPI_INLINE uint64_t hmapi_hash(const struct hmap *m, const struct hmap_type *type,
				 const void *key)
{
	return type->hash(key, m->seed, type->state);
}

HMAPI_INLINE void *hmapi_get(const struct hmap *m, const struct hmapi_code *c, const void *key)
{
	const struct hmap_shape s = hmapi_shape(m, c);
	uint64_t hash;
	size_t group;
	unsigned char *slot;

	if (!c->segments && HMAPI_UNLIKELY(m->detour & ~(unsigned)HMAPI_CURSOR))
		return hmapi_get_any(m, key);
	hmapi_begin_read(m);
	hash = hmapi_hash(m, hmapi_type(m, c), key);
	group = hmapi_home(m, hash);
	slot = hmapi_find(m, c, group, hash, key);
	return slot ? hmapi_value(&s, slot) : NULL;
}

/** A new slot is filled with key and value; false: no memory. */
HMAPI_INLINE bool hmapi_fill_slot(struct hmap *m, const struct hmap_shape *s, unsigned char *slot,
				  uint64_t hash, const void *key, const void *value)
{
	if (s->flags) {
		if (!hmapi_fill(m, slot, key, value))
			return false;
	} else {
		memcpy(slot, key, s->key_size);
		if (s->value_size) {
			if (value)
				memcpy(slot + s->value_at, value, s->value_size);
			else
				memset(slot + s->value_at, 0, s->value_size);
		}
	}
	if (s->hash_at != HMAPI_NO_HASH) {
		uint32_t bits = (uint32_t)hash;

		memcpy(slot + s->hash_at, &bits, sizeof(bits));
	}
	return true;
}

HMAPI_INLINE enum hmap_status hmapi_put_inside(struct hmap *m, const struct hmapi_code *c,
					       const void *key, const void *value, bool replace,
					       void **ret_value, bool *ret_added)
{
	const struct hmap_type *type = hmapi_type(m, c);
	const struct hmap_shape s = hmapi_shape(m, c);
	uint64_t hash = hmapi_hash(m, type, key);
	struct hmapi_place place = { NULL, NULL, NULL };
	unsigned char *slot;
	uint8_t *tags;
	unsigned gap;
	size_t group;

	if (HMAPI_UNLIKELY(m->detour & HMAPI_CURSOR))
		c->step(m);
	group = hmapi_home(m, hash);
	slot = hmapi_find(m, c, group, hash, key);
	if (slot) {
		if (ret_added)
			*ret_added = false;
		if (replace && s.value_size) {
			if (s.flags && !hmapi_replace(m, slot, value))
				return HMAP_NO_MEMORY;
			if (!s.flags && value)
				memcpy(slot + s.value_at, value, s.value_size);
			if (!s.flags && !value)
				memset(slot + s.value_at, 0, s.value_size);
		}
		if (ret_value)
			*ret_value = hmapi_value(&s, slot);
		return HMAP_OK;
	}
	tags = hmapi_tags(m, c, group);
	gap = hmapi_empty(tags);
	if (HMAPI_LIKELY(gap)) {
		place.tag = tags + hmapi_first(gap);
		place.slot = hmapi_slots(m, c, group) + (size_t)hmapi_first(gap) * s.slot_size;
	} else {
		place = c->make_room(m, group);
		if (HMAPI_UNLIKELY(!place.slot))
			return HMAP_NO_MEMORY;
	}
	if (!hmapi_fill_slot(m, &s, place.slot, hash, key, value))
		return HMAP_NO_MEMORY;
	*place.tag = hmapi_tag(hash);
	if (place.home)
		hmapi_count_stray(place.home, hash);
	if (ret_added)
		*ret_added = true;
	if (ret_value)
		*ret_value = hmapi_value(&s, place.slot);
	if (HMAPI_UNLIKELY(++m->count > m->grow_at)) {
		hmapi_begin_growth(m, c->step);
		// A small table moves at once, and with it what was just put.
		if (ret_value)
			*ret_value =
			    hmapi_value(&s, hmapi_find(m, c, hmapi_home(m, hash), hash, key));
	}
	return HMAP_OK;
}

HMAPI_INLINE enum hmap_status hmapi_put(struct hmap *m, const struct hmapi_code *c, const void *key,
					const void *value, bool replace, void **ret_value,
					bool *ret_added)
{
	enum hmap_status status;

	if (HMAPI_UNLIKELY(!m))
		return HMAP_NULL_MAP;
	if (!c->segments && HMAPI_UNLIKELY(m->detour & ~(unsigned)HMAPI_CURSOR))
		return hmapi_put_any(m, key, value, replace, ret_value, ret_added);
	status = hmapi_begin_write(m);
	if (HMAPI_UNLIKELY(status != HMAP_OK))
		return status;
	return hmapi_end_write(m,
			       hmapi_put_inside(m, c, key, value, replace, ret_value, ret_added));
}

/** An entry is erased from its chain or from another group of its block. */
HMAPI_INLINE bool hmapi_erase_far(struct hmap *m, const struct hmapi_code *c, size_t group,
				  uint64_t hash, const void *key)
{
	const struct hmap_type *type = hmapi_type(m, c);
	const struct hmap_shape s = hmapi_shape(m, c);
	uint8_t *home = hmapi_tags(m, c, group);
	size_t last = group | m->block_mask;

	for (size_t j = 1; j <= m->block_mask; j++) {
		uint8_t *tags = hmapi_tags(m, c, group ^ j);
		unsigned char *slots = hmapi_slots(m, c, group ^ j);

		for (unsigned x = hmapi_match(tags, hash); x; x &= x - 1) {
			unsigned char *slot = slots + (size_t)hmapi_first(x) * s.slot_size;

			if (!hmapi_is(type, &s, slot, key, hash))
				continue;
			if (s.flags)
				hmapi_drop(m, slot);
			tags[hmapi_first(x)] = HMAP_TAG_EMPTY;
			hmapi_forget_stray(home);
			return true;
		}
	}
	if (hmapi_tags(m, c, last)[HMAP_GROUP_SLOTS - 1] != HMAP_TAG_LINK ||
	    !hmapi_erase_from_chain(m, last, hash, key))
		return false;
	hmapi_forget_stray(home);
	return true;
}

HMAPI_INLINE enum hmap_status hmapi_erase_inside(struct hmap *m, const struct hmapi_code *c,
						 const void *key)
{
	const struct hmap_type *type = hmapi_type(m, c);
	const struct hmap_shape s = hmapi_shape(m, c);
	uint64_t hash = hmapi_hash(m, type, key);
	unsigned char *slots;
	uint8_t *tags;
	size_t group;

	if (HMAPI_UNLIKELY(m->detour & HMAPI_CURSOR))
		c->step(m);
	group = hmapi_home(m, hash);
	tags = hmapi_tags(m, c, group);
	slots = hmapi_slots(m, c, group);
	for (unsigned x = hmapi_match(tags, hash);; x &= x - 1) {
		unsigned char *slot;

		if (!x) {
			if (HMAPI_LIKELY(!(tags[HMAPI_FILTER] & hmapi_filter_bit(hash))) ||
			    !c->erase_far(m, group, hash, key))
				return HMAP_NOT_FOUND;
			break;
		}
		slot = slots + (size_t)hmapi_first(x) * s.slot_size;
		if (HMAPI_LIKELY(hmapi_is(type, &s, slot, key, hash))) {
			if (s.flags)
				hmapi_drop(m, slot);
			tags[hmapi_first(x)] = HMAP_TAG_EMPTY;
			if (HMAPI_UNLIKELY(tags[HMAPI_COUNT]))
				c->pull_home(m, group);
			break;
		}
	}
	if (HMAPI_UNLIKELY(--m->count < m->shrink_at))
		hmapi_begin_shrink(m);
	return HMAP_OK;
}

HMAPI_INLINE enum hmap_status hmapi_erase(struct hmap *m, const struct hmapi_code *c,
					  const void *key)
{
	enum hmap_status status;

	if (HMAPI_UNLIKELY(!m))
		return HMAP_NULL_MAP;
	if (!c->segments && HMAPI_UNLIKELY(m->detour & ~(unsigned)HMAPI_CURSOR))
		return hmapi_erase_any(m, key);
	status = hmapi_begin_write(m);
	if (HMAPI_UNLIKELY(status != HMAP_OK))
		return status;
	return hmapi_end_write(m, hmapi_erase_inside(m, c, key));
}

enum { HMAPI_BATCH = 32 };

/** Hashes and tags of a batch first, then its slots, then the comparisons: the misses overlap. */
HMAPI_INLINE size_t hmapi_get_many(const struct hmap *m, const struct hmapi_code *c,
				   const void *keys, size_t count, void **ret_values)
{
	const struct hmap_type *type = hmapi_type(m, c);
	const struct hmap_shape s = hmapi_shape(m, c);
	const unsigned char *key = (const unsigned char *)keys;
	size_t found = 0;

	hmapi_begin_read(m);
	for (size_t at = 0; at < count; at += HMAPI_BATCH) {
		size_t left = count - at, here = left < HMAPI_BATCH ? left : (size_t)HMAPI_BATCH;
		uint64_t hash[HMAPI_BATCH];
		size_t group[HMAPI_BATCH];
		unsigned match[HMAPI_BATCH];

		for (size_t i = 0; i < here; i++) {
			hash[i] = hmapi_hash(m, type, key + (at + i) * type->key_size);
			group[i] = hmapi_home(m, hash[i]);
			__builtin_prefetch(hmapi_tags(m, c, group[i]));
		}
		for (size_t i = 0; i < here; i++) {
			match[i] = hmapi_match(hmapi_tags(m, c, group[i]), hash[i]);
			if (match[i])
				__builtin_prefetch(hmapi_slots(m, c, group[i]) +
						   (size_t)hmapi_first(match[i]) * s.slot_size);
		}
		for (size_t i = 0; i < here; i++) {
			const void *wanted = key + (at + i) * type->key_size;
			unsigned char *slots = hmapi_slots(m, c, group[i]), *slot = NULL;

			for (unsigned x = match[i]; x; x &= x - 1) {
				slot = slots + (size_t)hmapi_first(x) * s.slot_size;
				if (HMAPI_LIKELY(hmapi_is(type, &s, slot, wanted, hash[i])))
					break;
				slot = NULL;
			}
			if (!slot && HMAPI_UNLIKELY(hmapi_tags(m, c, group[i])[HMAPI_FILTER] &
						    hmapi_filter_bit(hash[i])))
				slot = c->find_far(m, group[i], hash[i], wanted);
			ret_values[at + i] = slot ? hmapi_value(&s, slot) : NULL;
			found += slot != NULL;
		}
	}
	return found;
}

/** The next entry of an iteration: at once while it goes through a group. */
HMAPI_INLINE bool hmapi_next(struct hmap_iterator *it, const struct hmapi_code *c)
{
	struct hmap_iteration *state = it->state;
	const struct hmap_shape s = state ? hmapi_shape(it->map, c) : it->map->shape;

	while (HMAPI_LIKELY(state && state->mask && !state->filter)) {
		unsigned i = hmapi_first(state->mask);

		state->mask &= state->mask - 1;
		if (HMAPI_UNLIKELY(state->tags[i] < 2))
			continue;
		hmapi_begin_iteration_read(it->map);
		it->key = hmapi_key(&s, state->slots + (size_t)i * s.slot_size);
		it->value = hmapi_value(&s, state->slots + (size_t)i * s.slot_size);
		return true;
	}
	return hmapi_next_far(it);
}

/** The operations that are not inlined at every call, for one type: a constant `name`_code. */
#define HMAPI_CODE(name, type, in_segments)                                                        \
	static unsigned char *name##_find_far(const struct hmap *m, size_t group, uint64_t hash,   \
					      const void *key);                                    \
	static struct hmapi_place name##_make_room(struct hmap *m, size_t group);                  \
	static bool name##_erase_far(struct hmap *m, size_t group, uint64_t hash,                  \
				     const void *key);                                             \
	static void name##_pull_home(struct hmap *m, size_t group);                                \
	static void name##_step(struct hmap *m);                                                   \
	static const struct hmapi_code name##_code = { type,                                       \
						       in_segments,                                \
						       name##_find_far,                            \
						       name##_make_room,                           \
						       name##_erase_far,                           \
						       name##_pull_home,                           \
						       name##_step };                              \
	static HMAPI_NOINLINE unsigned char *name##_find_far(const struct hmap *m, size_t group,   \
							     uint64_t hash, const void *key)       \
	{                                                                                          \
		return hmapi_find_far(m, &name##_code, group, hash, key);                          \
	}                                                                                          \
	static HMAPI_NOINLINE struct hmapi_place name##_make_room(struct hmap *m, size_t group)    \
	{                                                                                          \
		return hmapi_make_room(m, &name##_code, group);                                    \
	}                                                                                          \
	static HMAPI_NOINLINE bool name##_erase_far(struct hmap *m, size_t group, uint64_t hash,   \
						    const void *key)                               \
	{                                                                                          \
		return hmapi_erase_far(m, &name##_code, group, hash, key);                         \
	}                                                                                          \
	static HMAPI_NOINLINE void name##_pull_home(struct hmap *m, size_t group)                  \
	{                                                                                          \
		hmapi_pull_home(m, &name##_code, group);                                           \
	}                                                                                          \
	static HMAPI_NOINLINE void name##_step(struct hmap *m)                                     \
	{                                                                                          \
		hmapi_step(m, &name##_code);                                                       \
	}                                                                                          \
	struct hmapi_semicolon

#ifdef __cplusplus
}
#endif

#endif
