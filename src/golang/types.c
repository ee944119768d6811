// types.c - the whole type section is taken in once, and every aligned position in it tried as a
// map type.  What makes a hit sure is the chain behind it: key, elem and bucket (or group) are
// descriptors in a type section, the last is a struct, and its size stands a second time in the
// map type itself.  This finds named map types too, which the runtime's own list leaves out.
//
// A name is an offset into its module's section: a flag byte, a varint length, the bytes.  A type
// whose flag says "extra star" shares the name of its pointer type.
#include "golang/types.h"

#include "base/cleanup.h"
#include "base/vec.h"

#include <inttypes.h>

enum {
	FLAG_EXTRA_STAR = 2,    // abi.TFlagExtraStar
	INLINE_BYTES_MAX = 128, // abi.MapMaxKeyBytes, MapMaxElemBytes
	NAME_BYTES_MAX = 4096,
	TABLE_BYTES_MAX = 8 + 8 * 2 * INLINE_BYTES_MAX + 8,
};

static const uint64_t SECTIONS_BYTES_MAX = 256 << 20; // Of all modules.

static const struct ms_types_section *section_of(const struct ms_types *types, ms_addr addr,
						 uint64_t size)
{
	for (size_t i = 0; i < types->section_count; i++) {
		const struct ms_types_section *s = &types->sections[i];

		if (ms_range_holds(s->start, s->start + s->size, addr, size))
			return s;
	}
	return NULL;
}

const uint8_t *ms_types_bytes(const struct ms_types *types, ms_addr address, uint64_t size)
{
	const struct ms_types_section *s = section_of(types, address, size);

	return s ? s->bytes + (address - s->start) : NULL;
}

/** The bytes of a descriptor, or NULL when none can be there. */
static const uint8_t *descriptor(const struct ms_types *types, const struct ms_go_layout *l,
				 ms_addr addr)
{
	return addr & 7 ? NULL : ms_types_bytes(types, addr, l->type_size);
}

static uint32_t stored_bytes(uint64_t size)
{
	return size > INLINE_BYTES_MAX ? 8 : (uint32_t)size;
}

static bool kind_is_sane(const struct ms_go_layout *l, const uint8_t *raw)
{
	uint8_t kind = raw[l->type_kind] & MS_KIND_MASK;

	return kind >= 1 && kind <= MS_KIND_MAX &&
	       ms_load_u64(raw + l->type_ptrdata) <= ms_load_u64(raw + l->type_bytes);
}

static uint64_t table_bytes(const struct ms_go_layout *l, const uint8_t *raw)
{
	return l->maps == MS_GO_MAPS_CLASSIC ? ms_load_u16(raw + l->maptype_bucket_size)
					     : ms_load_u64(raw + l->maptype_group_size);
}

/** Up to the last field that is looked at. */
static uint64_t map_type_bytes(const struct ms_go_layout *l)
{
	bool classic = l->maps == MS_GO_MAPS_CLASSIC;
	const uint64_t ends[] = {
		l->type_size,
		l->maptype_key + 8ull,
		l->maptype_elem + 8ull,
		classic ? l->maptype_bucket + 8ull : l->maptype_group + 8ull,
		classic ? l->maptype_bucket_size + 2ull : l->maptype_group_size + 8ull,
	};
	uint64_t last = 0;

	for (size_t i = 0; i < MS_ARRAY_SIZE(ends); i++)
		last = ms_max_u64(last, ends[i]);
	return last;
}

static bool map_type_parse(const struct ms_types *types, const struct ms_go_layout *l,
			   const uint8_t *raw, ms_addr address, struct ms_map_type *ret_type)
{
	uint32_t table_at = l->maps == MS_GO_MAPS_CLASSIC ? l->maptype_bucket : l->maptype_group;
	struct ms_map_type type = { .address = address };
	const uint8_t *key, *elem, *table;

	if ((raw[l->type_kind] & MS_KIND_MASK) != MS_KIND_MAP ||
	    ms_load_u64(raw + l->type_bytes) != 8 || ms_load_u64(raw + l->type_ptrdata) != 8)
		return false;
	type.key = ms_load_u64(raw + l->maptype_key);
	type.elem = ms_load_u64(raw + l->maptype_elem);
	type.table = ms_load_u64(raw + table_at);
	key = descriptor(types, l, type.key);
	elem = descriptor(types, l, type.elem);
	table = descriptor(types, l, type.table);
	if (!key || !elem || !table || !kind_is_sane(l, key) || !kind_is_sane(l, elem) ||
	    (table[l->type_kind] & MS_KIND_MASK) != MS_KIND_STRUCT)
		return false;
	if (ms_load_u64(table + l->type_bytes) != table_bytes(l, raw) ||
	    table_bytes(l, raw) > TABLE_BYTES_MAX || table_bytes(l, raw) < 8)
		return false;
	type.table_bytes = (uint32_t)table_bytes(l, raw);
	type.entry_bytes = stored_bytes(ms_load_u64(key + l->type_bytes)) +
			   stored_bytes(ms_load_u64(elem + l->type_bytes));
	type.has_pointers = ms_load_u64(table + l->type_ptrdata) != 0;
	*ret_type = type;
	return true;
}

static struct ms_error *section_load(struct ms_go_runtime *rt, const struct ms_go_module *m,
				     struct ms_types *types)
{
	struct ms_types_section s = { m->types, m->etypes - m->types, NULL };
	uint64_t bytes = s.size;
	struct ms_error *err;

	for (size_t i = 0; i < types->section_count; i++)
		bytes += types->sections[i].size;
	if (bytes > SECTIONS_BYTES_MAX)
		return ms_error_new(MS_ERR_LIMIT, "its type sections are %" PRIu64 " bytes long",
				    bytes);
	s.bytes = malloc((size_t)s.size);
	if (!s.bytes)
		return ms_error_no_memory();
	err = ms_target_read(rt->target, s.start, s.bytes, (size_t)s.size);
	if (!err && (!ms_vec_reserve_raw((void **)&types->sections, &types->section_capacity,
					 types->section_count + 1, sizeof(s))))
		err = ms_error_no_memory();
	if (err) {
		free(s.bytes);
		return ms_error_wrap(err, "type section");
	}
	types->sections[types->section_count++] = s;
	return NULL;
}

static struct ms_error *section_scan(struct ms_go_runtime *rt, const struct ms_types_section *s,
				     struct ms_types *types)
{
	uint64_t need = map_type_bytes(rt->layout);

	for (uint64_t at = 0; at + need <= s->size; at += 8) {
		struct ms_map_type type;

		if ((s->bytes[at + rt->layout->type_kind] & MS_KIND_MASK) == MS_KIND_MAP &&
		    map_type_parse(types, rt->layout, s->bytes + at, s->start + at, &type) &&
		    !ms_vec_push(types, type))
			return ms_error_no_memory();
	}
	return NULL;
}

static int by_table(const void *a, const void *b)
{
	const struct ms_map_type *x = a, *y = b;

	if (x->table != y->table)
		return x->table < y->table ? -1 : 1;
	return x->address < y->address ? -1 : x->address > y->address;
}

struct ms_error *ms_types_load(struct ms_go_runtime *rt, struct ms_types *ret_types)
{
	struct ms_types types = { 0 };
	size_t modules = rt->target->lacks_program ? 0 : rt->module_count;
	struct ms_error *err = NULL;

	for (size_t i = 0; i < modules && !err; i++) {
		err = section_load(rt, &rt->modules[i], &types);
		if (err && i > 0 && ms_error_code(err) == MS_ERR_FAULT) {
			ms_error_free(err); // A plugin's types are a file we do not read.
			err = NULL;
		}
	}
	for (size_t i = 0; i < types.section_count && !err; i++)
		err = section_scan(rt, &types.sections[i], &types);
	if (err) {
		ms_types_deinit(&types);
		return err;
	}
	if (types.count)
		qsort(types.items, types.count, sizeof(*types.items), by_table);
	*ret_types = types;
	return NULL;
}

struct ms_error *ms_go_types(struct ms_go_runtime *rt, const struct ms_types **ret_types)
{
	if (!rt->types) {
		MS_AUTO_FREE struct ms_types *types = calloc(1, sizeof(*types));
		struct ms_error *err = types ? ms_types_load(rt, types) : ms_error_no_memory();

		if (err)
			return err;
		rt->types = MS_STEAL(types);
	}
	*ret_types = rt->types;
	return NULL;
}

const struct ms_map_type *ms_types_by_table(const struct ms_types *types, ms_addr table)
{
	size_t low = 0, high = types->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (types->items[middle].table < table)
			low = middle + 1;
		else
			high = middle;
	}
	return low < types->count && types->items[low].table == table ? &types->items[low] : NULL;
}

bool ms_types_text(const struct ms_types *types, ms_addr address, const char **ret_text,
		   size_t *ret_size)
{
	const struct ms_types_section *s = section_of(types, address, 2);
	uint64_t at, size = 0;

	if (!s)
		return false;
	at = address - s->start + 1; // Behind the flag byte.
	for (unsigned shift = 0; shift < 21; shift += 7, at++) {
		if (at >= s->size)
			return false;
		size |= (uint64_t)(s->bytes[at] & 0x7f) << shift;
		if (s->bytes[at] < 0x80)
			break;
	}
	at++;
	if (!size || size > NAME_BYTES_MAX || at > s->size || size > s->size - at)
		return false;
	*ret_text = (const char *)s->bytes + at;
	*ret_size = (size_t)size;
	return true;
}

bool ms_types_name(const struct ms_types *types, const struct ms_go_layout *l, ms_addr address,
		   const char **ret_text, size_t *ret_size)
{
	const uint8_t *raw = descriptor(types, l, address);
	const struct ms_types_section *s = section_of(types, address, 1);
	const char *text;
	size_t size;

	if (!raw || !ms_types_text(types, s->start + ms_load_u32(raw + l->type_str), &text, &size))
		return false;
	if ((raw[l->type_tflag] & FLAG_EXTRA_STAR) && *text == '*' && size > 1) {
		text++;
		size--;
	}
	*ret_text = text;
	*ret_size = size;
	return true;
}

bool ms_types_is_called(const struct ms_types *types, const struct ms_go_layout *layout,
			ms_addr address, const char *name)
{
	const char *text;
	size_t size;

	return ms_types_name(types, layout, address, &text, &size) && size == strlen(name) &&
	       !memcmp(text, name, size);
}

void ms_types_deinit(struct ms_types *types)
{
	for (size_t i = 0; i < types->section_count; i++)
		free(types->sections[i].bytes);
	free(types->sections);
	free(types->items);
	*types = (struct ms_types){ 0 };
}
