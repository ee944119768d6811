// Goal: a plan says what a walk has to do at a value of a type, for every kind of type and both
// kinds of maps; of what is too large, too deep or damaged there is no plan rather than half a one.
// Method: descriptors made by hand (tests/support/fake_types.h); a plan is written out as a text.
#include "walk/plan.h"

#include "tests/support/fake_types.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>

struct fixture {
	struct fake_types types;
	struct ms_labels labels;
	struct ms_plans plans;
	ms_addr number, text;
	char written[4096];
};

static struct fixture *fixture_create(int release, unsigned experiments)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const struct ms_go_layout *layout = ms_go_layout_find(release, MS_ARCH_AMD64, experiments);

	CHECK(f && layout);
	fake_types_init(&f->types, layout);
	f->number = fake_type_plain(&f->types, FAKE_KIND_INT, "int", 8);
	f->text = fake_type_string(&f->types);
	return f;
}

static struct fixture *swiss(void)
{
	return fixture_create(MS_GO(1, 24), MS_GO_EXP_SWISS);
}

/** After the types were made. */
static void plans_begin(struct fixture *f)
{
	CHECK_OK(ms_plans_init(fake_types_load(&f->types), f->types.layout, &f->labels, &f->plans));
}

static void fixture_destroy(struct fixture *f)
{
	ms_plans_deinit(&f->plans);
	ms_labels_deinit(&f->labels);
	fake_types_deinit(&f->types);
	free(f);
}

static const char *op_name(const struct ms_op *op)
{
	static const char *const names[] = {
		"value", "pointer", "slice",   "string", "eface", "iface",     "map",
		"chan",  "func",    "untyped", "pool",   "trie",  "trie node",
	};

	return names[op->kind];
}

/** "map 8 .byID map[string]int; pointer 16 x4/8 .list[] main.T" */
static const char *written(struct fixture *f, ms_addr type)
{
	ms_plan_id id = ms_plans_get(&f->plans, type);
	struct ms_plan plan = *ms_plans_ready(&f->plans, id);
	size_t at = 0;

	f->written[0] = 0;
	for (uint32_t i = 0; i < plan.op_count; i++) {
		const struct ms_op *op = &f->plans.ops[plan.first_op + i];
		const char *to = f->labels.texts[ms_plans_at(&f->plans, op->type)->name];
		char repeat[32] = "";

		if (op->repeat != 1)
			snprintf(repeat, sizeof(repeat), " x%u/%u", op->repeat, op->stride);
		at += (size_t)snprintf(f->written + at, sizeof(f->written) - at,
				       "%s%s %u%s%s%s%s%s", i ? "; " : "", op_name(op), op->offset,
				       repeat, op->path ? " " : "", f->labels.texts[op->path],
				       op->type ? " " : "", op->type ? to : "");
		CHECK(at < sizeof(f->written));
	}
	return f->written;
}

static const struct ms_plan *plan_of(struct fixture *f, ms_addr type)
{
	return ms_plans_ready(&f->plans, ms_plans_get(&f->plans, type));
}

MS_TEST(plan_of_each_kind_of_type)
{
	struct fixture *f = swiss();
	struct fake_types *t = &f->types;
	ms_addr holder = fake_type_struct(t, "main.T", "main",
					  (struct fake_field[]){ { "p", f->text, 0 } }, 1, 16);
	ms_addr pointer = fake_type_pointer(t, "*main.T", holder);
	ms_addr slice = fake_type_slice(t, "[]int", f->number);
	ms_addr map = fake_type_map(t, "map[string]int", f->text, f->number);
	ms_addr chan = fake_type_chan(t, "chan *main.T", pointer);
	ms_addr any = fake_type_interface(t, "interface {}", 0);
	ms_addr reader = fake_type_interface(t, "io.Reader", 1);
	ms_addr func = fake_type(t, FAKE_KIND_FUNC, "func()", 8, 8);
	ms_addr raw = fake_type(t, FAKE_KIND_UNSAFE_POINTER, "unsafe.Pointer", 8, 8);

	plans_begin(f);
	CHECK_STR(written(f, f->number), "");
	CHECK_STR(written(f, f->text), "string 0");
	CHECK_STR(written(f, pointer), "pointer 0 main.T");
	CHECK_STR(written(f, slice), "slice 0 int");
	CHECK_STR(written(f, map), "map 0 map[string]int");
	CHECK_STR(written(f, chan), "chan 0 *main.T");
	CHECK_STR(written(f, any), "eface 0");
	CHECK_STR(written(f, reader), "iface 0");
	CHECK_STR(written(f, func), "func 0");
	CHECK_STR(written(f, raw), "untyped 0");
	CHECK_STR(written(f, holder), "string 0 .p");
	CHECK_EQ(plan_of(f, holder)->labels, MS_LABELS_OWN);
	CHECK_EQ(plan_of(f, slice)->labels, MS_LABELS_ON);
	CHECK(plan_of(f, pointer)->is_direct && plan_of(f, map)->is_direct);
	CHECK(plan_of(f, func)->is_direct && !plan_of(f, slice)->is_direct);
	CHECK(!f->plans.cut && !f->plans.out_of_memory);
	CHECK_EQ(ms_plans_get(&f->plans, map), ms_plans_get(&f->plans, map));
	fixture_destroy(f);
}

MS_TEST(plan_takes_structs_and_arrays_apart)
{
	struct fixture *f = swiss();
	struct fake_types *t = &f->types;
	ms_addr map = fake_type_map(t, "map[string]int", f->text, f->number);
	ms_addr inner = fake_type_struct(
	    t, "main.Inner", "main",
	    (struct fake_field[]){ { "count", f->number, 0 }, { "byID", map, 8 } }, 2, 16);
	ms_addr row = fake_type_array(t, "[3]main.Inner", inner, 3);
	ms_addr grid = fake_type_array(t, "[2][3]main.Inner", row, 2);
	ms_addr outer = fake_type_struct(t, "main.Outer", "main",
					 (struct fake_field[]){ { "name", f->text, 0 },
								{ "in", inner, 16 },
								{ "row", row, 32 },
								{ "grid", grid, 80 },
								{ "last", map, 176 } },
					 5, 184);

	plans_begin(f);
	CHECK_STR(written(f, outer),
		  "string 0 .name; map 24 .in.byID map[string]int; "
		  "map 40 x3/16 .row[].byID map[string]int; "
		  "map 88 x2/48 .grid[].byID map[string]int; "
		  "map 104 x2/48 .grid[].byID map[string]int; "
		  "map 120 x2/48 .grid[].byID map[string]int; map 176 .last map[string]int");
	CHECK_STR(written(f, row), "map 8 x3/16 [].byID map[string]int");
	CHECK(!f->plans.cut);
	fixture_destroy(f);
}

MS_TEST(plan_of_an_interface_word_that_is_the_value)
{
	struct fixture *f = swiss();
	struct fake_types *t = &f->types;
	ms_addr map = fake_type_map(t, "map[string]int", f->text, f->number);
	ms_addr one =
	    fake_type_struct(t, "main.One", "main", (struct fake_field[]){ { "m", map, 0 } }, 1, 8);
	ms_addr row = fake_type_array(t, "[1]main.One", one, 1);
	ms_addr two =
	    fake_type_struct(t, "main.Two", "main",
			     (struct fake_field[]){ { "m", map, 0 }, { "n", map, 8 } }, 2, 16);

	plans_begin(f);
	CHECK(plan_of(f, one)->is_direct);
	CHECK(plan_of(f, row)->is_direct);
	CHECK(!plan_of(f, two)->is_direct);
	CHECK(!plan_of(f, f->number)->is_direct);
	fixture_destroy(f);
}

/** A map of strings to pointers in this release: what its table's plan is. */
static void check_table(int release, unsigned experiments, const char *name, const char *want)
{
	struct fixture *f = fixture_create(release, experiments);
	struct fake_types *t = &f->types;
	ms_addr pointer = fake_type_pointer(t, "*int", f->number);
	ms_addr map = fake_type_map(t, "map[string]*int", f->text, pointer);
	ms_addr plain = fake_type_map(t, "map[int]int", f->number, f->number);
	const struct ms_plan *plan;
	ms_addr table;

	plans_begin(f);
	plan = plan_of(f, map);
	table = plan->table;
	CHECK_EQ(plan->key, ms_plans_get(&f->plans, f->text));
	CHECK_EQ(plan->elem, ms_plans_get(&f->plans, pointer));
	CHECK_EQ(plan->table_plan, ms_plans_get(&f->plans, table));
	CHECK_STR(f->labels.texts[plan_of(f, table)->name], name);
	CHECK_EQ(plan_of(f, table)->labels, MS_LABELS_HOLDERS);
	CHECK_STR(written(f, table), want);
	CHECK_EQ(plan_of(f, plan_of(f, plain)->table)->pointer_bytes, 0);
	fixture_destroy(f);
}

MS_TEST(plan_of_a_classic_bucket)
{
	check_table(MS_GO(1, 20), 0, "map.bucket[string]*int",
		    "value 0 x8/1 uint8; value 8 x8/16 string; value 136 x8/8 *int; "
		    "pointer 200 map.bucket[string]*int");
}

MS_TEST(plan_of_a_swiss_group)
{
	check_table(MS_GO(1, 24), MS_GO_EXP_SWISS, "map.group[string]*int",
		    "value 8 x8/24 string; value 24 x8/24 *int");
}

MS_TEST(plan_of_a_split_group)
{
	check_table(MS_GO(1, 27), MS_GO_EXP_SWISS | MS_GO_EXP_GREENTEA | MS_GO_EXP_SPLIT_GROUP,
		    "map.group[string]*int", "value 8 x8/16 string; value 136 x8/8 *int");
}

MS_TEST(plan_of_an_atomic_pointer_leads_to_its_type)
{
	struct fixture *f = swiss();
	struct fake_types *t = &f->types;
	ms_addr pointer = fake_type_pointer(t, "*int", f->number);
	ms_addr none = fake_type_array(t, "[0]*int", pointer, 0);
	ms_addr raw = fake_type(t, FAKE_KIND_UNSAFE_POINTER, "unsafe.Pointer", 8, 8);
	const struct fake_field fields[] = { { "_", none, 0 }, { "v", raw, 0 } };
	ms_addr atomic = fake_type_struct(t, "atomic.Pointer[int]", "sync/atomic", fields, 2, 8);
	ms_addr other = fake_type_struct(t, "atomic.Pointer[int]", "main/atomic", fields, 2, 8);
	ms_addr holder = fake_type_struct(t, "main.T", "main",
					  (struct fake_field[]){ { "at", atomic, 0 } }, 1, 8);

	plans_begin(f);
	CHECK_STR(written(f, holder), "pointer 0 .at int");
	CHECK_STR(written(f, atomic), "pointer 0 int");
	CHECK_EQ(plan_of(f, atomic)->labels, MS_LABELS_HOLDERS);
	CHECK_STR(written(f, other), "untyped 0 .v");
	fixture_destroy(f);
}

MS_TEST(plan_of_a_pool_is_its_local_arrays)
{
	struct fixture *f = swiss();
	struct fake_types *t = &f->types;
	ms_addr any = fake_type_interface(t, "interface {}", 0);
	ms_addr raw = fake_type(t, FAKE_KIND_UNSAFE_POINTER, "unsafe.Pointer", 8, 8);
	ms_addr local = fake_type_struct(t, "sync.poolLocal", "sync",
					 (struct fake_field[]){ { "private", any, 0 } }, 1, 128);
	ms_addr pool = fake_type_struct(t, "sync.Pool", "sync",
					(struct fake_field[]){ { "local", raw, 0 },
							       { "localSize", f->number, 8 },
							       { "victim", raw, 16 },
							       { "victimSize", f->number, 24 } },
					4, 32);

	plans_begin(f);
	CHECK_STR(written(f, pool), "pool 16 sync.poolLocal; pool 0 sync.poolLocal");
	CHECK_STR(written(f, local), "eface 0");
	fixture_destroy(f);
}

MS_TEST(plan_of_a_pool_without_its_insides_is_its_fields)
{
	struct fixture *f = swiss();
	ms_addr raw = fake_type(&f->types, FAKE_KIND_UNSAFE_POINTER, "unsafe.Pointer", 8, 8);
	ms_addr pool = fake_type_struct(
	    &f->types, "sync.Pool", "sync",
	    (struct fake_field[]){ { "local", raw, 0 }, { "victim", raw, 16 } }, 2, 32);

	plans_begin(f);
	CHECK_STR(written(f, pool), "untyped 0; untyped 16");
	fixture_destroy(f);
}

MS_TEST(plan_of_an_entry_of_an_old_sync_map_leads_to_anything)
{
	struct fixture *f = fixture_create(MS_GO(1, 18), 0);
	ms_addr raw = fake_type(&f->types, FAKE_KIND_UNSAFE_POINTER, "unsafe.Pointer", 8, 8);
	ms_addr entry = fake_type_struct(&f->types, "sync.entry", "sync",
					 (struct fake_field[]){ { "p", raw, 0 } }, 1, 8);

	plans_begin(f);
	CHECK_STR(written(f, entry), "pointer 0 interface {}");
	CHECK_EQ(ms_plans_at(&f->plans, f->plans.any)->bytes, 16);
	fixture_destroy(f);
}

/** internal/sync.HashTrieMap[any,any] with all it needs. */
static void trie_make(struct fixture *f, ms_addr *ret_trie, ms_addr *ret_branch, ms_addr *ret_entry)
{
	struct fake_types *t = &f->types;
	ms_addr flag = fake_type_plain(t, 1, "bool", 1);
	ms_addr raw = fake_type(t, FAKE_KIND_UNSAFE_POINTER, "unsafe.Pointer", 8, 8);
	ms_addr any = fake_type_interface(t, "interface {}", 0);
	ms_addr node = fake_type_struct(t, "sync.node[K,V]", "internal/sync",
					(struct fake_field[]){ { "isEntry", flag, 0 } }, 1, 1);
	ms_addr to_node = fake_type_pointer(t, "*sync.node[K,V]", node);
	ms_addr none = fake_type_array(t, "[0]*sync.node[K,V]", to_node, 0);
	ms_addr atomic =
	    fake_type_struct(t, "atomic.Pointer[sync.node[K,V]]", "sync/atomic",
			     (struct fake_field[]){ { "_", none, 0 }, { "v", raw, 0 } }, 2, 8);
	ms_addr children = fake_type_array(t, "[16]atomic.Pointer", atomic, 16);

	*ret_entry = fake_type_struct(
	    t, "sync.entry[K,V]", "internal/sync",
	    (struct fake_field[]){ { "node", node, 0 }, { "key", any, 8 }, { "value", any, 24 } },
	    3, 40);
	*ret_branch = fake_type_struct(
	    t, "sync.indirect[K,V]", "internal/sync",
	    (struct fake_field[]){ { "node", node, 0 }, { "children", children, 8 } }, 2, 136);
	*ret_trie = fake_type_struct(
	    t, "sync.HashTrieMap[K,V]", "internal/sync",
	    (struct fake_field[]){ { "inited", f->number, 0 }, { "root", atomic, 8 } }, 2, 16);
}

MS_TEST(plan_of_a_hash_trie_knows_its_nodes)
{
	struct fixture *f = swiss();
	ms_addr trie, branch, entry, holder;

	trie_make(f, &trie, &branch, &entry);
	holder = fake_type_struct(
	    &f->types, "main.T", "main",
	    (struct fake_field[]){ { "n", f->number, 0 }, { "sessions", trie, 8 } }, 2, 24);
	plans_begin(f);
	CHECK_STR(written(f, holder), "trie 16 .sessions sync.indirect[K,V]");
	CHECK_EQ(f->plans.ops[plan_of(f, holder)->first_op].back, 8);
	CHECK_STR(written(f, branch), "trie node 8 x16/8 sync.indirect[K,V]");
	CHECK_STR(written(f, entry), "eface 8; eface 24");
	CHECK(plan_of(f, entry)->is_trie_entry);
	CHECK(!plan_of(f, branch)->is_trie_entry);
	CHECK_EQ(plan_of(f, entry)->labels, MS_LABELS_HOLDERS);
	fixture_destroy(f);
}

MS_TEST(plan_of_a_closure_is_of_values_that_name_themselves)
{
	struct fixture *f = swiss();
	struct fake_types *t = &f->types;
	ms_addr code = fake_type_plain(t, FAKE_KIND_UINTPTR, "uintptr", 8);
	ms_addr map = fake_type_map(t, "map[string]int", f->text, f->number);
	ms_addr inner = fake_type_struct(t, "main.Inner", "main",
					 (struct fake_field[]){ { "m", map, 0 } }, 1, 8);
	ms_addr closure = fake_type_struct(
	    t, "struct { F uintptr; X0 main.Inner; orders map }", NULL,
	    (struct fake_field[]){ { "F", code, 0 }, { "X0", inner, 8 }, { "orders", map, 16 } }, 3,
	    24);

	plans_begin(f);
	CHECK_STR(written(f, closure), "value 8 main.Inner; map 16 .orders map[string]int");
	CHECK_EQ(plan_of(f, closure)->labels, MS_LABELS_ON);
	fixture_destroy(f);
}

MS_TEST(plan_of_long_paths_leaves_out_what_does_not_fit)
{
	struct fixture *f = swiss();
	struct fake_types *t = &f->types;
	ms_addr type = fake_type_map(t, "map[string]int", f->text, f->number);
	char name[201];

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	for (unsigned i = 0; i < 5; i++)
		type = fake_type_struct(t, "main.T", "main",
					(struct fake_field[]){ { name, type, 0 } }, 1, 8);
	plans_begin(f);
	CHECK_EQ(plan_of(f, type)->op_count, 1);
	CHECK(strlen(f->labels.texts[f->plans.ops[plan_of(f, type)->first_op].path]) < 512);
	fixture_destroy(f);
}

/** Nothing is known of this type, and that is said. */
static void check_no_plan(struct fixture *f, ms_addr type)
{
	CHECK_STR(written(f, type), "");
	CHECK(f->plans.cut);
	CHECK(!f->plans.out_of_memory);
	f->plans.cut = false;
}

MS_TEST(plan_of_a_type_too_deep_is_none)
{
	struct fixture *f = swiss();
	ms_addr type = f->text, shallow = 0;

	for (unsigned i = 0; i < 20; i++) {
		type = fake_type_struct(
		    &f->types, "main.T", "main",
		    (struct fake_field[]){ { "a", f->text, 0 }, { "b", type, 16 } }, 2,
		    16 + fake_types_get(&f->types, type, f->types.layout->type_bytes));
		if (i == 9)
			shallow = type;
	}
	plans_begin(f);
	check_no_plan(f, type);
	CHECK_EQ(plan_of(f, shallow)->op_count, 11);
	CHECK(!f->plans.cut);
	fixture_destroy(f);
}

MS_TEST(plan_of_a_type_too_large_is_none)
{
	struct fixture *f = swiss();
	struct fake_types *t = &f->types;
	ms_addr row = fake_type_array(t, "[9000]string", f->text, 9000);
	ms_addr grid = fake_type_array(t, "[2][9000]string", row, 2);
	ms_addr empty =
	    fake_type_array(t, "[9000][9000]int", fake_type_array(t, "x", f->number, 9000), 9000);

	plans_begin(f);
	check_no_plan(f, grid);
	CHECK_STR(written(f, row), "string 0 x9000/16 []");
	CHECK_STR(written(f, empty), "");
	CHECK(!f->plans.cut);
	fixture_destroy(f);
}

MS_TEST(plan_of_a_struct_that_holds_itself_is_none)
{
	struct fixture *f = swiss();
	struct fake_types *t = &f->types;
	ms_addr type = fake_type_struct(
	    t, "main.T", "main",
	    (struct fake_field[]){ { "a", f->text, 0 }, { "self", f->number, 16 } }, 2, 24);
	ms_addr fields = fake_types_get(t, type, t->layout->structtype_fields);

	fake_types_set(t, fields, t->layout->structfield_size + t->layout->structfield_type, type);
	plans_begin(f);
	check_no_plan(f, type);
	fixture_destroy(f);
}

MS_TEST(plan_of_a_tree_of_structs_without_pointers_ends)
{
	struct fixture *f = swiss();
	struct fake_types *t = &f->types;
	ms_addr type = fake_type(t, FAKE_KIND_INT, "int", 8, 8); // Says that it has pointers.
	struct fake_field fields[64];

	for (unsigned depth = 0; depth < 12; depth++) {
		for (size_t i = 0; i < MS_ARRAY_SIZE(fields); i++)
			fields[i] = (struct fake_field){ "x", type, 0 };
		type = fake_type_struct(t, "main.T", "main", fields, MS_ARRAY_SIZE(fields), 8);
	}
	plans_begin(f);
	check_no_plan(f, type); // 64^12 ways through it.
	fixture_destroy(f);
}

MS_TEST(plan_of_a_damaged_descriptor_is_none)
{
	struct fixture *f = swiss();
	const struct ms_go_layout *l = f->types.layout;
	struct fake_types *t = &f->types;
	struct fake_field fields[] = { { "p", f->text, 0 } };
	ms_addr odd_name = fake_type_struct(t, "main.\x01", "main", fields, 1, 16);
	ms_addr no_name = fake_type_struct(t, "main.A", "main", fields, 1, 16);
	ms_addr no_fields = fake_type_struct(t, "main.B", "main", fields, 1, 16);
	ms_addr far_fields = fake_type_struct(t, "main.C", "main", fields, 1, 16);
	ms_addr far_field = fake_type_struct(t, "main.D", "main", fields, 1, 16);
	ms_addr odd_pointers = fake_type_struct(t, "main.E", "main", fields, 1, 16);
	ms_addr huge = fake_type_struct(t, "main.F", "main", fields, 1, (uint64_t)1 << 41);
	ms_addr no_kind = fake_type(t, 0, "main.G", 8, 8);
	ms_addr list = fake_types_get(t, far_field, l->structtype_fields);

	fake_types_set(t, no_name, l->type_str & ~7u, UINT64_MAX);
	fake_types_set(t, no_fields, l->structtype_fields + 8, UINT64_MAX);
	fake_types_set(t, no_fields, l->structtype_fields + 16, UINT64_MAX);
	fake_types_set(t, far_fields, l->structtype_fields, 0xc000000000);
	fake_types_set(t, list, l->structfield_type, 0xc000000000);
	fake_types_set(t, odd_pointers, l->type_ptrdata, 17);
	plans_begin(f);
	CHECK_EQ(ms_plans_get(&f->plans, odd_name), 0);
	CHECK_EQ(ms_plans_get(&f->plans, no_name), 0);
	CHECK_EQ(ms_plans_get(&f->plans, odd_pointers), 0);
	CHECK_EQ(ms_plans_get(&f->plans, huge), 0);
	CHECK_EQ(ms_plans_get(&f->plans, no_kind), 0);
	CHECK_EQ(ms_plans_get(&f->plans, 0), 0);
	CHECK_EQ(ms_plans_get(&f->plans, no_fields + 4), 0);
	CHECK_EQ(ms_plans_get(&f->plans, FAKE_TYPES + FAKE_TYPES_BYTES), 0);
	CHECK_EQ(ms_plans_get(&f->plans, FAKE_TYPES + FAKE_TYPES_BYTES - 8), 0);
	CHECK_STR(written(f, no_fields), "");
	CHECK_STR(written(f, far_fields), "");
	check_no_plan(f, far_field);
	fixture_destroy(f);
}

MS_TEST(plan_of_a_map_without_its_parts_has_none)
{
	struct fixture *f = swiss();
	const struct ms_go_layout *l = f->types.layout;
	ms_addr map = fake_type_map(&f->types, "map[string]int", f->text, f->number);
	ms_addr pointer = fake_type_pointer(&f->types, "*T", f->number);

	fake_types_set(&f->types, map, l->maptype_key, 0xc000000000);
	fake_types_set(&f->types, map, l->maptype_group, map + 4);
	fake_types_set(&f->types, pointer, l->ptrtype_elem, 0xc000000000);
	plans_begin(f);
	CHECK_EQ(plan_of(f, map)->key, 0);
	CHECK_EQ(plan_of(f, map)->elem, ms_plans_get(&f->plans, f->number));
	CHECK_EQ(plan_of(f, map)->table_plan, 0);
	CHECK_STR(written(f, pointer), "pointer 0");
	fixture_destroy(f);
}

MS_TEST(plans_of_noise_are_bounded)
{
	struct fixture *f = swiss();
	size_t from = f->types.used;

	for (size_t i = from; i < sizeof(f->types.bytes); i++)
		f->types.bytes[i] = (uint8_t)ms_test_random();
	for (size_t i = from; i + 192 < sizeof(f->types.bytes); i += 192) {
		size_t at = (size_t)ms_round_up(i, 8) + f->types.layout->type_ptrdata;

		memset(f->types.bytes + at + 1, 0, 7);
		f->types.bytes[at] &= 0x78;
	}
	plans_begin(f);
	for (ms_addr at = FAKE_TYPES; at < FAKE_TYPES + FAKE_TYPES_BYTES; at += 8) {
		ms_plan_id id = ms_plans_get(&f->plans, at);

		CHECK(ms_plans_ready(&f->plans, id)->op_count <= 8192);
	}
	fixture_destroy(f);
}
