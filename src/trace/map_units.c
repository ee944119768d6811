// map_units.c - a name stands for its type where all types of that name have tables alike.
//
// A census prints a map's type by its key and elem, also where the type has a name of its own.  Two
// packages of one name may each have a type of one name; then the program has two map types that
// print alike and may differ in size.  Such a name says nothing.
#include "trace/map_units.h"

#include "base/hash.h"
#include "maps/classic.h"
#include "maps/shape.h"

#include <stdio.h>

enum { NAME_MAX_BYTES = 1024 }; // Of a longer name nothing is known.

/** False for a name that cannot be read, or is too long. */
static bool name_of(const struct ms_map_units *u, uint32_t place, char name[NAME_MAX_BYTES])
{
	const struct ms_map_type *type = &u->types->items[place];
	const char *key, *elem;
	size_t key_size, elem_size;
	int size;

	if (!ms_types_name(u->types, u->layout, type->key, &key, &key_size) ||
	    !ms_types_name(u->types, u->layout, type->elem, &elem, &elem_size) ||
	    key_size > NAME_MAX_BYTES || elem_size > NAME_MAX_BYTES)
		return false;
	size = snprintf(name, NAME_MAX_BYTES, "map[%.*s]%.*s", (int)key_size, key, (int)elem_size,
			elem);
	return size > 0 && size < NAME_MAX_BYTES;
}

static uint64_t key_of(const char *name)
{
	return ms_hash_text(name, strlen(name)) | 1; // 0 is no key.
}

static bool is_alike(const struct ms_map_type *a, const struct ms_map_type *b)
{
	return a->table_bytes == b->table_bytes && a->has_pointers == b->has_pointers;
}

/** False when memory is short. */
static bool unit_note(struct ms_map_units *u, uint32_t place)
{
	char name[NAME_MAX_BYTES], other[NAME_MAX_BYTES];
	uint32_t *value;

	if (!name_of(u, place, name))
		return true;
	value = ms_number_map_find(&u->by_name, key_of(name));
	if (!value)
		return ms_number_map_add(&u->by_name, key_of(name), place << 1);
	if (!name_of(u, *value >> 1, other) || strcmp(name, other) ||
	    !is_alike(&u->types->items[place], &u->types->items[*value >> 1]))
		*value |= 1; // Says nothing.
	return true;
}

struct ms_error *ms_map_units_load(struct ms_go_runtime *rt, struct ms_map_units *ret_units)
{
	struct ms_map_units u = { .layout = rt->layout };
	struct ms_error *err = ms_go_types(rt, &u.types);

	if (!err)
		err = ms_shapes_create(u.types, rt->layout, &u.shapes);
	if (err)
		return err;
	for (uint32_t i = 0; i < u.types->count && i < UINT32_MAX >> 1; i++) {
		if (!unit_note(&u, i)) {
			ms_map_units_deinit(&u);
			return ms_error_no_memory();
		}
	}
	*ret_units = u;
	return NULL;
}

struct ms_map_unit ms_map_units_find(const struct ms_map_units *u, const char *type)
{
	const struct ms_map_unit unknown = { 0 };
	const uint32_t *value;
	char name[NAME_MAX_BYTES];

	if (!type)
		return unknown;
	value = ms_number_map_find(&u->by_name, key_of(type));
	if (!value || *value & 1 || !name_of(u, *value >> 1, name) || strcmp(type, name))
		return unknown;
	return (struct ms_map_unit){ u->types->items[*value >> 1].table_bytes,
				     u->types->items[*value >> 1].has_pointers };
}

struct ms_map_unit ms_map_units_measure(const struct ms_map_units *u, const struct ms_spans *spans,
					ms_addr table, uint64_t buckets)
{
	const struct ms_span *span = ms_spans_find(spans, table);
	struct ms_shape shape = { 0 };
	bool has_pointers;

	if (!span || span->state != MS_SPAN_IN_USE || !ms_span_is_object(u->layout, span, table))
		return (struct ms_map_unit){ 0 };
	has_pointers = ms_span_has_pointers(span);
	shape = ms_shapes_fit(u->shapes, ms_classic_buckets((unsigned)__builtin_ctzll(buckets)),
			      span->elem_bytes, has_pointers);
	return (struct ms_map_unit){ shape.fits ? shape.table_bytes : 0, has_pointers };
}

uint64_t ms_map_unit_table_bytes(const struct ms_map_units *u, struct ms_map_unit unit,
				 uint64_t slots)
{
	uint64_t count = slots / MS_CLASSIC_SLOTS, bytes;

	if (!unit.bytes || !ms_is_power_of_two(slots) || !count)
		return MS_UNKNOWN;
	if (u->layout->maps == MS_GO_MAPS_CLASSIC)
		count = ms_classic_buckets((unsigned)__builtin_ctzll(count));
	if (!count || count > UINT64_MAX / unit.bytes)
		return MS_UNKNOWN;
	bytes = ms_go_alloc_bytes(u->layout, count * unit.bytes, unit.has_pointers);
	return bytes ? bytes : MS_UNKNOWN;
}

void ms_map_units_deinit(struct ms_map_units *u)
{
	ms_number_map_deinit(&u->by_name);
	ms_shapes_destroy(u->shapes);
}
