// seed_walk.c - a program for walk_fuzz.c: one variable for each kind of type, and what it holds.
#include "tests/fuzz/seed.h"
#include "tests/support/fake_heap.h"

#include <stdlib.h>

enum { TYPES_BYTES = 0x4000, OBJECTS = 128, VARIABLES = 32 };

struct builder {
	struct fake_heap *h;
	struct fake_types *t;
	ms_addr number, text, any, raw, flag;
	ms_addr map, node, pointer, closure;
	struct {
		ms_addr at, type;
		size_t size;
		uint8_t bits;
	} objects[OBJECTS];
	size_t object_count;
	struct {
		uint8_t shape;
		ms_addr type, elem, words[3];
	} variables[VARIABLES];
	size_t variable_count;
};

static ms_addr object(struct builder *b, size_t size, ms_addr type, uint8_t bits)
{
	ms_addr at = bits & 1 ? fake_heap_new_plain(b->h, size) : fake_heap_new(b->h, size, type);

	if (b->object_count == OBJECTS)
		abort();
	b->objects[b->object_count].at = at;
	b->objects[b->object_count].type = type;
	b->objects[b->object_count].size = size;
	b->objects[b->object_count++].bits = bits;
	return at;
}

static void set(struct builder *b, ms_addr at, uint64_t offset, uint64_t value)
{
	fake_heap_set(b->h, at, offset, value);
}

static void variable(struct builder *b, enum ms_go_typed_shape shape, ms_addr type, ms_addr first,
		     ms_addr second, ms_addr third)
{
	if (b->variable_count == VARIABLES)
		abort();
	b->variables[b->variable_count].shape = (uint8_t)shape;
	b->variables[b->variable_count].type = type;
	b->variables[b->variable_count].words[0] = first;
	b->variables[b->variable_count].words[1] = second;
	b->variables[b->variable_count++].words[2] = third;
}

static void value(struct builder *b, ms_addr type, ms_addr first)
{
	variable(b, MS_GO_TYPED_VALUE, type, first, 0, 0);
}

/** A map with one entry, at @p at in its slot when that is not 0. */
static ms_addr map_make(struct builder *b, ms_addr type, ms_addr held)
{
	const struct ms_go_layout *l = b->h->layout;
	bool swiss = l->maps == MS_GO_MAPS_SWISS, split = l->experiments & MS_GO_EXP_SPLIT_GROUP;
	ms_addr table_type =
	    fake_types_get(b->t, type, swiss ? l->maptype_group : l->maptype_bucket);
	size_t bytes = (size_t)fake_types_get(b->t, table_type, l->type_bytes);
	bool pointers = fake_types_get(b->t, table_type, l->type_ptrdata);
	ms_addr table = object(b, bytes, table_type, !pointers);
	ms_addr map = object(b, swiss ? l->map_size : l->hmap_size, 0, 2);

	set(b, table, 0, swiss ? 0x8080808080808001 : 0x20);
	if (held)
		set(b, table, swiss && !split ? 24 : 8 + 8 * 16, held);
	if (swiss) {
		set(b, map, l->map_used, 1);
		set(b, map, l->map_seed, 0x12345678);
		set(b, map, l->map_dir_ptr, table);
	} else {
		set(b, map, l->hmap_count, 1);
		set(b, map, l->hmap_flags, (uint64_t)0x12345678 << 32);
		set(b, map, l->hmap_buckets, table);
	}
	return map;
}

/** A Swiss map with a directory of two places for one table. */
static ms_addr large_map_make(struct builder *b, ms_addr type, ms_addr held)
{
	const struct ms_go_layout *l = b->h->layout;
	ms_addr group_type = fake_types_get(b->t, type, l->maptype_group);
	size_t bytes = (size_t)fake_types_get(b->t, group_type, l->type_bytes);
	ms_addr groups = object(b, 2 * bytes, group_type, 0);
	ms_addr table = object(b, l->table_size, 0, 0), directory = object(b, 16, 0, 0);
	ms_addr map = object(b, l->map_size, 0, 2);

	set(b, groups, bytes, 0x8080808080808001);
	set(b, groups, bytes + (l->experiments & MS_GO_EXP_SPLIT_GROUP ? 8 + 8 * 16 : 24), held);
	set(b, table, l->table_groups, groups);
	set(b, table, l->table_length_mask, 1);
	set(b, directory, 0, table);
	set(b, directory, 8, table);
	set(b, map, l->map_used, 9);
	set(b, map, l->map_seed, 0x12345678);
	set(b, map, l->map_dir_ptr, directory);
	set(b, map, l->map_dir_len, 2);
	set(b, map, l->map_global_depth, 1 | 63 << 8); // The shift stands behind it.
	return map;
}

static ms_addr node_make(struct builder *b, ms_addr next, ms_addr map)
{
	ms_addr at = object(b, 16, 0, 0);

	set(b, at, 0, next);
	set(b, at, 8, map);
	return at;
}

static void base_types(struct builder *b)
{
	struct fake_types *t = b->t;

	b->number = fake_type_plain(t, FAKE_KIND_INT, "int", 8);
	b->flag = fake_type_plain(t, 1, "bool", 1);
	b->text = fake_type_string(t);
	b->any = fake_type_interface(t, "interface {}", 0);
	b->raw = fake_type(t, FAKE_KIND_UNSAFE_POINTER, "unsafe.Pointer", 8, 8);
	b->map = fake_type_map(t, "map[string]int", b->text, b->number);
	b->pointer = fake_type_pointer(t, "*main.Node", b->number);
	b->node = fake_type_struct(
	    t, "main.Node", "main",
	    (struct fake_field[]){ { "next", b->pointer, 0 }, { "byID", b->map, 8 } }, 2, 16);
	fake_types_set(t, b->pointer, b->h->layout->ptrtype_elem, b->node);
}

static void plain_holders(struct builder *b)
{
	struct fake_types *t = b->t;
	ms_addr nested = fake_type_map(t, "map[string]map", b->text, b->map);
	ms_addr slice = fake_type_slice(t, "[]*main.Node", b->pointer);
	ms_addr row = fake_type_array(t, "[2]main.Node", b->node, 2);
	ms_addr grid = fake_type_array(t, "[2][2]main.Node", row, 2);
	ms_addr list = object(b, 24, 0, 0);
	ms_addr wide = object(b, 800, fake_type_array(t, "[50]main.Node", b->node, 50), 0);

	set(b, list, 16, node_make(b, 0, map_make(b, b->map, 0)));
	set(b, wide, 408, map_make(b, b->map, 0));
	value(b, nested, map_make(b, nested, map_make(b, b->map, 0)));
	if (b->h->layout->maps == MS_GO_MAPS_SWISS)
		value(b, nested, large_map_make(b, nested, map_make(b, b->map, 0)));
	value(b, b->pointer, node_make(b, node_make(b, 0, 0), map_make(b, b->map, 0)));
	variable(b, MS_GO_TYPED_VALUE, slice, list, 3, 3);
	variable(b, MS_GO_TYPED_SLICE, b->pointer, list, 3, 3);
	variable(b, MS_GO_TYPED_POINTER, b->node, node_make(b, 0, 0), 0, 0);
	variable(b, MS_GO_TYPED_MAP, b->text, map_make(b, b->map, 0), 0, 0);
	b->variables[b->variable_count - 1].elem = b->number;
	value(b, fake_type_pointer(t, "*[2][2]main.Node", grid), object(b, 64, 0, 0));
	value(b, b->raw, wide);
	value(b, b->text, object(b, 32, 0, 1));
}

static void indirect_holders(struct builder *b)
{
	struct fake_types *t = b->t;
	const struct ms_go_layout *l = b->h->layout;
	ms_addr reader = fake_type_interface(t, "io.Reader", 1);
	ms_addr func = fake_type(t, FAKE_KIND_FUNC, "func()", 8, 8);
	ms_addr code = fake_type_plain(t, FAKE_KIND_UINTPTR, "uintptr", 8);
	ms_addr chan = fake_type_chan(t, "chan *main.Node", b->pointer);
	ms_addr queue = object(b, 96, 0, 0), buffer = object(b, 32, 0, 0);
	ms_addr closure = object(b, 32, 0, 0), other = object(b, 32, 0, 0);
	ms_addr direct = fake_type_struct(t, "main.One", "main",
					  (struct fake_field[]){ { "m", b->map, 0 } }, 1, 8);

	b->closure = fake_type_struct(
	    t, "struct { F uintptr; X0 main.Node; R map }", NULL,
	    (struct fake_field[]){ { "F", code, 0 }, { "X0", b->node, 8 }, { "R", b->map, 24 } }, 3,
	    32);
	set(b, closure, 0, fake_heap_entry(FAKE_FN_CLOSURE));
	set(b, closure, 24, map_make(b, b->map, 0));
	set(b, other, 0, fake_heap_entry(FAKE_FN_WORKER));
	set(b, other, 16, map_make(b, b->map, 0));
	set(b, queue, l->hchan_dataqsiz, 4);
	set(b, queue, l->hchan_buf, buffer);
	set(b, buffer, 8, node_make(b, 0, map_make(b, b->map, 0)));
	value(b, func, closure);
	value(b, func, other);
	value(b, chan, queue);
	variable(b, MS_GO_TYPED_VALUE, b->any, b->map, map_make(b, b->map, 0), 0);
	variable(b, MS_GO_TYPED_VALUE, b->any, direct, map_make(b, b->map, 0), 0);
	variable(b, MS_GO_TYPED_VALUE, b->any, b->node, node_make(b, 0, 0), 0);
	// The first word leads to the two that follow in the next variable: an itab.
	variable(b, MS_GO_TYPED_VALUE, reader, FAKE_VARIABLES + (b->variable_count + 1) * 24,
		 node_make(b, 0, map_make(b, b->map, 0)), 0);
	variable(b, MS_GO_TYPED_VALUE, b->number, reader, b->pointer, 0);
}

static ms_addr atomic_make(struct builder *b, const char *name, ms_addr elem)
{
	ms_addr none = fake_type_array(b->t, "[0]*T", fake_type_pointer(b->t, "*T", elem), 0);

	return fake_type_struct(b->t, name, "sync/atomic",
				(struct fake_field[]){ { "_", none, 0 }, { "v", b->raw, 0 } }, 2,
				8);
}

static void trie_holder(struct builder *b)
{
	struct fake_types *t = b->t;
	ms_addr node = fake_type_struct(t, "sync.node[K,V]", "internal/sync",
					(struct fake_field[]){ { "isEntry", b->flag, 0 } }, 1, 1);
	ms_addr to_node = atomic_make(b, "atomic.Pointer[sync.node[K,V]]", node);
	ms_addr children = fake_type_array(t, "[16]atomic.Pointer", to_node, 16);
	ms_addr trie = fake_type_struct(
	    t, "sync.HashTrieMap[K,V]", "internal/sync",
	    (struct fake_field[]){ { "inited", b->number, 0 }, { "root", to_node, 8 } }, 2, 16);
	ms_addr map =
	    fake_type_struct(t, "sync.Map", "sync",
			     (struct fake_field[]){ { "_", b->flag, 0 }, { "m", trie, 8 } }, 2, 24);
	ms_addr top = object(b, 136, 0, 0), below = object(b, 136, 0, 0);
	ms_addr entry = object(b, 48, 0, 0), whole = object(b, 24, 0, 0);

	fake_type_struct(t, "sync.entry[K,V]", "internal/sync",
			 (struct fake_field[]){
			     { "node", node, 0 }, { "key", b->any, 8 }, { "value", b->any, 24 } },
			 3, 40);
	fake_type_struct(t, "sync.indirect[K,V]", "internal/sync",
			 (struct fake_field[]){ { "node", node, 0 }, { "children", children, 8 } },
			 2, 136);
	set(b, top, 8, below);
	set(b, below, 32, entry);
	set(b, entry, 0, 1);
	set(b, entry, 24, b->map);
	set(b, entry, 32, map_make(b, b->map, 0));
	set(b, whole, 16, top);
	value(b, fake_type_pointer(t, "*sync.Map", map), whole);
}

static void sync_holders(struct builder *b)
{
	struct fake_types *t = b->t;
	ms_addr pool = fake_type_struct(t, "sync.Pool", "sync",
					(struct fake_field[]){ { "local", b->raw, 0 },
							       { "localSize", b->number, 8 },
							       { "victim", b->raw, 16 },
							       { "victimSize", b->number, 24 } },
					4, 32);
	ms_addr entry = fake_type_struct(t, "sync.entry", "sync",
					 (struct fake_field[]){ { "p", b->raw, 0 } }, 1, 8);
	ms_addr eface = fake_type_struct(
	    t, "sync.eface", "sync",
	    (struct fake_field[]){ { "typ", b->raw, 0 }, { "val", b->raw, 8 } }, 2, 16);
	ms_addr locals = object(b, 32, 0, 0), pools = object(b, 32, 0, 0),
		box = object(b, 16, 0, 0);
	ms_addr face = object(b, 16, 0, 0), held = object(b, 8, 0, 0);

	// Found by its name.
	fake_type_struct(t, "sync.poolLocal", "sync",
			 (struct fake_field[]){ { "private", b->any, 0 } }, 1, 16);
	set(b, locals, 16, b->map);
	set(b, locals, 24, map_make(b, b->map, 0));
	set(b, pools, 0, locals);
	set(b, pools, 8, 2);
	set(b, box, 0, b->map);
	set(b, box, 8, map_make(b, b->map, 0));
	set(b, face, 0, b->pointer);
	set(b, face, 8, node_make(b, 0, 0));
	set(b, held, 0, box);
	value(b, fake_type_pointer(t, "*sync.Pool", pool), pools);
	value(b, fake_type_pointer(t, "*sync.entry", entry), held);
	value(b, fake_type_pointer(t, "*sync.eface", eface), face);
	value(b, atomic_make(b, "atomic.Pointer[main.Node]", b->node),
	      node_make(b, 0, map_make(b, b->map, 0)));
	trie_holder(b);
}

/** Types that no compiler makes. */
static void odd_holders(struct builder *b)
{
	struct fake_types *t = b->t;
	ms_addr self = fake_type_struct(t, "main.Self", "main",
					(struct fake_field[]){ { "in", b->text, 0 } }, 1, 16);
	ms_addr large = fake_type_array(t, "[2][9000]string",
					fake_type_array(t, "[9000]string", b->text, 9000), 2);
	ms_addr damaged = fake_type_struct(t, "main.Damaged", "main",
					   (struct fake_field[]){ { "p", b->pointer, 0 } }, 1, 16);
	const struct ms_go_layout *l = b->h->layout;

	fake_types_set(t, fake_types_get(t, self, l->structtype_fields), l->structfield_type, self);
	fake_types_set(t, damaged, l->structtype_fields + 8, UINT64_MAX);
	value(b, fake_type_pointer(t, "*main.Self", self), object(b, 16, 0, 0));
	value(b, fake_type_pointer(t, "*[2][9000]string", large), object(b, 32, 0, 0));
	value(b, fake_type_pointer(t, "*main.Damaged", damaged), object(b, 16, 0, 0));
}

static uint64_t offset_of(ms_addr type)
{
	return type ? type - FAKE_TYPES : 0;
}

static void builder_write(const struct builder *b, struct seed *s)
{
	seed_number(s, offset_of(b->closure), 4);
	seed_number(s, TYPES_BYTES, 2);
	seed_bytes(s, b->t->bytes, TYPES_BYTES);
	seed_number(s, b->variable_count, 1);
	for (size_t i = 0; i < b->variable_count; i++) {
		seed_number(s, b->variables[i].shape, 1);
		seed_number(s, offset_of(b->variables[i].type), 4);
		seed_number(s, offset_of(b->variables[i].elem), 4);
		for (size_t k = 0; k < 3; k++)
			seed_number(s, b->variables[i].words[k], 8);
	}
	for (size_t i = 0; i < b->object_count; i++) {
		seed_number(s, b->objects[i].bits, 1);
		seed_number(s, b->objects[i].size, 2);
		seed_number(s, offset_of(b->objects[i].type), 4);
		seed_bytes(s, b->h->objects + (b->objects[i].at - FAKE_OBJECTS),
			   b->objects[i].size);
	}
}

void seed_walk(struct seed *s, const struct ms_go_layout *layout)
{
	struct builder *b = calloc(1, sizeof(*b));

	if (!b)
		abort();
	b->h = fake_heap_create(layout);
	b->t = &b->h->types;
	b->t->texts_from = TYPES_BYTES; // Few types need little room.
	base_types(b);
	plain_holders(b);
	indirect_holders(b);
	sync_holders(b);
	odd_holders(b);
	builder_write(b, s);
	fake_heap_destroy(b->h);
	free(b);
}
