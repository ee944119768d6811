// Goal: where the map of a call comes from is said only where the code in front of it says it: a
// variable, a field, a sync.Map inside of something; not what was loaded before another call.
// Method: small functions put together from machine code by hand, for amd64.
#include "golang/map_calls.h"

#include "golang/struct_types.h"
#include "tests/support/fake_code.h"
#include "tests/support/fake_types.h"
#include "tests/support/test.h"

#include <stdlib.h>

enum { CALLEE, IT, COUNT, CODE_BYTES = 128 };

static const struct fake_function list[COUNT] = {
	[CALLEE] = { .name = "runtime.mapassign_fast64",
		     .bytes = 32,
		     .frame_bytes = 16,
		     .line = 10 },
	[IT] = { .name = "main.it", .bytes = CODE_BYTES, .frame_bytes = 32, .line = 20 },
};

/** Where the map of a call of the callee at the end of the code comes from. */
static struct ms_map_place place_at_end(struct fake_code *c, bool is_sync)
{
	ms_addr at = fake_code_entry(c, IT) + fake_code_call(c, CALLEE) + 5;
	const struct ms_map_call call = { .at = at, .kind = MS_MAP_CALL_FILL, .is_sync = is_sync };
	struct ms_map_place place;
	struct ms_map_calls calls = { 0 };

	fake_code_file(c);
	CHECK_OK(ms_code_open(MS_ARCH_AMD64, &calls.code));
	CHECK_OK(ms_map_call_place(c->functions, &calls, &call, &place));
	ms_map_calls_deinit(&calls);
	return place;
}

MS_TEST(the_code_in_front_of_a_call_says_where_the_map_is)
{
	static const struct {
		uint8_t bytes[9];
		size_t size;
		bool is_sync;
		enum ms_map_place_kind kind;
		uint64_t value; // Of a variable: from the end of the first instruction.
	} cases[] = {
		// mov rbx, [rcx + 0x18]; xor ecx, ecx
		{ { 0x48, 0x8b, 0x59, 0x18, 0x31, 0xc9 }, 6, false, MS_MAP_PLACE_FIELD, 0x18 },
		// mov rbx, [rip + 0x1000]
		{ { 0x48, 0x8b, 0x1d, 0x00, 0x10, 0, 0 }, 7, false, MS_MAP_PLACE_GLOBAL, 0x1000 },
		// mov rbx, [rsp + 0x20]: it was put by, and is known by nothing.
		{ { 0x48, 0x8b, 0x5c, 0x24, 0x20 }, 5, false, MS_MAP_PLACE_UNKNOWN, 0 },
		// mov rax, [rsp + 0x20]; add rax, 0x28: a sync.Map inside of something.
		{ { 0x48, 0x8b, 0x44, 0x24, 0x20, 0x48, 0x83, 0xc0, 0x28 },
		  9,
		  true,
		  MS_MAP_PLACE_FIELD,
		  0x28 },
		// lea rax, [rip + 0x40]: one that is a variable.
		{ { 0x48, 0x8d, 0x05, 0x40, 0, 0, 0 }, 7, true, MS_MAP_PLACE_GLOBAL, 0x40 },
		// 06 is no instruction.
		{ { 0x48, 0x8b, 0x59, 0x18, 0x06 }, 5, false, MS_MAP_PLACE_UNKNOWN, 0 },
	};

	for (size_t i = 0; i < MS_ARRAY_SIZE(cases); i++) {
		struct fake_code *c = fake_code_create(list, COUNT, IT);
		ms_addr next = fake_code_entry(c, IT) + 7;
		struct ms_map_place place;

		fake_code_put(c, cases[i].bytes, cases[i].size);
		place = place_at_end(c, cases[i].is_sync);
		CHECK_EQ(place.kind, cases[i].kind);
		if (place.kind != MS_MAP_PLACE_UNKNOWN)
			CHECK_EQ(place.value,
				 cases[i].value + (place.kind == MS_MAP_PLACE_GLOBAL ? next : 0));
		fake_code_destroy(c);
	}
}

MS_TEST(a_call_forgets_what_was_loaded)
{
	struct fake_code *c = fake_code_create(list, COUNT, IT);

	fake_code_put(c, (uint8_t[]){ 0x48, 0x8b, 0x59, 0x18 }, 4);
	fake_code_call(c, CALLEE);
	CHECK_EQ(place_at_end(c, false).kind, MS_MAP_PLACE_UNKNOWN);
	fake_code_destroy(c);
}

MS_TEST(a_field_is_found_by_what_go_prints)
{
	struct fake_functions *fake = fake_functions_create(list, COUNT, MS_ARCH_AMD64);
	const struct ms_functions *functions;
	struct fake_types *types = calloc(1, sizeof(*types));
	const struct ms_types *loaded;
	uint64_t offset;

	CHECK(types != NULL);
	CHECK_OK(ms_go_functions(&fake->rt, &functions));
	fake_types_init(types, fake->rt.layout);
	{
		ms_addr word = fake_type_plain(types, FAKE_KIND_INT, "int", 8);
		const struct fake_field inner[] = { { "a", word, 0 }, { "b", word, 8 } };
		ms_addr in = fake_type_struct(types, "main.Inner", "main", inner, 2, 16);
		const struct fake_field outer[] = { { "x", word, 0 }, { "in", in, 8 } };

		fake_type_struct(types, "main.Outer", "main", outer, 2, 24);
		const struct fake_field one[] = { { "m", word, 0 } };
		const struct fake_field other[] = { { "n", word, 0 }, { "m", word, 8 } };

		fake_type_struct(types, "main.Twice", "main", one, 1, 8);
		fake_type_struct(types, "main.Twice", "main", other, 2, 16);
	}
	loaded = fake_types_load(types);
	CHECK(ms_struct_types_offset(loaded, fake->rt.layout, "main.Outer.in.b", 15, &offset));
	CHECK_EQ(offset, 16);
	CHECK(ms_struct_types_offset(loaded, fake->rt.layout, "main.Inner.a", 12, &offset));
	CHECK_EQ(offset, 0);
	CHECK(!ms_struct_types_offset(loaded, fake->rt.layout, "main.Outer.y", 12, &offset));
	CHECK(!ms_struct_types_offset(loaded, fake->rt.layout, "main.Outer", 10, &offset));
	CHECK(!ms_struct_types_offset(loaded, fake->rt.layout, "main.Twice.m", 12, &offset));
	fake_types_deinit(types);
	free(types);
	fake_functions_destroy(fake);
}
