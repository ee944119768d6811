// film.h - frames of two maps side by side, as text, in a terminal, as SVG and as HTML.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { FILM_CELLS = 128, FILM_FRAMES_MOST = 2000, FILM_SENTENCE = 96 };

/** One bucket, or several of a table that is larger than a row. */
struct film_cell {
	unsigned entries, slots;
	unsigned moved, buckets; // how many of them the growth has passed
	bool overflow;
};

struct film_side {
	struct film_cell cells[FILM_CELLS], old_cells[FILM_CELLS];
	size_t cell_count, old_cell_count;
	size_t entries, slots, total_bytes, peak_bytes;
	double last_us, worst_us; // below 0: not to be shown
	char sentence[FILM_SENTENCE];
};

struct film {
	struct film_side now[2];  // classic, steady
	struct film_side *frames; // pairs of sides
	size_t count, room;
	bool colour;
};

/** Keeps film->now as a frame; false: no memory. */
bool film_add(struct film *film);
void film_free(struct film *film);

/** film->now over what stands on the screen. */
void film_draw(const struct film *film, FILE *out);
void film_begin_screen(FILE *out);
void film_end_screen(FILE *out);

void film_write_text(const struct film *film, FILE *out);
void film_write_svg(const struct film *film, FILE *out);
void film_write_html(const struct film *film, FILE *out);
