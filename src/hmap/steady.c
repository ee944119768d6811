// The passes of the steady engine: when the table grows, halves or is tidied up, and what begins
// and ends with it.  How entries move is in hmap_steady.h, inlined for each type; this is the part
// that is the same for all of them, and the instances for types that are known only to the map.
//
// A growth that cannot have memory is not an error: the table goes on at a higher load, through
// chains, and tries again later.  Only an entry for which there is no room at all is refused.
#include "hmap/steady.h"
#include "hmap/registry.h"
#include "hmap/space.h"

enum {
	SMALL_AT_ONCE = 16, // groups that a pass handles in the write that begins it
	FEWEST_TO_SHRINK = 16,
	COMPACT_LEAST = 16,
	TRY_AGAIN = 8,
	PREPARATIONS = 12, // writes before a growth that may prepare it
};

HMAPI_CODE(flat, NULL, false);
HMAPI_CODE(segments, NULL, true);
const struct hmapi_code *const hmapi_flat_code = &flat_code;
const struct hmapi_code *const hmapi_segments_code = &segments_code;

void hmapi_tell(struct hmap *m, enum hmap_event_kind kind, size_t from, size_t to, size_t entries)
{
	struct hmap_event event = { .kind = kind, .from = from, .to = to, .entries = entries };

	hmapi_notify(m, &event);
}

static void tell_growth(struct hmap *m, size_t from, size_t to, size_t adding)
{
	struct hmap_event event = { .kind = HMAP_EVENT_GROWS,
				    .from = from,
				    .to = to,
				    .entries = m->count - adding,
				    .adding = adding };

	hmapi_notify(m, &event);
}

/** Entries in the groups of the block at @p block, and in its chain. */
static size_t entries_of(const struct hmap *m, size_t block)
{
	const struct hmapi_code *c = hmapi_code_of(m);
	size_t last = block | m->block_mask, entries = 0;

	for (size_t g = block; g <= last; g++)
		entries += (size_t)__builtin_popcount(hmapi_occupied(hmapi_tags(m, c, g)));
	if (hmapi_tags(m, c, last)[HMAP_GROUP_SLOTS - 1] != HMAP_TAG_LINK)
		return entries;
	for (struct hmapi_node *node = hmapi_link(&m->shape, hmapi_slots(m, c, last)); node;
	     node = node->next)
		for (unsigned i = 0; i < m->shape.node_slots; i++)
			entries += node->tags[i] != 0;
	return entries;
}

void hmapi_tell_move(struct hmap *m, size_t from, size_t to)
{
	// A halving empties the upper block into the lower one: what is told is what is there now.
	hmapi_tell(m, HMAP_EVENT_MIGRATES, from / HMAP_BLOCK_GROUPS, to / HMAP_BLOCK_GROUPS,
		   entries_of(m, m->pass == HMAP_PASS_SHRINK ? from : to));
}

static size_t slots_of(size_t groups)
{
	return groups * HMAP_GROUP_SLOTS;
}

size_t hmapi_groups_for(const struct hmap *m, size_t entries)
{
	size_t groups = 1;

	if (entries < HMAP_GROUP_SLOTS)
		return 1;
	for (groups = HMAP_BLOCK_GROUPS; (double)slots_of(groups) * m->load < (double)entries;)
		groups *= 2;
	return groups;
}

/** The count at which growth is thought of: some writes early, where it is to be prepared. */
static size_t first_thought(const struct hmap *m)
{
	if (hmapi_space_needs_preparation(m) && m->usual_grow_at > PREPARATIONS)
		return m->usual_grow_at - PREPARATIONS;
	return m->usual_grow_at;
}

void hmapi_set_limits(struct hmap *m)
{
	size_t slots = slots_of(m->groups);
	double least = m->shrink * (double)slots;
	double idle = (1 - m->shrink_idle) * (double)slots / 2;

	m->block_mask = m->groups >= HMAP_BLOCK_GROUPS ? HMAP_BLOCK_GROUPS - 1 : 0;
	m->grow_at = m->groups == 1 ? HMAP_GROUP_SLOTS - 1 : (size_t)((double)slots * m->load);
	m->shrink_at = 0;
	if (m->shrink > 0 && m->groups > FEWEST_TO_SHRINK)
		m->shrink_at = (size_t)(least < idle ? least : idle);
	m->usual_grow_at = m->grow_at;
	m->grow_at = first_thought(m);
	m->high_load_at = m->high_load > 0 ? (size_t)(m->high_load * (double)slots) : SIZE_MAX;
	if (m->count > m->high_load_at)
		m->high_load_at = SIZE_MAX;
	if (m->grow_at > m->high_load_at)
		m->grow_at = m->high_load_at;
	m->compact_at = m->groups / HMAP_BLOCK_GROUPS / 2;
	if (m->compact_at < COMPACT_LEAST)
		m->compact_at = COMPACT_LEAST;
	if (m->compact_at < m->nodes_used * 2)
		m->compact_at = m->nodes_used * 2;
	hmapi_space_note(m);
}

enum hmap_status hmapi_birth(struct hmap *m, size_t hint, enum hmap_reserve_how how)
{
	size_t groups;

	if (hint > SIZE_MAX / 8 / (m->shape.slot_size + 1))
		return HMAP_TOO_LARGE;
	groups = hmapi_groups_for(m, hint);
	if (!hmapi_space_make(m, groups, how))
		return HMAP_NO_MEMORY;
	m->state &= ~(uintptr_t)HMAPI_UNBORN;
	m->groups = groups;
	m->mask = groups - 1;
	hmapi_set_limits(m);
	return HMAP_OK;
}

/** The one group of a small table becomes a block of four. */
static bool first_block(struct hmap *m, const struct hmapi_code *c)
{
	struct hmap old = *m;
	const struct hmap_shape *s = &m->shape;

	if ((m->iterations && !hmapi_detach(m, 0)) || !hmapi_have_nodes(m, m->count + s->links))
		return false;
	old.free_nodes = m->free_nodes;
	m->small_bytes = 0;
	if (!hmapi_space_make(m, HMAP_BLOCK_GROUPS, HMAP_RESERVE_PLAIN)) {
		m->small_bytes = old.small_bytes;
		return false;
	}
	m->groups = HMAP_BLOCK_GROUPS;
	m->mask = HMAP_BLOCK_GROUPS - 1;
	m->block_mask = HMAP_BLOCK_GROUPS - 1;
	for (unsigned i = 0; i < HMAP_GROUP_SLOTS; i++)
		if (old.tags[i] >= 2) {
			unsigned char *slot = old.slots + (size_t)i * s->slot_size;
			uint64_t hash = hmapi_hash_in(m, m->type, s, old.tags[i], slot);

			hmapi_rehome(m, c, (size_t)hash & m->mask, hash, old.tags[i], slot);
		}
	if (old.tags[HMAP_GROUP_SLOTS - 1] == HMAP_TAG_LINK)
		for (struct hmapi_node *node = hmapi_link(s, old.slots), *next; node; node = next) {
			for (unsigned i = 0; i < s->node_slots; i++)
				if (node->tags[i]) {
					unsigned char *slot = hmapi_node_slot(s, node, i);
					uint64_t hash =
					    hmapi_hash_in(m, m->type, s, node->tags[i], slot);

					hmapi_rehome(m, c, (size_t)hash & m->mask, hash,
						     node->tags[i], slot);
				}
			next = node->next;
			hmapi_free_node(m, node);
		}
	m->allocator->release(m->allocator->state, old.tags, old.small_bytes,
			      s->align > 64 ? s->align : 64);
	hmapi_space_note(m);
	return true;
}

static void begin_pass(struct hmap *m, enum hmap_pass pass, size_t end)
{
	m->pass = pass;
	hmapi_ask_for_moves(m);
	m->pass_end = end;
	m->wait = 0;
	m->grow_at = SIZE_MAX;
	m->shrink_at = 0;
	m->state |= HMAPI_CURSOR;
}

/** Names of the library begin with its own also where nobody else sees them: stacks show them. */
static void hmapi_grow_table(struct hmap *m, void (*step)(struct hmap *m), size_t adding)
{
	size_t groups = m->groups;
	bool was_small = m->small_bytes != 0;

	if (groups == 1) {
		if (!first_block(m, hmapi_flat_code)) {
			hmapi_space_note(m);
			m->grow_at = m->count + TRY_AGAIN;
			return;
		}
		m->growths++;
		tell_growth(m, slots_of(1), slots_of(m->groups), adding);
		hmapi_set_limits(m);
		hmapi_tell(m, HMAP_EVENT_GROWN, slots_of(1), slots_of(m->groups), m->count);
		return;
	}
	if (!hmapi_space_double(m)) {
		hmapi_space_note(m);
		m->grow_at = m->count + m->count / 8;
		return;
	}
	if (m->iterations)
		hmapi_rebase_iterations(m);
	if (was_small)
		hmapi_begin_work(m); // a copy is exempt
	hmapi_space_note(m);
	m->low = groups;
	m->mask = 2 * groups - 1;
	begin_pass(m, HMAP_PASS_GROW, 2 * groups);
	m->growths++;
	tell_growth(m, slots_of(groups), slots_of(2 * groups), adding);
	// The instance that the caller runs may be the wrong one now: the table may be in segments.
	if (m->state & HMAPI_SEGMENTS)
		step = hmapi_segments_code->step;
	if (groups > SMALL_AT_ONCE)
		return;
	while (m->pass && !m->wait)
		step(m);
	hmapi_begin_work(m); // exempt
}

void hmapi_grow(struct hmap *m, void (*step)(struct hmap *m), size_t adding)
{
	uint64_t began = hmapi_clock(m);

	hmapi_grow_table(m, step, adding);
	hmapi_note_time(m, began);
}

void hmapi_begin_growth(struct hmap *m, void (*step)(struct hmap *m), size_t adding)
{
	if (m->count > m->high_load_at) {
		m->high_load_at = SIZE_MAX;
		m->grow_at = m->pass ? SIZE_MAX : first_thought(m);
		hmapi_tell(m, HMAP_EVENT_HIGH_LOAD, slots_of(m->groups), slots_of(m->groups),
			   m->count);
		if (m->count <= m->grow_at)
			return;
	}
	if (m->pass)
		return;
	if (m->count > m->usual_grow_at) {
		hmapi_grow(m, step, adding);
		return;
	}
	m->grow_at = m->usual_grow_at;
	if (hmapi_space_prepare(m) == HMAPI_PREPARING)
		m->grow_at = m->count;
	hmapi_space_note(m);
	if (m->iterations)
		hmapi_rebase_iterations(m);
}

enum hmap_status hmapi_begin_halving(struct hmap *m)
{
	if (m->pass)
		return HMAP_OK;
	if (m->groups <= HMAP_BLOCK_GROUPS)
		return HMAP_NOT_SUPPORTED;
	m->low = m->groups / 2;
	begin_pass(m, HMAP_PASS_SHRINK, m->low);
	m->release_at = m->groups;
	m->shrinks++;
	hmapi_tell(m, HMAP_EVENT_SHRINKS, slots_of(m->groups), slots_of(m->low), m->count);
	return HMAP_OK;
}

void hmapi_begin_shrink(struct hmap *m)
{
	(void)hmapi_begin_halving(m);
}

enum hmap_status hmapi_begin_compaction(struct hmap *m)
{
	if (m->pass)
		return HMAP_OK;
	if (m->groups < HMAP_BLOCK_GROUPS)
		return HMAP_NOT_SUPPORTED;
	m->low = m->groups;
	m->compacted = 0;
	begin_pass(m, HMAP_PASS_COMPACT, m->groups);
	m->compactions++;
	hmapi_tell(m, HMAP_EVENT_COMPACTS, slots_of(m->groups), slots_of(m->groups), m->count);
	return HMAP_OK;
}

/** Whether a table that was asked to shrink still has room to spare for a halving. */
static bool goes_on_shrinking(const struct hmap *m)
{
	return m->shrinking && m->groups > HMAP_BLOCK_GROUPS &&
	       (double)m->count < (1 - m->shrink_idle) * (double)slots_of(m->groups) / 2;
}

static void hmapi_end_this_pass(struct hmap *m)
{
	enum hmap_pass pass = m->pass;

	m->pass = (enum hmap_pass)0;
	m->state &= ~(uintptr_t)HMAPI_CURSOR;
	m->mask = m->groups - 1;
	hmapi_retire_nodes(m);
	hmapi_set_limits(m);
	if (m->grow_at < m->count)
		m->grow_at = m->count;
	if (pass == HMAP_PASS_SHRINK) {
		hmapi_less_memory(m);
		hmapi_space_tighten(m);
		hmapi_space_note(m);
		if (m->iterations)
			hmapi_rebase_iterations(m);
		hmapi_tell(m, HMAP_EVENT_SHRUNK, slots_of(m->groups * 2), slots_of(m->groups),
			   m->count);
	} else {
		hmapi_tell(m, HMAP_EVENT_GROWN,
			   slots_of(pass == HMAP_PASS_GROW ? m->groups / 2 : m->groups),
			   slots_of(m->groups), m->count);
	}
	if (goes_on_shrinking(m))
		(void)hmapi_begin_halving(m);
	else
		m->shrinking = false;
}

void hmapi_end_pass(struct hmap *m)
{
	uint64_t began = hmapi_clock(m);

	hmapi_end_this_pass(m);
	hmapi_note_time(m, began);
}

/* ------------------------------------------------------------------------------------------- */
/* Chains                                                                                      */

bool hmapi_pull_from_chain(struct hmap *m, size_t group, unsigned index)
{
	const struct hmapi_code *c = hmapi_code_of(m);
	const struct hmap_shape *s = &m->shape;
	size_t last = group | m->block_mask;
	uint8_t *tags = hmapi_tags(m, c, last);
	struct hmapi_node *before = NULL;

	if (tags[HMAP_GROUP_SLOTS - 1] != HMAP_TAG_LINK)
		return false;
	for (struct hmapi_node *node = hmapi_link(s, hmapi_slots(m, c, last)); node;
	     node = node->next) {
		unsigned left = 0;
		bool pulled = false;

		for (unsigned i = 0; i < s->node_slots; i++) {
			unsigned char *slot = hmapi_node_slot(s, node, i);
			uint64_t hash;

			if (!node->tags[i])
				continue;
			left++;
			if (pulled)
				continue;
			hash = hmapi_hash_in(m, m->type, s, node->tags[i], slot);
			if (((hash ^ group) & m->block_mask) != 0)
				continue;
			memcpy(hmapi_slots(m, c, group) + (size_t)index * s->slot_size, slot,
			       s->slot_size);
			hmapi_tags(m, c, group)[index] = node->tags[i];
			node->tags[i] = HMAP_TAG_EMPTY;
			hmapi_forget_stray(hmapi_tags(m, c, group));
			pulled = true;
			left--;
		}
		if (pulled) {
			if (!left)
				hmapi_unlink(m, last, before, node);
			return true;
		}
		before = node;
	}
	return false;
}

void hmapi_unlink(struct hmap *m, size_t last, struct hmapi_node *before, struct hmapi_node *node)
{
	const struct hmapi_code *c = hmapi_code_of(m);
	const struct hmap_shape *s = &m->shape;

	if (before)
		before->next = node->next;
	else if (node->next)
		hmapi_set_link(s, hmapi_slots(m, c, last), node->next);
	else
		memset(hmapi_tags(m, c, last) + HMAP_GROUP_SLOTS - s->links, HMAP_TAG_EMPTY,
		       s->links);
	hmapi_free_node(m, node);
}

bool hmapi_erase_from_chain(struct hmap *m, size_t last, uint64_t hash, const void *key)
{
	const struct hmapi_code *c = hmapi_code_of(m);
	const struct hmap_shape *s = &m->shape;
	uint8_t tag = hmapi_tag(hash);
	struct hmapi_node *before = NULL;

	for (struct hmapi_node *node = hmapi_link(s, hmapi_slots(m, c, last)); node;
	     node = node->next) {
		for (unsigned i = 0; i < s->node_slots; i++) {
			unsigned char *slot = hmapi_node_slot(s, node, i);
			unsigned left = 0;

			if (node->tags[i] != tag || !hmapi_is(m->type, s, slot, key, hash))
				continue;
			if (s->flags)
				hmapi_drop(m, slot);
			node->tags[i] = HMAP_TAG_EMPTY;
			for (unsigned j = 0; j < s->node_slots; j++)
				left += node->tags[j] != 0;
			// An iteration counts the nodes that it has passed: it steps aside first,
			// or the empty node stays.
			if (!left && (!m->iterations || hmapi_detach(m, last / HMAP_BLOCK_GROUPS *
									    HMAP_BLOCK_GROUPS)))
				hmapi_unlink(m, last, before, node);
			return true;
		}
		before = node;
	}
	return false;
}

/* ------------------------------------------------------------------------------------------- */
/* Entries whose copies are more than bytes                                                    */

/** An object of its own, copied by the type's callback or byte by byte; NULL: no memory. */
static void *new_object(struct hmap *m, const void *from, uint32_t size, uint32_t align,
			hmap_copy_fn copy)
{
	void *object = m->allocator->allocate(m->allocator->state, size, align);

	if (!object)
		return NULL;
	if (from && copy ? !copy(object, from, m->type->state) : false) {
		m->allocator->release(m->allocator->state, object, size, align);
		return NULL;
	}
	if (!from)
		memset(object, 0, size);
	else if (!copy)
		memcpy(object, from, size);
	return object;
}

static uint32_t object_align(uint32_t size, uint32_t given)
{
	return hmapi_align_of(size, given);
}

static bool fill_key(struct hmap *m, unsigned char *slot, const void *key)
{
	const struct hmap_type *t = m->type;

	if (m->shape.flags & HMAPI_KEY_BY_REFERENCE) {
		void *object = new_object(m, key, t->key_size,
					  object_align(t->key_size, t->key_align), t->key_copy);

		memcpy(slot, &object, sizeof(object));
		return object;
	}
	if (t->key_copy)
		return t->key_copy(slot, key, t->state);
	memcpy(slot, key, t->key_size);
	return true;
}

static bool fill_value(struct hmap *m, unsigned char *at, const void *value)
{
	const struct hmap_type *t = m->type;

	if (!t->value_size)
		return true;
	if (m->shape.flags & HMAPI_VALUE_BY_REFERENCE) {
		void *object =
		    new_object(m, value, t->value_size, object_align(t->value_size, t->value_align),
			       t->value_copy);

		memcpy(at, &object, sizeof(object));
		return object;
	}
	if (value && t->value_copy)
		return t->value_copy(at, value, t->state);
	if (value)
		memcpy(at, value, t->value_size);
	else
		memset(at, 0, t->value_size);
	return true;
}

static void drop_key(struct hmap *m, unsigned char *slot)
{
	const struct hmap_type *t = m->type;
	void *key = (void *)(uintptr_t)hmapi_key(&m->shape, slot);

	if (t->key_destroy)
		t->key_destroy(key, t->state);
	if (m->shape.flags & HMAPI_KEY_BY_REFERENCE)
		m->allocator->release(m->allocator->state, key, t->key_size,
				      object_align(t->key_size, t->key_align));
}

static void drop_value(struct hmap *m, unsigned char *slot)
{
	const struct hmap_type *t = m->type;
	void *value = hmapi_value(&m->shape, slot);

	if (t->value_destroy && t->value_size)
		t->value_destroy(value, t->state);
	if (m->shape.flags & HMAPI_VALUE_BY_REFERENCE)
		m->allocator->release(m->allocator->state, value, t->value_size,
				      object_align(t->value_size, t->value_align));
}

bool hmapi_fill(struct hmap *m, unsigned char *slot, const void *key, const void *value)
{
	if (!fill_key(m, slot, key))
		return false;
	if (fill_value(m, slot + m->shape.value_at, value))
		return true;
	drop_key(m, slot);
	return false;
}

bool hmapi_replace(struct hmap *m, unsigned char *slot, const void *value)
{
	const struct hmap_type *t = m->type;
	unsigned char *at = slot + m->shape.value_at;
	bool away = m->shape.flags & HMAPI_VALUE_BY_REFERENCE;
	unsigned char made[1024] __attribute__((aligned(64)));

	if (away && !t->value_copy && !t->value_destroy) {
		if (value)
			memcpy(hmapi_value(&m->shape, slot), value, t->value_size);
		else
			memset(hmapi_value(&m->shape, slot), 0, t->value_size);
		return true;
	}
	// The new one is made before the old one goes: it may fail, and may be a copy of it.
	if (!fill_value(m, made, value))
		return false;
	drop_value(m, slot);
	memcpy(at, made, m->shape.value_size);
	return true;
}

void hmapi_drop(struct hmap *m, unsigned char *slot)
{
	drop_value(m, slot);
	drop_key(m, slot);
}

void hmapi_each_slot(const struct hmap *m,
		     bool (*visit)(const struct hmap *m, unsigned char *slot, void *state),
		     void *state)
{
	const struct hmapi_code *c = hmapi_code_of(m);
	const struct hmap_shape *s = &m->shape;

	for (size_t g = 0; g < m->groups && !(m->state & HMAPI_UNBORN); g++) {
		uint8_t *tags = hmapi_tags(m, c, g);
		unsigned char *slots = hmapi_slots(m, c, g);

		for (unsigned x = hmapi_occupied(tags); x; x &= x - 1)
			if (!visit(m, slots + (size_t)hmapi_first(x) * s->slot_size, state))
				return;
		if (tags[HMAP_GROUP_SLOTS - 1] != HMAP_TAG_LINK)
			continue;
		for (struct hmapi_node *node = hmapi_link(s, slots); node; node = node->next)
			for (unsigned i = 0; i < s->node_slots; i++)
				if (node->tags[i] && !visit(m, hmapi_node_slot(s, node, i), state))
					return;
	}
}
