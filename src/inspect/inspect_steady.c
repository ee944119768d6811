// inspect_steady.c - a steady map of libhmap: the tags of its groups, block by block, and its
// nodes.
//
//	tags   | t t t t .. | t .. | t .. | t .. | ...     four groups are a block
//	slots  | s s s s .. |                   L |        L: a link, where a block overflows
//	                                        │
//	                                        └─► node ─► node
//
// A table grows and shrinks in place: a cursor walks over its blocks, and what it has done and what
// it has not are told apart by their number alone.  Only tags, links and nodes are read, no slot.
#include "inspect/steady_look.h"

#include "base/cleanup.h"
#include "base/vec.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
	STEP_BYTES = 1 << 20,
	UNITS_MAX = 1 << 26, // Blocks; beyond, only the header is told.
	SEGMENTS_MAX = 1 << 20,
	LINKS_AT_ONCE = 1 << 20,
	TAG_EMPTY = 0,
	TAG_LINK = 1,
	TAG_MIN = 2,   // Of an entry ...
	TAG_SHIFT = 8, // ... and hashes that would have a smaller one have one so much higher.
};

// --- Where groups lie. ---

/** Groups that lie together from @p group on. */
static uint64_t run_of(const struct ms_steady_look *k, uint64_t group)
{
	uint64_t each = (uint64_t)1 << k->segment_shift;

	return k->in_segments ? each - (group & (each - 1)) : UINT64_MAX;
}

static ms_addr tags_of(const struct ms_steady_look *k, uint64_t group)
{
	if (!k->in_segments)
		return ms_hmap_member(k->c.i, HMAP_FIELD_TAGS) + group * k->group_bytes;
	return k->segments.items[group >> k->segment_shift] +
	       (group & (((uint64_t)1 << k->segment_shift) - 1)) * k->group_bytes;
}

static ms_addr slots_of(const struct ms_steady_look *k, uint64_t group)
{
	uint64_t bytes = (uint64_t)k->group_slots * k->slot_bytes;

	if (!k->in_segments)
		return ms_hmap_member(k->c.i, HMAP_FIELD_SLOTS) + group * bytes;
	return k->segments.items[group >> k->segment_shift] + k->segment_slots_at +
	       (group & (((uint64_t)1 << k->segment_shift) - 1)) * bytes;
}

/** Read, or note that the table is not whole. */
static struct ms_error *part_read(struct ms_steady_look *k, ms_addr addr, void *buf, uint64_t size,
				  bool *ret_read)
{
	struct ms_error *err = ms_target_read(k->c.i->target, addr, buf, (size_t)size);

	*ret_read = !err;
	if (!err || ms_error_code(err) != MS_ERR_FAULT)
		return err;
	ms_error_free(err);
	k->c.is_whole = false;
	ms_inspect_unread(k->c.i, "part of its table cannot be read");
	return NULL;
}

/** The addresses of all segments, leaf by leaf. */
static struct ms_error *segments_read(struct ms_steady_look *k)
{
	uint64_t each = (uint64_t)1 << k->segment_shift;
	uint64_t all = (ms_max_u64(k->groups, k->ready) + each - 1) / each;
	uint64_t leaf = ms_hmap_number(k->c.i, HMAP_FIELD_SEGMENT_LEAF);
	ms_addr root = ms_hmap_member(k->c.i, HMAP_FIELD_SEGMENTS), at;
	struct ms_error *err = NULL;
	bool is_read = true;

	if (all > SEGMENTS_MAX) {
		ms_inspect_unread(k->c.i, "its table has more segments than are read");
		return NULL;
	}
	if (!ms_vec_reserve(&k->segments, (size_t)all + 1))
		return ms_error_no_memory();
	for (uint64_t n = 0; n < all && !err && is_read && !ms_inspect_stopped(k->c.i); n += leaf) {
		uint64_t count = ms_min_u64(leaf, all - n);

		err = part_read(k, root + n / leaf * 8, &at, sizeof(at), &is_read);
		if (!err && is_read)
			err = part_read(k, at, k->segments.items + n, count * 8, &is_read);
		if (!err && is_read)
			k->segments.count += (size_t)count;
	}
	for (size_t n = 0; n < k->segments.count; n++) {
		if (!k->segments.items[n])
			ms_invariant_break(k->c.i, MS_INV_TABLE, "segment %zu is not there", n);
	}
	if (k->segments.count < all && !err)
		ms_inspect_unread(k->c.i, "part of its table cannot be read");
	return err;
}

// --- Blocks. ---

static void take_entry(struct ms_steady_look *k, uint64_t block, uint8_t tag)
{
	struct ms_inspect_array *now = k->c.arrays[0];

	k->c.i->report->tags[tag]++;
	now->entries++;
	if (now->fills[block] < UINT16_MAX)
		now->fills[block]++;
}

/** Links stand at the end of a block, all of one or none. */
static void link_check(struct ms_steady_look *k, uint64_t block, uint32_t group, uint32_t slot,
		       uint8_t tag, bool is_linked)
{
	bool is_place = group + 1 == k->block_groups && slot + k->link_slots >= k->group_slots;

	if (tag == TAG_LINK && !(is_place && is_linked))
		ms_invariant_break(k->c.i, MS_INV_TAGS,
				   "slot %u of group %u of block %" PRIu64
				   " has a link where none can be",
				   slot, group, block);
	else if (tag != TAG_LINK && is_place && is_linked)
		ms_invariant_break(k->c.i, MS_INV_TAGS,
				   "slot %u of block %" PRIu64 " lies in the place of a link", slot,
				   block);
}

/** A group's own count of strays, which from its largest number on is none any more. */
static void strays_take(struct ms_inspect_report *r, uint8_t strays)
{
	if (strays == UINT8_MAX)
		r->displaced = MS_UNKNOWN;
	else if (r->displaced != MS_UNKNOWN)
		r->displaced += strays;
}

static bool block_take(struct ms_steady_look *k, uint64_t block, const uint8_t *tags)
{
	uint32_t bytes = k->block_groups * k->group_bytes;
	const uint8_t *last = tags + bytes - k->group_bytes;
	bool is_linked = last[k->group_slots - 1] == TAG_LINK;
	uint64_t group = (block + 1) * k->block_groups - 1;

	for (uint32_t at = 0; at + 8 <= bytes; at += 8)
		ms_inspect_mix(k->c.i, ms_load_u64(tags + at));
	for (uint32_t g = 0; g < k->block_groups; g++, tags += k->group_bytes) {
		for (uint32_t s = 0; s < k->group_slots; s++) {
			link_check(k, block, g, s, tags[s], is_linked);
			if (tags[s] >= TAG_MIN)
				take_entry(k, block, tags[s]);
		}
		if (k->strays_at < k->group_bytes)
			strays_take(k->c.i->report, tags[k->strays_at]);
	}
	return !is_linked ||
	       ms_vec_push(&k->heads,
			   { slots_of(k, group) +
				 (uint64_t)(k->group_slots - k->link_slots) * k->slot_bytes,
			     block, 0 });
}

/** Tags behind the groups in use are empty: what a pass has emptied, or will go to. */
static void behind_take(struct ms_steady_look *k, uint64_t group, const uint8_t *tags)
{
	for (uint32_t s = 0; s < k->group_bytes; s++) {
		if (!tags[s])
			continue;
		ms_invariant_break(k->c.i, MS_INV_FRONTIER,
				   "group %" PRIu64 " lies behind the %" PRIu64
				   " in use, and is not empty",
				   group, k->groups);
		return;
	}
}

static struct ms_error *step_take(struct ms_steady_look *k, uint64_t group, uint64_t count,
				  uint8_t *buf)
{
	bool is_read;
	struct ms_error *err =
	    part_read(k, tags_of(k, group), buf, count * k->group_bytes, &is_read);

	for (uint64_t g = 0; g < count && !err && is_read;) {
		const uint8_t *tags = buf + g * k->group_bytes;

		if (group + g >= k->groups) {
			behind_take(k, group + g++, tags);
			continue;
		}
		if (!block_take(k, (group + g) / k->block_groups, tags))
			err = ms_error_no_memory();
		g += k->block_groups;
	}
	return err;
}

/** All groups that have memory, in use or not. */
static struct ms_error *groups_read(struct ms_steady_look *k)
{
	MS_AUTO_FREE uint8_t *buf = malloc(STEP_BYTES);
	uint64_t step = STEP_BYTES / k->group_bytes & ~(uint64_t)(MS_STEADY_BLOCK_GROUPS_MAX - 1);
	uint64_t end = ms_max_u64(k->groups, k->ready), count;
	struct ms_error *err = NULL;

	if (!buf)
		return ms_error_no_memory();
	ms_invariant_ask(k->c.i, MS_INV_TAGS);
	if (k->ready > k->groups)
		ms_invariant_ask(k->c.i, MS_INV_FRONTIER);
	for (uint64_t g = 0; g < end && !err && k->c.is_whole && !ms_inspect_stopped(k->c.i);
	     g += count) {
		count = ms_min_u64(ms_min_u64(step, run_of(k, g)), end - g);
		if (g < k->groups)
			count = ms_min_u64(count, k->groups - g);
		err = step_take(k, g, count, buf);
	}
	return err;
}

// --- Chains. ---

static bool leads_to_node(const struct ms_chains *c, const struct ms_chain_link *link)
{
	return !(link->addr & 7) && ms_hmap_pieces_have(&ms_hmap_own(c->i)->pieces[0], link->addr);
}

static void take_node(struct ms_chains *c, const struct ms_chain_link *link, const uint8_t *tags)
{
	struct ms_steady_look *k = (struct ms_steady_look *)c;

	for (uint32_t s = 0; s < k->node_slots; s++) {
		if (tags[s] == TAG_LINK)
			ms_invariant_break(c->i, MS_INV_TAGS,
					   "slot %u of a node of block %" PRIu64
					   " has a link where none can be",
					   s, link->unit);
		else if (tags[s] != TAG_EMPTY)
			take_entry(k, link->unit, tags[s]);
	}
}

/** The first link of each chain lies in a slot of its block. */
static struct ms_error *heads_read(struct ms_steady_look *k, size_t first, size_t count)
{
	struct ms_fetch *f = &k->c.i->fetch;
	struct ms_error *err = NULL;
	uint32_t want;

	ms_fetch_reset(f);
	for (size_t n = 0; n < count && !err; n++)
		err = ms_fetch_add(f, k->heads.items[first + n].addr, MS_INSPECT_LINK_BYTES, &want);
	if (!err)
		err = ms_fetch_run(f, k->c.i->target);
	for (size_t n = 0; n < count && !err; n++) {
		const uint8_t *link = ms_fetch_bytes(f, (uint32_t)n);

		if (!link) {
			k->c.is_whole = false;
			ms_inspect_unread(k->c.i, "part of its overflow cannot be read");
			continue;
		}
		ms_inspect_mix(k->c.i, ms_load_u64(link));
		if (!ms_chains_add(&k->c, 0, k->heads.items[first + n].unit, ms_load_u64(link)))
			err = ms_error_no_memory();
	}
	return err;
}

static struct ms_error *chains_read(struct ms_steady_look *k)
{
	struct ms_inspection *i = k->c.i;
	struct ms_hmap_pieces *slabs = &ms_hmap_own(i)->pieces[0];
	struct ms_error *err =
	    ms_hmap_pieces_read(i, ms_hmap_member(i, HMAP_FIELD_SLABS), HMAP_FIELD_SLAB_NEXT,
				(uint32_t)ms_hmap_member(i, HMAP_FIELD_NODE_BYTES),
				ms_hmap_member(i, HMAP_FIELD_BYTES), slabs);

	for (size_t n = 0; n < k->heads.count && !err && !ms_inspect_stopped(i); n += LINKS_AT_ONCE)
		err = heads_read(k, n, (size_t)ms_min_u64(LINKS_AT_ONCE, k->heads.count - n));
	if (!err)
		err = ms_chains_follow(&k->c);
	return err;
}

// --- What holds of all of it. ---

static void counts_check(struct ms_steady_look *k)
{
	struct ms_inspection *i = k->c.i;
	const struct ms_inspect_array *now = k->c.arrays[0];
	const struct ms_hmap_pieces *slabs = &ms_hmap_own(i)->pieces[0];
	uint64_t count = ms_hmap_member(i, HMAP_FIELD_COUNT);
	uint64_t used = ms_hmap_member(i, HMAP_FIELD_NODES);
	uint64_t made = ms_hmap_member(i, HMAP_FIELD_NODES_MADE);

	ms_invariant_ask(i, MS_INV_COUNT);
	if (now->entries != count)
		ms_invariant_break(i, MS_INV_COUNT,
				   "%" PRIu64 " entries are in the table, and the header counts "
				   "%" PRIu64,
				   now->entries, count);
	ms_invariant_ask(i, MS_INV_OVERFLOW_COUNT);
	if (now->overflow != used)
		ms_invariant_break(i, MS_INV_OVERFLOW_COUNT,
				   "%" PRIu64 " are in chains, and the header counts %" PRIu64,
				   now->overflow, used);
	else if (slabs->is_known && slabs->units != made)
		ms_invariant_break(i, MS_INV_OVERFLOW_COUNT,
				   "there is memory for %" PRIu64 ", and the header counts %" PRIu64
				   " that were made",
				   slabs->units, made);
	if (!slabs->is_known)
		ms_invariant_unknown(i, MS_INV_OVERFLOW, ms_hmap_pieces_unknown);
}

static void judge(struct ms_steady_look *k)
{
	static const enum ms_invariant_id ids[] = { MS_INV_TAGS, MS_INV_COUNT, MS_INV_CHAIN_CYCLE,
						    MS_INV_OVERFLOW };
	struct ms_inspection *i = k->c.i;
	struct ms_inspect_report *r = i->report;

	r->is_read = k->c.is_whole && !i->is_cut && !r->unread_why;
	if (!r->is_read) {
		for (size_t n = 0; n < MS_ARRAY_SIZE(ids); n++)
			ms_invariant_unknown(
			    i, ids[n], r->unread_why ? r->unread_why : "the look was cut short");
		r->now.overflow = MS_UNKNOWN;
		return;
	}
	counts_check(k);
	ms_inspect_count_fills(r);
	ms_inspect_count_chains(r);
	ms_inspect_evenness_units(i, TAG_MIN, TAG_SHIFT);
}

/** The block that was asked for: its tags, group by group. */
static struct ms_error *unit_look(struct ms_steady_look *k)
{
	struct ms_inspect_report *r = k->c.i->report;
	struct ms_unit_look *u = &r->unit;
	uint8_t raw[MS_STEADY_BLOCK_GROUPS_MAX * MS_STEADY_GROUP_BYTES_MAX];
	struct ms_error *err;

	*u = (struct ms_unit_look){ .asked = true, .index = k->c.i->options->unit };
	if (!r->is_read || u->index >= r->now.units)
		return NULL;
	u->address = tags_of(k, u->index * k->block_groups);
	u->entries = r->now.fills[u->index];
	u->chain = r->now.chains[u->index];
	err = part_read(k, u->address, raw, k->block_groups * k->group_bytes, &u->exists);
	for (uint32_t g = 0; g < k->block_groups && !err && u->exists; g++) {
		memcpy(u->tags + g * k->group_slots, raw + g * k->group_bytes, k->group_slots);
		u->tag_count += k->group_slots;
	}
	return err;
}

// --- The whole. ---

static struct ms_error *table_read(struct ms_steady_look *k)
{
	struct ms_inspection *i = k->c.i;
	bool is_small = ms_hmap_member(i, HMAP_FIELD_SMALL_BYTES) != 0;
	// A range has a block more than is called ready.
	uint64_t more = is_small || k->in_segments ? 0 : k->block_groups;
	struct ms_error *err = NULL;

	ms_invariant_ask(i, MS_INV_TABLE);
	if (k->groups > k->ready + more)
		ms_invariant_break(i, MS_INV_TABLE,
				   "%" PRIu64 " groups are in use, and %" PRIu64 " have memory",
				   k->groups, k->ready);
	if (k->in_segments)
		err = segments_read(k);
	if (k->segments.count)
		i->report->now.address = tags_of(k, 0);
	if (!err && !i->report->unread_why)
		err = groups_read(k);
	if (!err && !i->report->unread_why)
		err = chains_read(k);
	if (!err)
		judge(k);
	return err || i->options->unit == MS_UNKNOWN ? err : unit_look(k);
}

struct ms_error *ms_inspect_steady(struct ms_inspection *i)
{
	const struct ms_registry_field *fields = ms_hmap_own(i)->registry->fields;
	struct ms_inspect_report *r = i->report;
	struct ms_steady_look k = { .c = { .i = i,
					   .arrays = { &r->now, &r->old },
					   .unit_names = { "block", "block" },
					   .name = "node",
					   .take = take_node,
					   .leads = leads_to_node,
					   .is_whole = true,
					   .tags_at = fields[HMAP_FIELD_NODE_TAGS].offset,
					   .next_at = fields[HMAP_FIELD_NODE_NEXT].offset } };
	struct ms_error *err;

	if (!ms_steady_header_take(&k))
		return NULL;
	if (k.groups / k.block_groups > UNITS_MAX) {
		ms_inspect_unread(i, "its table is larger than is read");
		return NULL;
	}
	err = ms_inspect_array_init(&r->now, ms_hmap_member(i, HMAP_FIELD_TAGS),
				    k.groups / k.block_groups);
	if (!err)
		err = table_read(&k);
	ms_vec_free(&k.segments);
	ms_vec_free(&k.heads);
	ms_chains_deinit(&k.c);
	return err;
}
