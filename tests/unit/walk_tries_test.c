// Goal: the entries of a hash trie are counted to the last one, or are unknown; a sync.Map is found
// where no type says that there is one, and nowhere else.
// Method: tries made by hand, node by node, in the heap of a small program
// (tests/support/fake_heap.h).
#include "walk/walk.h"

#include "tests/support/fake_heap.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>

#define FAKE_NOWHERE (FAKE_OBJECTS + FAKE_OBJECTS_BYTES - 4096) // In no span yet.

enum {
	TRIE_BYTES = 48,
	BRANCH_BYTES = 152,
	ENTRY_BYTES = 48,
	ENTRY_CLASS = 48,
	BRANCH_CLASS = 160
};

/** A program with the types of one kind of trie. */
struct program {
	struct fake_heap *h;
	struct fake_types *t;
	ms_addr number, any, trie, branch, entry;
	ms_addr hash, equal; // Variables that are these functions.
};

/** sync/atomic.Pointer[T] as a struct's field has it. */
static ms_addr atomic_of(struct program *p, const char *name, ms_addr elem)
{
	ms_addr raw = fake_type(p->t, FAKE_KIND_UNSAFE_POINTER, "unsafe.Pointer", 8, 8);
	ms_addr pointer = fake_type_pointer(p->t, "*T", elem);
	ms_addr none = fake_type_array(p->t, "[0]*T", pointer, 0);
	char whole[200];

	snprintf(whole, sizeof(whole), "atomic.Pointer[%s]", name);
	return fake_type_struct(p->t, whole, "sync/atomic",
				(struct fake_field[]){ { "_", none, 0 }, { "v", raw, 0 } }, 2, 8);
}

/** "sync.entry[K,V]" of the package of the trie, which is all in front of the dot. */
static ms_addr part_make(struct program *p, const char *package, const char *name,
			 const char *arguments, const struct fake_field *fields, size_t count,
			 uint64_t bytes)
{
	const char *slash = strrchr(package, '/');
	char whole[200];

	snprintf(whole, sizeof(whole), "%s.%s%s", slash ? slash + 1 : package, name, arguments);
	return fake_type_struct(p->t, whole, package, fields, count, bytes);
}

/** What generic code knows of a node is a struct without a name. */
static void nodes_make(struct program *p, const char *package, const char *arguments)
{
	bool is_shape = strstr(arguments, "go.shape.");
	ms_addr flag = fake_type_plain(p->t, 1, "bool", 1);
	ms_addr node = part_make(p, package, "node", arguments,
				 (struct fake_field[]){ { "isEntry", flag, 0 } }, 1, 1);
	ms_addr shape =
	    fake_type_struct(p->t, "go.shape.struct { internal/sync.isEntry bool }", NULL,
			     (struct fake_field[]){ { "isEntry", flag, 0 } }, 1, 1);
	ms_addr child = atomic_of(p, "node", is_shape ? shape : node);
	ms_addr children = fake_type_array(p->t, "[16]atomic.Pointer", child, 16);
	ms_addr parent = fake_type_pointer(p->t, "*indirect", p->number);

	p->branch = part_make(p, package, "indirect", arguments,
			      (struct fake_field[]){ { "node", node, 0 },
						     { "parent", parent, 16 },
						     { "children", children, 24 } },
			      3, BRANCH_BYTES);
	fake_types_set(p->t, parent, p->h->layout->ptrtype_elem, p->branch);
}

static void entries_make(struct program *p, const char *package, const char *arguments)
{
	ms_addr next = atomic_of(p, "entry", p->number);

	p->entry =
	    part_make(p, package, "entry", arguments,
		      (struct fake_field[]){
			  { "overflow", next, 8 }, { "key", p->any, 16 }, { "value", p->any, 32 } },
		      3, ENTRY_BYTES);
}

static void trie_type_make(struct program *p, const char *package, const char *name,
			   const char *arguments)
{
	ms_addr function = fake_type(p->t, FAKE_KIND_FUNC, "func()", 8, 8);
	ms_addr root = atomic_of(p, "indirect", p->branch);

	p->trie = part_make(p, package, name, arguments,
			    (struct fake_field[]){ { "inited", p->number, 0 },
						   { "root", root, 16 },
						   { "keyHash", function, 24 },
						   { "valEqual", function, 32 },
						   { "seed", p->number, 40 } },
			    5, TRIE_BYTES);
}

static struct program *program_without_entries(const char *package, const char *name,
					       const char *arguments)
{
	struct program *p = calloc(1, sizeof(*p));

	CHECK(p != NULL);
	p->h = fake_heap_create(NULL);
	p->t = &p->h->types;
	p->number = fake_type_plain(p->t, FAKE_KIND_INT, "int", 8);
	p->any = fake_type_interface(p->t, "interface {}", 0);
	nodes_make(p, package, arguments);
	trie_type_make(p, package, name, arguments);
	p->hash = fake_heap_words(p->h, 1);
	p->equal = fake_heap_words(p->h, 1);
	fake_heap_set_word(p->h, p->hash, 0, fake_heap_entry(FAKE_FN_HASH));
	fake_heap_set_word(p->h, p->equal, 0, fake_heap_entry(FAKE_FN_EQUAL));
	return p;
}

static struct program *program_of(const char *package, const char *name, const char *arguments)
{
	struct program *p = program_without_entries(package, name, arguments);

	entries_make(p, package, arguments);
	return p;
}

static struct program *program_of_sync_map(void)
{
	return program_of("internal/sync", "HashTrieMap", "[interface {},interface {}]");
}

static void program_destroy(struct program *p)
{
	fake_heap_destroy(p->h);
	free(p);
}

static ms_addr branch_new(struct program *p, ms_addr parent)
{
	ms_addr branch = fake_heap_new(p->h, BRANCH_BYTES, 0);

	fake_heap_set(p->h, branch, 16, parent);
	return branch;
}

static void child_set(struct program *p, ms_addr branch, unsigned index, ms_addr node)
{
	fake_heap_set(p->h, branch, 24 + 8ull * index, node);
}

static ms_addr entry_new(struct program *p, ms_addr overflow)
{
	ms_addr entry = fake_heap_new(p->h, ENTRY_BYTES, 0);

	fake_heap_set(p->h, entry, 0, 1);
	fake_heap_set(p->h, entry, 8, overflow);
	return entry;
}

enum { ENTRIES = 7, BRANCHES = 2, BYTES = ENTRIES * ENTRY_CLASS + BRANCHES * BRANCH_CLASS };

/** Two branches, entries in both, and three of one hash. */
static ms_addr nodes_new(struct program *p)
{
	ms_addr top = branch_new(p, 0), below = branch_new(p, top);

	for (unsigned i = 0; i < 3; i++)
		child_set(p, top, i * 2, entry_new(p, 0));
	child_set(p, top, 9, below);
	child_set(p, below, 0, entry_new(p, 0));
	child_set(p, below, 15, entry_new(p, entry_new(p, entry_new(p, 0))));
	return top;
}

static void root_set(struct program *p, ms_addr variable, ms_addr top)
{
	fake_heap_set_word(p->h, variable, 0, 1);
	fake_heap_set_word(p->h, variable, 2, top);
	fake_heap_set_word(p->h, variable, 3, p->hash);
	fake_heap_set_word(p->h, variable, 4, p->equal);
}

static ms_addr variable_make(struct program *p, ms_addr top)
{
	ms_addr variable = fake_heap_variable(p->h, "main.m", p->trie, 0);

	root_set(p, variable, top);
	return variable;
}

static const struct ms_walk_figures *walk(struct program *p, uint64_t objects_max)
{
	const struct ms_walk_options options = { .objects_max = objects_max };

	fake_heap_forget_types(p->h);
	CHECK_OK(ms_walk_run(&p->h->functions->rt, &options, &p->h->report));
	return &p->h->report.coverage.walk;
}

static void check_row(const struct program *p, ms_addr address, const char *type, uint64_t entries,
		      uint64_t bytes, const char *owner)
{
	const struct ms_map_row *row = fake_heap_find(p->h, address);

	CHECK_EQ(row->kind, MS_MAP_SYNC_TRIE);
	CHECK_STR(row->type, type);
	CHECK_EQ(row->entries, entries);
	CHECK_EQ(row->total_bytes, bytes);
	if (owner)
		CHECK_STR(row->owner, owner);
}

/** All of it is counted. */
static void check_whole(struct program *p, const char *type)
{
	ms_addr variable = variable_make(p, nodes_new(p));

	CHECK(!walk(p, 0)->cut);
	check_row(p, variable, type, ENTRIES, BYTES, "main.m");
	CHECK_EQ(fake_heap_find(p->h, variable)->confidence, MS_CONFIDENCE_VERIFIED);
	CHECK_EQ(p->h->report.map_count, 1);
	program_destroy(p);
}

MS_TEST(tries_are_counted_with_chains)
{
	check_whole(program_of_sync_map(), "sync.Map");
}

MS_TEST(tries_of_generic_code_are_counted)
{
	check_whole(program_of("internal/sync", "HashTrieMap",
			       "[go.shape.string,go.shape.struct { weak.u unsafe.Pointer }]"),
		    "sync.HashTrieMap");
}

MS_TEST(tries_of_other_types_have_their_names)
{
	check_whole(program_of("internal/sync", "HashTrieMap", "[*abi.Type,interface {}]"),
		    "sync.HashTrieMap[*abi.Type,interface {}]");
}

MS_TEST(tries_of_unique_are_counted)
{
	check_whole(program_of("unique", "canonMap", "[main.Key]"), "unique.canonMap[main.Key]");
}

MS_TEST(tries_that_are_empty_have_no_entries)
{
	struct program *p = program_of_sync_map();
	ms_addr variable = variable_make(p, branch_new(p, 0));

	CHECK(!walk(p, 0)->cut);
	check_row(p, variable, "sync.Map", 0, BRANCH_CLASS, "main.m");
	program_destroy(p);
}

// --- What is not counted to its end is unknown. ---

static void check_unknown(struct program *p, ms_addr variable)
{
	check_row(p, variable, "sync.Map", MS_UNKNOWN, MS_UNKNOWN, "main.m");
	CHECK_EQ(fake_heap_find(p->h, variable)->confidence, MS_CONFIDENCE_CHANGED);
	CHECK_EQ(p->h->report.coverage.changed, 1);
}

MS_TEST(tries_whose_entries_have_no_type_are_unknown)
{
	struct program *p =
	    program_without_entries("internal/sync", "HashTrieMap", "[interface {},interface {}]");
	ms_addr variable = variable_make(p, nodes_new(p));
	const struct ms_walk_figures *figures = walk(p, 0);

	CHECK(figures->cut);
	CHECK_STR(figures->cut_reason, "it did not get to all nodes of a sync.Map");
	check_unknown(p, variable);
	program_destroy(p);
}

MS_TEST(tries_that_a_walk_is_stopped_in_are_unknown)
{
	for (uint64_t most = 1; most < ENTRIES + BRANCHES; most++) {
		struct program *p = program_of_sync_map();
		ms_addr variable = variable_make(p, nodes_new(p));

		CHECK(walk(p, most)->cut);
		check_unknown(p, variable);
		program_destroy(p);
	}
}

MS_TEST(tries_whose_root_is_no_object_are_unknown)
{
	struct program *p = program_of_sync_map();
	ms_addr variable = variable_make(p, FAKE_NOWHERE);

	(void)nodes_new(p);

	CHECK(walk(p, 0)->cut);
	check_unknown(p, variable);
	program_destroy(p);
}

MS_TEST(tries_that_move_say_so)
{
	struct program *p = program_of_sync_map();
	ms_addr top = nodes_new(p), variable;

	child_set(p, top, 15, FAKE_NOWHERE);
	variable = variable_make(p, top);
	CHECK(!walk(p, 0)->cut);
	check_row(p, variable, "sync.Map", ENTRIES, BYTES, "main.m");
	CHECK_EQ(fake_heap_find(p->h, variable)->confidence, MS_CONFIDENCE_CHANGED);
	program_destroy(p);
}

/** A trie where spans are missing, with @p child in its top branch and @p overflow behind it. */
static void check_in_hole(ms_addr child, ms_addr overflow, bool is_whole)
{
	struct program *p = program_of_sync_map();
	ms_addr top = nodes_new(p), variable;

	if (overflow)
		child = entry_new(p, overflow);
	child_set(p, top, 15, child);
	variable = variable_make(p, top);
	p->h->functions->rt.lacks_spans = true;
	CHECK(walk(p, 0)->cut);
	if (is_whole)
		check_row(p, variable, "sync.Map", ENTRIES, BYTES, "main.m");
	else
		check_unknown(p, variable);
	program_destroy(p);
}

MS_TEST(tries_that_lead_to_what_is_missing_are_unknown)
{
	check_in_hole(0, 0, true);
	check_in_hole(FAKE_OBJECTS + FAKE_OBJECTS_BYTES, 0, false);
	check_in_hole(FAKE_OBJECTS + 4, 0, false);
	check_in_hole(0, FAKE_OBJECTS + FAKE_OBJECTS_BYTES, false);
}

// --- Without a type. ---

MS_TEST(sync_maps_without_a_type_are_found_in_variables)
{
	struct program *p = program_of_sync_map();
	ms_addr variable = fake_heap_words(p->h, TRIE_BYTES / 8), more;

	root_set(p, variable, nodes_new(p));
	more = fake_heap_words(p->h, TRIE_BYTES / 8);
	root_set(p, more, nodes_new(p));
	CHECK(!walk(p, 0)->cut);
	check_row(p, variable, "sync.Map", ENTRIES, BYTES, NULL);
	check_row(p, more, "sync.Map", ENTRIES, BYTES, NULL);
	CHECK_EQ(p->h->report.map_count, 2);
	program_destroy(p);
}

MS_TEST(sync_maps_without_a_type_are_found_in_objects)
{
	struct program *p = program_of_sync_map();
	ms_addr object = fake_heap_new(p->h, 64, 0), word = fake_heap_words(p->h, 1);

	fake_heap_set(p->h, object, 8, 1);
	fake_heap_set(p->h, object, 8 + 16, nodes_new(p));
	fake_heap_set(p->h, object, 8 + 24, p->hash);
	fake_heap_set(p->h, object, 8 + 32, p->equal);
	fake_heap_set_word(p->h, word, 0, object);
	CHECK(!walk(p, 0)->cut);
	check_row(p, object + 8, "sync.Map", ENTRIES, BYTES, NULL);
	CHECK_EQ(p->h->report.map_count, 1);
	program_destroy(p);
}

/** What lies around the root decides. */
MS_TEST(sync_maps_are_not_taken_for_others)
{
	for (unsigned i = 0; i < 4; i++) {
		struct program *p = program_of_sync_map();
		ms_addr variable = fake_heap_words(p->h, TRIE_BYTES / 8);

		root_set(p, variable, nodes_new(p));
		if (i < 2)
			fake_heap_set_word(p->h, variable, 3 + i, i ? p->hash : p->equal);
		else if (i == 2)
			fake_heap_set_word(p->h, variable, 3, 0);
		else
			fake_heap_set_word(p->h, variable, 2, entry_new(p, 0));
		CHECK(!walk(p, 0)->cut);
		CHECK_EQ(p->h->report.map_count, 0);
		program_destroy(p);
	}
}
