// rows.h - a goroutine as a row of the report: its state in words, its stack, where it was made.
#pragma once

#include "goroutines/goroutines_run.h"

/** What the words of a row are taken from. */
struct ms_row_writer;

/**
 * Reads what is the same for all: the names of wait reasons, the threads of those that have one.
 * @p run's goroutines must be loaded, and both must outlive it.
 */
MS_MUST_USE struct ms_error *ms_row_writer_create(struct ms_goroutines_run *run,
						  struct ms_row_writer **ret_writer);

/** Accepts NULL. */
void ms_row_writer_destroy(struct ms_row_writer *writer);

/** Write the row of @p g, but for what the passes write; one that ended gets id 0. */
MS_MUST_USE struct ms_error *ms_row_write(struct ms_row_writer *writer,
					  const struct ms_goroutine *g,
					  const struct ms_frames *frames,
					  struct ms_goroutine_row *row);

/** Drop the rows of those that ended, put the others in order, sum up what was seen. */
void ms_rows_finish(struct ms_goroutines_report *report);
