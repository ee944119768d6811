// Frames of two maps, drawn.
//
// A cell is a bucket, or a few where a table has more than a row has room for: its height and
// colour say how full it is.  The old array of the classic engine stands above the new one; the
// steady engine has none: its cells split where they are.
#include "hmap_tools/film.h"

#include <stdlib.h>
#include <string.h>

enum { COLUMN = 39, ROW = 38 };

static const char *const titles[2] = { "classic: Go's map", "steady: libhmap's own" };

bool film_add(struct film *film)
{
	if (film->count == film->room) {
		size_t room = film->room ? film->room * 2 : 32;
		struct film_side *frames = realloc(film->frames, room * 2 * sizeof(*frames));

		if (!frames)
			return false;
		film->frames = frames;
		film->room = room;
	}
	memcpy(&film->frames[film->count * 2], film->now, sizeof(film->now));
	film->count++;
	return true;
}

void film_free(struct film *film)
{
	free(film->frames);
	film->frames = NULL;
	film->count = film->room = 0;
}

static double fill_of(const struct film_cell *cell)
{
	double fill = cell->slots ? (double)cell->entries / cell->slots : 0;

	return fill > 1 ? 1 : fill;
}

static void microseconds(double value, char *ret_text, size_t size)
{
	if (value < 0)
		snprintf(ret_text, size, "-");
	else
		snprintf(ret_text, size, "%.1f us", value);
}

/* ------------------------------------------------------------------------------------------- */
/* Text                                                                                        */

/** A row of cells as characters: how full each is; capital letters of the frontier are not needed,
 *  what was moved out of the old array is a dot. */
static void row_of_cells(const struct film_cell *cells, size_t count, size_t from, bool old,
			 char *ret_row)
{
	static const char levels[] = " .:-=+*#%@";
	size_t at = 0;

	for (size_t i = from; i < count && at < ROW; i++) {
		double fill = fill_of(&cells[i]);

		if (old && cells[i].moved == cells[i].buckets)
			ret_row[at++] = '~';
		else
			ret_row[at++] = levels[(size_t)(fill * 9.001)];
	}
	ret_row[at] = '\0';
}

static void side_lines(const struct film_side *s, int which, char lines[][COLUMN + 64],
		       size_t *ret_count)
{
	size_t n = 0, shown = s->cell_count;
	char last[24], worst[24];

	microseconds(s->last_us, last, sizeof(last));
	microseconds(s->worst_us, worst, sizeof(worst));
	snprintf(lines[n++], COLUMN + 64, "%s", titles[which]);
	snprintf(lines[n++], COLUMN + 64, "%.*s", ROW, s->sentence);
	snprintf(lines[n++], COLUMN + 64, "entries %zu, load %.0f %%", s->entries,
		 s->slots ? 100.0 * (double)s->entries / (double)s->slots : 0.0);
	snprintf(lines[n++], COLUMN + 64, "memory %zu, peak %zu bytes", s->total_bytes,
		 s->peak_bytes);
	snprintf(lines[n++], COLUMN + 64, "last put %s, worst %s", last, worst);
	snprintf(lines[n++], COLUMN + 64, "%s", s->old_cell_count ? "old array (~ moved)" : "");
	for (size_t from = 0; from < 4 * ROW; from += ROW)
		row_of_cells(s->old_cells, s->old_cell_count, from, true, lines[n++]);
	snprintf(lines[n++], COLUMN + 64, "%s", s->old_cell_count ? "new array" : "table");
	for (size_t from = 0; from < 4 * ROW; from += ROW)
		row_of_cells(s->cells, shown, from, false, lines[n++]);
	*ret_count = n;
}

static void write_pair(const struct film_side *pair, FILE *out, const char *end_of_line)
{
	char left[20][COLUMN + 64], right[20][COLUMN + 64];
	size_t lines, other;

	memset(left, 0, sizeof(left));
	memset(right, 0, sizeof(right));
	side_lines(&pair[0], 0, left, &lines);
	side_lines(&pair[1], 1, right, &other);
	for (size_t i = 0; i < lines; i++) {
		int width = fprintf(out, "%-*s| %s", COLUMN, left[i], right[i]);

		(void)width;
		fputs(end_of_line, out);
	}
}

void film_write_text(const struct film *film, FILE *out)
{
	for (size_t i = 0; i < film->count; i++) {
		fprintf(out, "frame %zu of %zu\n", i + 1, film->count);
		write_pair(&film->frames[i * 2], out, "\n");
		fputc('\n', out);
	}
}

void film_begin_screen(FILE *out)
{
	fputs("\033[?25l\033[2J", out);
}

void film_end_screen(FILE *out)
{
	fputs("\033[?25h\n", out);
	fflush(out);
}

void film_draw(const struct film *film, FILE *out)
{
	fputs(film->colour ? "\033[H\033[36m" : "\033[H", out);
	write_pair(film->now, out, "\033[K\n");
	fputs(film->colour ? "\033[0m\033[J" : "\033[J", out);
	fflush(out);
}

/* ------------------------------------------------------------------------------------------- */
/* Pictures                                                                                    */

enum { WIDTH = 960, HEIGHT = 440, SIDE = 460, CELL_ROW = 32, CELL = 13, TOP = 150 };

static void cells_svg(const struct film_cell *cells, size_t count, int x, int y, bool old,
		      FILE *out)
{
	for (size_t row = 0; row * CELL_ROW < count; row++) {
		size_t here = count - row * CELL_ROW < CELL_ROW ? count - row * CELL_ROW : CELL_ROW;

		fprintf(out, "<rect x='%d' y='%d' width='%d' height='%d' class='e'/>", x,
			y + (int)row * (CELL + 3), (int)here * (CELL + 1) - 1, CELL);
	}
	for (size_t i = 0; i < count; i++) {
		bool gone = old && cells[i].moved == cells[i].buckets;
		int height = gone ? 0 : (int)(fill_of(&cells[i]) * CELL + 0.5);
		const char *kind = old ? "o" : cells[i].overflow ? "v" : cells[i].moved ? "m" : "n";

		if (height)
			fprintf(out, "<rect x='%d' y='%d' width='%d' height='%d' class='%s'/>",
				x + (int)(i % CELL_ROW) * (CELL + 1),
				y + (int)(i / CELL_ROW) * (CELL + 3) + CELL - height, CELL, height,
				kind);
	}
}

static void side_svg(const struct film_side *s, int which, FILE *out)
{
	int x = 10 + which * (SIDE + 20);
	char last[24], worst[24];
	int y = TOP;

	microseconds(s->last_us, last, sizeof(last));
	microseconds(s->worst_us, worst, sizeof(worst));
	fprintf(out, "<text x='%d' y='30' class='t'>%s</text>", x, titles[which]);
	fprintf(out, "<text x='%d' y='54'>%s</text>", x, s->sentence);
	fprintf(out, "<text x='%d' y='76'>%zu entries, load %.0f %%</text>", x, s->entries,
		s->slots ? 100.0 * (double)s->entries / (double)s->slots : 0.0);
	fprintf(out, "<text x='%d' y='98'>memory %zu bytes, peak %zu</text>", x, s->total_bytes,
		s->peak_bytes);
	fprintf(out, "<text x='%d' y='120'>last put %s, worst so far %s</text>", x, last, worst);
	if (s->old_cell_count) {
		fprintf(out, "<text x='%d' y='%d' class='s'>old array</text>", x, y);
		cells_svg(s->old_cells, s->old_cell_count, x, y + 8, true, out);
	}
	y += 110;
	fprintf(out, "<text x='%d' y='%d' class='s'>%s</text>", x, y,
		s->old_cell_count ? "new array" : "table");
	cells_svg(s->cells, s->cell_count, x, y + 8, false, out);
}

static const char style[] =
    "text{font:15px "
    "sans-serif;fill:#222}.t{font-size:20px;font-weight:bold}.s{font-size:12px;fill:#666}"
    ".e{fill:#e4e8ec}.n{fill:#2a7fb8}.o{fill:#c96a1b}.m{fill:#1c9c6c}"
    ".v{fill:#b03060}";

static void frames_svg(const struct film *film, FILE *out)
{
	for (size_t i = 0; i < film->count; i++) {
		fprintf(out, "<g class='f' id='f%zu'>", i);
		side_svg(&film->frames[i * 2], 0, out);
		side_svg(&film->frames[i * 2 + 1], 1, out);
		fputs("</g>\n", out);
	}
	fprintf(out,
		"<text x='10' y='%d' class='s'>a cell is a bucket, or a few: orange old, blue new, "
		"green "
		"already split, red with overflow</text>",
		HEIGHT - 30);
}

/* Without animation the last frame is seen: the others are drawn over by it, each is a whole page.
 */
void film_write_svg(const struct film *film, FILE *out)
{
	double each = 0.15, all = each * (double)(film->count ? film->count : 1);

	fprintf(out,
		"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d' role='img' "
		"aria-label='two hash maps growing'>\n<style>%s.f{visibility:hidden;animation:s "
		"%.2fs steps(1) "
		"infinite}#f%zu{visibility:visible}@keyframes "
		"s{0%%{visibility:visible}%.3f%%{visibility:hidden}"
		"100%%{visibility:hidden}}",
		WIDTH, HEIGHT, style, all, film->count ? film->count - 1 : 0,
		100.0 / (double)(film->count ? film->count : 1));
	for (size_t i = 0; i < film->count; i++)
		fprintf(out, "#f%zu{animation-delay:%.2fs}", i, each * (double)i - all);
	fprintf(out, "</style>\n<rect width='%d' height='%d' fill='#fff'/>\n", WIDTH, HEIGHT);
	frames_svg(film, out);
	fputs("</svg>\n", out);
}

void film_write_html(const struct film *film, FILE *out)
{
	fprintf(
	    out,
	    "<!DOCTYPE html>\n<html lang='en'><head><meta charset='utf-8'>"
	    "<meta name='viewport' content='width=device-width,initial-scale=1'>"
	    "<title>Two hash maps "
	    "growing</title>\n<style>body{margin:1em;background:#fff;color:#222;"
	    "font-family:sans-serif}svg{width:100%%;height:auto}%s.f{display:none}.f.on{display:"
	    "inline}"
	    "button,input{font-size:1em;margin:.2em;min-height:2.4em}input{width:60%%;vertical-"
	    "align:middle}"
	    "@media(prefers-color-scheme:dark){body{background:#16191c;color:#ddd}text{fill:#ddd}"
	    ".s{fill:#aaa}.e{fill:#2c3238}}</style></head>\n<body>\n",
	    style);
	fprintf(out,
		"<p><button id='play' aria-label='play or pause'>pause</button>"
		"<button id='back' aria-label='one frame back'>&#9664;</button>"
		"<button id='next' aria-label='one frame on'>&#9654;</button>"
		"<input id='at' type='range' min='0' max='%zu' value='0' aria-label='frame'></p>\n"
		"<svg viewBox='0 0 %d %d' role='img' aria-label='two hash maps growing'>\n",
		film->count ? film->count - 1 : 0, WIDTH, HEIGHT);
	frames_svg(film, out);
	fputs(
	    "</svg>\n<script>\n"
	    "const f=[...document.querySelectorAll('.f')],at=document.getElementById('at'),"
	    "play=document.getElementById('play');let n=0,on=true;\n"
	    "function "
	    "show(i){f[n].classList.remove('on');n=(i+f.length)%f.length;f[n].classList.add('on');"
	    "at.value=n}\n"
	    "function run(b){on=b;play.textContent=b?'pause':'play'}\n"
	    "play.onclick=()=>run(!on);document.getElementById('back').onclick=()=>{run(false);"
	    "show(n-1)};"
	    "document.getElementById('next').onclick=()=>{run(false);show(n+1)};"
	    "at.oninput=()=>{run(false);show(+at.value)};\n"
	    "document.onkeydown=e=>{if(e.key===' "
	    "'&&e.target.tagName!=='BUTTON'){run(!on);e.preventDefault()}"
	    "if(e.target!==at&&e.key==='ArrowLeft'){run(false);show(n-1)}"
	    "if(e.target!==at&&e.key==='ArrowRight'){run(false);show(n+1)}};\n"
	    "show(0);setInterval(()=>{if(on)show(n+1)},150);\n</script></body></html>\n",
	    out);
}
