// output.h - a finished report to the terminal and to files.
#pragma once

#include "cli/options.h"

/** A report and how to render it in each format. */
struct ms_page {
	struct ms_error *(*text)(const void *report, const struct ms_options *options,
				 const struct ms_text_style *style, struct ms_sink *sink);
	struct ms_error *(*json)(const void *report, const struct ms_options *options,
				 struct ms_sink *sink);
	struct ms_error *(*csv)(const void *report, const struct ms_options *options,
				struct ms_sink *sink);
	const void *report;
	FILE *stream; // Where the page is printed; NULL: stdout.
};

/** IO when a file that the options name could not be written; asked before anything is read. */
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
