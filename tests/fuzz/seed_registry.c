// seed_registry.c - inputs for registry_fuzz.c: two programs as they are, then with one lie each.
#include "tests/fuzz/seed.h"
#include "tests/support/fake_registry.h"

enum { MODULE, REGISTRY, LEAF, TYPE, CLASSIC, NAME, MAPS };
enum { BYTE, TWO, FOUR = 3, EIGHT = 7, ADDRESS = 16 + 7 };

struct lie {
	uint8_t from_read, how, part;
	uint16_t offset;
	uint64_t value;
};

#define HEAD(member) offsetof(struct hmap_registry, member)
#define OF_MAP(index, field) ((index)*128 + HMAP_FIELD_##field * 8)
#define OF_FIELD(field) (HEAD(fields) + HMAP_FIELD_##field * 4)

static const struct {
	const char *name;
	uint8_t failing_read, how;
	struct lie lies[3];
} seeds[] = {
	{ "as-it-is", 0, 0, { { 0 } } },
	{ "no-elf", 0, 0, { { 0, FOUR, MODULE, 0, 0 } } },
	{ "no-program-headers", 0, 0, { { 0, TWO, MODULE, offsetof(Elf64_Ehdr, e_phnum), 99 } } },
	{ "note-too-long", 0, 0, { { 0, FOUR, MODULE, 64 + 2 * 56 + 4, 1 << 20 } } },
	{ "note-of-others", 0, 0, { { 0, FOUR, MODULE, 64 + 2 * 56 + 8, 7 } } },
	{ "note-to-nowhere", 0, 0, { { 0, EIGHT, MODULE, 64 + 2 * 56 + 20, 1 } } },
	{ "not-begun", 0, 0, { { 0, EIGHT, REGISTRY, 0, 0 }, { 0, EIGHT, REGISTRY, 8, 0 } } },
	{ "cookie", 0, 0, { { 0, EIGHT, REGISTRY, 0, 7 } } },
	{ "version", 0, 0, { { 0, FOUR, REGISTRY, HEAD(version), 2 } } },
	{ "size", 0, 0, { { 0, FOUR, REGISTRY, HEAD(size), 1 << 20 } } },
	{ "fields", 0, 0, { { 0, FOUR, REGISTRY, HEAD(field_count), 1 << 20 } } },
	{ "field-far", 0, 0, { { 0, FOUR, REGISTRY, OF_FIELD(COUNT), 0x0008fff8 } } },
	{ "field-small",
	  0,
	  0,
	  { { 0, FOUR, REGISTRY, OF_FIELD(COUNT), 0x00040020 },
	    { 0, FOUR, REGISTRY, OF_FIELD(GROUPS), 0x00020028 },
	    { 0, FOUR, REGISTRY, OF_FIELD(PASS), 0x00010038 } } },
	{ "fields-less", 0, 0, { { 0, FOUR, REGISTRY, HEAD(field_count), HMAP_FIELD_TYPE_NAME } } },
	{ "used", 0, 0, { { 0, EIGHT, REGISTRY, HEAD(used), UINT64_MAX } } },
	{ "unlisted", 0, 0, { { 0, EIGHT, REGISTRY, HEAD(unlisted), UINT64_MAX } } },
	{ "changes-always", 0, 0, { { 0, BYTE, REGISTRY, HEAD(changes), 1 } } },
	{ "leaf-elsewhere", 0, 0, { { 0, ADDRESS, REGISTRY, HEAD(leaves), MAPS } } },
	{ "type-names",
	  0,
	  0,
	  { { 0, ADDRESS, TYPE, 0, NAME },
	    { 0, ADDRESS, TYPE, 8, NAME },
	    { 0, ADDRESS, TYPE, 16, MAPS } } },
	{ "type-sizes",
	  0,
	  0,
	  { { 0, EIGHT, TYPE, 24, INT32_MAX - 1 }, { 0, EIGHT, TYPE, 32, UINT64_MAX } } },
	{ "type-elsewhere", 0, 0, { { 0, EIGHT, MAPS, OF_MAP(0, TYPE), 0x1234 } } },
	{ "map-twice", 0, 0, { { 0, ADDRESS, LEAF, 8, MAPS } } },
	{ "map-freed", 0, 0, { { 14, BYTE, LEAF, 8, 3 } } },
	{ "map-moves",
	  0,
	  0,
	  { { 30, BYTE, MAPS, OF_MAP(0, COUNT), 21 }, { 30, BYTE, MAPS, OF_MAP(4, GROUPS), 7 } } },
	{ "map-lies",
	  0,
	  0,
	  { { 0, EIGHT, MAPS, OF_MAP(0, GROUPS), 0 },
	    { 0, EIGHT, MAPS, OF_MAP(4, LOW), 0 },
	    { 0, EIGHT, MAPS, OF_MAP(5, PASS), 9 } } },
	{ "map-large",
	  0,
	  0,
	  { { 0, EIGHT, MAPS, OF_MAP(0, COUNT), (uint64_t)1 << 43 },
	    { 0, EIGHT, MAPS, OF_MAP(0, GROUPS), (uint64_t)1 << 40 },
	    { 0, EIGHT, TYPE, 24, INT32_MAX - 1 } } }, // So 2^74 bytes.
	{ "classic-lies", 0, 0, { { 0, BYTE, CLASSIC, 8, 41 } } },
	{ "classic-elsewhere", 0, 0, { { 0, EIGHT, MAPS, OF_MAP(3, CLASSIC), 0x1234 } } },
	{ "name-to-the-end", 0, 0, { { 0, ADDRESS, MAPS, OF_MAP(0, NAME), NAME | 4600 << 8 } } },
	{ "read-fails", 13, 0, { { 0 } } },
	{ "text-swapped", 28, 1, { { 0 } } },
	{ "gone", 20, 3, { { 0 } } },
};

const char *seed_registry(struct seed *s, unsigned index)
{
	if (index >= MS_ARRAY_SIZE(seeds))
		return NULL;
	seed_number(s, seeds[index].failing_read, 1);
	seed_number(s, seeds[index].how, 1);
	for (size_t i = 0; i < MS_ARRAY_SIZE(seeds[index].lies); i++) {
		const struct lie *lie = &seeds[index].lies[i];

		if (!lie->how && !lie->part && !lie->offset)
			break;
		seed_number(s, lie->from_read, 1);
		seed_number(s, lie->how, 1);
		seed_number(s, lie->part, 1);
		seed_number(s, lie->offset, 2);
		seed_number(s, lie->value, 8);
	}
	return seeds[index].name;
}
