// hmap-hash: what hash functions do to your keys, side by side.
//
// Evenness over buckets, collisions of tags, what a map filled with the keys looks like, how one
// bit of a key moves the hash, and bytes per second: for the functions of hmap_hash.h on a file of
// keys or on keys of a built-in shape.
#include <errno.h>
#include <getopt.h>
#include <hmap/hmap_hash.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#if defined(HMAP_WITH_XXHASH)
#define XXH_INLINE_ALL
#include <xxhash.h>
#endif

static const char usage[] =
    "usage: hmap-hash [OPTIONS] [FILE]\n"
    "\n"
    "Measures hash functions on the keys of FILE, one a line, or on built-in ones.\n"
    "\n"
    "  --shape NAME    built-in keys: random, sequential, prefix, pointers, low-entropy (default: "
    "all)\n"
    "  --binary BYTES  FILE is keys of so many bytes each\n"
    "  --buckets N     for the evenness (default 1000)\n"
    "  --seed N        of the functions that have one (default 1)\n"
    "  --no-speed      leave out the measurement of speed\n"
    "  --json          one JSON document, schema hmap.hash/1\n"
    "  --help          this page\n"
    "\n"
    "sd: standard deviation over the buckets by that of chance: 1 is chance, 0 is perfectly even\n"
    "entropy: of the buckets, 1 is all alike    chi2: far from chance where over 3 or under -3\n"
    "tags: pairs of keys in one group with the same tag, by chance's    long: the fullest bucket\n"
    "grown, chain: growths and longest chain of a map with these keys\n"
    "flip: share of the hash's bits that one bit of the key changes: 0.5 is right; worst: of any "
    "bit\n";

enum { KEYS_MOST = 10000000, LINE_MOST = 1 << 20, SHAPE_KEYS = 100000, FUNCTIONS_MOST = 16 };

struct keys {
	char *bytes;
	size_t *ends; // of key i; it begins where i - 1 ends
	size_t count, size, room, ends_room;
};

struct measures {
	double sd, entropy, chi2, tags, flip, worst, short_mbs, long_mbs;
	size_t longest, growths, chain;
};

static void *must(void *memory)
{
	if (!memory) {
		fputs("hmap-hash: no memory\n", stderr);
		exit(70);
	}
	return memory;
}

static void add_key(struct keys *keys, const void *bytes, size_t size)
{
	if (keys->size + size > keys->room) {
		keys->room = (keys->size + size) * 2;
		keys->bytes = must(realloc(keys->bytes, keys->room));
	}
	if (keys->count == keys->ends_room) {
		keys->ends_room = keys->ends_room ? keys->ends_room * 2 : 1024;
		keys->ends = must(realloc(keys->ends, keys->ends_room * sizeof(*keys->ends)));
	}
	if (size)
		memcpy(keys->bytes + keys->size, bytes, size);
	keys->size += size;
	keys->ends[keys->count++] = keys->size;
}

static void free_keys(struct keys *keys)
{
	free(keys->bytes);
	free(keys->ends);
}

static const char *key_at(const struct keys *keys, size_t i, size_t *ret_size)
{
	size_t begin = i ? keys->ends[i - 1] : 0;

	*ret_size = keys->ends[i] - begin;
	return keys->bytes + begin;
}

/* ------------------------------------------------------------------------------------------- */
/* Where keys come from                                                                        */

static const char *const shapes[] = { "random",   "sequential",  "prefix",
				      "pointers", "low-entropy", NULL };

static void make_shape(struct keys *keys, const char *shape)
{
	for (uint64_t i = 0; i < SHAPE_KEYS; i++) {
		uint64_t number = i;
		char text[32];

		if (strcmp(shape, "prefix") == 0) {
			add_key(keys, text, (size_t)snprintf(text, sizeof(text), "usr:%d", (int)i));
			continue;
		}
		if (strcmp(shape, "random") == 0)
			number =
			    hmap_hash_u64(hmap_hash_u64(i + 1, 1), UINT64_C(0x9e3779b97f4a7c15));
		else if (strcmp(shape, "pointers") == 0)
			number = UINT64_C(0x7f3a5c000000) + i * 48;
		else if (strcmp(shape, "low-entropy") == 0)
			number = (i & 0xff) << 56 | (i >> 8 & 0xff) << 24 | (i >> 16) << 4;
		add_key(keys, &number, sizeof(number));
	}
}

/** Lines, or keys of `binary` bytes; false: said why. */
static bool read_keys(struct keys *keys, const char *name, size_t binary)
{
	FILE *file = strcmp(name, "-") == 0 ? stdin : fopen(name, "rb");
	char *line = NULL;
	size_t room = 0;
	ssize_t got = 0;
	bool good = true;

	if (!file) {
		fprintf(stderr, "hmap-hash: cannot read %s: %s\n", name, strerror(errno));
		return false;
	}
	if (binary) {
		line = must(malloc(binary));
		while (keys->count < KEYS_MOST &&
		       (got = (ssize_t)fread(line, 1, binary, file)) == (ssize_t)binary)
			add_key(keys, line, binary);
		if (got > 0 && got < (ssize_t)binary)
			fprintf(
			    stderr,
			    "hmap-hash: the last %zd bytes of %s are no whole key and left out\n",
			    got, name);
	} else {
		while (keys->count < KEYS_MOST && (got = getline(&line, &room, file)) > 0) {
			size_t size = (size_t)got - (line[got - 1] == '\n');

			if (size > LINE_MOST) {
				fprintf(stderr, "hmap-hash: line %zu of %s is over 1 MiB: no key\n",
					keys->count + 1, name);
				good = false;
				break;
			}
			add_key(keys, line, size);
		}
	}
	if (ferror(file)) {
		fprintf(stderr, "hmap-hash: could not read %s: %s\n", name, strerror(errno));
		good = false;
	} else if (good && keys->count < 2) {
		fprintf(stderr, "hmap-hash: %s has fewer than two keys: nothing to compare\n",
			name);
		good = false;
	} else if (good && keys->count == KEYS_MOST) {
		fprintf(stderr, "hmap-hash: only the first %d keys are looked at\n", KEYS_MOST);
	}
	free(line);
	if (file != stdin)
		fclose(file);
	return good;
}

/* ------------------------------------------------------------------------------------------- */
/* What is measured                                                                            */

static void evenness(const uint64_t *hashes, size_t count, size_t buckets, struct measures *m)
{
	size_t *counts = must(calloc(buckets, sizeof(*counts)));
	double mean = (double)count / (double)buckets, squares = 0;
	double chance = sqrt(mean * (1 - 1 / (double)buckets));

	for (size_t i = 0; i < count; i++)
		counts[hashes[i] % buckets]++;
	for (size_t i = 0; i < buckets; i++) {
		double off = (double)counts[i] - mean, share = (double)counts[i] / (double)count;

		squares += off * off;
		if (counts[i])
			m->entropy -= share * log2(share);
		if (counts[i] > m->longest)
			m->longest = counts[i];
	}
	m->sd = sqrt(squares / (double)buckets) / chance;
	m->entropy /= buckets > 1 ? log2((double)buckets) : 1;
	m->chi2 = (squares / mean - (double)(buckets - 1)) / sqrt(2 * (double)(buckets - 1));
	free(counts);
}

/** Pairs in one of the groups of a table for so many keys that have the same tag, by chance's. */
static void tag_collisions(const uint64_t *hashes, size_t count, struct measures *m)
{
	size_t groups = 1, pairs = 0, same = 0;
	uint16_t(*tags)[256];
	size_t *in_group;

	while (groups * 11 < count)
		groups *= 2;
	tags = must(calloc(groups, sizeof(*tags)));
	in_group = must(calloc(groups, sizeof(*in_group)));
	for (size_t i = 0; i < count; i++) {
		size_t group = hashes[i] & (groups - 1);

		pairs += in_group[group]++;
		same += tags[group][hashes[i] >> 56];
		if (tags[group][hashes[i] >> 56] < UINT16_MAX)
			tags[group][hashes[i] >> 56]++;
	}
	m->tags = pairs ? (double)same * 256 / (double)pairs : NAN;
	free(tags);
	free(in_group);
}

static uint64_t given_hash(const void *key, uint64_t seed, void *state)
{
	uint64_t index;

	(void)seed;
	memcpy(&index, key, sizeof(index));
	return ((const uint64_t *)state)[index];
}

/** A map with these hashes: whatever collides in it would collide with the keys themselves. */
static void fill_map(uint64_t *hashes, size_t count, struct measures *m)
{
	const struct hmap_type type = { .key_size = 8, .hash = given_hash, .state = hashes };
	struct hmap_stats stats = { 0 };
	struct hmap *map = NULL;

	if (hmap_create(&type, NULL, &map) != HMAP_OK)
		must(NULL);
	// All the same hash is a chain of all keys: enough of it shows that.
	for (uint64_t i = 0; i < count && stats.longest_chain < 1000; i++) {
		if (hmap_put(map, &i, NULL) != HMAP_OK)
			must(NULL);
		if (i % 4096 == 0)
			hmap_stats(map, HMAP_STATS_WALK, &stats);
	}
	hmap_stats(map, HMAP_STATS_WALK, &stats);
	m->growths = stats.growths;
	m->chain = stats.longest_chain;
	hmap_destroy(map);
}

static void avalanche(const struct keys *keys, const struct hmap_hash_entry *e, uint64_t seed,
		      struct measures *m)
{
	enum { SAMPLES = 500, BITS_MOST = 256 };
	static unsigned flips[BITS_MOST][64];
	size_t tried[BITS_MOST] = { 0 }, all = 0, changed = 0;

	memset(flips, 0, sizeof(flips));
	for (size_t s = 0; s < SAMPLES; s++) {
		size_t size;
		const char *key = key_at(keys, (s * 7919) % keys->count, &size);
		char *copy = must(malloc(size + 1));
		uint64_t whole;

		if (size)
			memcpy(copy, key, size);
		whole = e->hash(copy, size, seed);
		for (size_t bit = 0; bit < size * 8 && bit < BITS_MOST; bit++) {
			uint64_t difference;

			copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << bit % 8);
			difference = e->hash(copy, size, seed) ^ whole;
			copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << bit % 8);
			tried[bit]++;
			all += 64;
			changed += (size_t)__builtin_popcountll(difference);
			for (int i = 0; i < 64; i++)
				flips[bit][i] += (unsigned)(difference >> i & 1);
		}
		free(copy);
	}
	m->flip = all ? (double)changed / (double)all : NAN;
	m->worst = all ? 0.5 : NAN;
	for (size_t bit = 0; bit < BITS_MOST; bit++)
		for (int i = 0; i < 64 && tried[bit] >= SAMPLES / 2; i++) {
			double share = flips[bit][i] / (double)tried[bit];

			if (fabs(share - 0.5) > fabs(m->worst - 0.5))
				m->worst = share;
		}
}

static double megabytes_per_second(const struct hmap_hash_entry *e, size_t size)
{
	static char text[4096];
	uint64_t seed = 1;
	double best = 0;

	for (int round = 0; round < 5; round++) {
		size_t times = (size_t)4000000 / (size + 16) + 1;
		struct timespec a, b;
		double seconds;

		clock_gettime(CLOCK_MONOTONIC, &a);
		for (size_t i = 0; i < times; i++)
			seed += e->hash(text + (seed & 7), size, seed);
		clock_gettime(CLOCK_MONOTONIC, &b);
		seconds = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
		if ((double)(times * size) / seconds / 1e6 > best)
			best = (double)(times * size) / seconds / 1e6;
	}
	text[4095] = (char)seed; // so that the loop is not left out
	return best;
}

/* ------------------------------------------------------------------------------------------- */

#if defined(HMAP_WITH_XXHASH)
static uint64_t xxh3(const void *bytes, size_t size, uint64_t seed)
{
	return XXH3_64bits_withSeed(bytes, size, seed);
}

/** The same without SIMD: its plain code, which XXH3 takes for keys of up to 240 bytes anyway. */
static uint64_t xxh64(const void *bytes, size_t size, uint64_t seed)
{
	return XXH64(bytes, size, seed);
}
#endif

static size_t all_functions(struct hmap_hash_entry *ret_list)
{
	size_t count = 0;

	for (const struct hmap_hash_entry *e = hmap_hash_list();
	     e->name && count < FUNCTIONS_MOST - 2; e++)
		ret_list[count++] = *e;
#if defined(HMAP_WITH_XXHASH)
	ret_list[count++] = (struct hmap_hash_entry){ "xxh3 (SIMD)", xxh3,
						      HMAP_HASH_SEEDED | HMAP_HASH_FIT_FOR_MAP };
	ret_list[count++] = (struct hmap_hash_entry){ "xxh64 (plain)", xxh64,
						      HMAP_HASH_SEEDED | HMAP_HASH_FIT_FOR_MAP };
#endif
	return count;
}

struct wishes {
	size_t buckets;
	uint64_t seed;
	bool json, speed;
};

static void print_number(double value, const char *form, int width, const struct wishes *w)
{
	char text[32];

	snprintf(text, sizeof(text), form, value);
	if (w->json)
		printf("%s", isnan(value) ? "null" : text);
	else
		printf(" %*s", width, isnan(value) ? "?" : text);
}

static void print_row(const struct hmap_hash_entry *e, const struct measures *m,
		      const struct wishes *w)
{
	if (!w->json) {
		printf("%-14s", e->name);
		print_number(m->sd, "%.2f", 7, w);
		print_number(m->entropy, "%.4f", 8, w);
		print_number(m->chi2, "%.1f", 9, w);
		print_number(m->tags, "%.2f", 7, w);
		printf(" %7zu %5zu %5zu", m->longest, m->growths, m->chain);
		print_number(m->flip, "%.2f", 5, w);
		print_number(m->worst, "%.2f", 5, w);
		if (w->speed) {
			print_number(m->short_mbs, "%.0f", 7, w);
			print_number(m->long_mbs, "%.0f", 7, w);
		}
		putchar('\n');
		return;
	}
	printf(
	    "{\"name\":\"%s\",\"seeded\":%s,\"withstands_chosen_keys\":%s,\"standard_deviation\":",
	    e->name, e->traits & HMAP_HASH_SEEDED ? "true" : "false",
	    e->traits & HMAP_HASH_WITHSTANDS ? "true" : "false");
	print_number(m->sd, "%.4f", 0, w);
	printf(",\"entropy\":");
	print_number(m->entropy, "%.6f", 0, w);
	printf(",\"chi_squared_deviation\":");
	print_number(m->chi2, "%.3f", 0, w);
	printf(",\"tag_collisions\":");
	print_number(m->tags, "%.4f", 0, w);
	printf(",\"fullest_bucket\":%zu,\"growths\":%zu,\"longest_chain\":%zu,\"avalanche_mean\":",
	       m->longest, m->growths, m->chain);
	print_number(m->flip, "%.4f", 0, w);
	printf(",\"avalanche_worst\":");
	print_number(m->worst, "%.4f", 0, w);
	printf(",\"short_mb_per_s\":");
	print_number(m->short_mbs, "%.1f", 0, w);
	printf(",\"long_mb_per_s\":");
	print_number(m->long_mbs, "%.1f", 0, w);
	putchar('}');
}

static void measure_all(const struct keys *keys, const char *title, const struct wishes *w)
{
	struct hmap_hash_entry list[FUNCTIONS_MOST];
	size_t functions = all_functions(list);
	uint64_t *hashes = must(malloc(keys->count * sizeof(*hashes)));

	if (w->json)
		printf("{\"keys\":\"%s\",\"count\":%zu,\"buckets\":%zu,\"functions\":[", title,
		       keys->count, w->buckets);
	else
		printf("%s: %zu keys in %zu buckets\n%-14s %7s %8s %9s %7s %7s %5s %5s %5s %5s%s\n",
		       title, keys->count, w->buckets, "function", "sd", "entropy", "chi2", "tags",
		       "long", "grown", "chain", "flip", "worst",
		       w->speed ? " MB/s 16 MB/s 2k" : "");
	for (size_t f = 0; f < functions; f++) {
		struct measures m = { .short_mbs = NAN, .long_mbs = NAN };

		for (size_t i = 0; i < keys->count; i++) {
			size_t size;
			const char *key = key_at(keys, i, &size);

			hashes[i] = list[f].hash(key, size, w->seed);
		}
		evenness(hashes, keys->count, w->buckets, &m);
		tag_collisions(hashes, keys->count, &m);
		fill_map(hashes, keys->count, &m);
		avalanche(keys, &list[f], w->seed, &m);
		if (w->speed) {
			m.short_mbs = megabytes_per_second(&list[f], 16);
			if (!(list[f].traits & HMAP_HASH_INTEGERS))
				m.long_mbs = megabytes_per_second(&list[f], 2048);
		}
		if (w->json && f)
			putchar(',');
		print_row(&list[f], &m, w);
	}
	puts(w->json ? "]}" : "");
	free(hashes);
}

static bool number(const char *text, uint64_t most, uint64_t *ret_number)
{
	char *end;

	errno = 0;
	*ret_number = strtoull(text, &end, 0);
	if (*text && !*end && !errno && *ret_number && *ret_number <= most)
		return true;
	fprintf(stderr, "hmap-hash: '%.40s' is no number from 1 to %llu\n", text,
		(unsigned long long)most);
	return false;
}

static bool is_shape(const char *name)
{
	for (const char *const *s = shapes; *s; s++)
		if (strcmp(*s, name) == 0)
			return true;
	fprintf(stderr, "hmap-hash: no keys are called '%.40s'; see hmap-hash --help\n", name);
	return false;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "shape", required_argument, NULL, 's' },
		{ "binary", required_argument, NULL, 'b' },
		{ "buckets", required_argument, NULL, 'n' },
		{ "seed", required_argument, NULL, 'r' },
		{ "no-speed", no_argument, NULL, 'q' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct wishes w = { .buckets = 1000, .seed = 1, .speed = true };
	const char *shape = NULL;
	uint64_t value, binary = 0;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'h') {
			fputs(usage, stdout);
			return 0;
		}
		if (option == '?') {
			fputs("hmap-hash: see hmap-hash --help\n", stderr);
			return 1;
		}
		if (option == 's' && !is_shape(shape = optarg))
			return 1;
		if ((option == 'b' && !number(optarg, LINE_MOST, &binary)) ||
		    (option == 'n' && !number(optarg, 1 << 24, &value)) ||
		    (option == 'r' && !number(optarg, UINT64_MAX, &w.seed)))
			return 1;
		if (option == 'n')
			w.buckets = (size_t)value;
		w.json |= option == 'j';
		w.speed &= option != 'q';
	}
	if (argc - optind > 1 || (argc - optind == 1 && shape)) {
		fputs("hmap-hash: one file, or one shape; see hmap-hash --help\n", stderr);
		return 1;
	}
	if (w.json)
		printf("{\"schema\":\"hmap.hash/1\",\"results\":[");
	if (optind < argc) {
		struct keys keys = { 0 };

		if (!read_keys(&keys, argv[optind], (size_t)binary)) {
			free_keys(&keys);
			return 6;
		}
		measure_all(&keys, "keys of the file", &w);
		free_keys(&keys);
	}
	for (const char *const *s = shapes; optind == argc && *s; s++) {
		struct keys keys = { 0 };

		if (shape && strcmp(*s, shape) != 0)
			continue;
		if (w.json && !shape && s != shapes)
			putchar(',');
		make_shape(&keys, *s);
		measure_all(&keys, *s, &w);
		free_keys(&keys);
	}
	if (w.json)
		puts("]}");
	return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 6;
}
