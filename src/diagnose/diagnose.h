// diagnose.h - what the maps of a process did in the last seconds: two censuses and polls between.
#pragma once

#include "census/census_run.h"
#include "registry/c_symbols.h"
#include "registry/registries.h"
#include "report/diagnosis.h"

/** The caller's clock and terminal: this layer has none. */
struct ms_diagnose_options {
	double seconds;  // From the call to the result.
	bool no_owners;  // Look for no types and owners.
	bool no_probes;  // Place none: growths are found by polls alone.
	ms_stop_fn stop; // True ends the window early.  May be NULL.
	void *stop_context;
	double (*now)(void *context);                    // Seconds on a clock that never goes back.
	void (*sleep_until)(void *context, double when); // May return early.
	void (*progress)(void *context, double done, const char *what); // May be NULL.
	/** Called when probes are placed, or will not be.  May be NULL. */
	void (*placed)(void *context);
	void *context;
	const struct ms_registries *registries; // libhmap's maps are watched, too; NULL for none.
	struct ms_c_symbols *symbols;           // For their owners and stacks; may be NULL.
	const char *root; // Put before /proc and /sys; NULL unless a test plants another.
};

/**
 * Watch for @p options->seconds and report.  When the target goes away after the first census, or
 * the caller stops early, the report is marked partial and holds what was seen.  target, rss_bytes,
 * wall_s and own_peak_bytes are the caller's to fill in, and its to deinit.
 */
MS_MUST_USE struct ms_error *ms_diagnose_run(struct ms_go_runtime *rt,
					     const struct ms_diagnose_options *options,
					     struct ms_diagnosis_report *ret_report);

/** Likewise of a C program that uses libhmap: options->registries says where. */
MS_MUST_USE struct ms_error *ms_diagnose_c_run(const struct ms_diagnose_options *options,
					       struct ms_diagnosis_report *ret_report);
