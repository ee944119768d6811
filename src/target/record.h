// record.h - a target that remembers what is read through it, and writes that to a file.
//
// Wrap a live process, run a census over the wrapper, write the file: replay.h then opens a target
// over which the same census reads the same bytes.  docs/formats/recording.md describes the file.
#pragma once

#include "target/target.h"

#include <stdio.h>

/** What a recording says about itself.  Unknown ones are NULL. */
struct ms_record_info {
	const char *release; // "go1.24.13"
	const char *command; // The target's command line.
	const char *date;    // "2026-11-30"
	const char *arch;    // "amd64"
	const char *note;
};

/**
 * Wrap @p inner, which is borrowed and has to outlive the wrapper.  Reads fail with LIMIT once
 * more has been read than a recording holds.  The caller destroys the result.
 */
MS_MUST_USE struct ms_error *ms_record_create(struct ms_target *inner,
					      struct ms_target **ret_target);

/**
 * Read, and so remember, all memory that can be read and the executable's bytes behind it.
 * Machine code is left out: it is half of a Go program, and a census reads none of it.  For small
 * processes: LIMIT beyond MS_RECORD_FULL_MAX bytes of mappings.
 */
MS_MUST_USE struct ms_error *ms_record_everything(struct ms_target *record);

/** Write what was remembered.  The same reads and info give the same bytes. */
MS_MUST_USE struct ms_error *ms_record_write(struct ms_target *record,
					     const struct ms_record_info *info, FILE *out);

#define MS_RECORD_FULL_MAX ((uint64_t)4 << 30)
