// Whether a table holds together: what every operation relies on, asked of every entry.
//
// Says the first thing that does not hold.  It reads all of the table and changes nothing; tests
// run it after each write, and a user who suspects that something wrote over a map may too.
#include "hmap/classic.h"
#include "hmap/space.h"
#include "hmap/steady.h"

/** What is counted on the way. */
struct tally {
	size_t entries, nodes;
	const char *wrong;
};

static void check_entry(const struct hmap *m, struct tally *tally, size_t block, uint8_t tag,
			const unsigned char *slot, unsigned *strays, uint8_t *filters)
{
	const struct hmap_type *type = m->type;
	uint64_t hash = hmapi_hash_in(m, type, &m->shape, tag, slot);
	size_t home = hmapi_home(m, hash);
	const void *key = hmapi_key(&m->shape, slot);
	bool reflexive = hmapi_same_key(type, key, key);

	tally->entries++;
	if (reflexive && hmapi_tag(type->hash(key, m->seed, type->state)) != tag)
		tally->wrong = "an entry's tag is not that of its hash";
	else if (reflexive && (uint32_t)type->hash(key, m->seed, type->state) != (uint32_t)hash)
		tally->wrong = "the bits of hash that are stored beside an entry are not its key's";
	else if ((home & ~(size_t)m->block_mask) != block)
		tally->wrong = "an entry is not in the block of its hash";
	strays[home - block]++;
	filters[home - block] |= hmapi_filter_bit((uint64_t)tag << 56);
}

static void check_block(const struct hmap *m, struct tally *tally, size_t block)
{
	const struct hmapi_code *c = hmapi_code_of(m);
	const struct hmap_shape *s = &m->shape;
	unsigned away[HMAP_BLOCK_GROUPS] = { 0 };
	uint8_t filters[HMAP_BLOCK_GROUPS] = { 0 };
	size_t last = block | m->block_mask;

	for (size_t q = 0; q <= m->block_mask; q++) {
		const uint8_t *tags = hmapi_tags(m, c, block + q);
		unsigned char *slots = hmapi_slots(m, c, block + q);

		for (unsigned i = 0; i < HMAP_GROUP_SLOTS && !tally->wrong; i++) {
			unsigned strays[HMAP_BLOCK_GROUPS] = { 0 };
			uint8_t bits[HMAP_BLOCK_GROUPS] = { 0 };
			bool link = block + q == last && i >= HMAP_GROUP_SLOTS - s->links;

			if (tags[i] == HMAP_TAG_LINK && !link)
				tally->wrong = "a link where none can be";
			if (tags[i] < 2)
				continue;
			check_entry(m, tally, block, tags[i], slots + (size_t)i * s->slot_size,
				    strays, bits);
			for (size_t p = 0; p <= m->block_mask; p++)
				if (p != q) {
					away[p] += strays[p];
					filters[p] |= bits[p];
				}
		}
	}
	if (!tally->wrong && hmapi_tags(m, c, last)[HMAP_GROUP_SLOTS - 1] == HMAP_TAG_LINK) {
		struct hmapi_node *node = hmapi_link(s, hmapi_slots(m, c, last));

		for (unsigned i = HMAP_GROUP_SLOTS - s->links; i < HMAP_GROUP_SLOTS; i++)
			if (hmapi_tags(m, c, last)[i] != HMAP_TAG_LINK)
				tally->wrong = "an entry in the place of a link";
		for (; node && !tally->wrong; node = node->next) {
			if (++tally->nodes > m->nodes_used)
				tally->wrong = "more nodes in chains than are in use";
			for (unsigned i = 0; i < s->node_slots && !tally->wrong; i++)
				if (node->tags[i])
					check_entry(m, tally, block, node->tags[i],
						    hmapi_node_slot(s, node, i), away, filters);
		}
	}
	for (size_t p = 0; p <= m->block_mask && !tally->wrong; p++) {
		const uint8_t *tags = hmapi_tags(m, c, block + p);

		if (tags[HMAPI_COUNT] != HMAPI_COUNT_MAX && tags[HMAPI_COUNT] != away[p])
			tally->wrong = "a group's count of strays is wrong";
		else if (filters[p] & ~tags[HMAPI_FILTER])
			tally->wrong = "a group's filter misses a stray";
	}
}

static bool behind_is_empty(const struct hmap *m)
{
	const struct hmapi_code *c = hmapi_code_of(m);

	for (size_t g = m->groups; g < m->ready; g++)
		for (size_t i = 0; i < HMAP_GROUP_BYTES; i++)
			if (hmapi_tags(m, c, g)[i])
				return false;
	return true;
}

static const char *check_sizes(const struct hmap *m)
{
	size_t smaller = m->mask + 1;

	if (m->mask & (m->mask + 1))
		return "the mask is not one less than a power of two";
	if (!(m->state & HMAPI_CURSOR) != !m->pass)
		return "a pass and its flag disagree";
	if (m->groups > m->ready + (m->space ? HMAP_BLOCK_GROUPS : 0)) // see range_ready()
		return "groups without memory are in use";
	if (!m->pass || m->pass == HMAP_PASS_COMPACT)
		return m->groups == smaller ? NULL : "the table's size and its mask disagree";
	if (m->low * 2 != smaller || m->groups < m->low || m->groups > smaller)
		return "the cursor is outside its pass";
	return NULL;
}

enum hmap_status hmap_check(const struct hmap *m, const char **ret_text)
{
	struct tally tally = { 0, 0, NULL };
	size_t free_nodes = 0, reserved;

	if (!m)
		return HMAP_NULL_MAP;
	if (m->classic)
		return hmap_classic_check(m->classic, ret_text);
	if (m->state & HMAPI_UNBORN) {
		if (m->count)
			tally.wrong = "entries without a table";
	} else {
		tally.wrong = check_sizes(m);
		for (size_t g = 0; g < m->groups && !tally.wrong; g += m->block_mask + 1)
			check_block(m, &tally, g);
		for (const struct hmapi_node *n = m->free_nodes; n && free_nodes <= m->nodes_made;
		     n = n->next)
			free_nodes++;
		if (tally.wrong)
			;
		else if (tally.entries != m->count)
			tally.wrong = "the count is not that of the entries";
		else if (tally.nodes != m->nodes_used)
			tally.wrong = "nodes in use are in no chain";
		else if (free_nodes + m->nodes_used != m->nodes_made)
			tally.wrong = "nodes were lost";
		else if (!behind_is_empty(m))
			tally.wrong = "tags behind the table are not empty";
		else if (m->held_bytes != hmapi_space_bytes(m, &reserved) ||
			 m->held_reserved != reserved)
			tally.wrong = "the bytes that others see are not those of the table";
	}
	if (!tally.wrong)
		return HMAP_OK;
	if (ret_text)
		*ret_text = tally.wrong;
	return HMAP_BROKEN;
}
