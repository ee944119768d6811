// look_calls.c - one line each: the layers below have neither clock nor terminal.
#include "cli/look_calls.h"

#include "cli/interrupt.h"
#include "cli/privileges.h"
#include "cli/progress.h"

double ms_look_now(void *context)
{
	(void)context;
	return ms_clock_now();
}

void ms_look_sleep_until(void *context, double when)
{
	(void)context;
	ms_interrupt_sleep(when);
}

bool ms_look_stop(void *context)
{
	(void)context;
	return ms_interrupted();
}

void ms_look_placed(void *context)
{
	(void)context;
	ms_privileges_placed();
}

void ms_look_progress(void *context, double done, const char *what)
{
	ms_progress_show_share(context, what, done);
}
