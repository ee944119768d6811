// fail_if.h - conditions under which a script wants to hear of it: `--fail-if 'growth>100MB/min'`.
//
//	[owner~REGEX:]WHAT OP VALUE	OP is > >= < or <=, of verdict also =
//
//	entries, maps, bytes, slack, load	of all maps of one owner and type together
//	growth, retained, waiting, verdict	of a finding
//	findings				how many are not stable
#pragma once

#include "report/diagnosis.h"

enum ms_fail_what {
	MS_FAIL_ENTRIES,
	MS_FAIL_MAPS,
	MS_FAIL_BYTES,
	MS_FAIL_SLACK,
	MS_FAIL_SLACK_SHARE, // Of the table.
	MS_FAIL_LOAD,
	MS_FAIL_GROWTH, // Bytes a minute.
	MS_FAIL_RETAINED,
	MS_FAIL_WAITING,
	MS_FAIL_VERDICT,
	MS_FAIL_FINDINGS,
};

enum ms_fail_op { MS_FAIL_MORE, MS_FAIL_AT_LEAST, MS_FAIL_LESS, MS_FAIL_AT_MOST };

/** Zero-initialised ends in ms_fail_if_deinit, too. */
struct ms_fail_if {
	const char *text; // As it was typed; borrowed.
	struct ms_pattern owner;
	char *owner_text; // malloc'ed; NULL: every owner is meant.
	enum ms_fail_what what;
	enum ms_fail_op op;
	double value; // Shares from 0 to 1; of a verdict the ms_verdict.
};

/** USAGE with what is wrong and what is known; @p text must outlive the rule. */
MS_MUST_USE struct ms_error *ms_fail_if_parse(const char *text, struct ms_fail_if *ret_rule);

/** Bytes in a unit ("", "kB", "MiB", ...), 0 when it is not known. */
double ms_bytes_unit(const char *unit);

/** Whether a census alone can tell: else it takes the window of `mapscope PID`. */
bool ms_fail_if_is_of_census(const struct ms_fail_if *rule);

/** What came of a rule. */
struct ms_fail_result {
	bool hit;
	char *sentence;   // malloc'ed: who hits it, with the number; NULL unless hit.
	uint64_t unknown; // Owners or findings of which the value is not known.
};

/**
 * Hold @p rule against owners, and findings where there are any (@p diagnosis may be NULL).
 * NO_MEMORY.
 */
MS_MUST_USE struct ms_error *ms_fail_if_check(struct ms_fail_if *rule,
					      const struct ms_owner_row *owners, size_t count,
					      const struct ms_diagnosis_report *diagnosis,
					      struct ms_fail_result *ret_result);

void ms_fail_if_deinit(struct ms_fail_if *rule);
