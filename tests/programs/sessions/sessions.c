/* A C program with maps of libhmap's: one with a name that grows, one without, and a crowd.
 *
 *	sessions NUMBER_OF_SMALL_MAPS
 *
 * It says "ready ADDRESS ENTRIES ADDRESS ENTRIES", waits for a line, and with each line puts so
 * many entries into the first, then says how many there are.  "make NUMBER" makes and ends so
 * many maps instead. */
#include <hmap/hmap_typed.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

HMAP_DEFINE(sessions, uint64_t, uint64_t)

static __attribute__((noinline)) struct sessions *make_seen(void)
{
	const struct hmap_options options = { .engine = HMAP_CLASSIC };
	struct sessions *seen = NULL;

	if (sessions_create(&options, &seen) != HMAP_OK)
		exit(1);
	return seen;
}

static uint64_t next_session;

static __attribute__((noinline)) void log_in(struct sessions *cache, unsigned long count)
{
	for (; count; count--) {
		if (sessions_put(cache, next_session, 1) != HMAP_OK)
			exit(1);
		next_session++;
	}
}

static __attribute__((noinline)) void make_short_lived(unsigned long count)
{
	const struct hmap_options options = { .name = "short" };
	struct sessions *one = NULL;

	for (; count; count--) {
		if (sessions_create(&options, &one) != HMAP_OK)
			exit(1);
		sessions_destroy(one);
	}
}

int main(int argc, char **argv)
{
	const struct hmap_options named = { .name = "session_cache" }, small = { .name = "small" };
	struct sessions *cache = NULL, *seen = make_seen(), *one = NULL;
	char line[64];

	if (sessions_create(&named, &cache) != HMAP_OK)
		return 1;
	for (long i = argc > 1 ? strtol(argv[1], NULL, 10) : 0; i > 0; i--) {
		if (sessions_create(&small, &one) != HMAP_OK || sessions_put(one, 1, 1) != HMAP_OK)
			return 1;
	}
	log_in(cache, 1000);
	for (uint64_t i = 0; i < 500; i++)
		if (sessions_put(seen, i, i) != HMAP_OK)
			return 1;
	printf("ready %p %zu %p %zu\n", (void *)cache, sessions_count(cache), (void *)seen,
	       sessions_count(seen));
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		if (!strncmp(line, "make ", 5))
			make_short_lived(strtoul(line + 5, NULL, 10));
		else
			log_in(cache, strtoul(line, NULL, 10));
		printf("%zu\n", sessions_count(cache));
		fflush(stdout);
	}
	return 0;
}
