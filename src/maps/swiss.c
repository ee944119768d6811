// swiss.c - what internal/runtime/maps (Go 1.24 to 1.27) keeps true of a Map and its tables.
//
//	small:  dirLen 0, dirPtr the group (or nil until the first write), used <= 8
//	large:  dirLen 2^globalDepth, globalShift 64 - globalDepth (mod 64 as stored: 64 at depth 0)
//	table:  capacity a power of two from 8 to 1024, lengthMask capacity/8 - 1,
//	        used + growthLeft <= 7/8 capacity (7 of 8 in a table of one group)
//	control byte: 0x80 empty, 0xfe deleted, below 0x80 a filled slot's hash bits
#include "maps/swiss.h"

enum {
	CONTROL_EMPTY = 0x80,
	CONTROL_DELETED = 0xfe,
	CONTROL_FULL_MAX = 0x7f,
	HASH_BITS = 64,
};

static const uint64_t SEED_MIN = 4096; // A random seed is hardly ever smaller.
static const uint64_t ENTRIES_MAX = (uint64_t)1 << 44;

static bool pointer_is_sane(ms_addr p)
{
	return !(p & 7) && p < (ms_addr)1 << 57;
}

enum ms_swiss_header ms_swiss_parse(const struct ms_go_layout *l, const uint8_t *raw,
				    struct ms_swiss_map *ret_map)
{
	uint8_t shift = raw[l->map_global_shift];
	struct ms_swiss_map m = {
		.used = ms_load_u64(raw + l->map_used),
		.seed = ms_load_u64(raw + l->map_seed),
		.dir = ms_load_u64(raw + l->map_dir_ptr),
		.dir_len = ms_load_u64(raw + l->map_dir_len),
		.depth = raw[l->map_global_depth],
		.writing = raw[l->map_writing],
	};

	if (m.seed < SEED_MIN || !pointer_is_sane(m.dir) || m.writing > 1 || m.used > ENTRIES_MAX)
		return MS_SWISS_NOT;
	*ret_map = m;
	if (!m.dir)
		return m.used || m.dir_len || m.depth || shift ? MS_SWISS_NOT
							       : MS_SWISS_NEVER_WRITTEN;
	if (!m.dir_len)
		return m.used > MS_SWISS_SLOTS || m.depth || shift ? MS_SWISS_NOT : MS_SWISS_SMALL;
	if (m.depth > MS_SWISS_DEPTH_MAX || m.dir_len != (uint64_t)1 << m.depth ||
	    shift != HASH_BITS - m.depth || m.used > m.dir_len * MS_SWISS_TABLE_CAPACITY_MAX)
		return MS_SWISS_NOT;
	return MS_SWISS_LARGE;
}

static uint32_t max_growth(uint32_t capacity)
{
	return capacity <= MS_SWISS_SLOTS ? capacity - 1 : capacity * 7 / 8;
}

bool ms_swiss_table_parse(const struct ms_go_layout *l, const uint8_t *raw,
			  struct ms_swiss_table *ret_table)
{
	struct ms_swiss_table t = {
		.used = ms_load_u16(raw + l->table_used),
		.capacity = ms_load_u16(raw + l->table_capacity),
		.growth_left = ms_load_u16(raw + l->table_growth_left),
		.local_depth = raw[l->table_local_depth],
		.index = (int64_t)ms_load_u64(raw + l->table_index),
		.groups = ms_load_u64(raw + l->table_groups),
	};

	if (!ms_is_power_of_two(t.capacity) || t.capacity < MS_SWISS_SLOTS ||
	    t.capacity > MS_SWISS_TABLE_CAPACITY_MAX || t.local_depth > MS_SWISS_DEPTH_MAX ||
	    ms_load_u64(raw + l->table_length_mask) != t.capacity / MS_SWISS_SLOTS - 1 ||
	    t.used + t.growth_left > max_growth(t.capacity) || !t.groups ||
	    !pointer_is_sane(t.groups))
		return false;
	*ret_table = t;
	return true;
}

uint32_t ms_swiss_table_deleted(const struct ms_swiss_table *t)
{
	return max_growth(t->capacity) - t->used - t->growth_left;
}

bool ms_swiss_group_count(const uint8_t control[8], unsigned *ret_filled, unsigned *ret_deleted)
{
	unsigned filled = 0, deleted = 0;

	for (unsigned i = 0; i < MS_SWISS_SLOTS; i++) {
		if (control[i] > CONTROL_FULL_MAX && control[i] != CONTROL_EMPTY &&
		    control[i] != CONTROL_DELETED)
			return false;
		filled += control[i] <= CONTROL_FULL_MAX;
		deleted += control[i] == CONTROL_DELETED;
	}
	*ret_filled = filled;
	*ret_deleted = deleted;
	return true;
}

int ms_swiss_group_entries(const uint8_t control[8])
{
	int entries = 0;
	uint64_t all;

	memcpy(&all, control, sizeof(all));
	if (!all)
		return -1; // Eight slots of one hash in a row: cleared memory, not a group.
	for (unsigned i = 0; i < MS_SWISS_SLOTS; i++) {
		if (control[i] > CONTROL_FULL_MAX && control[i] != CONTROL_EMPTY)
			return -1;
		entries += control[i] <= CONTROL_FULL_MAX;
	}
	return entries;
}
