// Goal: a walk says of each map which type it has, whose it is and how many hold it; what is torn,
// stale or a lie is passed over; and where a bound stops it, what it found so far is right.
// Method: small programs made by hand (tests/support/fake_heap.h), then the recordings.
#include "walk/walk.h"

#include "base/vec.h"
#include "golang/code_scan.h"
#include "tests/support/fake_heap.h"
#include "tests/support/recordings.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>

/** A program of which every test uses some types. */
struct program {
	struct fake_heap *h;
	struct fake_types *t;
	ms_addr number, text, any, reader;
	ms_addr map;     // map[string]int
	ms_addr pointer; // *main.Node
	ms_addr node;    // struct { next *main.Node; byID map[string]int }
	ms_addr nested;  // map[string]map[string]int
};

static const struct ms_walk_options no_bounds = { 0 };

static struct program *program_of(const struct ms_go_layout *layout)
{
	struct program *p = calloc(1, sizeof(*p));

	CHECK(p != NULL);
	p->h = fake_heap_create(layout);
	p->t = &p->h->types;
	p->number = fake_type_plain(p->t, FAKE_KIND_INT, "int", 8);
	p->text = fake_type_string(p->t);
	p->any = fake_type_interface(p->t, "interface {}", 0);
	p->reader = fake_type_interface(p->t, "io.Reader", 1);
	p->map = fake_type_map(p->t, "map[string]int", p->text, p->number);
	p->nested = fake_type_map(p->t, "map[string]map[string]int", p->text, p->map);
	p->pointer = fake_type_pointer(p->t, "*main.Node", p->number);
	p->node = fake_type_struct(
	    p->t, "main.Node", "main",
	    (struct fake_field[]){ { "next", p->pointer, 0 }, { "byID", p->map, 8 } }, 2, 16);
	fake_types_set(p->t, p->pointer, p->h->layout->ptrtype_elem, p->node);
	return p;
}

static struct program *program_create(void)
{
	return program_of(NULL);
}

static void program_destroy(struct program *p)
{
	fake_heap_destroy(p->h);
	free(p);
}

static void walk_with(struct program *p, const struct ms_walk_options *options)
{
	fake_heap_forget_types(p->h);
	CHECK_OK(ms_walk_run(&p->h->functions->rt, options, &p->h->report));
}

static const struct ms_walk_figures *figures(const struct program *p)
{
	return &p->h->report.coverage.walk;
}

static void walk(struct program *p)
{
	walk_with(p, &no_bounds);
	CHECK(!figures(p)->cut);
}

/** What is said of the map at @p map; NULL for nothing. */
static void check_map(const struct program *p, ms_addr map, const char *type, const char *owner,
		      unsigned owners)
{
	const struct ms_map_row *row = fake_heap_find(p->h, map);

	CHECK_EQ(row->type == NULL, type == NULL);
	if (type)
		CHECK_STR(row->type, type);
	CHECK_EQ(row->owner == NULL, owner == NULL);
	if (owner)
		CHECK_STR(row->owner, owner);
	CHECK_EQ(row->owners, owners);
}

static ms_addr node_new(struct program *p, ms_addr next, ms_addr map)
{
	ms_addr node = fake_heap_new(p->h, 16, 0);

	fake_heap_set(p->h, node, 0, next);
	fake_heap_set(p->h, node, 8, map);
	return node;
}

MS_TEST(walk_names_what_a_variable_holds)
{
	struct program *p = program_create();
	ms_addr map = fake_heap_map(p->h, p->map, NULL);
	ms_addr alone = fake_heap_map(p->h, p->map, NULL);

	fake_heap_variable(p->h, "main.orders", p->map, map);
	walk(p);
	check_map(p, map, "map[string]int", "main.orders", 1);
	check_map(p, alone, NULL, NULL, 0);
	CHECK_EQ(fake_heap_find(p->h, map)->type_source, MS_TYPE_WALK);
	CHECK_EQ(fake_heap_find(p->h, map)->live_bytes, 25);
	CHECK_EQ(fake_heap_find(p->h, map)->slack_bytes, 275);
	CHECK_EQ(p->h->report.coverage.typed, 1);
	CHECK_EQ(p->h->report.coverage.read, 2);
	CHECK_EQ(figures(p)->roots, 1);
	program_destroy(p);
}

/** Variables of @p words words each that have no name left, but a function that refers to them. */
static void nameless_make(struct program *p, unsigned count, unsigned words)
{
	struct ms_code_facts *facts = p->h->functions->rt.code_facts;

	facts->data = FAKE_VARIABLES;
	facts->table.text = fake_heap_entry(FAKE_FN_WORKER);
	facts->table.count = 1;
	facts->table.entries = calloc(2, sizeof(*facts->table.entries));
	facts->table.is_inner = calloc(1, 1);
	CHECK(facts->table.entries && facts->table.is_inner);
	for (unsigned i = 0; i < count; i++)
		CHECK(ms_vec_push(&facts->references,
				  ms_code_reference_make(i * words * 8, 0, MS_CODE_WRITES)));
}

MS_TEST(walk_names_variables_of_a_stripped_program_by_their_users)
{
	enum { COUNT = 300, WORDS = 3 };
	struct program *p = program_create();
	ms_addr maps[COUNT * WORDS];

	nameless_make(p, COUNT, WORDS);
	for (unsigned i = 0; i < COUNT * WORDS; i++) {
		maps[i] = fake_heap_map(p->h, p->map, NULL);
		fake_heap_set_word(p->h, FAKE_VARIABLES, i, maps[i]);
	}
	walk(p);
	for (unsigned i = 0; i < COUNT * WORDS; i++) {
		char owner[64];

		snprintf(owner, sizeof(owner), "%sglobal 0x%x (main.worker)",
			 i % WORDS ? "near " : "",
			 (unsigned)FAKE_VARIABLES + i / WORDS * WORDS * 8);
		check_map(p, maps[i], NULL, owner, 1);
	}
	program_destroy(p);
}

MS_TEST(walk_names_fields_of_types_and_their_root)
{
	struct program *p = program_create();
	ms_addr map = fake_heap_map(p->h, p->map, NULL);
	ms_addr first = node_new(p, node_new(p, 0, map), 0);

	fake_heap_variable(p->h, "main.list", p->pointer, first);
	walk(p);
	check_map(p, map, "map[string]int", "main.Node.byID <- main.list", 1);
	program_destroy(p);
}

static void check_nested(const struct ms_go_layout *layout, unsigned first, unsigned stride)
{
	struct program *p = program_of(layout);
	ms_addr table;
	ms_addr outer = fake_heap_map(p->h, p->nested, &table);
	ms_addr inner = fake_heap_map(p->h, p->map, NULL), left = fake_heap_map(p->h, p->map, NULL);

	fake_heap_set(p->h, table, first, inner);
	fake_heap_set(p->h, table, first + stride, left); // In a slot that is free.
	fake_heap_variable(p->h, "main.shards", p->nested, outer);
	walk(p);
	check_map(p, outer, "map[string]map[string]int", "main.shards", 1);
	check_map(p, inner, "map[string]int", "main.shards[]", 1);
	check_map(p, left, NULL, NULL, 0);
	program_destroy(p);
}

MS_TEST(walk_follows_maps_in_swiss_maps)
{
	check_nested(ms_go_layout_find(MS_GO(1, 24), MS_ARCH_AMD64, MS_GO_EXP_SWISS), 24, 24);
}

MS_TEST(walk_follows_maps_in_split_groups)
{
	check_nested(
	    ms_go_layout_find(MS_GO(1, 27), MS_ARCH_AMD64,
			      MS_GO_EXP_SWISS | MS_GO_EXP_GREENTEA | MS_GO_EXP_SPLIT_GROUP),
	    136, 8);
}

MS_TEST(walk_follows_maps_in_classic_maps)
{
	check_nested(ms_go_layout_find(MS_GO(1, 20), MS_ARCH_AMD64, 0), 136, 8);
}

MS_TEST(walk_counts_the_words_that_hold_a_map)
{
	struct program *p = program_create();
	ms_addr map = fake_heap_map(p->h, p->map, NULL);
	ms_addr first = node_new(p, node_new(p, 0, map), map);

	fake_heap_variable(p->h, "main.list", p->pointer, first);
	fake_heap_variable(p->h, "main.again", p->pointer, first); // The same words.
	fake_heap_variable(p->h, "main.orders", p->map, map);
	walk(p);
	check_map(p, map, "map[string]int", "main.orders", 3);
	CHECK_EQ(figures(p)->conflicts, 0);
	program_destroy(p);
}

MS_TEST(walk_tells_aliases_from_conflicts)
{
	struct program *p = program_create();
	ms_addr named = fake_type_map(p->t, "main.Named", p->text, p->number);
	ms_addr other = fake_type_map(p->t, "map[int]int", p->number, p->number);
	ms_addr map = fake_heap_map(p->h, p->map, NULL);

	fake_heap_variable(p->h, "main.a", p->map, map);
	fake_heap_variable(p->h, "main.b", named, map);
	walk(p);
	check_map(p, map, "map[string]int", "main.a", 2);
	CHECK_EQ(figures(p)->conflicts, 0);
	fake_heap_variable(p->h, "main.c", other, map);
	walk(p);
	CHECK_EQ(figures(p)->conflicts, 1);
	CHECK_STR(fake_heap_find(p->h, map)->type, "map[string]int");
	program_destroy(p);
}

MS_TEST(walk_leaves_a_type_that_memory_names)
{
	struct program *p = program_create();
	ms_addr map = fake_heap_map(p->h, p->map, NULL);
	struct ms_map_row *row = &p->h->report.maps[0];

	row->type = "map[string]uint";
	row->type_source = MS_TYPE_MALLOC_HEADER;
	fake_heap_variable(p->h, "main.orders", p->map, map);
	walk(p);
	check_map(p, map, "map[string]uint", "main.orders", 1);
	CHECK_EQ(fake_heap_find(p->h, map)->type_source, MS_TYPE_MALLOC_HEADER);
	program_destroy(p);
}

MS_TEST(walk_gets_to_the_end_of_a_long_chain)
{
	struct program *p = program_create();
	ms_addr map = fake_heap_map(p->h, p->map, NULL);
	ms_addr at = node_new(p, 0, map);

	for (unsigned i = 0; i < 100000; i++)
		at = node_new(p, at, 0);
	fake_heap_variable(p->h, "main.list", p->pointer, at);
	walk(p);
	check_map(p, map, "map[string]int", "main.Node.byID <- main.list", 1);
	CHECK(figures(p)->objects >= 100001);
	program_destroy(p);
}

MS_TEST(walk_ends_in_a_cycle)
{
	struct program *p = program_create();
	ms_addr map = fake_heap_map(p->h, p->map, NULL);
	ms_addr first = node_new(p, 0, 0), second = node_new(p, first, map);

	fake_heap_set(p->h, first, 0, second);
	fake_heap_variable(p->h, "main.ring", p->pointer, first);
	walk(p);
	check_map(p, map, "map[string]int", "main.Node.byID <- main.ring", 1);
	program_destroy(p);
}

MS_TEST(walk_follows_pointers_into_the_middle)
{
	struct program *p = program_create();
	ms_addr holder = fake_type_struct(
	    p->t, "main.Holder", "main",
	    (struct fake_field[]){ { "n", p->number, 0 }, { "in", p->node, 8 } }, 2, 24);
	ms_addr whole = fake_type_pointer(p->t, "*main.Holder", holder);
	ms_addr map = fake_heap_map(p->h, p->map, NULL);
	ms_addr object = fake_heap_new(p->h, 24, 0);

	fake_heap_set(p->h, object, 16, map);
	fake_heap_variable(p->h, "main.inner", p->pointer, object + 8);
	walk(p);
	check_map(p, map, "map[string]int", "main.Node.byID <- main.inner", 1);
	fake_heap_variable(p->h, "main.whole", whole, object); // The object may still be met.
	walk(p);
	CHECK_EQ(fake_heap_find(p->h, map)->owners, 1);
	program_destroy(p);
}

MS_TEST(walk_cuts_slices_to_their_objects)
{
	struct program *p = program_create();
	ms_addr list = fake_type_slice(p->t, "[]map[string]int", p->map);
	ms_addr map = fake_heap_map(p->h, p->map, NULL);
	ms_addr behind = fake_heap_map(p->h, p->map, NULL);
	ms_addr array = fake_heap_new(p->h, 64, 0), next = fake_heap_new(p->h, 64, 0);
	ms_addr variable = fake_heap_variable(p->h, "main.lists", list, array);

	fake_heap_set(p->h, array, 56, map);
	fake_heap_set(p->h, next, 0, behind);
	fake_heap_set_word(p->h, variable, 1, 1); // Beyond the length, but within the array.
	fake_heap_set_word(p->h, variable, 2, UINT64_MAX);
	walk(p);
	check_map(p, map, "map[string]int", "main.lists[]", 1);
	check_map(p, behind, NULL, NULL, 0);
	program_destroy(p);
}

MS_TEST(walk_passes_over_what_lies_in_no_object)
{
	struct program *p = program_create();
	ms_addr map = fake_heap_map(p->h, p->map, NULL);
	ms_addr dead = fake_heap_new(p->h, 512, 0), plain = fake_heap_new_plain(p->h, 16);
	ms_addr list[] = { 1,
			   8,
			   UINT64_MAX,
			   UINT64_MAX - 7,
			   dead,
			   plain,
			   FAKE_OBJECTS + FAKE_OBJECTS_BYTES,
			   fake_heap_entry(FAKE_FN_WORKER),
			   FAKE_TYPES };

	fake_heap_set(p->h, dead, 8, map);
	fake_heap_set(p->h, plain, 8, map);
	fake_heap_drop_span(p->h, dead);
	for (size_t i = 0; i < MS_ARRAY_SIZE(list); i++) {
		fake_heap_variable(p->h, "main.p", p->pointer, list[i]);
		fake_heap_variable(p->h, "main.m", p->map, list[i]);
	}
	walk(p);
	check_map(p, map, NULL, NULL, 0);
	program_destroy(p);
}

MS_TEST(walk_follows_interfaces)
{
	struct program *p = program_create();
	ms_addr boxed = fake_heap_map(p->h, p->map, NULL),
		direct = fake_heap_map(p->h, p->map, NULL);
	ms_addr node = node_new(p, 0, boxed), itab = fake_heap_words(p->h, 4), at;

	fake_heap_set_word(p->h, itab, p->h->layout->itab_interface / 8, p->reader);
	fake_heap_set_word(p->h, itab, p->h->layout->itab_type / 8, p->pointer);
	at = fake_heap_variable(p->h, "main.reader", p->reader, itab);
	fake_heap_set_word(p->h, at, 1, node);
	at = fake_heap_variable(p->h, "main.any", p->any, p->map);
	fake_heap_set_word(p->h, at, 1, direct);
	walk(p);
	check_map(p, boxed, "map[string]int", "main.Node.byID <- main.reader", 1);
	check_map(p, direct, "map[string]int", "main.any", 1);
	program_destroy(p);
}

MS_TEST(walk_passes_over_torn_interfaces)
{
	struct program *p = program_create();
	ms_addr map = fake_heap_map(p->h, p->map, NULL);
	ms_addr node = node_new(p, 0, map), itab = fake_heap_words(p->h, 4);
	const ms_addr types[] = { 0, 1, p->map + 4, p->number, node, itab, FAKE_TYPES, UINT64_MAX };

	fake_heap_set_word(p->h, itab, p->h->layout->itab_interface / 8, p->number);
	fake_heap_set_word(p->h, itab, p->h->layout->itab_type / 8, p->pointer);
	for (size_t i = 0; i < MS_ARRAY_SIZE(types); i++) {
		ms_addr at = fake_heap_variable(p->h, "main.any", p->any, types[i]);

		fake_heap_set_word(p->h, at, 1, node);
		at = fake_heap_variable(p->h, "main.reader", p->reader, types[i]);
		fake_heap_set_word(p->h, at, 1, node);
	}
	walk(p);
	CHECK(fake_heap_find(p->h, map)->type == NULL);
	program_destroy(p);
}

MS_TEST(walk_follows_channels)
{
	struct program *p = program_create();
	const struct ms_go_layout *l = p->h->layout;
	ms_addr chan = fake_type_chan(p->t, "chan *main.Node", p->pointer);
	ms_addr map = fake_heap_map(p->h, p->map, NULL);
	ms_addr object = fake_heap_new(p->h, 96, 0), buffer = fake_heap_new(p->h, 32, 0);

	fake_heap_set(p->h, buffer, 24, node_new(p, 0, map));
	fake_heap_set(p->h, object, l->hchan_dataqsiz, 4);
	fake_heap_set(p->h, object, l->hchan_buf, buffer);
	fake_heap_variable(p->h, "main.queue", chan, object);
	walk(p);
	check_map(p, map, "map[string]int", "main.Node.byID <- main.queue", 1);
	program_destroy(p);
}

MS_TEST(walk_follows_closures_by_what_code_says_of_them)
{
	struct program *p = program_create();
	ms_addr code = fake_type_plain(p->t, FAKE_KIND_UINTPTR, "uintptr", 8);
	ms_addr type = fake_type_struct(
	    p->t, "struct { F uintptr; orders map[string]int }", NULL,
	    (struct fake_field[]){ { "F", code, 0 }, { "orders", p->map, 8 } }, 2, 16);
	ms_addr func = fake_type(p->t, FAKE_KIND_FUNC, "func()", 8, 8);
	ms_addr map = fake_heap_map(p->h, p->map, NULL), closure = node_new(p, 0, map);

	fake_heap_set(p->h, closure, 0, fake_heap_entry(FAKE_FN_CLOSURE));
	fake_heap_variable(p->h, "main.handler", func, closure);
	walk(p); // Nothing says what it captured; a map of the census is known all the same.
	check_map(p, map, NULL, "main.(*Shop).Handler.func1 <- main.handler", 1);
	fake_heap_closure(p->h, fake_heap_entry(FAKE_FN_CLOSURE), type);
	walk(p);
	check_map(p, map, "map[string]int", "main.(*Shop).Handler.func1.orders <- main.handler", 1);
	program_destroy(p);
}

MS_TEST(walk_names_the_function_whose_frame_holds_a_map)
{
	struct program *p = program_create();
	ms_addr map = fake_heap_map(p->h, p->map, NULL), typed = fake_heap_map(p->h, p->map, NULL);
	const ms_addr words[] = { 0, map, p->map, typed };

	fake_heap_goroutine(p->h, words, MS_ARRAY_SIZE(words));
	walk(p);
	check_map(p, map, NULL, "stack of main.worker", 1);
	check_map(p, typed, "map[string]int", "stack of main.worker", 1);
	program_destroy(p);
}

MS_TEST(walk_counts_no_word_of_a_stack_as_a_further_holder)
{
	struct program *p = program_create();
	ms_addr map = fake_heap_map(p->h, p->map, NULL);
	const ms_addr words[] = { 0, map, p->map, map, p->map, map };

	fake_heap_goroutine(p->h, words, MS_ARRAY_SIZE(words));
	walk(p);
	check_map(p, map, "map[string]int", "stack of main.worker", 1);
	program_destroy(p);
}

MS_TEST(walk_takes_no_neighbours_for_an_interface)
{
	struct program *p = program_create();
	ms_addr other = fake_type_map(p->t, "map[int]int", p->number, p->number);
	ms_addr map = fake_heap_map(p->h, p->map, NULL), words = fake_heap_words(p->h, 2);
	const ms_addr stack[] = { 0, other, map };

	p->h->report.maps[0].total_bytes = 48 + 288; // By its groups of 24 bytes a slot.
	fake_heap_set_word(p->h, words, 0, other);
	fake_heap_set_word(p->h, words, 1, map);
	fake_heap_goroutine(p->h, stack, MS_ARRAY_SIZE(stack));
	walk(p);
	CHECK(fake_heap_find(p->h, map)->type == NULL);
	fake_heap_set_word(p->h, words, 0, p->map);
	walk(p);
	CHECK_STR(fake_heap_find(p->h, map)->type, "map[string]int");
	program_destroy(p);
}

MS_TEST(walk_finds_typed_objects_through_headers)
{
	struct program *p = program_create();
	ms_addr row = fake_type_array(p->t, "[50]main.Node", p->node, 50);
	ms_addr map = fake_heap_map(p->h, p->map, NULL);
	ms_addr object = fake_heap_new(p->h, 800, row), untyped = fake_heap_new(p->h, 16, 0);
	ms_addr raw = fake_type(p->t, FAKE_KIND_UNSAFE_POINTER, "unsafe.Pointer", 8, 8);

	fake_heap_set(p->h, object, 49 * 16 + 8, map);
	fake_heap_set(p->h, untyped, 8, object);
	fake_heap_variable(p->h, "main.raw", raw, untyped);
	walk(p);
	CHECK_STR(fake_heap_find(p->h, map)->type, "map[string]int");
	CHECK_EQ(fake_heap_find(p->h, map)->owners, 1);
	program_destroy(p);
}

MS_TEST(walk_finds_maps_in_the_last_word_of_data)
{
	struct program *p = program_create();
	ms_addr map = fake_heap_map(p->h, p->map, NULL);
	ms_addr first = fake_heap_map(p->h, p->map, NULL);

	fake_heap_set_word(p->h, FAKE_VARIABLES, FAKE_VARIABLES_BYTES / 8 - 1, map);
	fake_heap_set_word(p->h, FAKE_VARIABLES, 0, first);
	walk(p);
	CHECK_EQ(fake_heap_find(p->h, first)->owners, 1);
	CHECK_EQ(fake_heap_find(p->h, map)->owners, 1);
	program_destroy(p);
}

MS_TEST(walk_that_sees_a_part_of_a_large_value_says_so)
{
	struct program *p = program_create();
	enum { COUNT = 400000 };
	ms_addr row = fake_type_array(p->t, "[400000]map[string]int", p->map, COUNT);
	ms_addr large = fake_type_struct(p->t, "main.Large", "main",
					 (struct fake_field[]){ { "row", row, 0 } }, 1, 8 * COUNT);
	ms_addr slice = fake_type_slice(p->t, "[]main.Large", large), variable;
	ms_addr object = fake_heap_new(p->h, 2 * 8 * COUNT, large);
	const unsigned places[] = { 0, 131071, COUNT };
	ms_addr maps[MS_ARRAY_SIZE(places)];

	for (size_t i = 0; i < MS_ARRAY_SIZE(places); i++) {
		maps[i] = fake_heap_map(p->h, p->map, NULL);
		fake_heap_set(p->h, object, 8ull * places[i], maps[i]);
	}
	variable = fake_heap_variable(p->h, "main.large", slice, object);
	fake_heap_set_word(p->h, variable, 2, 2);
	walk_with(p, &no_bounds);
	CHECK(figures(p)->cut);
	CHECK_CONTAINS(figures(p)->cut_reason, "over 1 MiB");
	for (size_t i = 0; i < MS_ARRAY_SIZE(places); i++)
		check_map(p, maps[i], "map[string]int", "main.Large.row[] <- main.large", 1);
	program_destroy(p);
}

// --- Bounds. ---

struct ticks {
	unsigned count, stop_at;
};

static bool tick(void *context)
{
	struct ticks *t = context;

	return t->count++ >= t->stop_at;
}

/** A list with a map in every node. */
static void list_make(struct program *p, unsigned count)
{
	ms_addr at = 0;

	for (unsigned i = 0; i < count; i++)
		at = node_new(p, at, fake_heap_map(p->h, p->map, NULL));
	fake_heap_variable(p->h, "main.list", p->pointer, at);
}

/** What was found is right, and no row is lost; how many have a type. */
static unsigned check_part(const struct program *p, unsigned count)
{
	unsigned typed = 0;

	CHECK_EQ(p->h->report.map_count, count);
	for (size_t i = 0; i < p->h->report.map_count; i++) {
		const struct ms_map_row *row = &p->h->report.maps[i];

		if (!row->type) {
			CHECK(!row->owner && !row->owners);
			continue;
		}
		check_map(p, row->address, "map[string]int", "main.Node.byID <- main.list", 1);
		typed++;
	}
	CHECK_EQ(p->h->report.coverage.typed, typed);
	return typed;
}

MS_TEST(walk_that_is_stopped_at_once_leaves_rows_as_they_are)
{
	struct program *p = program_create();
	struct ticks ticks = { 0, 0 };

	list_make(p, 20);
	walk_with(p, &(struct ms_walk_options){ .tick = tick, .tick_context = &ticks });
	CHECK(figures(p)->cut);
	CHECK_STR(figures(p)->cut_reason, "its time was over");
	CHECK_EQ(check_part(p, 20), 0);
	CHECK_EQ(ticks.count, 1); // It does not ask again.
	program_destroy(p);
}

MS_TEST(walk_that_is_stopped_keeps_what_it_found)
{
	enum { NODES = 10000 };
	unsigned last = 0, parts = 0;

	for (unsigned stop = 1; stop <= 4096; stop *= 4) {
		struct program *p = program_create();
		struct ticks ticks = { 0, stop };
		unsigned typed;

		list_make(p, NODES);
		walk_with(p, &(struct ms_walk_options){ .tick = tick, .tick_context = &ticks });
		typed = check_part(p, NODES);
		CHECK(typed >= last);
		CHECK_EQ(figures(p)->cut, ticks.count > stop);
		CHECK(figures(p)->cut || typed == NODES);
		parts += typed > 0 && typed < NODES;
		last = typed;
		program_destroy(p);
	}
	CHECK_EQ(last, NODES);
	CHECK(parts > 0);
}

MS_TEST(walk_that_may_visit_few_objects_says_so)
{
	struct program *p = program_create();

	list_make(p, 10000);
	walk_with(p, &(struct ms_walk_options){ .objects_max = 9 });
	CHECK(figures(p)->cut);
	CHECK_STR(figures(p)->cut_reason, "it had visited as many objects as it may");
	CHECK(check_part(p, 10000) < 10000);
	CHECK(figures(p)->objects < 10000);
	program_destroy(p);
}

MS_TEST(walk_that_may_take_no_time_says_so)
{
	struct program *p = program_create();

	list_make(p, 20);
	walk_with(p, &(struct ms_walk_options){ .seconds = 1e-9 });
	CHECK(figures(p)->cut);
	CHECK_STR(figures(p)->cut_reason, "its time was over");
	CHECK_EQ(check_part(p, 20), 0);
	CHECK_EQ(figures(p)->objects, 0);
	program_destroy(p);
}

/** A list is walked node by node, not batch by batch: the clock is looked at all the same. */
MS_TEST(walk_down_a_long_list_asks_now_and_then)
{
	struct program *p = program_create();
	struct ticks ticks = { 0, 3 };
	ms_addr at = 0;

	for (unsigned i = 0; i < 50000; i++)
		at = node_new(p, at, 0);
	fake_heap_variable(p->h, "main.list", p->pointer, at);
	walk_with(p, &(struct ms_walk_options){ .tick = tick, .tick_context = &ticks });
	CHECK(figures(p)->cut);
	CHECK(figures(p)->objects < 2000);
	program_destroy(p);
}

MS_TEST(walk_without_a_span_table_leaves_the_census)
{
	struct program *p = program_create();

	list_make(p, 20);
	p->h->functions->rt.allspans = 8; // Nothing is there.
	walk_with(p, &no_bounds);
	CHECK(figures(p)->taken && figures(p)->cut);
	CHECK_STR(figures(p)->cut_reason, "something that it needs could not be read");
	CHECK_EQ(check_part(p, 20), 0);
	program_destroy(p);
}

MS_TEST(walk_without_room_to_wait_says_so)
{
	struct program *p = program_create();

	list_make(p, 20);
	walk_with(p, &(struct ms_walk_options){ .own_bytes_max = 1 });
	CHECK(figures(p)->cut);
	CHECK_STR(figures(p)->cut_reason, "more was waiting to be visited than its memory holds");
	CHECK_EQ(check_part(p, 20), 0);
	program_destroy(p);
}

MS_TEST(walk_with_little_room_does_what_it_can)
{
	struct program *p = program_create();

	list_make(p, 20);
	walk_with(p, &(struct ms_walk_options){ .own_bytes_max = 200 });
	CHECK_EQ(check_part(p, 20), 20); // A list waits one node at a time.
	CHECK(!figures(p)->cut);
	program_destroy(p);
}

/** A row of pointers to nodes, more than the queue's front part holds. */
MS_TEST(walk_of_a_wide_heap_is_whole)
{
	struct program *p = program_create();
	enum { COUNT = 300000 };
	ms_addr list = fake_type_slice(p->t, "[]*main.Node", p->pointer);
	ms_addr array = fake_heap_new(p->h, 8 * COUNT, 0), map = 0, variable;

	for (unsigned i = 0; i < COUNT; i++) {
		if (i % 30000 == 0)
			map = fake_heap_map(p->h, p->map, NULL);
		fake_heap_set(p->h, array, 8ull * i, node_new(p, 0, map));
	}
	variable = fake_heap_variable(p->h, "main.nodes", list, array);
	fake_heap_set_word(p->h, variable, 1, COUNT);
	fake_heap_set_word(p->h, variable, 2, COUNT);
	walk(p);
	CHECK_EQ(p->h->report.map_count, 10);
	for (size_t i = 0; i < p->h->report.map_count; i++)
		check_map(p, p->h->report.maps[i].address, "map[string]int",
			  "main.Node.byID <- main.nodes", COUNT / 10);
	program_destroy(p);
}

// --- Hostile types. ---

/** A layout from DWARF may say anything. */
MS_TEST(walk_by_a_layout_with_absurd_offsets_ends)
{
	static const uint32_t offsets[] = { 1 << 20, 1 << 30, UINT32_MAX - 7, UINT32_MAX - 1 };

	for (size_t i = 0; i < MS_ARRAY_SIZE(offsets); i++) {
		struct ms_go_layout l =
		    *ms_go_layout_find(MS_GO(1, 24), MS_ARCH_AMD64, MS_GO_EXP_SWISS);
		struct program *p = program_of(&l);
		ms_addr chan = fake_type_chan(p->t, "chan *main.Node", p->pointer);
		ms_addr itab = fake_heap_words(p->h, 4), at;

		fake_heap_variable(p->h, "main.queue", chan, fake_heap_new(p->h, 96, 0));
		at = fake_heap_variable(p->h, "main.reader", p->reader, itab);
		fake_heap_set_word(p->h, at, 1, node_new(p, 0, 0));
		l.hchan_buf = l.itab_interface = offsets[i];
		walk_with(p, &no_bounds);
		CHECK(figures(p)->taken);
		program_destroy(p);
	}
}

MS_TEST(walk_of_a_group_that_holds_itself_ends)
{
	struct program *p = program_create();
	ms_addr code = fake_type_plain(p->t, FAKE_KIND_UINTPTR, "uintptr", 8);
	struct fake_field fields[100] = { { "F", code, 0 } };
	ms_addr type, list, object = fake_heap_new(p->h, 64, 0);

	for (size_t i = 1; i < MS_ARRAY_SIZE(fields); i++)
		fields[i] = (struct fake_field){ "X0", p->map, 0 };
	type = fake_type_struct(p->t, "struct { F uintptr; X0 T }", NULL, fields,
				MS_ARRAY_SIZE(fields), 64);
	list = fake_types_get(p->t, type, p->h->layout->structtype_fields);
	for (unsigned i = 1; i < MS_ARRAY_SIZE(fields); i++)
		fake_types_set(p->t, list,
			       i * p->h->layout->structfield_size + p->h->layout->structfield_type,
			       type);
	fake_heap_variable(p->h, "main.p", fake_type_pointer(p->t, "*T", type), object);
	walk(p); // 99 ways at each of eight depths.
	program_destroy(p);
}

// --- Recordings. ---

static void check_recording(const struct recorded_census *census, void *context)
{
	struct ms_census_report *report = (struct ms_census_report *)&census->report;
	unsigned *walked = context;
	size_t before = report->map_count;
	struct ms_error *err = ms_walk_run(census->rt, &no_bounds, report);

	if (err) // What a census of then did not read is not in its recording.
		CHECK_ERR(err, MS_ERR_FAULT);
	else
		(*walked)++;
	CHECK(report->map_count >= before);
	for (size_t i = 0; i < census->truth.maps.count; i++) {
		const struct truth_map *truth = &census->truth.maps.items[i];
		const struct ms_map_row *row = census_row(report, truth->address);

		if (!row)
			continue;
		check_row(truth, row);
	}
}

MS_TEST(walk_of_a_recording_keeps_its_rows)
{
	unsigned walked = 0;

	on_each_census(check_recording, &walked);
	CHECK(walked > 15);
}
