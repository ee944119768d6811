// A program for tests/hmap/debug.sh: debug_program WRITERS ENTRIES [WAIT_FOR_FILE]
//
// Each writer has maps of its own, of both engines, and counts their events by hooks; the counts go
// to stdout: "grows N migrates N created N freed N".  With a third word it keeps its maps until
// that file is there, and reads from them meanwhile.
#include <hmap/hmap_debug.h>
#include <hmap/hmap_registry.h>
#include <hmap/hmap_typed.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

HMAP_DEFINE(orders, uint64_t, uint64_t)

static unsigned long events[16];
static unsigned long entries;
static const char *end_file;

static void count(const struct hmap *map, const struct hmap_event *event, void *state)
{
	(void)map;
	(void)state;
	__atomic_add_fetch(&events[event->kind], 1, __ATOMIC_RELAXED);
}

static bool trace_id(uint8_t trace[16], uint8_t span[8], void *state)
{
	(void)state;
	for (unsigned i = 0; i < 16; i++)
		trace[i] = (uint8_t)(i + 1);
	for (unsigned i = 0; i < 8; i++)
		span[i] = (uint8_t)(i + 1);
	return true;
}

static void *write_maps(void *state)
{
	static const struct hmap_hooks hooks = { .event = count, .kinds = UINT32_MAX };
	struct hmap_options options = { .hooks = &hooks, .name = "or\"ders\n" };
	struct orders *maps[2];

	(void)state;
	for (int engine = 0; engine < 2; engine++) {
		options.engine = engine ? HMAP_CLASSIC : HMAP_STEADY;
		options.hint = engine ? 52 : 0;
		if (orders_create(&options, &maps[engine]) != HMAP_OK)
			exit(1);
		for (uint64_t i = 0; i < entries; i++)
			if (orders_put(maps[engine], i, i) != HMAP_OK)
				exit(1);
	}
	while (end_file && access(end_file, F_OK) != 0)
		for (uint64_t i = 0; i < entries; i++)
			(void)orders_get(maps[0], i % 7 ? 3 : i);
	orders_destroy(maps[0]);
	orders_destroy(maps[1]);
	return NULL;
}

int main(int argc, char **argv)
{
	int writers = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 1;
	pthread_t threads[64];
	const char *words = getenv("DEBUG_BY_CALL");

	if (writers < 1 || writers > 64)
		return 2;
	entries = argc > 2 ? strtoul(argv[2], NULL, 10) : 54;
	end_file = argc > 3 ? argv[3] : NULL;
	hmap_set_trace_id(trace_id, NULL);
	if (words)
		printf("call says %s\n", hmap_status_text(hmap_debug(words)));
	for (int i = 0; i < writers; i++)
		if (pthread_create(&threads[i], NULL, write_maps, NULL) != 0)
			return 1;
	for (int i = 0; i < writers; i++)
		pthread_join(threads[i], NULL);
	printf("grows %lu migrates %lu created %lu freed %lu\n", events[HMAP_EVENT_GROWS],
	       events[HMAP_EVENT_MIGRATES], events[HMAP_EVENT_CREATED], events[HMAP_EVENT_FREED]);
	return 0;
}
