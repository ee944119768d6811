// sink.h - where rendered bytes go: a file or memory.
//
// The first failure sticks: later writes do nothing, and ms_sink_finish reports it once.  So a
// renderer writes without looking, and may ask ms_sink_failed to leave a long loop early.
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct ms_sink {
	char *bytes; // Not yet written, or in a memory sink all of it.
	size_t size, capacity;
	int fd; // -1 for a memory sink.
	int failed_errno;
};

/**
 * Write to @p file, which stays the caller's: it is flushed first and then written through its
 * descriptor.  A process that wants EPIPE as an error must ignore SIGPIPE.
 */
void ms_sink_init_file(struct ms_sink *sink, FILE *file);

/** Collect in memory. */
void ms_sink_init_memory(struct ms_sink *sink);

void ms_sink_write(struct ms_sink *sink, const void *bytes, size_t size);
void ms_sink_puts(struct ms_sink *sink, const char *text);
void ms_sink_printf(struct ms_sink *sink, const char *fmt, ...) MS_PRINTF(2, 3);

/** @p count times the byte @p c. */
void ms_sink_fill(struct ms_sink *sink, char c, size_t count);

/** Make @p sink fail as if memory had run out while writing to it. */
void ms_sink_fail_no_memory(struct ms_sink *sink);

bool ms_sink_failed(const struct ms_sink *sink);

/** A memory sink's bytes, NUL-terminated, until the sink is written to or ends.  NULL on failure.
 */
const char *ms_sink_text(struct ms_sink *sink);

/** Write out what is buffered.  MS_ERR_IO or MS_ERR_NO_MEMORY when anything so far failed. */
MS_MUST_USE struct ms_error *ms_sink_finish(struct ms_sink *sink);

void ms_sink_deinit(struct ms_sink *sink);
