// Goal: a reader that sleeps in the kernel is left behind, and one that only takes long is not.
// Method: jobs that sleep for ever, work for longer than anybody is patient, and come forward
// slowly.
#include "target/worker.h"

#include "tests/support/test.h"

#include <time.h>
#include <unistd.h>

static atomic_int runs;

static void sleeps(void *context, atomic_ullong *progress)
{
	(void)context;
	(void)progress;
	for (;;)
		pause();
}

/** Works for longer than anybody is patient, and counts nothing up. */
static void works(void *context, atomic_ullong *progress)
{
	struct timespec now, until;

	(void)context;
	(void)progress;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += 2;
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while (now.tv_sec < until.tv_sec ||
	       (now.tv_sec == until.tv_sec && now.tv_nsec < until.tv_nsec));
	atomic_fetch_add(&runs, 1);
}

static void counts(void *context, atomic_ullong *progress)
{
	(void)context;
	for (int i = 0; i < 4; i++) {
		usleep(500000);
		atomic_fetch_add(progress, 1);
	}
	atomic_fetch_add(&runs, 1);
}

static void run(ms_job_fn job, enum ms_job_result want)
{
	struct ms_worker *worker;

	CHECK_OK(ms_worker_create(&worker));
	CHECK_EQ(ms_worker_run(&worker, job, NULL, 1), want);
	CHECK_EQ(!worker, want == MS_JOB_STUCK);
	ms_worker_destroy(worker);
}

MS_TEST(worker_that_sleeps_is_given_up)
{
	run(sleeps, MS_JOB_STUCK);
}

MS_TEST(worker_that_is_at_work_is_waited_for)
{
	run(works, MS_JOB_DONE);
	CHECK_EQ(runs, 1);
}

MS_TEST(worker_that_comes_forward_is_waited_for)
{
	run(counts, MS_JOB_DONE);
	CHECK_EQ(runs, 1);
}
