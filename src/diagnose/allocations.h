// allocations.h - what the program allocated in the window, by the runtime's own memory profile.
#pragma once

#include "golang/memory_profile.h"
#include "report/diagnosis.h"

struct ms_allocations_before {
	struct ms_profile_place place;
	struct ms_profile profile;
	double at;           // When it was read, on the caller's clock.
	const char *unknown; // Why there is none, of @p arena; NULL when there is one.
};

/** The first look.  What cannot be had is said later; an error means that the target is lost. */
MS_MUST_USE struct ms_error *ms_allocations_begin(struct ms_go_runtime *rt, double now,
						  struct ms_arena *arena,
						  struct ms_allocations_before *ret_before);

/** The second look, into report->allocations; strings are the report's. */
MS_MUST_USE struct ms_error *ms_allocations_end(struct ms_go_runtime *rt, double now,
						const struct ms_allocations_before *before,
						struct ms_diagnosis_report *report);

void ms_allocations_before_deinit(struct ms_allocations_before *before);
