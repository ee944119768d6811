// verdict.h - one word for a history: growing, suspect, sawtooth, slack or stable.
//
// The only place where the rules stand; docs/verdicts.md says the same to a user.
#pragma once

#include "report/diagnosis.h"

/** One look at a map, or at the sum of an owner's maps. */
struct ms_sample {
	double time_s;
	uint64_t entries;
	uint64_t capacity, bytes; // MS_UNKNOWN where that look did not tell.
};

/**
 * What was seen, first to last.  When looks were left out of samples to save room, low, high,
 * rises, falls and looks still speak of all of them.
 */
struct ms_history {
	const struct ms_sample *samples; // In the order of time.
	size_t count;
	uint64_t looks;        // All looks, those in samples included.
	uint64_t low, high;    // Fewest and most entries.
	uint64_t rises, falls; // Looks with more, fewer entries than the one before.
	uint64_t growths;      // Of the table, seen at least.
	bool evacuating;       // A growth into a larger array began or went on.
	uint64_t slack_bytes;  // At the last look, MS_UNKNOWN where not known.
};

/** Make low, high, rises, falls and looks from @p samples alone. */
struct ms_history ms_history_of(const struct ms_sample *samples, size_t count);

enum ms_verdict ms_verdict_judge(const struct ms_history *history);

/** One look at all maps of one owner and type. */
struct ms_owner_sample {
	double time_s;
	uint64_t maps;
	uint64_t entries, capacity, bytes;
};

enum { MS_OWNER_SAMPLES_MAX = 64 };

/**
 * The same for an owner's sums: growing when its entries grow or the number of its maps does.  At
 * most MS_OWNER_SAMPLES_MAX samples, before and after being enough.  One map more or less is
 * nothing: an owner of few maps is judged by their entries.
 */
enum ms_verdict ms_verdict_judge_owner(const struct ms_owner_sample *samples, size_t count,
				       uint64_t slack_bytes);
