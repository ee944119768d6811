// hmap_tables.c - libhmap takes all memory of these maps from two areas, which a target is given.
#include "tests/fuzz/hmap_tables.h"

#include "tests/fuzz/input.h"

#include "hmap/classic_internal.h"
#include "hmap/space.h"

#include <sys/mman.h>

enum { AREA_BYTES = 4 << 20, RANGE_BYTES = 8 << 20, RANGE_ALIGN = 2 << 20 };

extern struct hmap_registry hmapi_registry;

static struct hmap_tables tables;
static uint8_t *area, *range;
static size_t used;
static bool has_range;

static void *allocate(void *state, size_t size, size_t align)
{
	(void)state;
	used = ms_round_up(used, align ? align : 16);
	FUZZ_CHECK(size <= AREA_BYTES - used);
	used += size;
	return area + used - size;
}

static void release(void *state, void *memory, size_t size, size_t align)
{
	(void)state;
	(void)memory;
	(void)size;
	(void)align;
}

static void *reserve(void *state, size_t size)
{
	(void)state;
	if (has_range || size > RANGE_BYTES)
		return NULL;
	has_range = true;
	return range;
}

static bool commit(void *state, void *part, size_t size)
{
	(void)state;
	(void)part;
	(void)size;
	return true;
}

static void decommit(void *state, void *part, size_t size)
{
	(void)state;
	(void)part;
	(void)size;
}

static const struct hmap_allocator in_area = { .allocate = allocate, .release = release };
static const struct hmap_allocator in_range = { .allocate = allocate,
						.release = release,
						.reserve = reserve,
						.commit = commit,
						.decommit = decommit,
						.unreserve = decommit };

/** All keys have few hashes: chains. */
static uint64_t crowd_hash(const void *key, uint64_t seed, void *state)
{
	uint64_t k;

	(void)seed;
	(void)state;
	memcpy(&k, key, sizeof(k));
	return k << 56 | k % 3;
}

static uint64_t even_hash(const void *key, uint64_t seed, void *state)
{
	uint64_t k;

	(void)seed;
	(void)state;
	memcpy(&k, key, sizeof(k));
	k *= UINT64_C(0x9e3779b97f4a7c15);
	return k ^ k >> 32;
}

static const struct hmap_type crowd = {
	.name = "crowd", .key_size = 8, .value_size = 8, .hash = crowd_hash
};
static const struct hmap_type plain = {
	.name = "plain", .key_size = 8, .value_size = 8, .hash = even_hash
};

static struct hmap *make(const struct hmap_type *type, enum hmap_engine engine,
			 const struct hmap_allocator *allocator, uint64_t entries)
{
	const struct hmap_options options = { .engine = engine, .allocator = allocator, .seed = 1 };
	struct hmap *m;

	FUZZ_CHECK(hmap_create(type, &options, &m) == HMAP_OK);
	for (uint64_t i = 0; i < entries; i++)
		FUZZ_CHECK(hmap_put(m, &i, &i) == HMAP_OK);
	return m;
}

static struct hmap *in_pass(struct hmap *m, enum hmap_pass pass)
{
	FUZZ_CHECK(hmap_begin_pass(m, pass) == HMAP_OK);
	FUZZ_CHECK(hmap_step(m, 2) > 0);
	return m;
}

static struct hmap *shrinking(struct hmap *m, uint64_t entries)
{
	for (uint64_t i = 100; i < entries; i++)
		FUZZ_CHECK(hmap_erase(m, &i) == HMAP_OK);
	return in_pass(m, HMAP_PASS_SHRINK);
}

/** A map's struct, that of its engine, the start of its table, and what overflows first. */
static void parts_find(struct hmap_tables_part *p, struct hmap *m)
{
	struct hmap_classic *c = m->classic;
	uint8_t *table = c ? c->h.buckets : m->segments ? m->segments[0][0] : m->tags;
	bool is_born = !(m->state & HMAPI_UNBORN);

	p[0] = (struct hmap_tables_part){ (uint8_t *)m, sizeof(*m) };
	p[1] = c ? (struct hmap_tables_part){ (uint8_t *)c, sizeof(*c) } : p[0];
	p[2] = is_born ? (struct hmap_tables_part){ table, c ? 8 * c->bucketsize : 256 } : p[0];
	p[3] = c          ? (struct hmap_tables_part){ (uint8_t *)c->now, sizeof(*c->now) }
	       : m->slabs ? (struct hmap_tables_part){ (uint8_t *)m->slabs, 256 }
			  : p[2];
}

static uint8_t *memory(size_t size)
{
	uint8_t *at = mmap(NULL, size + RANGE_ALIGN, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	FUZZ_CHECK(at != MAP_FAILED);
	return (uint8_t *)(uintptr_t)ms_round_up((uintptr_t)at, RANGE_ALIGN);
}

struct hmap_tables *hmap_tables_get(void)
{
	struct hmap_tables *t = &tables;
	struct hmap_registry *raw = &t->registry.data.registry;

	if (area)
		return t;
	area = memory(AREA_BYTES);
	range = memory(RANGE_BYTES);
	struct hmap *const maps[HMAP_TABLES_MAPS] = {
		make(&crowd, HMAP_STEADY, &in_area, 300),
		in_pass(make(&plain, HMAP_STEADY, &in_range, 7000), HMAP_PASS_GROW),
		shrinking(make(&plain, HMAP_STEADY, &in_area, 7000), 7000),
		in_pass(make(&plain, HMAP_STEADY, &in_area, 1000), HMAP_PASS_COMPACT),
		make(&crowd, HMAP_CLASSIC, &in_area, 300),
		in_pass(make(&plain, HMAP_CLASSIC, &in_area, 1000), HMAP_PASS_GROW),
		make(&plain, HMAP_STEADY, &in_area, 0),
	};
	FUZZ_CHECK(maps[1]->space && maps[2]->segments && maps[0]->slabs);
	fake_registry_init(&t->registry, 0x400000);
	memcpy(raw->fields, hmapi_registry.fields, sizeof(raw->fields));
	raw->unborn_mask = hmapi_registry.unborn_mask;
	raw->used = HMAP_TABLES_MAPS;
	for (size_t i = 0; i < HMAP_TABLES_MAPS; i++) {
		t->registry.data.leaf[i] = (uintptr_t)maps[i];
		parts_find(t->parts + 4 * i, maps[i]);
	}
	t->parts[4 * HMAP_TABLES_MAPS] =
	    (struct hmap_tables_part){ (uint8_t *)raw->fields, sizeof(raw->fields) };
	t->parts[4 * HMAP_TABLES_MAPS + 1] = (struct hmap_tables_part){ area, used };
	return t;
}

void hmap_tables_map(const struct hmap_tables *t, struct fake_target *fake)
{
	fake_registry_map(&t->registry, fake);
	fake_target_map(fake, (uintptr_t)area, area, AREA_BYTES, MS_REGION_ANON,
			MS_PROT_READ | MS_PROT_WRITE);
	fake_target_map(fake, (uintptr_t)range, range, RANGE_BYTES, MS_REGION_ANON,
			MS_PROT_READ | MS_PROT_WRITE);
}
