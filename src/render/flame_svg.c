// flame_svg.c - stacks as a flame graph, in an SVG that needs no script and no font of ours.
//
// The root is at the bottom, a call stands on its caller, and its width is its share.  Stacks come
// in the order of their names, so the calls of one frame are a run of them: a frame is drawn, then
// the runs within it a row higher.  What is narrower than half a pixel, or higher than the
// picture may be, is not drawn and counted.
//
// Colours say whose code it is: warm for the program and its modules, one hue for each package;
// blue for the standard library; grey for the runtime and for what is no call.  Frames are light
// with dark text on either background; the background follows the reader's choice of light or
// dark.  Names are hostile: see ms_escape_xml.
#include "render/escape.h"
#include "render/human.h"
#include "render/stack_weights.h"

#include "base/cleanup.h"
#include "base/hash.h"

#include <math.h>

enum {
	WIDTH = 1200,
	MARGIN = 10,
	ROW = 18,
	HEAD = 52,
	ROWS_MAX = 200,
	FONT = 11,
};

#define NARROWEST 0.5
/** Of one character, in pixels: monospaced fonts are 0.6 of their size wide, and a bit. */
#define CHARACTER (FONT * 0.61)

struct flame {
	struct ms_sink *sink;
	struct ms_sink scratch; // A label with what is unsafe replaced.
	const struct ms_stack_weights *weights;
	const uint32_t *order;
	unsigned rows;     // Of the picture, the root's among them.
	uint64_t left_out; // Frames.
	double scale;      // Pixels for one.
};

/** Stacks order[first .. end) share their calls up to a depth, and lie side by side from x. */
struct run {
	size_t first, end;
	double x;
	uint64_t count;
};

static const struct ms_stack *stack_at(const struct flame *f, size_t i)
{
	return &f->weights->stacks->items[f->order[i]];
}

/** Where the package's path ends: behind its last slash, before a receiver or type argument. */
static const char *behind_path(const char *name)
{
	size_t end = strcspn(name, "([{ ");
	const char *from = name;

	for (size_t i = 0; i < end; i++) {
		if (name[i] == '/')
			from = name + i + 1;
	}
	return from;
}

static size_t package_size(const char *name)
{
	const char *from = behind_path(name);

	return (size_t)(from - name) + strcspn(from, ".");
}

/** The standard library's packages have no dot in the first word of their path. */
static bool is_standard(const char *name, size_t package)
{
	size_t first = strcspn(name, "/");

	if (package == strlen("main") && !strncmp(name, "main", package))
		return false;
	return first >= package || !memchr(name, '.', first);
}

static unsigned channel(double hue, double saturation, double lightness, double at)
{
	double k = fmod(at + hue / 30, 12);
	double a = saturation * fmin(lightness, 1 - lightness);

	return (unsigned)lround(255 * (lightness - a * fmax(-1, fmin(fmin(k - 3, 9 - k), 1))));
}

static void put_fill(struct flame *f, const struct ms_stack_call *call)
{
	const char *name = ms_stack_drawn_name(call);
	size_t package = package_size(name);
	uint64_t of_package = ms_hash_text(name, package) >> 8;
	double shade = (double)(ms_hash_text(name, strlen(name)) >> 8 & 7) / 100;
	double hue = 8 + (double)(of_package % 45), saturation = 0.82, lightness = 0.64 + shade;

	if (call->is_runtime || name[0] == '[') {
		saturation = 0;
		lightness = 0.74 + shade;
	} else if (is_standard(name, package)) {
		hue = 195 + (double)(of_package % 35);
		saturation = 0.48;
		lightness = 0.70 + shade;
	}
	ms_sink_printf(f->sink, " fill=\"#%02x%02x%02x\"", channel(hue, saturation, lightness, 0),
		       channel(hue, saturation, lightness, 8),
		       channel(hue, saturation, lightness, 4));
}

/** The name without its path, cut to the width. */
static void put_label(struct flame *f, const char *name, bool is_inlined, double x, double y,
		      double width)
{
	double room = (width - 6) / CHARACTER;
	const char *text;
	size_t kept;

	if (room < 3)
		return;
	f->scratch.size = 0;
	ms_replace_text(&f->scratch, behind_path(name), MS_REPLACE_UNSAFE);
	text = ms_sink_text(&f->scratch);
	if (!text) {
		ms_sink_fail_no_memory(f->sink);
		return;
	}
	ms_sink_printf(f->sink, "<text x=\"%.1f\" y=\"%.0f\"%s>", x + 3, y + ROW - 5.5,
		       is_inlined ? " class=\"i\"" : "");
	kept = (size_t)room;
	if (ms_text_columns(text) <= kept) {
		ms_escape_xml(f->sink, text, strlen(text));
	} else {
		ms_escape_xml(f->sink, text, ms_text_prefix(text, kept - 1));
		ms_sink_puts(f->sink, "…");
	}
	ms_sink_puts(f->sink, "</text>");
}

static void put_frame(struct flame *f, const struct ms_stack_call *call, bool same_line,
		      unsigned depth, double x, uint64_t count)
{
	double width = (double)count * f->scale;
	double y = HEAD + (double)(f->rows - 1 - depth) * ROW;
	const char *name = ms_stack_drawn_name(call);
	struct ms_human h, share;

	ms_sink_puts(f->sink, "<g><title>");
	ms_escape_xml(f->sink, name, strlen(name));
	if (same_line && call->file && call->line) {
		ms_sink_puts(f->sink, "\n");
		ms_escape_xml(f->sink, call->file, strlen(call->file));
		ms_sink_printf(f->sink, ":%u", call->line);
	}
	ms_human_percent(&share, (double)count / (double)f->weights->total);
	ms_sink_printf(f->sink, "\n%s %s, ", ms_human_count(&h, count), f->weights->unit);
	ms_escape_xml(f->sink, share.text, strlen(share.text)); // It may be "<1 %".
	ms_sink_printf(f->sink, "%s</title>", call->is_inlined ? ", inlined" : "");
	ms_sink_printf(f->sink, "<rect x=\"%.1f\" y=\"%.0f\" width=\"%.1f\" height=\"%d\"", x, y,
		       fmax(width - 0.5, NARROWEST), ROW - 1);
	put_fill(f, call);
	ms_sink_puts(f->sink, " rx=\"1.5\"/>");
	put_label(f, name, call->is_inlined, x, y, width);
	ms_sink_puts(f->sink, "</g>\n");
}

/** The stacks from @p first on with the same call at @p depth as the first has. */
static struct run take_run(const struct flame *f, const struct run *parent, size_t first, double x,
			   uint32_t depth, bool *ret_same_line)
{
	const struct ms_stack_call *call = ms_stack_drawn(stack_at(f, first), depth);
	struct run run = { .first = first, .end = first, .x = x };

	*ret_same_line = true;
	while (run.end < parent->end) {
		const struct ms_stack_call *other = ms_stack_drawn(stack_at(f, run.end), depth);

		if (strcmp(ms_stack_drawn_name(call), ms_stack_drawn_name(other)) != 0)
			break;
		*ret_same_line = *ret_same_line && other->line == call->line;
		run.count += f->weights->counts[f->order[run.end++]];
	}
	return run;
}

/** What stands on the calls of @p parent, whose depth is below @p depth. */
static void put_runs(struct flame *f, const struct run *parent, uint32_t depth)
{
	double x = parent->x;
	size_t i = parent->first;

	while (i < parent->end && !ms_stack_drawn(stack_at(f, i), depth)) // They end here.
		x += (double)f->weights->counts[f->order[i++]] * f->scale;
	while (i < parent->end && !ms_sink_failed(f->sink)) {
		bool same_line;
		struct run run = take_run(f, parent, i, x, depth, &same_line);
		double width = (double)run.count * f->scale;

		if (width < NARROWEST || depth + 1 >= f->rows) {
			f->left_out++;
		} else {
			put_frame(f, ms_stack_drawn(stack_at(f, i), depth), same_line, depth + 1, x,
				  run.count);
			put_runs(f, &run, depth + 1);
		}
		x += width;
		i = run.end;
	}
}

/** How many rows of what stands on the calls of @p parent are wide enough to be drawn. */
static unsigned rows_on(const struct flame *f, const struct run *parent, uint32_t depth)
{
	unsigned rows = 0;
	size_t i = parent->first;

	while (i < parent->end && !ms_stack_drawn(stack_at(f, i), depth))
		i++;
	while (i < parent->end) {
		bool same_line;
		struct run run = take_run(f, parent, i, 0, depth, &same_line);
		unsigned above;

		i = run.end;
		if ((double)run.count * f->scale < NARROWEST || depth + 1 >= ROWS_MAX)
			continue;
		above = 1 + rows_on(f, &run, depth + 1);
		rows = above > rows ? above : rows;
	}
	return rows;
}

static unsigned rows_of(const struct flame *f, size_t count)
{
	const struct run all = { .end = count };
	unsigned rows = rows_on(f, &all, 0);

	return rows + 1 + (f->weights->without && !rows);
}

static void put_head(struct flame *f, double height)
{
	static const char style[] =
	    "<style>\n"
	    "svg { background: #fff; color-scheme: light dark; }\n"
	    "text { font: 11px monospace; fill: #151515; pointer-events: none; }\n"
	    "text.i { font-style: italic; }\n"
	    "text.h { font: bold 15px sans-serif; fill: #202124; }\n"
	    "text.n { font: 12px sans-serif; fill: #5f6368; }\n"
	    "rect.b { fill: #fff; }\n"
	    "g:hover rect { stroke: #202124; stroke-width: 1; }\n"
	    "@media (prefers-color-scheme: dark) {\n"
	    "svg { background: #1b1c1e; }\n"
	    "rect.b { fill: #1b1c1e; }\n"
	    "text.h { fill: #e8eaed; }\n"
	    "text.n { fill: #a8adb4; }\n"
	    "g:hover rect { stroke: #e8eaed; }\n"
	    "}\n"
	    "</style>\n";

	ms_sink_printf(f->sink,
		       "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		       "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%.0f\" "
		       "viewBox=\"0 0 %d %.0f\">\n",
		       WIDTH, height, WIDTH, height);
	ms_sink_puts(f->sink, style);
	ms_sink_printf(f->sink, "<rect class=\"b\" width=\"%d\" height=\"%.0f\"/>\n", WIDTH,
		       height);
	ms_sink_printf(f->sink, "<text class=\"h\" x=\"%d\" y=\"22\">", MARGIN);
	ms_escape_xml(f->sink, f->weights->title, strlen(f->weights->title));
	ms_sink_puts(f->sink, "</text>\n");
}

/** Under the title: how many, and what is not in the picture. */
static void put_note(struct flame *f)
{
	const struct ms_stack_weights *w = f->weights;
	struct ms_human h;

	ms_sink_printf(f->sink, "<text class=\"n\" x=\"%d\" y=\"41\">", MARGIN);
	if (w->total == 0)
		ms_escape_xml(f->sink, w->empty, strlen(w->empty));
	else
		ms_sink_printf(f->sink, "%s %s", ms_human_count(&h, w->total), w->unit);
	if (w->without)
		ms_sink_printf(f->sink, ", %s of them without a stack",
			       ms_human_count(&h, w->without));
	if (w->note) {
		ms_sink_puts(f->sink, "; ");
		ms_escape_xml(f->sink, w->note, strlen(w->note));
	}
	if (f->left_out)
		ms_sink_printf(f->sink, "; %s frames too small to draw",
			       ms_human_count(&h, f->left_out));
	ms_sink_puts(f->sink, "</text>\n");
}

static void put_picture(struct flame *f, size_t count)
{
	const struct ms_stack_weights *w = f->weights;
	static const struct ms_stack_call root = { .function = "[all]" };
	static const struct ms_stack_call none = { .function = "[no stack]" };
	struct run all = { .end = count, .x = MARGIN };
	double width = (double)w->without * f->scale;

	put_frame(f, &root, false, 0, MARGIN, w->total);
	put_runs(f, &all, 0);
	if (width >= NARROWEST)
		put_frame(f, &none, false, 1, WIDTH - MARGIN - width, w->without);
}

static struct ms_error *put_weights(const struct ms_stack_weights *w, struct ms_sink *sink)
{
	size_t count;
	MS_AUTO_FREE uint32_t *order = ms_stack_weights_order(w, &count);
	struct flame f = { .sink = sink, .weights = w, .order = order };

	if (!order)
		return ms_error_no_memory();
	ms_sink_init_memory(&f.scratch);
	f.scale = (WIDTH - 2 * MARGIN) / (double)(w->total ? w->total : 1);
	f.rows = w->total ? rows_of(&f, count) : 0;
	put_head(&f, HEAD + f.rows * ROW + MARGIN);
	if (w->total)
		put_picture(&f, count);
	put_note(&f);
	ms_sink_puts(sink, "</svg>\n");
	ms_sink_deinit(&f.scratch);
	return ms_sink_finish(sink);
}

struct ms_error *ms_render_trace_svg(const struct ms_trace_report *report, struct ms_sink *sink)
{
	struct ms_stack_weights w MS_CLEANUP(ms_stack_weights_deinit) = { 0 };
	struct ms_error *err = ms_stack_weights_of_trace(report, &w);

	return err ? err : put_weights(&w, sink);
}

struct ms_error *ms_render_goroutines_svg(const struct ms_goroutines_report *report,
					  struct ms_sink *sink)
{
	struct ms_stack_weights w MS_CLEANUP(ms_stack_weights_deinit) = { 0 };
	struct ms_error *err = ms_stack_weights_of_goroutines(report, &w);

	return err ? err : put_weights(&w, sink);
}
