// worker.h - a thread that can be abandoned.
//
// A read of another process's memory can sleep for ever: the page may be behind a userfaultfd or
// the target may hold its own address space locked.  No timer brings such a thread back.  So the
// call is made on a worker; when it makes no progress for a while, the worker is left where it is,
// together with everything it may still write to, and the caller goes on.
#pragma once

#include "base/error.h"

#include <stdatomic.h>
#include <stdbool.h>

struct ms_worker;

/** Something to do.  It must touch only what @p context holds, and count up @p progress. */
typedef void (*ms_job_fn)(void *context, atomic_ullong *progress);

enum ms_job_result {
	MS_JOB_DONE,
	MS_JOB_STUCK, // The context belongs to the lost worker now: forget it, do not free it.
};

MS_MUST_USE struct ms_error *ms_worker_create(struct ms_worker **ret_worker);

/**
 * Run @p job and wait for it.  After @p patience_s seconds without progress a worker that sleeps is
 * given up, and after a few times that long any: *worker becomes NULL and MS_JOB_STUCK is returned.
 */
enum ms_job_result ms_worker_run(struct ms_worker **worker, ms_job_fn job, void *context,
				 unsigned patience_s);

/** Accepts NULL. */
void ms_worker_destroy(struct ms_worker *worker);
