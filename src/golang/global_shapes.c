// global_shapes.c - a type's DWARF boiled down to the places that hold maps.
//
// What the Go linker writes (cmd/link/internal/ld/dwarf.go, the same from 1.18 to 1.27):
//
//	map        typedef        go_kind 21, go_key and go_elem refer to the types' entries
//	pointer    pointer_type   go_kind 22
//	struct     structure_type go_kind 25; slices and strings are structs with other kinds
//	array      array_type     go_kind 17; its subrange has the count
//	named      typedef        without go_kind, for all but maps, channels and interfaces
//
// Every type that the program has a descriptor for says where: go_runtime_type counts from the
// start of the types.  A map cannot be made without a descriptor of its type, so the names of
// types need not be taken from here.
//
// Most types hold no map: that, too, is remembered.  The entries may refer to each other in any
// way; depth and number of those looked at are bounded.
#include "golang/global_shapes.h"

#include "golang/dwarf_file.h"

#include <dwarf.h>
#include <search.h>

enum {
	AT_GO_KIND = 0x2900,
	AT_GO_KEY = 0x2901,
	AT_GO_ELEM = 0x2902,
	AT_GO_RUNTIME_TYPE = 0x2904,
	KIND_ARRAY = 17,
	KIND_MAP = 21,
	KIND_POINTER = 22,
	KIND_STRUCT = 25,
	DEPTH_MAX = 32,
	TYPEDEFS_MAX = 16,
	ENTRIES_MAX = 4 << 20, // A 100 MB binary has under 200,000 that variables lead to.
	WORD_BYTES = 8,
};

static const uint64_t BYTES_MAX = (uint64_t)1 << 40; // No variable is that large.

static const struct ms_go_shape *shape_of(struct ms_go_shapes *shapes, Dwarf_Die *type,
					  enum ms_go_reach reach, unsigned depth);

static int shape_compare(const void *a, const void *b)
{
	const struct ms_go_shape *x = a, *y = b;

	if (x->die != y->die)
		return x->die < y->die ? -1 : 1;
	return x->reach < y->reach ? -1 : x->reach > y->reach;
}

/** The entry that an attribute refers to. */
static bool follow(Dwarf_Die *die, unsigned name, Dwarf_Die *ret_die)
{
	Dwarf_Attribute attr;

	return dwarf_attr(die, name, &attr) && dwarf_formref_die(&attr, ret_die);
}

static uint64_t go_kind(Dwarf_Die *die)
{
	uint64_t kind;

	return ms_dwarf_number_of(die, AT_GO_KIND, &kind) ? kind : 0;
}

/** The descriptor of the type that an attribute refers to, 0 when the program has none. */
static uint64_t descriptor(Dwarf_Die *die, unsigned name)
{
	Dwarf_Die at;
	bool found = follow(die, name, &at);

	for (unsigned i = 0; found && i < TYPEDEFS_MAX; i++) {
		Dwarf_Attribute attr;
		Dwarf_Addr offset;

		if (dwarf_attr(&at, AT_GO_RUNTIME_TYPE, &attr))
			return dwarf_formaddr(&attr, &offset) == 0 ? offset : 0;
		found = dwarf_tag(&at) == DW_TAG_typedef && follow(&at, DW_AT_type, &at);
	}
	return 0;
}

static bool entry_count(struct ms_go_shapes *shapes)
{
	if (++shapes->entries > ENTRIES_MAX)
		shapes->cut = true;
	return !shapes->cut && !shapes->out_of_memory;
}

static void field_add(struct ms_go_shapes *shapes, struct ms_go_shape *s, Dwarf_Die *member,
		      unsigned depth)
{
	const char *name = dwarf_diename(member);
	const struct ms_go_shape *inner;
	struct ms_go_shape_field *field;
	Dwarf_Die type;
	uint64_t at;

	if (!name || !follow(member, DW_AT_type, &type) ||
	    !ms_dwarf_number_of(member, DW_AT_data_member_location, &at))
		return;
	inner = shape_of(shapes, &type, s->reach, depth + 1);
	if (!inner || !ms_range_holds(0, s->bytes, at, inner->bytes))
		return;
	field = ms_arena_alloc(&shapes->arena, sizeof(*field));
	if (!field) {
		shapes->out_of_memory = true;
		return;
	}
	*field = (struct ms_go_shape_field){ name, at, inner, s->fields };
	s->fields = field;
	s->kind = MS_GO_SHAPE_STRUCT;
}

static void fill_struct(struct ms_go_shapes *shapes, struct ms_go_shape *s, Dwarf_Die *die,
			unsigned depth)
{
	Dwarf_Die member;
	int more;

	if (!ms_dwarf_number_of(die, DW_AT_byte_size, &s->bytes) || s->bytes > BYTES_MAX)
		return;
	for (more = dwarf_child(die, &member); more == 0 && entry_count(shapes);
	     more = dwarf_siblingof(&member, &member)) {
		if (dwarf_tag(&member) == DW_TAG_member)
			field_add(shapes, s, &member, depth);
	}
}

static void fill_array(struct ms_go_shapes *shapes, struct ms_go_shape *s, Dwarf_Die *die,
		       unsigned depth)
{
	Dwarf_Die type, range;

	if (!ms_dwarf_number_of(die, DW_AT_byte_size, &s->bytes) || s->bytes > BYTES_MAX ||
	    dwarf_child(die, &range) != 0 || dwarf_tag(&range) != DW_TAG_subrange_type ||
	    !ms_dwarf_number_of(&range, DW_AT_count, &s->count) || !follow(die, DW_AT_type, &type))
		return;
	s->inner = shape_of(shapes, &type, s->reach, depth + 1);
	if (s->inner && s->count && s->count <= s->bytes / s->inner->bytes)
		s->kind = MS_GO_SHAPE_ARRAY;
}

static void fill_pointer(struct ms_go_shapes *shapes, struct ms_go_shape *s, Dwarf_Die *die,
			 unsigned depth)
{
	Dwarf_Die type;

	s->bytes = WORD_BYTES;
	if (s->reach != MS_GO_REACH_POINTER || !follow(die, DW_AT_type, &type))
		return;
	s->inner = shape_of(shapes, &type, MS_GO_REACH_VALUE, depth + 1);
	if (s->inner)
		s->kind = MS_GO_SHAPE_POINTER;
}

static void fill_typedef(struct ms_go_shapes *shapes, struct ms_go_shape *s, Dwarf_Die *die,
			 unsigned depth)
{
	const struct ms_go_shape *named;
	Dwarf_Die type;

	if (go_kind(die) == KIND_MAP) {
		s->kind = MS_GO_SHAPE_MAP;
		s->bytes = WORD_BYTES;
		s->key = descriptor(die, AT_GO_KEY);
		s->elem = descriptor(die, AT_GO_ELEM);
		return;
	}
	if (go_kind(die) || !follow(die, DW_AT_type, &type))
		return;
	named = shape_of(shapes, &type, s->reach, depth + 1);
	if (!named)
		return;
	s->kind = named->kind;
	s->bytes = named->bytes;
	s->key = named->key;
	s->elem = named->elem;
	s->inner = named->inner;
	s->count = named->count;
	s->fields = named->fields;
}

static void fill(struct ms_go_shapes *shapes, struct ms_go_shape *s, Dwarf_Die *die, unsigned depth)
{
	switch (dwarf_tag(die)) {
	case DW_TAG_typedef:
		fill_typedef(shapes, s, die, depth);
		return;
	case DW_TAG_structure_type:
		if (go_kind(die) == KIND_STRUCT)
			fill_struct(shapes, s, die, depth);
		return;
	case DW_TAG_array_type:
		if (go_kind(die) == KIND_ARRAY)
			fill_array(shapes, s, die, depth);
		return;
	case DW_TAG_pointer_type:
		if (go_kind(die) == KIND_POINTER)
			fill_pointer(shapes, s, die, depth);
		return;
	default:
		return;
	}
}

/** A new shape, put into the tree before it is filled: what refers to itself holds nothing. */
static struct ms_go_shape *shape_put(struct ms_go_shapes *shapes, const struct ms_go_shape *wanted)
{
	struct ms_go_shape *s = ms_arena_alloc(&shapes->arena, sizeof(*s));

	if (s) {
		*s = *wanted;
		if (tsearch(s, &shapes->tree, shape_compare))
			return s;
	}
	shapes->out_of_memory = true;
	return NULL;
}

static const struct ms_go_shape *shape_of(struct ms_go_shapes *shapes, Dwarf_Die *type,
					  enum ms_go_reach reach, unsigned depth)
{
	struct ms_go_shape wanted = { .die = dwarf_dieoffset(type), .reach = reach };
	struct ms_go_shape *const *found = tfind(&wanted, &shapes->tree, shape_compare);
	struct ms_go_shape *s = found ? *found : NULL;

	if (!found && depth < DEPTH_MAX && entry_count(shapes)) {
		s = shape_put(shapes, &wanted);
		if (s)
			fill(shapes, s, type, depth);
	}
	return s && s->kind != MS_GO_SHAPE_NOTHING ? s : NULL;
}

const struct ms_go_shape *ms_go_shapes_of(struct ms_go_shapes *shapes, Dwarf_Die *type,
					  enum ms_go_reach reach)
{
	return shape_of(shapes, type, reach, 0);
}

static void keep(void *shape)
{
	(void)shape; // The arena owns it.
}

void ms_go_shapes_deinit(struct ms_go_shapes *shapes)
{
	tdestroy(shapes->tree, keep);
	ms_arena_deinit(&shapes->arena);
	*shapes = (struct ms_go_shapes){ 0 };
}
