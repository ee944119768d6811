// Type descriptors: two modules' sections, read with a row that the input chooses.
//
//	4 bytes  the row      2 bytes  size of the first section      the sections
#include "golang/described.h"
#include "golang/types.h"
#include "golang/verify_internal.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/input.h"
#include "tests/support/fake_target.h"

enum { FIRST = 0x500000, SECOND = 0x700000 };

static void add_module(struct ms_go_runtime *rt, struct fake_target *fake, ms_addr start,
		       const struct fuzz_input *part)
{
	struct ms_go_module *m = &rt->modules[rt->module_count++];

	*m = (struct ms_go_module){ .types = start, .etypes = start + part->left };
	if (part->left)
		fake_target_map_exe(fake, start, part->at, part->left, 0, MS_PROT_READ);
}

static void name_check(const struct ms_types *types, const struct ms_go_layout *layout,
		       ms_addr address)
{
	const char *text;
	size_t size, sum = 0;

	if (!ms_types_name(types, layout, address, &text, &size))
		return;
	for (size_t i = 0; i < size; i++)
		sum += (unsigned char)text[i]; // Each byte must be there.
	FUZZ_CHECK(size > 0 && sum <= size * 255);
}

static void check(const struct ms_types *types, const struct ms_go_layout *layout)
{
	for (size_t i = 0; i < types->count; i++) {
		const struct ms_map_type *type = &types->items[i];
		const struct ms_map_type *found = ms_types_by_table(types, type->table);

		FUZZ_CHECK(found && found->table == type->table);
		FUZZ_CHECK(type->table_bytes >= 8);
		name_check(types, layout, type->address);
		name_check(types, layout, type->key);
		name_check(types, layout, type->elem);
	}
	FUZZ_CHECK(!ms_types_by_table(types, 8));
	fuzz_worked(ms_go_described_check(types, layout));
	fuzz_worked(ms_go_verify_types(types, layout));
	for (size_t s = 0; s < types->section_count; s++) {
		for (uint64_t at = 0; at < types->sections[s].size; at += 8)
			name_check(types, layout, types->sections[s].start + at);
	}
}

MS_FUZZ_TARGET(types)
{
	struct fuzz_input in = { data, size };
	struct ms_go_runtime *rt = calloc(1, sizeof(*rt));
	struct fuzz_input first;
	struct ms_types types;
	struct fake_target fake;

	FUZZ_CHECK(rt);
	fake_target_init(&fake);
	rt->target = &fake.target;
	rt->layout = fuzz_layout(&in);
	first = fuzz_part(&in, (size_t)fuzz_number(&in, 2));
	add_module(rt, &fake, FIRST, &first);
	add_module(rt, &fake, SECOND, &in);
	rt->modules[rt->module_count++] = (struct ms_go_module){ .types = 64, .etypes = 128 };
	if (fuzz_worked(ms_types_load(rt, &types))) {
		check(&types, rt->layout);
		ms_types_deinit(&types);
	}
	fake_target_deinit(&fake);
	free(rt);
}
