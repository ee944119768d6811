// Goal: the variables of a symbol table are found by any address inside them, and no damaged table
// makes the reader crash, or name what is not there.
// Method: an executable made by hand (tests/fuzz/seed.h), whole; then with each part of it wrong.
#include "image/symbols.h"

#include "tests/fuzz/seed.h"
#include "tests/support/fake_target.h"
#include "tests/support/test.h"

#include <elf.h>
#include <stdlib.h>

enum { TABLE = 2, NAMES = 3, COUNT = 9 }; // Sections, and symbols.

static const char names[] = "\0main.orders\0main.main\0go:buildid\0main..stmp_1\0type:int\0"
			    "runtime.mheap_\0main.empty\0main.whole\0main.part";

struct program {
	struct fake_target fake;
	struct seed exe;
	struct ms_symbols symbols;
};

static uint32_t name_at(const char *name)
{
	const char *at = memmem(names, sizeof(names), name, strlen(name) + 1);

	CHECK(at != NULL);
	return (uint32_t)(at - names);
}

static Elf64_Sym symbol(const char *name, unsigned type, uint64_t vaddr, uint64_t size)
{
	return (Elf64_Sym){ .st_name = name_at(name),
			    .st_info = ELF64_ST_INFO(STB_LOCAL, type),
			    .st_shndx = 1,
			    .st_value = vaddr,
			    .st_size = size };
}

static struct program *program_create(void)
{
	const Elf64_Sym table[COUNT] = { { 0 },
					 symbol("runtime.mheap_", STT_OBJECT, 0x610000, 0x10000),
					 symbol("main.orders", STT_OBJECT, 0x600010, 8),
					 symbol("main.main", STT_FUNC, 0x401000, 64),
					 symbol("go:buildid", STT_OBJECT, 0x402000, 64),
					 symbol("main..stmp_1", STT_OBJECT, 0x403000, 64),
					 symbol("main.empty", STT_OBJECT, 0x600020, 0),
					 symbol("main.whole", STT_OBJECT, 0x600100, 64),
					 symbol("main.part", STT_OBJECT, 0x600100, 8) };
	const struct seed_section sections[] = {
		{ ".data", 0x600000, "12345678", 8, SHT_PROGBITS, PF_R | PF_W },
		{ ".symtab", 0, table, sizeof(table), SHT_SYMTAB, 0 },
		{ ".strtab", 0, names, sizeof(names), SHT_STRTAB, 0 },
	};
	struct program *p = calloc(1, sizeof(*p));

	CHECK(p != NULL);
	fake_target_init(&p->fake);
	seed_elf(&p->exe, EM_X86_64, ET_EXEC, sections, MS_ARRAY_SIZE(sections));
	return p;
}

/** Where the header of a section stands in the file. */
static size_t header_at(const struct program *p, unsigned index)
{
	Elf64_Ehdr header;

	memcpy(&header, p->exe.bytes, sizeof(header));
	return (size_t)(header.e_shoff + index * sizeof(Elf64_Shdr));
}

static void section_set(struct program *p, unsigned index, size_t field, uint64_t value,
			size_t size)
{
	seed_number_at(&p->exe, header_at(p, index) + field, value, size);
}

static void table_link(struct program *p)
{
	section_set(p, TABLE, offsetof(Elf64_Shdr, sh_link), NAMES, 4);
	section_set(p, TABLE, offsetof(Elf64_Shdr, sh_entsize), sizeof(Elf64_Sym), 8);
}

static void load(struct program *p)
{
	ms_symbols_deinit(&p->symbols);
	fake_target_exe(&p->fake, p->exe.bytes, p->exe.size);
	CHECK_OK(ms_symbols_load(&p->fake.target, &p->symbols));
	for (size_t i = 0; i < p->symbols.count; i++) {
		const struct ms_symbol *s = &p->symbols.items[i];

		CHECK(strlen(s->name) < sizeof(names));
		CHECK(s->bytes && (!i || s[-1].vaddr <= s->vaddr));
	}
}

static void program_destroy(struct program *p)
{
	ms_symbols_deinit(&p->symbols);
	fake_target_deinit(&p->fake);
	free(p);
}

static void check_name(const struct program *p, uint64_t vaddr, const char *want)
{
	const struct ms_symbol *s = ms_symbols_find(&p->symbols, vaddr);

	CHECK_EQ(s == NULL, want == NULL);
	if (want)
		CHECK_STR(s->name, want);
}

MS_TEST(symbols_are_found_by_any_address_inside)
{
	struct program *p = program_create();

	table_link(p);
	load(p);
	CHECK_EQ(p->symbols.count, 4);
	check_name(p, 0x600010, "main.orders");
	check_name(p, 0x600017, "main.orders");
	check_name(p, 0x600018, NULL);
	check_name(p, 0x60000f, NULL);
	check_name(p, 0x61ffff, "runtime.mheap_");
	check_name(p, 0x620000, NULL);
	check_name(p, 0x600020, NULL); // Of no size.
	check_name(p, 0, NULL);
	check_name(p, UINT64_MAX, NULL);
	program_destroy(p);
}

MS_TEST(symbols_of_code_and_of_the_compiler_are_left_out)
{
	struct program *p = program_create();

	table_link(p);
	load(p);
	check_name(p, 0x401000, NULL);
	check_name(p, 0x402000, NULL);
	check_name(p, 0x403000, NULL);
	program_destroy(p);
}

MS_TEST(symbols_at_one_place_do_not_hide_the_larger_one)
{
	struct program *p = program_create();

	table_link(p);
	load(p);
	check_name(p, 0x600120, "main.whole");
	program_destroy(p);
}

MS_TEST(symbols_of_a_stripped_executable_are_none)
{
	struct program *p = program_create();

	section_set(p, TABLE, offsetof(Elf64_Shdr, sh_type), SHT_PROGBITS, 4);
	load(p);
	CHECK_EQ(p->symbols.count, 0);
	check_name(p, 0x600010, NULL);
	fake_target_exe(&p->fake, "", 0);
	CHECK_OK(ms_symbols_load(&p->fake.target, &p->symbols));
	CHECK_EQ(p->symbols.count, 0);
	fake_target_exe(&p->fake, "#!/bin/sh\n", 10);
	CHECK_OK(ms_symbols_load(&p->fake.target, &p->symbols));
	CHECK_EQ(p->symbols.count, 0);
	program_destroy(p);
}

MS_TEST(symbols_of_a_damaged_table_are_none)
{
	static const struct {
		unsigned section;
		size_t field;
		uint64_t value;
		size_t size;
	} damages[] = {
		{ TABLE, offsetof(Elf64_Shdr, sh_link), 1000, 4 },
		{ TABLE, offsetof(Elf64_Shdr, sh_link), 0, 4 },
		{ TABLE, offsetof(Elf64_Shdr, sh_entsize), 0, 8 },
		{ TABLE, offsetof(Elf64_Shdr, sh_entsize), 1, 8 },
		{ TABLE, offsetof(Elf64_Shdr, sh_size), UINT64_MAX, 8 },
		{ TABLE, offsetof(Elf64_Shdr, sh_size), 0, 8 },
		{ TABLE, offsetof(Elf64_Shdr, sh_offset), UINT64_MAX, 8 },
		{ TABLE, offsetof(Elf64_Shdr, sh_offset), 1 << 30, 8 },
		{ NAMES, offsetof(Elf64_Shdr, sh_size), UINT64_MAX, 8 },
		{ NAMES, offsetof(Elf64_Shdr, sh_size), 0, 8 },
		{ NAMES, offsetof(Elf64_Shdr, sh_offset), 1 << 30, 8 },
		{ NAMES, offsetof(Elf64_Shdr, sh_type), SHT_NOBITS, 4 },
	};

	for (size_t i = 0; i < MS_ARRAY_SIZE(damages); i++) {
		struct program *p = program_create();

		table_link(p);
		section_set(p, damages[i].section, damages[i].field, damages[i].value,
			    damages[i].size);
		load(p);
		CHECK_EQ(p->symbols.count, 0);
		program_destroy(p);
	}
}

MS_TEST(symbols_whose_names_lie_outside_are_left_out)
{
	struct program *p = program_create();

	table_link(p);
	section_set(p, NAMES, offsetof(Elf64_Shdr, sh_size), name_at("runtime.mheap_") + 3, 8);
	load(p);
	check_name(p, 0x600010, "main.orders");
	check_name(p, 0x610000, "run"); // Cut where the names end.
	check_name(p, 0x600100, NULL);
	program_destroy(p);
}

MS_TEST(symbols_of_noise_are_bounded)
{
	struct program *p = program_create();
	struct seed whole;

	table_link(p);
	whole = p->exe;
	for (unsigned round = 0; round < 2000; round++) {
		p->exe = whole;
		for (unsigned i = 0; i < 3; i++)
			p->exe.bytes[ms_test_random() % p->exe.size] = (uint8_t)ms_test_random();
		load(p);
		CHECK(p->symbols.count < 64);
	}
	for (size_t size = 0; size < whole.size; size++) {
		p->exe = whole;
		p->exe.size = size;
		load(p);
	}
	program_destroy(p);
}
