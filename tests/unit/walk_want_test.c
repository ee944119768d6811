// Goal: a wanted address becomes the field that it lies in, with its owner and the map that it
// guards; where that is not known for certain nothing is said; and who wants nothing pays nothing.
// Method: structs with locks and maps made by hand, around one another in every order.
#include "walk/walk.h"

#include "tests/support/fake_heap.h"
#include "tests/support/test.h"

#include <stdlib.h>

enum { MUTEX_BYTES = 8, RW_BYTES = 24 };

struct program {
	struct fake_heap *h;
	struct fake_types *t;
	ms_addr number, word, map, mutex, rw;
	struct ms_arena arena;
};

static struct program *program_create(void)
{
	struct program *p = calloc(1, sizeof(*p));

	CHECK(p != NULL);
	p->h = fake_heap_create(NULL);
	p->t = &p->h->types;
	p->number = fake_type_plain(p->t, FAKE_KIND_INT, "int", 8);
	p->word = fake_type_plain(p->t, 10, "uint32", 4);
	p->map = fake_type_map(p->t, "map[int]int", p->number, p->number);
	p->mutex = fake_type_struct(
	    p->t, "sync.Mutex", "sync",
	    (struct fake_field[]){ { "state", p->word, 0 }, { "sema", p->word, 4 } }, 2,
	    MUTEX_BYTES);
	p->rw = fake_type_struct(p->t, "sync.RWMutex", "sync",
				 (struct fake_field[]){ { "w", p->mutex, 0 },
							{ "writerSem", p->word, 8 },
							{ "readerSem", p->word, 12 },
							{ "readerCount", p->word, 16 },
							{ "readerWait", p->word, 20 } },
				 5, RW_BYTES);
	return p;
}

static void program_destroy(struct program *p)
{
	ms_arena_deinit(&p->arena);
	fake_heap_destroy(p->h);
	free(p);
}

static void find(struct program *p, struct ms_walk_want *wants, size_t count)
{
	fake_heap_forget_types(p->h);
	CHECK_OK(ms_walk_find(&p->h->functions->rt, 0, wants, count, &p->arena));
}

static struct ms_walk_want find_one(struct program *p, ms_addr address)
{
	struct ms_walk_want want = { .address = address };

	find(p, &want, 1);
	return want;
}

/** A variable that points to an object of this struct; the object. */
static ms_addr object_of(struct program *p, ms_addr type, uint64_t bytes)
{
	ms_addr object = fake_heap_new(p->h, bytes, 0);

	fake_heap_variable(p->h, "main.it", fake_type_pointer(p->t, "*main.It", type), object);
	return object;
}

static void check_text(const char *said, const char *expected)
{
	CHECK_EQ(said == NULL, expected == NULL);
	if (expected)
		CHECK_STR(said, expected);
}

MS_TEST(want_names_a_lock_and_the_map_below_it)
{
	struct program *p = program_create();
	ms_addr type =
	    fake_type_struct(p->t, "main.It", "main",
			     (struct fake_field[]){
				 { "id", p->number, 0 }, { "mu", p->rw, 8 }, { "m", p->map, 32 } },
			     3, 40);
	ms_addr object = object_of(p, type, 40);
	struct ms_walk_want want = find_one(p, object + 8 + 12);

	check_text(want.name, "main.It.mu");
	check_text(want.owner, "main.It.mu <- main.it");
	check_text(want.lock_type, "sync.RWMutex");
	check_text(want.map_owner, "main.It.m <- main.it");
	CHECK_EQ(want.lock, object + 8);
	CHECK_EQ(want.map_word, object + 32);
	CHECK_EQ(want.maps, 1);
	CHECK(want.is_typed);
	program_destroy(p);
}

MS_TEST(want_gives_each_lock_the_maps_up_to_the_next_lock)
{
	struct program *p = program_create();
	ms_addr type = fake_type_struct(p->t, "main.It", "main",
					(struct fake_field[]){ { "a", p->map, 0 },
							       { "aMu", p->mutex, 8 },
							       { "b", p->map, 16 },
							       { "c", p->map, 24 },
							       { "dMu", p->mutex, 32 },
							       { "n", p->number, 40 } },
					6, 48);
	ms_addr object = object_of(p, type, 48);
	struct ms_walk_want wants[] = { { .address = object + 12 }, { .address = object + 36 } };

	find(p, wants, 2);
	check_text(wants[0].map_owner, "main.It.b <- main.it");
	CHECK_EQ(wants[0].maps, 2);
	// Nothing stands below the other, and it is not the only one.
	check_text(wants[1].name, "main.It.dMu");
	check_text(wants[1].map_owner, NULL);
	program_destroy(p);
}

MS_TEST(want_takes_the_map_above_the_only_lock)
{
	struct program *p = program_create();
	ms_addr type = fake_type_struct(
	    p->t, "main.It", "main",
	    (struct fake_field[]){ { "m", p->map, 0 }, { "mu", p->mutex, 8 } }, 2, 16);
	ms_addr object = object_of(p, type, 16);

	check_text(find_one(p, object + 12).map_owner, "main.It.m <- main.it");
	program_destroy(p);
}

MS_TEST(want_leaves_maps_to_the_lock_of_their_own_struct)
{
	struct program *p = program_create();
	ms_addr cache = fake_type_struct(
	    p->t, "main.Cache", "main",
	    (struct fake_field[]){ { "m", p->map, 0 }, { "mu", p->mutex, 8 } }, 2, 16);
	ms_addr type = fake_type_struct(p->t, "main.It", "main",
					(struct fake_field[]){ { "mu", p->mutex, 0 },
							       { "cache", cache, 8 },
							       { "n", p->number, 24 } },
					3, 32);
	ms_addr object = object_of(p, type, 32);
	struct ms_walk_want wants[] = { { .address = object + 4 }, { .address = object + 20 } };

	find(p, wants, 2);
	check_text(wants[0].name, "main.It.mu");
	check_text(wants[0].map_owner, NULL);
	check_text(wants[1].name, "main.It.cache.mu");
	check_text(wants[1].map_owner, "main.It.cache.m <- main.it");
	program_destroy(p);
}

MS_TEST(want_does_not_give_a_thing_its_holders_map)
{
	struct program *p = program_create();
	ms_addr worker = fake_type_struct(
	    p->t, "main.Worker", "main",
	    (struct fake_field[]){ { "mu", p->mutex, 0 }, { "n", p->number, 8 } }, 2, 16);
	ms_addr only = fake_type_struct(p->t, "main.Only", "main",
					(struct fake_field[]){ { "Mutex", p->mutex, 0 } }, 1, 8);
	ms_addr type = fake_type_struct(p->t, "main.It", "main",
					(struct fake_field[]){ { "worker", worker, 0 },
							       { "only", only, 16 },
							       { "m", p->map, 24 } },
					3, 32);
	ms_addr object = object_of(p, type, 32);
	struct ms_walk_want wants[] = { { .address = object + 4 }, { .address = object + 20 } };

	find(p, wants, 2);
	check_text(wants[0].name, "main.It.worker.mu");
	check_text(wants[0].map_owner, NULL);
	// A struct that is a lock and no more guards what stands around it.
	check_text(wants[1].name, "main.It.only.Mutex");
	check_text(wants[1].map_owner, "main.It.m <- main.it");
	program_destroy(p);
}

MS_TEST(want_prefers_the_struct_to_a_pointer_to_its_lock)
{
	struct program *p = program_create();
	ms_addr type = fake_type_struct(
	    p->t, "main.It", "main",
	    (struct fake_field[]){ { "mu", p->mutex, 0 }, { "m", p->map, 8 } }, 2, 16);
	ms_addr object = fake_heap_new(p->h, 16, 0);

	fake_heap_variable(p->h, "main.first", fake_type_pointer(p->t, "*sync.Mutex", p->mutex),
			   object);
	check_text(find_one(p, object + 4).name, "main.first");
	fake_heap_variable(p->h, "main.it", fake_type_pointer(p->t, "*main.It", type), object);
	check_text(find_one(p, object + 4).name, "main.It.mu");
	program_destroy(p);
}

MS_TEST(want_finds_its_element_in_a_row_of_values)
{
	struct program *p = program_create();
	ms_addr type = fake_type_struct(
	    p->t, "main.It", "main",
	    (struct fake_field[]){ { "mu", p->mutex, 0 }, { "m", p->map, 8 } }, 2, 16);
	ms_addr row = fake_heap_new(p->h, 64, 0), words = fake_heap_words(p->h, 3);
	struct ms_walk_want want;

	fake_heap_set_word(p->h, words, 0, row);
	fake_heap_set_word(p->h, words, 1, 4);
	fake_heap_set_word(p->h, words, 2, 4);
	fake_heap_typed(p->h, &(struct ms_go_typed){ .address = words,
						     .type = type,
						     .shape = MS_GO_TYPED_SLICE,
						     .variable = "main.rows",
						     .path = "" });
	want = find_one(p, row + 2 * 16 + 4);
	check_text(want.name, "main.It.mu");
	CHECK_EQ(want.lock, row + 32);
	CHECK_EQ(want.map_word, row + 40);
	program_destroy(p);
}

MS_TEST(want_of_a_channel_is_not_what_seems_to_have_it_inside)
{
	struct program *p = program_create();
	ms_addr type = fake_type_struct(
	    p->t, "main.It", "main",
	    (struct fake_field[]){ { "n", p->number, 0 }, { "m", p->map, 8 } }, 2, 16);
	ms_addr object = object_of(p, type, 16);
	struct ms_walk_want want = { .address = object };

	find(p, &want, 1);
	check_text(want.name, "main.It.n");
	want = (struct ms_walk_want){ .address = object, .is_channel = true };
	find(p, &want, 1);
	check_text(want.name, NULL);
	CHECK(!want.is_typed && want.is_channel);
	program_destroy(p);
}

MS_TEST(want_of_what_nothing_leads_to_is_not_known)
{
	struct program *p = program_create();
	ms_addr object = fake_heap_new(p->h, 16, 0);
	struct ms_walk_want wants[] = { { .address = 1 },
					{ .address = object + 4 },
					{ .address = UINT64_MAX } };

	find(p, wants, 3);
	for (size_t i = 0; i < 3; i++) {
		check_text(wants[i].name, NULL);
		check_text(wants[i].map_owner, NULL);
		CHECK(!wants[i].is_typed);
	}
	program_destroy(p);
}

MS_TEST(want_survives_a_program_that_describes_itself_wrongly)
{
	struct program *p = program_create();
	ms_addr type = fake_type_struct(
	    p->t, "main.It", "main",
	    (struct fake_field[]){ { "mu", p->mutex, 0 }, { "m", p->map, 8 } }, 2, 16);
	ms_addr object = object_of(p, type, 16);
	const struct ms_go_layout *l = p->h->layout;

	// Its field's type is itself; then a lock as large as all there is.
	fake_types_set(p->t, type, l->structtype_fields + 8, UINT64_MAX);
	(void)find_one(p, object + 4);
	fake_types_set(p->t, type, l->structtype_fields + 8, 2);
	fake_types_set(p->t, p->mutex, l->type_bytes, UINT64_MAX);
	(void)find_one(p, object + 4);
	fake_types_set(p->t, p->mutex, l->type_bytes, 0);
	(void)find_one(p, object + 4);
	program_destroy(p);
}
