// text_top.h - the page of top, for a screen that is drawn again and again, and for a log.
#pragma once

#include "render/render.h"

enum ms_screen_look {
	MS_LOOK_PLAIN,
	MS_LOOK_BOLD,
	MS_LOOK_DIM,
	MS_LOOK_REVERSE,
	MS_LOOK_YELLOW,
};

struct ms_screen_line {
	char *text; // Escaped, without an end of line, at most as wide as the screen.
	enum ms_screen_look look;
};

struct ms_screen {
	struct ms_screen_line *items;
	size_t count, capacity;
	size_t rows; // Of them, rows of the table that fit.
};

enum { MS_SCREEN_WIDTH_MIN = 40, MS_SCREEN_HEIGHT_MIN = 8 };

struct ms_screen_view {
	unsigned width, height;
	enum ms_charset charset;
	size_t first;    // Row shown on top.
	size_t selected; // Index of a row; SIZE_MAX: none.
	bool frozen;
	const char *filter; // As it was typed; NULL or "": none.
	const char *prompt; // The last line: what is being typed, or a message; NULL: the keys.
};

/** Rows of the table that a screen of @p height has room for. */
size_t ms_screen_row_room(unsigned height);

/** Lay the page out.  The caller deinits the screen.  NO_MEMORY. */
MS_MUST_USE struct ms_error *ms_render_top_screen(const struct ms_top_report *report,
						  const struct ms_screen_view *view,
						  struct ms_screen *ret_screen);

void ms_screen_deinit(struct ms_screen *screen);
