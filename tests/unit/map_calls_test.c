// Goal: where the map of a call comes from is said only where the code in front of it says it: a
// variable, a field, a sync.Map inside of something; not what was loaded before another call.
// Method: small functions put together from machine code by hand, for amd64.
#include "golang/map_calls.h"

#include "golang/struct_types.h"
#include "tests/support/fake_functions.h"
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

struct code {
	struct fake_functions *fake;
	const struct ms_functions *functions;
	uint8_t text[32 + CODE_BYTES];
	size_t used; // Of main.it.
};

static struct code *code_create(void)
{
	struct code *c = calloc(1, sizeof(*c));

	CHECK(c != NULL);
	c->fake = fake_functions_create(list, COUNT, MS_ARCH_AMD64);
	memset(c->text, 0xcc, sizeof(c->text));
	CHECK_OK(ms_go_functions(&c->fake->rt, &c->functions));
	return c;
}

static void code_destroy(struct code *c)
{
	fake_functions_destroy(c->fake);
	free(c);
}

static void put(struct code *c, const void *bytes, size_t size)
{
	CHECK(c->used + size <= CODE_BYTES);
	memcpy(c->text + 32 + c->used, bytes, size);
	c->used += size;
}

/** A call; its return address. */
static ms_addr call(struct code *c)
{
	int32_t distance = (int32_t)(-(int64_t)(32 + c->used + 5));
	uint8_t bytes[5] = { 0xe8 };

	memcpy(bytes + 1, &distance, sizeof(distance));
	put(c, bytes, sizeof(bytes));
	return FAKE_TEXT + 32 + c->used;
}

static struct ms_map_place place_at(struct code *c, ms_addr at, bool is_sync)
{
	struct ms_map_call of = { .at = at, .kind = MS_MAP_CALL_FILL, .is_sync = is_sync };
	struct fake_functions *f = c->fake;
	struct ms_map_place place;

	// The code stands in the file behind the table.
	CHECK(sizeof(f->exe) - f->exe_bytes >= sizeof(c->text));
	memcpy(f->exe + f->exe_bytes, c->text, sizeof(c->text));
	f->rt.elf.segments[1] =
	    (struct ms_elf_segment){ FAKE_TEXT, f->exe_bytes, sizeof(c->text), sizeof(c->text),
				     MS_PROT_READ | MS_PROT_EXEC };
	f->rt.elf.segment_count = 2;
	fake_target_exe(&f->fake, f->exe, f->exe_bytes + sizeof(c->text));
	CHECK_OK(ms_map_call_place(&f->rt, c->functions, &of, &place));
	return place;
}

static void check(struct code *c, bool is_sync, enum ms_map_place_kind kind, uint64_t value)
{
	struct ms_map_place place = place_at(c, call(c), is_sync);

	CHECK_EQ(place.kind, kind);
	if (kind != MS_MAP_PLACE_UNKNOWN)
		CHECK_EQ(place.value, value);
	code_destroy(c);
}

MS_TEST(a_map_is_loaded_from_a_field)
{
	struct code *c = code_create();

	put(c, (uint8_t[]){ 0x48, 0x8b, 0x59, 0x18 }, 4); // mov rbx, [rcx + 0x18]
	put(c, (uint8_t[]){ 0x31, 0xc9 }, 2);             // xor ecx, ecx
	check(c, false, MS_MAP_PLACE_FIELD, 0x18);
}

MS_TEST(a_map_is_loaded_from_a_variable)
{
	struct code *c = code_create();
	ms_addr next = FAKE_TEXT + 32 + 7;

	put(c, (uint8_t[]){ 0x48, 0x8b, 0x1d, 0x00, 0x10, 0, 0 }, 7); // mov rbx, [rip + 0x1000]
	check(c, false, MS_MAP_PLACE_GLOBAL, next + 0x1000);
}

MS_TEST(a_map_that_was_put_by_is_known_by_nothing)
{
	struct code *c = code_create();

	put(c, (uint8_t[]){ 0x48, 0x8b, 0x5c, 0x24, 0x20 }, 5); // mov rbx, [rsp + 0x20]
	check(c, false, MS_MAP_PLACE_UNKNOWN, 0);
}

MS_TEST(a_call_forgets_what_was_loaded)
{
	struct code *c = code_create();

	put(c, (uint8_t[]){ 0x48, 0x8b, 0x59, 0x18 }, 4);
	(void)call(c);
	check(c, false, MS_MAP_PLACE_UNKNOWN, 0);
}

MS_TEST(a_sync_map_is_inside_of_something)
{
	struct code *c = code_create();

	put(c, (uint8_t[]){ 0x48, 0x8b, 0x44, 0x24, 0x20 }, 5); // mov rax, [rsp + 0x20]
	put(c, (uint8_t[]){ 0x48, 0x83, 0xc0, 0x28 }, 4);       // add rax, 0x28
	check(c, true, MS_MAP_PLACE_FIELD, 0x28);
}

MS_TEST(a_sync_map_is_a_variable)
{
	struct code *c = code_create();
	ms_addr next = FAKE_TEXT + 32 + 7;

	put(c, (uint8_t[]){ 0x48, 0x8d, 0x05, 0x40, 0, 0, 0 }, 7); // lea rax, [rip + 0x40]
	check(c, true, MS_MAP_PLACE_GLOBAL, next + 0x40);
}

MS_TEST(code_that_is_none_says_nothing)
{
	struct code *c = code_create();

	put(c, (uint8_t[]){ 0x48, 0x8b, 0x59, 0x18, 0x06 }, 5); // 06 is no instruction.
	check(c, false, MS_MAP_PLACE_UNKNOWN, 0);
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
