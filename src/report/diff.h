// diff.h - two censuses beside each other: what grew, by owner.
#pragma once

#include "report/census.h"

/** Whose maps these are, in which of the two. */
enum ms_diff_presence {
	MS_DIFF_BOTH,
	MS_DIFF_NEW,  // In the second only.
	MS_DIFF_GONE, // In the first only.
};

/** One side of a row; all zero where the owner has no map, MS_UNKNOWN where it was not said. */
struct ms_diff_side {
	uint64_t maps, entries, total_bytes, slack_bytes;
};

/** The maps of one owner and type. */
struct ms_diff_row {
	const char *owner, *type; // Either may be NULL.
	struct ms_diff_side before, after;
	uint8_t kind;     // ms_map_kind
	uint8_t presence; // ms_diff_presence
};

enum { MS_DIFF_WARNINGS_MAX = 8 };

struct ms_diff_report {
	struct ms_report_target before, after;
	const char *before_name, *after_name; // As they were typed.
	struct ms_report_cost cost;
	struct ms_diff_row *rows; // By the change in bytes, whichever way, descending.
	size_t row_count;
	struct ms_diff_side total_before, total_after; // Over all rows.
	bool same_process;
	uint64_t appeared, vanished; // By address; MS_UNKNOWN unless it is the same process.
	const char *warnings[MS_DIFF_WARNINGS_MAX]; // Why the two may not be comparable.
	size_t warning_count;
	struct ms_arena arena;
};

/** One of the two censuses, and what is known of where it came from. */
struct ms_diff_input {
	const char *name;
	const struct ms_census_report *census;
	bool filtered; // Its rows are not all owners.
	bool all_maps; // Its rows are all maps.
};

/** NO_MEMORY.  The report is the caller's to deinit and points to neither input. */
MS_MUST_USE struct ms_error *ms_diff_make(const struct ms_diff_input *before,
					  const struct ms_diff_input *after,
					  struct ms_diff_report *ret_report);

/** after - before; NAN where one is unknown. */
double ms_diff_change(uint64_t before, uint64_t after);

/** True when nothing that is shown differs. */
bool ms_diff_row_is_same(const struct ms_diff_row *row);

const char *ms_diff_presence_name(enum ms_diff_presence presence); // "both", "new", "gone"

void ms_diff_report_deinit(struct ms_diff_report *report);
