// types.h - map types, found by scanning the type section; no DWARF, no symbols.
#pragma once

#include "golang/runtime.h"

/** Type kinds used here (internal/abi/type.go, the same from Go 1.18 to 1.27). */
enum {
	MS_KIND_MAP = 21,
	MS_KIND_STRUCT = 25,
	MS_KIND_MAX = 26,
	MS_KIND_MASK = 31,
};

struct ms_map_type {
	ms_addr address;
	ms_addr key, elem;
	ms_addr table;        // Descriptor of the bucket (classic) or group (Swiss).
	uint32_t table_bytes; // Size of one bucket or group.
	uint32_t entry_bytes; // Key and elem as stored: over 128 bytes each is a pointer.
	bool has_pointers;    // Whether buckets or groups hold pointers.
};

/** Maps by their headers and the descriptors of their types: what a way that led there says. */
struct ms_typed_maps {
	struct ms_typed_map {
		ms_addr address;
		ms_addr type;
	} * items;
	size_t count, capacity;
};

/** The map types of all modules, and their section's bytes for names. */
struct ms_types {
	struct ms_map_type *items; // Sorted by table.
	size_t count, capacity;
	struct ms_types_section {
		ms_addr start;
		uint64_t size;
		uint8_t *bytes;
	} * sections;
	size_t section_count, section_capacity;
};

/**
 * Scan the type sections: none, where the target lacks the program.  BAD_DATA when the first
 * cannot hold types at all.
 */
MS_MUST_USE struct ms_error *ms_types_load(struct ms_go_runtime *rt, struct ms_types *ret_types);

/** The target's types, loaded when they are first asked for; they stay the runtime's. */
MS_MUST_USE struct ms_error *ms_go_types(struct ms_go_runtime *rt,
					 const struct ms_types **ret_types);

/** The map type whose bucket or group is described at @p table, or NULL. */
const struct ms_map_type *ms_types_by_table(const struct ms_types *types, ms_addr table);

/**
 * The name of the type at @p address as Go prints it ("*main.Order"); false when it cannot be
 * read.  @p ret_text points into @p types and is not terminated.
 */
bool ms_types_name(const struct ms_types *types, const struct ms_go_layout *layout, ms_addr address,
		   const char **ret_text, size_t *ret_size);

/** Whether the type at @p address is called @p name; of one without a name that can be read not. */
bool ms_types_is_called(const struct ms_types *types, const struct ms_go_layout *layout,
			ms_addr address, const char *name);

/** The name whose bytes begin at @p address: a flag byte, a length, the text. */
bool ms_types_text(const struct ms_types *types, ms_addr address, const char **ret_text,
		   size_t *ret_size);

/** The @p size bytes at @p address, NULL when they are not all in one type section. */
const uint8_t *ms_types_bytes(const struct ms_types *types, ms_addr address, uint64_t size);

void ms_types_deinit(struct ms_types *types);
