// owner_changes.c - sums by owner, joined and judged.
//
// A leak of small maps shows in no single map: their number grows.  An owner is judged by the rules
// of every history (verdict.h), from its sums in the first and the last census; owners of one map
// are left to the findings.
#include "diagnose/owner_changes.h"

#include "base/cleanup.h"
#include "base/vec.h"
#include "diagnose/verdict.h"

enum { CHANGES_MAX = 5, MAPS_MIN = 2 };

struct changes {
	struct ms_owner_change *items;
	size_t count, capacity;
};

static struct ms_owner_sample sample_of(const struct ms_diff_side *side, double time_s)
{
	return (struct ms_owner_sample){ .time_s = time_s,
					 .maps = side->maps,
					 .entries = side->entries,
					 .capacity = MS_UNKNOWN,
					 .bytes = side->total_bytes };
}

static bool is_known(const struct ms_diff_side *side)
{
	return side->maps != MS_UNKNOWN && side->entries != MS_UNKNOWN;
}

static enum ms_verdict judge(const struct ms_diff_row *row, double window_s)
{
	const struct ms_owner_sample samples[] = { sample_of(&row->before, 0),
						   sample_of(&row->after, window_s) };

	return ms_verdict_judge_owner(samples, MS_ARRAY_SIZE(samples), row->after.slack_bytes);
}

static struct ms_error *change_add(struct changes *changes, const struct ms_diff_row *row,
				   enum ms_verdict verdict, struct ms_arena *arena)
{
	struct ms_owner_change change = { NULL, NULL, row->before, row->after, verdict };

	change.owner = ms_arena_strndup(arena, row->owner, strlen(row->owner));
	if (row->type)
		change.type = ms_arena_strndup(arena, row->type, strlen(row->type));
	if (!change.owner || (row->type && !change.type) || !ms_vec_push(changes, change))
		return ms_error_no_memory();
	return NULL;
}

struct ms_error *ms_owner_changes_make(const struct ms_census_report *before,
				       const struct ms_census_report *after, double window_s,
				       struct ms_diagnosis_report *report)
{
	const struct ms_diff_input inputs[] = { { "before", before, false, true },
						{ "after", after, false, true } };
	struct changes changes = { 0 };
	struct ms_diff_report diff;
	struct ms_error *err = ms_diff_make(&inputs[0], &inputs[1], &diff);

	if (err)
		return err;
	// The rows come by their change in bytes.
	for (size_t i = 0; i < diff.row_count && changes.count < CHANGES_MAX && !err; i++) {
		const struct ms_diff_row *row = &diff.rows[i];
		enum ms_verdict verdict;

		if (!row->owner || !is_known(&row->before) || !is_known(&row->after) ||
		    row->after.maps < MAPS_MIN)
			continue;
		verdict = judge(row, window_s);
		if (verdict == MS_VERDICT_GROWING || verdict == MS_VERDICT_SUSPECT)
			err = change_add(&changes, row, verdict, &report->arena);
	}
	ms_diff_report_deinit(&diff);
	if (err) {
		ms_vec_free(&changes);
		return err;
	}
	report->owner_changes = changes.items;
	report->owner_change_count = changes.count;
	return NULL;
}
