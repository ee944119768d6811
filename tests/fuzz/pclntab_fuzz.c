// Go's table of functions, wherever it lies in the executable.
#include "image/pclntab.h"
#include "tests/fuzz/exe.h"
#include "tests/fuzz/fuzz.h"

static void ask(struct fake_target *fake, const struct ms_pclntab *tab)
{
	static const char *const names[] = { "runtime.growWork", "main.main", "x" };

	for (size_t i = 0; i < MS_ARRAY_SIZE(names); i++) {
		bool has;

		fuzz_worked(ms_pclntab_has_function(&fake->target, tab, names[i], &has));
	}
}

MS_FUZZ_TARGET(pclntab)
{
	struct fuzz_input in = { data, size };
	struct fake_target fake;
	struct ms_pclntab tab;
	struct ms_elf elf;

	fuzz_exe_open(&fake, &in, &elf);
	if (fuzz_worked(ms_pclntab_find(&fake.target, &elf, &tab))) {
		FUZZ_CHECK(tab.offset < in.left);
		if (tab.family != MS_PCLNTAB_OLD) {
			FUZZ_CHECK(ms_range_holds(0, in.left, tab.offset + tab.names_offset,
						  tab.names_bytes));
			ask(&fake, &tab);
		}
	}
	fake_target_deinit(&fake);
}
