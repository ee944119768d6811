// budget.h - limits on the maps of owners, and how near a run came to them.
//
// A budget is a text of lines:
//
//	# what the cache may hold
//	session\.Registry   entries<=1000000 bytes<=64MB
//	"main.cache <-"     slack<=10MB maps<=1000
//	*                   bytes<=2GB
//
// An owner's limits are on all its maps in one process together, whatever their types; `*` is all
// maps of a process, those without an owner too.
#pragma once

#include "report/census.h"

enum ms_budget_limit {
	MS_BUDGET_ENTRIES,
	MS_BUDGET_BYTES,
	MS_BUDGET_SLACK,
	MS_BUDGET_MAPS,
	MS_BUDGET_COUNT,
};

/** The most that was seen of one owner in one census. */
struct ms_budget_worst {
	uint64_t value; // MS_UNKNOWN: nothing was seen.
	const char *owner, *exe;
	uint64_t pid;
	double at_s;
};

struct ms_budget_rule {
	const char *text;          // The owner's expression as it was typed.
	struct ms_pattern pattern; // Not set for `*`.
	unsigned line;
	uint64_t limits[MS_BUDGET_COUNT]; // MS_UNKNOWN: none.
	struct ms_budget_worst worst[MS_BUDGET_COUNT];
	bool matched;
};

struct ms_budget {
	const char *name; // Of the file.
	struct ms_budget_rule *rules;
	size_t rule_count;
	struct ms_arena arena;
};

/** USAGE with the line's number and what to type. @p name is the file's. */
MS_MUST_USE struct ms_error *ms_budget_parse(const char *text, size_t size, const char *name,
					     struct ms_budget *ret_budget);

/** Take a census of a process into account, taken @p at_s seconds into the run.  NO_MEMORY. */
MS_MUST_USE struct ms_error *ms_budget_check(struct ms_budget *budget,
					     const struct ms_census_report *census, double at_s);

/** True when any of the rule's limits was passed. */
bool ms_budget_rule_is_broken(const struct ms_budget_rule *rule);

/** Rules with a limit that was passed. */
size_t ms_budget_broken(const struct ms_budget *budget);

const char *ms_budget_limit_name(enum ms_budget_limit limit); // "entries", "bytes", "slack", "maps"

void ms_budget_deinit(struct ms_budget *budget);
