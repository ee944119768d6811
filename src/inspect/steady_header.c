// steady_header.c - the words of a steady map of libhmap: its shape, its sizes, and its pass.
//
// They decide what is read, and how much: nothing is taken that no type of libhmap can have, and no
// table that would not fit into all memory that the map says to hold.
#include "inspect/steady_look.h"

#include <inttypes.h>

enum {
	GROUP_BYTES_MAX = MS_STEADY_GROUP_BYTES_MAX,
	BLOCK_GROUPS_MAX = MS_STEADY_BLOCK_GROUPS_MAX,
	SLOT_BYTES_MAX = 4096,
	NODE_BYTES_MAX = 65536,
	SEGMENT_SHIFT_MAX = 16,
	SEGMENT_BYTES_MAX = 1 << 24,
};

static const char *pass_meaning(uint64_t pass)
{
	switch (pass) {
	case 0:
		return "nothing is under way";
	case HMAP_PASS_GROW:
		return "it grows";
	case HMAP_PASS_COMPACT:
		return "it is tidied up";
	case HMAP_PASS_SHRINK:
		return "it shrinks";
	default:
		return "no pass has this number";
	}
}

static bool is_unborn(const struct ms_inspection *i)
{
	return ms_hmap_member(i, HMAP_FIELD_STATE) & ms_hmap_own(i)->registry->unborn_mask;
}

static void words_tell(struct ms_inspection *i, const struct ms_steady_look *k)
{
	const struct {
		const char *name;
		enum hmap_field field;
		const char *meaning;
		bool is_hex;
	} words[] = {
		{ "count", HMAP_FIELD_COUNT, "entries", false },
		{ "groups", HMAP_FIELD_GROUPS, "in use; in a pass, its cursor", false },
		{ "mask", HMAP_FIELD_MASK, "groups less 1, of the larger size in a pass", false },
		{ "low", HMAP_FIELD_LOW, "groups of the smaller size, in a pass", false },
		{ "pass", HMAP_FIELD_PASS, pass_meaning(k->pass), false },
		{ "compacted", HMAP_FIELD_COMPACTED, "groups done, in a pass of the same size",
		  false },
		{ "usual_grow_at", HMAP_FIELD_GROW_AT, "entries over which it grows", false },
		{ "state", HMAP_FIELD_STATE,
		  i->is_writing  ? "a write is under way"
		  : is_unborn(i) ? "no table yet: nothing was ever put"
				 : "nobody writes",
		  true },
		{ "seed", HMAP_FIELD_SEED, "of its hashes", true },
		{ k->in_segments ? "segments" : "tags",
		  k->in_segments ? HMAP_FIELD_SEGMENTS : HMAP_FIELD_TAGS,
		  k->in_segments ? "leaves of pieces of the table" : "of its first group", true },
		{ "slots", HMAP_FIELD_SLOTS, "of its first group", true },
		{ "ready", HMAP_FIELD_READY, "groups that have memory", false },
		{ "nodes_used", HMAP_FIELD_NODES, "overflow nodes in chains", false },
		{ "nodes_made", HMAP_FIELD_NODES_MADE, "overflow nodes there are", false },
		{ "growths", HMAP_FIELD_GROWTHS, "so far", false },
		{ "compactions", HMAP_FIELD_COMPACTIONS, "so far", false },
		{ "shrinks", HMAP_FIELD_SHRINKS, "so far", false },
	};

	for (size_t n = 0; n < MS_ARRAY_SIZE(words); n++) {
		if (words[n].field == HMAP_FIELD_SLOTS && k->in_segments)
			continue;
		ms_inspect_word(i, words[n].name, ms_hmap_member(i, words[n].field),
				words[n].meaning, words[n].is_hex);
	}
}

static bool is_between(uint64_t value, uint64_t least, uint64_t most)
{
	return value >= least && value <= most;
}

/** Whether slots, groups and nodes can be so: what decides what is read. */
static bool shape_take(struct ms_steady_look *k)
{
	const struct ms_inspection *i = k->c.i;
	const struct ms_registry *r = ms_hmap_own(i)->registry;
	uint64_t block_mask = ms_hmap_member(i, HMAP_FIELD_BLOCK_MASK);
	uint64_t slot = ms_hmap_member(i, HMAP_FIELD_SLOT_BYTES);
	uint64_t links = ms_hmap_member(i, HMAP_FIELD_LINK_SLOTS);
	uint64_t node_slots = ms_hmap_member(i, HMAP_FIELD_NODE_SLOTS);
	uint64_t node_slots_at = ms_hmap_member(i, HMAP_FIELD_NODE_SLOTS_AT);
	uint64_t node = ms_hmap_member(i, HMAP_FIELD_NODE_BYTES);
	uint64_t shift = ms_hmap_member(i, HMAP_FIELD_SEGMENT_SHIFT);
	uint64_t slots_at = ms_hmap_member(i, HMAP_FIELD_SEGMENT_SLOTS_AT);

	if (!is_between(k->group_bytes, r->group_slots, GROUP_BYTES_MAX) ||
	    block_mask >= BLOCK_GROUPS_MAX || !ms_is_power_of_two(block_mask + 1) ||
	    (block_mask + 1) * r->group_slots > MS_INSPECT_UNIT_TAGS ||
	    !is_between(slot, 2, SLOT_BYTES_MAX) || !is_between(links, 1, r->group_slots) ||
	    links * slot < MS_INSPECT_LINK_BYTES || !is_between(node_slots, 1, 8) ||
	    !is_between(node_slots_at, MS_INSPECT_TAG_BYTES + MS_INSPECT_LINK_BYTES, node) ||
	    node > NODE_BYTES_MAX || node_slots_at + node_slots * slot > node)
		return false;
	if (k->in_segments && (shift > SEGMENT_SHIFT_MAX || slots_at > SEGMENT_BYTES_MAX ||
			       slots_at < k->group_bytes << shift || block_mask >> shift))
		return false;
	k->group_slots = r->group_slots;
	k->block_groups = (uint32_t)block_mask + 1;
	k->slot_bytes = (uint32_t)slot;
	k->link_slots = (uint32_t)links;
	k->node_slots = (uint32_t)node_slots;
	k->segment_shift = k->in_segments ? (unsigned)shift : 0;
	k->segment_slots_at = slots_at;
	return true;
}

/** What has to hold of sizes and cursor, as hmap_check has it; NULL, or what does not. */
static const char *sizes_check(const struct ms_steady_look *k)
{
	uint64_t larger = k->mask + 1;
	uint64_t compacted = ms_hmap_member(k->c.i, HMAP_FIELD_COMPACTED);

	if (!ms_is_power_of_two(larger))
		return "mask is not one less than a power of two";
	if (k->pass > HMAP_PASS_SHRINK)
		return "there is no such pass";
	if (!k->pass != !(k->state & ms_hmap_number(k->c.i, HMAP_FIELD_STATE_PASS)))
		return "a pass and its flag disagree";
	if (!k->pass || k->pass == HMAP_PASS_COMPACT) {
		if (k->groups != larger)
			return "groups and mask disagree";
		return k->pass && compacted > k->groups ? "the cursor is outside its pass" : NULL;
	}
	if (k->low * 2 != larger || k->groups < k->low || k->groups > larger)
		return "the cursor is outside its pass";
	return NULL;
}

/** Whether the table can be of this size: no larger than all memory of the map. */
static bool size_is_sane(const struct ms_steady_look *k)
{
	uint64_t bytes = ms_hmap_member(k->c.i, HMAP_FIELD_BYTES);
	uint64_t group = k->group_bytes + (uint64_t)k->group_slots * k->slot_bytes;

	return k->groups && k->groups % k->block_groups == 0 && k->groups <= bytes / group &&
	       k->ready <= bytes / k->group_bytes && bytes < (uint64_t)1 << 56;
}

static void stage_tell(const struct ms_steady_look *k)
{
	struct ms_inspect_report *r = k->c.i->report;
	uint64_t low = k->low / k->block_groups;
	uint64_t compacted = ms_hmap_member(k->c.i, HMAP_FIELD_COMPACTED);

	r->stage = MS_STAGE_NONE;
	switch (k->pass) {
	case HMAP_PASS_GROW:
		r->stage = MS_STAGE_DOUBLING;
		r->pass = (struct ms_inspect_pass){ low, 2 * low, low,
						    (k->groups - k->low) / k->block_groups };
		r->frontier = r->pass.done;
		break;
	case HMAP_PASS_SHRINK:
		r->stage = MS_STAGE_HALVING;
		r->pass = (struct ms_inspect_pass){ 2 * low, low, low,
						    (2 * k->low - k->groups) / k->block_groups };
		r->frontier = low - r->pass.done;
		break;
	case HMAP_PASS_COMPACT:
		low = k->groups / k->block_groups;
		r->stage = MS_STAGE_SAME_SIZE;
		r->pass = (struct ms_inspect_pass){ low, low, low, compacted / k->block_groups };
		r->frontier = r->pass.done;
		break;
	default:
		break;
	}
}

/** Whether the table is to be read; what its header says is told in any case. */
static bool words_hold(struct ms_steady_look *k)
{
	struct ms_inspection *i = k->c.i;
	const char *wrong;

	if (is_unborn(i)) {
		i->report->stage = MS_STAGE_NEVER_WRITTEN;
		ms_inspect_unread(i, "nothing was ever put into it, and it has no table yet");
		if (ms_hmap_member(i, HMAP_FIELD_COUNT))
			ms_invariant_break(i, MS_INV_HEADER, "it has entries without a table");
		return false;
	}
	if (!shape_take(k)) {
		ms_invariant_break(i, MS_INV_HEADER, "no type has slots of such a shape");
	} else if (!size_is_sane(k)) {
		ms_invariant_break(i, MS_INV_HEADER,
				   "%" PRIu64 " groups do not fit into all memory of the map",
				   k->groups);
	} else {
		wrong = sizes_check(k);
		if (!wrong && !ms_hmap_renew_row(i))
			wrong = "its words contradict each other";
		if (!wrong)
			return true;
		ms_invariant_break(i, MS_INV_HEADER, "%s", wrong);
	}
	ms_inspect_unread(i, "its header is not one of a map");
	return false;
}

bool ms_steady_header_take(struct ms_steady_look *k)
{
	struct ms_inspection *i = k->c.i;

	k->groups = ms_hmap_member(i, HMAP_FIELD_GROUPS);
	k->ready = ms_hmap_member(i, HMAP_FIELD_READY);
	k->mask = ms_hmap_member(i, HMAP_FIELD_MASK);
	k->low = ms_hmap_member(i, HMAP_FIELD_LOW);
	k->pass = ms_hmap_member(i, HMAP_FIELD_PASS);
	k->state = ms_hmap_member(i, HMAP_FIELD_STATE);
	k->group_bytes = ms_hmap_number(i, HMAP_FIELD_GROUP_BYTES);
	k->strays_at = ms_hmap_number(i, HMAP_FIELD_STRAYS_AT);
	k->in_segments = k->state & ms_hmap_number(i, HMAP_FIELD_STATE_SEGMENTS);
	i->is_writing = (k->state & ~(uint64_t)ms_hmap_number(i, HMAP_FIELD_STATE_FLAGS)) != 0;
	i->unit_bytes = 0;
	words_tell(i, k);
	if (!words_hold(k))
		return false;
	stage_tell(k);
	i->report->unit_slots = k->block_groups * k->group_slots;
	i->unit_bytes = k->block_groups * k->group_bytes + i->report->unit_slots * k->slot_bytes;
	return true;
}
