// progress.h - one line on the terminal for what takes longer than a second.
#pragma once

#include "cli/options.h"

struct ms_progress {
	double started; // When the command began.
	double shown;   // When the line was last written.
	unsigned width; // Of the terminal; 0: no progress is shown.
	size_t columns; // Of the line that stands there.
};

/** Shown when stderr is a terminal and the user did not ask for quiet. */
void ms_progress_init(struct ms_progress *p, const struct ms_options *options, double started);

/** Say what is being done; the time so far is put behind.  Cheap enough to call often. */
void ms_progress_show(struct ms_progress *p, const char *what);

/** The same with the share that is done, 0 to 1. */
void ms_progress_show_share(struct ms_progress *p, const char *what, double share);

/** Take the line away. */
void ms_progress_end(struct ms_progress *p);
