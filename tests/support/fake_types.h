// fake_types.h - type descriptors made by hand, as a program's type section has them.
//
//	fake_types_init(&types, layout);
//	ms_addr number = fake_type_plain(&types, 2, "int", 8);
//	ms_addr list = fake_type_slice(&types, "[]int", number);
//	const struct fake_field fields[] = { { "list", list, 0 } };
//	ms_addr holder = fake_type_struct(&types, "main.Holder", "main", fields, 1, 24);
//
// What a type's pointers cover follows from what it is made of.  A word that a test wants damaged,
// or that leads to a type made later, is set with fake_types_set.
#pragma once

#include "golang/types.h"

#define FAKE_TYPES ((ms_addr)0x500000)

enum {
	FAKE_TYPES_BYTES = 0x40000,
	FAKE_KIND_INT = 2,
	FAKE_KIND_UINT8 = 8,
	FAKE_KIND_UINTPTR = 12,
	FAKE_KIND_FUNC = 19,
	FAKE_KIND_POINTER = 22,
	FAKE_KIND_STRING = 24,
	FAKE_KIND_UNSAFE_POINTER = 26,
};

struct fake_field {
	const char *name;
	ms_addr type;
	uint64_t offset;
};

struct fake_types {
	const struct ms_go_layout *layout;
	size_t used;       // Descriptors grow from the front,
	size_t texts_from; // texts from the back.
	uint8_t bytes[FAKE_TYPES_BYTES];
	struct ms_types loaded; // Of fake_types_load.
};

void fake_types_init(struct fake_types *types, const struct ms_go_layout *layout);

/** A descriptor and nothing behind its head. */
ms_addr fake_type(struct fake_types *types, unsigned kind, const char *name, uint64_t bytes,
		  uint64_t pointer_bytes);

/** One without pointers. */
ms_addr fake_type_plain(struct fake_types *types, unsigned kind, const char *name, uint64_t bytes);

ms_addr fake_type_string(struct fake_types *types);
ms_addr fake_type_pointer(struct fake_types *types, const char *name, ms_addr elem);
ms_addr fake_type_slice(struct fake_types *types, const char *name, ms_addr elem);
ms_addr fake_type_array(struct fake_types *types, const char *name, ms_addr elem, uint64_t count);
ms_addr fake_type_chan(struct fake_types *types, const char *name, ms_addr elem);
ms_addr fake_type_interface(struct fake_types *types, const char *name, uint64_t methods);

/** @p package NULL: none is kept. */
ms_addr fake_type_struct(struct fake_types *types, const char *name, const char *package,
			 const struct fake_field *fields, size_t count, uint64_t bytes);

/** With its bucket or group, as the layout has it: "map[string]int" of these. */
ms_addr fake_type_map(struct fake_types *types, const char *name, ms_addr key, ms_addr elem);

/** The word at @p offset of the descriptor at @p type. */
void fake_types_set(struct fake_types *types, ms_addr type, uint32_t offset, uint64_t value);
uint64_t fake_types_get(const struct fake_types *types, ms_addr type, uint32_t offset);

/** As a walk gets them; the bytes are borrowed.  fake_types_deinit frees the rest. */
const struct ms_types *fake_types_load(struct fake_types *types);
void fake_types_deinit(struct fake_types *types);
