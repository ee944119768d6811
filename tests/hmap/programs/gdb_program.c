// A program for tests/hmap/gdb.sh: gdb_program [large]
//
// It makes maps of all kinds, prints what hmap list and hmap chains should say of each, counted by
// itself, and waits.  With a word it makes one map of 100,000 entries instead.
#include <hmap/hmap_registry.h>
#include <hmap/hmap_safe.h>
#include <hmap/hmap_typed.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

struct session {
	uint64_t user;
	char secret[24];
};

struct page {
	char bytes[200];
};

static uint64_t bad_hash(const void *key, uint64_t seed, void *state)
{
	uint64_t k;

	(void)state;
	memcpy(&k, key, sizeof(k));
	return hmap_hash_u64(k % 8, seed);
}

HMAP_DEFINE(orders, uint64_t, uint64_t)
HMAP_DEFINE(sessions, uint64_t, struct session)
HMAP_DEFINE(pages, struct page, struct page)
HMAP_DEFINE_SET(seen, uint32_t)
HMAP_DEFINE_OWN_STRINGS(words, uint64_t)
HMAP_DEFINE_WITH(clashes, uint64_t, uint64_t, bad_hash, NULL, 0)

static const char *const passes[] = { "", "grows", "is tidied up", "shrinks" };

static void must(bool ok)
{
	if (!ok)
		exit(1);
}

/** As a row of hmap list, with a bar between columns. */
static bool print_row(const struct hmap *m, void *state)
{
	struct hmap_stats s;
	const char *name = hmap_name_of(m);

	(void)state;
	must(hmap_stats(m, HMAP_STATS_QUICK, &s) == HMAP_OK);
	printf("row %p|%s|%s|%s|%zu|%zu|%.2f|%lu|%zu", (const void *)m, name ? name : "?",
	       hmap_type_of(m)->name, s.engine ? "classic" : "steady", s.entries, s.slots, s.load,
	       (unsigned long)s.growths, s.total_bytes);
	if (s.pass && s.pass_from == s.pass_to)
		printf("|%s: %zu slots, ", passes[s.pass], s.slots);
	else if (s.pass)
		printf("|%s: %zu to %zu slots, ", passes[s.pass], s.pass_from, s.pass_to);
	if (s.pass)
		printf("%zu of %zu %s", s.pass_done, s.pass_of, s.engine ? "buckets" : "blocks");
	putchar('\n');
	return true;
}

struct fill {
	const struct hmap *map;
	bool grows;
	size_t runs[16], blocks, chains, nodes, longest, met;
};

static bool count_block(const struct hmap_bucket_view *view, void *state)
{
	struct fill *f = state;
	size_t run = view->slots == 8 ? 8 : 14;

	// A classic map's old buckets that were moved hold nothing, nor do new ones before that.
	if (run == 8 && (view->old ? view->moved : f->grows && !view->moved))
		return true;
	for (size_t first = 0; first < view->slots; first += run) {
		size_t entries = 0;

		for (size_t i = first; i < first + run; i++)
			entries += view->tags[i] >= (run == 8 ? 5 : 2);
		f->runs[entries]++;
	}
	f->blocks++;
	f->chains += view->overflow_nodes != 0;
	f->nodes += view->overflow_nodes;
	if (view->overflow_nodes > f->longest)
		f->longest = view->overflow_nodes;
	f->met += view->entries + view->overflow_entries;
	return true;
}

/** What hmap chains should find, on one line. */
static bool print_fill(const struct hmap *m, void *state)
{
	struct fill f = { .map = m };
	struct hmap_stats s;

	(void)state;
	must(hmap_stats(m, HMAP_STATS_WALK, &s) == HMAP_OK);
	f.grows = s.pass != 0;
	hmap_each_bucket(m, count_block, &f);
	printf("fill %p|", (const void *)m);
	for (size_t i = 0; i < 16; i++)
		if (f.runs[i])
			printf("%zu:%zu ", i, f.runs[i]);
	printf("|%zu of %zu|%.1f|%zu|%zu|", f.chains, f.blocks,
	       f.chains ? (double)f.nodes / (double)f.chains : 0, f.longest, f.met);
	printf(s.engine ? "\n" : "%zu\n", s.displaced);
	return true;
}

static struct hmap *orders_of(const char *name, enum hmap_engine engine, uint64_t entries,
			      const struct hmap_allocator *allocator)
{
	const struct hmap_options options = { .name = name,
					      .engine = engine,
					      .allocator = allocator };
	struct orders *m;

	must(orders_create(&options, &m) == HMAP_OK);
	for (uint64_t i = 0; i < entries; i++)
		must(orders_put(m, i, i * 3) == HMAP_OK);
	return &m->map;
}

/** A map in the middle of a pass. */
static void midway(const char *name, enum hmap_engine engine, enum hmap_pass pass)
{
	struct hmap *m = orders_of(name, engine, 20000, NULL);

	if (pass == HMAP_PASS_SHRINK)
		for (uint64_t i = 100; i < 20000; i++)
			must(hmap_erase(m, &i) == HMAP_OK);
	must(hmap_begin_pass(m, pass) == HMAP_OK);
	must(hmap_step(m, 30) > 0);
}

static struct hmap_safe *safe_of(const char *name, enum hmap_safe_values values)
{
	const struct hmap_safe_options options = { .map.name = name, .values = values };
	struct hmap_safe *safe;

	must(hmap_safe_create(&sessions_type, &options, &safe) == HMAP_OK);
	for (uint64_t i = 0; i < 1000; i++) {
		struct session session = { .user = i, .secret = "hunter2" };

		must(hmap_safe_put(safe, &i, &session) == HMAP_OK);
	}
	return safe;
}

static void make_others(enum hmap_engine engine)
{
	struct hmap_options options = { .engine = engine, .name = engine ? "old pages" : "pages" };
	struct pages *pages;
	struct seen *seen;
	struct words *words;
	struct clashes *clashes;

	must(pages_create(&options, &pages) == HMAP_OK);
	options.name = engine ? "seen\033[2J" : "gesehen: \xc3\xa4\xc3\xb6\xc3\xbc";
	must(seen_create(&options, &seen) == HMAP_OK);
	options.name = NULL;
	must(words_create(&options, &words) == HMAP_OK);
	options.name = engine ? "old clashes" : "clashes";
	must(clashes_create(&options, &clashes) == HMAP_OK);
	for (uint32_t i = 0; i < 700; i++) {
		struct page page = { "page" };
		char text[32];

		memcpy(page.bytes + 8, &i, sizeof(i));
		must(pages_put(pages, page, page) == HMAP_OK);
		must(seen_add(seen, i) == HMAP_OK);
		snprintf(text, sizeof(text), "word number %u", i);
		must(words_put(words, text, strlen(text), i) == HMAP_OK);
		must(clashes_put(clashes, i, i) == HMAP_OK);
	}
	for (uint64_t i = 0; i < 300; i++)
		must(clashes_erase(clashes, i) == HMAP_OK);
}

struct sessions *live_sessions;
struct hmap *quiet;
struct hmap_safe *frozen;
struct hmap_iterator iterator;

static void make_maps(void)
{
	const struct hmap_options options = { .name = "sessions" };

	must(sessions_create(&options, &live_sessions) == HMAP_OK);
	for (uint64_t i = 1; i <= 50; i++) {
		struct session session = { .user = 1000 + i, .secret = "hunter2" };

		must(sessions_put(live_sessions, i, session) == HMAP_OK);
	}
	quiet = orders_of("quiet", HMAP_STEADY, 5000, NULL);
	orders_of("quiet, classic", HMAP_CLASSIC, 5000, NULL);
	orders_of(NULL, HMAP_STEADY, 500, NULL);
	orders_of(NULL, HMAP_CLASSIC, 500, NULL);
	orders_of("empty", HMAP_STEADY, 0, NULL);
	orders_of("empty, classic", HMAP_CLASSIC, 0, NULL);
	orders_of("in segments", HMAP_STEADY, 20000, hmap_malloc_allocator());
	midway("growing", HMAP_STEADY, HMAP_PASS_GROW);
	midway("tidied", HMAP_STEADY, HMAP_PASS_COMPACT);
	midway("shrinking", HMAP_STEADY, HMAP_PASS_SHRINK);
	midway("growing, classic", HMAP_CLASSIC, HMAP_PASS_GROW);
	midway("tidied, classic", HMAP_CLASSIC, HMAP_PASS_COMPACT);
	frozen = safe_of("frozen", HMAP_SAFE_IN_TABLE);
	must(hmap_safe_freeze(frozen) == HMAP_OK);
	safe_of("copy on write", HMAP_SAFE_COPY_ON_WRITE);
	make_others(HMAP_STEADY);
	make_others(HMAP_CLASSIC);
	for (uint64_t i = 0; i < 300; i++)
		orders_of("many", i % 2 ? HMAP_CLASSIC : HMAP_STEADY, i, NULL);
	hmap_destroy(orders_of("gone", HMAP_STEADY, 10, NULL));
	hmap_iterate(quiet, &iterator);
	must(hmap_next(&iterator));
}

int main(int argc, char **argv)
{
	(void)argv;
	// gdb may look into it where only parents may.
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
	if (argc > 1)
		orders_of("large", HMAP_STEADY, 100000, NULL);
	else
		make_maps();
	hmap_each_map(print_row, NULL);
	hmap_each_map(print_fill, NULL);
	puts("ready");
	fflush(stdout);
	pause();
	return 0;
}
