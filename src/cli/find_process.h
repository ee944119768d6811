// find_process.h - the process that goes by a name.
#pragma once

#include "base/error.h"

#include <sys/types.h>

/**
 * The one process whose command name, executable or argv[0] is called @p name or, where there is
 * none, like @p name as a regular expression.  GONE when there is none either; USAGE when it is no
 * regular expression, or when there are several, with a line for each that says what to type, made
 * with
 * @p verb.  This process itself is never found.
 */
MS_MUST_USE struct ms_error *ms_find_process(const char *name, const char *verb, pid_t *ret_pid);
