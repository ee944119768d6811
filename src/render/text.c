// text.c - breaking lines, and the lines every page has.
//
// The only escape bytes a finished line can hold are the colours put in here, because everything
// from a target goes through ms_text_name.  So the width of a line is its characters without
// those sequences.
#include "render/text.h"

#include "base/cleanup.h"
#include "render/escape.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

void ms_text_init(struct ms_text *t, const struct ms_text_style *style, struct ms_sink *out)
{
	t->out = out;
	t->style = style;
	ms_sink_init_memory(&t->line);
}

void ms_text_printf(struct ms_text *t, const char *fmt, ...)
{
	MS_AUTO_FREE char *text = NULL;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len < 0) {
		text = NULL;
		ms_sink_fail_no_memory(&t->line);
		return;
	}
	ms_sink_puts(&t->line, text);
}

void ms_text_name(struct ms_text *t, const char *name, size_t columns)
{
	const char *dots = t->style->charset == MS_CHARSET_ASCII ? "..." : "…";
	size_t dots_columns = ms_text_columns(dots);
	struct ms_sink escaped;
	const char *text;

	ms_sink_init_memory(&escaped);
	if (name)
		ms_escape_text(&escaped, name, t->style->charset);
	else
		ms_sink_puts(&escaped, "?");
	text = ms_sink_text(&escaped);
	if (!text) {
		ms_sink_fail_no_memory(&t->line);
	} else if (columns == 0 || ms_text_columns(text) <= columns) {
		ms_sink_puts(&t->line, text);
	} else {
		size_t keep = columns > dots_columns ? columns - dots_columns : 0;

		ms_sink_write(&t->line, text, ms_text_prefix(text, keep));
		ms_sink_puts(&t->line, dots);
	}
	ms_sink_deinit(&escaped);
}

void ms_text_typed(struct ms_text *t, const char *text)
{
	struct ms_sink escaped;
	const char *at;

	ms_sink_init_memory(&escaped);
	ms_escape_text(&escaped, text, t->style->charset);
	at = ms_sink_text(&escaped);
	if (!at)
		ms_sink_fail_no_memory(&t->line);
	for (size_t run; at && *at; at += run) {
		bool pair = at[0] == '\\' && at[1] == '\\';

		run = pair ? 2 : 1;
		ms_sink_write(&t->line, at, 1);
	}
	ms_sink_deinit(&escaped);
}

void ms_text_colored(struct ms_text *t, enum ms_text_color color, const char *word)
{
	if (t->style->color == MS_COLOR_ON)
		ms_text_printf(t, "\x1b[%dm%s\x1b[0m", (int)color, word);
	else
		ms_sink_puts(&t->line, word);
}

/** Columns of the word at @p text, colours not counted; @p ret_size gets its bytes. */
static size_t word_columns(const char *text, size_t *ret_size)
{
	size_t columns = 0;
	size_t at = 0;

	while (text[at] && text[at] != ' ') {
		if (text[at] == '\x1b') {
			while (text[at] && text[at] != 'm')
				at++;
			at += text[at] == 'm';
			continue;
		}
		columns += ((unsigned char)text[at] & 0xc0) != 0x80;
		at++;
	}
	*ret_size = at;
	return columns;
}

static void new_line(struct ms_text *t, unsigned indent)
{
	ms_sink_puts(t->out, "\n");
	ms_sink_fill(t->out, ' ', indent);
}

static void write_broken(struct ms_text *t, const char *text, unsigned indent, unsigned hanging)
{
	size_t limit = t->style->width ? ms_max_u64(t->style->width, hanging + 8) : SIZE_MAX;
	size_t column = indent;

	ms_sink_fill(t->out, ' ', indent);
	while (*text) {
		size_t spaces = strspn(text, " ");
		size_t size;
		size_t columns = word_columns(text + spaces, &size);

		if (column + spaces + columns > limit && column > indent) {
			new_line(t, hanging);
			column = indent = hanging;
		} else {
			ms_sink_fill(t->out, ' ', spaces);
			column += spaces;
		}
		text += spaces;
		while (column + columns > limit) { // A word longer than a line.
			size_t part = ms_text_prefix(text, limit - column);

			ms_sink_write(t->out, text, part);
			text += part;
			size -= part;
			columns -= limit - column;
			new_line(t, hanging);
			column = indent = hanging;
		}
		ms_sink_write(t->out, text, size);
		column += columns;
		text += size;
	}
	ms_sink_puts(t->out, "\n");
}

/** The line so far, or NULL after a failure, which is handed on to the page. */
static const char *take_line(struct ms_text *t)
{
	const char *text = ms_sink_text(&t->line);

	if (!text)
		ms_sink_fail_no_memory(t->out);
	return text;
}

void ms_text_end_hanging(struct ms_text *t, unsigned indent, unsigned hanging)
{
	const char *text = take_line(t);

	if (text)
		write_broken(t, text, indent, hanging);
	t->line.size = 0;
}

void ms_text_end(struct ms_text *t, unsigned indent)
{
	ms_text_end_hanging(t, indent, indent + 2);
}

void ms_text_end_whole(struct ms_text *t)
{
	const char *text = take_line(t);

	if (text) {
		ms_sink_puts(t->out, text);
		ms_sink_puts(t->out, "\n");
	}
	t->line.size = 0;
}

void ms_text_partial(struct ms_text *t, bool partial, const char *reason)
{
	if (!partial)
		return;
	ms_text_colored(t, MS_TEXT_YELLOW, "PARTIAL:");
	ms_text_printf(t, " ");
	ms_text_name(t, reason ? reason : "cut short", 0);
	ms_text_end(t, 0);
}

void ms_text_target(struct ms_text *t, const struct ms_report_target *target)
{
	const char *slash = target->exe ? strrchr(target->exe, '/') : NULL;

	ms_text_name(t, slash && slash[1] ? slash + 1 : target->exe, 60);
	if (target->pid != MS_UNKNOWN)
		ms_text_printf(t, " (%spid %" PRIu64 ")", target->core ? "core of " : "",
			       target->pid);
	else if (target->core)
		ms_text_printf(t, " (core)");
	if (target->go_version) {
		ms_text_printf(t, " ");
		ms_text_name(t, target->go_version, 60);
	}
	if (target->libhmap) {
		ms_text_printf(t, " libhmap ");
		ms_text_name(t, target->libhmap, 20);
	}
	if (target->arch) {
		ms_text_printf(t, " linux/");
		ms_text_name(t, target->arch, 20);
	}
	if (target->stripped && !target->symbols_unknown)
		ms_text_printf(t, " stripped");
}

void ms_text_unproved(struct ms_text *t, const struct ms_report_target *target)
{
	if (!target->layout_source || target->proved)
		return;
	ms_text_colored(t, MS_TEXT_YELLOW, "unproved:");
	if (strcmp(target->layout_source, "dwarf") == 0)
		ms_text_printf(t, " the layout was read from this program's own debug information");
	else
		ms_text_printf(t, " the layout is known, but no ground-truth test of this release "
				  "has run");
	ms_text_end(t, 0);
}

static void text_skips(struct ms_text *t, const struct ms_coverage *coverage)
{
	const char *separator = ": ";
	struct ms_human h;

	ms_text_printf(t, ", skipped %s", ms_human_count(&h, ms_coverage_skipped(coverage)));
	for (size_t i = 0; i < coverage->skip_count; i++) {
		const struct ms_skip *skip = &coverage->skips[i];

		if (skip->count == 0)
			continue;
		ms_text_printf(t, "%s", separator);
		ms_text_name(t, skip->reason, 0);
		ms_text_printf(t, " (%s)", ms_human_count(&h, skip->count));
		separator = ", ";
	}
}

/** How types and owners were found, and what they could not be found for. */
static void text_walk(struct ms_text *t, const struct ms_walk_figures *w)
{
	struct ms_human a, b;

	if (!w->taken)
		return;
	ms_text_printf(t, "types and owners: %s objects from %s roots in ",
		       ms_human_count(&a, w->objects), ms_human_count(&b, w->roots));
	ms_text_printf(t, "%s", ms_human_seconds(&a, w->seconds));
	if (w->unreached)
		ms_text_printf(t, "; %s maps not reached%s", ms_human_count(&a, w->unreached),
			       w->cut ? " so far" : ": garbage, or held where nothing says so");
	if (w->conflicts)
		ms_text_printf(t, "; %s met with two types", ms_human_count(&a, w->conflicts));
	if (w->unseen)
		ms_text_printf(t, "; %s more met, which the census did not have",
			       ms_human_count(&a, w->unseen));
	if (w->cut)
		ms_text_printf(t, "; NOT TO ITS END: %s", w->cut_reason);
	ms_text_end(t, 0);
}

void ms_text_coverage(struct ms_text *t, const struct ms_coverage *coverage,
		      const struct ms_report_cost *cost)
{
	struct ms_human a, b;

	ms_text_printf(t, "seen %s, read %s", ms_human_count(&a, coverage->seen),
		       ms_human_count(&b, coverage->read));
	text_skips(t, coverage);
	ms_text_printf(t, "; typed %s", ms_human_count(&a, coverage->typed));
	if (coverage->changed)
		ms_text_printf(t, "; %s changed while read", ms_human_count(&a, coverage->changed));
	ms_text_end(t, 0);
	text_walk(t, &coverage->walk);

	ms_text_printf(t, "reads: %s retried", ms_human_count(&a, cost->reads_retried));
	if (cost->reads_retried != MS_UNKNOWN && coverage->seen && coverage->seen != MS_UNKNOWN)
		ms_text_printf(t, " (%.2f %% of what was seen)",
			       100 * (double)cost->reads_retried / (double)coverage->seen);
	ms_text_printf(t, ", %s given up", ms_human_count(&a, cost->reads_given_up));
	if (cost->gc_cycle != MS_UNKNOWN) {
		ms_text_printf(t, "; as of GC #%" PRIu64, cost->gc_cycle);
		if (isfinite(cost->gc_age_s))
			ms_text_printf(t, ", %s ago", ms_human_ahead(&a, cost->gc_age_s));
		ms_text_printf(t, ": what died since is still counted");
	}
	ms_text_end(t, 0);
}

void ms_text_cost(struct ms_text *t, const struct ms_report_cost *cost)
{
	struct ms_human read, wall, own, stops, probes;

	ms_text_printf(t, "read %s in %s, stopped %s times, own memory %s, ",
		       ms_human_bytes(&read, cost->read_bytes),
		       ms_human_seconds(&wall, cost->wall_s), ms_human_count(&stops, cost->stops),
		       ms_human_bytes(&own, cost->own_peak_bytes));
	ms_text_printf(t, "%s probes placed and removed", ms_human_count(&probes, cost->probes));
	ms_text_end_whole(t);
}

struct ms_error *ms_text_finish(struct ms_text *t)
{
	if (ms_sink_failed(&t->line))
		ms_sink_fail_no_memory(t->out);
	ms_sink_deinit(&t->line);
	return ms_sink_finish(t->out);
}
