// look_calls.h - the clock and the terminal, as what looks for a while asks for them.
#pragma once

#include <stdbool.h>

/** Seconds on a clock that never goes back; @p context is not looked at, as in the next two. */
double ms_look_now(void *context);

void ms_look_sleep_until(void *context, double when);

/** The user wants it to be over. */
bool ms_look_stop(void *context);

/** What placing probes took is given up. */
void ms_look_placed(void *context);

/** @p context is a struct ms_progress. */
void ms_look_progress(void *context, double done, const char *what);
