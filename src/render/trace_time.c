// trace_time.c - a window on one line of time: growths, collections, heap and waiters.
//
// Every row has the same columns, so that what happened together stands together.  A column with
// growths holds their number while that is one digit, else a bar as high as its share of the
// most; the heap and the waiters are bars of their largest value in the column, and between two
// looks the last one stands.
#include "render/escape.h"
#include "render/text_trace.h"

#include "base/cleanup.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 60, COLUMNS_MIN = 20, LABEL = 17, AROUND = 27, LEVELS = 8, WAITER_ROWS_MAX = 3 };

struct line {
	struct ms_text *t;
	double window;
	size_t columns;
	double values[COLUMNS]; // NAN: nothing known.
};

static size_t column_of(const struct line *l, double time_s)
{
	double at = floor(time_s / l->window * (double)l->columns);

	if (!(at > 0))
		return 0;
	return at >= (double)l->columns ? l->columns - 1 : (size_t)at;
}

static void clear(struct line *l, double value)
{
	for (size_t i = 0; i < COLUMNS; i++)
		l->values[i] = value;
}

static double most(const struct line *l)
{
	double value = 0;

	for (size_t i = 0; i < l->columns; i++)
		value = fmax(value, l->values[i]); // A NAN loses.
	return value;
}

/** What was seen last stands until it is seen again. */
static void carry(struct line *l)
{
	for (size_t i = 1; i < l->columns; i++) {
		if (isnan(l->values[i]))
			l->values[i] = l->values[i - 1];
	}
}

static void label(struct line *l, const char *name)
{
	const char *text;

	ms_text_owner(l->t, name, LABEL - 1); // "…gistry.mu"
	text = ms_sink_text(&l->t->line);
	for (size_t taken = text ? ms_text_columns(text) : LABEL; taken < LABEL; taken++)
		ms_text_printf(l->t, " ");
	ms_text_printf(l->t, "|");
}

static void bar(struct line *l, double share)
{
	static const char *const blocks[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	static const char plain[] = ".:-=+*#@";
	size_t level = (size_t)fmin(LEVELS - 1, fmax(0, ceil(share * LEVELS) - 1));

	if (l->t->style->charset == MS_CHARSET_ASCII)
		ms_text_printf(l->t, "%c", plain[level]);
	else
		ms_text_printf(l->t, "%s", blocks[level]);
}

static void bars(struct line *l)
{
	double highest = most(l);

	for (size_t i = 0; i < l->columns; i++) {
		if (l->values[i] > 0)
			bar(l, l->values[i] / highest);
		else
			ms_text_printf(l->t, " ");
	}
	ms_text_printf(l->t, "|");
}

static void time_axis(struct line *l)
{
	struct ms_human h;
	size_t width;

	ms_human_seconds(&h, l->window);
	width = LABEL + 1 + l->columns - strlen(h.text) + 1;
	ms_text_printf(l->t, "%*s%-*s%s", LABEL + 1, "", (int)(width - LABEL - 1), "0 s", h.text);
	ms_text_end_whole(l->t);
}

static void growths(struct line *l, const struct ms_trace_report *r)
{
	clear(l, 0);
	for (size_t i = 0; i < r->event_count; i++)
		l->values[column_of(l, r->events[i].time_s)]++;
	if (!r->event_count)
		return;
	label(l, "growths");
	if (most(l) > 9) {
		bars(l);
	} else {
		for (size_t i = 0; i < l->columns; i++) {
			if (l->values[i] > 1)
				ms_text_printf(l->t, "%.0f", l->values[i]);
			else
				ms_text_printf(l->t, "%s", l->values[i] > 0 ? "G" : " ");
		}
		ms_text_printf(l->t, "|");
	}
	ms_text_end_whole(l->t);
}

static void collections(struct line *l, const struct ms_trace_report *r)
{
	clear(l, 0);
	if (!r->cycle_count)
		return;
	for (size_t i = 0; i < r->cycle_count; i++) {
		const struct ms_gc_cycle *c = &r->cycles[i];
		size_t from = isfinite(c->start_s) ? column_of(l, c->start_s) : 0;
		size_t to = isfinite(c->end_s) ? column_of(l, c->end_s) : l->columns - 1;

		for (size_t k = from; k <= to; k++)
			l->values[k] = 1;
	}
	label(l, "marking");
	for (size_t i = 0; i < l->columns; i++)
		ms_text_printf(l->t, "%s", l->values[i] > 0 ? "=" : " ");
	ms_text_printf(l->t, "|");
	ms_text_end_whole(l->t);
}

/** The larger of both, where either is known. */
static void raise(struct line *l, double time_s, uint64_t value)
{
	double *place = &l->values[column_of(l, time_s)];

	if (value != MS_UNKNOWN)
		*place = isnan(*place) ? (double)value : fmax(*place, (double)value);
}

static void heap(struct line *l, const struct ms_trace_report *r)
{
	struct ms_human h;

	clear(l, NAN);
	for (size_t i = 0; i < r->heap_count; i++)
		raise(l, r->heap[i].time_s, r->heap[i].live_bytes);
	carry(l);
	if (!(most(l) > 0))
		return;
	label(l, "heap");
	bars(l);
	ms_text_printf(l->t, " %s", ms_human_bytes(&h, (uint64_t)fmin(most(l), 1e19)));
	ms_text_end_whole(l->t);
}

static bool is_same_place(const struct ms_waiter_sample *a, const struct ms_waiter_sample *b)
{
	if (!a->behind || !b->behind)
		return a->behind == b->behind && a->map == b->map;
	return a->map == b->map && !strcmp(a->behind, b->behind);
}

static void waiters_of(struct line *l, const struct ms_trace_report *r, size_t first)
{
	const struct ms_waiter_sample *place = &r->waiters[first];
	struct ms_human h;

	clear(l, NAN);
	for (size_t i = first; i < r->waiter_count; i++) {
		if (is_same_place(&r->waiters[i], place))
			raise(l, r->waiters[i].time_s, r->waiters[i].waiting);
	}
	carry(l);
	if (!(most(l) > 0))
		return;
	label(l, place->behind ? place->behind : "waiting");
	bars(l);
	if (most(l) < 1e6)
		ms_text_printf(l->t, " %s", ms_human_count(&h, (uint64_t)fmin(most(l), 1e19)));
	ms_text_end_whole(l->t);
}

/** The most that waited at one place. */
static uint64_t most_waiting(const struct ms_trace_report *r, size_t first)
{
	uint64_t value = 0;

	for (size_t i = first; i < r->waiter_count; i++) {
		if (r->waiters[i].waiting != MS_UNKNOWN &&
		    is_same_place(&r->waiters[i], &r->waiters[first]))
			value = ms_max_u64(value, r->waiters[i].waiting);
	}
	return value;
}

static bool is_first(const struct ms_trace_report *r, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (is_same_place(&r->waiters[i], &r->waiters[index]))
			return false;
	}
	return true;
}

/** The places where most waited, in the order of how many. */
static void waiters(struct line *l, const struct ms_trace_report *r)
{
	uint64_t below = MS_UNKNOWN;

	for (unsigned row = 0; row < WAITER_ROWS_MAX; row++) {
		size_t best = r->waiter_count;
		uint64_t value = 0;

		for (size_t i = 0; i < r->waiter_count; i++) {
			uint64_t here = is_first(r, i) ? most_waiting(r, i) : 0;

			if (here > value && here < below) {
				value = here;
				best = i;
			}
		}
		if (best == r->waiter_count)
			return;
		waiters_of(l, r, best);
		below = value;
	}
}

void ms_text_trace_time(struct ms_text *t, const struct ms_trace_report *r)
{
	struct line l = { .t = t, .window = r->window_s, .columns = COLUMNS };
	unsigned width = t->style->width;

	if (!(r->window_s > 0) || (!r->event_count && !r->cycle_count && !r->waiter_count))
		return;
	if (width && width < COLUMNS + AROUND)
		l.columns = width > COLUMNS_MIN + AROUND ? width - AROUND : COLUMNS_MIN;
	growths(&l, r);
	collections(&l, r);
	heap(&l, r);
	waiters(&l, r);
	time_axis(&l);
	ms_text_end_whole(t);
}
