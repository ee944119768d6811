// map_tables.c - tables word by word, as the runtime would have left them.
#include "tests/support/map_tables.h"

#include "tests/support/test.h"

#include <stdlib.h>

enum { SEED = 0x12345678, LOOKS = 3 };

static struct map_tables create(int release)
{
	struct map_tables t = { .h = fake_heap_create(ms_go_layout_find(
				    release, MS_ARCH_AMD64,
				    release >= MS_GO(1, 24) ? MS_GO_EXP_SWISS : 0)) };
	ms_addr number = fake_type_plain(&t.h->types, FAKE_KIND_INT, "int", 8);
	const struct ms_go_layout *l = t.h->layout;
	ms_addr unit;

	t.type = fake_type_map(&t.h->types, "map[int]int", number, number);
	unit = fake_types_get(&t.h->types, t.type,
			      l->maps == MS_GO_MAPS_SWISS ? l->maptype_group : l->maptype_bucket);
	t.unit_bytes = fake_types_get(&t.h->types, unit, l->type_bytes);
	t.map = fake_heap_new(t.h, l->maps == MS_GO_MAPS_SWISS ? l->map_size : l->hmap_size, 0);
	t.row = fake_heap_row(t.h, t.map);
	t.row->kind = l->maps == MS_GO_MAPS_SWISS ? MS_MAP_SWISS : MS_MAP_CLASSIC;
	t.row->type = "map[int]int";
	return t;
}

ms_addr map_tables_link(const struct map_tables *t, ms_addr unit)
{
	return unit + t->unit_bytes - 8;
}

static void header_set(struct map_tables *t, uint64_t count, uint64_t log2, uint64_t overflow)
{
	const struct ms_go_layout *l = t->h->layout;

	fake_heap_set(t->h, t->map, l->hmap_count, count);
	fake_heap_set(t->h, t->map, l->hmap_flags,
		      log2 << 8 | overflow << 16 | (uint64_t)SEED << 32);
	fake_heap_set(t->h, t->map, l->hmap_buckets, t->now);
}

struct map_tables map_tables_classic(void)
{
	struct map_tables t = create(MS_GO_PATCH(1, 19, 4));

	t.now = fake_heap_new_plain(t.h, 4 * t.unit_bytes);
	t.overflow = fake_heap_new_plain(t.h, t.unit_bytes);
	fake_heap_set(t.h, t.now, 0, 0x0000000000202122);
	fake_heap_set(t.h, t.now, t.unit_bytes, 0x3031323334353637);
	fake_heap_set(t.h, map_tables_link(&t, t.now + t.unit_bytes), 0, t.overflow);
	fake_heap_set(t.h, t.overflow, 0, 0x0000000000004041);
	fake_heap_set(t.h, t.now, 3 * t.unit_bytes, 0x0000000000500150); // One was deleted.
	header_set(&t, 3 + 8 + 2 + 2, 2, 1);
	return t;
}

void map_tables_grow(struct map_tables *t)
{
	const struct ms_go_layout *l = t->h->layout;

	t->old = t->now;
	t->now = fake_heap_new_plain(t->h, 8 * t->unit_bytes);
	// Old bucket 0 was moved: two entries to bucket 0, one to bucket 4.
	fake_heap_set(t->h, t->old, 0, 0x0404040404020302);
	fake_heap_set(t->h, t->now, 0, 0x0000000000002022);
	fake_heap_set(t->h, t->now, 4 * t->unit_bytes, 0x0000000000000021);
	header_set(t, 3 + 8 + 2 + 2, 3, 0);
	fake_heap_set(t->h, t->map, l->hmap_oldbuckets, t->old);
	fake_heap_set(t->h, t->map, l->hmap_nevacuate, 1);
}

static void table_set(struct map_tables *t, unsigned n, uint64_t used, uint64_t deleted)
{
	const struct ms_go_layout *l = t->h->layout;
	uint64_t capacity = 16, left = 14 - used - deleted;

	fake_heap_set(t->h, t->tables[n], l->table_used,
		      used | capacity << 16 | left << 32 | (uint64_t)1 << 48);
	fake_heap_set(t->h, t->tables[n], l->table_index, n);
	fake_heap_set(t->h, t->tables[n], l->table_groups, t->groups[n]);
	fake_heap_set(t->h, t->tables[n], l->table_length_mask, 1);
}

struct map_tables map_tables_swiss(void)
{
	struct map_tables t = create(MS_GO_PATCH(1, 24, 13));
	const struct ms_go_layout *l = t.h->layout;

	t.directory = fake_heap_new(t.h, 16, 0);
	for (unsigned n = 0; n < 2; n++) {
		t.tables[n] = fake_heap_new(t.h, l->table_size, 0);
		t.groups[n] = fake_heap_new_plain(t.h, 2 * t.unit_bytes);
		fake_heap_set(t.h, t.directory, n * 8, t.tables[n]);
	}
	// The first group of table 0 is full, and one of its slots deleted.
	fake_heap_set(t.h, t.groups[0], 0, 0xfe06050403020100);
	fake_heap_set(t.h, t.groups[0], t.unit_bytes, 0x8080808080801110);
	fake_heap_set(t.h, t.groups[1], 0, 0x8080808080808021);
	fake_heap_set(t.h, t.groups[1], t.unit_bytes, 0x8080808080808080);
	table_set(&t, 0, 9, 1);
	table_set(&t, 1, 1, 0);
	fake_heap_set(t.h, t.map, l->map_used, 10);
	fake_heap_set(t.h, t.map, l->map_seed, SEED);
	fake_heap_set(t.h, t.map, l->map_dir_ptr, t.directory);
	fake_heap_set(t.h, t.map, l->map_dir_len, 2);
	fake_heap_set(t.h, t.map, l->map_global_depth, 1 | 63 << 8);
	return t;
}

struct ms_inspect_report map_tables_inspect(struct map_tables *t, uint64_t unit)
{
	const struct ms_inspect_options options = { .unit = unit, .looks = LOOKS, .keys = true };
	struct ms_inspect_report report;

	CHECK_OK(ms_inspect_run(&t->h->functions->rt, t->row, &options, &report));
	return report;
}

const struct ms_invariant *map_tables_invariant(const struct ms_inspect_report *r, const char *name)
{
	for (size_t i = 0; i < r->invariant_count; i++) {
		if (!strcmp(r->invariants[i].name, name))
			return &r->invariants[i];
	}
	ms_test_fail(__FILE__, __LINE__, "the invariant %s was not asked", name);
}
