/*
 * hmap_table.h - the table of the steady engine: what lies where.
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
#ifndef HMAP_HMAP_TABLE_H
#define HMAP_HMAP_TABLE_H

#include <hmap/hmap.h>
#include <hmap/hmap_hash.h>
#include <hmap/hmap_tags.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HMAP_BLOCK_GROUPS 4
#define HMAP_BLOCK_SLOTS (HMAP_GROUP_SLOTS * HMAP_BLOCK_GROUPS)
#define HMAPI_NO_HASH UINT32_MAX
#define HMAPI_SLOT_MOST 1024 /* bytes of a slot */
#define HMAPI_LEAF 1024      /* segments in a leaf, leaves in the root */
#define HMAPI_WAIT 64        /* writes between two tries of a step that was refused */

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
	HMAPI_AUDIT = 16,   /* the next access is to be looked at: set by another thread */
	HMAPI_DETOURS = 31,
};

/* Beside the bits of events: keep longest_chain and worst_ns. */
#define HMAPI_FIGURES 0x80000000u

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
	/* The block it stands in: a bit for each byte of its tags. */
	uint64_t mask; /* slots still to see */
	bool stale;    /* what the caller's iterator holds of it no longer holds */
	bool second;   /* in the part of the block before `rotation` */
	bool filter;   /* only entries of the window count */
	enum hmapi_phase phase;
	const uint8_t *tags;
	unsigned char *slots;
	size_t block;      /* the block's first group */
	unsigned rotation; /* where in a block it begins, in a table of one */
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
	size_t grow_at; /* entries over which a growth begins */
	uintptr_t
	    state; /* enum hmapi_detour, and above it who is writing just now; 0: nothing special */
	/* What writes read. */
	size_t groups;    /* in use now: the cursor, while a pass is under way */
	size_t low;       /* groups of the smaller size, while a pass is under way */
	size_t ready;     /* groups that have memory */
	size_t shrink_at; /* entries under which a halving begins */
	struct hmapi_node *free_nodes;
	struct hmap_iteration *iterations;
	size_t usual_grow_at; /* grow_at, when a watermark stands in for it */
	enum hmap_pass pass;
	uint32_t kinds;      /* of events that somebody wants to know */
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
	unsigned char *coming; /* the block that a small table will move to, made a write ahead */
	size_t coming_bytes;
	unsigned char ***segments; /* a table in segments: leaves of 1,024 of them each */
	uint32_t segment_shift;    /* groups in a segment, as a power of two */
	uint32_t segment_slots_at; /* where slots begin in one */
	struct hmap_classic *classic;
	uintptr_t straight; /* likewise; 0 while its next access is to be looked at */
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
	/* What others see of it: hmap_registry.h. */
	uint64_t place;         /* in the list of all maps */
	const void *created_at; /* where its maker was called */
	size_t held_bytes;      /* hmap_stats' total_bytes, as of the last change of it ... */
	size_t held_reserved;   /* ... and reserved_bytes */
	uint32_t wanted_kinds;  /* `kinds` as of the map's making; a probe adds to these */
	uint32_t longest_chain; /* nodes, so far; where the observer asks for it, as the next */
	uint64_t worst_ns;      /* what a growth, its end or new memory took of one call at most */
#ifdef HMAP_CHECKS
	size_t work_moves, work_bytes; /* of the write under way: held against the promise */
#endif
};

/* ------------------------------------------------------------------------------------------- */
/* The promise, held in builds with HMAP_CHECKS: a write moves at most so many entries of slots
 * (those of chains come to it), and asks for at most one piece of memory, or a block where that is
 * more. Births, and tables that double at once (up to 16 groups) or are copied (64 KiB), are
 * exempt.        */

#if !defined(HMAPI_MOST_MOVES)
#define HMAPI_MOST_MOVES (2 * HMAP_BLOCK_SLOTS) /* one block by the cursor, one tidied up */
#endif
#define HMAPI_MOST_BYTES 32768

HMAPI_INLINE void hmapi_count_moves(struct hmap *m, unsigned moves)
{
#ifdef HMAP_CHECKS
	m->work_moves += moves;
#else
	(void)m;
	(void)moves;
#endif
}

HMAPI_INLINE void hmapi_begin_work(struct hmap *m)
{
#ifdef HMAP_CHECKS
	m->work_moves = 0;
	m->work_bytes = 0;
#else
	(void)m;
#endif
}

HMAPI_INLINE void hmapi_end_work(struct hmap *m)
{
#ifdef HMAP_CHECKS
	size_t block = (size_t)HMAP_BLOCK_SLOTS * m->shape.slot_size;

	if (m->work_moves > HMAPI_MOST_MOVES ||
	    m->work_bytes > HMAPI_MOST_BYTES + (block > 4096 ? block + HMAPI_MOST_BYTES : 0))
		__builtin_trap();
#else
	(void)m;
#endif
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
	void *(*get_busy)(const struct hmap *m, const void *key);
	enum hmap_status (*put_busy)(struct hmap *m, const void *key, const void *value,
				     bool replace, void **ret_value, bool *ret_added);
	enum hmap_status (*erase_busy)(struct hmap *m, const void *key);
};

/* What the library does for all of them; cold. */
/* `adding`: of the entries counted, those that the write under way has put in. */
HMAP_API void hmapi_begin_growth(struct hmap *m, void (*step)(struct hmap *m), size_t adding);
HMAP_API void hmapi_begin_shrink(struct hmap *m);
HMAP_API void hmapi_end_pass(struct hmap *m);
HMAP_API bool hmapi_more_memory(struct hmap *m);
/* Looks at an access, which hmap_audit_next asked for, and takes that back. */
HMAP_API void hmapi_audit(const struct hmap *m, const void *key, enum hmap_access_kind kind);
HMAP_API void hmapi_note_chain(struct hmap *m, const struct hmapi_node *head);
HMAP_API void hmapi_less_memory(struct hmap *m);
HMAP_API struct hmapi_node *hmapi_new_node(struct hmap *m);
/** At least so many entries' worth of free nodes are at hand afterwards. */
HMAP_API bool hmapi_have_nodes(struct hmap *m, size_t entries);
HMAP_API bool hmapi_pull_from_chain(struct hmap *m, size_t group, unsigned index);
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
/** Tells what a step did: the block `from` gave entries to the block `to`. */
HMAP_API void hmapi_tell_move(struct hmap *m, size_t from, size_t to);
HMAP_API enum hmap_status hmapi_end_busy_write(struct hmap *m, enum hmap_status status);
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

	if (HMAPI_UNLIKELY(m->state & HMAPI_CURSOR))
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

#ifdef __cplusplus
}
#endif

#endif
