// Goal: where a function's arguments are at each instruction; above all, that what lies in a slot
// is no argument before every way there has stored it.
// Method: a function written by hand, as the compiler makes them, over a made function table.
#include "golang/argument_places.h"

#include "tests/support/fake_functions.h"
#include "tests/support/test.h"

enum { RAX = 1 << 0, RBX = 1 << 3, RDI = 1 << 7, CODE_BYTES = 96 };

// Offsets of the code below.
enum {
	ENTRY = 0,
	CHECK_NIL = 16,
	STORE_FIRST = 21,
	STORE_SECOND = 26,
	COPY = 31,
	CALL = 34,
	BEHIND_CALL = 39,
	OVERWRITE = 44,
	BEHIND_OVERWRITE = 53,
	IS_NIL = 56,
	GROW_STACK = 64,
};

// The frame is 32 bytes behind the prologue: slots are at rsp + 0x28, 0x30.
// clang-format off
static const uint8_t code_bytes[CODE_BYTES] = {
	0x49, 0x3b, 0x66, 0x10, // cmp rsp, [r14 + 16]
	0x0f, 0x86, 54, 0, 0, 0, // jbe GROW_STACK
	0x90, 0x90, 0x90, 0x90, 0x90, 0x90,
	0x48, 0x85, 0xdb, // CHECK_NIL: test rbx, rbx
	0x74, 35, // je IS_NIL
	0x48, 0x89, 0x44, 0x24, 0x28, // STORE_FIRST: mov [rsp + 0x28], rax
	0x48, 0x89, 0x5c, 0x24, 0x30, // STORE_SECOND: mov [rsp + 0x30], rbx
	0x48, 0x89, 0xdf, // COPY: mov rdi, rbx
	0xe8, 0, 1, 0, 0, // CALL
	0x48, 0x8b, 0x44, 0x24, 0x28, // BEHIND_CALL: mov rax, [rsp + 0x28]
	0x48, 0xc7, 0x44, 0x24, 0x28, 0, 0, 0, 0, // OVERWRITE: mov qword [rsp + 0x28], 0
	0xc3, // BEHIND_OVERWRITE: ret
	0x90, 0x90,
	0xc3, // IS_NIL: ret
	0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90,
	0x48, 0x89, 0x44, 0x24, 0x28, // GROW_STACK: mov [rsp + 0x28], rax
	0x48, 0x89, 0x5c, 0x24, 0x30, // mov [rsp + 0x30], rbx
	0xe8, 0, 1, 0, 0, // call
	0x48, 0x8b, 0x44, 0x24, 0x28, // mov rax, [rsp + 0x28]
	0x48, 0x8b, 0x5c, 0x24, 0x30, // mov rbx, [rsp + 0x30]
	0xeb, (uint8_t)-91, // jmp ENTRY
};
// clang-format on

static const struct fake_function list[] = {
	{ .name = "runtime.mapassign_fast64", .bytes = CODE_BYTES, .frame_bytes = 32, .line = 10 },
};

struct followed {
	struct fake_functions *fake;
	struct ms_code *code;
	struct ms_argument_places *places;
};

/** Follow the code with @p size bytes changed. */
static struct followed follow(size_t at, const uint8_t *bytes, size_t size)
{
	struct followed f = { .fake = fake_functions_create(list, 1, MS_ARCH_AMD64) };
	const struct ms_functions *functions;
	size_t offset = f.fake->exe_bytes;

	CHECK(offset + CODE_BYTES <= sizeof(f.fake->exe));
	memcpy(f.fake->exe + offset, code_bytes, CODE_BYTES);
	memcpy(f.fake->exe + offset + at, bytes, size);
	f.fake->exe_bytes += CODE_BYTES;
	f.fake->rt.elf.segments[f.fake->rt.elf.segment_count++] =
	    (struct ms_elf_segment){ .vaddr = FAKE_TEXT,
				     .offset = offset,
				     .mem_bytes = CODE_BYTES,
				     .file_bytes = CODE_BYTES };
	fake_functions_commit(f.fake);
	CHECK_OK(ms_go_functions(&f.fake->rt, &functions));
	CHECK_OK(ms_code_open(MS_ARCH_AMD64, &f.code));
	CHECK_OK(ms_argument_places_create(functions, &functions->items[0], f.code, &f.places));
	return f;
}

static void drop(struct followed *f)
{
	ms_argument_places_destroy(f->places);
	ms_code_close(f->code);
	fake_functions_destroy(f->fake);
}

static void check_at(const struct followed *f, size_t offset, unsigned argument, uint32_t registers,
		     bool in_slot)
{
	struct ms_argument_place place = ms_argument_place(f->places, FAKE_TEXT + offset, argument);

	CHECK_EQ(place.registers, registers);
	CHECK_EQ(place.in_slot, in_slot);
}

MS_TEST(an_argument_is_in_its_slot_where_every_way_has_stored_it)
{
	struct followed f = follow(ENTRY, code_bytes, 1);

	CHECK(f.places != NULL);
	check_at(&f, ENTRY, 0, RAX, false); // Also though a loop leads back to it.
	check_at(&f, ENTRY, 1, RBX, false);
	check_at(&f, CHECK_NIL, 1, RBX, false);
	check_at(&f, STORE_SECOND, 0, RAX, true);
	check_at(&f, STORE_SECOND, 1, RBX, false);
	check_at(&f, COPY, 1, RBX, true);
	check_at(&f, CALL, 1, RBX | RDI, true);
	check_at(&f, CALL + 4, 1, RBX | RDI, true); // In the middle of the instruction.
	check_at(&f, BEHIND_CALL, 1, 0, true);
	check_at(&f, BEHIND_CALL + 5, 0, RAX, true);
	check_at(&f, BEHIND_OVERWRITE, 0, RAX, false);
	check_at(&f, IS_NIL, 0, RAX, false); // Lower ways have stored it, this one has not.
	check_at(&f, IS_NIL, 1, RBX, false);
	check_at(&f, GROW_STACK + 10, 1, RBX, true);
	drop(&f);
}

MS_TEST(code_that_no_way_leads_to_tells_nothing)
{
	struct followed f = follow(ENTRY, code_bytes, 1);

	check_at(&f, BEHIND_OVERWRITE + 1, 0, 0, false);
	CHECK_EQ(ms_argument_place(f.places, FAKE_TEXT - 1, 0).registers, 0);
	drop(&f);
}

MS_TEST(a_jump_to_a_computed_place_makes_everything_unknown)
{
	static const uint8_t jump[] = { 0xff, 0xe0, 0x90 }; // jmp rax
	struct followed f = follow(COPY, jump, sizeof(jump));

	CHECK(!f.places);
	drop(&f);
}

MS_TEST(nothing_is_known_behind_what_is_no_instruction)
{
	static const uint8_t none[] = { 0x06, 0x06, 0x06 };
	struct followed f = follow(COPY, none, sizeof(none));

	CHECK(f.places != NULL);
	check_at(&f, COPY, 1, RBX, true);
	check_at(&f, CALL, 1, 0, false);
	check_at(&f, IS_NIL, 1, RBX, false);
	drop(&f);
}
