// users.h - which goroutines have to do with a map, and how.
#pragma once

#include "diagnose/watch.h"
#include "goroutines/goroutines_run.h"
#include "report/diagnosis.h"

/** The types of findings that the census could not name, as goroutines were sampled with them. */
void ms_users_name_types(struct ms_diagnosis_report *report);

/**
 * One look at all goroutines, with samples for as long as @p options->seconds, into
 * report->goroutines: those that hold one of the maps in @p watch are noted.  @p census is sorted
 * by address.  What cannot be seen is said in the report; an error means that the target is lost or
 * memory is short.
 */
MS_MUST_USE struct ms_error *ms_users_look(struct ms_go_runtime *rt, const struct ms_watch *watch,
					   const struct ms_census_report *census,
					   const struct ms_goroutines_options *options,
					   struct ms_diagnosis_report *report);

/** Count the users of each finding, and let go of what is not needed for that any more. */
void ms_users_fill(struct ms_diagnosis_report *report);
