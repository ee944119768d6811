// Two threads write one map without a lock: a hook is told of both, instead of the program's end.
#include <hmap/hmap_typed.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

HMAP_DEFINE(counters, uint64_t, uint64_t)

static void told(const struct hmap_misuse *misuse, void *state)
{
	(void)state;
	printf("%s on %s\n", misuse->text, hmap_name_of(misuse->map));
	fflush(stdout);
	_Exit(0); // the map may be damaged: this program has nothing more to do
}

static void *count(void *map)
{
	for (uint64_t i = 0;; i++)
		counters_put(map, i % 1000, i);
	return NULL;
}

int main(void)
{
	struct hmap_options options = { .name = "counters", .misuse = told };
	struct counters *shared = NULL;
	pthread_t other;

	if (counters_create(&options, &shared) != HMAP_OK ||
	    pthread_create(&other, NULL, count, shared) != 0)
		return 1;
	count(shared);
	return 0;
}
