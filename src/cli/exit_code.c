// exit_code.c - the one table from errors to exit codes.
//
// A code stands for what the caller can do about it, so several errors share one: a target whose
// bytes make no sense and one of an unknown release are both "not a supported target".  The man
// page lists the codes.
#include "cli/exit_code.h"

static const enum ms_exit_code codes[] = {
	[MS_ERR_FAULT] = MS_EXIT_UNSUPPORTED,
	[MS_ERR_BAD_DATA] = MS_EXIT_UNSUPPORTED,
	[MS_ERR_UNSUPPORTED] = MS_EXIT_UNSUPPORTED,
	[MS_ERR_DENIED] = MS_EXIT_DENIED,
	[MS_ERR_GONE] = MS_EXIT_GONE,
	[MS_ERR_LIMIT] = MS_EXIT_PARTIAL,
	[MS_ERR_NO_MEMORY] = MS_EXIT_INTERNAL,
	[MS_ERR_IO] = MS_EXIT_IO,
	[MS_ERR_USAGE] = MS_EXIT_USAGE,
	[MS_ERR_INTERNAL] = MS_EXIT_INTERNAL,
};

enum ms_exit_code ms_exit_code_of(const struct ms_error *err)
{
	return err ? codes[ms_error_code(err)] : MS_EXIT_DONE;
}
