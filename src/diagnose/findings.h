// findings.h - from two censuses and a watch to what is worth saying, most important first.
#pragma once

#include "diagnose/watch.h"
#include "report/diagnosis.h"

/** What is kept of the first census: enough to compare. */
struct ms_before {
	ms_addr address;
	uint64_t entries, capacity, total_bytes;
	uint32_t tables;
	bool growing;
	double progress; // Of the evacuation.
	bool is_trie;
};

struct ms_befores {
	struct ms_before *items; // Sorted by address.
	size_t count;
	bool tries_compare; // Both censuses have all tries of sync.Map: a walk finds them, or a
			    // part.
};

MS_MUST_USE struct ms_error *ms_befores_take(const struct ms_census_report *census,
					     struct ms_befores *ret_befores);

/**
 * Fill findings, fleet, map_bytes and slack_bytes of @p report from the last census.  @p window_s
 * is the time between the two; 0 when there was only one: then what the polls saw last stands for
 * the second.
 */
MS_MUST_USE struct ms_error *ms_findings_make(const struct ms_befores *before,
					      const struct ms_census_report *census,
					      const struct ms_watch *watch, double window_s,
					      struct ms_diagnosis_report *report);

/** Add @p more findings, rank all and keep the first.  NO_MEMORY. */
MS_MUST_USE struct ms_error *ms_findings_add(struct ms_diagnosis_report *report,
					     const struct ms_finding *more, size_t count);

void ms_befores_deinit(struct ms_befores *befores);
