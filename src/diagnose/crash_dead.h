// crash_dead.h - which goroutine died, where several met a fatal error at once.
#pragma once

#include "golang/unwind.h"
#include "report/crash.h"

/** The goroutine that @p thread ran; NULL: none that is known. */
const struct ms_goroutine_row *ms_crash_on_thread(const struct ms_crash_report *report,
						  uint32_t thread);

/** Set who died; NULL: it is not known. */
void ms_crash_set_dead(struct ms_crash_report *report, const struct ms_goroutine_row *row);

/**
 * Set what @p report has of the one that died: its error, id, stack and role.  *ret_row is its row,
 * NULL where there is none.
 */
MS_MUST_USE struct ms_error *ms_crash_find_dead(struct ms_go_runtime *rt,
						struct ms_unwinder *unwinder,
						struct ms_crash_report *report,
						const struct ms_goroutine_row **ret_row);
