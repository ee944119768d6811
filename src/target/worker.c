// worker.c - one thread, one job at a time, handed over by two semaphores: wake and done.
//
// A census hands over thousands of jobs, so a handover costs as few calls of the kernel as can be.
//
// The worker's block is shared by the thread and its owner.  Who lets go last frees it: the owner
// when the thread has ended, the thread when it was abandoned and came back after all.  Which of
// the two it is, is settled by who moves the state away from RUNNING.
#include "target/worker.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BUSY_ROUNDS_MAX = 5 }; // of patience, for one that works or waits for a processor

enum state {
	IDLE,
	RUNNING,
	STOP,
	ABANDONED,
};

struct ms_worker {
	pthread_t thread;
	sem_t wake, done;
	atomic_int state;
	ms_job_fn job;
	void *context;
	atomic_ullong progress;
	atomic_int thread_id; // 0: it has not begun
};

static void worker_free(struct ms_worker *w)
{
	sem_destroy(&w->wake);
	sem_destroy(&w->done);
	free(w);
}

static void *worker_main(void *arg)
{
	struct ms_worker *w = arg;

	atomic_store(&w->thread_id, gettid());
	for (;;) {
		int running = RUNNING;

		while (sem_wait(&w->wake) != 0)
			continue; // Interrupted by a signal.
		if (atomic_load(&w->state) == STOP)
			return NULL;
		w->job(w->context, &w->progress);
		if (!atomic_compare_exchange_strong(&w->state, &running, IDLE))
			break;
		sem_post(&w->done);
	}
	worker_free(w); // Abandoned.
	return NULL;
}

struct ms_error *ms_worker_create(struct ms_worker **ret_worker)
{
	struct ms_worker *w = calloc(1, sizeof(*w));
	int err;

	if (!w)
		return ms_error_no_memory();
	sem_init(&w->wake, 0, 0);
	sem_init(&w->done, 0, 0);
	err = pthread_create(&w->thread, NULL, worker_main, w);
	if (err) {
		worker_free(w);
		return ms_error_errno(MS_ERR_INTERNAL, err, "could not start a reader thread");
	}
	*ret_worker = w;
	return NULL;
}

/**
 * Whether the worker sleeps in the kernel.  One that is on a processor, or would be if it got one,
 * is not stuck: a machine may leave a thread alone for seconds.
 */
static bool is_asleep(struct ms_worker *w)
{
	int thread_id = atomic_load(&w->thread_id);
	MS_AUTO_CLOSE int fd = -1;
	char path[64], stat[512];
	const char *state;
	ssize_t n;

	if (!thread_id)
		return false;
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", thread_id);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, stat, sizeof(stat) - 1);
	if (n <= 0)
		return true;
	stat[n] = '\0';
	state = strrchr(stat, ')'); // The name before it may hold anything.
	return !state || strncmp(state, ") R", 3) != 0;
}

enum ms_job_result ms_worker_run(struct ms_worker **worker, ms_job_fn job, void *context,
				 unsigned patience_s)
{
	struct ms_worker *w = *worker;
	pthread_t thread = w->thread; // Once abandoned, the block is the thread's to free.
	unsigned long long seen = atomic_load(&w->progress);
	unsigned busy_rounds = 0;
	struct timespec deadline;

	w->job = job;
	w->context = context;
	atomic_store(&w->state, RUNNING);
	sem_post(&w->wake);
	clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_sec += patience_s;
	while (sem_clockwait(&w->done, CLOCK_MONOTONIC, &deadline) != 0) {
		bool moves = atomic_load(&w->progress) != seen;
		int running = RUNNING;

		if (errno != ETIMEDOUT)
			continue; // Interrupted by a signal.
		busy_rounds = moves ? 0 : busy_rounds + 1;
		// When the state is no longer RUNNING, done is about to be posted.
		if (!moves && (busy_rounds > BUSY_ROUNDS_MAX || is_asleep(w)) &&
		    atomic_compare_exchange_strong(&w->state, &running, ABANDONED)) {
			pthread_detach(thread);
			*worker = NULL;
			return MS_JOB_STUCK;
		}
		seen = atomic_load(&w->progress);
		clock_gettime(CLOCK_MONOTONIC, &deadline);
		deadline.tv_sec += patience_s;
	}
	// What the job wrote is ours by now; the thread sanitizer, which does not know
	// sem_clockwait, sees it by the state.
	(void)atomic_load(&w->state);
	return MS_JOB_DONE;
}

void ms_worker_destroy(struct ms_worker *worker)
{
	if (!worker)
		return;
	atomic_store(&worker->state, STOP);
	sem_post(&worker->wake);
	pthread_join(worker->thread, NULL);
	worker_free(worker);
}
