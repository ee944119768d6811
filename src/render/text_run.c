// text_run.c - the page of `mapscope run`: how it ended, the budget, then the most of each owner.
#include "base/cleanup.h"
#include "render/escape.h"
#include "render/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { COL_BYTES, COL_SLACK, COL_ENTRIES, COL_MAPS, COL_AT, NUMBER_COLS };
enum { PROCESSES_SHOWN = 10, NAME_COLUMNS_MAX = 120, OWNER_COLUMNS_MIN = 8, TYPE_COLUMNS = 24 };

static const char *const headings[NUMBER_COLS] = { "bytes", "slack", "entries", "maps", "at" };

static const char *base_name(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	return slash && slash[1] ? slash + 1 : path;
}

static void put_head(struct ms_text *t, const struct ms_run_report *report)
{
	struct ms_human h;

	ms_text_partial(t, report->partial, report->partial_reason);
	ms_text_typed(t, report->command);
	if (report->exit_signal)
		ms_text_printf(t, ": ended by signal %d", report->exit_signal);
	else if (report->exit_code >= 0)
		ms_text_printf(t, ": ended with %d", report->exit_code);
	else
		ms_text_printf(t, ": still running");
	ms_text_printf(t, " after %s", ms_human_seconds(&h, report->ran_s));
	ms_text_end(t, 0);
	ms_text_printf(t, "%s process%s", ms_human_count(&h, report->processes_seen),
		       report->processes_seen == 1 ? "" : "es");
	ms_text_printf(t, ", %s of them Go", ms_human_count(&h, report->process_count));
	ms_text_printf(t, ", looked at %s time%s", ms_human_count(&h, report->censuses),
		       report->censuses == 1 ? "" : "s");
	ms_text_printf(t, " with %s of processor time", ms_human_seconds(&h, report->own_cpu_s));
	ms_text_end(t, 0);
	if (report->process_count == 0) {
		ms_text_printf(t, "no Go program lived long enough to be read");
		ms_text_end(t, 0);
	}
}

// --- The budget. ---

static const char *limit_value(struct ms_human *h, enum ms_budget_limit limit, uint64_t value)
{
	if (limit == MS_BUDGET_BYTES || limit == MS_BUDGET_SLACK)
		return ms_human_bytes(h, value);
	return ms_human_count(h, value);
}

static void put_limit(struct ms_text *t, const struct ms_budget_rule *rule,
		      enum ms_budget_limit limit)
{
	const struct ms_budget_worst *worst = &rule->worst[limit];
	bool broken = worst->value != MS_UNKNOWN && worst->value > rule->limits[limit];
	struct ms_human h;

	ms_text_printf(t, "%s ", ms_budget_limit_name(limit));
	ms_text_printf(t, "%s", limit_value(&h, limit, worst->value));
	ms_text_printf(t, " %s %s", broken ? "over" : "of",
		       limit_value(&h, limit, rule->limits[limit]));
	if (worst->value != MS_UNKNOWN) {
		if (worst->owner) {
			ms_text_printf(t, ": ");
			ms_text_owner(t, worst->owner, NAME_COLUMNS_MAX);
		}
		ms_text_printf(t, " in ");
		ms_text_name(t, base_name(worst->exe), 60);
		ms_text_printf(t, " (pid %" PRIu64 ") at %s", worst->pid,
			       ms_human_seconds(&h, worst->at_s));
	}
	ms_text_end_hanging(t, 4, 6);
}

static void put_rule(struct ms_text *t, const struct ms_budget_rule *rule)
{
	if (ms_budget_rule_is_broken(rule))
		ms_text_colored(t, MS_TEXT_RED, "BROKEN");
	else if (rule->matched)
		ms_text_colored(t, MS_TEXT_GREEN, "kept");
	else
		ms_text_colored(t, MS_TEXT_YELLOW, "unused");
	ms_text_printf(t, " ");
	ms_text_typed(t, rule->text);
	ms_text_printf(t, " (line %u)", rule->line);
	if (!rule->matched)
		ms_text_printf(t, ": no owner that was seen is like this");
	ms_text_end_hanging(t, 2, 4);
	for (unsigned i = 0; i < MS_BUDGET_COUNT && rule->matched; i++) {
		if (rule->limits[i] != MS_UNKNOWN)
			put_limit(t, rule, (enum ms_budget_limit)i);
	}
}

static void put_budget(struct ms_text *t, const struct ms_run_report *report)
{
	const struct ms_budget *budget = report->budget;
	bool unused = false;
	size_t broken = ms_budget_broken(budget);
	struct ms_human h;

	ms_text_end_whole(t);
	ms_text_printf(t, "budget ");
	ms_text_name(t, budget->name, NAME_COLUMNS_MAX);
	ms_text_printf(t, ": %s of ", ms_human_count(&h, broken));
	ms_text_printf(t, "%s rules broken", ms_human_count(&h, budget->rule_count));
	ms_text_end(t, 0);
	for (unsigned pass = 0; pass < 2; pass++) { // The broken ones first.
		for (size_t i = 0; i < budget->rule_count; i++) {
			if (ms_budget_rule_is_broken(&budget->rules[i]) == (pass == 0))
				put_rule(t, &budget->rules[i]);
			unused |= !budget->rules[i].matched;
		}
	}
	if (!unused)
		return;
	ms_text_printf(t, "an unused rule may only not have been seen: of %s processes ",
		       ms_human_count(&h, report->processes_seen));
	ms_text_printf(t, "%s were looked at; others were no Go programs, or ended too soon",
		       ms_human_count(&h, report->process_count));
	ms_text_end(t, 0);
}

// --- The owners. ---

static void peak_cells(const struct ms_peak_row *row, struct ms_human cells[NUMBER_COLS])
{
	ms_human_bytes(&cells[COL_BYTES], row->total_bytes);
	ms_human_bytes(&cells[COL_SLACK], row->slack_bytes);
	ms_human_count(&cells[COL_ENTRIES], row->entries);
	ms_human_count(&cells[COL_MAPS], row->maps);
	ms_human_seconds(&cells[COL_AT], row->at_s);
}

static void put_peak(struct ms_text *t, const struct ms_peak_row *row, const size_t *width,
		     bool several)
{
	struct ms_human cells[NUMBER_COLS];
	size_t used = 0, columns = TYPE_COLUMNS, at, rest = 0;

	peak_cells(row, cells);
	for (size_t c = 0; c < NUMBER_COLS; c++) {
		ms_text_printf(t, "%*s ", (int)width[c], cells[c].text);
		used += width[c] + 1;
	}
	if (t->style->width)
		columns = ms_max_u64(8, (t->style->width > used ? t->style->width - used : 0) / 3);
	ms_text_name(t, row->type ? row->type : ms_map_kind_name(row->kind), columns);
	at = ms_text_columns(ms_sink_text(&t->line) ? ms_sink_text(&t->line) : "");
	used += columns + 1;
	ms_sink_fill(&t->line, ' ', at < used ? used - at : 1);
	if (t->style->width) {
		rest = t->style->width > used ? t->style->width - used : 0;
		rest = ms_max_u64(several ? rest * 2 / 3 : rest, OWNER_COLUMNS_MIN);
	}
	if (row->owner)
		ms_text_owner(t, row->owner, rest);
	else
		ms_text_printf(t, "owner unknown");
	if (several) {
		at = ms_text_columns(ms_sink_text(&t->line) ? ms_sink_text(&t->line) : "");
		rest = t->style->width > at + 5 ? t->style->width - at - 4 : 1;
		ms_text_printf(t, " in ");
		ms_text_name(t, base_name(row->exe), t->style->width ? rest : 0);
	}
	ms_text_end_whole(t);
}

/** True when the rows are of several programs. */
static bool several_programs(const struct ms_run_report *report)
{
	for (size_t i = 1; i < report->peak_count; i++) {
		const char *a = report->peaks[0].exe, *b = report->peaks[i].exe;

		if (a != b && (!a || !b || strcmp(a, b) != 0))
			return true;
	}
	return false;
}

static void put_peaks(struct ms_text *t, const struct ms_run_report *report, const size_t *order,
		      size_t count, size_t hidden)
{
	size_t width[NUMBER_COLS];
	bool several = several_programs(report);
	struct ms_human h;

	for (size_t c = 0; c < NUMBER_COLS; c++)
		width[c] = strlen(headings[c]);
	for (size_t i = 0; i < count; i++) {
		struct ms_human cells[NUMBER_COLS];

		peak_cells(&report->peaks[order[i]], cells);
		for (size_t c = 0; c < NUMBER_COLS; c++)
			width[c] = ms_max_u64(width[c], strlen(cells[c].text));
	}
	ms_text_end_whole(t);
	ms_text_printf(t, "the most of each owner in any look:");
	ms_text_end(t, 0);
	for (size_t c = 0; c < NUMBER_COLS; c++)
		ms_text_printf(t, "%*s ", (int)width[c], headings[c]);
	ms_text_printf(t, "type and owner");
	ms_text_end_whole(t);
	for (size_t i = 0; i < count && !ms_sink_failed(t->out); i++)
		put_peak(t, &report->peaks[order[i]], width, several);
	if (hidden > 0) {
		ms_text_printf(t, "and %s more", ms_human_count(&h, hidden));
		ms_text_end(t, 0);
	}
	if (report->peaks_left_out > 0) {
		ms_text_printf(t, "%s owners more than can be kept were left out",
			       ms_human_count(&h, report->peaks_left_out));
		ms_text_end(t, 0);
	}
}

// --- The processes. ---

static void put_process(struct ms_text *t, const struct ms_run_report *report,
			const struct ms_run_process *p)
{
	double end = isnan(p->gone_s) ? report->ran_s : p->gone_s;
	struct ms_human a, b, c;

	ms_text_target(t, &p->target);
	if (p->censuses == 0) {
		ms_text_printf(t, ": ended before a look at its maps was complete");
		ms_text_end(t, 0);
		return;
	}
	ms_text_printf(t, ": %s look%s, the last %s before its end with %s maps",
		       ms_human_count(&a, p->censuses), p->censuses == 1 ? "" : "s",
		       ms_human_seconds(&b, fmax(end - p->last_s, 0)), ms_human_count(&c, p->maps));
	ms_text_printf(t, " in %s; the most was %s at %s", ms_human_bytes(&a, p->total_bytes),
		       ms_human_bytes(&b, p->peak_bytes), ms_human_seconds(&c, p->peak_s));
	ms_text_end(t, 0);
}

static void put_processes(struct ms_text *t, const struct ms_run_report *report)
{
	struct ms_human h;

	ms_text_end_whole(t);
	for (size_t i = 0; i < report->process_count && i < PROCESSES_SHOWN; i++)
		put_process(t, report, &report->processes[i]);
	if (report->process_count > PROCESSES_SHOWN) {
		ms_text_printf(t, "and %s more Go processes",
			       ms_human_count(&h, report->process_count - PROCESSES_SHOWN));
		ms_text_end(t, 0);
	}
}

struct ms_error *ms_render_run_text(const struct ms_run_report *report,
				    const struct ms_census_view *view,
				    const struct ms_text_style *style, struct ms_sink *sink)
{
	MS_AUTO_FREE size_t *order = malloc((report->peak_count + 1) * sizeof(*order));
	size_t count = 0, hidden = 0;
	struct ms_text t;

	if (!order)
		return ms_error_no_memory();
	for (size_t i = 0; i < report->peak_count; i++) {
		const struct ms_peak_row *row = &report->peaks[i];

		if (!ms_row_filter_passes(view->filter, row->owner, row->type))
			continue;
		if (count < view->top)
			order[count++] = i;
		else
			hidden++;
	}
	ms_text_init(&t, style, sink);
	put_head(&t, report);
	if (report->budget)
		put_budget(&t, report);
	if (count > 0)
		put_peaks(&t, report, order, count, hidden);
	if (report->process_count > 0)
		put_processes(&t, report);
	ms_text_end_whole(&t);
	ms_text_cost(&t, &report->cost);
	return ms_text_finish(&t);
}
