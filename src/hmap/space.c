// Memory of a table that grows in place.
//
// A table of 2^B groups turns into one of twice the size without a second copy, so its memory has
// to appear behind what is there.  A range of addresses is reserved, far larger than the table, and
// memory is asked for in pieces of 32 KiB just ahead of the cursor: the cost of a page is paid by
// the write that needs it, and never more than one piece's at once.  On a host that takes long to
// find a page, the pieces become smaller.  When a range is outgrown, the next one takes over its
// pages by remapping them, which moves page tables, not bytes.
//
// Small tables do not deserve a mapping: they are one block from the allocator, copied when it
// doubles, up to 64 KiB.  Where no range is to be had (no such calls in the allocator, a limit on
// addresses, 32 bits), the table goes on in segments of at most 64 KiB behind a table of two
// levels.
#include "hmap/space.h"
#include "hmap/registry.h"
#include "hmap/steady.h"

#include <time.h>

enum {
	PAGE = 4096,
	RANGE_UNIT = 65536,
	RANGE_ALIGN = 2 << 20,
	BLOCK_ALIGN = 64,
	SLOW_PIECE_NS = 20000,
	SLOW_PIECES = 16,
	DEAD_SLABS_AT_ONCE = 8,
	PREPARED_AT_ONCE = 16384,
	OPENED_AT_ONCE = 1 << 20,
	COMING_BYTES = 16384,
	// The first pages after a long pause cost several times the usual: the system's lists of
	// them are empty.  So the first pieces of a pass are small.
	FIRST_PIECE = 8192,
	MOST_SINCE = 12,
};

#define FIRST_RANGE ((size_t)1 << 30)

const uint8_t hmapi_no_tags[64] __attribute__((aligned(64)));

static size_t round_up(size_t size, size_t unit)
{
	return (size + unit - 1) / unit * unit;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

size_t hmapi_group_bytes(const struct hmap *m)
{
	return (size_t)m->shape.slot_size * HMAP_GROUP_SLOTS;
}

static size_t block_align(const struct hmap *m)
{
	return m->shape.align > BLOCK_ALIGN ? m->shape.align : BLOCK_ALIGN;
}

/* ------------------------------------------------------------------------------------------- */
/* One small block                                                                             */

static size_t small_slots_at(const struct hmap *m, size_t groups)
{
	return round_up(groups * HMAP_GROUP_BYTES, block_align(m));
}

static size_t small_size(const struct hmap *m, size_t groups)
{
	return round_up(small_slots_at(m, groups) + groups * hmapi_group_bytes(m), block_align(m));
}

static bool fits_small(const struct hmap *m, size_t groups)
{
	return groups <= HMAP_BLOCK_GROUPS || small_size(m, groups) <= HMAPI_SMALL_BYTES;
}

static unsigned char *new_small(const struct hmap *m, size_t groups)
{
	return m->allocator->allocate(m->allocator->state, small_size(m, groups), block_align(m));
}

static void free_coming(struct hmap *m)
{
	if (m->coming)
		m->allocator->release(m->allocator->state, m->coming, m->coming_bytes,
				      block_align(m));
	m->coming = NULL;
}

/** What a table grows to: one group to a block of four, and then to twice its size. */
static size_t next_groups(const struct hmap *m)
{
	return m->groups < HMAP_BLOCK_GROUPS ? HMAP_BLOCK_GROUPS : m->groups * 2;
}

/** The block that the next growth moves to, a write before it is needed. */
static bool make_coming(struct hmap *m)
{
	free_coming(m);
	m->coming = new_small(m, next_groups(m));
	m->coming_bytes = small_size(m, next_groups(m));
	return m->coming;
}

static unsigned char *take_coming(struct hmap *m, size_t groups)
{
	unsigned char *block = m->coming;

	if (!block || m->coming_bytes != small_size(m, groups))
		return new_small(m, groups);
	m->coming = NULL;
	return block;
}

static void free_small(struct hmap *m)
{
	if (m->small_bytes)
		m->allocator->release(m->allocator->state, m->tags, m->small_bytes, block_align(m));
	m->small_bytes = 0;
}

static void use_small(struct hmap *m, unsigned char *block, size_t groups)
{
	m->tags = block;
	m->slots = block + small_slots_at(m, groups);
	m->small_bytes = small_size(m, groups);
	m->ready = groups;
}

/** The first @p groups groups go into a new block of @p capacity, which takes the old one's place.
 */
static bool copy_small(struct hmap *m, size_t groups, size_t capacity)
{
	unsigned char *block = take_coming(m, capacity);
	size_t tags = groups * HMAP_GROUP_BYTES;

	if (!block)
		return false;
	memcpy(block, m->tags, tags);
	memset(block + tags, HMAP_TAG_EMPTY, capacity * HMAP_GROUP_BYTES - tags);
	memcpy(block + small_slots_at(m, capacity), m->slots, groups * hmapi_group_bytes(m));
	free_small(m);
	use_small(m, block, capacity);
	return true;
}

/* ------------------------------------------------------------------------------------------- */
/* A range                                                                                     */

static size_t tags_wanted(size_t groups)
{
	return (groups + 2 * HMAP_BLOCK_GROUPS) * HMAP_GROUP_BYTES;
}

/** Groups that have memory, by their tags or by their slots. */
static size_t groups_ready(const struct hmap *m)
{
	return least(m->space->tags.ready / HMAP_GROUP_BYTES,
		     m->space->slots.ready / hmapi_group_bytes(m));
}

/** A block less than there is: what the next piece needs is then done by several writes. */
static void range_ready(struct hmap *m)
{
	size_t groups = groups_ready(m);

	m->ready = groups > HMAP_BLOCK_GROUPS ? groups - HMAP_BLOCK_GROUPS : 0;
}

static uint64_t now_ns(void)
{
	struct timespec t = { 0 };

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/** Where a part of the range begins, and where it ends. */
static unsigned char *part_at(const struct hmap *m, const struct hmapi_part *part)
{
	const struct hmapi_space *space = m->space;

	if (part == &space->tags)
		return space->tags_moved ? space->next : space->range;
	return space->range + space->slots_at;
}

static size_t part_size(const struct hmap *m, const struct hmapi_part *part)
{
	const struct hmapi_space *space = m->space;

	return part == &space->tags ? space->slots_at : space->reserved - space->slots_at;
}

/** Makes more of a part writable: much at a time, since it costs nothing until it is used. */
static bool open_part(struct hmap *m, struct hmapi_part *part, size_t wanted)
{
	size_t size = round_up(wanted - part->open, PAGE);

	if (m->allocator->populate && size < OPENED_AT_ONCE)
		size = OPENED_AT_ONCE;
	size = least(size, part_size(m, part) - part->open);
	if (!m->allocator->commit(m->allocator->state, part_at(m, part) + part->open, size))
		return false;
	part->open += size;
	return part->open >= wanted;
}

/** Memory for the next @p size bytes of a part. */
static bool ready_part(struct hmap *m, struct hmapi_part *part, size_t size)
{
	const struct hmap_allocator *a = m->allocator;

	if (part->ready + size > part->open && !open_part(m, part, part->ready + size))
		return false;
	if (a->populate && !a->populate(a->state, part_at(m, part) + part->ready, size))
		return false;
	part->ready += size;
#ifdef HMAP_CHECKS
	m->work_bytes += size;
#endif
	return true;
}

static bool ready_piece(struct hmap *m, struct hmapi_part *part)
{
	struct hmapi_space *space = m->space;
	size_t piece = least(space->piece, (size_t)FIRST_PIECE << space->since / 4);
	uint64_t began = now_ns(), took;

	if (!ready_part(m, part, piece))
		return false;
	took = now_ns() - began;
	if (space->since < MOST_SINCE)
		space->since++;
	// Once is chance: what counts is a host that is slow all the time.
	space->slow = took > SLOW_PIECE_NS ? space->slow + 1 : 0;
	if (space->slow == SLOW_PIECES && space->piece > PAGE) {
		space->piece /= 2;
		space->slow = 0;
	}
	return true;
}

/** Bytes of a range for @p groups: tags, then slots, both on boundaries of page-table pages. */
static size_t range_size(const struct hmap *m, size_t groups, size_t *ret_slots_at)
{
	*ret_slots_at = round_up(groups * HMAP_GROUP_BYTES + RANGE_UNIT, RANGE_ALIGN);
	return *ret_slots_at + round_up(groups * hmapi_group_bytes(m) + RANGE_UNIT, RANGE_ALIGN);
}

static bool has_ranges(const struct hmap *m)
{
	return m->allocator->reserve && m->allocator->commit && m->allocator->decommit &&
	       m->allocator->unreserve;
}

/** A range for at least @p groups, and as many more as may be had. */
static unsigned char *reserve(const struct hmap *m, size_t groups, size_t *ret_size,
			      size_t *ret_slots_at)
{
	size_t wanted = groups, size, slots_at;

	while (range_size(m, wanted, &slots_at) < FIRST_RANGE || wanted < groups * 8)
		wanted *= 2;
	if (range_size(m, wanted, &slots_at) > FIRST_RANGE && wanted / 2 >= groups * 8)
		wanted /= 2;
	for (; wanted >= groups; wanted /= 2) {
		unsigned char *range;

		size = range_size(m, wanted, &slots_at);
		range = m->allocator->reserve(m->allocator->state, size);
		if (range) {
			*ret_size = size;
			*ret_slots_at = slots_at;
			return range;
		}
	}
	return NULL;
}

static struct hmapi_space *new_space(struct hmap *m, size_t groups)
{
	const struct hmap_allocator *a = m->allocator;
	struct hmapi_space *space =
	    a->allocate(a->state, sizeof(*space), _Alignof(struct hmapi_space));

	if (!space)
		return NULL;
	memset(space, 0, sizeof(*space));
	space->piece = HMAPI_PIECE;
	space->range = reserve(m, groups, &space->reserved, &space->slots_at);
	if (space->range)
		return space;
	a->release(a->state, space, sizeof(*space), _Alignof(struct hmapi_space));
	return NULL;
}

static void free_space(struct hmap *m)
{
	const struct hmap_allocator *a = m->allocator;
	struct hmapi_space *space = m->space;

	if (!space)
		return;
	if (space->next)
		a->unreserve(a->state, space->next, space->next_reserved);
	a->unreserve(a->state, space->range, space->reserved);
	a->release(a->state, space, sizeof(*space), _Alignof(struct hmapi_space));
	m->space = NULL;
}

/** A range with memory for the groups of a table that is still a small block. */
static enum hmapi_preparation prepare_range(struct hmap *m, size_t groups, size_t most)
{
	size_t tags = tags_wanted(groups), slots = groups * hmapi_group_bytes(m);
	struct hmapi_space *space = m->space;
	bool done;

	if (!space) {
		m->space = new_space(m, groups * 2);
		return m->space ? HMAPI_PREPARING : HMAPI_REFUSED;
	}
	if (space->tags.open < tags)
		done = open_part(m, &space->tags, tags);
	else if (space->slots.open < slots)
		done = open_part(m, &space->slots, slots);
	else if (space->tags.ready < tags)
		done = ready_part(m, &space->tags,
				  least(round_up(tags - space->tags.ready, PAGE), most));
	else if (space->slots.ready < slots)
		done = ready_part(m, &space->slots,
				  least(round_up(slots - space->slots.ready, PAGE), most));
	else
		return HMAPI_PREPARED;
	return done ? HMAPI_PREPARING : HMAPI_REFUSED;
}

static void use_range(struct hmap *m, struct hmapi_space *space)
{
	m->space = space;
	m->tags = space->range;
	m->slots = space->range + space->slots_at;
	range_ready(m);
}

/** Bytes of a part go to the next range: with their pages where the allocator can. */
static bool move_part(struct hmap *m, unsigned char *to, unsigned char *from, size_t size)
{
	const struct hmap_allocator *a = m->allocator;

	if (a->move && a->move(a->state, to, from, size))
		return true;
	if (!a->commit(a->state, to, size))
		return false;
	memcpy(to, from, size);
	return true;
}

/** The table moves to a larger range, in three steps: addresses, tags, slots. */
static enum hmapi_preparation outgrow_range(struct hmap *m)
{
	const struct hmap_allocator *a = m->allocator;
	struct hmapi_space *space = m->space;

	if (!space->next) {
		space->next =
		    reserve(m, m->groups * 4, &space->next_reserved, &space->next_slots_at);
		return space->next ? HMAPI_PREPARING : HMAPI_REFUSED;
	}
	if (!space->tags_moved) {
		if (!move_part(m, space->next, space->range, space->tags.ready))
			return HMAPI_REFUSED;
		m->tags = space->next;
		space->tags_moved = true;
		space->tags.open = space->tags.ready;
		return HMAPI_PREPARING;
	}
	if (!move_part(m, space->next + space->next_slots_at, space->range + space->slots_at,
		       space->slots.ready))
		return HMAPI_REFUSED;
	a->unreserve(a->state, space->range, space->reserved);
	space->range = space->next;
	space->reserved = space->next_reserved;
	space->slots_at = space->next_slots_at;
	space->next = NULL;
	space->tags_moved = false;
	space->slots.open = space->slots.ready;
	use_range(m, space);
	return HMAPI_PREPARED;
}

static bool range_holds(const struct hmap *m, size_t groups)
{
	const struct hmapi_space *space = m->space;

	return groups * HMAP_GROUP_BYTES + RANGE_UNIT <= space->slots_at &&
	       groups * hmapi_group_bytes(m) + RANGE_UNIT <= space->reserved - space->slots_at;
}

static bool more_of_range(struct hmap *m)
{
	struct hmapi_space *space = m->space;

	while (m->groups + HMAP_BLOCK_GROUPS > m->ready) {
		struct hmapi_part *part = &space->slots;
		bool enough = m->groups + HMAP_BLOCK_GROUPS <= groups_ready(m);

		if (tags_wanted(m->groups) > space->tags.ready)
			part = &space->tags;
		if (part->open < part->ready + HMAPI_PIECE && m->allocator->populate) {
			if (!open_part(m, part, part->ready + HMAPI_PIECE))
				return enough;
		} else if (!ready_piece(m, part)) {
			return enough;
		}
		range_ready(m);
		if (enough)
			return true;
	}
	return true;
}

/** Gives back what lies a piece and more behind @p used bytes; true: something went. */
static bool less_of(struct hmap *m, struct hmapi_part *part, size_t used)
{
	size_t keep = round_up(used, PAGE);

	if (part->ready < keep + HMAPI_PIECE)
		return false;
	part->ready -= HMAPI_PIECE;
	m->allocator->decommit(m->allocator->state, part_at(m, part) + part->ready, HMAPI_PIECE);
	if (!m->allocator->populate)
		part->open = part->ready;
	return true;
}

static void less_of_range(struct hmap *m)
{
	struct hmapi_space *space = m->space;

	if (!less_of(m, &space->slots, m->groups * hmapi_group_bytes(m)))
		less_of(m, &space->tags, tags_wanted(m->groups));
	range_ready(m);
}

/* ------------------------------------------------------------------------------------------- */
/* Segments                                                                                    */

static size_t segment_size(const struct hmap *m)
{
	return m->segment_slots_at + (hmapi_group_bytes(m) << m->segment_shift);
}

static void plan_segments(struct hmap *m)
{
	m->segment_shift = 2;
	while (small_size(m, (size_t)2 << m->segment_shift) <= HMAPI_SEGMENT_BYTES)
		m->segment_shift++;
	m->segment_slots_at = (uint32_t)small_slots_at(m, (size_t)1 << m->segment_shift);
}

static unsigned char ***new_leaf(struct hmap *m)
{
	unsigned char ***leaf = m->allocator->allocate(m->allocator->state,
						       HMAPI_LEAF * sizeof(void *), sizeof(void *));

	if (leaf)
		memset(leaf, 0, HMAPI_LEAF * sizeof(void *));
	return leaf;
}

static bool add_segment(struct hmap *m)
{
	size_t number = m->ready >> m->segment_shift;
	unsigned char *segment;

	if (number / HMAPI_LEAF >= HMAPI_LEAF)
		return false;
	if (!m->segments)
		m->segments = new_leaf(m);
	if (m->segments && !m->segments[number / HMAPI_LEAF])
		m->segments[number / HMAPI_LEAF] = (unsigned char **)new_leaf(m);
	if (!m->segments || !m->segments[number / HMAPI_LEAF])
		return false;
	segment = m->allocator->allocate(m->allocator->state, segment_size(m), block_align(m));
	if (!segment)
		return false;
	memset(segment, HMAP_TAG_EMPTY, (size_t)HMAP_GROUP_BYTES << m->segment_shift);
	m->segments[number / HMAPI_LEAF][number % HMAPI_LEAF] = segment;
	m->ready += (size_t)1 << m->segment_shift;
	return true;
}

static void drop_segment(struct hmap *m)
{
	size_t number = (m->ready >> m->segment_shift) - 1;
	unsigned char **leaf = m->segments[number / HMAPI_LEAF];

	m->allocator->release(m->allocator->state, leaf[number % HMAPI_LEAF], segment_size(m),
			      block_align(m));
	leaf[number % HMAPI_LEAF] = NULL;
	m->ready -= (size_t)1 << m->segment_shift;
	if (number % HMAPI_LEAF == 0) {
		m->allocator->release(m->allocator->state, leaf, HMAPI_LEAF * sizeof(void *),
				      sizeof(void *));
		m->segments[number / HMAPI_LEAF] = NULL;
	}
}

static void free_segments(struct hmap *m)
{
	while (m->ready && m->segments)
		drop_segment(m);
	for (size_t i = 0; m->segments && i < HMAPI_LEAF; i++)
		if (m->segments[i])
			m->allocator->release(m->allocator->state, m->segments[i],
					      HMAPI_LEAF * sizeof(void *), sizeof(void *));
	if (m->segments)
		m->allocator->release(m->allocator->state, m->segments, HMAPI_LEAF * sizeof(void *),
				      sizeof(void *));
	m->segments = NULL;
	m->state &= ~(uintptr_t)HMAPI_SEGMENTS;
}

/** The table's groups, of which @p groups hold entries, go from its block into segments. */
static bool use_segments(struct hmap *m, size_t groups)
{
	size_t was_ready = m->ready, bytes = hmapi_group_bytes(m);

	plan_segments(m);
	m->ready = 0;
	while (m->ready < groups)
		if (!add_segment(m)) {
			free_segments(m);
			m->ready = was_ready;
			return false;
		}
	for (size_t g = 0; m->small_bytes && g < groups; g++) {
		unsigned char *segment = hmapi_segment(m, g);
		size_t at = hmapi_in_segment(m, g);

		memcpy(segment + at * HMAP_GROUP_BYTES, m->tags + g * HMAP_GROUP_BYTES,
		       HMAP_GROUP_BYTES);
		memcpy(segment + m->segment_slots_at + at * bytes, m->slots + g * bytes, bytes);
	}
	free_small(m);
	m->tags = NULL;
	m->slots = NULL;
	m->state |= HMAPI_SEGMENTS;
	return true;
}

/* ------------------------------------------------------------------------------------------- */

/** A range with memory for @p groups at once; false: refused, and nothing is left of it. */
static bool whole_range(struct hmap *m, size_t groups)
{
	enum hmapi_preparation preparation = HMAPI_PREPARING;

	while (preparation == HMAPI_PREPARING)
		preparation = prepare_range(m, groups, SIZE_MAX);
	if (preparation == HMAPI_REFUSED)
		free_space(m);
	return preparation == HMAPI_PREPARED;
}

bool hmapi_space_make(struct hmap *m, size_t groups, enum hmap_reserve_how how)
{
	if (fits_small(m, groups)) {
		unsigned char *block = take_coming(m, groups);

		if (!block)
			return false;
		memset(block, HMAP_TAG_EMPTY, groups * HMAP_GROUP_BYTES);
		use_small(m, block, groups);
		return true;
	}
	if (has_ranges(m) && whole_range(m, groups)) {
		struct hmapi_space *space = m->space;

		if (how == HMAP_RESERVE_HUGE && m->allocator->huge) {
			m->allocator->huge(m->allocator->state, space->range, space->tags.ready);
			m->allocator->huge(m->allocator->state, space->range + space->slots_at,
					   space->slots.ready);
		}
		use_range(m, space);
		return true;
	}
	return use_segments(m, groups);
}

/** Bytes of slots that have memory, or may be written, behind the groups in use. */
static size_t behind(const struct hmap *m, size_t bytes)
{
	size_t used = m->groups * hmapi_group_bytes(m);

	return bytes > used ? bytes - used : 0;
}

static bool is_warm(const struct hmap *m)
{
	return !m->allocator->populate || behind(m, m->space->slots.ready) >= FIRST_PIECE;
}

bool hmapi_space_needs_preparation(const struct hmap *m)
{
	if (m->state & (HMAPI_SEGMENTS | HMAPI_UNBORN) || !has_ranges(m))
		return false;
	if (m->small_bytes)
		return small_size(m, next_groups(m)) >= COMING_BYTES &&
		       (!fits_small(m, next_groups(m)) || m->ready < next_groups(m));
	return !range_holds(m, m->groups * 2) || !is_warm(m);
}

/** The first call of a kind after a long pause costs several times the usual: the system's code is
 *  not in the cache, and its lists of pages are empty.  So each kind has a write of its own. */
static enum hmapi_preparation warm_up(struct hmap *m)
{
	struct hmapi_part *slots = &m->space->slots;

	if (behind(m, slots->open) < OPENED_AT_ONCE / 2)
		return open_part(m, slots, slots->open + OPENED_AT_ONCE) ? HMAPI_PREPARING
									 : HMAPI_REFUSED;
	if (!ready_part(m, slots, FIRST_PIECE))
		return HMAPI_REFUSED;
	range_ready(m);
	return HMAPI_PREPARED;
}

enum hmapi_preparation hmapi_space_prepare(struct hmap *m)
{
	if (!hmapi_space_needs_preparation(m))
		return HMAPI_PREPARED;
	if (m->small_bytes && fits_small(m, next_groups(m)))
		return make_coming(m) ? HMAPI_PREPARED : HMAPI_REFUSED;
	if (m->small_bytes)
		return prepare_range(m, m->groups, PREPARED_AT_ONCE);
	return range_holds(m, m->groups * 2) ? warm_up(m) : outgrow_range(m);
}

bool hmapi_space_double(struct hmap *m)
{
	size_t groups = m->groups;

	if (groups > SIZE_MAX / 2 / (hmapi_group_bytes(m) + HMAP_GROUP_BYTES))
		return false;
	if (m->state & HMAPI_SEGMENTS)
		return true;
	if (!m->small_bytes) {
		enum hmapi_preparation preparation = HMAPI_PREPARING;

		m->space->since = 0;
		while (!range_holds(m, groups * 2) && preparation != HMAPI_REFUSED)
			preparation = outgrow_range(m);
		return range_holds(m, groups * 2);
	}
	if (fits_small(m, groups * 2))
		return m->ready >= groups * 2 || copy_small(m, groups, groups * 2);
	if (!has_ranges(m) || !whole_range(m, groups))
		return use_segments(m, groups);
	memcpy(m->space->range, m->tags, groups * HMAP_GROUP_BYTES);
	memcpy(m->space->range + m->space->slots_at, m->slots, groups * hmapi_group_bytes(m));
	free_small(m);
	use_range(m, m->space);
	return true;
}

void hmapi_space_tighten(struct hmap *m)
{
	if (m->small_bytes && m->ready > m->groups)
		(void)copy_small(m, m->groups, m->groups);
}

bool hmapi_more_memory(struct hmap *m)
{
	uint64_t began = hmapi_clock(m);
	bool there = m->state & HMAPI_SEGMENTS ? add_segment(m) : m->space && more_of_range(m);

	hmapi_space_note(m);
	hmapi_note_time(m, began);
	return there;
}

static void free_dead_slabs(struct hmap *m, unsigned most)
{
	while (m->dead_slabs && most--) {
		struct hmapi_slab *slab = m->dead_slabs;

		m->dead_slabs = slab->next;
		m->allocator->release(m->allocator->state, slab, slab->size, block_align(m));
	}
}

void hmapi_less_memory(struct hmap *m)
{
	size_t bytes = hmapi_group_bytes(m);

	if (m->state & HMAPI_SEGMENTS) {
		if (m->ready >= m->groups + ((size_t)1 << m->segment_shift))
			drop_segment(m);
	} else if (m->space && !m->small_bytes) {
		less_of_range(m);
	}
	free_dead_slabs(m, DEAD_SLABS_AT_ONCE);
	m->release_at =
	    m->groups > HMAPI_PIECE / bytes / 2 ? m->groups - HMAPI_PIECE / bytes / 2 : 0;
	hmapi_space_note(m);
}

/* ------------------------------------------------------------------------------------------- */
/* Nodes                                                                                       */

enum { FIRST_NODES = 8, SLAB_BYTES = 4096 };

static size_t slab_head(const struct hmap *m)
{
	return round_up(sizeof(struct hmapi_slab), m->shape.align < 16 ? 16 : m->shape.align);
}

static bool add_slab(struct hmap *m)
{
	size_t head = slab_head(m), node = m->shape.node_size;
	size_t nodes = m->nodes_made ? (SLAB_BYTES - head) / node : FIRST_NODES;
	struct hmapi_slab *slab;

	nodes = nodes ? nodes : 1;
	if (m->dead_slabs) {
		slab = m->dead_slabs;
		m->dead_slabs = slab->next;
		nodes = (slab->size - head) / node;
	} else {
		slab = m->allocator->allocate(m->allocator->state, head + nodes * node,
					      block_align(m));
		if (!slab)
			return false;
		slab->size = head + nodes * node;
	}
	slab->next = m->slabs;
	m->slabs = slab;
	m->nodes_made += nodes;
	hmapi_space_note(m);
	for (size_t i = nodes; i-- > 0;) {
		struct hmapi_node *free_node =
		    (struct hmapi_node *)(void *)((unsigned char *)slab + head + i * node);

		free_node->next = m->free_nodes;
		m->free_nodes = free_node;
	}
	return true;
}

struct hmapi_node *hmapi_new_node(struct hmap *m)
{
	struct hmapi_node *node;

	if (!m->free_nodes && !add_slab(m))
		return NULL;
	node = m->free_nodes;
	m->free_nodes = node->next;
	m->nodes_used++;
	memset(node, 0, sizeof(*node));
	return node;
}

bool hmapi_have_nodes(struct hmap *m, size_t entries)
{
	size_t wanted = (entries + m->shape.node_slots - 1) / m->shape.node_slots + 1, have = 0;

	for (const struct hmapi_node *n = m->free_nodes; n && have < wanted; n = n->next)
		have++;
	while (have < wanted) {
		size_t made = m->nodes_made;

		if (!add_slab(m))
			return false;
		have += m->nodes_made - made;
	}
	return true;
}

/** Once no node is in use, their memory can go: a little at a time. */
void hmapi_retire_nodes(struct hmap *m)
{
	struct hmapi_slab *last = m->slabs;

	if (m->nodes_used || !last)
		return;
	while (last->next)
		last = last->next;
	last->next = m->dead_slabs;
	m->dead_slabs = m->slabs;
	m->slabs = NULL;
	m->free_nodes = NULL;
	m->nodes_made = 0;
	hmapi_space_note(m);
}

/* ------------------------------------------------------------------------------------------- */

void hmapi_space_free(struct hmap *m)
{
	free_small(m);
	if (m->state & HMAPI_SEGMENTS)
		free_segments(m);
	free_space(m);
	free_coming(m);
	m->nodes_used = 0;
	hmapi_retire_nodes(m);
	while (m->dead_slabs)
		free_dead_slabs(m, DEAD_SLABS_AT_ONCE);
	m->tags = NULL;
	m->slots = NULL;
	m->ready = 0;
}

void hmapi_space_note(struct hmap *m)
{
	m->held_bytes = hmapi_space_bytes(m, &m->held_reserved);
}

size_t hmapi_space_bytes(const struct hmap *m, size_t *ret_reserved)
{
	size_t bytes = sizeof(*m) + m->small_bytes + (m->coming ? m->coming_bytes : 0);

	*ret_reserved = bytes;
	if (m->space) {
		bytes += sizeof(*m->space) + m->space->tags.ready + m->space->slots.ready;
		*ret_reserved += m->space->reserved;
	}
	if (m->state & HMAPI_SEGMENTS) {
		size_t segments = m->ready >> m->segment_shift;
		size_t table =
		    segments * segment_size(m) +
		    (1 + (segments + HMAPI_LEAF - 1) / HMAPI_LEAF) * HMAPI_LEAF * sizeof(void *);

		bytes += table;
		*ret_reserved += table;
	}
	bytes += m->nodes_made * m->shape.node_size;
	*ret_reserved += m->nodes_made * m->shape.node_size;
	return bytes;
}
