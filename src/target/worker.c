// worker.c - one thread, one job at a time, handed over under a mutex.
//
// The worker's block is shared by the thread and its owner.  Whoever lets go last frees it: the
// owner when the thread has ended, the thread when it was abandoned and came back after all.
#include "target/worker.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct ms_worker {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	ms_job_fn job; // NULL when idle.
	void *context;
	bool stop;
	bool abandoned;
	atomic_ullong progress;
};

static void worker_free(struct ms_worker *w)
{
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

static void *worker_main(void *arg)
{
	struct ms_worker *w = arg;
	bool abandoned;

	pthread_mutex_lock(&w->lock);
	while (!w->stop && !w->abandoned) {
		if (!w->job) {
			pthread_cond_wait(&w->changed, &w->lock);
			continue;
		}
		ms_job_fn job = w->job;
		void *context = w->context;

		pthread_mutex_unlock(&w->lock);
		job(context, &w->progress);
		pthread_mutex_lock(&w->lock);
		w->job = NULL;
		pthread_cond_broadcast(&w->changed);
	}
	abandoned = w->abandoned;
	pthread_mutex_unlock(&w->lock);
	if (abandoned)
		worker_free(w);
	return NULL;
}

struct ms_error *ms_worker_create(struct ms_worker **ret_worker)
{
	struct ms_worker *w = calloc(1, sizeof(*w));
	pthread_condattr_t attr;
	int err;

	if (!w)
		return ms_error_no_memory();
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->changed, &attr);
	pthread_condattr_destroy(&attr);
	err = pthread_create(&w->thread, NULL, worker_main, w);
	if (err) {
		worker_free(w);
		return ms_error_errno(MS_ERR_INTERNAL, err, "could not start a reader thread");
	}
	*ret_worker = w;
	return NULL;
}

enum ms_job_result ms_worker_run(struct ms_worker **worker, ms_job_fn job, void *context,
				 unsigned patience_s)
{
	struct ms_worker *w = *worker;
	unsigned long long seen = atomic_load(&w->progress);
	struct timespec deadline;

	pthread_mutex_lock(&w->lock);
	w->job = job;
	w->context = context;
	pthread_cond_broadcast(&w->changed);
	clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_sec += patience_s;
	while (w->job) {
		if (pthread_cond_timedwait(&w->changed, &w->lock, &deadline) != ETIMEDOUT)
			continue;
		if (!w->job)
			break;
		if (atomic_load(&w->progress) == seen) {
			w->abandoned = true;
			pthread_detach(w->thread);
			pthread_mutex_unlock(&w->lock);
			*worker = NULL;
			return MS_JOB_STUCK;
		}
		seen = atomic_load(&w->progress);
		clock_gettime(CLOCK_MONOTONIC, &deadline);
		deadline.tv_sec += patience_s;
	}
	pthread_mutex_unlock(&w->lock);
	return MS_JOB_DONE;
}

void ms_worker_destroy(struct ms_worker *worker)
{
	if (!worker)
		return;
	pthread_mutex_lock(&worker->lock);
	worker->stop = true;
	pthread_cond_broadcast(&worker->changed);
	pthread_mutex_unlock(&worker->lock);
	pthread_join(worker->thread, NULL);
	worker_free(worker);
}
