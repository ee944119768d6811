// Goal: package-level variables are found as DWARF describes them, in both of its versions, and no
// file makes the reader crash, run on, or find what cannot be.
// Method: an executable made by hand (tests/fuzz/seed_globals.c) whose variables have every shape;
// then the same cut short at every byte, and with noise in it.
#include "golang/globals.h"

#include "base/cleanup.h"
#include "tests/fuzz/seed.h"
#include "tests/support/fake_target.h"
#include "tests/support/test.h"

#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>

enum { BIAS = 0x1000000, TYPES = 0x500000, PAGE = 4096 };

/** A runtime with as much in it as the variables need. */
struct program {
	struct fake_target fake;
	struct ms_go_runtime *rt;
	struct seed exe;
};

static void program_open(struct program *p)
{
	fake_target_init(&p->fake);
	fake_target_exe(&p->fake, p->exe.bytes, p->exe.size);
	p->rt = calloc(1, sizeof(*p->rt));
	CHECK(p->rt);
	p->rt->target = &p->fake.target;
	CHECK_OK(ms_elf_open(&p->fake.target, &p->rt->elf));
	p->rt->elf.bias = BIAS;
	p->rt->module_count = 1;
	p->rt->modules[0].types = TYPES;
}

static void program_close(struct program *p)
{
	ms_go_close(p->rt);
	fake_target_deinit(&p->fake);
	*p = (struct program){ 0 };
}

static struct program *program_create(unsigned version)
{
	struct program *p = calloc(1, sizeof(*p));

	CHECK(p);
	seed_globals(&p->exe, version);
	return p;
}

struct expected {
	const char *owner;
	ms_addr address; // Behind a pointer: counted from where that points to.
	ms_addr pointer;
};

static const struct expected found_first[] = {
	{ "gopkg.in/yaml.v3.cache", BIAS + 0x606000, 0 },
	{ "main.large[0]", BIAS + 0x610000, 0 },
	{ "main.large[1000]", BIAS + 0x610000 + 8000, 0 },
	{ "main.large[4095]", BIAS + 0x610000 + 4095 * 8, 0 },
	{ "main.list.m", BIAS + 0x601000, 0 },
	{ "main.loop.m", BIAS + 0x608008, 0 },
	{ "main.orders", BIAS + 0x602000, 0 },
	{ "main.reg.byConn", BIAS + 0x603008, 0 },
	{ "main.shards[0].byConn", BIAS + 0x604008, 0 },
	{ "main.shards[1].byConn", BIAS + 0x604018, 0 },
	{ "main.shards[2].byConn", BIAS + 0x604028, 0 },
	{ "*main.p", 0, BIAS + 0x605008 },
	{ "main.list.next.m", 0, BIAS + 0x601008 },
	{ "main.server.byConn", 8, BIAS + 0x605000 },
};

static const struct ms_go_slot *slot_find(const struct ms_go_globals *g, const char *owner)
{
	for (size_t i = 0; i < g->slots.count; i++) {
		if (!strcmp(g->slots.items[i].owner, owner))
			return &g->slots.items[i];
	}
	ms_test_fail(__FILE__, __LINE__, "there is no %s", owner);
}

static void check_found(const struct ms_go_globals *g)
{
	size_t elements = 4096, listed = MS_ARRAY_SIZE(found_first);
	const struct ms_go_slot *before = NULL;

	for (size_t i = 0; i < listed; i++) {
		const struct expected *want = &found_first[i];
		const struct ms_go_slot *slot = slot_find(g, want->owner);

		CHECK_EQ(slot->address, want->address);
		CHECK_EQ(slot->key, TYPES + SEED_GLOBALS_KEY);
		CHECK_EQ(slot->elem, TYPES + SEED_GLOBALS_ELEM);
		if (want->pointer)
			CHECK_EQ(g->pointers.items[slot->pointer], want->pointer);
		else
			CHECK_EQ(slot->pointer, MS_GO_NO_POINTER);
		CHECK(!before || before < slot); // The order in which they name a map.
		before = slot;
	}
	CHECK_EQ(g->slots.count, listed - 3 + elements); // Three of the elements are listed.
	CHECK_EQ(g->pointers.count, 3);
}

static void finds_all(unsigned version)
{
	struct program *p = program_create(version);
	const struct ms_go_globals *g, *again;

	program_open(p);
	CHECK_OK(ms_go_globals_load(p->rt, &g));
	check_found(g);
	CHECK(!g->refused);
	CHECK_EQ(g->left_out, 1); // The array of 5000 elements.
	CHECK_OK(ms_go_globals_load(p->rt, &again));
	CHECK(g == again);
	program_close(p);
	free(p);
}

MS_TEST(globals_are_found_in_dwarf_4)
{
	finds_all(4);
}

MS_TEST(globals_are_found_in_dwarf_5_by_indexed_addresses)
{
	finds_all(5);
}

static const struct ms_go_typed places[] = {
	{ BIAS + 0x601000, TYPES + SEED_GLOBALS_KEY, TYPES + SEED_GLOBALS_ELEM, MS_GO_TYPED_MAP,
	  "main.list", ".m" },
	{ BIAS + 0x602000, TYPES + SEED_GLOBALS_KEY, TYPES + SEED_GLOBALS_ELEM, MS_GO_TYPED_MAP,
	  "main.orders", "" },
	{ BIAS + 0x603008, TYPES + SEED_GLOBALS_KEY, TYPES + SEED_GLOBALS_ELEM, MS_GO_TYPED_MAP,
	  "main.reg", ".byConn" },
	{ BIAS + 0x604008, TYPES + SEED_GLOBALS_KEY, TYPES + SEED_GLOBALS_ELEM, MS_GO_TYPED_MAP,
	  "main.shards", "[].byConn" },
	{ BIAS + 0x604018, TYPES + SEED_GLOBALS_KEY, TYPES + SEED_GLOBALS_ELEM, MS_GO_TYPED_MAP,
	  "main.shards", "[].byConn" },
	{ BIAS + 0x604028, TYPES + SEED_GLOBALS_KEY, TYPES + SEED_GLOBALS_ELEM, MS_GO_TYPED_MAP,
	  "main.shards", "[].byConn" },
	{ BIAS + 0x606000, TYPES + SEED_GLOBALS_KEY, TYPES + SEED_GLOBALS_ELEM, MS_GO_TYPED_MAP,
	  "gopkg.in/yaml.v3.cache", "" },
	{ BIAS + 0x607108, TYPES + SEED_GLOBALS_ELEM, 0, MS_GO_TYPED_VALUE, "main.text", "" },
};

static void finds_places(unsigned version)
{
	struct program *p = program_create(version);
	const struct ms_go_globals *g;

	program_open(p);
	CHECK_OK(ms_go_globals_load(p->rt, &g));
	CHECK(g->typed.count >= MS_ARRAY_SIZE(places));
	for (size_t i = 0; i < MS_ARRAY_SIZE(places); i++) {
		const struct ms_go_typed *got = &g->typed.items[i];

		CHECK_STR(got->variable, places[i].variable);
		CHECK_STR(got->path, places[i].path);
		CHECK_EQ(got->address, places[i].address);
		CHECK_EQ(got->type, places[i].type);
		CHECK_EQ(got->elem, places[i].elem);
		CHECK_EQ(got->shape, places[i].shape);
	}
	// Behind them is what the odd shapes hold: of the large array its first elements.
	CHECK(g->typed.count < 4096 + 64);
	program_close(p);
	free(p);
}

MS_TEST(globals_tell_where_typed_places_are)
{
	finds_places(4);
	finds_places(5);
}

MS_TEST(globals_of_a_tower_of_structs_are_cut)
{
	struct program *p = program_create(4 | SEED_GLOBALS_TOWER);
	const struct ms_go_globals *g;

	program_open(p);
	CHECK_OK(ms_go_globals_load(p->rt, &g));
	check_found(g);
	CHECK_EQ(g->left_out, 2); // The large array and the tower.
	CHECK(g->parts < 1 << 19);
	program_close(p);
	free(p);
}

/** Where a section lies in an executable made by seed_elf. */
static Elf64_Shdr section_find(const struct seed *exe, unsigned index)
{
	Elf64_Ehdr header;
	Elf64_Shdr section;

	memcpy(&header, exe->bytes, sizeof(header));
	memcpy(&section, exe->bytes + header.e_shoff + index * sizeof(section), sizeof(section));
	return section;
}

enum { SECTION_ABBREV = 2, SECTION_INFO = 3 };

MS_TEST(globals_of_a_stripped_executable_are_none)
{
	const struct seed_section code = {
		".text", 0x400000, "\xc3", 1, SHT_PROGBITS, PF_R | PF_X
	};
	struct program *p = calloc(1, sizeof(*p));
	const struct ms_go_globals *g;

	CHECK(p);
	seed_elf(&p->exe, EM_X86_64, ET_EXEC, &code, 1);
	program_open(p);
	CHECK_OK(ms_go_globals_load(p->rt, &g));
	CHECK_EQ(g->slots.count, 0);
	CHECK(!g->refused);
	program_close(p);
	free(p);
}

MS_TEST(globals_not_in_a_recording_are_none)
{
	struct program *p = calloc(1, sizeof(*p));
	const struct ms_go_globals *g;

	CHECK(p);
	MS_AUTO_FREE uint8_t *info = calloc(4, PAGE);
	const struct seed_section sections[] = {
		{ ".text", 0x400000, "\xc3", 1, SHT_PROGBITS, PF_R | PF_X },
		{ ".debug_abbrev", 0, "", 1, SHT_PROGBITS, 0 },
		{ ".debug_info", 0, info, 4 * PAGE, SHT_PROGBITS, 0 },
	};
	seed_elf(&p->exe, EM_X86_64, ET_EXEC, sections, MS_ARRAY_SIZE(sections));
	program_open(p);
	CHECK_EQ(
	    fallocate(p->fake.exe_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, PAGE, 2 * PAGE),
	    0);
	CHECK(p->rt->elf.has_dwarf);
	CHECK_OK(ms_go_globals_load(p->rt, &g));
	CHECK_EQ(g->slots.count, 0);
	CHECK(!g->refused);
	program_close(p);
	free(p);
}

/** Read what may be damaged; what is found has to be bounded and to have a name. */
static const struct ms_go_globals *read_any(struct program *p)
{
	const struct ms_go_globals *g;

	program_open(p);
	CHECK_OK(ms_go_globals_load(p->rt, &g));
	CHECK(g->slots.count <= 1 << 17);
	for (size_t i = 0; i < g->slots.count; i++) {
		const struct ms_go_slot *slot = &g->slots.items[i];

		CHECK(strlen(slot->owner) < 1100);
		CHECK(slot->pointer == MS_GO_NO_POINTER || slot->pointer < g->pointers.count);
	}
	return g;
}

/** Whether all that @p part found is found in @p whole, too, at the same place. */
static void check_part(const struct ms_go_globals *part, const struct ms_go_globals *whole)
{
	size_t at = 0;

	for (size_t i = 0; i < part->slots.count; i++) {
		const struct ms_go_slot *slot = &part->slots.items[i];

		while (at < whole->slots.count && strcmp(whole->slots.items[at].owner, slot->owner))
			at++;
		CHECK(at < whole->slots.count);
		CHECK_EQ(slot->address, whole->slots.items[at].address);
		CHECK_EQ(slot->key, whole->slots.items[at].key);
	}
}

static void cut_short(unsigned version, unsigned index)
{
	struct program *p = program_create(version), *cut = calloc(1, sizeof(*cut));
	Elf64_Shdr section = section_find(&p->exe, index);
	const struct ms_go_globals *whole = read_any(p);
	size_t told = 0;
	Elf64_Ehdr header;

	CHECK(cut);
	memcpy(&header, p->exe.bytes, sizeof(header));
	for (uint64_t size = 0; size < section.sh_size; size++) {
		const struct ms_go_globals *part;

		cut->exe = p->exe;
		seed_number_at(&cut->exe,
			       header.e_shoff + index * sizeof(section) +
				   offsetof(Elf64_Shdr, sh_size),
			       size, 8);
		part = read_any(cut);
		check_part(part, whole);
		told += part->refused;
		program_close(cut);
	}
	CHECK(told > section.sh_size / 2); // A cut between two entries looks like an end.
	program_close(p);
	free(cut);
	free(p);
}

MS_TEST(globals_of_units_cut_short_are_those_before_the_cut)
{
	cut_short(4, SECTION_INFO);
	cut_short(5, SECTION_INFO);
}

MS_TEST(globals_survive_noise)
{
	struct program *p = program_create(4 + (unsigned)(ms_test_random() % 2));
	struct program *noisy = calloc(1, sizeof(*noisy));
	Elf64_Shdr abbrev = section_find(&p->exe, SECTION_ABBREV);
	Elf64_Shdr info = section_find(&p->exe, SECTION_INFO);

	CHECK(noisy);
	for (unsigned round = 0; round < 400; round++) {
		noisy->exe = p->exe;
		for (unsigned i = 0; i <= round % 8; i++) {
			const Elf64_Shdr *s = ms_test_random() % 4 ? &info : &abbrev;

			noisy->exe.bytes[s->sh_offset + ms_test_random() % s->sh_size] =
			    (uint8_t)ms_test_random();
		}
		read_any(noisy);
		program_close(noisy);
	}
	free(noisy);
	free(p);
}

MS_TEST(globals_that_unpack_to_too_much_are_told)
{
	struct program *p = program_create(4);
	Elf64_Shdr info = section_find(&p->exe, SECTION_INFO);
	const Elf64_Chdr packed = { .ch_type = ELFCOMPRESS_ZLIB,
				    .ch_size = (uint64_t)1 << 40,
				    .ch_addralign = 1 };
	Elf64_Ehdr header;

	memcpy(&header, p->exe.bytes, sizeof(header));
	memcpy(p->exe.bytes + info.sh_offset, &packed, sizeof(packed));
	seed_number_at(
	    &p->exe, header.e_shoff + SECTION_INFO * sizeof(info) + offsetof(Elf64_Shdr, sh_flags),
	    SHF_COMPRESSED, 8);
	CHECK(read_any(p)->refused);
	program_close(p);
	free(p);
}
