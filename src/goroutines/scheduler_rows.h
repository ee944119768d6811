// scheduler_rows.h - the scheduler's own tables in a report of goroutines.
#pragma once

#include "goroutines/goroutines_run.h"

/** Fills ps, ms and the global queue, where options->sched asks for them. */
extern const struct ms_goroutines_pass ms_scheduler_pass;
