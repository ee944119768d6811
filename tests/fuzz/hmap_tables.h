// hmap_tables.h - maps of libhmap in each stage, in memory that a fake target has.
#pragma once

#include "tests/support/fake_registry.h"

enum { HMAP_TABLES_MAPS = 7, HMAP_TABLES_PARTS = 2 + 4 * HMAP_TABLES_MAPS };

/** Bytes that belong together, so that a change hits what it means. */
struct hmap_tables_part {
	uint8_t *bytes;
	size_t size;
};

struct hmap_tables {
	struct fake_registry registry; // It names members as this libhmap has them.
	struct hmap_tables_part parts[HMAP_TABLES_PARTS];
};

/** The maps, made once; what is changed of them is to be changed back. */
struct hmap_tables *hmap_tables_get(void);

/** Put them into @p fake. */
void hmap_tables_map(const struct hmap_tables *tables, struct fake_target *fake);
