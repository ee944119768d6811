// retained.c - how fast the heap of a process is gone through for what a map retains.
//
// retained PID: objects, bytes, seconds, objects a second; no map is asked about.
#include "walk/retained.h"
#include "target/process.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	const struct ms_retained_options options = { 0 };
	struct ms_retained_figures f = { 0 };
	struct ms_go_runtime *rt = NULL;
	struct ms_target *target = NULL;
	struct ms_error *err;
	char *end;
	long pid = argc == 2 ? strtol(argv[1], &end, 10) : 0;

	if (argc != 2 || *end || pid <= 0) {
		fprintf(stderr, "usage: retained PID\n");
		return 1;
	}
	err = ms_process_open((pid_t)pid, NULL, &target);
	if (!err)
		err = ms_go_open(target, NULL, &rt);
	if (!err)
		err = ms_retained_run(rt, &options, NULL, 0, &f);
	if (err)
		fprintf(stderr, "retained: %s\n", ms_error_message(err));
	else
		printf("%" PRIu64 " objects, %.1f MB, %.3f s, %.2f M objects/s\n", f.objects,
		       (double)f.bytes / 1e6, f.seconds, (double)f.objects / f.seconds / 1e6);
	ms_go_close(rt);
	ms_target_destroy(target);
	ms_error_free(err);
	return err != NULL;
}
