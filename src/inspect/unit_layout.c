// unit_layout.c - the fields of a bucket or group, as the program's own type of it says.
//
//	bucket   topbits [8] | keys [8] | elems [8] | overflow
//	group    ctrl | slots [8] { key | elem }          (or keys [8] | elems [8])
//
// Padding is what no field covers.  That within a key's or an elem's own type is theirs.
#include "inspect/inspection.h"

#include "golang/struct_types.h"

enum { KIND_ARRAY = 17 };

static const char *copy(struct ms_inspection *i, const char *text, size_t size)
{
	const char *copied = ms_arena_strndup(&i->report->arena, text, size);

	return copied ? copied : "?";
}

static unsigned kind_of(const struct ms_inspection *i, ms_addr type)
{
	const uint8_t *raw = ms_types_bytes(i->types, type, i->layout->type_size);

	return raw ? raw[i->layout->type_kind] & MS_KIND_MASK : 0;
}

/** What an array type is made of; false when it is none. */
static bool array_read(const struct ms_inspection *i, ms_addr type, ms_addr *ret_elem,
		       uint64_t *ret_count)
{
	const struct ms_go_layout *l = i->layout;
	uint64_t size = ms_max_u64(l->arraytype_elem, l->arraytype_len) + 8ull;
	const uint8_t *raw = ms_types_bytes(i->types, type, ms_max_u64(size, l->type_size));

	if (!raw || kind_of(i, type) != KIND_ARRAY)
		return false;
	*ret_elem = ms_load_u64(raw + l->arraytype_elem);
	*ret_count = ms_load_u64(raw + l->arraytype_len);
	return true;
}

static void field_add(struct ms_inspection *i, const char *name, const struct ms_unit_field *field,
		      ms_addr type)
{
	struct ms_unit_layout *u = &i->report->layout;
	struct ms_unit_field *f;
	const char *text;
	size_t size;

	if (u->field_count == MS_INSPECT_FIELDS_MAX)
		return;
	f = &u->fields[u->field_count++];
	*f = *field;
	f->name = name;
	f->type =
	    ms_types_name(i->types, i->layout, type, &text, &size) ? copy(i, text, size) : NULL;
}

/** The fields of one slot, of which there are @p slots->count. */
static void slots_add(struct ms_inspection *i, const struct ms_struct_type *slot,
		      const struct ms_unit_field *slots)
{
	struct ms_struct_member m;

	for (uint64_t n = 0; n < slot->field_count; n++) {
		struct ms_unit_field field = *slots;

		if (!ms_struct_type_member(i->types, i->layout, slot, n, &m) ||
		    !ms_type_bytes(i->types, i->layout, m.type, &field.bytes))
			continue;
		field.offset += m.offset;
		field_add(i, copy(i, m.name, m.name_size), &field, m.type);
	}
}

static void member_add(struct ms_inspection *i, const struct ms_struct_member *m)
{
	struct ms_unit_field field = { .offset = m->offset, .count = 1 };
	struct ms_struct_type slot;
	ms_addr type = m->type;

	if (array_read(i, type, &type, &field.count) &&
	    ms_struct_type_read(i->types, i->layout, type, &slot) && m->name_size == 5 &&
	    !memcmp(m->name, "slots", 5)) {
		field.stride = slot.bytes;
		slots_add(i, &slot, &field);
		return;
	}
	if (!ms_type_bytes(i->types, i->layout, type, &field.bytes))
		return;
	field.stride = field.bytes;
	field_add(i, copy(i, m->name, m->name_size), &field, type);
}

/** Bytes that the allocator adds to a table of so many bytes. */
static uint64_t tail_of(const struct ms_inspection *i, uint64_t bytes)
{
	uint64_t allocated = ms_go_alloc_bytes(i->layout, bytes, i->has_pointers);

	return allocated > bytes ? allocated - bytes : 0;
}

static uint64_t classic_units(const struct ms_inspect_array *a)
{
	return a->units ? ms_classic_buckets((unsigned)__builtin_ctzll(a->units)) : 0;
}

static void table_tell(struct ms_inspection *i)
{
	struct ms_inspect_report *r = i->report;
	struct ms_unit_layout *u = &r->layout;
	uint64_t units = r->now.units + r->old.units;

	u->table_padding = u->tail_bytes = MS_UNKNOWN;
	if (!r->is_read || r->now.overflow == MS_UNKNOWN)
		return;
	u->table_padding = (units + r->now.overflow + r->old.overflow) * u->padding_bytes;
	u->tail_bytes = 0;
	for (size_t n = 0; n < r->table_count; n++)
		u->tail_bytes += tail_of(i, r->tables[n].capacity / MS_SWISS_SLOTS * u->unit_bytes);
	if (r->row.kind == MS_MAP_SWISS && !r->table_count)
		u->tail_bytes = tail_of(i, u->unit_bytes);
	if (r->row.kind == MS_MAP_CLASSIC)
		u->tail_bytes = tail_of(i, classic_units(&r->now) * u->unit_bytes) +
				tail_of(i, classic_units(&r->old) * u->unit_bytes);
}

void ms_inspect_layout(struct ms_inspection *i)
{
	struct ms_unit_layout *u = &i->report->layout;
	struct ms_struct_type unit;
	struct ms_struct_member m;
	uint64_t used = 0;

	*u = (struct ms_unit_layout){ .unit_bytes = i->unit_bytes ? i->unit_bytes : MS_UNKNOWN };
	u->padding_bytes = u->table_padding = u->tail_bytes = MS_UNKNOWN;
	if (!i->type || !ms_struct_type_read(i->types, i->layout, i->type->table, &unit)) {
		u->unknown_why =
		    i->type ? "the program does not describe it" : "the map's type is not known";
		return;
	}
	for (uint64_t n = 0; n < unit.field_count; n++) {
		if (ms_struct_type_member(i->types, i->layout, &unit, n, &m))
			member_add(i, &m);
	}
	for (size_t n = 0; n < u->field_count; n++)
		used += u->fields[n].bytes * u->fields[n].count;
	if (!u->field_count || used > u->unit_bytes) {
		u->unknown_why = "the program's description of it does not add up";
		u->field_count = 0;
		return;
	}
	u->known = true;
	u->padding_bytes = u->unit_bytes - used;
	table_tell(i);
}
