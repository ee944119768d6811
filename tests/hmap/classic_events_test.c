// Goal: the hooks of a classic map tell all that happens to it, in order and in numbers that add
// up; who uses a map that is being written to is told in Go's words; damage is seen by the check.
// Method: a hook that adds up events beside what the statistics say; the bit hashWriting set by
// hand, as another thread would have left it, and each call made; single bytes of a table changed.
#include "hmap/classic_internal.h"

#include "tests/hmap/classic_support.h"
#include "tests/support/test.h"

#include <hmap/hmap_steady.h>

struct told {
	unsigned of[HMAP_EVENT_FREED + 1];
	struct hmap_event last[HMAP_EVENT_FREED + 1];
	size_t migrated;
	const struct hmap_classic *c;
};

static void tell(const struct hmap *map, const struct hmap_event *event, void *state)
{
	struct told *told = state;

	CHECK(map != NULL);
	told->of[event->kind]++;
	told->last[event->kind] = *event;
	if (event->kind == HMAP_EVENT_MIGRATES)
		told->migrated += event->entries;
	if (event->kind == HMAP_EVENT_GROWS || event->kind == HMAP_EVENT_COMPACTS) {
		CHECK_EQ(event->from, (size_t)8 << told->c->h.B); // Nothing has changed yet.
		CHECK_EQ(event->entries, told->c->h.count);
		told->migrated = 0;
		told->of[HMAP_EVENT_MIGRATES] = 0;
	}
}

MS_TEST(classic_tells_what_happens_to_it)
{
	struct told told = { 0 };
	const struct hmap_hooks hooks = { .event = tell, .kinds = ~0u, .state = &told };
	struct hmap_options options = { .engine = HMAP_CLASSIC,
					.allocator = hmap_malloc_allocator(),
					.hooks = &hooks,
					.hint = 50,
					.seed = 3 };
	struct hmap_stats stats;
	struct hmap_classic *c;
	struct hmap *map;
	size_t upper = 0;

	CHECK_EQ(hmap_create(&classic_kinds[0].type, &options, &map), HMAP_OK);
	told.c = c = map->classic;
	CHECK_EQ(told.of[HMAP_EVENT_CREATED], 1);
	CHECK_EQ(told.last[HMAP_EVENT_CREATED].to, 64);
	CHECK_EQ(told.last[HMAP_EVENT_CREATED].entries, 50);
	for (uint64_t k = 0; k < 53; k++)
		CHECK_EQ(hmap_classic_put(c, &k, &k), HMAP_OK);
	CHECK_EQ(told.of[HMAP_EVENT_GROWS], 1);
	CHECK_EQ(told.last[HMAP_EVENT_GROWS].entries, 52); // Without the one being written.
	CHECK_EQ(told.last[HMAP_EVENT_GROWS].adding, 1);
	CHECK_EQ(told.last[HMAP_EVENT_GROWS].from, 64);
	CHECK_EQ(told.last[HMAP_EVENT_GROWS].to, 128);
	CHECK_EQ(hmap_classic_stats(c, HMAP_STATS_QUICK, &stats), HMAP_OK);
	CHECK_EQ(stats.pass, HMAP_PASS_GROW);
	CHECK_EQ(stats.pass_of, 8);
	CHECK(hmap_classic_step(c, 2) <= 6);
	CHECK_EQ(hmap_classic_step(c, 100), 0);
	CHECK_EQ(told.of[HMAP_EVENT_MIGRATES], 8);
	CHECK_EQ(told.last[HMAP_EVENT_MIGRATES].to, told.last[HMAP_EVENT_MIGRATES].from + 8);
	for (uint64_t k = 0; k < 53; k++)
		upper += hash_of(c, &k) >> 3 & 1;
	CHECK(told.migrated <= upper && told.migrated + 1 >= upper); // The last one came after.
	CHECK_EQ(told.of[HMAP_EVENT_GROWN], 1);
	CHECK_EQ(told.last[HMAP_EVENT_GROWN].to, 128);

	CHECK_EQ(hmap_classic_begin_pass(c, HMAP_PASS_COMPACT), HMAP_OK);
	CHECK_EQ(told.of[HMAP_EVENT_COMPACTS], 1);
	CHECK_EQ(hmap_classic_stats(c, HMAP_STATS_WALK, &stats), HMAP_OK);
	CHECK_EQ(stats.pass, HMAP_PASS_COMPACT);
	CHECK_EQ(stats.pass_from, stats.pass_to);
	CHECK_EQ(hmap_classic_step(c, 100), 0);
	CHECK_EQ(told.migrated, 53);
	CHECK_EQ(told.of[HMAP_EVENT_GROWN], 2);
	CHECK_EQ(hmap_classic_begin_pass(c, HMAP_PASS_SHRINK), HMAP_NOT_SUPPORTED);
	CHECK_EQ(hmap_classic_begin_pass(c, (enum hmap_pass)9), HMAP_BAD_ARGUMENT);
	CHECK_EQ(hmap_classic_stats(c, HMAP_STATS_QUICK, &stats), HMAP_OK);
	CHECK_EQ(stats.growths, 1);
	CHECK_EQ(stats.compactions, 1);
	hmap_destroy(map);
	CHECK_EQ(told.of[HMAP_EVENT_FREED], 1);
	CHECK_EQ(told.last[HMAP_EVENT_FREED].entries, 53);
}

/** Buckets as they are shown, added up. */
struct shown {
	size_t entries, old, moved, fresh, overflow, left;
};

static bool show(const struct hmap_bucket_view *view, void *state)
{
	struct shown *s = state;

	CHECK_EQ(view->slots, 8);
	CHECK_EQ(view->number, view->old ? s->old : s->fresh);
	view->old ? s->old++ : s->fresh++;
	s->moved += view->old && view->moved;
	s->entries += view->entries + view->overflow_entries;
	s->overflow += view->old ? 0 : view->overflow_nodes;
	return --s->left;
}

MS_TEST(classic_shows_its_buckets)
{
	struct hmap_type type = classic_colliding(&classic_kinds[0].type);
	struct hmap_classic *c = classic_map(&type, hmap_malloc_allocator(), 3);
	struct shown s = { .left = SIZE_MAX }, few = { .left = 3 };

	hmap_classic_each_bucket(c, show, &s);
	CHECK_EQ(s.fresh, 0); // There is no table yet.
	for (uint64_t k = 0; k < 100; k++)
		CHECK_EQ(hmap_classic_put(c, &k, &k), HMAP_OK);
	hmap_classic_step(c, 1000);
	CHECK_EQ(hmap_classic_begin_pass(c, HMAP_PASS_GROW), HMAP_OK);
	hmap_classic_step(c, 3);
	hmap_classic_each_bucket(c, show, &s);
	CHECK_EQ(s.entries, 100);
	CHECK_EQ(s.fresh, 2 * s.old);
	CHECK_EQ(s.moved, 3);
	CHECK_EQ(s.overflow, c->h.noverflow);
	hmap_classic_each_bucket(c, show, &few);
	CHECK_EQ(few.old, 3);
	CHECK_EQ(few.fresh, 0);
	hmap_classic_destroy(c);
}

MS_TEST(classic_grows_at_the_load_that_was_chosen)
{
	struct hmap_options options = { .allocator = hmap_malloc_allocator(), .load = 0.5 };
	struct hmap_stats stats;
	struct hmap_classic *c;

	CHECK_EQ(hmap_classic_create(NULL, &classic_kinds[0].type, &options, 3, &c), HMAP_OK);
	for (uint64_t k = 0; k < 1000; k++) {
		CHECK_EQ(hmap_classic_put(c, &k, &k), HMAP_OK);
		CHECK_EQ(hmap_classic_stats(c, HMAP_STATS_QUICK, &stats), HMAP_OK);
		CHECK(stats.entries <= 9 || stats.load <= 0.51);
		CHECK(stats.entries < stats.grow_at || stats.pass);
	}
	hmap_classic_destroy(c);
	options.hint = SIZE_MAX / 2;
	CHECK_EQ(hmap_classic_create(NULL, &classic_kinds[0].type, &options, 3, &c),
		 HMAP_TOO_LARGE);
}

#if !defined(HMAP_NO_MISUSE_CHECK)

static void take_text(const struct hmap_misuse *misuse, void *state)
{
	*(const char **)state = misuse->text;
}

static void expect(const char **text, const char *want)
{
	CHECK(*text);
	CHECK_STR(*text, want);
	*text = NULL;
}

MS_TEST(classic_tells_who_uses_a_map_that_is_being_written)
{
	static const char writes[] = "concurrent map writes";
	const char *text = NULL;
	struct hmap_options options = {
		.engine = HMAP_CLASSIC,
		.misuse = take_text,
		.misuse_state = &text,
	};
	struct hmap *map;
	struct hmap_classic *c, *copy = NULL;
	struct hmap_iterator it, other;
	uint64_t k = 4;

	CHECK_EQ(hmap_create(&classic_kinds[0].type, &options, &map), HMAP_OK);
	CHECK_EQ(hmap_put(map, &k, &k), HMAP_OK);
	c = map->classic;
	hmap_classic_iterate(c, &it);
	c->h.flags |= HMAP_GO_HASH_WRITING;
	CHECK(!hmap_classic_get(c, &k));
	expect(&text, "concurrent map read and map write");
	CHECK_EQ(hmap_classic_put(c, &k, &k), HMAP_MISUSE);
	expect(&text, writes);
	CHECK_EQ(hmap_classic_erase(c, &k), HMAP_MISUSE);
	expect(&text, writes);
	CHECK_EQ(hmap_classic_clear(c), HMAP_MISUSE);
	expect(&text, writes);
	CHECK_EQ(hmap_classic_begin_pass(c, HMAP_PASS_GROW), HMAP_MISUSE);
	expect(&text, writes);
	CHECK_EQ(hmap_classic_clone(c, map, &copy), HMAP_MISUSE);
	expect(&text, "concurrent map clone and map write");
	hmap_classic_iterate(c, &other);
	CHECK_EQ(other.status, HMAP_MISUSE);
	CHECK(!hmap_classic_next(&other));
	expect(&text, "concurrent map iteration and map write");
	CHECK(!hmap_classic_next(&it));
	CHECK_EQ(it.status, HMAP_MISUSE);
	expect(&text, "concurrent map iteration and map write");
	CHECK_EQ(hmap_classic_check(c, &text), HMAP_BROKEN);
	text = NULL;
	c->h.flags &= (uint8_t)~HMAP_GO_HASH_WRITING;
	CHECK_EQ(hmap_put(map, &k, &k), HMAP_OK);
	CHECK(!text);
	hmap_destroy(map);
}

#endif

static void expect_damage(const struct hmap_classic *c, const char *part)
{
	const char *text = "";

	CHECK(hmap_classic_check(c, &text) != HMAP_OK);
	CHECK_CONTAINS(text, part);
}

/** Changes one byte, expects the check to say so, and changes it back. */
#define DAMAGED(place, value, part)                                                                \
	do {                                                                                       \
		__typeof__(place) before = (place);                                                \
		(place) = (__typeof__(place))(value);                                              \
		expect_damage(c, part);                                                            \
		(place) = before;                                                                  \
		classic_must_hold(c);                                                              \
	} while (0)

MS_TEST(classic_check_sees_what_is_wrong)
{
	struct hmap_classic *c = classic_map(&classic_kinds[0].type, hmap_malloc_allocator(), 3);
	bmap *b;

	DAMAGED(c->h.count, 1, "entries without a table");
	for (uint64_t k = 0; k < 5; k++)
		CHECK_EQ(hmap_classic_put(c, &k, &k), HMAP_OK);
	b = (bmap *)c->h.buckets;
	DAMAGED(c->h.count, 4, "count");
	DAMAGED(c->h.B, 1, "do not belong together");
	DAMAGED(c->h.noverflow, 1, "noverflow");
	DAMAGED(b->tophash[2], emptyRest, "emptyRest");
	DAMAGED(b->tophash[2], evacuatedX, "not moved says");
	DAMAGED(b->tophash[2], b->tophash[2] == 255 ? 254 : 255, "tag");
	DAMAGED(*key_slot(c, b, 1), 77, "tag");
	CHECK_EQ(hmap_classic_begin_pass(c, HMAP_PASS_GROW), HMAP_OK);
	DAMAGED(c->h.nevacuate, 1, "does not fit");
	DAMAGED(((bmap *)c->h.buckets)->tophash[0], 9, "in use before");
	CHECK_EQ(hmap_classic_step(c, 1), 0);
	classic_must_hold(c);
	hmap_classic_destroy(c);
}
