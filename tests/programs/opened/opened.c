/* A C program with maps of libhmap's in every stage, which says of each what it counts itself.
 *
 *	opened [ENTRIES]
 *
 * Its maps "steady" and "classic" have so many (100,000).  It prints a line of JSON for each map,
 * then "null", and waits for lines: "step" goes on with all passes for a few blocks, and "busy" has
 * a thread write to the map called busy from then on; both print all maps anew.  "damage NAME WHAT"
 * breaks one ("count" or "tags") and prints it. */
#include <hmap/hmap.h>
#include <hmap/hmap_classic.h>
#include <hmap/hmap_table.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAPS_MAX = 16, FILLS_MAX = 65, CHAINS_MAX = 17, STEP_BLOCKS = 3 };

static struct hmap *maps[MAPS_MAX];
static size_t map_count;
static unsigned char value[256];

static void must(enum hmap_status status)
{
	if (status != HMAP_OK) {
		fprintf(stderr, "%s\n", hmap_status_text(status));
		exit(1);
	}
}

static uint64_t even_hash(const void *key, uint64_t seed, void *state)
{
	(void)state;
	return hmap_hash_bytes(key, sizeof(uint64_t), seed);
}

/* Few hashes for many keys: chains. */
static uint64_t crowd_hash(const void *key, uint64_t seed, void *state)
{
	uint64_t k;

	(void)seed;
	(void)state;
	memcpy(&k, key, sizeof(k));
	return k << 56 | k % 5;
}

static const struct hmap_type plain = { .name = "plain",
					.key_name = "uint64_t",
					.value_name = "uint64_t",
					.key_size = 8,
					.value_size = 8,
					.hash = even_hash };
static const struct hmap_type crowd = { .name = "crowd",
					.key_name = "uint64_t",
					.value_name = "uint64_t",
					.key_size = 8,
					.value_size = 8,
					.hash = crowd_hash };
static const struct hmap_type large = { .name = "large",
					.key_name = "uint64_t",
					.value_name = "struct large",
					.key_size = 8,
					.value_size = 200,
					.hash = even_hash };

static struct hmap *make(const char *name, const struct hmap_type *type, enum hmap_engine engine,
			 const struct hmap_allocator *allocator, uint64_t entries)
{
	const struct hmap_options options = { .name = name,
					      .engine = engine,
					      .allocator = allocator };
	struct hmap *m;

	must(hmap_create(type, &options, &m));
	for (uint64_t i = 0; i < entries; i++)
		must(hmap_put(m, &i, value));
	return maps[map_count++] = m;
}

static void erase(struct hmap *m, uint64_t from, uint64_t to)
{
	for (uint64_t i = from; i < to; i++)
		must(hmap_erase(m, &i));
}

static void make_all(uint64_t entries)
{
	struct hmap *m;

	make("steady", &plain, HMAP_STEADY, NULL, entries);
	make("classic", &plain, HMAP_CLASSIC, NULL, entries);
	make("steady_large", &large, HMAP_STEADY, NULL, 3000);
	make("classic_large", &large, HMAP_CLASSIC, NULL, 3000);
	make("steady_crowd", &crowd, HMAP_STEADY, NULL, 2000);
	make("classic_crowd", &crowd, HMAP_CLASSIC, NULL, 2000);
	make("empty", &plain, HMAP_STEADY, NULL, 0);
	make("steady_small", &plain, HMAP_STEADY, NULL, 9);
	m = make("segments_grow", &plain, HMAP_STEADY, hmap_malloc_allocator(), 50000);
	must(hmap_begin_pass(m, HMAP_PASS_GROW));
	m = make("steady_grow", &plain, HMAP_STEADY, NULL, 50000);
	must(hmap_begin_pass(m, HMAP_PASS_GROW));
	m = make("classic_grow", &plain, HMAP_CLASSIC, NULL, 50000);
	must(hmap_begin_pass(m, HMAP_PASS_GROW));
	m = make("steady_shrink", &plain, HMAP_STEADY, NULL, 50000);
	erase(m, 5000, 50000);
	must(hmap_begin_pass(m, HMAP_PASS_SHRINK));
	m = make("steady_tidy", &crowd, HMAP_STEADY, NULL, 1500);
	erase(m, 200, 1400);
	must(hmap_begin_pass(m, HMAP_PASS_COMPACT));
	m = make("classic_tidy", &plain, HMAP_CLASSIC, NULL, 50000);
	must(hmap_begin_pass(m, HMAP_PASS_COMPACT));
	make("busy", &plain, HMAP_STEADY, NULL, 1000);
}

/* What hmap_each_bucket counts, of the array in use. */
struct sums {
	size_t fills[FILLS_MAX], chains[CHAINS_MAX], fills_of;
	size_t overflow, longest, old_entries, is_classic;
};

static bool sum(const struct hmap_bucket_view *v, void *state)
{
	struct sums *s = state;
	size_t entries = v->entries + v->overflow_entries;
	size_t chain = v->overflow_nodes + s->is_classic;

	if (v->old) {
		s->old_entries += v->moved ? 0 : entries;
		return true;
	}
	s->fills[entries < s->fills_of - 1 ? entries : s->fills_of - 1]++;
	s->chains[chain < CHAINS_MAX - 1 ? chain : CHAINS_MAX - 1]++;
	s->overflow += v->overflow_nodes;
	s->longest = chain > s->longest ? chain : s->longest;
	return true;
}

static void put_counts(const char *name, const size_t *counts, size_t size)
{
	printf(",\"%s\":[", name);
	for (size_t i = 0; i < size; i++)
		printf("%s%zu", i ? "," : "", counts[i]);
	printf("]");
}

static void tell(const struct hmap *m)
{
	struct sums s = { .fills_of = FILLS_MAX };
	struct hmap_stats stats;

	must(hmap_stats(m, HMAP_STATS_WALK, &stats));
	s.is_classic = stats.engine == HMAP_CLASSIC;
	s.fills_of = s.is_classic ? 17 : FILLS_MAX;
	hmap_each_bucket(m, sum, &s);
	printf("{\"name\":\"%s\",\"address\":\"%p\",\"engine\":\"%s\",\"entries\":%zu,"
	       "\"slots\":%zu,\"units\":%zu,\"overflow\":%zu,\"longest\":%zu,\"displaced\":%zu,"
	       "\"old_entries\":%zu,\"pass\":%d,\"from\":%zu,\"to\":%zu,\"done\":%zu,\"of\":%zu,"
	       "\"total_bytes\":%zu",
	       hmap_name_of(m), (const void *)m, s.is_classic ? "classic" : "steady", stats.entries,
	       stats.slots, stats.buckets, s.overflow, s.longest, stats.displaced, s.old_entries,
	       (int)stats.pass, stats.pass_from, stats.pass_to, stats.pass_done, stats.pass_of,
	       stats.total_bytes);
	put_counts("fills", s.fills, s.fills_of);
	put_counts("chains", s.chains, CHAINS_MAX);
	printf("}\n");
}

static void tell_all(bool with_busy)
{
	for (size_t i = 0; i < map_count; i++)
		if (with_busy || strcmp(hmap_name_of(maps[i]), "busy"))
			tell(maps[i]);
	printf("null\n");
	fflush(stdout);
}

static void *write_for_ever(void *state)
{
	for (uint64_t i = 0;; i++) {
		must(hmap_put(state, &i, value));
		if (i > 100000)
			must(hmap_erase(state, &(uint64_t){ i - 100000 }));
	}
	return NULL;
}

static void damage(struct hmap *m, const char *what)
{
	struct go_hmap *classic = (struct go_hmap *)m->classic;
	unsigned char *tags = classic ? classic->buckets : m->tags;

	if (!strcmp(what, "count"))
		classic ? classic->count++ : m->count++;
	else if (classic)
		tags[0] = HMAP_GO_EVACUATED_X;
	else
		tags[0] = HMAP_TAG_LINK;
}

int main(int argc, char **argv)
{
	char line[128], name[64], what[16];
	pthread_t thread;
	bool is_busy = false;

	make_all(argc > 1 ? strtoull(argv[1], NULL, 10) : 100000);
	tell_all(true);
	while (fgets(line, sizeof(line), stdin)) {
		if (!strcmp(line, "step\n"))
			for (size_t i = 0; i < map_count; i++)
				if (!is_busy || strcmp(hmap_name_of(maps[i]), "busy"))
					(void)hmap_step(maps[i], STEP_BLOCKS);
		if (!strcmp(line, "busy\n")) {
			is_busy = true;
			if (pthread_create(&thread, NULL, write_for_ever, maps[map_count - 1]))
				return 1;
		}
		if (sscanf(line, "damage %63s %15s", name, what) == 2) {
			for (size_t i = 0; i < map_count; i++)
				if (!strcmp(hmap_name_of(maps[i]), name))
					damage(maps[i], what);
			printf("damaged\n");
			fflush(stdout);
			continue;
		}
		tell_all(!is_busy);
	}
	return 0;
}
