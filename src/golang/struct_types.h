// struct_types.h - struct descriptors in the type section: fields by name, with their offsets.
#pragma once

#include "golang/types.h"

/** A struct descriptor.  Everything points into the ms_types that it was read from. */
struct ms_struct_type {
	ms_addr address;
	uint64_t bytes;
	ms_addr fields;
	uint64_t field_count;
	const char *name; // As Go prints it ("runtime.hmap"), not terminated.
	size_t name_size;
	const char *package; // Path of the package that declares it; NULL when none is kept.
	size_t package_size;
};

struct ms_struct_field {
	uint64_t offset;
	ms_addr type;
};

/** Take the descriptor at @p address apart; false when it is not one of a struct with fields. */
bool ms_struct_type_read(const struct ms_types *types, const struct ms_go_layout *layout,
			 ms_addr address, struct ms_struct_type *ret_type);

/** How far a scan for structs has come; all zeros begins it. */
struct ms_struct_scan {
	size_t section;
	uint64_t at;
};

/** The next struct of all type sections, in @p ret_type; false: that was the last. */
bool ms_struct_types_next(const struct ms_types *types, const struct ms_go_layout *layout,
			  struct ms_struct_scan *scan, struct ms_struct_type *ret_type);

/** A field by its place; false when it cannot be read. */
struct ms_struct_member {
	const char *name; // Not terminated; of an embedded field that of its type.
	size_t name_size;
	uint64_t offset;
	ms_addr type;
};

bool ms_struct_type_member(const struct ms_types *types, const struct ms_go_layout *layout,
			   const struct ms_struct_type *type, uint64_t index,
			   struct ms_struct_member *ret_member);

/** Follow "a.b.c" (@p size bytes) from a struct through those inside it. */
bool ms_struct_type_follow(const struct ms_types *types, const struct ms_go_layout *layout,
			   const struct ms_struct_type *type, const char *path, size_t size,
			   struct ms_struct_field *ret_field);

/** The size of the type at @p address. */
bool ms_type_bytes(const struct ms_types *types, const struct ms_go_layout *layout, ms_addr address,
		   uint64_t *ret_bytes);

/**
 * The offset of a field by what Go prints: "main.Store.orders" of the struct main.Store.  False
 * when there is none, or two structs of that name do not agree.
 */
bool ms_struct_types_offset(const struct ms_types *types, const struct ms_go_layout *layout,
			    const char *path, size_t size, uint64_t *ret_offset);
