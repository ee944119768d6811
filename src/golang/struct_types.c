// struct_types.c - a struct descriptor ends in a slice of fields; each has a name, a type and an
// offset.
//
//	descriptor:  common head | package | fields: data, len, cap
//	field:       name | type | offset          (in Go 1.18: offset << 1 | embedded)
//
// A package is kept only where some field's name is not exported.  That is so for every struct of
// the runtime that we ask for, and tells runtime.hmap from a program's own package "runtime".
#include "golang/struct_types.h"

enum {
	FIELDS_MAX = 4096,
	SLICE_BYTES = 24,
	DEPTH_MAX = 8,
};

/** Bytes of a descriptor up to the last field that is looked at. */
static uint64_t head_bytes(const struct ms_go_layout *l)
{
	return ms_max_u64(l->type_size, ms_max_u64(l->structtype_package + 8ull,
						   l->structtype_fields + (uint64_t)SLICE_BYTES));
}

/** Whether what is looked at of a field lies inside it: a layout may come from DWARF. */
static bool fields_are_sane(const struct ms_go_layout *l)
{
	return l->structfield_name + 8ull <= l->structfield_size &&
	       l->structfield_type + 8ull <= l->structfield_size &&
	       l->structfield_offset + 8ull <= l->structfield_size;
}

static bool has_fields(const struct ms_types *types, const struct ms_go_layout *l,
		       const struct ms_struct_type *type)
{
	return fields_are_sane(l) && type->field_count && type->field_count <= FIELDS_MAX &&
	       !(type->fields & 7) &&
	       ms_types_bytes(types, type->fields, type->field_count * l->structfield_size);
}

bool ms_struct_type_read(const struct ms_types *types, const struct ms_go_layout *l,
			 ms_addr address, struct ms_struct_type *ret_type)
{
	struct ms_struct_type type = { .address = address };
	const uint8_t *raw = ms_types_bytes(types, address, head_bytes(l));

	if (!raw || (address & 7) || (raw[l->type_kind] & MS_KIND_MASK) != MS_KIND_STRUCT)
		return false;
	type.bytes = ms_load_u64(raw + l->type_bytes);
	type.fields = ms_load_u64(raw + l->structtype_fields);
	type.field_count = ms_load_u64(raw + l->structtype_fields + 8);
	if (ms_load_u64(raw + l->structtype_fields + 16) != type.field_count ||
	    !has_fields(types, l, &type) ||
	    !ms_types_name(types, l, address, &type.name, &type.name_size))
		return false;
	if (!ms_types_text(types, ms_load_u64(raw + l->structtype_package), &type.package,
			   &type.package_size))
		type.package = NULL;
	*ret_type = type;
	return true;
}

bool ms_struct_types_next(const struct ms_types *types, const struct ms_go_layout *l,
			  struct ms_struct_scan *scan, struct ms_struct_type *ret_type)
{
	for (; scan->section < types->section_count; scan->section++, scan->at = 0) {
		const struct ms_types_section *s = &types->sections[scan->section];

		while (scan->at + l->type_size <= s->size) {
			uint64_t at = scan->at;

			scan->at += 8;
			if ((s->bytes[at + l->type_kind] & MS_KIND_MASK) == MS_KIND_STRUCT &&
			    ms_struct_type_read(types, l, s->start + at, ret_type))
				return true;
		}
	}
	return false;
}

bool ms_struct_type_member(const struct ms_types *types, const struct ms_go_layout *l,
			   const struct ms_struct_type *type, uint64_t index,
			   struct ms_struct_member *ret_member)
{
	ms_addr at = type->fields + index * l->structfield_size;
	const uint8_t *raw = ms_types_bytes(types, at, l->structfield_size);

	if (index >= type->field_count || !raw ||
	    !ms_types_text(types, ms_load_u64(raw + l->structfield_name), &ret_member->name,
			   &ret_member->name_size))
		return false;
	ret_member->type = ms_load_u64(raw + l->structfield_type);
	ret_member->offset = ms_load_u64(raw + l->structfield_offset);
	if (l->structfield_offset_anon != MS_ABSENT)
		ret_member->offset >>= 1;
	return true;
}

static bool field_find(const struct ms_types *types, const struct ms_go_layout *l,
		       const struct ms_struct_type *type, const char *name, size_t size,
		       struct ms_struct_field *ret_field)
{
	for (uint64_t i = 0; i < type->field_count; i++) {
		struct ms_struct_member member;

		if (!ms_struct_type_member(types, l, type, i, &member) ||
		    member.name_size != size || memcmp(member.name, name, size) != 0)
			continue;
		*ret_field = (struct ms_struct_field){ member.offset, member.type };
		return true;
	}
	return false;
}

bool ms_struct_type_follow(const struct ms_types *types, const struct ms_go_layout *l,
			   const struct ms_struct_type *type, const char *path, size_t size,
			   struct ms_struct_field *ret_field)
{
	struct ms_struct_type in = *type;
	struct ms_struct_field field = { 0 };
	uint64_t offset = 0;

	for (unsigned depth = 0; depth < DEPTH_MAX; depth++) {
		const char *dot = memchr(path, '.', size);
		size_t len = dot ? (size_t)(dot - path) : size;

		if (!field_find(types, l, &in, path, len, &field))
			return false;
		offset += field.offset;
		if (!dot) {
			*ret_field = (struct ms_struct_field){ offset, field.type };
			return true;
		}
		if (!ms_struct_type_read(types, l, field.type, &in))
			return false;
		path += len + 1;
		size -= len + 1;
	}
	return false;
}

bool ms_type_bytes(const struct ms_types *types, const struct ms_go_layout *l, ms_addr address,
		   uint64_t *ret_bytes)
{
	const uint8_t *raw = ms_types_bytes(types, address, l->type_size);

	if (!raw || (address & 7))
		return false;
	*ret_bytes = ms_load_u64(raw + l->type_bytes);
	return true;
}

/** The path behind the name of @p type and a dot; NULL when it is no path into it. */
static const char *path_into(const struct ms_struct_type *type, const char *path, size_t *size)
{
	if (type->name_size + 1 >= *size || path[type->name_size] != '.' ||
	    memcmp(path, type->name, type->name_size) != 0)
		return NULL;
	*size -= type->name_size + 1;
	return path + type->name_size + 1;
}

bool ms_struct_types_offset(const struct ms_types *types, const struct ms_go_layout *l,
			    const char *path, size_t size, uint64_t *ret_offset)
{
	struct ms_struct_scan scan = { 0 };
	struct ms_struct_type type;
	bool found = false;

	while (ms_struct_types_next(types, l, &scan, &type)) {
		struct ms_struct_field field;
		size_t rest = size;
		const char *inside = path_into(&type, path, &rest);

		if (!inside || !ms_struct_type_follow(types, l, &type, inside, rest, &field))
			continue;
		if (found && *ret_offset != field.offset)
			return false;
		*ret_offset = field.offset;
		found = true;
	}
	return found;
}
