// text_trace.c - growths as they come, a line each, and what they add up to.
//
// The lines are written while the window is open; the summary follows when it ends.  On a terminal
// a line is one row: time, what grew, from how many slots to how many, the line of the source, the
// goroutine.  Where nothing limits the width, a line has everything that is known of the growth.
#include "render/text_trace.h"

#include "render/escape.h"
#include "render/text_stack.h"
#include "render/text_switches.h"
#include "render/text_trace_gc.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum {
	NAME_COLUMNS_MAX = 60,
	TIME_COLUMNS = 14,
	SIZE_COLUMNS = 24,
	NAME_COLUMNS_MIN = 12,
	EVACUATIONS_MAX = 5,
};

// --- Events. ---

static const char *const verbs[] = {
	[MS_GROWTH_EVENT_DOUBLE] = "doubles",
	[MS_GROWTH_EVENT_SAME_SIZE] = "grows at its size",
	[MS_GROWTH_EVENT_SPLIT] = "splits a table",
	[MS_GROWTH_EVENT_TO_TABLE] = "gets a table",
	[MS_GROWTH_EVENT_TO_SMALL] = "gets its first group",
	[MS_GROWTH_EVENT_SHRINK] = "shrinks",
};

static const struct ms_stack_call *line_of(const struct ms_trace_report *r, uint32_t stack)
{
	return stack < r->stacks.count ? ms_stack_line(&r->stacks.items[stack]) : NULL;
}

void ms_text_grown(struct ms_text *t, const struct ms_growth_event *e, size_t columns)
{
	if (e->owner) {
		ms_text_owner(t, e->owner, columns);
	} else if (e->type) {
		ms_text_name(t, e->type, columns);
	} else {
		ms_text_printf(t, "map 0x%" PRIx64, e->map);
	}
}

static void text_sizes(struct ms_text *t, const struct ms_growth_event *e)
{
	struct ms_human a, b, c, d, n;

	ms_text_printf(t, ": %s -> %s slots, %s -> %s, %s entries", ms_human_count(&a, e->from),
		       ms_human_count(&b, e->to), ms_human_bytes(&c, e->from_bytes),
		       ms_human_bytes(&d, e->to_bytes), ms_human_count(&n, e->entries));
}

static void text_who(struct ms_text *t, const struct ms_trace_report *r,
		     const struct ms_growth_event *e)
{
	const struct ms_stack_call *line = line_of(r, e->stack);

	if (line) {
		ms_text_printf(t, "; ");
		ms_text_call(t, line);
	}
	if (e->goroutine == MS_UNKNOWN)
		return;
	ms_text_printf(t, ", goroutine %" PRIu64, e->goroutine);
	if (e->p != UINT32_MAX)
		ms_text_printf(t, " on P %" PRIu32, e->p);
	if (e->created_by.function) {
		ms_text_printf(t, ", created by ");
		ms_text_call(t, &e->created_by);
	}
}

/** Everything. */
static void event_whole(struct ms_text *t, const struct ms_trace_report *r,
			const struct ms_growth_event *e)
{
	if (e->earliest_s < e->time_s)
		ms_text_printf(t, "%.3f to %.3f s  ", e->earliest_s, e->time_s);
	else
		ms_text_printf(t, "%.6f s  ", e->time_s);
	ms_text_name(t, e->type, NAME_COLUMNS_MAX);
	ms_text_printf(t, " 0x%" PRIx64, e->map);
	if (e->owner) {
		ms_text_printf(t, " ");
		ms_text_owner(t, e->owner, NAME_COLUMNS_MAX);
	}
	ms_text_printf(t, " %s", verbs[e->kind]);
	text_sizes(t, e);
	text_who(t, r, e);
	ms_text_end_whole(t);
}

static void size_change(char *text, size_t size, const struct ms_growth_event *e)
{
	struct ms_human from, to;

	ms_human_count(&from, e->from);
	ms_human_count(&to, e->to);
	switch ((enum ms_growth_event_kind)e->kind) {
	case MS_GROWTH_EVENT_DOUBLE:
	case MS_GROWTH_EVENT_TO_TABLE:
	case MS_GROWTH_EVENT_SHRINK:
		snprintf(text, size, "%s -> %s", from.text, to.text);
		return;
	case MS_GROWTH_EVENT_SAME_SIZE:
		snprintf(text, size, "%s, same size", to.text);
		return;
	case MS_GROWTH_EVENT_SPLIT:
		snprintf(text, size, "%s split", from.text);
		return;
	case MS_GROWTH_EVENT_TO_SMALL:
		snprintf(text, size, "0 -> %s", to.text);
		return;
	}
}

/** "registry.go:88  go 18" */
static void event_place(struct ms_text *t, const struct ms_trace_report *r,
			const struct ms_growth_event *e)
{
	const struct ms_stack_call *line = line_of(r, e->stack);
	const char *slash = line && line->file ? strrchr(line->file, '/') : NULL;

	if (line && line->file) {
		ms_text_name(t, slash ? slash + 1 : line->file, 24);
		ms_text_printf(t, ":%" PRIu32, line->line);
	} else if (line) {
		ms_text_name(t, line->function, 24);
	}
	if (e->goroutine != MS_UNKNOWN)
		ms_text_printf(t, "%sgo %" PRIu64, line ? "  " : "", e->goroutine);
}

static void pad(struct ms_text *t, size_t columns)
{
	for (size_t i = 0; i < columns; i++)
		ms_text_printf(t, " ");
}

/** One row: the name gets what the place leaves. */
static void event_short(struct ms_text *t, const struct ms_trace_report *r,
			const struct ms_growth_event *e)
{
	enum { PLACE_COLUMNS = 22 };
	size_t width = t->style->width, fixed = TIME_COLUMNS + SIZE_COLUMNS + PLACE_COLUMNS;
	size_t room = width > fixed + NAME_COLUMNS_MIN ? width - fixed : NAME_COLUMNS_MIN;
	char sizes[128];
	const char *line;
	size_t start, taken;

	if (e->earliest_s < e->time_s)
		snprintf(sizes, sizeof(sizes), "%.2f-%.2f s", e->earliest_s, e->time_s);
	else
		snprintf(sizes, sizeof(sizes), "%.6f s", e->time_s);
	ms_text_printf(t, "%*s  ", TIME_COLUMNS - 2, sizes);
	start = t->line.size;
	ms_text_grown(t, e, room - 1);
	line = ms_sink_text(&t->line);
	taken = line ? ms_text_columns(line + start) : 0;
	pad(t, taken < room ? room - taken : 1);
	size_change(sizes, sizeof(sizes), e);
	ms_text_printf(t, "%s", sizes);
	if (line_of(r, e->stack) || e->goroutine != MS_UNKNOWN) {
		pad(t, strlen(sizes) < SIZE_COLUMNS ? SIZE_COLUMNS - strlen(sizes) : 1);
		event_place(t, r, e);
	}
	ms_text_end_hanging(t, 0, TIME_COLUMNS);
}

static void text_events(struct ms_text *t, const struct ms_trace_report *r,
			struct ms_trace_mark *mark)
{
	for (; mark->events < r->event_count && !ms_sink_failed(t->out); mark->events++) {
		if (t->style->width)
			event_short(t, r, &r->events[mark->events]);
		else
			event_whole(t, r, &r->events[mark->events]);
	}
	ms_text_trace_gc_lines(t, r, mark);
}

struct ms_error *ms_render_trace_text_events(const struct ms_trace_report *report,
					     struct ms_trace_mark *mark,
					     const struct ms_text_style *style,
					     struct ms_sink *sink)
{
	struct ms_text t;

	ms_text_init(&t, style, sink);
	text_events(&t, report, mark);
	return ms_text_finish(&t);
}

// --- What they add up to. ---

static void text_counts(struct ms_text *t, const struct ms_trace_report *r)
{
	struct ms_human counted, other, window;

	ms_human_seconds(&window, r->window_s);
	if (r->counted == 0) {
		ms_text_printf(t, "no map grew in %s", window.text);
	} else {
		ms_text_printf(t, "%s growths in %s", ms_human_count(&counted, r->counted),
			       window.text);
		if (r->source == MS_TRACE_POLLING)
			ms_text_printf(t, ", seen by polling: at least so many");
		if (r->dropped)
			ms_text_printf(t, ", %s of them counted and not listed",
				       ms_human_count(&other, r->dropped));
	}
	if (r->repeated && r->repeated != MS_UNKNOWN)
		ms_text_printf(t, "; %s tried again, counted once",
			       ms_human_count(&other, r->repeated));
	if (r->to_small && r->to_small != MS_UNKNOWN)
		ms_text_printf(t, "; %s first groups of empty maps",
			       ms_human_count(&other, r->to_small));
	ms_text_end(t, 0);
}

static void text_evacuation(struct ms_text *t, const struct ms_growth_event *e)
{
	struct ms_human took, error, bytes, cycles;

	ms_text_grown(t, e, NAME_COLUMNS_MAX);
	ms_text_printf(t, " at %.3f s: moved in %s", e->time_s,
		       ms_human_seconds(&took, e->duration_s));
	if (e->duration_error_s > 0)
		ms_text_printf(t, " (give or take %s)",
			       ms_human_seconds(&error, e->duration_error_s));
	if (e->together_bytes != MS_UNKNOWN)
		ms_text_printf(t, ", %s held meanwhile", ms_human_bytes(&bytes, e->together_bytes));
	if (e->gc_cycles)
		ms_text_printf(t, ", %s collection%s began", ms_human_count(&cycles, e->gc_cycles),
			       e->gc_cycles == 1 ? "" : "s");
	ms_text_end(t, 2);
}

/** The longest after @p before, which is NULL at first; equal ones by time. */
static const struct ms_growth_event *next_longest(const struct ms_trace_report *r,
						  const struct ms_growth_event *before)
{
	const struct ms_growth_event *best = NULL;

	for (size_t i = 0; i < r->event_count; i++) {
		const struct ms_growth_event *e = &r->events[i];

		if (!isfinite(e->duration_s) ||
		    (before && (e->duration_s > before->duration_s ||
				(e->duration_s == before->duration_s && e <= before))))
			continue;
		if (!best || e->duration_s > best->duration_s)
			best = e;
	}
	return best;
}

static void text_evacuations(struct ms_text *t, const struct ms_trace_report *r)
{
	const struct ms_growth_event *e = next_longest(r, NULL);

	if (!e)
		return;
	ms_text_printf(t, "longest moves of entries into the new table");
	ms_text_end_whole(t);
	for (unsigned i = 0; e && i < EVACUATIONS_MAX; i++, e = next_longest(r, e))
		text_evacuation(t, e);
	ms_text_end_whole(t);
}

static void text_creations(struct ms_text *t, const struct ms_trace_report *r)
{
	struct ms_human h;

	if (!r->has_creations)
		return;
	ms_text_printf(t, "%s maps were seen being made: --format maptrace has them",
		       ms_human_count(&h, r->creation_count));
	if (r->creations_dropped)
		ms_text_printf(t, ", and %s more were only counted",
			       ms_human_count(&h, r->creations_dropped));
	if (r->creations_small)
		ms_text_printf(t, "; %s small ones without a hint",
			       ms_human_count(&h, r->creations_small));
	ms_text_end(t, 0);
	if (r->creations_nameless) {
		ms_text_printf(t, "not all of their addresses are known: ");
		ms_text_name(t, r->creations_nameless, 0);
		ms_text_end(t, 0);
	}
}

static void text_beside(struct ms_text *t, const struct ms_trace_report *r)
{
	struct ms_human h;

	text_creations(t, r);
	if (r->migration_count) {
		ms_text_printf(t, "%s looks at moving buckets: --format maptrace has them",
			       ms_human_count(&h, r->migration_count));
		ms_text_end(t, 0);
	}
	ms_text_switches(t, r);
}

/** What was not seen, and why. */
static void text_unseen(struct ms_text *t, const struct ms_trace_report *r)
{
	struct ms_human h;

	if (r->no_probes_reason) {
		ms_text_printf(t, "no probes: ");
		ms_text_name(t, r->no_probes_reason, 0);
		ms_text_printf(t, "; growths are found by polling, without stacks");
		ms_text_end(t, 0);
	}
	if (r->source == MS_TRACE_POLLING && r->counted == 0) {
		ms_text_printf(t, "what grew and ended between two looks was not seen");
		ms_text_end(t, 0);
	}
	if (r->source == MS_TRACE_POLLING && r->not_followed) {
		ms_text_printf(t, "%s maps were too many to be followed",
			       ms_human_count(&h, r->not_followed));
		ms_text_end(t, 0);
	}
	if (r->migrations_dropped) {
		ms_text_printf(t, "%s old buckets were moved and not looked into in time",
			       ms_human_count(&h, r->migrations_dropped));
		ms_text_end(t, 0);
	}
	if (r->creations_unknown) {
		ms_text_printf(t, "no maps being made: ");
		ms_text_name(t, r->creations_unknown, 0);
		ms_text_end(t, 0);
	}
	if (r->migrations_unknown) {
		ms_text_printf(t, "no migrations: %s", r->migrations_unknown);
		ms_text_end(t, 0);
	}
}

static void text_summary(struct ms_text *t, const struct ms_trace_report *r)
{
	ms_text_partial(t, r->partial, r->partial_reason);
	ms_text_target(t, &r->target);
	ms_text_end(t, 0);
	ms_text_unproved(t, &r->target);
	text_counts(t, r);
	text_unseen(t, r);
	ms_text_end_whole(t);
	ms_text_trace_time(t, r);
	ms_text_trace_sums(t, r);
	text_evacuations(t, r);
	ms_text_trace_gc(t, r);
	text_beside(t, r);
	ms_text_cost(t, &r->cost);
}

struct ms_error *ms_render_trace_text_summary(const struct ms_trace_report *report,
					      const struct ms_text_style *style,
					      struct ms_sink *sink)
{
	struct ms_text t;

	ms_text_init(&t, style, sink);
	if (report->event_count)
		ms_text_end_whole(&t);
	text_summary(&t, report);
	return ms_text_finish(&t);
}

struct ms_error *ms_render_trace_text(const struct ms_trace_report *report,
				      const struct ms_text_style *style, struct ms_sink *sink)
{
	struct ms_trace_mark mark = { 0 };
	struct ms_text t;

	ms_text_init(&t, style, sink);
	text_events(&t, report, &mark);
	if (report->event_count)
		ms_text_end_whole(&t);
	text_summary(&t, report);
	return ms_text_finish(&t);
}
