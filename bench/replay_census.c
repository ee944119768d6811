// replay_census.c - one census over a recording, for bench/instructions.sh.
//
//	replay_census FILE
//
// The same bytes are read every time, so the instructions that a census takes can be counted and
// compared between two versions of it.  Prints how many maps were found.
#include "census/census_run.h"

#include "base/cleanup.h"
#include "target/replay.h"

static struct ms_error *run(const char *path)
{
	struct ms_target *t = NULL;
	struct ms_go_runtime *rt = NULL;
	struct ms_census_report report;
	struct ms_error *err = ms_replay_open(path, &t);

	if (!err)
		err = ms_go_open(t, NULL, &rt);
	if (!err)
		err = ms_census_run(rt, NULL, &report);
	if (!err) {
		printf("maps %zu\n", report.map_count);
		ms_census_report_deinit(&report);
	}
	ms_go_close(rt);
	ms_target_destroy(t);
	return err;
}

int main(int argc, char **argv)
{
	MS_AUTO_ERROR struct ms_error *err = NULL;

	if (argc != 2) {
		fprintf(stderr, "usage: replay_census FILE\n");
		return 1;
	}
	err = run(argv[1]);
	if (err)
		fprintf(stderr, "replay_census: %s: %s\n", argv[1], ms_error_message(err));
	return err ? 1 : 0;
}
