// diagnosis.h - the result of `mapscope PID`: what grows, what holds slack, in order of weight.
#pragma once

#include "report/census.h"

enum ms_verdict {
	MS_VERDICT_GROWING,
	MS_VERDICT_SUSPECT, // Growing, and nothing was ever seen to be taken out.
	MS_VERDICT_SAWTOOTH,
	MS_VERDICT_SLACK, // Capacity held, entries gone.
	MS_VERDICT_STABLE,
};

/** One map that is worth a paragraph. */
struct ms_finding {
	enum ms_verdict verdict;
	struct ms_map_row map;   // As the last census saw it.
	uint64_t entries_before; // In the first census; MS_UNKNOWN for a map that is new.
	uint64_t bytes_before;   // Likewise.
	double entries_per_s;    // Net, over the window; NAN when unknown.
	double bytes_per_min;    // Of the table, from the growths seen; NAN when unknown.
	uint64_t growths_seen;   // By polling: at least so many.
	uint64_t entries_low, entries_high; // Over all polls.
	uint64_t polls;
};

/** The maps that are too small for a paragraph of their own, summed. */
struct ms_fleet {
	uint64_t maps_before, maps_after;
	uint64_t entries_before, entries_after;
	uint64_t bytes_before, bytes_after;
	uint64_t appeared, vanished; // Addresses in one census only.
};

struct ms_diagnosis_report {
	struct ms_report_target target;
	struct ms_report_cost cost;
	struct ms_finding *findings; // Ranked.
	size_t finding_count;
	struct ms_fleet fleet;           // Every map, findings included.
	struct ms_coverage coverage;     // Of the last census.
	uint64_t map_bytes, slack_bytes; // total_bytes and slack_bytes over all maps.
	uint64_t heap_bytes, rss_bytes;
	struct ms_memory memory; // As of the last census.
	double window_s;
	uint64_t gc_cycles; // Collections during the window.
	bool partial;
	const char *partial_reason;
	struct ms_arena arena;
};

/** What lies ahead of a map if it goes on as it did in the window. */
struct ms_clock {
	uint64_t next_growth_entries; // Still to come until the next growth starts.
	double next_growth_s;         // NAN unless entries are added.
};

struct ms_clock ms_finding_clock(const struct ms_finding *finding);

const char *ms_verdict_name(enum ms_verdict verdict); // "growing", ...

void ms_diagnosis_report_deinit(struct ms_diagnosis_report *report);
