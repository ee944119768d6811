// session.h - one run on one process: opened, described, accounted for.
#pragma once

#include "cli/options.h"
#include "golang/runtime.h"
#include "registry/c_symbols.h"
#include "registry/registries.h"
#include "report/common.h"

#include <limits.h>

struct ms_session {
	const struct ms_options *options;
	double started; // Of ms_clock_now, when the command began.
	pid_t pid;
	char exe[PATH_MAX];
	struct ms_target *target;
	struct ms_go_runtime *rt;        // NULL: a C program that uses libhmap.
	struct ms_registries registries; // Of libhmap, also in a Go program; none is usual.
	struct ms_c_symbols *symbols;    // Where there are any.
};

/** Find the process that the options name.  GONE, USAGE when a name is not unique. */
MS_MUST_USE struct ms_error *ms_session_find(struct ms_session *s, const struct ms_options *options,
					     double started);

/** Open the process or core, its Go runtime and its libhmap.  The session must be deinited in any
 * case. */
MS_MUST_USE struct ms_error *ms_session_open(struct ms_session *s);

/** Likewise for what only Go programs have: UNSUPPORTED for a C program, with what to type. */
MS_MUST_USE struct ms_error *ms_session_open_go(struct ms_session *s);

/** Say in a report what was looked at; strings are copied to @p arena. */
MS_MUST_USE struct ms_error *ms_session_describe(const struct ms_session *s, struct ms_arena *arena,
						 struct ms_report_target *ret_target);

/** Of a core that was cut off: what is missing, as a clause; NULL when memory is short. */
const char *ms_session_cut_text(const struct ms_session *s, struct ms_arena *arena);

/** Fill in what only the command knows of the cost: time, own memory. */
void ms_session_account(const struct ms_session *s, struct ms_report_cost *cost);

/** Resident bytes of the process, MS_UNKNOWN when it is gone. */
uint64_t ms_session_rss_bytes(const struct ms_session *s);

void ms_session_deinit(struct ms_session *s);
