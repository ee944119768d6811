// The whole table at once: reserve, clear, clone, settle, and what can be said of it.
#include "hmap/classic.h"
#include "hmap/space.h"
#include "hmap/steady.h"

static bool born(const struct hmap *m)
{
	return !(m->state & HMAPI_UNBORN);
}

static void finish_pass(struct hmap *m)
{
	while (m->pass) {
		size_t before = m->groups + m->compacted;

		m->wait = 0;
		hmapi_code_of(m)->step(m);
		if (m->wait && m->groups + m->compacted == before)
			return; // no memory: it goes on with the writes
	}
}

enum hmap_status hmapi_begin(struct hmap *m, enum hmap_pass pass)
{
	if (!born(m))
		return pass == HMAP_PASS_SHRINK ? HMAP_OK : HMAP_NOT_SUPPORTED;
	switch (pass) {
	case HMAP_PASS_GROW: {
		size_t groups = m->groups;

		hmapi_grow(m, hmapi_code_of(m)->step, 0);
		return m->pass || m->groups != groups ? HMAP_OK : HMAP_NO_MEMORY;
	}
	case HMAP_PASS_COMPACT:
		return hmapi_begin_compaction(m);
	case HMAP_PASS_SHRINK:
		m->shrinking = true;
		if (!m->pass && (double)m->count <
				    (1 - m->shrink_idle) * (double)m->groups * HMAP_GROUP_SLOTS / 2)
			(void)hmapi_begin_halving(m);
		m->shrinking = m->pass != 0;
		return HMAP_OK;
	}
	return HMAP_BAD_ARGUMENT;
}

size_t hmapi_steps_left(const struct hmap *m)
{
	switch (m->pass) {
	case HMAP_PASS_GROW:
		return (m->pass_end - m->groups) / HMAP_BLOCK_GROUPS;
	case HMAP_PASS_SHRINK:
		return (m->groups - m->pass_end) / HMAP_BLOCK_GROUPS;
	case HMAP_PASS_COMPACT:
		return (m->groups - m->compacted) / HMAP_BLOCK_GROUPS;
	}
	return 0;
}

static enum hmap_status reserve(struct hmap *m, size_t entries, enum hmap_reserve_how how)
{
	size_t wanted;

	if (how != HMAP_RESERVE_PLAIN && how != HMAP_RESERVE_HUGE)
		return HMAP_BAD_ARGUMENT;
	if (entries > SIZE_MAX / 8 / (m->shape.slot_size + 1))
		return HMAP_TOO_LARGE;
	if (!born(m))
		return hmapi_birth(m, entries, how);
	wanted = hmapi_groups_for(m, entries);
	finish_pass(m);
	if (m->pass) // It could not have the memory to end.
		return m->groups < wanted || m->pass_end < wanted ? HMAP_NO_MEMORY : HMAP_OK;
	if (!m->count && m->groups < wanted) {
		struct hmap old = *m;
		enum hmap_status status;

		hmapi_empty_iterations(m);
		m->small_bytes = 0;
		m->coming = NULL;
		m->space = NULL;
		m->segments = NULL;
		m->state &= ~(uintptr_t)HMAPI_SEGMENTS;
		m->slabs = m->dead_slabs = NULL;
		m->free_nodes = NULL;
		m->nodes_made = m->nodes_used = 0; // An empty node may be left in a chain.
		status = hmapi_birth(m, entries, how);
		if (status != HMAP_OK)
			*m = old;
		else
			hmapi_space_free(&old);
		hmapi_space_note(m);
		return status;
	}
	while (m->groups < wanted) {
		size_t groups = m->groups;

		hmapi_grow(m, hmapi_code_of(m)->step, 0);
		finish_pass(m);
		if (m->pass || m->groups == groups)
			return HMAP_NO_MEMORY;
	}
	return HMAP_OK;
}

enum hmap_status hmap_reserve(struct hmap *m, size_t entries, enum hmap_reserve_how how)
{
	enum hmap_status status;

	if (!m)
		return HMAP_NULL_MAP;
	if (m->classic)
		return HMAP_NOT_SUPPORTED;
	status = hmapi_begin_write(m);
	if (status != HMAP_OK)
		return status;
	return hmapi_end_write(m, reserve(m, entries, how));
}

static bool drop_slot(const struct hmap *m, unsigned char *slot, void *state)
{
	(void)m;
	hmapi_drop(state, slot);
	return true;
}

void hmapi_clear_table(struct hmap *m)
{
	const struct hmapi_code *c = hmapi_code_of(m);

	if (m->shape.flags)
		hmapi_each_slot(m, drop_slot, m);
	hmapi_empty_iterations(m);
	for (size_t g = 0; g < m->groups; g++) {
		uint8_t *tags = hmapi_tags(m, c, g);

		if (tags[HMAP_GROUP_SLOTS - 1] == HMAP_TAG_LINK)
			for (struct hmapi_node *n = hmapi_link(&m->shape, hmapi_slots(m, c, g)),
					       *next;
			     n; n = next) {
				next = n->next;
				hmapi_free_node(m, n);
			}
		memset(tags, HMAP_TAG_EMPTY, HMAP_GROUP_BYTES);
	}
	m->count = 0;
	if (!m->pass)
		hmapi_set_limits(m);
}

enum hmap_status hmap_settle(struct hmap *m)
{
	enum hmap_status status;

	if (!m)
		return HMAP_NULL_MAP;
	if (m->classic)
		return HMAP_NOT_SUPPORTED;
	status = hmapi_begin_write(m);
	if (status != HMAP_OK)
		return status;
	finish_pass(m);
	if (m->space && m->allocator->huge) {
		m->allocator->huge(m->allocator->state, m->space->range, m->space->tags.ready);
		m->allocator->huge(m->allocator->state, m->space->range + m->space->slots_at,
				   m->space->slots.ready);
	}
	return hmapi_end_write(m, m->pass ? HMAP_NO_MEMORY : HMAP_OK);
}

/* ------------------------------------------------------------------------------------------- */

struct copying {
	struct hmap *to;
	enum hmap_status status;
};

static bool copy_slot(const struct hmap *from, unsigned char *slot, void *state)
{
	struct copying *copying = state;
	struct hmap *to = copying->to;
	uint64_t hash;
	struct hmapi_place place = { NULL, NULL, NULL };
	const struct hmapi_code *c = hmapi_code_of(to);
	size_t group;
	unsigned gap;

	// The tag is not at hand here; where bits are stored it is made again from the key, which
	// for a key unequal to itself is a new one: such a key is found by nobody, so any hash will
	// do.
	hash = to->type->hash(hmapi_key(&from->shape, slot), to->seed, to->type->state);
	group = hmapi_home(to, hash);
	gap = hmapi_empty(hmapi_tags(to, c, group));
	if (gap) {
		place.tag = hmapi_tags(to, c, group) + hmapi_first(gap);
		place.slot =
		    hmapi_slots(to, c, group) + (size_t)hmapi_first(gap) * to->shape.slot_size;
	} else {
		place = c->make_room(to, group);
	}
	if (!place.slot ||
	    !hmapi_fill_slot(to, &to->shape, place.slot, hash, hmapi_key(&from->shape, slot),
			     hmapi_value(&from->shape, slot))) {
		copying->status = HMAP_NO_MEMORY;
		return false;
	}
	*place.tag = hmapi_tag(hash);
	if (place.home)
		hmapi_count_stray(place.home, hash);
	to->count++;
	return true;
}

static enum hmap_status clone_classic(const struct hmap *m, const void *created_at,
				      struct hmap **ret_map)
{
	const struct hmap_allocator *a = m->allocator;
	struct hmap *copy = a->allocate(a->state, sizeof(*copy), 64);
	enum hmap_status status;

	if (!copy)
		return HMAP_NO_MEMORY;
	*copy = *m;
	status = hmap_classic_clone(m->classic, copy, &copy->classic);
	if (status != HMAP_OK) {
		a->release(a->state, copy, sizeof(*copy), 64);
		return status;
	}
	hmapi_begin_life(copy, hmap_classic_count(m->classic), created_at);
	*ret_map = copy;
	return HMAP_OK;
}

enum hmap_status hmap_clone(const struct hmap *m, struct hmap **ret_map)
{
	struct hmap_options options = { 0 };
	struct copying copying = { NULL, HMAP_OK };
	enum hmap_status status;

	if (!m || !ret_map)
		return m ? HMAP_BAD_ARGUMENT : HMAP_NULL_MAP;
	if (m->classic)
		return clone_classic(m, __builtin_return_address(0), ret_map);
	hmapi_begin_read(m);
	options.seed = m->seed;
	options.load = m->load;
	options.shrink = m->shrink;
	options.shrink_idle = m->shrink_idle;
	options.high_load = m->high_load;
	options.name = m->name;
	options.allocator = m->allocator;
	options.hooks = m->hooks;
	options.misuse = m->misuse;
	options.misuse_state = m->misuse_state;
	options.hint = m->count;
	status = hmapi_create(m->type, &options, __builtin_return_address(0), &copying.to);
	if (status != HMAP_OK)
		return status;
	hmapi_each_slot(m, copy_slot, &copying);
	if (copying.status != HMAP_OK) {
		hmap_destroy(copying.to);
		return copying.status;
	}
	*ret_map = copying.to;
	return HMAP_OK;
}

/* ------------------------------------------------------------------------------------------- */

static bool walk_bucket(const struct hmap_bucket_view *view, void *state)
{
	struct hmap_stats *stats = state;

	if (view->overflow_nodes > stats->longest_chain)
		stats->longest_chain = view->overflow_nodes;
	return true;
}

static size_t strays(const struct hmap *m)
{
	size_t count = 0;

	for (size_t g = 0; g < m->groups; g++)
		count += hmapi_tags(m, hmapi_code_of(m), g)[HMAPI_COUNT];
	return count;
}

enum hmap_status hmap_stats(const struct hmap *m, enum hmap_stats_how how,
			    struct hmap_stats *ret_stats)
{
	struct hmap_stats stats = { 0 };

	if (!m || !ret_stats)
		return m ? HMAP_BAD_ARGUMENT : HMAP_NULL_MAP;
	if (m->classic)
		return hmap_classic_stats(m->classic, how, ret_stats);
	hmapi_begin_read(m);
	stats.engine = HMAP_STEADY;
	stats.entries = m->count;
	stats.slots = born(m) ? m->groups * HMAP_GROUP_SLOTS : 0;
	stats.grow_at = m->grow_at == SIZE_MAX || !born(m) ? 0 : m->usual_grow_at + 1;
	stats.load = stats.slots ? (double)stats.entries / (double)stats.slots : 0;
	stats.buckets = !born(m)                        ? 0
			: m->groups < HMAP_BLOCK_GROUPS ? 1
							: m->groups / HMAP_BLOCK_GROUPS;
	stats.overflow = m->nodes_used;
	stats.total_bytes = hmapi_space_bytes(m, &stats.reserved_bytes);
	stats.live_bytes = m->count * ((size_t)m->type->key_size + m->type->value_size + 1);
	stats.slack_bytes =
	    stats.total_bytes > stats.live_bytes ? stats.total_bytes - stats.live_bytes : 0;
	stats.pass = m->pass;
	if (m->pass) {
		bool grows = m->pass == HMAP_PASS_GROW, shrinks = m->pass == HMAP_PASS_SHRINK;

		stats.pass_from = (shrinks ? 2 * m->low : m->low) * HMAP_GROUP_SLOTS;
		stats.pass_to = (grows ? 2 * m->low : m->low) * HMAP_GROUP_SLOTS;
		stats.pass_of = m->low / HMAP_BLOCK_GROUPS;
		stats.pass_done = stats.pass_of - hmapi_steps_left(m);
	}
	stats.growths = m->growths;
	stats.compactions = m->compactions;
	stats.shrinks = m->shrinks;
	if (how == HMAP_STATS_WALK && born(m)) {
		hmap_each_bucket(m, walk_bucket, &stats);
		stats.displaced = strays(m);
	}
	*ret_stats = stats;
	return HMAP_OK;
}

void hmap_each_bucket(const struct hmap *m, hmap_bucket_fn visit, void *state)
{
	const struct hmapi_code *c;

	if (m && m->classic)
		hmap_classic_each_bucket(m->classic, visit, state);
	if (!m || m->classic || !born(m))
		return;
	c = hmapi_code_of(m);
	for (size_t g = 0; g < m->groups; g += m->block_mask + 1) {
		struct hmap_bucket_view view = { 0 };
		uint8_t tags[HMAP_BLOCK_SLOTS];
		size_t block = g / HMAP_BLOCK_GROUPS;

		view.number = block;
		view.slots = (m->block_mask + 1) * HMAP_GROUP_SLOTS;
		if (m->pass == HMAP_PASS_COMPACT)
			view.moved = g < m->compacted;
		else if (m->pass)
			view.moved = (g >= m->low ? g - m->low : g) < m->groups - m->low;
		for (size_t q = 0; q <= m->block_mask; q++) {
			memcpy(tags + q * HMAP_GROUP_SLOTS, hmapi_tags(m, c, g + q),
			       HMAP_GROUP_SLOTS);
			view.entries +=
			    (size_t)__builtin_popcount(hmapi_occupied(hmapi_tags(m, c, g + q)));
		}
		view.tags = tags;
		if (tags[view.slots - 1] == HMAP_TAG_LINK)
			for (const struct hmapi_node *n =
				 hmapi_link(&m->shape, hmapi_slots(m, c, g + m->block_mask));
			     n; n = n->next) {
				view.overflow_nodes++;
				for (unsigned i = 0; i < m->shape.node_slots; i++)
					view.overflow_entries += n->tags[i] != 0;
			}
		if (!visit(&view, state))
			return;
	}
}
