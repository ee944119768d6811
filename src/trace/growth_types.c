// growth_types.c - a growth function's argument is the map's type: a name and the size of a table.
#include "trace/growth_types.h"

#include "base/arena.h"
#include "base/vec.h"

static struct ms_error *describe(struct ms_growth_types *t, ms_addr address,
				 struct ms_growth_type *ret_type)
{
	const struct ms_go_layout *l = t->layout;
	uint32_t member = l->maps == MS_GO_MAPS_SWISS ? l->maptype_group : l->maptype_bucket;
	struct ms_growth_type type = { 0 };
	const struct ms_map_type *found = NULL;
	const uint8_t *table = NULL;
	const char *text;
	size_t size;

	if (member != MS_ABSENT)
		table = ms_types_bytes(t->types, address + member, 8);
	if (table)
		found = ms_types_by_table(t->types, ms_load_u64(table));
	if (found) {
		type.unit_bytes = found->table_bytes;
		type.has_pointers = found->has_pointers;
	}
	if (found && ms_types_name(t->types, l, address, &text, &size)) {
		type.name = ms_arena_strndup(t->arena, text, size);
		if (!type.name)
			return ms_error_no_memory();
	}
	*ret_type = type;
	return NULL;
}

struct ms_error *ms_growth_type_find(struct ms_growth_types *t, ms_addr address,
				     struct ms_growth_type *ret_type)
{
	const uint32_t *known = address ? ms_number_map_find(&t->known, address) : NULL;
	struct ms_growth_type type;
	struct ms_error *err;

	if (known) {
		*ret_type = t->items[*known];
		return NULL;
	}
	err = describe(t, address, &type);
	if (err)
		return err;
	if (address && (!ms_vec_push(t, type) ||
			!ms_number_map_add(&t->known, address, (uint32_t)t->count - 1)))
		return ms_error_no_memory();
	*ret_type = type;
	return NULL;
}

void ms_growth_types_deinit(struct ms_growth_types *t)
{
	ms_number_map_deinit(&t->known);
	ms_vec_free(t);
}
