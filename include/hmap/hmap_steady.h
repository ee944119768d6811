/*
 * hmap_steady.h - the operations of the steady engine, as inline functions over hmap_table.h.
 *
 * Not a header to include by itself: hmap.h is the interface, hmap_typed.h makes typed maps out of
 * what is here.  All names that begin with hmapi_ are the library's own and may change.
 */
#ifndef HMAP_HMAP_STEADY_H
#define HMAP_HMAP_STEADY_H

#include <hmap/hmap_table.h>
#include <pthread.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------------------------------- */
/* Search                                                                                      */

/* A key whose address is handed to a function lives in memory.  For small ones a copy is made where
 * that happens, out of the straight way, so that there it stays in a register. */
enum { HMAPI_IN_REGISTERS = 16 };

HMAPI_INLINE bool hmapi_small_key(const struct hmapi_code *c)
{
	return c->type && c->type->key_size <= HMAPI_IN_REGISTERS;
}

HMAPI_INLINE unsigned char *hmapi_cold_find_far(const struct hmap *m, const struct hmapi_code *c,
						size_t group, uint64_t hash, const void *key)
{
	uint64_t copy[HMAPI_IN_REGISTERS / 8];

	if (!hmapi_small_key(c))
		return c->find_far(m, group, hash, key);
	memcpy(copy, key, c->type->key_size);
	return c->find_far(m, group, hash, copy);
}

HMAPI_INLINE bool hmapi_cold_erase_far(struct hmap *m, const struct hmapi_code *c, size_t group,
				       uint64_t hash, const void *key)
{
	uint64_t copy[HMAPI_IN_REGISTERS / 8];

	if (!hmapi_small_key(c))
		return c->erase_far(m, group, hash, key);
	memcpy(copy, key, c->type->key_size);
	return c->erase_far(m, group, hash, copy);
}

HMAPI_INLINE void *hmapi_cold_get(const struct hmap *m, const struct hmapi_code *c, const void *key)
{
	uint64_t copy[HMAPI_IN_REGISTERS / 8];

	if (!hmapi_small_key(c))
		return c->get_busy(m, key);
	memcpy(copy, key, c->type->key_size);
	return c->get_busy(m, copy);
}

HMAPI_INLINE enum hmap_status hmapi_cold_put(struct hmap *m, const struct hmapi_code *c,
					     const void *key, const void *value, bool replace,
					     void **ret_value, bool *ret_added)
{
	uint64_t copy[HMAPI_IN_REGISTERS / 8], value_copy[HMAPI_IN_REGISTERS / 8];

	if (!hmapi_small_key(c))
		return c->put_busy(m, key, value, replace, ret_value, ret_added);
	memcpy(copy, key, c->type->key_size);
	if (value && c->type->value_size <= HMAPI_IN_REGISTERS) {
		memcpy(value_copy, value, c->type->value_size);
		value = value_copy;
	}
	return c->put_busy(m, copy, value, replace, ret_value, ret_added);
}

HMAPI_INLINE enum hmap_status hmapi_cold_erase(struct hmap *m, const struct hmapi_code *c,
					       const void *key)
{
	uint64_t copy[HMAPI_IN_REGISTERS / 8];

	if (!hmapi_small_key(c))
		return c->erase_busy(m, key);
	memcpy(copy, key, c->type->key_size);
	return c->erase_busy(m, copy);
}

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
	return hmapi_cold_find_far(m, c, group, hash, key);
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

enum { HMAPI_NODES_LOOKED_AT = 2, HMAPI_TIDY_NODES = 4 };

/** A free slot of a block's chain: of its first nodes, else of a new one in front, so that a long
 *  chain costs no more than a short one.  slot NULL: no memory. */
HMAPI_INLINE struct hmapi_place hmapi_room_in_chain(struct hmap *m, const struct hmap_shape *s,
						    unsigned char *slots)
{
	struct hmapi_place place = { NULL, NULL, NULL };
	struct hmapi_node *head = hmapi_link(s, slots), *node = head;

	for (unsigned n = 0; node && n < HMAPI_NODES_LOOKED_AT; n++, node = node->next)
		for (unsigned i = 0; i < s->node_slots; i++)
			if (node->tags[i] == HMAP_TAG_EMPTY) {
				place.tag = &node->tags[i];
				place.slot = hmapi_node_slot(s, node, i);
				return place;
			}
	node = hmapi_new_node(m);
	if (!node)
		return place;
	node->next = head;
	hmapi_set_link(s, slots, node);
	if (HMAPI_UNLIKELY(m->wanted_kinds & HMAPI_FIGURES))
		hmapi_note_chain(m, node);
	place.tag = &node->tags[0];
	place.slot = hmapi_node_slot(s, node, 0);
	return place;
}

/** Whether a block is worth tidying up: not one whose chain is long for another reason, such as a
 *  hash that tells its keys not apart. */
HMAPI_INLINE bool hmapi_can_tidy(const struct hmap *m, const struct hmapi_code *c, size_t last)
{
	const struct hmap_shape s = hmapi_shape(m, c);
	const struct hmapi_node *node;
	unsigned nodes = 0;

	if (hmapi_tags(m, c, last)[HMAP_GROUP_SLOTS - 1] != HMAP_TAG_LINK)
		return true;
	for (node = hmapi_link(&s, hmapi_slots(m, c, last)); node && nodes <= HMAPI_TIDY_NODES;
	     node = node->next)
		nodes++;
	return nodes <= HMAPI_TIDY_NODES;
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
	if (HMAPI_UNLIKELY(m->wanted_kinds & HMAPI_FIGURES))
		hmapi_note_chain(m, node);
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
		    hmapi_can_tidy(m, c, last) && hmapi_split(m, c, block, block, 0)) {
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
	place = hmapi_room_in_chain(m, &s, hmapi_slots(m, c, last));
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
	place = hmapi_room_in_chain(m, &s, hmapi_slots(m, c, last));
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
		hmapi_count_moves(m, (unsigned)__builtin_popcount(moves | away));
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
			hmapi_count_moves(m, 1);
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
		hmapi_tell_move(m, block, other);
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
	if (hmapi_tags(m, c, group | m->block_mask)[HMAP_GROUP_SLOTS - 1] == HMAP_TAG_LINK &&
	    hmapi_pull_from_chain(m, group, hmapi_first(gap)))
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
/** Its lowest bits are not told apart: they are the map's. */
#define HMAPI_ME ((uintptr_t)pthread_self() & ~(uintptr_t)HMAPI_DETOURS)
#endif

/* Of a word that another thread should not be writing, but may: once, and whole.  Not with the
 * compiler's atomic operations, after which it reads everything else again. */
#if defined(__SANITIZE_THREAD__)
#define HMAPI_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define HMAPI_TSAN 1
#endif
#endif
#if defined(HMAPI_TSAN)
#define HMAPI_LOAD(word) __atomic_load_n(&(word), __ATOMIC_RELAXED)
#define HMAPI_STORE(word, value) __atomic_store_n(&(word), (value), __ATOMIC_RELAXED)
#else
#define HMAPI_LOAD(word) (*(const volatile uintptr_t *)&(word))
#define HMAPI_STORE(word, value) (*(volatile uintptr_t *)&(word) = (value))
#endif

/** Who is writing; 0: nobody. */
HMAPI_INLINE uintptr_t hmapi_writer(const struct hmap *m)
{
	return HMAPI_LOAD(m->state) & ~(uintptr_t)HMAPI_DETOURS;
}

/** For the start of a read. */
HMAPI_INLINE void hmapi_begin_read(const struct hmap *m)
{
	uintptr_t other = hmapi_writer(m);

	if (HMAPI_UNLIKELY(other != 0))
		hmapi_misuse(m, "concurrent map read and map write", other);
}

HMAPI_INLINE void hmapi_begin_iteration_read(const struct hmap *m)
{
	uintptr_t other = hmapi_writer(m);

	if (HMAPI_UNLIKELY(other != 0))
		hmapi_misuse(m, "concurrent map iteration and map write", other);
}

HMAPI_INLINE void hmapi_set_writer(struct hmap *m, uintptr_t writer)
{
	uintptr_t detours = HMAPI_LOAD(m->state) & HMAPI_DETOURS;

	HMAPI_STORE(m->state, detours | writer);
}

HMAPI_INLINE enum hmap_status hmapi_begin_write(struct hmap *m)
{
	uintptr_t other = hmapi_writer(m);

	hmapi_set_writer(m, HMAPI_ME);
	if (HMAPI_UNLIKELY(other != 0))
		return hmapi_misuse(m, "concurrent map writes", other);
	return HMAP_OK;
}

HMAPI_INLINE enum hmap_status hmapi_end_write(struct hmap *m, enum hmap_status status)
{
	uintptr_t other = hmapi_writer(m);

	hmapi_set_writer(m, 0);
	if (HMAPI_UNLIKELY(other != HMAPI_ME))
		return hmapi_misuse(m, "concurrent map writes", other);
	return status;
}

/** The state of a map that this instance may use without a second thought. */
HMAPI_INLINE uintptr_t hmapi_idle(const struct hmapi_code *c)
{
	return c->segments ? HMAPI_SEGMENTS : 0;
}

/** The end of a write that began on an idle map. */
HMAPI_INLINE enum hmap_status hmapi_end_idle_write(struct hmap *m, const struct hmapi_code *c,
						   enum hmap_status status)
{
#if !defined(HMAP_NO_MISUSE_CHECK)
	if (HMAPI_UNLIKELY(HMAPI_LOAD(m->state) != (HMAPI_ME | hmapi_idle(c))))
		return hmapi_end_busy_write(m, status);
	HMAPI_STORE(m->state, hmapi_idle(c));
#else
	(void)m;
	(void)c;
#endif
	return status;
}

/** Whether a map needs another instance than this. */
HMAPI_INLINE bool hmapi_foreign(const struct hmap *m, const struct hmapi_code *c)
{
	return (m->state & (HMAPI_DETOURS & ~(uintptr_t)(HMAPI_CURSOR | HMAPI_AUDIT))) !=
	       hmapi_idle(c);
}

HMAPI_INLINE uint64_t hmapi_hash(const struct hmap *m, const struct hmap_type *type,
				 const void *key)
{
	return type->hash(key, m->seed, type->state);
}

HMAPI_INLINE void *hmapi_get_in(const struct hmap *m, const struct hmapi_code *c, const void *key,
				size_t group, uint64_t hash)
{
	const struct hmap_shape s = hmapi_shape(m, c);
	unsigned char *slot = hmapi_find(m, c, group, hash, key);

	return slot ? hmapi_value(&s, slot) : NULL;
}

HMAPI_INLINE void *hmapi_get(const struct hmap *m, const struct hmapi_code *c, const void *key)
{
	uint64_t hash;

	if (HMAPI_UNLIKELY(HMAPI_LOAD(m->state) != hmapi_idle(c)))
		return hmapi_cold_get(m, c, key);
	hash = hmapi_hash(m, hmapi_type(m, c), key);
	return hmapi_get_in(m, c, key, (size_t)hash & m->mask, hash);
}

/** While a pass is under way, or where the map is not as this instance wants it. */
HMAPI_INLINE void *hmapi_get_busy(const struct hmap *m, const struct hmapi_code *c, const void *key)
{
	uint64_t hash;

	hmapi_begin_read(m);
	if (hmapi_foreign(m, c))
		return hmapi_get_any(m, key);
	if (HMAPI_LOAD(m->state) & HMAPI_AUDIT)
		hmapi_audit(m, key, HMAP_ACCESS_GET);
	hash = hmapi_hash(m, hmapi_type(m, c), key);
	return hmapi_get_in(m, c, key, hmapi_home(m, hash), hash);
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

/** Key and value of a call, out of the way of what moves: they may be pointers into the map. */
struct hmapi_kept {
	unsigned char key[HMAPI_SLOT_MOST] __attribute__((aligned(64)));
	unsigned char value[HMAPI_SLOT_MOST] __attribute__((aligned(64)));
};

HMAPI_INLINE const void *hmapi_keep_key(struct hmapi_kept *kept, const struct hmap_shape *s,
					const void *key)
{
	if (s->flags & HMAPI_KEY_BY_REFERENCE)
		return key; // An object of its own stays where it is.
	memcpy(kept->key, key, s->key_size);
	return kept->key;
}

HMAPI_INLINE const void *hmapi_keep_value(struct hmapi_kept *kept, const struct hmap_shape *s,
					  const void *value)
{
	if (!value || !s->value_size || (s->flags & HMAPI_VALUE_BY_REFERENCE))
		return value;
	memcpy(kept->value, value, s->value_size);
	return kept->value;
}

HMAPI_INLINE enum hmap_status hmapi_put_inside(struct hmap *m, const struct hmapi_code *c,
					       const void *key, const void *value, bool replace,
					       void **ret_value, bool *ret_added, bool pass)
{
	const struct hmap_type *type = hmapi_type(m, c);
	const struct hmap_shape s = hmapi_shape(m, c);
	uint64_t hash = hmapi_hash(m, type, key);
	struct hmapi_place place = { NULL, NULL, NULL };
	struct hmapi_kept kept;
	unsigned char *slot;
	uint8_t *tags;
	unsigned gap;
	size_t group;

	if (pass && m->pass)
		c->step(m);
	group = pass ? hmapi_home(m, hash) : (size_t)hash & m->mask;
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
		if (!pass && !c->type) { // A typed call has copies.
			key = hmapi_keep_key(&kept, &s, key);
			value = hmapi_keep_value(&kept, &s, value);
		}
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
	// With a pointer to hand out, growth has had its chance before: it moves entries.
	if (HMAPI_UNLIKELY(++m->count > m->grow_at) && !ret_value)
		hmapi_begin_growth(m, c->step, 1);
	return HMAP_OK;
}

HMAPI_INLINE enum hmap_status hmapi_put(struct hmap *m, const struct hmapi_code *c, const void *key,
					const void *value, bool replace, void **ret_value,
					bool *ret_added)
{
	enum hmap_status status;

	if (HMAPI_UNLIKELY(!m))
		return HMAP_NULL_MAP;
	if (HMAPI_UNLIKELY(HMAPI_LOAD(m->state) != hmapi_idle(c)) ||
	    (ret_value && HMAPI_UNLIKELY(m->count >= m->grow_at)))
		return hmapi_cold_put(m, c, key, value, replace, ret_value, ret_added);
	HMAPI_STORE(m->state, HMAPI_ME | hmapi_idle(c));
	hmapi_begin_work(m);
	status = hmapi_put_inside(m, c, key, value, replace, ret_value, ret_added, false);
	hmapi_end_work(m);
	return hmapi_end_idle_write(m, c, status);
}

HMAPI_INLINE enum hmap_status hmapi_put_busy(struct hmap *m, const struct hmapi_code *c,
					     const void *key, const void *value, bool replace,
					     void **ret_value, bool *ret_added)
{
	const struct hmap_shape s = hmapi_shape(m, c);
	struct hmapi_kept kept;
	enum hmap_status status;

	if (hmapi_foreign(m, c))
		return hmapi_put_any(m, key, value, replace, ret_value, ret_added);
	if (HMAPI_LOAD(m->state) & HMAPI_AUDIT)
		hmapi_audit(m, key, HMAP_ACCESS_PUT);
	status = hmapi_begin_write(m);
	if (HMAPI_UNLIKELY(status != HMAP_OK))
		return status;
	key = hmapi_keep_key(&kept, &s, key);
	value = hmapi_keep_value(&kept, &s, value);
	if (ret_value && m->count >= m->grow_at) {
		hmapi_begin_growth(m, c->step, 0);
		if (hmapi_foreign(m, c)) { // It is in segments now.
			status = hmapi_end_write(m, HMAP_OK);
			return status != HMAP_OK
				   ? status
				   : hmapi_put_any(m, key, value, replace, ret_value, ret_added);
		}
	}
	hmapi_begin_work(m);
	status = hmapi_put_inside(m, c, key, value, replace, ret_value, ret_added, true);
	hmapi_end_work(m);
	return hmapi_end_write(m, status);
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
						 const void *key, bool pass)
{
	const struct hmap_type *type = hmapi_type(m, c);
	const struct hmap_shape s = hmapi_shape(m, c);
	uint64_t hash = hmapi_hash(m, type, key);
	unsigned char *slots;
	unsigned found;
	uint8_t *tags;
	size_t group;

	if (pass && m->pass)
		c->step(m);
	group = pass ? hmapi_home(m, hash) : (size_t)hash & m->mask;
	tags = hmapi_tags(m, c, group);
	slots = hmapi_slots(m, c, group);
	found = hmapi_match(tags, hash);
	if (found) {
		__builtin_prefetch(slots);
		__asm__ volatile("");
	}
	for (unsigned x = found;; x &= x - 1) {
		unsigned char *slot;

		if (!x) {
			if (HMAPI_LIKELY(!(tags[HMAPI_FILTER] & hmapi_filter_bit(hash))) ||
			    !hmapi_cold_erase_far(m, c, group, hash, key))
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
	if (HMAPI_UNLIKELY(HMAPI_LOAD(m->state) != hmapi_idle(c)))
		return hmapi_cold_erase(m, c, key);
	HMAPI_STORE(m->state, HMAPI_ME | hmapi_idle(c));
	hmapi_begin_work(m);
	status = hmapi_erase_inside(m, c, key, false);
	hmapi_end_work(m);
	return hmapi_end_idle_write(m, c, status);
}

HMAPI_INLINE enum hmap_status hmapi_erase_busy(struct hmap *m, const struct hmapi_code *c,
					       const void *key)
{
	const struct hmap_shape s = hmapi_shape(m, c);
	struct hmapi_kept kept;
	enum hmap_status status;

	if (hmapi_foreign(m, c))
		return hmapi_erase_any(m, key);
	if (HMAPI_LOAD(m->state) & HMAPI_AUDIT)
		hmapi_audit(m, key, HMAP_ACCESS_ERASE);
	status = hmapi_begin_write(m);
	if (HMAPI_UNLIKELY(status != HMAP_OK))
		return status;
	hmapi_begin_work(m);
	status = hmapi_erase_inside(m, c, hmapi_keep_key(&kept, &s, key), true);
	hmapi_end_work(m);
	return hmapi_end_write(m, status);
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

/** The slot of a byte of a block's tags: each group has two that are no slot's. */
HMAPI_INLINE size_t hmapi_slot_of_byte(unsigned byte)
{
	return byte - byte / HMAP_GROUP_BYTES * (HMAP_GROUP_BYTES - HMAP_GROUP_SLOTS);
}

/** The next entry of an iteration: at once while it goes through a block. */
HMAPI_INLINE bool hmapi_next(struct hmap_iterator *it, const struct hmapi_code *c)
{
	while (HMAPI_LIKELY(it->mask != 0)) {
		const struct hmap_shape s = hmapi_shape(it->map, c);
		unsigned byte = (unsigned)__builtin_ctzll(it->mask);
		unsigned char *slot = it->slots + hmapi_slot_of_byte(byte) * s.slot_size;

		if (HMAPI_UNLIKELY(it->state->stale))
			break;
		it->mask &= it->mask - 1;
		it->state->mask = it->mask;
		if (HMAPI_UNLIKELY(it->tags[byte] < 2))
			continue;
		hmapi_begin_iteration_read(it->map);
		it->key = hmapi_key(&s, slot);
		it->value = hmapi_value(&s, slot);
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
	static void *name##_get_busy(const struct hmap *m, const void *key);                       \
	static enum hmap_status name##_put_busy(struct hmap *m, const void *key,                   \
						const void *value, bool replace, void **ret_value, \
						bool *ret_added);                                  \
	static enum hmap_status name##_erase_busy(struct hmap *m, const void *key);                \
	static const struct hmapi_code name##_code = { type,                                       \
						       in_segments,                                \
						       name##_find_far,                            \
						       name##_make_room,                           \
						       name##_erase_far,                           \
						       name##_pull_home,                           \
						       name##_step,                                \
						       name##_get_busy,                            \
						       name##_put_busy,                            \
						       name##_erase_busy };                        \
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
	static HMAPI_NOINLINE void *name##_get_busy(const struct hmap *m, const void *key)         \
	{                                                                                          \
		return hmapi_get_busy(m, &name##_code, key);                                       \
	}                                                                                          \
	static HMAPI_NOINLINE enum hmap_status name##_put_busy(struct hmap *m, const void *key,    \
							       const void *value, bool replace,    \
							       void **ret_value, bool *ret_added)  \
	{                                                                                          \
		return hmapi_put_busy(m, &name##_code, key, value, replace, ret_value, ret_added); \
	}                                                                                          \
	static HMAPI_NOINLINE enum hmap_status name##_erase_busy(struct hmap *m, const void *key)  \
	{                                                                                          \
		return hmapi_erase_busy(m, &name##_code, key);                                     \
	}                                                                                          \
	struct hmapi_semicolon

#ifdef __cplusplus
}
#endif

#endif
