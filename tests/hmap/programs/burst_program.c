// A program for tests/hmap/listeners.py: burst_program
//
// It says "ready" once the library serves.  For each line on stdin, a number, it makes so many
// maps, half of them in a child that it forks, grows and ends them, and prints how many
// milliseconds that took.
#include <hmap/hmap_typed.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

HMAP_DEFINE(orders, uint64_t, uint64_t)

static void burst(unsigned long maps)
{
	const struct hmap_options options = { .name = "orders" };

	for (unsigned long n = 0; n < maps; n++) {
		struct orders *map;

		if (orders_create(&options, &map) != HMAP_OK)
			exit(1);
		for (uint64_t i = 0; i < 60; i++)
			(void)orders_put(map, i, i);
		orders_destroy(map);
	}
}

int main(void)
{
	char line[64];

	burst(1);
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		unsigned long maps = strtoul(line, NULL, 10);
		struct timespec began, now;
		pid_t child;

		clock_gettime(CLOCK_MONOTONIC, &began);
		child = fork();
		if (child < 0)
			return 1;
		burst(maps / 2);
		if (child == 0)
			_exit(0);
		if (waitpid(child, NULL, 0) != child)
			return 1;
		clock_gettime(CLOCK_MONOTONIC, &now);
		printf("%ld\n", (now.tv_sec - began.tv_sec) * 1000 +
				    (now.tv_nsec - began.tv_nsec) / 1000000);
		fflush(stdout);
	}
	return 0;
}
