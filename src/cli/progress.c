// progress.c - a line that is written over itself and gone before the page.
//
// It is erased with spaces, not with an escape sequence, so that it works on any terminal.
#include "cli/progress.h"

#include "cli/interrupt.h"
#include "cli/terminal.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const double SILENT_S = 1, STEP_S = 0.2;

void ms_progress_init(struct ms_progress *p, const struct ms_options *options, double started)
{
	*p = (struct ms_progress){ .started = started };
	if (!options->quiet && isatty(STDERR_FILENO))
		p->width = ms_terminal_style(stderr, options).width;
}

static bool is_due(struct ms_progress *p)
{
	double now;

	if (!p->width)
		return false;
	now = ms_clock_now();
	if (now - p->started < SILENT_S || now - p->shown < STEP_S)
		return false;
	p->shown = now;
	return true;
}

/** Write @p line over the one that stands there. */
static void write_line(struct ms_progress *p, const char *line)
{
	size_t columns = strnlen(line, p->width - 1);
	size_t rest = p->columns > columns ? p->columns - columns : 0;

	fprintf(stderr, "\r%.*s%*s\r", (int)columns, line, (int)rest, "");
	p->columns = columns;
}

void ms_progress_show(struct ms_progress *p, const char *what)
{
	char line[160];

	if (!is_due(p))
		return;
	snprintf(line, sizeof(line), "mapscope: %s, %.0f s", what, p->shown - p->started);
	write_line(p, line);
}

void ms_progress_show_share(struct ms_progress *p, const char *what, double share)
{
	char line[160];

	if (!is_due(p))
		return;
	snprintf(line, sizeof(line), "mapscope: %s, %.0f s, %.0f %%", what, p->shown - p->started,
		 100 * (share > 1 ? 1 : share));
	write_line(p, line);
}

void ms_progress_end(struct ms_progress *p)
{
	if (p->columns)
		write_line(p, "");
}
