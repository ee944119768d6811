// Iteration over a table that grows and shrinks in place.
//
// What is promised: each entry at most once, none that stays is missed, in random order.  What is
// hard: entries move, in place, while the iteration stands somewhere.  Two ideas solve it.
//
// Windows.  The iteration goes through units: the blocks of the (smaller) table when it began, from
// a random one on, each once.  An entry belongs to a unit by its hash alone, wherever it lies.
// Where the table has grown since, a unit lies in several blocks; they are visited in the order of
// the next hash bits, reversed, in which every block of whatever size is one interval.  What was
// done is then an interval too, and an entry of a block that was merged since is known to be done
// by its hash.
//
// Stepping aside.  Before a block is split, merged or tidied up, the map asks the iterations that
// stand in it to write down what they have not seen of it (hmapi_detach): hash and key bytes,
// looked up again one by one.  Where there is no memory for this, the block waits: moves can always
// wait.
#include "hmap/classic.h"
#include "hmap/space.h"
#include "hmap/steady.h"

#include <sched.h>
#include <sys/random.h>

static void lock(struct hmap *m)
{
	// Two threads that only read may both begin or end an iteration.
	while (__atomic_test_and_set(&m->iterations_lock, __ATOMIC_ACQUIRE))
		sched_yield();
}

static void unlock(struct hmap *m)
{
	__atomic_clear(&m->iterations_lock, __ATOMIC_RELEASE);
}

static uint64_t random_number(const void *salt)
{
	uint64_t number = 0;

	if (getrandom(&number, sizeof(number), GRND_NONBLOCK) != (ssize_t)sizeof(number))
		number = hmap_hash_u64((uintptr_t)salt, (uintptr_t)&number);
	return number;
}

static uint64_t reversed(uint64_t bits)
{
	bits = (bits >> 1 & UINT64_C(0x5555555555555555)) | (bits & UINT64_C(0x5555555555555555))
								<< 1;
	bits = (bits >> 2 & UINT64_C(0x3333333333333333)) | (bits & UINT64_C(0x3333333333333333))
								<< 2;
	bits = (bits >> 4 & UINT64_C(0x0f0f0f0f0f0f0f0f)) | (bits & UINT64_C(0x0f0f0f0f0f0f0f0f))
								<< 4;
	return __builtin_bswap64(bits);
}

static unsigned log2_of(size_t power)
{
	return (unsigned)__builtin_ctzll(power);
}

/* ------------------------------------------------------------------------------------------- */
/* Windows                                                                                     */

/** Where an entry stands within its unit. */
static uint64_t within_unit(const struct hmap_iteration *it, uint64_t hash)
{
	return reversed((hash / HMAP_BLOCK_GROUPS) >> it->unit_bits);
}

static size_t unit_of(const struct hmap_iteration *it)
{
	return (it->first_unit + it->units_done) & it->unit_mask;
}

static bool in_window(const struct hmap_iteration *it, uint64_t hash)
{
	uint64_t at = within_unit(it, hash);

	return ((hash / HMAP_BLOCK_GROUPS) & it->unit_mask) == unit_of(it) && at >= it->at &&
	       (it->end == 0 || at < it->end);
}

/** What is still to be seen of the block: the part from `rotation` on, or the part before it. */
static void look_at_block(const struct hmap *m, struct hmap_iteration *it)
{
	const struct hmapi_code *c = hmapi_code_of(m);
	uint64_t occupied = 0;

	it->tags = hmapi_tags(m, c, it->block);
	it->slots = hmapi_slots(m, c, it->block);
	for (unsigned q = 0; q <= m->block_mask; q++)
		occupied |= (uint64_t)hmapi_occupied(it->tags + (size_t)q * HMAP_GROUP_BYTES)
			    << q * HMAP_GROUP_BYTES;
	it->mask = it->second ? occupied & ((UINT64_C(1) << it->rotation) - 1)
			      : occupied >> it->rotation << it->rotation;
	it->stale = true;
}

/** The block that holds the iteration's position, and how much of the unit that covers. */
static void enter_block(const struct hmap *m, struct hmap_iteration *it)
{
	// The hash of an entry that would stand at the position.
	uint64_t bits = unit_of(it) | (it->unit_bits < 64 ? reversed(it->at) << it->unit_bits : 0);
	size_t group = hmapi_home(m, bits * HMAP_BLOCK_GROUPS);
	size_t size = m->groups; // of the table at whose size this block is
	int depth;

	if (m->pass == HMAP_PASS_GROW || m->pass == HMAP_PASS_SHRINK) {
		size_t low = group >= m->low ? group - m->low : group;

		size = low < m->groups - m->low ? 2 * m->low : m->low;
	}
	it->block = group & ~(size_t)m->block_mask;
	depth = (int)log2_of(size < HMAP_BLOCK_GROUPS ? 1 : size / HMAP_BLOCK_GROUPS) -
		(int)it->unit_bits;
	it->filter = depth < 0;
	it->end = 0;
	if (depth > 0) {
		uint64_t length = UINT64_C(1) << (64 - depth), begin = it->at & ~(length - 1);

		it->filter = begin != it->at;
		it->end = begin + length; // wraps to 0 at the end of the unit
	} else if (it->at) {
		it->filter = true;
	}
	it->second = false;
	it->phase = HMAPI_IN_SLOTS;
	look_at_block(m, it);
}

/** On to the next block; false: that was the last. */
static bool leave_block(const struct hmap *m, struct hmap_iteration *it)
{
	it->at = it->end;
	if (it->at == 0 && ++it->units_done > it->unit_mask) {
		it->phase = HMAPI_AT_END;
		it->mask = 0;
		return false;
	}
	enter_block(m, it);
	return true;
}

/* ------------------------------------------------------------------------------------------- */
/* Stepping aside                                                                              */

/* Of an entry in the list: its hash, and behind it the bytes of its key in the slot. */
static size_t list_stride(const struct hmap *m)
{
	return sizeof(uint64_t) + hmapi_round_up(m->shape.key_size, 8);
}

static bool make_list(struct hmap *m, struct hmap_iteration *it, size_t entries)
{
	const struct hmap_allocator *a = m->allocator;
	unsigned char *list;

	if (entries <= it->list_room)
		return true;
	list = a->allocate(a->state, entries * list_stride(m), 8);
	if (!list)
		return false;
	if (it->list)
		a->release(a->state, it->list, it->list_room * list_stride(m), 8);
	it->list = list;
	it->list_room = entries;
	return true;
}

static void list_entry(struct hmap *m, struct hmap_iteration *it, uint8_t tag,
		       const unsigned char *slot)
{
	uint64_t hash = hmapi_hash_in(m, m->type, &m->shape, tag, slot);
	unsigned char *at = it->list + it->list_count * list_stride(m);

	if (it->filter && !in_window(it, hash))
		return;
	memcpy(at, &hash, sizeof(hash));
	memcpy(at + sizeof(hash), slot, m->shape.key_size);
	it->list_count++;
}

static struct hmapi_node *chain_of(const struct hmap *m, size_t block)
{
	const struct hmapi_code *c = hmapi_code_of(m);
	size_t last = block | m->block_mask;

	if (hmapi_tags(m, c, last)[HMAP_GROUP_SLOTS - 1] != HMAP_TAG_LINK)
		return NULL;
	return hmapi_link(&m->shape, hmapi_slots(m, c, last));
}

static bool step_aside(struct hmap *m, struct hmap_iteration *it)
{
	const struct hmap_shape *s = &m->shape;
	size_t most = HMAP_BLOCK_SLOTS;
	struct hmapi_node *node = it->phase == HMAPI_IN_CHAIN ? it->node : chain_of(m, it->block);
	unsigned slot = it->phase == HMAPI_IN_CHAIN ? it->node_slot : 0;

	for (const struct hmapi_node *n = node; n; n = n->next)
		most += s->node_slots;
	if (!make_list(m, it, most))
		return false;
	it->list_count = 0;
	it->list_at = 0;
	while (it->phase == HMAPI_IN_SLOTS) {
		for (; it->mask; it->mask &= it->mask - 1) {
			unsigned byte = (unsigned)__builtin_ctzll(it->mask);

			if (it->tags[byte] >= 2)
				list_entry(m, it, it->tags[byte],
					   it->slots + hmapi_slot_of_byte(byte) * s->slot_size);
		}
		if (!it->rotation || it->second)
			break;
		it->second = true;
		look_at_block(m, it);
	}
	for (; node; node = node->next, slot = 0)
		for (; slot < s->node_slots; slot++)
			if (node->tags[slot])
				list_entry(m, it, node->tags[slot], hmapi_node_slot(s, node, slot));
	it->phase = HMAPI_ASIDE;
	it->mask = 0;
	it->stale = true;
	return true;
}

bool hmapi_detach(struct hmap *m, size_t block)
{
	for (struct hmap_iteration *it = m->iterations; it; it = it->next)
		if (it->block == block &&
		    (it->phase == HMAPI_IN_SLOTS || it->phase == HMAPI_IN_CHAIN) &&
		    !step_aside(m, it))
			return false;
	return true;
}

void hmapi_rebase_iterations(struct hmap *m)
{
	const struct hmapi_code *c = hmapi_code_of(m);

	for (struct hmap_iteration *it = m->iterations; it; it = it->next)
		if (it->phase == HMAPI_IN_SLOTS) {
			it->tags = hmapi_tags(m, c, it->block);
			it->slots = hmapi_slots(m, c, it->block);
			it->stale = true;
		}
}

void hmapi_empty_iterations(struct hmap *m)
{
	for (struct hmap_iteration *it = m->iterations; it; it = it->next)
		if (it->phase != HMAPI_AT_END) {
			it->phase = HMAPI_ASIDE;
			it->mask = 0;
			it->stale = true;
			it->list_count = 0;
			it->list_at = 0;
		}
}

/** The slot of an entry that was written down, if it is still there: known by its bytes, since what
 *  its key points to may be gone. */
static unsigned char *find_again(const struct hmap *m, uint64_t hash, const unsigned char *key)
{
	const struct hmapi_code *c = hmapi_code_of(m);
	const struct hmap_shape *s = &m->shape;
	size_t group = hmapi_home(m, hash);
	uint8_t tag = hmapi_tag(hash);

	for (size_t j = 0; j <= m->block_mask; j++)
		for (unsigned x = hmapi_match(hmapi_tags(m, c, group ^ j), hash); x; x &= x - 1) {
			unsigned char *slot =
			    hmapi_slots(m, c, group ^ j) + (size_t)hmapi_first(x) * s->slot_size;

			if (memcmp(slot, key, s->key_size) == 0)
				return slot;
		}
	for (struct hmapi_node *node = chain_of(m, group & ~(size_t)m->block_mask); node;
	     node = node->next)
		for (unsigned i = 0; i < s->node_slots; i++)
			if (node->tags[i] == tag &&
			    memcmp(hmapi_node_slot(s, node, i), key, s->key_size) == 0)
				return hmapi_node_slot(s, node, i);
	return NULL;
}

/* ------------------------------------------------------------------------------------------- */
/* The calls                                                                                   */

void hmapi_iterate(struct hmap *m, struct hmap_iterator *ret)
{
	struct hmap_iteration *it;
	uint64_t dice;
	size_t groups =
	    m->pass == HMAP_PASS_GROW || m->pass == HMAP_PASS_SHRINK ? m->low : m->groups;

	hmapi_begin_iteration_read(m);
	if (m->state & HMAPI_UNBORN || !m->count)
		return;
	it = m->allocator->allocate(m->allocator->state, sizeof(*it),
				    _Alignof(struct hmap_iteration));
	if (!it) {
		ret->status = HMAP_NO_MEMORY;
		return;
	}
	memset(it, 0, sizeof(*it));
	dice = random_number(it);
	it->unit_mask = groups <= HMAP_BLOCK_GROUPS ? 0 : groups / HMAP_BLOCK_GROUPS - 1;
	it->unit_bits = log2_of(it->unit_mask + 1);
	it->first_unit = (size_t)dice & it->unit_mask;
	if (m->groups <= HMAP_BLOCK_GROUPS)
		it->rotation = (unsigned)(dice >> 48) % (unsigned)(m->groups * HMAP_GROUP_BYTES);
	enter_block(m, it);
	ret->state = it;
	lock(m);
	it->next = m->iterations;
	m->iterations = it;
	unlock(m);
}

static void free_iteration(struct hmap *m, struct hmap_iteration *it)
{
	const struct hmap_allocator *a = m->allocator;

	if (it->list)
		a->release(a->state, it->list, it->list_room * list_stride(m), 8);
	a->release(a->state, it, sizeof(*it), _Alignof(struct hmap_iteration));
}

void hmapi_iterate_end(struct hmap_iterator *iterator)
{
	struct hmap *m = iterator->map;
	struct hmap_iteration *it = iterator->state;

	if (!it)
		return;
	lock(m);
	for (struct hmap_iteration **at = &m->iterations; *at; at = &(*at)->next)
		if (*at == it) {
			*at = it->next;
			break;
		}
	unlock(m);
	free_iteration(m, it);
	iterator->state = NULL;
	iterator->mask = 0;
}

void hmapi_end_iterations(struct hmap *m)
{
	while (m->iterations) {
		struct hmap_iteration *it = m->iterations;

		m->iterations = it->next;
		free_iteration(m, it);
	}
}

static unsigned char *next_in_slots(const struct hmap *m, struct hmap_iteration *it)
{
	while (it->mask) {
		unsigned byte = (unsigned)__builtin_ctzll(it->mask);
		unsigned char *slot = it->slots + hmapi_slot_of_byte(byte) * m->shape.slot_size;

		it->mask &= it->mask - 1;
		if (it->tags[byte] < 2)
			continue;
		if (!it->filter ||
		    in_window(it, hmapi_hash_in(m, m->type, &m->shape, it->tags[byte], slot)))
			return slot;
	}
	if (it->rotation && !it->second) {
		it->second = true;
		look_at_block(m, it);
		return NULL;
	}
	it->node = chain_of(m, it->block);
	it->node_slot = 0;
	it->phase = HMAPI_IN_CHAIN;
	return NULL;
}

static unsigned char *next_in_chain(const struct hmap *m, struct hmap_iteration *it)
{
	for (; it->node; it->node = it->node->next, it->node_slot = 0)
		while (it->node_slot < m->shape.node_slots) {
			unsigned i = it->node_slot++;
			unsigned char *slot = hmapi_node_slot(&m->shape, it->node, i);
			uint8_t tag = it->node->tags[i];

			if (tag && (!it->filter ||
				    in_window(it, hmapi_hash_in(m, m->type, &m->shape, tag, slot))))
				return slot;
		}
	leave_block(m, it);
	return NULL;
}

static unsigned char *next_aside(const struct hmap *m, struct hmap_iteration *it)
{
	while (it->list_at < it->list_count) {
		const unsigned char *entry = it->list + it->list_at++ * list_stride(m);
		unsigned char *slot;
		uint64_t hash;

		memcpy(&hash, entry, sizeof(hash));
		slot = find_again(m, hash, entry + sizeof(hash));
		if (slot)
			return slot;
	}
	leave_block(m, it);
	return NULL;
}

bool hmapi_next_far(struct hmap_iterator *iterator)
{
	struct hmap *m = iterator->map;
	struct hmap_iteration *it = iterator->state;
	unsigned char *slot = NULL;

	if (m->classic)
		return hmap_classic_next(iterator);
	if (!it)
		return false;
	hmapi_begin_iteration_read(m);
	it->stale = false;
	while (!slot && it->phase != HMAPI_AT_END) {
		if (it->phase == HMAPI_IN_SLOTS)
			slot = next_in_slots(m, it);
		else if (it->phase == HMAPI_IN_CHAIN)
			slot = next_in_chain(m, it);
		else
			slot = next_aside(m, it);
	}
	if (!slot) {
		hmapi_iterate_end(iterator);
		return false;
	}
	iterator->key = hmapi_key(&m->shape, slot);
	iterator->value = hmapi_value(&m->shape, slot);
	// The rest of the block can be had without a call, where every entry of it counts.
	iterator->mask = it->phase == HMAPI_IN_SLOTS && !it->filter ? it->mask : 0;
	iterator->tags = it->tags;
	iterator->slots = it->slots;
	it->stale = false;
	return true;
}
