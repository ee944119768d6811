// exit_code.h - what a run says of itself to the shell.
#pragma once

#include "base/error.h"

enum ms_exit_code {
	MS_EXIT_DONE = 0,
	MS_EXIT_USAGE = 1,
	MS_EXIT_DENIED = 2,
	MS_EXIT_UNSUPPORTED = 3,
	MS_EXIT_GONE = 4,
	MS_EXIT_PARTIAL = 5,
	MS_EXIT_IO = 6,
	MS_EXIT_BROKEN = 7, // An invariant of a map, by inspect --check.
	MS_EXIT_BUDGET = 10,
	MS_EXIT_INTERNAL = 70,
	MS_EXIT_UNSTARTED = 125,
	MS_EXIT_SIGNAL = 128, // And its number.
};

/** The exit code that an error stands for; MS_EXIT_DONE for NULL. */
enum ms_exit_code ms_exit_code_of(const struct ms_error *err);
