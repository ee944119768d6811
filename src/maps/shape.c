// shape.c - the distinct bucket (or group) sizes of a program are few, some thirty to sixty; the
// questions asked are fewer still, so answers are kept in a direct-mapped cache.
#include "maps/shape.h"

#include "base/vec.h"

#include <stdlib.h>

enum {
	CACHE_SLOTS = 8192,
	OVERFLOW_FROM_LOG2 = 4,
	LOG2_MAX = 44,
	UNIT_BYTES_MIN = 16,
	UNIT_BYTES_MAX =
	    8 + 8 * 2 * 128 + 8, // Keys and elems of up to 128 bytes are stored inline.
};

struct unit {
	uint32_t bytes;
	uint32_t entry_bytes; // 0: types of this size differ in it.
	bool has_pointers;
};

struct cached {
	uint64_t units, elem_bytes;
	bool has_pointers, filled;
	struct ms_shape shape;
};

struct ms_shapes {
	const struct ms_go_layout *layout;
	struct unit *items;
	size_t count, capacity;
	struct cached cache[CACHE_SLOTS];
};

uint64_t ms_classic_buckets(unsigned bucket_log2)
{
	uint64_t n;

	if (bucket_log2 > LOG2_MAX)
		return 0;
	n = (uint64_t)1 << bucket_log2;
	return bucket_log2 >= OVERFLOW_FROM_LOG2 ? n + (n >> OVERFLOW_FROM_LOG2) : n;
}

static bool unit_add(struct ms_shapes *s, const struct ms_map_type *type)
{
	for (size_t i = 0; i < s->count; i++) {
		struct unit *u = &s->items[i];

		if (u->bytes != type->table_bytes || u->has_pointers != type->has_pointers)
			continue;
		if (u->entry_bytes != type->entry_bytes)
			u->entry_bytes = 0;
		return true;
	}
	return ms_vec_push(s, { type->table_bytes, type->entry_bytes, type->has_pointers });
}

/** Every size that a bucket of some type has: words of tags, keys, elems, and a pointer. */
static bool units_add_all(struct ms_shapes *s)
{
	for (uint32_t bytes = UNIT_BYTES_MIN; bytes <= UNIT_BYTES_MAX; bytes += 8) {
		if (!ms_vec_push(s, { bytes, 0, false }) || !ms_vec_push(s, { bytes, 0, true }))
			return false;
	}
	return true;
}

struct ms_error *ms_shapes_create(const struct ms_types *types, const struct ms_go_layout *layout,
				  struct ms_shapes **ret_shapes)
{
	struct ms_shapes *s = calloc(1, sizeof(*s));
	bool fits;

	if (!s)
		return ms_error_no_memory();
	s->layout = layout;
	fits = types || units_add_all(s);
	for (size_t i = 0; types && i < types->count && fits; i++)
		fits = unit_add(s, &types->items[i]);
	if (!fits) {
		ms_shapes_destroy(s);
		return ms_error_no_memory();
	}
	*ret_shapes = s;
	return NULL;
}

static bool unit_fits(const struct ms_shapes *s, const struct unit *u, uint64_t units,
		      uint64_t elem_bytes, bool has_pointers)
{
	return u->has_pointers == has_pointers && units <= UINT64_MAX / 4096 &&
	       ms_go_alloc_bytes(s->layout, units * u->bytes, has_pointers) == elem_bytes;
}

static struct ms_shape shape_find(const struct ms_shapes *s, uint64_t units, uint64_t elem_bytes,
				  bool has_pointers)
{
	struct ms_shape shape = { 0 };

	for (size_t i = 0; i < s->count; i++) {
		const struct unit *u = &s->items[i];

		if (!unit_fits(s, u, units, elem_bytes, has_pointers))
			continue;
		if (!shape.fits) {
			shape = (struct ms_shape){ true, u->bytes, u->entry_bytes };
			continue;
		}
		shape.table_bytes = 0; // Two sizes round to the same: which one is not known.
		if (shape.entry_bytes != u->entry_bytes)
			shape.entry_bytes = 0;
	}
	return shape;
}

struct ms_shape ms_shapes_fit(struct ms_shapes *s, uint64_t units, uint64_t elem_bytes,
			      bool has_pointers)
{
	uint64_t hash = (units * 31 + elem_bytes) * 0x9e3779b97f4a7c15u + has_pointers;
	struct cached *c = &s->cache[(hash >> 40) % CACHE_SLOTS];

	if (!c->filled || c->units != units || c->elem_bytes != elem_bytes ||
	    c->has_pointers != has_pointers)
		*c = (struct cached){ units, elem_bytes, has_pointers, true,
				      shape_find(s, units, elem_bytes, has_pointers) };
	return c->shape;
}

size_t ms_shapes_units(const struct ms_shapes *s, uint64_t units, uint64_t elem_bytes,
		       bool has_pointers, uint32_t ret_bytes[MS_SHAPE_UNITS_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < s->count && count < MS_SHAPE_UNITS_MAX; i++) {
		if (unit_fits(s, &s->items[i], units, elem_bytes, has_pointers))
			ret_bytes[count++] = s->items[i].bytes;
	}
	return count;
}

void ms_shapes_destroy(struct ms_shapes *s)
{
	if (!s)
		return;
	free(s->items);
	free(s);
}
