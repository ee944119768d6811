// top.h - the owners of a process, or its maps, as they are at this moment, and how fast they move.
#pragma once

#include "report/census.h"

enum ms_top_sort {
	MS_TOP_GROWTH, // Entries a second, and those that are in the middle of a growth first.
	MS_TOP_BYTES,
	MS_TOP_SLACK,
	MS_TOP_WAITING,
	MS_TOP_ENTRIES,
	MS_TOP_SORT_COUNT_,
};

enum { MS_TOP_HISTORY = 16 };

/** One owner's maps of one type, or one map. */
struct ms_top_row {
	const char *owner, *type; // NULL unknown.
	ms_addr address;          // Of its only map, or of the one with the most entries.
	double most;              // That many; -1 unknown.
	uint64_t maps;
	uint64_t entries;  // Now, or as of the census where headers are not read in between.
	uint64_t lost;     // Of the maps, those that are another one now, or none.
	uint64_t capacity; // As of the census, as the next three; MS_UNKNOWN.
	uint64_t total_bytes, slack_bytes;
	double load;      // NAN unknown.
	double per_s;     // Entries; NAN before there were two looks.
	uint64_t growing; // Maps with a growth under way, as far as their headers say so.
	double progress;  // Of these growths, 0 to 1, their mean; NAN for none.
	uint64_t waiting; // Goroutines for a lock of it; MS_UNKNOWN.
	/** Entries at the latest looks, the oldest first. */
	float history[MS_TOP_HISTORY];
	unsigned history_count;
};

struct ms_top_gc {
	const char *unknown; // Why it is not known; NULL: it is.
	uint64_t cycles;
	double age_s; // Since the last one ended; NAN: none has, or it is not known.
	uint64_t live_bytes, goal_bytes; // MS_UNKNOWN
	bool is_marking;
};

struct ms_top_report {
	struct ms_report_target target;
	struct ms_report_cost cost;
	uint64_t look;       // 1 is the first.
	double per_s_s;      // Over how long the entries a second are counted; NAN: not yet.
	double census_age_s; // Of bytes, slack and load.
	uint64_t rss_bytes;
	uint64_t maps, entries, lost;
	uint64_t growing;
	uint64_t seen, read, skipped; // Of the census.
	struct ms_top_gc gc;
	const char *waiting_unknown; // Why; NULL: it is known.
	enum ms_top_sort sort;
	bool expanded; // A row is a map.
	struct ms_top_row *rows;
	size_t row_count;     // Sorted; at most what was asked for.
	uint64_t rows_passed; // By the filter.
	bool partial;
	const char *partial_reason;
};

const char *ms_top_sort_name(enum ms_top_sort sort); // "growth", ...
