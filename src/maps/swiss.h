// swiss.h - Go's map of groups and tables: internal/runtime/maps.Map, from Go 1.24.
//
// Pure functions over bytes that were read elsewhere: nothing here touches a target.
#pragma once

#include "golang/layout.h"

enum {
	MS_SWISS_SLOTS = 8, // Slots of a group (abi.MapGroupSlots).
	MS_SWISS_TABLE_CAPACITY_MAX = 1024,
	MS_SWISS_DEPTH_MAX = 40,
};

struct ms_swiss_map {
	uint64_t used;
	uint64_t seed;
	ms_addr dir;      // The directory, or the one group of a small map.
	uint64_t dir_len; // 0: small.
	uint8_t depth;
	uint8_t writing;
};

enum ms_swiss_header {
	MS_SWISS_NOT,           // No Go program leaves such a header.
	MS_SWISS_NEVER_WRITTEN, // A seed and nothing else.
	MS_SWISS_SMALL,         // One group of at most 8 entries.
	MS_SWISS_LARGE,         // A directory of tables.
};

struct ms_swiss_table {
	uint32_t used, capacity, growth_left;
	uint8_t local_depth;
	int64_t index; // First directory entry of it; -1 once it was split or replaced.
	ms_addr groups;
};

/** Take a header apart and hold it against what the runtime keeps true. */
enum ms_swiss_header ms_swiss_parse(const struct ms_go_layout *layout, const uint8_t *raw,
				    struct ms_swiss_map *ret_map);

/** Take a table apart; false when it cannot be one. */
bool ms_swiss_table_parse(const struct ms_go_layout *layout, const uint8_t *raw,
			  struct ms_swiss_table *ret_table);

/** Deleted slots of a table: what is neither used nor free for growth (table.go, maxGrowthLeft). */
uint32_t ms_swiss_table_deleted(const struct ms_swiss_table *table);

/** Filled and deleted slots of a table's group by its control bytes; false when they are none. */
bool ms_swiss_group_count(const uint8_t control[8], unsigned *ret_filled, unsigned *ret_deleted);

/** Filled slots of a small map's group by its control bytes, or -1 when they are none. */
int ms_swiss_group_entries(const uint8_t control[8]);
