// Goal: functions are found by address and name, with lines and frames, and a damaged table is
// never believed beyond its bytes.
// Method: a table made as the linker makes it; then the same with every byte changed.
#include "golang/calls.h"
#include "golang/functions.h"

#include "tests/support/fake_functions.h"
#include "tests/support/test.h"

#include <stdio.h>

static const struct fake_function list[] = {
	{ .name = "runtime.goexit", .bytes = 32, .line = 10, .flags = 1 },
	{ .name = "runtime.gopark", .bytes = 64, .frame_bytes = 24, .line = 20 },
	{ .name = "main.worker[go.shape.int]", .bytes = 64, .frame_bytes = 136, .line = 30 },
	{ .name = "main.main",
	  .bytes = 8192,
	  .frame_bytes = 40,
	  .line = 40,
	  .inlined = "main.(*T).small" },
	{ .name = "runtime.sigpanic", .bytes = 64, .frame_bytes = 8, .line = 50 },
	{ .name = "main.(*T).wrapped", .bytes = 64, .frame_bytes = 8, .line = 60, .id = 23 },
	{ .name = "main.last", .bytes = 64, .frame_bytes = 8, .line = 70 },
};

enum { COUNT = MS_ARRAY_SIZE(list) };

static struct fake_functions *make(enum ms_arch arch)
{
	return fake_functions_create(list, COUNT, arch);
}

MS_TEST(functions_are_found_by_address_and_name)
{
	struct fake_functions *fake = make(MS_ARCH_AMD64);
	const struct ms_functions *f;
	ms_addr entry = FAKE_TEXT;

	CHECK_OK(ms_go_functions(&fake->rt, &f));
	CHECK_EQ(f->count, COUNT);
	CHECK_EQ(f->damaged, 0);
	for (size_t i = 0; i < COUNT; i++) {
		for (uint32_t at = 0; at < list[i].bytes; at++)
			CHECK(ms_functions_find(f, entry + at) == &f->items[i]);
		CHECK_STR(f->items[i].name, list[i].name);
		CHECK(ms_functions_by_name(f, list[i].name) == &f->items[i]);
		entry += list[i].bytes;
	}
	CHECK(!ms_functions_find(f, FAKE_TEXT - 1));
	CHECK(!ms_functions_find(f, entry));
	CHECK(!ms_functions_by_name(f, "main.other"));
	CHECK_EQ(f->items[0].flags, MS_FUNCTION_TOP | MS_FUNCTION_RUNTIME);
	CHECK_EQ(f->items[2].flags, 0);
	CHECK_EQ(f->items[4].flags, MS_FUNCTION_INJECTED | MS_FUNCTION_RUNTIME);
	CHECK_EQ(f->items[5].flags, MS_FUNCTION_WRAPPER);
	fake_functions_destroy(fake);
}

MS_TEST(frames_and_lines_are_those_of_the_instruction)
{
	static const enum ms_arch archs[] = { MS_ARCH_AMD64, MS_ARCH_ARM64 };

	for (size_t i = 0; i < MS_ARRAY_SIZE(archs); i++) {
		struct fake_functions *fake = make(archs[i]);
		const struct ms_functions *f;
		const struct ms_function *fn;
		const char *file;
		uint32_t bytes, line;

		CHECK_OK(ms_go_functions(&fake->rt, &f));
		fn = ms_functions_by_name(f, "main.worker[go.shape.int]");
		CHECK(ms_function_frame_bytes(f, fn, fn->entry, &bytes));
		CHECK_EQ(bytes, 0);
		CHECK(ms_function_frame_bytes(f, fn, fn->entry + FAKE_PROLOGUE_BYTES, &bytes));
		CHECK_EQ(bytes, 136);
		CHECK(ms_function_line(f, fn, fn->end - 1, &file, &line));
		CHECK_STR(file, "main.go");
		CHECK_EQ(line, 30);
		CHECK(!ms_function_line(f, fn, fn->end, &file, &line));
		CHECK(!ms_function_frame_bytes(f, fn, fn->entry - 1, &bytes));
		fake_functions_destroy(fake);
	}
}

MS_TEST(an_inlined_call_has_a_name_and_a_line_of_its_own)
{
	struct fake_functions *fake = make(MS_ARCH_AMD64);
	struct ms_call calls[MS_CALLS_MAX];
	const struct ms_functions *f;
	const struct ms_function *fn;

	CHECK_OK(ms_go_functions(&fake->rt, &f));
	fn = ms_functions_by_name(f, "main.main");
	CHECK_EQ(ms_function_calls(f, fn, fn->entry, calls), 1);
	CHECK_EQ(ms_function_calls(f, fn, fn->end - 1, calls), 2);
	CHECK_STR(calls[0].name, "main.(*T).small");
	CHECK_STR(calls[0].file, "inlined.go");
	CHECK_EQ(calls[0].line, 1040);
	CHECK(calls[0].is_inlined);
	CHECK_STR(calls[1].name, "main.main");
	CHECK_STR(calls[1].file, "main.go");
	CHECK_EQ(calls[1].line, 40);
	CHECK(!calls[1].is_inlined);
	fake_functions_destroy(fake);
}

/** Ask everything of everything. */
static void ask_all(const struct ms_functions *f)
{
	struct ms_call calls[MS_CALLS_MAX];
	size_t asked = 0;

	for (size_t i = 0; i < f->count; i++) {
		const struct ms_function *fn = &f->items[i];
		uint32_t bytes;

		CHECK(fn->entry < fn->end && fn->end <= f->etext);
		CHECK(ms_functions_find(f, fn->entry) == fn);
		CHECK(ms_functions_find(f, fn->end - 1) == fn);
		for (ms_addr pc = fn->entry; pc < fn->end; pc += 1 + (fn->end - fn->entry) / 8) {
			size_t count = ms_function_calls(f, fn, pc, calls);

			CHECK(count >= 1 && count <= MS_CALLS_MAX);
			for (size_t c = 0; c < count; c++)
				asked += strlen(calls[c].name) +
					 (calls[c].file ? strlen(calls[c].file) : 0);
			asked += ms_function_frame_bytes(f, fn, pc, &bytes);
		}
	}
	CHECK(asked < SIZE_MAX);
}

MS_TEST(a_table_with_any_byte_changed_is_read_within_its_bounds)
{
	static const uint8_t values[] = { 0, 1, 0x7f, 0x80, 0xff };
	struct fake_functions *fake = make(MS_ARCH_AMD64);

	for (size_t at = 72; at < fake->exe_bytes; at++) {
		uint8_t right = fake->exe[at];

		for (size_t v = 0; v < MS_ARRAY_SIZE(values); v++) {
			const struct ms_functions *f;
			struct ms_error *err;

			fake->exe[at] = values[v];
			fake_functions_commit(fake);
			err = ms_go_functions(&fake->rt, &f);
			if (err)
				ms_error_free(err);
			else
				ask_all(f);
		}
		fake->exe[at] = right;
	}
	fake_functions_destroy(fake);
}

MS_TEST(module_data_that_lies_about_the_table_is_refused)
{
	struct fake_functions *fake = make(MS_ARCH_AMD64);
	const struct ms_go_layout *l = fake->rt.layout;
	const uint32_t slices[] = { l->module_funcnametab, l->module_cutab, l->module_filetab,
				    l->module_pctab, l->module_pclntable };
	static const uint64_t lies[] = { 0, UINT64_MAX, 1ull << 63, 1ull << 40 };

	for (size_t i = 0; i < MS_ARRAY_SIZE(slices) * 2; i++) {
		uint8_t *word = fake->module + slices[i / 2] + i % 2 * 8;
		uint64_t right = ms_load_u64(word);

		for (size_t lie = 0; lie < MS_ARRAY_SIZE(lies); lie++) {
			const struct ms_functions *f = NULL;

			memcpy(word, &lies[lie], 8);
			CHECK_ERR(ms_go_functions(&fake->rt, &f), MS_ERR_BAD_DATA);
			CHECK(!f);
		}
		memcpy(word, &right, 8);
	}
	fake->rt.pclntab.functions = 1 << 20;
	CHECK_ERR(ms_go_functions(&fake->rt, &(const struct ms_functions *){ NULL }),
		  MS_ERR_BAD_DATA);
	fake_functions_destroy(fake);
}

MS_TEST(each_fault_while_the_functions_are_loaded_comes_back)
{
	struct fake_functions *fake = make(MS_ARCH_AMD64);
	uint64_t n = 0;

	for (; n < 64; n++) {
		const struct ms_functions *f = NULL;
		struct ms_error *err;

		fake->fake.reads = 0;
		fake_target_fail_read(&fake->fake, n);
		err = ms_go_functions(&fake->rt, &f);
		if (!err)
			break;
		CHECK_ERR(err, MS_ERR_FAULT);
		CHECK(!f && !fake->rt.functions);
	}
	CHECK_EQ(n, 6); // Five slices and the address of the data of functions.
	fake_functions_destroy(fake);
}

MS_TEST(names_are_printed_as_go_prints_them)
{
	static const char *const pairs[][2] = {
		{ "main.main", "main.main" },
		{ "main.F[go.shape.int]", "main.F[...]" },
		{ "main.F[go.shape.[]int].func1", "main.F[...].func1" },
		{ "main.(*T[int]).M[string]", "main.(*T[...]).M[...]" },
		{ "main.odd[", "main.odd[" },
		{ "main.F[...]", "main.F[...]" },
	};
	char buf[64];

	for (size_t i = 0; i < MS_ARRAY_SIZE(pairs); i++) {
		CHECK_EQ(ms_function_name_print(pairs[i][0], buf, sizeof(buf)),
			 strlen(pairs[i][1]));
		CHECK_STR(buf, pairs[i][1]);
	}
	CHECK_EQ(ms_function_name_print("main.F[int].func1", buf, 8), 17);
	CHECK_STR(buf, "main.F[");
}

MS_TEST(the_runtime_s_functions_are_told_from_the_program_s)
{
	static const char *const runtime[] = { "runtime.main",
					       "internal/runtime/maps.(*Map).PutSlot",
					       "runtime/internal/sys.x",
					       "reflect.mapassign0",
					       "reflect.Value.SetMapIndex",
					       "memeqbody",
					       "type:.eq.main.T" };
	static const char *const program[] = { "main.main", "runtime/pprof.Do", "reflect.Copy",
					       "main.T.runtime.x", "runtimex.F" };

	for (size_t i = 0; i < MS_ARRAY_SIZE(runtime); i++) {
		printf("%s\n", runtime[i]);
		CHECK(ms_function_name_is_runtime(runtime[i]));
	}
	for (size_t i = 0; i < MS_ARRAY_SIZE(program); i++) {
		printf("%s\n", program[i]);
		CHECK(!ms_function_name_is_runtime(program[i]));
	}
}

MS_TEST(each_wrong_fact_of_a_function_s_record_is_refused)
{
	struct fake_functions *fake = make(MS_ARCH_AMD64);
	const struct ms_go_layout *right = fake->rt.layout;
	struct ms_go_layout row = *right;
	uint32_t *const facts[] = { &row.func_size,     &row.func_entry,  &row.func_name,
				    &row.func_pcsp,     &row.func_pcfile, &row.func_pcln,
				    &row.func_npcdata,  &row.func_unit,   &row.func_id,
				    &row.func_nfuncdata };

	fake->rt.layout = &row;
	for (size_t i = 0; i < 2 * MS_ARRAY_SIZE(facts); i++) {
		uint32_t value = *facts[i / 2];
		const struct ms_functions *f;
		struct ms_error *err;

		if (i % 2 && value < 8)
			continue;
		*facts[i / 2] = i % 2 ? value - 8 : value + 8;
		err = ms_go_functions(&fake->rt, &f);
		printf("fact %zu as %u\n", i / 2, *facts[i / 2]);
		CHECK(err != NULL);
		ms_error_free(err);
		*facts[i / 2] = value;
	}
	fake->rt.layout = right;
	fake_functions_destroy(fake);
}
