// classic_unit.c - one bucket of a classic map, and in a growth the old one that it comes from.
//
// Which entries went where is read off the tags that evacuate left: the same bucket (X), or its
// twin in the upper half (Y).
#include "inspect/classic_look.h"

enum { TAG_X = 2, TAG_Y = 3 };

static struct ms_error *tags_read(struct ms_classic_look *k, ms_addr addr, uint8_t tags[8],
				  bool *ret_read)
{
	struct ms_error *err = ms_target_read(k->c.i->target, addr, tags, MS_INSPECT_TAG_BYTES);

	*ret_read = !err;
	if (!err || ms_error_code(err) != MS_ERR_FAULT)
		return err;
	ms_error_free(err);
	return NULL;
}

static struct ms_error *old_look(struct ms_classic_look *k, struct ms_unit_look *u)
{
	const struct ms_inspect_array *old = k->c.arrays[MS_CLASSIC_OLD];
	uint8_t tags[8];
	bool is_read;
	struct ms_error *err;

	u->old_index = u->index & (old->units - 1);
	u->old_address = old->address + u->old_index * k->c.i->unit_bytes;
	u->old_moved = old->bits[u->old_index] & MS_UNIT_MOVED;
	u->old_entries = old->fills[u->old_index];
	u->twin = old->units < k->c.arrays[MS_CLASSIC_NOW]->units ? u->old_index + old->units
								  : u->old_index;
	u->has_old = true;
	u->moved_x = u->moved_y = 0;
	err = tags_read(k, u->old_address, tags, &is_read);
	for (unsigned s = 0; s < MS_CLASSIC_SLOTS && is_read && u->old_moved; s++) {
		u->moved_x += tags[s] == TAG_X;
		u->moved_y += tags[s] == TAG_Y;
	}
	return err;
}

struct ms_error *ms_classic_look_at_unit(struct ms_classic_look *k)
{
	const struct ms_inspect_array *now = k->c.arrays[MS_CLASSIC_NOW];
	struct ms_unit_look *u = &k->c.i->report->unit;
	bool is_read;
	struct ms_error *err;

	*u = (struct ms_unit_look){ .asked = true, .index = k->c.i->options->unit };
	if (u->index >= now->units || !k->c.i->unit_bytes)
		return NULL;
	u->address = now->address + u->index * k->c.i->unit_bytes;
	u->entries = now->fills[u->index];
	u->chain = now->chains[u->index];
	err = tags_read(k, u->address, u->tags, &is_read);
	u->exists = is_read;
	u->tag_count = MS_CLASSIC_SLOTS;
	return err || !k->m.oldbuckets ? err : old_look(k, u);
}
