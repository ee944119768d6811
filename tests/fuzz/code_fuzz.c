// A program's code, function table and types: what is found is sorted, lies where variables may,
// and has a descriptor.
#include "tests/fuzz/code_program.h"
#include "tests/fuzz/fuzz.h"

static void check(const struct ms_code_facts *f)
{
	for (size_t i = 0; i < f->globals.count; i++) {
		const struct ms_code_global *g = &f->globals.items[i];

		FUZZ_CHECK(!i || g[-1].address < g->address);
		FUZZ_CHECK(g->address >= CODE_DATA && g->address < CODE_DATA + CODE_DATA_BYTES);
		FUZZ_CHECK(g->type >= CODE_TYPES && g->evidence > 0);
		FUZZ_CHECK(ms_code_global_find(f, g->address) == g);
	}
	for (size_t i = 0; i < f->closures.count; i++)
		FUZZ_CHECK(ms_code_closure_type(f, f->closures.items[i].entry) ==
			   f->closures.items[i].type);
	for (ms_addr at = CODE_DATA; at < CODE_DATA + 512; at += 8) {
		struct ms_code_user users[MS_CODE_USERS_MAX];
		size_t count, total = ms_code_users(f, at, users, &count);

		FUZZ_CHECK(count <= total && count <= MS_CODE_USERS_MAX);
		for (size_t i = 0; i < count; i++)
			FUZZ_CHECK(users[i].entry >= CODE_TEXT);
	}
	FUZZ_CHECK(f->decoded <= f->functions);
}

MS_FUZZ_TARGET(code)
{
	struct code_program p;
	const struct ms_code_facts *facts, *again;

	code_program_open(&p, data, size);
	if (fuzz_worked(ms_go_code_facts(p.rt, &facts))) {
		check(facts);
		FUZZ_CHECK(fuzz_worked(ms_go_code_facts(p.rt, &again)) && again == facts);
	}
	code_program_close(&p);
}
