// fillers.c - growths joined to findings by the address of the map.
//
// A growth is not an insert: a stack that grew a map seven times of eight put in about that share
// of what was new, because each growth is the insert that happened to be the one too many.  With
// few growths that is a small sample, and the page says of how many.
//
// Which of the runtime's functions stood below the program's line tells nobody anything: growths of
// both kinds from one line are one filler.
#include "diagnose/fillers.h"

#include "diagnose/more_findings.h"

#include <math.h>
#include <string.h>

enum { CANDIDATES_MAX = 64 }; // Sums come largest first, so what is left out is small.

static bool is_of(const struct ms_growth_sum *sum, const struct ms_finding *f,
		  const struct ms_census_report *census)
{
	const struct ms_map_row *map = &f->map, *row;

	if (f->kind == MS_FINDING_OWNER) {
		row = census ? ms_census_row_at(census, sum->map) : NULL;
		return row && sum->kind != MS_GROWTH_EVENT_TO_SMALL && ms_finding_has_map(f, row);
	}
	return sum->map == map->address && sum->kind != MS_GROWTH_EVENT_TO_SMALL &&
	       (!sum->type || !map->type || !strcmp(sum->type, map->type));
}

/** Whether two stacks are the same lines of the program. */
static bool is_alike(const struct ms_stacks *stacks, uint32_t a, uint32_t b)
{
	return a == b || (a < stacks->count && b < stacks->count &&
			  !ms_stack_compare_own(&stacks->items[a], &stacks->items[b]));
}

/** The go statement of the goroutines that grew it there, when all that were kept agree. */
static struct ms_stack_call created_by(const struct ms_trace_report *trace,
				       const struct ms_finding *f, uint32_t stack)
{
	const struct ms_stack_call *found = NULL;

	for (size_t i = 0; i < trace->event_count; i++) {
		const struct ms_growth_event *e = &trace->events[i];

		if ((f->kind == MS_FINDING_MAP && e->map != f->map.address) ||
		    !e->created_by.function || !is_alike(&trace->stacks, e->stack, stack))
			continue;
		if (found && found->pc != e->created_by.pc)
			return (struct ms_stack_call){ 0 };
		found = &e->created_by;
	}
	return found ? *found : (struct ms_stack_call){ 0 };
}

/** The stacks with the largest sums of one map; what is alike is one. */
struct candidates {
	struct ms_filler items[CANDIDATES_MAX];
	size_t count;
};

static void candidates_add(struct candidates *c, const struct ms_stacks *stacks,
			   const struct ms_growth_sum *sum)
{
	for (size_t i = 0; i < c->count; i++) {
		if (is_alike(stacks, c->items[i].stack, sum->stack)) {
			c->items[i].growths += sum->count;
			return;
		}
	}
	if (c->count < CANDIDATES_MAX)
		c->items[c->count++] =
		    (struct ms_filler){ .stack = sum->stack, .growths = sum->count };
}

/** Keep the largest MS_FILLERS_MAX, in their order. */
static void add(struct ms_finding *f, const struct ms_filler *filler)
{
	size_t at = f->filler_count;

	while (at > 0 && f->fillers[at - 1].growths < filler->growths)
		at--;
	if (at == MS_FILLERS_MAX)
		return;
	if (f->filler_count < MS_FILLERS_MAX)
		f->filler_count++;
	memmove(&f->fillers[at + 1], &f->fillers[at],
		(f->filler_count - at - 1) * sizeof(f->fillers[0]));
	f->fillers[at] = *filler;
}

static void fill(struct ms_diagnosis_report *report, const struct ms_census_report *census,
		 struct ms_finding *f)
{
	const struct ms_trace_report *trace = &report->trace;
	struct candidates c = { .count = 0 };

	f->growths_traced = 0;
	f->filler_count = 0;
	for (size_t i = 0; i < trace->sum_count; i++) {
		const struct ms_growth_sum *sum = &trace->sums[i];

		if (!is_of(sum, f, census))
			continue;
		f->growths_traced += sum->count;
		if (sum->stack < trace->stacks.count)
			candidates_add(&c, &trace->stacks, sum);
	}
	for (size_t i = 0; i < c.count; i++)
		add(f, &c.items[i]);
	for (size_t i = 0; i < f->filler_count; i++)
		f->fillers[i].created_by = created_by(trace, f, f->fillers[i].stack);
}

/** The lock for which most waited at once, where a map has several. */
static void wait(const struct ms_trace_report *trace, struct ms_finding *f)
{
	struct ms_finding_waiters *w = &f->waiters;

	*w = (struct ms_finding_waiters){ .oldest_s = NAN, .stack = MS_NO_STACK };
	for (size_t i = 0; i < trace->waiter_count; i++) {
		const struct ms_waiter_sample *s = &trace->waiters[i];

		if (s->map != f->map.address || s->waiting <= w->most || !s->behind)
			continue;
		w->behind = s->behind;
		w->most = s->waiting;
		w->stack = s->stack < trace->stacks.count ? s->stack : MS_NO_STACK;
		w->created_by = s->created_by;
	}
	for (size_t i = 0; w->behind && i < trace->waiter_count; i++) {
		const struct ms_waiter_sample *s = &trace->waiters[i];

		if (s->map != f->map.address || !s->behind || strcmp(s->behind, w->behind) != 0)
			continue;
		w->looks += s->waiting > 0;
		w->oldest_s = fmax(w->oldest_s, s->oldest_s); // NAN gives way to a number.
	}
}

void ms_fillers_fill(const struct ms_census_report *census, struct ms_diagnosis_report *report)
{
	for (size_t i = 0; i < report->finding_count; i++) {
		struct ms_finding *f = &report->findings[i];

		f->growths_traced = MS_UNKNOWN;
		if (f->kind == MS_FINDING_MAP)
			wait(&report->trace, f);
		if (f->kind != MS_FINDING_CODE && report->is_traced &&
		    report->trace.source == MS_TRACE_PROBES)
			fill(report, census, f);
	}
}
