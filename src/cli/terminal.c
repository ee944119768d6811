// terminal.c - the environment's wishes, read in one place.
//
// COLUMNS outweighs the terminal's own width because it was set on purpose; without a terminal a
// page is 80 columns wide.  NO_COLOR counts when it is not empty (no-color.org).
#include "cli/terminal.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { WIDTH_DEFAULT = 80, WIDTH_MIN = 40, WIDTH_MAX = 1000 };

static unsigned width_of(int fd)
{
	const char *columns = getenv("COLUMNS");
	struct winsize window = { 0 };
	long width = columns ? strtol(columns, NULL, 10) : 0;

	if (width < 1 || width > WIDTH_MAX) {
		width = 0;
		if (ioctl(fd, TIOCGWINSZ, &window) == 0)
			width = window.ws_col;
	}
	if (!width)
		return WIDTH_DEFAULT;
	return width < WIDTH_MIN ? WIDTH_MIN : (unsigned)width;
}

static enum ms_color color_on(int fd, const struct ms_options *options)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (options->no_color || (no_color && no_color[0]) || !isatty(fd) || !term ||
	    !strcmp(term, "dumb"))
		return MS_COLOR_OFF;
	return MS_COLOR_ON;
}

struct ms_text_style ms_terminal_style(FILE *file, const struct ms_options *options)
{
	int fd = fileno(file);
	struct ms_text_style style = {
		.width = width_of(fd),
		.color = color_on(fd, options),
		.charset = MS_CHARSET_ASCII,
	};

	setlocale(LC_CTYPE, "");
	if (!strcmp(nl_langinfo(CODESET), "UTF-8"))
		style.charset = MS_CHARSET_UNICODE;
	return style;
}
