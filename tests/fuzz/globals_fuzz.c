// Package-level variables out of an executable's DWARF: what is found is bounded, and each slot has
// a name and a way to it.
#include "golang/globals.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/input.h"
#include "tests/support/fake_target.h"

MS_FUZZ_TARGET(globals)
{
	struct ms_go_runtime *rt = calloc(1, sizeof(*rt));
	const struct ms_go_globals *g;
	struct fake_target fake;

	FUZZ_CHECK(rt);
	fake_target_init(&fake);
	fake_target_exe(&fake, data, size);
	rt->target = &fake.target;
	rt->module_count = 1;
	rt->modules[0].types = 0x500000;
	if (fuzz_worked(ms_elf_open(&fake.target, &rt->elf)) &&
	    fuzz_worked(ms_go_globals_load(rt, &g))) {
		for (size_t i = 0; i < g->slots.count; i++) {
			const struct ms_go_slot *slot = &g->slots.items[i];

			FUZZ_CHECK(strlen(slot->owner) > 0);
			FUZZ_CHECK(slot->pointer == MS_GO_NO_POINTER ||
				   slot->pointer < g->pointers.count);
		}
	}
	ms_go_close(rt);
	fake_target_deinit(&fake);
}
