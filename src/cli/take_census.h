// take_census.h - one census of an open session, described and accounted for.
#pragma once

#include "census/census_run.h"
#include "cli/session.h"
#include "walk/walk.h"

enum ms_take_what {
	MS_TAKE_MAPS,
	MS_TAKE_MEMORY, // And where the process's memory is, which costs more.
};

/** Filled in by the command as well: target, resident bytes, cost.  The caller deinits it. */
MS_MUST_USE struct ms_error *ms_take_census(struct ms_session *session, enum ms_take_what what,
					    struct ms_census_report *ret_report);

/**
 * The same with a row for each address in @p missed, whatever it looks like, so that the walk may
 * say what holds it; maps that the walk meets and the census does not have are added to @p missed.
 */
MS_MUST_USE struct ms_error *ms_take_census_with(struct ms_session *session, enum ms_take_what what,
						 struct ms_walk_missed *missed,
						 struct ms_census_report *ret_report);

/** Add the maps of libhmap that the session's process has to a census of it. */
MS_MUST_USE struct ms_error *ms_take_hmaps(struct ms_session *session,
					   struct ms_census_report *report);
