// hmap_unit.c - the fields of a bucket or block of libhmap, and where a debugger can see the same.
//
//	bucket   tophash [8] | key [8] | elem [8] | overflow
//	block    tags of 4 groups { tag [14] filter count } | slots [56] { key value hash }
//
// Names are those of hmap_layout.  A block's slots lie apart from its tags; here they are counted
// on behind them, as if they followed.
#include "inspect/hmap_look.h"

enum {
	HASH_BYTES = 4,
	KEY_AWAY = 1,
	VALUE_AWAY = 2, // Of the flags of slots.
	NODE_HEAD_BYTES = 16,
};

static void field_add(struct ms_inspection *i, const char *name, const char *type,
		      const struct ms_unit_field *field)
{
	struct ms_unit_layout *u = &i->report->layout;
	struct ms_unit_field *f;

	if (!field->bytes || u->field_count == MS_INSPECT_FIELDS_MAX)
		return;
	f = &u->fields[u->field_count++];
	*f = *field;
	f->name = name;
	f->type = type ? type : "bytes";
}

static void bucket_fields(struct ms_inspection *i)
{
	const struct ms_map_row *row = &i->report->row;
	uint64_t key = ms_hmap_member(i, HMAP_FIELD_CLASSIC_KEY_BYTES);
	uint64_t value = ms_hmap_member(i, HMAP_FIELD_CLASSIC_VALUE_BYTES);
	bool key_away = ms_hmap_member(i, HMAP_FIELD_CLASSIC_KEY_AWAY);
	bool value_away = ms_hmap_member(i, HMAP_FIELD_CLASSIC_VALUE_AWAY);
	const uint64_t slots = MS_CLASSIC_SLOTS;

	field_add(i, "tophash", "uint8_t",
		  &(struct ms_unit_field){ .bytes = 1, .count = slots, .stride = 1 });
	field_add(
	    i, key_away ? "key (pointer)" : "key", row->key_type,
	    &(struct ms_unit_field){
		.offset = MS_INSPECT_TAG_BYTES, .bytes = key, .count = slots, .stride = key });
	field_add(
	    i, value_away ? "elem (pointer)" : "elem", row->elem_type,
	    &(struct ms_unit_field){ .offset = ms_hmap_member(i, HMAP_FIELD_CLASSIC_VALUES_AT),
				     .bytes = value,
				     .count = slots,
				     .stride = value });
	field_add(i, "overflow", "struct go_bmap *",
		  &(struct ms_unit_field){ .offset = i->unit_bytes - MS_INSPECT_LINK_BYTES,
					   .bytes = MS_INSPECT_LINK_BYTES,
					   .count = 1,
					   .stride = MS_INSPECT_LINK_BYTES });
}

/** Bytes of a slot that are a key's, a value's or a stored hash's. */
static uint64_t slot_fields(struct ms_inspection *i, uint64_t at)
{
	const struct ms_map_row *row = &i->report->row;
	uint64_t flags = ms_hmap_member(i, HMAP_FIELD_SLOT_FLAGS);
	uint64_t key = ms_hmap_member(i, HMAP_FIELD_SLOT_KEY_BYTES);
	uint64_t value = ms_hmap_member(i, HMAP_FIELD_SLOT_VALUE_BYTES);
	uint64_t hash_at = ms_hmap_member(i, HMAP_FIELD_SLOT_HASH_AT);
	struct ms_unit_field f = { .count = ms_inspect_unit_slots(i->report),
				   .stride = ms_hmap_member(i, HMAP_FIELD_SLOT_BYTES) };
	bool has_hash = hash_at < f.stride, in_key = hash_at < key;

	f.offset = at;
	f.bytes = in_key ? hash_at : key;
	field_add(i, flags & KEY_AWAY ? "key (pointer)" : "key", row->key_type, &f);
	f.offset = at + ms_hmap_member(i, HMAP_FIELD_SLOT_VALUE_AT);
	f.bytes = value;
	field_add(i, flags & VALUE_AWAY ? "value (pointer)" : "value", row->elem_type, &f);
	f.offset = at + hash_at;
	f.bytes = has_hash ? HASH_BYTES : 0;
	field_add(i, "hash", "uint32_t", &f);
	return (in_key ? hash_at : key) + value + f.bytes;
}

static void block_fields(struct ms_inspection *i, uint64_t *ret_node_padding)
{
	uint64_t group = ms_hmap_number(i, HMAP_FIELD_GROUP_BYTES);
	uint64_t slots = ms_hmap_own(i)->registry->group_slots;
	uint64_t groups = ms_inspect_unit_slots(i->report) / slots;
	uint64_t node_slots = ms_hmap_member(i, HMAP_FIELD_NODE_SLOTS), slot;
	uint64_t node = ms_hmap_member(i, HMAP_FIELD_NODE_BYTES);
	uint64_t count_at = ms_hmap_number(i, HMAP_FIELD_STRAYS_AT);
	struct ms_unit_field f = { .bytes = slots, .count = groups, .stride = group };

	field_add(i, "tags", "uint8_t", &f);
	f.offset = slots;
	f.bytes = count_at > slots ? count_at - slots : 0;
	field_add(i, "filter", "uint8_t", &f);
	f.offset = count_at;
	f.bytes = count_at < group ? 1 : 0;
	field_add(i, "count", "uint8_t", &f);
	slot = slot_fields(i, groups * group);
	*ret_node_padding = node - ms_min_u64(node, NODE_HEAD_BYTES + node_slots * slot);
}

void ms_hmap_layout(struct ms_inspection *i)
{
	struct ms_inspect_report *r = i->report;
	struct ms_unit_layout *u = &r->layout;
	uint64_t used = 0, overflow = r->now.overflow, overflow_padding = 0;

	*u = (struct ms_unit_layout){ .unit_bytes = i->unit_bytes ? i->unit_bytes : MS_UNKNOWN,
				      .padding_bytes = MS_UNKNOWN,
				      .table_padding = MS_UNKNOWN,
				      .tail_bytes = MS_UNKNOWN };
	if (!i->unit_bytes) {
		u->unknown_why = r->unread_why ? r->unread_why : "its header was not read";
		return;
	}
	if (ms_inspect_is_classic(r)) {
		bucket_fields(i);
	} else {
		block_fields(i, &overflow_padding);
		u->note = "slots lie apart from tags, and are counted on behind them";
	}
	for (size_t n = 0; n < u->field_count; n++)
		used += u->fields[n].bytes * u->fields[n].count;
	if (used > u->unit_bytes) {
		u->unknown_why = "the registry's description of it does not add up";
		u->field_count = 0;
		return;
	}
	u->known = true;
	u->padding_bytes = u->unit_bytes - used;
	if (ms_inspect_is_classic(r))
		overflow_padding = u->padding_bytes;
	if (r->is_read && overflow != MS_UNKNOWN && r->old.overflow != MS_UNKNOWN)
		u->table_padding = (r->now.units + r->old.units) * u->padding_bytes +
				   (overflow + r->old.overflow) * overflow_padding;
}

// --- Debuggers. ---

static void view(struct ms_inspect_report *r, const char *what, ms_addr address, uint64_t count,
		 uint32_t size, const char *command)
{
	ms_inspect_add_view(r, &(struct ms_debug_view){ .what = what,
							.address = address,
							.count = (uint32_t)count,
							.size = size,
							.command = command });
}

static void bucket_views(struct ms_inspection *i)
{
	struct ms_inspect_report *r = i->report;
	uint64_t bucket = r->unit.exists ? r->unit.index : 0;
	ms_addr at = r->now.address + bucket * i->unit_bytes;

	view(r, bucket ? "tags of the bucket" : "tags of the first bucket", at,
	     MS_INSPECT_TAG_BYTES, 1, NULL);
	view(r, "its link to an overflow bucket", at + i->unit_bytes - MS_INSPECT_LINK_BYTES, 1, 8,
	     NULL);
	if (r->old.units)
		view(r, "tags of the old bucket",
		     r->old.address + (bucket & (r->old.units - 1)) * i->unit_bytes,
		     MS_INSPECT_TAG_BYTES, 1, NULL);
}

void ms_hmap_views(struct ms_inspection *i)
{
	struct ms_inspect_report *r = i->report;
	const struct ms_registry *registry = ms_hmap_own(i)->registry;
	uint64_t group = ms_hmap_number(i, HMAP_FIELD_GROUP_BYTES);

	r->view_count = 0;
	view(r, "the map", r->row.address, registry->map_head_bytes / 8, 8, NULL);
	if (r->now.units && ms_inspect_is_classic(r)) {
		view(r, "the classic engine's header", ms_hmap_member(i, HMAP_FIELD_CLASSIC),
		     registry->classic_bytes / 8, 8, NULL);
		bucket_views(i);
	} else if (r->now.units) {
		view(r, r->unit.exists ? "tags of the block" : "tags of the first block",
		     r->unit.exists ? r->unit.address : r->now.address,
		     group * (ms_inspect_unit_slots(r) / registry->group_slots), 1, NULL);
	}
	view(r, "the map as hmap_gdb.py shows it", r->row.address, 0, 0, "hmap show");
	view(r, "how its table is filled", r->row.address, 0, 0, "hmap chains");
}
