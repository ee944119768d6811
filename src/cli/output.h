// output.h - a finished report to the terminal and to files.
#pragma once

#include "cli/options.h"

/** Write a report as a document, table or picture. */
typedef struct ms_error *(*ms_document_fn)(const void *report, const struct ms_options *options,
					   struct ms_sink *sink);

/** A report and how to render it in each form that the verb has (its row in options.c). */
struct ms_page {
	struct ms_error *(*text)(const void *report, const struct ms_options *options,
				 const struct ms_text_style *style, struct ms_sink *sink);
	ms_document_fn documents[MS_FORMAT_COUNT_];
	const void *report;
	FILE *stream;    // Where the page is printed; NULL: stdout.
	bool is_printed; // As it came: only files are left to write.
};

/**
 * IO when a file that the options name could not be written, USAGE when a terminal would get what
 * is not for one; asked before anything is read.
 */
MS_MUST_USE struct ms_error *ms_output_check(const struct ms_options *options);

/**
 * Print the page and write the files.  Everything is tried; the first error is returned.  A reader
 * that closed its end of the pipe is no error.
 */
MS_MUST_USE struct ms_error *ms_output_write(const struct ms_options *options,
					     const struct ms_page *page);

/** @p err of writing to stdout through @p sink; NULL when its reader had enough and closed it. */
MS_MUST_USE struct ms_error *ms_output_forgive_closed(struct ms_error *err,
						      const struct ms_sink *sink);

/** One sentence on stderr.  It may hold words of the target or of the command line. */
void ms_output_say(const char *sentence);

/** Say on stderr that a result is partial, and why: the page may go where nobody reads it. */
void ms_output_say_partial(const char *reason);
