// fake_registry.h - a program with libhmap in it, as bytes for a fake target.
//
//	static struct fake_registry registry;
//
//	fake_registry_init(&registry, 0x400000);
//	registry.maps[1][HMAP_FIELD_COUNT] = 57;  // Members are words, in the order of their
// numbers. 	fake_registry_map(&registry, &fake);
//
// The bytes are borrowed by the target and may be changed between reads.
#pragma once

#include "tests/support/fake_target.h"

#include <elf.h>
#include <hmap/hmap_registry.h>

enum {
	FAKE_REGISTRY_DATA = 0x100000, // From the start of the module, as the next.
	FAKE_REGISTRY_MAPS_AT = 0x200000,
	FAKE_REGISTRY_LISTED = 3, // Of the maps; there is room for as many as ...
	FAKE_REGISTRY_MAPS = 8,
	FAKE_REGISTRY_CLASSIC_WORDS = HMAP_FIELD_TAGS - HMAP_FIELD_CLASSIC_COUNT,
};

struct fake_registry {
	ms_addr base;
	struct {
		Elf64_Ehdr eh;
		Elf64_Phdr ph[2];
		Elf64_Nhdr note;
		char owner[8];
		uint64_t distance;
	} __attribute__((packed)) module;
	struct {
		struct hmap_registry registry;
		uint64_t leaf[HMAP_REGISTRY_FIRST_LEAF];
		uint64_t type[8];
		uint64_t classic[FAKE_REGISTRY_CLASSIC_WORDS];
		char name[4608]; // Texts are read in pieces of a page.
	} data;
	uint64_t maps[FAKE_REGISTRY_MAPS][16];
};

/** Three steady maps of one type, all called "planted"; where tables lie it does not say. */
void fake_registry_init(struct fake_registry *r, ms_addr base);

/** Put it into @p fake, its module at its base. */
void fake_registry_map(const struct fake_registry *r, struct fake_target *fake);

/** Where a member of @p data, or a map, is in the target. */
ms_addr fake_registry_data(const struct fake_registry *r, size_t offset);
ms_addr fake_registry_map_at(const struct fake_registry *r, size_t index);
