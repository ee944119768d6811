// ready.c - how long it takes until the first byte of a process's heap can be read with meaning.
//
//	ready PID [TIMES]
//
// From nothing to a verified runtime: the process opened, its binary read, the runtime found and
// held against its layout row.  Prints one line for each time:
//
//	wall_s 0.031234 cpu_s 0.030101 reads 6865 read_bytes 1100000
#include "base/cleanup.h"
#include "golang/runtime.h"
#include "target/process.h"

#include <inttypes.h>
#include <time.h>

enum { TIMES_MAX = 1000 };

static double now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct ms_error *open_once(pid_t pid)
{
	double wall = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
	struct ms_target *t = NULL;
	struct ms_go_runtime *rt = NULL;
	struct ms_error *err = ms_process_open(pid, NULL, &t);

	if (!err)
		err = ms_go_open(t, NULL, &rt);
	if (!err)
		printf("wall_s %.6f cpu_s %.6f reads %" PRIu64 " read_bytes %" PRIu64 "\n",
		       now(CLOCK_MONOTONIC) - wall, now(CLOCK_PROCESS_CPUTIME_ID) - cpu,
		       t->cost.reads, t->cost.read_bytes);
	ms_go_close(rt);
	ms_target_destroy(t);
	return err;
}

int main(int argc, char **argv)
{
	MS_AUTO_ERROR struct ms_error *err = NULL;
	long pid = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
	long times = argc > 2 ? strtol(argv[2], NULL, 10) : 1;

	if (argc < 2 || argc > 3 || pid <= 0 || times <= 0 || times > TIMES_MAX) {
		fprintf(stderr, "usage: ready PID [TIMES]\n");
		return 1;
	}
	for (long i = 0; i < times && !err; i++)
		err = open_once((pid_t)pid);
	if (err)
		fprintf(stderr, "ready: %s\n", ms_error_message(err));
	return err ? 1 : 0;
}
