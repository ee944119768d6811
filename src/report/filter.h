// filter.h - which rows of a report are asked for: those of certain owners or types.
//
// A filter only chooses rows to show.  Totals and coverage stay those of everything.
#pragma once

#include "base/error.h"
#include "base/types.h"

#include <regex.h>

/** One POSIX extended regular expression, and what it said of the last text it was asked about. */
struct ms_pattern {
	const char *text; // As it was typed; NULL: every text matches.
	regex_t compiled;
	const char *last;
	bool last_matches;
};

struct ms_row_filter {
	struct ms_pattern owner, type;
	bool either; // One of them is enough.
};

/** USAGE when @p text, which may be NULL, is no regular expression; @p option names it. */
MS_MUST_USE struct ms_error *ms_pattern_init(struct ms_pattern *pattern, const char *option,
					     const char *text);

/** A text that is not known (NULL) matches only where nothing was asked for. */
bool ms_pattern_matches(struct ms_pattern *pattern, const char *text);

void ms_pattern_deinit(struct ms_pattern *pattern);

/** @p owner and @p type may be NULL; they must outlive the filter.  USAGE. */
MS_MUST_USE struct ms_error *ms_row_filter_init(struct ms_row_filter *filter, const char *owner,
						const char *type);

/** One expression for owners and types; @p text may be NULL and must outlive the filter.  USAGE. */
MS_MUST_USE struct ms_error *ms_row_filter_init_either(struct ms_row_filter *filter,
						       const char *text);

/** True where both match, or either where that was asked for.  Accepts NULL, which lets everything
 * through. */
bool ms_row_filter_passes(struct ms_row_filter *filter, const char *owner, const char *type);

/** True when it asks for anything.  Accepts NULL. */
bool ms_row_filter_is_set(const struct ms_row_filter *filter);

/** Accepts NULL. */
void ms_row_filter_deinit(struct ms_row_filter *filter);
