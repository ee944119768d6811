// Goal: what lives through a map alone is counted, what something else holds as well is not, and a
// map inside another counts for both.
// Method: small heaps made by hand (tests/support/fake_heap.h).
#include "walk/retained.h"

#include "tests/support/fake_heap.h"
#include "tests/support/test.h"

#include <stdlib.h>

enum { TABLE_SLOT = 8 }; // An offset in a table at which a word of a slot lies.

struct program {
	struct fake_heap *h;
	ms_addr type;
};

static struct program program_create(void)
{
	struct program p = { .h = fake_heap_create(NULL) };

	p.type = fake_type_map(&p.h->types, "map[string]int", fake_type_string(&p.h->types),
			       fake_type_plain(&p.h->types, FAKE_KIND_INT, "int", 8));
	return p;
}

/** A map of which one slot leads to @p object, held by a variable or not. */
static ms_addr map_of(struct program *p, ms_addr object, bool is_held)
{
	ms_addr table, map = fake_heap_map(p->h, p->type, &table);

	fake_heap_set(p->h, table, TABLE_SLOT, object);
	if (is_held)
		fake_heap_set_word(p->h, fake_heap_words(p->h, 1), 0, map);
	return map;
}

/** Of @p count maps, each asked about by itself. */
static void ask(struct program *p, const ms_addr *maps, size_t count, struct ms_retained_ask *asks)
{
	const struct ms_retained_options options = { 0 };
	struct ms_retained_figures figures;

	for (size_t i = 0; i < count; i++)
		asks[i] = (struct ms_retained_ask){ .maps = &maps[i], .map_count = 1 };
	CHECK_OK(ms_retained_run(&p->h->functions->rt, &options, asks, count, &figures));
	CHECK(!figures.cut);
}

MS_TEST(retained_is_what_a_map_alone_leads_to)
{
	struct program p = program_create();
	ms_addr far = fake_heap_new_plain(p.h, 64), near = fake_heap_new(p.h, 32, 0);
	ms_addr map = map_of(&p, near, true), empty = map_of(&p, 0, true);
	struct ms_retained_ask with[2];

	fake_heap_set(p.h, near, 16, far + 8); // A pointer into it holds it.
	ask(&p, (ms_addr[]){ map, empty }, 2, with);
	CHECK_EQ(with[0].bytes, with[1].bytes + 32 + 64);
	CHECK_EQ(with[0].objects, 3);
	CHECK_EQ(with[0].scan_bytes, with[1].scan_bytes + 32);
	CHECK(!with[0].at_least && !with[0].unknown);
	fake_heap_destroy(p.h);
}

MS_TEST(retained_leaves_out_what_something_else_holds)
{
	struct program p = program_create();
	ms_addr below = fake_heap_new_plain(p.h, 64), both = fake_heap_new(p.h, 32, 0);
	ms_addr held = fake_heap_new(p.h, 32, 0);
	ms_addr maps[] = { map_of(&p, both, true), map_of(&p, both, true), map_of(&p, held, true) };
	struct ms_retained_ask asks[3];

	fake_heap_set(p.h, both, 8, below);
	fake_heap_set_word(p.h, fake_heap_words(p.h, 1), 0, held);
	ask(&p, maps, 3, asks);
	for (size_t i = 0; i < 3; i++)
		CHECK_EQ(asks[i].objects, 1); // Its table.
	fake_heap_destroy(p.h);
}

MS_TEST(retained_counts_a_map_inside_another_for_both)
{
	struct program p = program_create();
	ms_addr leaf = fake_heap_new_plain(p.h, 64), of_both = fake_heap_new_plain(p.h, 128);
	ms_addr inner = map_of(&p, leaf, false), node = fake_heap_new(p.h, 32, 0);
	ms_addr maps[] = { map_of(&p, node, true), inner };
	struct ms_retained_ask asks[2];

	fake_heap_set(p.h, node, 0, inner);
	fake_heap_set(p.h, node, 8, of_both);
	fake_heap_set(p.h, inner, 40, 0);
	ask(&p, maps, 2, asks);
	CHECK_EQ(asks[1].objects, 2);                   // Table and leaf.
	CHECK_EQ(asks[0].objects, 4 + asks[1].objects); // Table, node, what it holds, the header.
	fake_heap_destroy(p.h);
}

MS_TEST(retained_says_when_nothing_leads_to_a_map)
{
	struct program p = program_create();
	ms_addr map = map_of(&p, 0, false);
	struct ms_retained_ask asked;

	ask(&p, &map, 1, &asked);
	CHECK_EQ(asked.bytes, MS_UNKNOWN);
	CHECK(asked.unknown != NULL);
	fake_heap_destroy(p.h);
}

MS_TEST(retained_counts_the_maps_that_are_reached)
{
	struct program p = program_create();
	ms_addr maps[] = { map_of(&p, 0, true), map_of(&p, 0, false), map_of(&p, 0, true) };
	struct ms_retained_ask asked = { .maps = maps, .map_count = 3 };
	const struct ms_retained_options options = { 0 };
	struct ms_retained_figures figures;

	CHECK_OK(ms_retained_run(&p.h->functions->rt, &options, &asked, 1, &figures));
	CHECK_EQ(asked.reached, 2);
	fake_heap_destroy(p.h);
}

static bool at_once(void *context)
{
	(void)context;
	return true;
}

MS_TEST(retained_says_nothing_of_maps_when_time_is_up)
{
	struct program p = program_create();
	ms_addr map = map_of(&p, 0, true);
	struct ms_retained_ask asked = { .maps = &map, .map_count = 1 };
	const struct ms_retained_options options = { .tick = at_once };
	struct ms_retained_figures figures;

	CHECK_OK(ms_retained_run(&p.h->functions->rt, &options, &asked, 1, &figures));
	CHECK(figures.cut);
	CHECK_EQ(asked.bytes, MS_UNKNOWN);
	CHECK(asked.unknown != NULL);
	fake_heap_destroy(p.h);
}
