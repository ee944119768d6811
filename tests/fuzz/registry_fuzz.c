// A census of two programs' worth of libhmap's maps, with words of their memory changed, some of
// them while they are read.
//
//	1 byte  which read fails, counted from 1 (0: none)
//	1 byte  how, or that the target is gone from there on; 4: places have no symbols
//	then changes of 13 bytes:
//	1 byte  from which read on      1 byte how many bytes, whether they replace or flip those
//	there, and whether the value chooses an address instead
//	1 byte  which part      2 bytes offset in it      8 bytes value
#include "registry/hmap_census.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/render_all.h"
#include "tests/support/fake_registry.h"

enum { PROGRAMS = 2, CHANGE_BYTES = 13, CHANGES_MAX = 64, PARTS = 7, OWNER_BYTES_MAX = 512 };

/** Bytes that belong together, so that a change hits what it means. */
struct part {
	void *bytes;
	size_t size;
	ms_addr addr;
};

struct change {
	uint64_t from_read;
	const struct part *part;
	size_t offset, size;
	bool flips, is_done;
	uint64_t value;
};

struct programs {
	struct fake_target fake;
	struct fake_registry registries[PROGRAMS];
	struct part parts[PROGRAMS * PARTS];
	struct change changes[CHANGES_MAX];
	size_t change_count;
	bool has_symbols;
};

static void parts_find(struct part *parts, struct fake_registry *r)
{
#define DATA_PART(member)                                                                          \
	{                                                                                          \
		&r->data.member, sizeof(r->data.member),                                           \
		    fake_registry_data(r, offsetof(__typeof__(r->data), member))                   \
	}
	const struct part all[PARTS] = {
		{ &r->module, sizeof(r->module), r->base },
		DATA_PART(registry),
		DATA_PART(leaf),
		DATA_PART(type),
		DATA_PART(classic),
		DATA_PART(name),
		{ r->maps, sizeof(r->maps), fake_registry_map_at(r, 0) },
	};

	memcpy(parts, all, sizeof(all));
#undef DATA_PART
}

static void classic_fill(struct fake_registry *r, uint64_t *m)
{
	uint64_t *c = r->data.classic;

	m[HMAP_FIELD_CLASSIC] = fake_registry_data(r, offsetof(__typeof__(r->data), classic));
	c[HMAP_FIELD_CLASSIC_COUNT - HMAP_FIELD_CLASSIC_COUNT] = 30;
	c[HMAP_FIELD_CLASSIC_B - HMAP_FIELD_CLASSIC_COUNT] = 3;
	c[HMAP_FIELD_CLASSIC_OLD - HMAP_FIELD_CLASSIC_COUNT] = r->base;
	c[HMAP_FIELD_CLASSIC_EVACUATED - HMAP_FIELD_CLASSIC_COUNT] = 1;
	c[HMAP_FIELD_CLASSIC_LOAD - HMAP_FIELD_CLASSIC_COUNT] = 13;
	c[HMAP_FIELD_CLASSIC_BYTES - HMAP_FIELD_CLASSIC_COUNT] = 4000;
}

static void pass_fill(uint64_t *m, enum hmap_pass pass, uint64_t groups)
{
	m[HMAP_FIELD_PASS] = pass;
	m[HMAP_FIELD_LOW] = 4;
	m[HMAP_FIELD_GROUPS] = groups;
	m[HMAP_FIELD_COMPACTED] = 1;
}

/** One map of each kind, and texts that end, that go over a page's end, and none. */
static void program_init(struct fake_registry *r, ms_addr base)
{
	const size_t name = offsetof(__typeof__(r->data), name);
	const size_t over = 4096 - name - 3;

	fake_registry_init(r, base);
	r->data.registry.unborn_mask = 1;
	memset(r->data.name + over, 'x', 10);
	r->maps[1][HMAP_FIELD_NAME] = fake_registry_data(r, name + over);
	r->maps[2][HMAP_FIELD_NAME] = 0;
	r->maps[2][HMAP_FIELD_CREATED_AT] = r->base + 0x123;
	classic_fill(r, r->maps[3]);
	pass_fill(r->maps[4], HMAP_PASS_GROW, 6);
	pass_fill(r->maps[5], HMAP_PASS_SHRINK, 6);
	pass_fill(r->maps[6], HMAP_PASS_COMPACT, 4);
	r->maps[7][HMAP_FIELD_STATE] = 1;
	r->maps[7][HMAP_FIELD_COUNT] = 0;
	r->data.registry.used = FAKE_REGISTRY_MAPS;
	for (size_t i = FAKE_REGISTRY_LISTED; i < FAKE_REGISTRY_MAPS; i++)
		r->data.leaf[i] = fake_registry_map_at(r, i);
}

static void change_apply(const struct change *c)
{
	uint8_t *bytes = c->part->bytes;

	for (size_t i = 0; i < c->size; i++) {
		uint8_t *at = &bytes[(c->offset + i) % c->part->size];
		uint8_t value = (uint8_t)(c->value >> (8 * i));

		*at = c->flips ? *at ^ value : value;
	}
}

static void before_read(void *arg, uint64_t index, const struct ms_read *read)
{
	struct programs *p = arg;

	(void)read;
	for (size_t i = 0; i < p->change_count; i++) {
		struct change *c = &p->changes[i];

		if (c->is_done || c->from_read > index)
			continue;
		change_apply(c);
		c->is_done = true;
	}
}

static void changes_take(struct programs *p, struct fuzz_input *in)
{
	while (in->left >= CHANGE_BYTES && p->change_count < CHANGES_MAX) {
		struct change *c = &p->changes[p->change_count++];
		unsigned how;

		c->from_read = fuzz_number(in, 1);
		how = (unsigned)fuzz_number(in, 1);
		c->size = 1 + how % 8;
		c->flips = (how & 8) != 0;
		c->part = &p->parts[fuzz_number(in, 1) % MS_ARRAY_SIZE(p->parts)];
		c->offset = fuzz_number(in, 2) % c->part->size;
		c->value = fuzz_number(in, 8);
		if (how & 16) { // Pointers that lead somewhere.
			const struct part *to =
			    &p->parts[(c->value & 0xff) % MS_ARRAY_SIZE(p->parts)];

			c->value = to->addr + (c->value >> 8) % to->size;
		}
	}
}

static void programs_init(struct programs *p, struct fuzz_input *in)
{
	uint64_t failing = fuzz_number(in, 1);
	unsigned how = (unsigned)fuzz_number(in, 1);

	fake_target_init(&p->fake);
	for (size_t i = 0; i < PROGRAMS; i++) {
		program_init(&p->registries[i], 0x400000 + i * 0x1000000);
		fake_registry_map(&p->registries[i], &p->fake);
		parts_find(p->parts + i * PARTS, &p->registries[i]);
	}
	changes_take(p, in);
	fake_target_before_read(&p->fake, before_read, p);
	p->has_symbols = !(how & 4);
	if (failing && how % 4 == 3)
		fake_target_gone_after(&p->fake, failing - 1);
	else if (failing)
		fake_target_fail_read_as(&p->fake, failing - 1, MS_READ_FAULT + how % 4);
}

static void row_check(const struct ms_map_row *row)
{
	FUZZ_CHECK(row->address && !(row->address & 1));
	FUZZ_CHECK(!row->owner ||
		   (row->owners == 1 && *row->owner && strlen(row->owner) < OWNER_BYTES_MAX));
	FUZZ_CHECK((row->type != NULL) == (row->type_source == MS_TYPE_REGISTRY));
	FUZZ_CHECK(row->kind == MS_MAP_HMAP_STEADY || row->kind == MS_MAP_HMAP_CLASSIC);
	FUZZ_CHECK(row->entries < MS_UNKNOWN && row->capacity < MS_UNKNOWN);
	FUZZ_CHECK(row->live_bytes >= row->entries); // With a tag byte for each, or not known.
	if (row->growing)
		FUZZ_CHECK(row->growth.progress >= 0 && row->growth.progress <= 1);
}

static void census_check(const struct ms_census_report *census, const struct ms_hmap_places *places)
{
	uint64_t typed = 0;

	for (size_t i = 0; i < census->map_count; i++) {
		const struct ms_map_row *row = &census->maps[i];

		FUZZ_CHECK(!i || row[-1].address <= row->address);
		FUZZ_CHECK(ms_hmap_place_of(places, row->address)->registry != NULL);
		row_check(row);
		typed += row->type != NULL;
	}
	FUZZ_CHECK(places->count == census->map_count);
	FUZZ_CHECK(census->coverage.typed == typed);
	FUZZ_CHECK(census->coverage.read == census->map_count);
	FUZZ_CHECK(census->coverage.seen ==
		   census->map_count + ms_coverage_skipped(&census->coverage));
}

static void census_take(const struct ms_registries *registries, struct ms_c_symbols *symbols)
{
	struct ms_census_report census = { .heap_bytes = MS_UNKNOWN, .rss_bytes = MS_UNKNOWN };
	struct ms_hmap_places places = { 0 };

	if (fuzz_worked(ms_hmap_census_add(registries, symbols, &census, &places))) {
		census_check(&census, &places);
		FUZZ_CHECK(fuzz_worked(ms_census_sum_owners(&census)));
		render_all_census(&census);
	}
	ms_hmap_places_deinit(&places);
	ms_census_report_deinit(&census);
}

MS_FUZZ_TARGET(registry)
{
	static struct ms_c_symbols *symbols; // Of nothing: places are addresses.
	static struct ms_target nothing;
	struct fuzz_input in = { data, size };
	struct programs *p = calloc(1, sizeof(*p));
	struct ms_registries registries;

	FUZZ_CHECK(p);
	if (!symbols)
		FUZZ_CHECK(fuzz_worked(ms_c_symbols_open(&nothing, &symbols)));
	programs_init(p, &in);
	if (fuzz_worked(ms_registries_find(&p->fake.target, &registries))) {
		FUZZ_CHECK(registries.count <= MS_REGISTRIES_MAX);
		FUZZ_CHECK(!registries.refused || registries.refused_why);
		census_take(&registries, p->has_symbols ? symbols : NULL);
	}
	fake_target_deinit(&p->fake);
	free(p);
}
