// json_run.c - "mapscope.run/1" and within it "mapscope.budget/1".
#include "render/json.h"

static void put_process(struct ms_json *j, const struct ms_run_process *p)
{
	ms_json_row(j);
	ms_json_open_object(j);
	ms_json_put_u64(j, "pid", p->target.pid);
	ms_json_put_string(j, "exe", p->target.exe);
	ms_json_put_string(j, "go_version", p->target.go_version);
	ms_json_put_u64(j, "start_ticks", p->target.start_ticks);
	ms_json_put_u64(j, "censuses", p->censuses);
	ms_json_put_double(j, "last_s", p->last_s);
	ms_json_put_double(j, "gone_s", p->gone_s);
	ms_json_put_u64(j, "maps", p->censuses ? p->maps : MS_UNKNOWN);
	ms_json_put_u64(j, "entries", p->censuses ? p->entries : MS_UNKNOWN);
	ms_json_put_u64(j, "total_bytes", p->censuses ? p->total_bytes : MS_UNKNOWN);
	ms_json_put_u64(j, "slack_bytes", p->censuses ? p->slack_bytes : MS_UNKNOWN);
	ms_json_put_u64(j, "peak_bytes", p->censuses ? p->peak_bytes : MS_UNKNOWN);
	ms_json_put_double(j, "peak_s", p->peak_s);
	ms_json_close_object(j);
}

static void put_peak(struct ms_json *j, const struct ms_peak_row *row)
{
	ms_json_row(j);
	ms_json_open_object(j);
	ms_json_put_string(j, "owner", row->owner);
	ms_json_put_string(j, "type", row->type);
	ms_json_put_string(j, "kind", ms_map_kind_name(row->kind));
	ms_json_put_string(j, "exe", row->exe);
	ms_json_put_u64(j, "maps", row->maps);
	ms_json_put_u64(j, "entries", row->entries);
	ms_json_put_u64(j, "total_bytes", row->total_bytes);
	ms_json_put_u64(j, "slack_bytes", row->slack_bytes);
	ms_json_put_u64(j, "pid", row->pid);
	ms_json_put_double(j, "at_s", row->at_s);
	ms_json_close_object(j);
}

static void put_limit(struct ms_json *j, const struct ms_budget_rule *rule,
		      enum ms_budget_limit limit)
{
	const struct ms_budget_worst *worst = &rule->worst[limit];

	ms_json_key(j, ms_budget_limit_name(limit));
	if (rule->limits[limit] == MS_UNKNOWN) {
		ms_json_null(j);
		return;
	}
	ms_json_open_object(j);
	ms_json_put_u64(j, "limit", rule->limits[limit]);
	ms_json_put_u64(j, "worst", worst->value);
	ms_json_put_bool(j, "broken",
			 worst->value != MS_UNKNOWN && worst->value > rule->limits[limit]);
	ms_json_put_string(j, "owner", worst->owner);
	ms_json_put_string(j, "exe", worst->exe);
	ms_json_put_u64(j, "pid", worst->pid);
	ms_json_put_double(j, "at_s", worst->at_s);
	ms_json_close_object(j);
}

static void put_rule(struct ms_json *j, const struct ms_budget_rule *rule)
{
	ms_json_row(j);
	ms_json_open_object(j);
	ms_json_put_string(j, "rule", rule->text);
	ms_json_put_u64(j, "line", rule->line);
	ms_json_put_bool(j, "broken", ms_budget_rule_is_broken(rule));
	ms_json_put_bool(j, "matched", rule->matched);
	for (unsigned i = 0; i < MS_BUDGET_COUNT; i++)
		put_limit(j, rule, (enum ms_budget_limit)i);
	ms_json_close_object(j);
}

static void put_budget(struct ms_json *j, const struct ms_budget *budget)
{
	ms_json_row(j);
	ms_json_key(j, "budget");
	if (!budget) {
		ms_json_null(j);
		return;
	}
	ms_json_open_object(j);
	ms_json_put_string(j, "schema", "mapscope.budget/1");
	ms_json_put_string(j, "file", budget->name);
	ms_json_put_u64(j, "broken", ms_budget_broken(budget));
	ms_json_key(j, "rules");
	ms_json_open_array(j);
	for (unsigned pass = 0; pass < 2; pass++) { // The broken ones first.
		for (size_t i = 0; i < budget->rule_count; i++) {
			if (ms_budget_rule_is_broken(&budget->rules[i]) == (pass == 0))
				put_rule(j, &budget->rules[i]);
		}
	}
	ms_json_close_array(j);
	ms_json_close_object(j);
}

static void put_lists(struct ms_json *j, const struct ms_run_report *report,
		      const struct ms_census_view *view)
{
	size_t shown = 0;

	ms_json_row(j);
	ms_json_key(j, "processes");
	ms_json_open_array(j);
	for (size_t i = 0; i < report->process_count; i++)
		put_process(j, &report->processes[i]);
	ms_json_close_array(j);
	ms_json_row(j);
	ms_json_key(j, "owners");
	ms_json_open_array(j);
	for (size_t i = 0; i < report->peak_count && shown < view->top; i++) {
		const struct ms_peak_row *row = &report->peaks[i];

		if (!ms_row_filter_passes(view->filter, row->owner, row->type))
			continue;
		put_peak(j, row);
		shown++;
	}
	ms_json_close_array(j);
}

struct ms_error *ms_render_run_json(const struct ms_run_report *report,
				    const struct ms_census_view *view, struct ms_sink *sink)
{
	struct ms_json j;
	struct ms_error *err =
	    ms_json_begin(&j, sink, "mapscope.run/1", &report->target, &report->cost);

	if (err)
		return err;
	ms_json_put_partial(&j, report->partial, report->partial_reason);
	ms_json_row(&j);
	ms_json_put_string(&j, "command", report->command);
	ms_json_put_u64(&j, "exit_code",
			report->exit_code >= 0 ? (uint64_t)report->exit_code : MS_UNKNOWN);
	ms_json_put_u64(&j, "exit_signal",
			report->exit_signal ? (uint64_t)report->exit_signal : MS_UNKNOWN);
	ms_json_put_double(&j, "ran_s", report->ran_s);
	ms_json_row(&j);
	ms_json_put_u64(&j, "processes_seen", report->processes_seen);
	ms_json_put_u64(&j, "censuses", report->censuses);
	ms_json_put_double(&j, "own_cpu_s", report->own_cpu_s);
	ms_json_put_u64(&j, "owners_left_out", report->peaks_left_out);
	put_budget(&j, report->budget);
	put_lists(&j, report, view);
	return ms_json_end(&j);
}
