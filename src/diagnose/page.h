// page.h - what a page has whether it is about a Go program or one in C.
#pragma once

#include "report/diagnosis.h"

/** Whether @p err means that the target went away, so that what is known can still be told. */
bool ms_page_is_loss(const struct ms_error *err);

/** Fill in owners: those with most bytes, and all others as one.  NO_MEMORY. */
MS_MUST_USE struct ms_error *ms_page_keep_owners(const struct ms_census_report *census,
						 struct ms_diagnosis_report *report);

/** Mark the report partial: "WHAT, after 3.2 s of 10.0 s".  NO_MEMORY. */
MS_MUST_USE struct ms_error *ms_page_set_partial(struct ms_diagnosis_report *report,
						 const char *what, double after_s, double of_s);
