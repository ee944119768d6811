// seed_globals.c - DWARF of package-level variables in every shape that holds a map, and in some
// that would make a careless reader run for ever.
//
// The types come first, then the variables; a second unit is C's and has one, too.  What a reader
// has to find stands in tests/unit/globals_test.c.
#include "tests/fuzz/seed.h"

#include <dwarf.h>
#include <elf.h>
#include <stdlib.h>

enum {
	ADDRESSES_MAX = 32,
	AT_GO_KIND = 0x2900,
	AT_GO_KEY = 0x2901,
	AT_GO_ELEM = 0x2902,
	AT_GO_RUNTIME_TYPE = 0x2904,
	KIND_UINT64 = 11,
	KIND_ARRAY = 17,
	KIND_CHAN = 18,
	KIND_MAP = 21,
	KIND_POINTER = 22,
	KIND_STRING = 24,
	KIND_STRUCT = 25,
	CODE_UNIT = 1,
	CODE_UNIT_5,
	CODE_NUMBER,
	CODE_MAP,
	CODE_NAMED,
	CODE_CHAN,
	CODE_STRUCT,
	CODE_MEMBER,
	CODE_POINTER,
	CODE_ARRAY,
	CODE_RANGE,
	CODE_VARIABLE,
};

struct writer {
	struct seed *info;
	unsigned version;
	uint64_t addresses[ADDRESSES_MAX]; // Of .debug_addr.
	size_t address_count;
	uint32_t map, reg; // Types.
};

static void uleb(struct seed *s, uint32_t number)
{
	for (; number >= 0x80; number >>= 7)
		seed_number(s, number | 0x80, 1);
	seed_number(s, number, 1);
}

static void abbreviations(struct seed *s)
{
	static const struct {
		uint8_t code, tag, children;
		uint16_t pairs[9];
	} all[] = {
		{ CODE_UNIT,
		  DW_TAG_compile_unit,
		  1,
		  { DW_AT_name, DW_FORM_string, DW_AT_language, DW_FORM_data1 } },
		{ CODE_UNIT_5,
		  DW_TAG_compile_unit,
		  1,
		  { DW_AT_name, DW_FORM_string, DW_AT_language, DW_FORM_data1, DW_AT_addr_base,
		    DW_FORM_sec_offset } },
		{ CODE_NUMBER,
		  DW_TAG_base_type,
		  0,
		  { AT_GO_KIND, DW_FORM_data1, AT_GO_RUNTIME_TYPE, DW_FORM_addr } },
		{ CODE_MAP,
		  DW_TAG_typedef,
		  0,
		  { AT_GO_KIND, DW_FORM_data1, AT_GO_KEY, DW_FORM_ref4, AT_GO_ELEM,
		    DW_FORM_ref4 } },
		{ CODE_NAMED, DW_TAG_typedef, 0, { DW_AT_type, DW_FORM_ref4 } },
		{ CODE_CHAN,
		  DW_TAG_typedef,
		  0,
		  { AT_GO_KIND, DW_FORM_data1, DW_AT_type, DW_FORM_ref4 } },
		{ CODE_STRUCT,
		  DW_TAG_structure_type,
		  1,
		  { AT_GO_KIND, DW_FORM_data1, DW_AT_byte_size, DW_FORM_data4, AT_GO_RUNTIME_TYPE,
		    DW_FORM_addr } },
		{ CODE_MEMBER,
		  DW_TAG_member,
		  0,
		  { DW_AT_name, DW_FORM_string, DW_AT_data_member_location, DW_FORM_data4,
		    DW_AT_type, DW_FORM_ref4 } },
		{ CODE_POINTER,
		  DW_TAG_pointer_type,
		  0,
		  { AT_GO_KIND, DW_FORM_data1, DW_AT_type, DW_FORM_ref4 } },
		{ CODE_ARRAY,
		  DW_TAG_array_type,
		  1,
		  { AT_GO_KIND, DW_FORM_data1, DW_AT_byte_size, DW_FORM_data4, DW_AT_type,
		    DW_FORM_ref4 } },
		{ CODE_RANGE, DW_TAG_subrange_type, 0, { DW_AT_count, DW_FORM_data4 } },
		{ CODE_VARIABLE,
		  DW_TAG_variable,
		  0,
		  { DW_AT_name, DW_FORM_string, DW_AT_location, DW_FORM_exprloc, DW_AT_type,
		    DW_FORM_ref_addr } },
	};

	for (size_t i = 0; i < MS_ARRAY_SIZE(all); i++) {
		seed_number(s, all[i].code, 1);
		seed_number(s, all[i].tag, 1);
		seed_number(s, all[i].children, 1);
		for (size_t p = 0; all[i].pairs[p]; p++)
			uleb(s, all[i].pairs[p]);
		seed_number(s, 0, 2);
	}
	seed_number(s, 0, 1);
}

/** Start an entry; where it is. */
static uint32_t entry(struct writer *w, unsigned code)
{
	uint32_t at = (uint32_t)w->info->size;

	seed_number(w->info, code, 1);
	return at;
}

static uint32_t type_put(struct writer *w, unsigned code, unsigned kind, uint32_t type)
{
	uint32_t at = entry(w, code);

	seed_number(w->info, kind, 1);
	seed_number(w->info, type, 4);
	return at;
}

static uint32_t number_put(struct writer *w, unsigned kind, uint64_t descriptor)
{
	uint32_t at = entry(w, CODE_NUMBER);

	seed_number(w->info, kind, 1);
	seed_number(w->info, descriptor, 8);
	return at;
}

static uint32_t named_put(struct writer *w, uint32_t type)
{
	uint32_t at = entry(w, CODE_NAMED);

	seed_number(w->info, type, 4);
	return at;
}

static uint32_t map_put(struct writer *w, uint32_t key, uint32_t elem)
{
	uint32_t at = type_put(w, CODE_MAP, KIND_MAP, key);

	seed_number(w->info, elem, 4);
	return at;
}

static uint32_t struct_start(struct writer *w, unsigned kind, uint32_t bytes, uint64_t descriptor)
{
	uint32_t at = type_put(w, CODE_STRUCT, kind, bytes);

	seed_number(w->info, descriptor, 8);
	return at;
}

static void member_put(struct writer *w, const char *name, uint32_t offset, uint32_t type)
{
	entry(w, CODE_MEMBER);
	seed_string(w->info, name);
	seed_number(w->info, offset, 4);
	seed_number(w->info, type, 4);
}

static void end_put(struct writer *w)
{
	seed_number(w->info, 0, 1);
}

static uint32_t array_put(struct writer *w, uint32_t bytes, uint32_t type, uint32_t count)
{
	uint32_t at = type_put(w, CODE_ARRAY, KIND_ARRAY, bytes);

	seed_number(w->info, type, 4);
	entry(w, CODE_RANGE);
	seed_number(w->info, count, 4);
	end_put(w);
	return at;
}

static void variable_put(struct writer *w, const char *name, uint64_t address, uint32_t type)
{
	entry(w, CODE_VARIABLE);
	seed_string(w->info, name);
	if (w->version < 5) {
		seed_number(w->info, 9, 1);
		seed_number(w->info, DW_OP_addr, 1);
		seed_number(w->info, address, 8);
	} else {
		seed_number(w->info, 2, 1);
		seed_number(w->info, DW_OP_addrx, 1);
		seed_number(w->info, w->address_count, 1);
		w->addresses[w->address_count++] = address;
	}
	seed_number(w->info, type, 4);
}

static uint32_t unit_start(struct writer *w, const char *name, unsigned language)
{
	uint32_t at = (uint32_t)w->info->size;

	seed_number(w->info, 0, 4); // The length, known at the end.
	seed_number(w->info, w->version, 2);
	if (w->version < 5) {
		seed_number(w->info, 0, 4);
		seed_number(w->info, 8, 1);
	} else {
		seed_number(w->info, DW_UT_compile, 1);
		seed_number(w->info, 8, 1);
		seed_number(w->info, 0, 4);
	}
	entry(w, w->version < 5 ? CODE_UNIT : CODE_UNIT_5);
	seed_string(w->info, name);
	seed_number(w->info, language, 1);
	if (w->version >= 5)
		seed_number(w->info, 8, 4); // The addresses start behind their header.
	return at;
}

static void unit_end(struct writer *w, uint32_t start)
{
	end_put(w);
	seed_number_at(w->info, start, w->info->size - start - 4, 4);
}

/** The plain ones. */
static void shapes_put(struct writer *w)
{
	uint32_t number = number_put(w, KIND_UINT64, SEED_GLOBALS_KEY), text, pointer, list;

	text = struct_start(w, KIND_STRING, 16, SEED_GLOBALS_ELEM);
	end_put(w);
	w->map = map_put(w, named_put(w, number), text);
	w->reg = struct_start(w, KIND_STRUCT, 16, 0);
	member_put(w, "hits", 0, number);
	member_put(w, "byConn", 8, w->map);
	end_put(w);
	pointer = type_put(w, CODE_POINTER, KIND_POINTER, 0); // To the list: known below.
	list = struct_start(w, KIND_STRUCT, 16, 0);
	member_put(w, "m", 0, w->map);
	member_put(w, "next", 8, pointer);
	end_put(w);
	seed_number_at(w->info, pointer + 2, list, 4);
	variable_put(w, "main.list", 0x601000, list);
	variable_put(w, "main.orders", 0x602000, w->map);
	variable_put(w, "main.reg", 0x603000, named_put(w, w->reg));
	variable_put(w, "main.shards", 0x604000, array_put(w, 48, w->reg, 3));
	variable_put(w, "main.server", 0x605000, type_put(w, CODE_POINTER, KIND_POINTER, w->reg));
	variable_put(w, "main.p", 0x605008, type_put(w, CODE_POINTER, KIND_POINTER, w->map));
	variable_put(w, "gopkg.in/yaml%2ev3.cache", 0x606000, w->map);
	variable_put(w, "main..stmp_1", 0x607000, w->reg);
	variable_put(w, "main.count", 0x607100, number);
	variable_put(w, "main.text", 0x607108, text);
	variable_put(w, "main.events", 0x607118, type_put(w, CODE_CHAN, KIND_CHAN, w->map));
}

/** Structs in structs that hold nothing: 8^12 ways through them. */
static uint32_t tower_put(struct writer *w)
{
	uint32_t type = number_put(w, KIND_UINT64, 0);

	for (unsigned level = 0; level < 12; level++) {
		uint32_t next = struct_start(w, KIND_STRUCT, 8, 0);

		for (unsigned i = 0; i < 8; i++)
			member_put(w, "x", 0, type);
		end_put(w);
		type = next;
	}
	return type;
}

/** What does not fit, is too large, or refers to itself. */
static void odd_shapes_put(struct writer *w)
{
	uint32_t loop = struct_start(w, KIND_STRUCT, 16, 0), alias, narrow;

	member_put(w, "self", 0, loop);
	member_put(w, "m", 8, w->map);
	end_put(w);
	alias = (uint32_t)w->info->size;
	named_put(w, alias);
	narrow = struct_start(w, KIND_STRUCT, 16, 0);
	member_put(w, "beyond", 16, w->map);
	end_put(w);
	variable_put(w, "main.loop", 0x608000, loop);
	variable_put(w, "main.alias", 0x608010, alias);
	variable_put(w, "main.narrow", 0x608020, narrow);
	variable_put(w, "main.large", 0x610000, array_put(w, 8 * 5000, w->map, 5000));
	variable_put(w, "main.lies", 0x608030, array_put(w, 16, w->map, 1u << 31));
}

static void addresses_put(const struct writer *w, struct seed *s)
{
	seed_number(s, 4 + w->address_count * 8, 4);
	seed_number(s, 5, 2);
	seed_number(s, 8, 1);
	seed_number(s, 0, 1);
	for (size_t i = 0; i < w->address_count; i++)
		seed_number(s, w->addresses[i], 8);
}

void seed_globals(struct seed *s, unsigned version)
{
	struct seed *info = calloc(1, sizeof(*info)), *abbrev = calloc(1, sizeof(*abbrev));
	struct seed *addresses = calloc(1, sizeof(*addresses));
	struct writer w = { .info = info, .version = version & 0xff };
	uint32_t start;

	if (!info || !abbrev || !addresses)
		abort();
	abbreviations(abbrev);
	start = unit_start(&w, "main", DW_LANG_Go);
	shapes_put(&w);
	odd_shapes_put(&w);
	if (version & SEED_GLOBALS_TOWER)
		variable_put(&w, "main.tower", 0x608040, tower_put(&w));
	unit_end(&w, start);
	start = unit_start(&w, "main.c", DW_LANG_C11);
	variable_put(&w, "of_c", 0x609000, w.map);
	unit_end(&w, start);
	addresses_put(&w, addresses);
	const struct seed_section sections[] = {
		{ ".text", 0x400000, "\xc3", 1, SHT_PROGBITS, PF_R | PF_X },
		{ ".debug_abbrev", 0, abbrev->bytes, abbrev->size, SHT_PROGBITS, 0 },
		{ ".debug_info", 0, info->bytes, info->size, SHT_PROGBITS, 0 },
		{ ".debug_addr", 0, addresses->bytes, addresses->size, SHT_PROGBITS, 0 },
		{ ".debug_line", 0, "no lines", 8, SHT_PROGBITS, 0 },
	};
	seed_elf(s, EM_X86_64, ET_EXEC, sections, MS_ARRAY_SIZE(sections));
	free(info);
	free(abbrev);
	free(addresses);
}
