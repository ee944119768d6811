// interrupt.h - time, and the user's wish that it be over.
#pragma once

#include <stdbool.h>
#include <stdint.h>

/** Seconds on a clock that never goes back. */
double ms_clock_now(void);

/** Nanoseconds since 1970. */
uint64_t ms_clock_wall_ns(void);

/**
 * From now on the first SIGINT or SIGTERM is noted instead of ending the process; the second ends
 * it.  A closed pipe, or a stdout that is not there, becomes an error of writing.
 */
void ms_interrupt_catch(void);

/** True after the first such signal. */
bool ms_interrupted(void);

/** Sleep until ms_clock_now() is @p until, or until such a signal. */
void ms_interrupt_sleep(double until);

/** From now on SIGUSR1 is a request, which ms_interrupt_take_request takes. */
void ms_interrupt_catch_request(void);

/** True once after each such signal; several before it is asked are one. */
bool ms_interrupt_take_request(void);

/** From now on SIGINT is none of ours: a process we start gets it too, and decides. */
void ms_interrupt_leave_to_child(void);
