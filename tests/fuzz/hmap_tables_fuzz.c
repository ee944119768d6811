// Maps of libhmap opened, with words of their memory and of their registry changed.
//
//	1 byte  which read fails, counted from 1 (0: none)      1 byte  of which unit more is told,
//	and, counted round, which map is written in all forms
//	then changes of 13 bytes:
//	1 byte  from which read on      1 byte  how many bytes, whether they replace or flip those
//	there, and whether the value chooses an address instead
//	1 byte  which part      2 bytes  offset in it      8 bytes  value
#include "inspect/inspect_hmap.h"
#include "registry/hmap_census.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/hmap_tables.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/render_all.h"

enum { CHANGE_BYTES = 13, CHANGES_MAX = 32, ADDRESS = 16 };

struct change {
	uint64_t from_read;
	uint8_t *at;
	size_t size;
	uint64_t value, kept;
	bool flips, is_done;
};

struct changes {
	struct change items[CHANGES_MAX];
	size_t count;
};

static void changes_take(struct changes *c, struct hmap_tables *t, struct fuzz_input *in)
{
	while (in->left >= CHANGE_BYTES && c->count < CHANGES_MAX) {
		struct change *one = &c->items[c->count++];
		const struct hmap_tables_part *part, *to;
		unsigned how;
		size_t offset;

		one->from_read = fuzz_number(in, 1);
		how = (unsigned)fuzz_number(in, 1);
		part = &t->parts[fuzz_number(in, 1) % HMAP_TABLES_PARTS];
		one->size = 1 + how % 8;
		one->flips = (how & 8) != 0;
		offset = fuzz_number(in, 2) % (part->size - 8);
		one->at = part->bytes + offset;
		one->value = fuzz_number(in, 8);
		if (how & ADDRESS) { // Pointers that lead somewhere.
			to = &t->parts[(one->value & 0xff) % HMAP_TABLES_PARTS];
			one->value = (uintptr_t)to->bytes + (one->value >> 8) % to->size;
		}
	}
}

static void before_read(void *arg, uint64_t index, const struct ms_read *read)
{
	struct changes *c = arg;

	(void)read;
	for (size_t i = 0; i < c->count; i++) {
		struct change *one = &c->items[i];
		uint64_t now;

		if (one->is_done || one->from_read > index)
			continue;
		memcpy(&one->kept, one->at, one->size);
		now = one->flips ? one->kept ^ one->value : one->value;
		memcpy(one->at, &now, one->size);
		one->is_done = true;
	}
}

/** The last one first: two may have met in one place. */
static void changes_undo(struct changes *c)
{
	bool any = true;

	while (any) {
		struct change *last = NULL;

		any = false;
		for (size_t i = 0; i < c->count; i++) {
			struct change *one = &c->items[i];

			if (one->is_done && (!last || one->from_read >= last->from_read))
				last = one;
		}
		if (last) {
			memcpy(last->at, &last->kept, last->size);
			last->is_done = false;
			any = true;
		}
	}
}

static void open_all(const struct ms_registries *registries, const struct ms_census_report *census,
		     uint64_t unit)
{
	const struct ms_inspect_options options = { .unit = unit, .keys = true, .looks = 1 };
	const struct ms_registry *registry;

	for (size_t i = 0; i < census->map_count; i++) {
		const struct ms_map_row *row = &census->maps[i];
		struct ms_inspect_report r;

		if (!fuzz_worked(ms_hmap_find(registries, row->address, &registry)) || !registry)
			continue;
		if (!fuzz_worked(ms_inspect_hmap(registries->target, registry, row, &options, &r)))
			continue;
		if (i == unit % census->map_count) // All forms of all maps would take too long.
			render_all_inspect(&r);
		ms_inspect_report_deinit(&r);
	}
}

MS_FUZZ_TARGET(hmap_tables)
{
	struct fuzz_input in = { data, size };
	struct hmap_tables *t = hmap_tables_get();
	uint64_t failing = fuzz_number(&in, 1), unit = fuzz_number(&in, 1);
	struct ms_census_report census = { .heap_bytes = MS_UNKNOWN, .rss_bytes = MS_UNKNOWN };
	struct ms_hmap_places places = { 0 };
	struct ms_registries registries;
	struct changes changes = { .count = 0 };
	struct fake_target fake;

	fake_target_init(&fake);
	hmap_tables_map(t, &fake);
	changes_take(&changes, t, &in);
	fake_target_before_read(&fake, before_read, &changes);
	if (failing)
		fake_target_fail_read(&fake, failing - 1);
	if (fuzz_worked(ms_registries_find(&fake.target, &registries)) &&
	    fuzz_worked(ms_hmap_census_add(&registries, NULL, &census, &places)))
		open_all(&registries, &census, unit);
	ms_hmap_places_deinit(&places);
	ms_census_report_deinit(&census);
	changes_undo(&changes);
	fake_target_deinit(&fake);
}
