// text.h - lines of a page, and those every page has: target, coverage, cost.
//
// A line is put together in memory and then broken at spaces to fit the style's width.
#pragma once

#include "render/human.h"
#include "render/render.h"

struct ms_text {
	struct ms_sink *out;
	const struct ms_text_style *style;
	struct ms_sink line;
};

enum ms_text_color {
	MS_TEXT_BOLD = 1,
	MS_TEXT_DIM = 2,
	MS_TEXT_RED = 31,
	MS_TEXT_GREEN = 32,
	MS_TEXT_YELLOW = 33,
};

void ms_text_init(struct ms_text *t, const struct ms_text_style *style, struct ms_sink *out);

/** Append to the line.  The text must be ours or escaped. */
void ms_text_printf(struct ms_text *t, const char *fmt, ...) MS_PRINTF(2, 3);

/** Append @p name, escaped and cut to @p columns (0 for no limit).  NULL appends "?". */
void ms_text_name(struct ms_text *t, const char *name, size_t columns);

/** Append what the user typed, escaped but for its backslashes: they are common in expressions. */
void ms_text_typed(struct ms_text *t, const char *text);

/**
 * Append an owner's path, escaped and cut to @p columns (0 for no limit) so that its last words
 * stay: "…/session.Registry.byConn <- main.registry", then "…/session.Registry.byConn", then the
 * end of that.  Of the functions of a variable without a name only the first is shown.
 */
void ms_text_owner(struct ms_text *t, const char *owner, size_t columns);

/** Append a word in colour, plain where colours are off. */
void ms_text_colored(struct ms_text *t, enum ms_text_color color, const char *word);

/** Write the line at @p indent, broken to fit, later parts two columns further in. */
void ms_text_end(struct ms_text *t, unsigned indent);

/** Likewise with the later parts at @p hanging. */
void ms_text_end_hanging(struct ms_text *t, unsigned indent, unsigned hanging);

/** Write the line as it is. */
void ms_text_end_whole(struct ms_text *t);

/** "PARTIAL: <reason>"; nothing when @p partial is not set. */
void ms_text_partial(struct ms_text *t, bool partial, const char *reason);

/** Append "prometheus (pid 1234) go1.19.8 linux/amd64 stripped". */
void ms_text_target(struct ms_text *t, const struct ms_report_target *target);

/** "unproved: ..." where the layout has not been through the ground-truth test. */
void ms_text_unproved(struct ms_text *t, const struct ms_report_target *target);

/** "seen ..., read ..., skipped ...; typed ..." and a line on the reads behind it. */
void ms_text_coverage(struct ms_text *t, const struct ms_coverage *coverage,
		      const struct ms_report_cost *cost);

/** "41,230 maps in main.registry, 1.9 GB" for the largest groups; @p order are indices of them. */
void ms_text_groups(struct ms_text *t, const struct ms_owner_row *rows, const size_t *order,
		    size_t count);

/** "maps are 62 % of the live heap (...)"; nothing where memory was not measured. */
void ms_text_map_share(struct ms_text *t, const struct ms_memory *m);

/** The parts that resident memory consists of, a line each. */
void ms_text_memory(struct ms_text *t, const struct ms_memory *m);

/** The page of a census, from its head to its cost.  NO_MEMORY. */
MS_MUST_USE struct ms_error *ms_text_census(struct ms_text *t,
					    const struct ms_census_report *report,
					    const struct ms_census_view *view);

/** The last line of every page, never broken. */
void ms_text_cost(struct ms_text *t, const struct ms_report_cost *cost);

/** Finish the sink and free the line. */
MS_MUST_USE struct ms_error *ms_text_finish(struct ms_text *t);
