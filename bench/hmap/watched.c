/*
 * watched.c - what HMAP_DEBUG's words cost who uses maps: the thread's own time for each operation.
 *
 * Usage: watched OPERATIONS ENTRIES [AUDIT].  Fills a map, then gets, overwrites, erases and puts
 * back, in a fixed order, and prints nanoseconds of CPU time an operation and how many there were a
 * second.
 */
#include <hmap/hmap_hash.h>
#include <hmap/hmap_registry.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double seconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static uint64_t hash(const void *key, uint64_t seed, void *state)
{
	uint64_t number;

	(void)state;
	memcpy(&number, key, sizeof(number));
	return hmap_hash_u64(number, seed);
}

static const struct hmap_type numbers = {
	.name = "numbers", .key_size = 8, .value_size = 8, .hash = hash
};

/** The n-th key of an order that has no pattern. */
static uint64_t key_of(uint64_t n, uint64_t entries)
{
	return hmap_hash_u64(n, 7) % entries;
}

static unsigned long looks;

static void look(const struct hmap_access *access, void *state)
{
	(void)access;
	(void)state;
	looks++;
}

/** What is measured, by time here and by callgrind under its name. */
__attribute__((noinline)) static uint64_t use_map(struct hmap *map, uint64_t operations,
						  uint64_t entries, uint64_t audit)
{
	uint64_t found = 0, mask = audit ? audit - 1 : UINT64_MAX; // n is never 0.

	for (uint64_t key = 0; key < entries; key++)
		(void)hmap_put(map, &key, &key);
	for (uint64_t n = entries; n < operations; n++) {
		uint64_t key = key_of(n, entries);

		if ((n & mask) == 0)
			(void)hmap_audit_next(map);
		if (n % 4 == 0)
			(void)hmap_put(map, &key, &n);
		else if (n % 8 == 1)
			(void)hmap_erase(map, &key);
		else
			found += hmap_get(map, &key) != NULL;
	}
	return found;
}

int main(int argc, char **argv)
{
	static const struct hmap_observer observer = { .access = look };
	const struct hmap_options options = { .seed = 1, .name = "numbers" };
	uint64_t operations, entries, audit, found;
	double thread, wall;
	struct hmap *map;

	if (argc != 3 && argc != 4) {
		fprintf(stderr, "usage: watched OPERATIONS ENTRIES [AUDIT]\n");
		return 1;
	}
	operations = strtoull(argv[1], NULL, 10);
	entries = strtoull(argv[2], NULL, 10);
	audit = argc > 3 ? strtoull(argv[3], NULL, 10) : 0;
	if (audit && hmap_observe(&observer) != HMAP_OK)
		return 1;
	if (!operations || !entries || hmap_create(&numbers, &options, &map) != HMAP_OK)
		return 1;
	thread = seconds(CLOCK_THREAD_CPUTIME_ID);
	wall = seconds(CLOCK_MONOTONIC);
	found = use_map(map, operations, entries, audit);
	thread = seconds(CLOCK_THREAD_CPUTIME_ID) - thread;
	wall = seconds(CLOCK_MONOTONIC) - wall;
	printf("%.3f %.0f %llu %lu\n", thread * 1e9 / (double)operations, (double)operations / wall,
	       (unsigned long long)found, looks);
	hmap_destroy(map);
	return 0;
}
