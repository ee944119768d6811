// next_growth.c - the sizes of tables to come, from what a census knows of the present one.
//
//	classic		an array of 2^(B+1) buckets; the old one stays until all of it is
//			evacuated, which takes as many writes as it has buckets.  A bucket is 8
//			tags, 8 keys, 8 elems and a pointer.
//	Swiss		a group of 8 becomes a table of 16 slots, a table doubles up to 1,024,
//			and a table of 1,024 splits into two; the directory doubles when the
//			table that splits has as many bits of the hash as the directory.  The old
//			table is garbage at once, and stays until it is collected.
//
// Sizes are rounded as the allocator does.  Where keys and elems are not known, what the present
// table takes for a slot stands in.
//
// Of several tables the one that splits first is a matter of hashes.  How many of n inserts fall
// into a table with share s of all hashes is binomially distributed, as good as normally; expected
// is the n at which no table is full in half of all cases.
#include "diagnose/next_growth.h"

#include "base/cleanup.h"
#include "maps/classic.h"
#include "maps/shape.h"
#include "maps/swiss.h"

#include <math.h>

enum {
	SLOTS = 8,
	BUCKET_OVERHEAD = 16, // Tags and overflow pointer.
	GROUP_OVERHEAD = 8,   // Control bytes.
	SLOT_PADDING_MAX = 16,
	DIRECTORY_MAX = 1 << 20, // Entries read at most; a map of 100 million has some 200,000.
	TABLES_AT_ONCE = 1024,
	TABLE_BYTES_MAX = 64,
	STEPS_MAX = 200,
};

static const uint64_t ENTRIES_MAX = (uint64_t)1 << 40;

/** More than any table takes; sums of it do not wrap around. */
static const uint64_t TOO_MUCH = (uint64_t)1 << 56;

static uint64_t alloc(const struct ms_go_layout *l, uint64_t size)
{
	uint64_t bytes = ms_go_alloc_bytes(l, size, true);

	return bytes ? bytes : TOO_MUCH;
}

static uint64_t known(uint64_t bytes)
{
	return bytes < TOO_MUCH ? bytes : MS_UNKNOWN;
}

/** Key and elem as stored, 0 when the row does not tell. */
static uint64_t entry_bytes(const struct ms_map_row *row)
{
	if (row->live_bytes == MS_UNKNOWN || !row->entries || row->live_bytes < row->entries)
		return 0;
	return row->live_bytes / row->entries - 1;
}

static uint64_t bucket_bytes(const struct ms_go_layout *l, const struct ms_map_row *row)
{
	uint64_t entry = entry_bytes(row);

	if (entry)
		return BUCKET_OVERHEAD + SLOTS * entry;
	if (row->total_bytes == MS_UNKNOWN || row->total_bytes <= l->hmap_size || row->growing)
		return 0;
	return (row->total_bytes - l->hmap_size) / (row->capacity / SLOTS);
}

static unsigned log2_of(uint64_t power)
{
	return power ? 63u - (unsigned)__builtin_clzll(power) : 0;
}

static void classic_sizes(const struct ms_go_layout *l, const struct ms_map_row *row,
			  struct ms_next_growth *next)
{
	unsigned log2 = log2_of(row->capacity / SLOTS);
	uint64_t bucket = bucket_bytes(l, row);

	if (!bucket || !ms_classic_buckets(log2 + 1))
		return;
	next->old_bytes = alloc(l, ms_classic_buckets(log2) * bucket);
	next->new_bytes = alloc(l, ms_classic_buckets(log2 + 1) * bucket);
}

/** Bytes of all groups as the allocator rounded them, for a map without or with tables. */
static uint64_t groups_bytes(const struct ms_go_layout *l, const struct ms_map_row *row)
{
	uint64_t rest = l->map_size;

	if (row->tables)
		rest += row->tables * alloc(l, l->table_size) +
			alloc(l, (uint64_t)8 << row->directory_depth);
	return row->total_bytes != MS_UNKNOWN && row->total_bytes > rest ? row->total_bytes - rest
									 : 0;
}

/** One group: from keys and elems, with the padding that makes the table as large as it is. */
static uint64_t group_bytes(const struct ms_go_layout *l, const struct ms_map_row *row)
{
	uint64_t per_table = row->capacity / SLOTS / (row->tables ? row->tables : 1);
	uint64_t all = groups_bytes(l, row), entry = entry_bytes(row);
	uint64_t table = row->tables ? all / row->tables : all;

	for (uint64_t pad = 0; entry && per_table && pad < SLOT_PADDING_MAX; pad++) {
		uint64_t bytes = GROUP_OVERHEAD + SLOTS * (entry + pad);

		if (alloc(l, per_table * bytes) == table)
			return bytes;
	}
	return row->capacity >= SLOTS ? all / (row->capacity / SLOTS) : 0;
}

static void swiss_sizes(const struct ms_go_layout *l, const struct ms_map_row *row,
			struct ms_next_growth *next)
{
	uint64_t group = group_bytes(l, row), header = alloc(l, l->table_size);
	uint64_t capacity = row->capacity / (row->tables ? row->tables : 1);
	uint64_t directory = row->tables ? 0 : alloc(l, 8);

	if (!group || group >= TOO_MUCH / row->capacity)
		return;
	next->old_bytes = alloc(l, capacity / SLOTS * group);
	if (capacity < MS_SWISS_TABLE_CAPACITY_MAX) {
		next->new_bytes = alloc(l, 2 * (capacity / SLOTS) * group) + header + directory;
		return;
	}
	next->kind = MS_GROWTH_SPLIT;
	next->new_bytes = 2 * (alloc(l, capacity / SLOTS * group) + header);
	if (row->tables > 1) {
		next->all_at_entries = row->capacity / SLOTS * 7;
		next->all_bytes = known(row->tables * (next->new_bytes - next->old_bytes));
		return;
	}
	next->new_directory_bytes = alloc(l, (uint64_t)16 << row->directory_depth);
	next->new_bytes += next->new_directory_bytes;
	next->old_bytes += alloc(l, (uint64_t)8 << row->directory_depth);
}

struct ms_next_growth ms_next_growth_of(const struct ms_go_layout *l, const struct ms_map_row *row)
{
	struct ms_next_growth next = { .at_entries = row->grow_at,
				       .old_bytes = MS_UNKNOWN,
				       .new_bytes = MS_UNKNOWN };

	if (row->capacity == MS_UNKNOWN || row->capacity < SLOTS || row->entries == MS_UNKNOWN)
		return next;
	if (row->kind == MS_MAP_SWISS)
		swiss_sizes(l, row, &next);
	else
		classic_sizes(l, row, &next);
	next.old_bytes = known(next.old_bytes);
	next.new_bytes = known(next.new_bytes);
	return next;
}

/** -log of the chance that no table is full after so many inserts. */
static double full_after(const struct ms_table_group *groups, size_t count, double inserts)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++) {
		double mean = inserts * groups[i].share;
		double spread = sqrt(2 * mean * (1 - groups[i].share)) + 1e-9;

		// One more than fits starts a split; half a step as counts are whole.
		sum -= (double)groups[i].tables *
		       log1p(-0.5 * erfc((groups[i].growth_left + 0.5 - mean) / spread));
	}
	return sum;
}

uint64_t ms_next_split_expected(const struct ms_table_group *groups, size_t count)
{
	double low = 0, high = 1;

	if (!count)
		return MS_UNKNOWN;
	for (unsigned i = 0; i < STEPS_MAX && full_after(groups, count, high) < M_LN2; i++)
		high *= 2;
	for (unsigned i = 0; i < STEPS_MAX && high - low > 0.5; i++) {
		double middle = (low + high) / 2;

		if (full_after(groups, count, middle) < M_LN2)
			low = middle;
		else
			high = middle;
	}
	return high < 1e15 ? (uint64_t)ceil(high) : MS_UNKNOWN;
}

/** Tables by what is left in them and by their depth. */
struct split_search {
	uint64_t tables[MS_SWISS_TABLE_CAPACITY_MAX][MS_SWISS_DEPTH_MAX + 1];
	struct ms_table_group groups[MS_SWISS_TABLE_CAPACITY_MAX * 4];
	struct ms_read reads[TABLES_AT_ONCE];
	uint8_t raw[TABLES_AT_ONCE][TABLE_BYTES_MAX];
	ms_addr directory[TABLES_AT_ONCE];
	ms_addr last_table;
	uint64_t seen; // Tables of full size.
	uint64_t deep; // Of the fullest, those whose split doubles the directory.
	uint32_t left_least;
};

static void table_take(const struct ms_go_layout *l, const struct ms_swiss_map *m,
		       const uint8_t *raw, struct split_search *s)
{
	struct ms_swiss_table t;

	if (!ms_swiss_table_parse(l, raw, &t) || t.capacity != MS_SWISS_TABLE_CAPACITY_MAX ||
	    t.local_depth > m->depth)
		return;
	s->tables[t.growth_left][t.local_depth]++;
	s->seen++;
	if (t.growth_left < s->left_least) {
		s->left_least = t.growth_left;
		s->deep = 0;
	}
	if (t.growth_left == s->left_least)
		s->deep += t.local_depth == m->depth;
}

static struct ms_error *tables_read(struct ms_go_runtime *rt, const struct ms_swiss_map *m,
				    uint64_t from, struct split_search *s)
{
	const struct ms_go_layout *l = rt->layout;
	size_t entries = (size_t)ms_min_u64(m->dir_len - from, TABLES_AT_ONCE), count = 0;
	struct ms_error *err =
	    ms_target_read(rt->target, m->dir + from * 8, s->directory, entries * 8);

	for (size_t i = 0; i < entries && !err; i++) {
		if (s->directory[i] == s->last_table)
			continue;
		s->last_table = s->directory[i];
		s->reads[count] =
		    (struct ms_read){ s->last_table, s->raw[count], l->table_size, 0 };
		count++;
	}
	if (!err && count)
		err = ms_target_read_many(rt->target, s->reads, count);
	for (size_t i = 0; i < count && !err; i++) {
		if (s->reads[i].status == MS_READ_OK)
			table_take(l, m, s->raw[i], s);
	}
	return err;
}

static size_t groups_make(const struct ms_swiss_map *m, struct split_search *s)
{
	size_t count = 0;

	for (uint32_t left = 0; left < MS_SWISS_TABLE_CAPACITY_MAX; left++) {
		for (unsigned depth = 0; depth <= m->depth; depth++) {
			if (s->tables[left][depth] && count < MS_ARRAY_SIZE(s->groups))
				s->groups[count++] =
				    (struct ms_table_group){ left, ldexp(1, -(int)depth),
							     s->tables[left][depth] };
		}
	}
	return count;
}

struct ms_error *ms_next_split_read(struct ms_go_runtime *rt, const struct ms_map_row *row,
				    struct ms_next_growth *next)
{
	const struct ms_go_layout *l = rt->layout;
	MS_AUTO_FREE struct split_search *s = calloc(1, sizeof(*s));
	uint8_t raw[TABLE_BYTES_MAX];
	struct ms_swiss_map m;
	struct ms_error *err;
	uint64_t expected;

	if (!s)
		return ms_error_no_memory();
	if (l->maps != MS_GO_MAPS_SWISS || row->tables < 2 || l->map_size > sizeof(raw) ||
	    l->table_size > TABLE_BYTES_MAX)
		return NULL;
	err = ms_target_read(rt->target, row->address, raw, l->map_size);
	if (!err && (ms_swiss_parse(l, raw, &m) != MS_SWISS_LARGE || m.dir_len > DIRECTORY_MAX))
		return NULL;
	s->left_least = UINT32_MAX;
	for (uint64_t at = 0; !err && at < m.dir_len; at += TABLES_AT_ONCE)
		err = tables_read(rt, &m, at, s);
	if (err && ms_error_code(err) == MS_ERR_FAULT) {
		ms_error_free(err); // The directory was replaced while it was read.
		return NULL;
	}
	if (err)
		return err;
	expected = ms_next_split_expected(s->groups, groups_make(&m, s));
	if (expected == MS_UNKNOWN || s->seen < row->tables / 2)
		return NULL;
	next->at_entries = m.used + expected;
	next->is_estimate = true;
	if (s->deep) {
		next->new_directory_bytes = alloc(l, m.dir_len * 16);
		next->new_bytes += next->new_bytes != MS_UNKNOWN ? next->new_directory_bytes : 0;
		next->old_bytes += next->old_bytes != MS_UNKNOWN ? alloc(l, m.dir_len * 8) : 0;
	}
	return NULL;
}

static uint64_t classic_rebuilt(const struct ms_go_layout *l, const struct ms_map_row *row,
				uint64_t entries)
{
	uint64_t bucket = bucket_bytes(l, row);
	unsigned log2 = 0;

	if (!bucket)
		return MS_UNKNOWN;
	while (ms_classic_grow_at(l, log2) <= entries)
		log2++;
	return known(l->hmap_size + alloc(l, ms_classic_buckets(log2) * bucket));
}

static uint64_t swiss_rebuilt(const struct ms_go_layout *l, const struct ms_map_row *row,
			      uint64_t entries)
{
	uint64_t group = group_bytes(l, row), slots = SLOTS, tables, table;

	if (!group)
		return MS_UNKNOWN;
	if (entries <= SLOTS)
		return l->map_size + alloc(l, group);
	while (slots / 8 * 7 < entries)
		slots *= 2;
	tables = slots > MS_SWISS_TABLE_CAPACITY_MAX ? slots / MS_SWISS_TABLE_CAPACITY_MAX : 1;
	table = alloc(l, slots / tables / SLOTS * group) + alloc(l, l->table_size);
	return table >> 32 ? MS_UNKNOWN
			   : known(l->map_size + alloc(l, tables * 8) + tables * table);
}

uint64_t ms_rebuilt_bytes(const struct ms_go_layout *l, const struct ms_map_row *row,
			  uint64_t entries)
{
	if (row->capacity == MS_UNKNOWN || row->capacity < SLOTS || entries > ENTRIES_MAX)
		return MS_UNKNOWN;
	return row->kind == MS_MAP_SWISS ? swiss_rebuilt(l, row, entries)
					 : classic_rebuilt(l, row, entries);
}
