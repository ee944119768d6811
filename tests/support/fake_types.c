// fake_types.c - written as the linker writes them, each with more room than the largest needs.
#include "tests/support/fake_types.h"

#include "base/vec.h"

#include <stdio.h>

enum {
	FIRST = 64, // Offset 0 is no name.
	DESCRIPTOR_BYTES = 192,
	KIND_ARRAY = 17,
	KIND_CHAN = 18,
	KIND_INTERFACE = 20,
	KIND_SLICE = 23,
	SLOTS = 8,
	TEXT_MAX = 300,
};

void fake_types_init(struct fake_types *t, const struct ms_go_layout *layout)
{
	*t = (struct fake_types){ .layout = layout, .used = FIRST, .texts_from = FAKE_TYPES_BYTES };
}

static void put(struct fake_types *t, size_t at, uint64_t value, size_t size)
{
	memcpy(t->bytes + at, &value, size);
}

static size_t take(struct fake_types *t, size_t size)
{
	size_t at = t->used;

	t->used += (size_t)ms_round_up(size, 8);
	if (t->used > t->texts_from)
		abort();
	return at;
}

/** A flag byte, a length of one or two bytes, the text; where it begins. */
static size_t text_put(struct fake_types *t, const char *text)
{
	size_t size = strlen(text), head = size < 128 ? 2 : 3;

	if (size + head > t->texts_from - t->used)
		abort();
	t->texts_from -= size + head;
	t->bytes[t->texts_from] = 0;
	t->bytes[t->texts_from + 1] = (uint8_t)(size < 128 ? size : (size & 127) | 128);
	if (head == 3)
		t->bytes[t->texts_from + 2] = (uint8_t)(size >> 7);
	memcpy(t->bytes + t->texts_from + head, text, size);
	return t->texts_from;
}

void fake_types_set(struct fake_types *t, ms_addr type, uint32_t offset, uint64_t value)
{
	put(t, (size_t)(type - FAKE_TYPES) + offset, value, 8);
}

uint64_t fake_types_get(const struct fake_types *t, ms_addr type, uint32_t offset)
{
	return ms_load_u64(t->bytes + (type - FAKE_TYPES) + offset);
}

ms_addr fake_type(struct fake_types *t, unsigned kind, const char *name, uint64_t bytes,
		  uint64_t pointer_bytes)
{
	const struct ms_go_layout *l = t->layout;
	size_t at = take(t, DESCRIPTOR_BYTES);

	put(t, at + l->type_bytes, bytes, 8);
	put(t, at + l->type_ptrdata, pointer_bytes, 8);
	put(t, at + l->type_str, text_put(t, name), 4);
	t->bytes[at + l->type_kind] = (uint8_t)kind;
	return FAKE_TYPES + at;
}

ms_addr fake_type_plain(struct fake_types *t, unsigned kind, const char *name, uint64_t bytes)
{
	return fake_type(t, kind, name, bytes, 0);
}

ms_addr fake_type_string(struct fake_types *t)
{
	return fake_type(t, FAKE_KIND_STRING, "string", 16, 8);
}

ms_addr fake_type_pointer(struct fake_types *t, const char *name, ms_addr elem)
{
	ms_addr type = fake_type(t, FAKE_KIND_POINTER, name, 8, 8);

	fake_types_set(t, type, t->layout->ptrtype_elem, elem);
	return type;
}

ms_addr fake_type_slice(struct fake_types *t, const char *name, ms_addr elem)
{
	ms_addr type = fake_type(t, KIND_SLICE, name, 24, 8);

	fake_types_set(t, type, t->layout->slicetype_elem, elem);
	return type;
}

ms_addr fake_type_array(struct fake_types *t, const char *name, ms_addr elem, uint64_t count)
{
	uint64_t bytes = fake_types_get(t, elem, t->layout->type_bytes);
	uint64_t pointers = fake_types_get(t, elem, t->layout->type_ptrdata);
	ms_addr type = fake_type(t, KIND_ARRAY, name, bytes * count,
				 pointers && count ? bytes * (count - 1) + pointers : 0);

	fake_types_set(t, type, t->layout->arraytype_elem, elem);
	fake_types_set(t, type, t->layout->arraytype_len, count);
	return type;
}

ms_addr fake_type_chan(struct fake_types *t, const char *name, ms_addr elem)
{
	ms_addr type = fake_type(t, KIND_CHAN, name, 8, 8);

	fake_types_set(t, type, t->layout->chantype_elem, elem);
	return type;
}

ms_addr fake_type_interface(struct fake_types *t, const char *name, uint64_t methods)
{
	ms_addr type = fake_type(t, KIND_INTERFACE, name, 16, 16);

	fake_types_set(t, type, t->layout->interfacetype_methods, type);
	fake_types_set(t, type, t->layout->interfacetype_methods + 8, methods);
	fake_types_set(t, type, t->layout->interfacetype_methods + 16, methods);
	return type;
}

ms_addr fake_type_struct(struct fake_types *t, const char *name, const char *package,
			 const struct fake_field *fields, size_t count, uint64_t bytes)
{
	const struct ms_go_layout *l = t->layout;
	unsigned shift = l->structfield_offset_anon != MS_ABSENT;
	size_t list = take(t, count * l->structfield_size);
	uint64_t pointers = 0;
	ms_addr type;

	for (size_t i = 0; i < count; i++) {
		size_t at = list + i * l->structfield_size;
		uint64_t inner = fake_types_get(t, fields[i].type, l->type_ptrdata);

		put(t, at + l->structfield_name, FAKE_TYPES + text_put(t, fields[i].name), 8);
		put(t, at + l->structfield_type, fields[i].type, 8);
		put(t, at + l->structfield_offset, fields[i].offset << shift, 8);
		if (inner)
			pointers = ms_max_u64(pointers, fields[i].offset + inner);
	}
	type = fake_type(t, MS_KIND_STRUCT, name, bytes, pointers);
	if (package)
		fake_types_set(t, type, l->structtype_package, FAKE_TYPES + text_put(t, package));
	fake_types_set(t, type, l->structtype_fields, FAKE_TYPES + list);
	fake_types_set(t, type, l->structtype_fields + 8, count);
	fake_types_set(t, type, l->structtype_fields + 16, count);
	return type;
}

/** Tags, keys, elems, and the next bucket where there are pointers. */
static ms_addr bucket_make(struct fake_types *t, const char *name, ms_addr key, ms_addr elem)
{
	const struct ms_go_layout *l = t->layout;
	ms_addr tag = fake_type_plain(t, FAKE_KIND_UINT8, "uint8", 1);
	ms_addr tags = fake_type_array(t, "[8]uint8", tag, SLOTS);
	ms_addr keys = fake_type_array(t, "[8]key", key, SLOTS);
	ms_addr elems = fake_type_array(t, "[8]elem", elem, SLOTS);
	uint64_t key_bytes = fake_types_get(t, keys, l->type_bytes);
	uint64_t elem_bytes = fake_types_get(t, elems, l->type_bytes);
	bool pointers =
	    fake_types_get(t, keys, l->type_ptrdata) || fake_types_get(t, elems, l->type_ptrdata);
	ms_addr next = pointers ? fake_type(t, FAKE_KIND_UNSAFE_POINTER, "unsafe.Pointer", 8, 8)
				: fake_type_plain(t, FAKE_KIND_UINTPTR, "uintptr", 8);
	const struct fake_field fields[] = { { "topbits", tags, 0 },
					     { "keys", keys, 8 },
					     { "elems", elems, 8 + key_bytes },
					     { "overflow", next, 8 + key_bytes + elem_bytes } };
	char text[TEXT_MAX];

	snprintf(text, sizeof(text), "map.bucket%s", name + strlen("map"));
	return fake_type_struct(t, text, NULL, fields, MS_ARRAY_SIZE(fields),
				16 + key_bytes + elem_bytes);
}

/** A control word, then slots of key and elem, or keys and elems apart. */
static ms_addr group_make(struct fake_types *t, const char *name, ms_addr key, ms_addr elem)
{
	const struct ms_go_layout *l = t->layout;
	ms_addr control = fake_type_plain(t, FAKE_KIND_INT, "uint64", 8);
	uint64_t key_bytes = fake_types_get(t, key, l->type_bytes);
	uint64_t elem_bytes = fake_types_get(t, elem, l->type_bytes);
	const struct fake_field slot_fields[] = { { "key", key, 0 }, { "elem", elem, key_bytes } };
	char text[TEXT_MAX];

	snprintf(text, sizeof(text), "map.group%s", name + strlen("map"));
	if (l->experiments & MS_GO_EXP_SPLIT_GROUP) {
		const struct fake_field split[] = {
			{ "ctrl", control, 0 },
			{ "keys", fake_type_array(t, "[8]key", key, SLOTS), 8 },
			{ "elems", fake_type_array(t, "[8]elem", elem, SLOTS),
			  8 + SLOTS * key_bytes }
		};

		return fake_type_struct(t, text, NULL, split, MS_ARRAY_SIZE(split),
					8 + SLOTS * (key_bytes + elem_bytes));
	}
	const struct fake_field fields[] = {
		{ "ctrl", control, 0 },
		{ "slots",
		  fake_type_array(t, "[8]slot",
				  fake_type_struct(t, "struct { key K; elem V }", NULL, slot_fields,
						   2, key_bytes + elem_bytes),
				  SLOTS),
		  8 }
	};

	return fake_type_struct(t, text, NULL, fields, MS_ARRAY_SIZE(fields),
				8 + SLOTS * (key_bytes + elem_bytes));
}

ms_addr fake_type_map(struct fake_types *t, const char *name, ms_addr key, ms_addr elem)
{
	const struct ms_go_layout *l = t->layout;
	bool classic = l->maps == MS_GO_MAPS_CLASSIC;
	ms_addr table = classic ? bucket_make(t, name, key, elem) : group_make(t, name, key, elem);
	ms_addr type = fake_type(t, MS_KIND_MAP, name, 8, 8);
	uint64_t bytes = fake_types_get(t, table, l->type_bytes);

	fake_types_set(t, type, l->maptype_key, key);
	fake_types_set(t, type, l->maptype_elem, elem);
	fake_types_set(t, type, classic ? l->maptype_bucket : l->maptype_group, table);
	if (classic)
		put(t, (size_t)(type - FAKE_TYPES) + l->maptype_bucket_size, bytes, 2);
	else
		fake_types_set(t, type, l->maptype_group_size, bytes);
	return type;
}

const struct ms_types *fake_types_load(struct fake_types *t)
{
	if (!ms_vec_reserve_raw((void **)&t->loaded.sections, &t->loaded.section_capacity, 1,
				sizeof(*t->loaded.sections)))
		abort();
	t->loaded.sections[0] = (struct ms_types_section){ FAKE_TYPES, FAKE_TYPES_BYTES, t->bytes };
	t->loaded.section_count = 1;
	return &t->loaded;
}

void fake_types_deinit(struct fake_types *t)
{
	free(t->loaded.sections);
	t->loaded = (struct ms_types){ 0 };
}
