// text_finding.c - one finding in at most twelve lines: what, whose, how fast, who, and what to
// change.
//
// A paragraph is made of blocks.  Those that have to be there come first in the count; what else
// is known is shown as long as lines are left.  Everything is in the JSON document.
#include "render/text_finding.h"

#include "render/finding.h"
#include "render/text_stack.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

enum {
	LINES_MAX = 12,
	NAME_COLUMNS_MAX = 120,
	NAME_COLUMNS_MIN = 24,
	TITLE_REST = 34,
	INDENT = 3,
};

struct paragraph {
	struct ms_text *t;
	struct ms_sink *out, block;
	const struct ms_diagnosis_report *report;
	const struct ms_finding *finding;
	size_t lines_left;
};

static void block_begin(struct paragraph *p)
{
	ms_sink_init_memory(&p->block);
	p->t->out = &p->block;
}

static size_t lines_of(const char *text)
{
	size_t lines = 0;

	for (; *text; text++)
		lines += *text == '\n';
	return lines;
}

/** Write the block; one that is not @p needed only where it fits. */
static void block_end(struct paragraph *p, bool needed)
{
	const char *text = ms_sink_text(&p->block);
	size_t lines = text ? lines_of(text) : 0;

	p->t->out = p->out;
	if (!text) {
		ms_sink_fail_no_memory(p->out);
	} else if (needed || lines <= p->lines_left) {
		ms_sink_puts(p->out, text);
		p->lines_left -= lines < p->lines_left ? lines : p->lines_left;
	}
	ms_sink_deinit(&p->block);
}

static enum ms_text_color verdict_color(enum ms_verdict verdict)
{
	switch (verdict) {
	case MS_VERDICT_RACE:
	case MS_VERDICT_GROWING:
	case MS_VERDICT_SUSPECT:
		return MS_TEXT_RED;
	case MS_VERDICT_CHURN:
	case MS_VERDICT_SAWTOOTH:
	case MS_VERDICT_SLACK:
		return MS_TEXT_YELLOW;
	case MS_VERDICT_STABLE:
		break;
	}
	return MS_TEXT_GREEN;
}

/** A line of the program stands for maps that are gone by now. */
static void title_code(struct paragraph *p)
{
	const struct ms_stack_call *line =
	    p->finding->line.stack ? ms_stack_program_line(p->finding->line.stack) : NULL;

	ms_text_printf(p->t, "maps made anew in ");
	if (line)
		ms_text_call(p->t, line);
	else
		ms_text_name(p->t, NULL, 0);
}

static void text_title(struct paragraph *p, size_t rank)
{
	const struct ms_finding *f = p->finding;
	struct ms_text *t = p->t;
	unsigned width = t->style->width;
	size_t columns = NAME_COLUMNS_MAX;
	char word[16] = "";

	if (width) // The title is to fit on one line where that leaves enough of the type.
		columns = ms_max_u64(NAME_COLUMNS_MIN, width > TITLE_REST ? width - TITLE_REST : 0);
	for (size_t i = 0; i + 1 < sizeof(word) && ms_verdict_name(f->verdict)[i]; i++)
		word[i] = (char)toupper((unsigned char)ms_verdict_name(f->verdict)[i]);
	ms_text_printf(t, "%zu. ", rank);
	ms_text_colored(t, verdict_color(f->verdict), word);
	ms_text_printf(t, "  ");
	if (f->kind == MS_FINDING_CODE) {
		title_code(p);
	} else {
		struct ms_human h;

		if (f->kind == MS_FINDING_OWNER)
			ms_text_printf(t, "%s x ", ms_human_count(&h, f->maps_after));
		ms_text_name(t, f->map.type ? f->map.type : "map of unknown type", columns);
		if (f->kind == MS_FINDING_MAP)
			ms_text_printf(t, " at 0x%" PRIx64, f->map.address);
		if (f->map.where == MS_WHERE_STACK)
			ms_text_printf(t, " on a stack");
	}
	ms_text_end_hanging(t, 0, INDENT);
}

static void text_owner(struct paragraph *p)
{
	static const char word[] = "owner ";
	const struct ms_map_row *map = &p->finding->map;
	struct ms_text *t = p->t;
	size_t taken = INDENT + strlen(word), columns = NAME_COLUMNS_MAX;
	struct ms_human h;

	if (!map->owner)
		return;
	if (t->style->width) // On a line of its own.
		columns = t->style->width > taken + NAME_COLUMNS_MIN ? t->style->width - taken
								     : NAME_COLUMNS_MIN;
	ms_text_printf(t, "%s", word);
	ms_text_owner(t, map->owner, columns);
	if (map->owners > 1)
		ms_text_printf(t, ", the first of %s holders", ms_human_count(&h, map->owners));
	ms_text_end(t, INDENT);
}

/** The line of the program that a stack is for, behind @p what. */
static void text_line(struct paragraph *p, const char *what, const struct ms_stack *stack)
{
	const struct ms_stack_call *own = ms_stack_program_line(stack);

	ms_text_printf(p->t, "%s ", what);
	if (own)
		ms_text_call(p->t, own);
	else
		ms_text_name(p->t, NULL, 0);
}

// --- Who has to do with it. ---

/** "growing, 63 % evacuated, 214 goroutines: 3 fill, 208 wait for orders.mu, 2 hold" */
static void text_users(struct paragraph *p)
{
	static const char *const words[MS_ROLE_COUNT] = { [MS_ROLE_READS] = "read",
							  [MS_ROLE_WRITES] = "fill",
							  [MS_ROLE_GROWS] = "grow",
							  [MS_ROLE_ITERATES] = "iterate",
							  [MS_ROLE_WAITS] = "wait for" };
	static const uint8_t order[] = { MS_ROLE_GROWS, MS_ROLE_WRITES, MS_ROLE_ITERATES,
					 MS_ROLE_READS, MS_ROLE_WAITS };
	const struct ms_finding *f = p->finding;
	const struct ms_finding_users *u = &f->users;
	struct ms_text *t = p->t;
	const char *before = ": ";
	struct ms_human h;

	ms_finding_evacuation(f, &t->line);
	if (u->total) {
		ms_text_printf(t, "%s%s goroutine%s", t->line.size ? "; " : "",
			       ms_human_count(&h, u->total), u->total == 1 ? "" : "s");
		for (size_t i = 0; i < MS_ARRAY_SIZE(order); i++) {
			uint64_t count = u->by_role[order[i]];

			if (!count)
				continue;
			ms_text_printf(t, "%s%s %s", before, ms_human_count(&h, count),
				       words[order[i]]);
			if (count == 1 && order[i] != MS_ROLE_WAITS)
				ms_text_printf(t, "s");
			if (order[i] == MS_ROLE_WAITS) {
				ms_text_printf(t, " ");
				ms_text_name(t, u->behind, NAME_COLUMNS_MAX);
			}
			before = ", ";
		}
		if (u->holding)
			ms_text_printf(t, "%s%s hold%s it", before, ms_human_count(&h, u->holding),
				       u->holding == 1 ? "s" : "");
	}
	if (t->line.size)
		ms_text_end(t, INDENT);
}

static void text_created(struct paragraph *p, const struct ms_stack_call *created_by)
{
	if (!created_by->function)
		return;
	ms_text_printf(p->t, "created by ");
	ms_text_call(p->t, created_by);
	ms_text_end_hanging(p->t, INDENT + 2, INDENT + 4);
}

/** Where one stack that grew it is; @p with_callers: what called it, who made the goroutine. */
static void text_filler(struct paragraph *p, const struct ms_filler *filler, bool with_callers)
{
	const struct ms_stack *stack = &p->report->trace.stacks.items[filler->stack];
	struct ms_human a, b;

	if (with_callers) {
		ms_text_callers(p->t, stack, INDENT + 2);
		text_created(p, &filler->created_by);
		return;
	}
	text_line(p, "filled by", stack);
	ms_text_printf(p->t, " in %s of %s growths traced", ms_human_count(&a, filler->growths),
		       ms_human_count(&b, p->finding->growths_traced));
	ms_text_end(p->t, INDENT);
}

/** Where it was filled or made, when no growth of it was traced. */
static void text_code_line(struct paragraph *p)
{
	const struct ms_code_line *line = &p->finding->line;
	struct ms_human h;

	if (!line->stack || p->finding->filler_count)
		return;
	if (p->finding->kind == MS_FINDING_CODE) {
		text_line(p, "filled by", line->stack);
	} else {
		text_line(p, "its table was made by", line->stack);
		ms_text_printf(p->t, ", it seems by the memory profile");
		if (p->report->allocations.rate != MS_UNKNOWN)
			ms_text_printf(p->t, " (one in %s)",
				       ms_human_bytes(&h, p->report->allocations.rate));
	}
	ms_text_end(p->t, INDENT);
	ms_text_callers(p->t, line->stack, INDENT + 2);
	if (!line->made_at.function)
		return;
	ms_text_printf(p->t, "made by ");
	ms_text_call(p->t, &line->made_at);
	ms_text_end_hanging(p->t, INDENT, INDENT + 2);
}

/** What the code has, beside what was seen to run. */
static void text_calls(struct paragraph *p, const char *what, const struct ms_code_calls *calls)
{
	if (!calls->count || calls->lines > calls->count)
		return; // So many that none of them says anything.
	ms_text_printf(p->t, "code that %s %s: ", what, calls->is_of_place ? "it" : "such maps");
	for (size_t i = 0; i < calls->count; i++) {
		if (i)
			ms_text_printf(p->t, ", ");
		ms_text_call(p->t, &calls->items[i]);
	}
	ms_text_end_hanging(p->t, INDENT, INDENT + 2);
}

/** The two that were in it at once. */
static void text_clue(struct paragraph *p)
{
	const struct ms_goroutines_report *g = &p->report->goroutines;
	const struct ms_race_clue *clue;
	struct ms_human h;

	if (p->finding->clue >= g->clue_count)
		return;
	clue = &g->clues[p->finding->clue];
	ms_text_printf(p->t, "a clue, no proof: %s: ", clue->kind);
	ms_text_name(p->t, clue->why, 0);
	if (clue->lock_state) {
		ms_text_printf(p->t, "; ");
		ms_text_name(p->t, clue->lock_state, 0);
	}
	ms_text_end(p->t, INDENT);
	for (size_t i = 0; i < MS_ARRAY_SIZE(clue->stacks); i++) {
		ms_text_printf(p->t, "goroutine %s", ms_human_count(&h, clue->goroutines[i]));
		if (clue->stacks[i] < g->stacks.count)
			text_line(p, ":", &g->stacks.items[clue->stacks[i]]);
		ms_text_end(p->t, INDENT + 2);
	}
}

static void text_waiters(struct paragraph *p)
{
	const struct ms_finding_waiters *w = &p->finding->waiters;
	struct ms_text *t = p->t;
	struct ms_human a, b;

	if (!w->behind)
		return;
	ms_text_printf(t, "waiting: up to %s for ", ms_human_count(&a, w->most));
	ms_text_owner(t, w->behind, NAME_COLUMNS_MAX);
	ms_text_printf(t, " at %s look%s", ms_human_count(&a, w->looks), w->looks == 1 ? "" : "s");
	if (isfinite(w->oldest_s))
		ms_text_printf(t, ", the oldest for %s", ms_human_ahead(&b, w->oldest_s));
	if (w->stack < p->report->trace.stacks.count)
		text_line(p, ", at", &p->report->trace.stacks.items[w->stack]);
	ms_text_end(t, INDENT);
}

/** Goroutines that became more, with it on their stacks. */
static void text_leak(struct paragraph *p)
{
	const struct ms_goroutines_report *g = &p->report->goroutines;
	const struct ms_leak_suspect *leak;
	struct ms_human a, b;

	if (p->finding->leak >= g->suspect_count)
		return;
	leak = &g->suspects[p->finding->leak];
	ms_text_printf(p->t, "held by goroutines that became more, from %s to %s, and wait (",
		       ms_human_count(&a, leak->before), ms_human_count(&b, leak->after));
	ms_text_name(p->t, leak->wait_reason, 0);
	ms_text_printf(p->t, ")");
	if (leak->stack < g->stacks.count)
		text_line(p, " in", &g->stacks.items[leak->stack]);
	ms_text_end(p->t, INDENT);
	text_created(p, &leak->created_by);
}

/** Those that hold it and do nothing with it. */
static void text_holders(struct paragraph *p)
{
	const struct ms_goroutines_report *g = &p->report->goroutines;
	const struct ms_finding_users *u = &p->finding->users;
	const struct ms_goroutine_cluster *c;
	struct ms_human a, b;

	if (u->holding_cluster >= g->cluster_count)
		return;
	c = &g->clusters[u->holding_cluster];
	if (c->is_system)
		return;
	ms_text_printf(p->t, "held by %s, %s of them %s", ms_human_count(&a, u->holding),
		       ms_human_count(&b, u->holding_in_cluster),
		       c->wait_reason ? c->wait_reason : c->state);
	if (c->stack < g->stacks.count)
		text_line(p, " in", &g->stacks.items[c->stack]);
	ms_text_end(p->t, INDENT);
	text_created(p, &c->created_by);
}

static void text_sites(struct paragraph *p)
{
	const struct ms_code_sites *s = &p->finding->sites;
	bool has_line = p->finding->line.stack || p->finding->filler_count;

	block_begin(p);
	text_calls(p, "deletes from", &s->deleted);
	block_end(p, false);
	block_begin(p);
	if (!has_line)
		text_calls(p, "fills", &s->filled);
	block_end(p, false);
	block_begin(p);
	if (!has_line)
		text_calls(p, "makes", &s->made);
	block_end(p, false);
}

// --- The whole. ---

static void text_lines(struct paragraph *p)
{
	for (unsigned i = 0; i < MS_FINDING_LINES; i++) {
		ms_finding_line(p->report, p->finding, MS_FINDING_BRIEF, i, &p->t->line);
		if (p->t->line.size > 0)
			ms_text_end(p->t, INDENT);
	}
}

void ms_text_finding(struct ms_text *t, const struct ms_diagnosis_report *report, size_t rank)
{
	struct paragraph p = { .t = t,
			       .out = t->out,
			       .report = report,
			       .finding = &report->findings[rank - 1],
			       .lines_left = LINES_MAX };
	const struct ms_finding *f = p.finding;
	struct ms_sink advice;

	block_begin(&p);
	ms_finding_advice(&f->advice, &t->line);
	if (t->line.size > 0)
		ms_text_end(t, INDENT);
	advice = p.block;
	p.lines_left -=
	    ms_min_u64(p.lines_left, ms_sink_text(&advice) ? lines_of(ms_sink_text(&advice)) : 0);
	block_begin(&p);
	text_title(&p, rank);
	text_owner(&p);
	text_users(&p);
	block_end(&p, true);
	block_begin(&p);
	text_clue(&p);
	text_leak(&p);
	block_end(&p, true);
	block_begin(&p);
	text_lines(&p);
	block_end(&p, true);
	for (size_t i = 0; i < f->filler_count; i++) {
		block_begin(&p);
		text_filler(&p, &f->fillers[i], false);
		block_end(&p, i == 0);
	}
	block_begin(&p);
	text_code_line(&p);
	block_end(&p, true);
	text_sites(&p);
	block_begin(&p);
	text_waiters(&p);
	block_end(&p, false);
	if (f->filler_count) {
		block_begin(&p);
		text_filler(&p, &f->fillers[0], true);
		block_end(&p, false);
	}
	block_begin(&p);
	text_holders(&p);
	block_end(&p, false);
	p.block = advice;
	block_end(&p, true);
	ms_text_end_whole(t);
}
