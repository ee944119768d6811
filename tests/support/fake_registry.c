// fake_registry.c - a module with a note, the registry that it leads to, and maps.
#include "tests/support/fake_registry.h"

ms_addr fake_registry_data(const struct fake_registry *r, size_t offset)
{
	return r->base + FAKE_REGISTRY_DATA + offset;
}

ms_addr fake_registry_map_at(const struct fake_registry *r, size_t index)
{
	return r->base + FAKE_REGISTRY_MAPS_AT + index * sizeof(r->maps[0]);
}

static void map_init(struct fake_registry *r, size_t index)
{
	uint64_t *m = r->maps[index];

	m[HMAP_FIELD_TYPE] = fake_registry_data(r, offsetof(__typeof__(r->data), type));
	m[HMAP_FIELD_NAME] = fake_registry_data(r, offsetof(__typeof__(r->data), name));
	m[HMAP_FIELD_COUNT] = 20;
	m[HMAP_FIELD_GROUPS] = 4;
	m[HMAP_FIELD_GROW_AT] = 40;
	m[HMAP_FIELD_BYTES] = 1000;
}

static void module_init(struct fake_registry *r)
{
	const size_t note = offsetof(__typeof__(r->module), note);

	memcpy(r->module.eh.e_ident, ELFMAG, SELFMAG);
	r->module.eh.e_ident[EI_CLASS] = ELFCLASS64;
	r->module.eh.e_phoff = sizeof(Elf64_Ehdr);
	r->module.eh.e_phentsize = sizeof(Elf64_Phdr);
	r->module.eh.e_phnum = 2;
	r->module.ph[0] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_vaddr = r->base };
	r->module.ph[1] = (Elf64_Phdr){ .p_type = PT_NOTE,
					.p_vaddr = r->base + note,
					.p_filesz = sizeof(r->module) - note,
					.p_align = 4 };
	r->module.note = (Elf64_Nhdr){ 5, 8, HMAP_NOTE_REGISTRY };
	memcpy(r->module.owner, HMAP_NOTE_OWNER, sizeof(HMAP_NOTE_OWNER));
	r->module.distance = FAKE_REGISTRY_DATA - offsetof(__typeof__(r->module), distance);
}

/** The members [first, end) as words, one behind the other. */
static void fields_init(struct hmap_registry *raw, unsigned first, unsigned end)
{
	for (unsigned i = first; i < end; i++)
		raw->fields[i] = (struct hmap_registry_field){ (uint16_t)(8 * (i - first)), 8 };
}

void fake_registry_init(struct fake_registry *r, ms_addr base)
{
	struct hmap_registry *raw = &r->data.registry;

	memset(r, 0, sizeof(*r));
	r->base = base;
	module_init(r);
	memcpy(raw->cookie, HMAP_REGISTRY_COOKIE, sizeof(raw->cookie));
	raw->version = HMAP_REGISTRY_VERSION;
	raw->size = sizeof(*raw);
	memcpy(raw->library, "9.8.7", 6);
	raw->maps = raw->created = raw->used = FAKE_REGISTRY_LISTED;
	raw->group_slots = 14;
	raw->leaf_count = HMAP_REGISTRY_LEAVES;
	raw->field_count = HMAP_FIELDS;
	raw->leaves[0] = fake_registry_data(r, offsetof(__typeof__(r->data), leaf));
	fields_init(raw, HMAP_FIELD_TYPE, HMAP_FIELD_TYPE_NAME);
	fields_init(raw, HMAP_FIELD_TYPE_NAME, HMAP_FIELD_CLASSIC_COUNT);
	fields_init(raw, HMAP_FIELD_CLASSIC_COUNT, HMAP_FIELD_TAGS);
	memcpy(r->data.name, "planted", 8);
	r->data.type[HMAP_FIELD_TYPE_KEY_SIZE - HMAP_FIELD_TYPE_NAME] = 8;
	r->data.type[HMAP_FIELD_TYPE_VALUE_SIZE - HMAP_FIELD_TYPE_NAME] = 16;
	for (size_t i = 0; i < FAKE_REGISTRY_MAPS; i++) {
		map_init(r, i);
		if (i < FAKE_REGISTRY_LISTED)
			r->data.leaf[i] = fake_registry_map_at(r, i);
	}
}

void fake_registry_map(const struct fake_registry *r, struct fake_target *fake)
{
	fake_target_map_exe(fake, r->base, &r->module, sizeof(r->module), 0, MS_PROT_READ);
	fake_target_map(fake, fake_registry_data(r, 0), &r->data, sizeof(r->data), MS_REGION_EXE,
			MS_PROT_READ | MS_PROT_WRITE);
	fake_target_map(fake, fake_registry_map_at(r, 0), r->maps, sizeof(r->maps), MS_REGION_ANON,
			MS_PROT_READ);
}
