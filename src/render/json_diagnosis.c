// json_diagnosis.c - "mapscope.diagnosis/1".
#include "render/finding.h"
#include "render/json.h"

#include <math.h>

static void put_evidence(struct ms_json *j, const struct ms_diagnosis_report *report,
			 const struct ms_finding *finding)
{
	struct ms_sink line;

	ms_sink_init_memory(&line);
	ms_json_key(j, "evidence");
	ms_json_open_array(j);
	for (unsigned i = 0; i < MS_FINDING_LINES; i++) {
		line.size = 0;
		ms_finding_line(report, finding, MS_FINDING_FULL, i, &line);
		if (line.size > 0 && ms_sink_text(&line))
			ms_json_string(j, ms_sink_text(&line));
	}
	ms_json_close_array(j);
	if (ms_sink_failed(&line))
		ms_sink_fail_no_memory(j->sink);
	ms_sink_deinit(&line);
}

static void put_clock(struct ms_json *j, const struct ms_diagnosis_report *report,
		      const struct ms_finding *finding)
{
	struct ms_clock clock = ms_finding_clock(report, finding);
	const struct ms_limit *limit = clock.limit;
	bool is_known = clock.next_growth_entries != MS_UNKNOWN;

	ms_json_key(j, "clock");
	ms_json_open_object(j);
	ms_json_put_u64(j, "next_growth_entries", clock.next_growth_entries);
	ms_json_put_double(j, "next_growth_s", clock.next_growth_s);
	ms_json_put_string(j, "next_growth_kind",
			   is_known ? ms_growth_kind_name(finding->next.kind) : NULL);
	ms_json_put_bool(j, "next_growth_is_estimate", finding->next.is_estimate);
	ms_json_put_u64(j, "next_growth_bytes", clock.next_growth_bytes);
	ms_json_put_u64(j, "next_growth_new_bytes", clock.next_growth_new_bytes);
	ms_json_put_u64(j, "all_split_entries",
			finding->next.all_at_entries ? finding->next.all_at_entries : MS_UNKNOWN);
	ms_json_put_u64(j, "all_split_bytes",
			finding->next.all_at_entries ? finding->next.all_bytes : MS_UNKNOWN);
	ms_json_put_string(j, "limit_kind", limit ? ms_limit_kind_name(limit->kind) : NULL);
	ms_json_put_u64(j, "limit_bytes", limit ? limit->limit_bytes : MS_UNKNOWN);
	ms_json_put_u64(j, "limit_left_bytes", limit ? limit->left_bytes : MS_UNKNOWN);
	ms_json_put_double(j, "limit_s", clock.limit_s);
	ms_json_put_bool(j, "will_not_fit", clock.will_not_fit);
	ms_json_close_object(j);
}

static void put_advice(struct ms_json *j, const struct ms_advice *advice)
{
	ms_json_key(j, "advice");
	if (!advice->text) {
		ms_json_null(j);
		return;
	}
	ms_json_open_object(j);
	ms_json_put_string(j, "text", advice->text);
	ms_json_put_string(j, "file", advice->file);
	ms_json_put_u64(j, "line", advice->line);
	ms_json_put_u64(j, "saves_bytes", advice->saves_bytes);
	ms_json_put_string(j, "risk", advice->risk);
	ms_json_put_string(j, "since", advice->since);
	ms_json_put_string(j, "until", advice->until);
	ms_json_close_object(j);
}

static void put_calls(struct ms_json *j, const char *key, const struct ms_code_calls *calls)
{
	ms_json_key(j, key);
	ms_json_open_object(j);
	ms_json_put_u64(j, "lines", calls->lines);
	ms_json_put_bool(j, "is_of_place", calls->is_of_place);
	ms_json_key(j, "first");
	ms_json_open_array(j);
	for (size_t i = 0; i < calls->count; i++)
		ms_json_call(j, &calls->items[i]);
	ms_json_close_array(j);
	ms_json_close_object(j);
}

static void put_sites(struct ms_json *j, const struct ms_code_sites *sites)
{
	ms_json_key(j, "sites");
	ms_json_open_object(j);
	put_calls(j, "made", &sites->made);
	put_calls(j, "filled", &sites->filled);
	put_calls(j, "deleted", &sites->deleted);
	ms_json_close_object(j);
}

static void put_limits(struct ms_json *j, const struct ms_diagnosis_report *report)
{
	ms_json_row(j);
	ms_json_key(j, "limits");
	ms_json_open_array(j);
	for (size_t i = 0; i < report->limit_count; i++) {
		const struct ms_limit *limit = &report->limits[i];

		ms_json_row(j);
		ms_json_open_object(j);
		ms_json_put_string(j, "kind", ms_limit_kind_name(limit->kind));
		ms_json_put_u64(j, "limit_bytes", limit->limit_bytes);
		ms_json_put_u64(j, "left_bytes", limit->left_bytes);
		ms_json_put_double(j, "reached_s", limit->reached_s);
		ms_json_put_bool(j, "soft", ms_limit_is_soft(limit->kind));
		ms_json_close_object(j);
	}
	ms_json_close_array(j);
	ms_json_put_string(j, "limits_hidden", report->limits_hidden);
	ms_json_put_double(j, "rss_bytes_per_s", report->rss_bytes_per_s);
}

static void put_fillers(struct ms_json *j, const struct ms_diagnosis_report *report,
			const struct ms_finding *finding)
{
	bool is_known = report->is_traced && finding->growths_traced != MS_UNKNOWN;

	ms_json_put_u64(j, "growths_traced", is_known ? finding->growths_traced : MS_UNKNOWN);
	ms_json_key(j, "fillers");
	if (!is_known) {
		ms_json_null(j);
		return;
	}
	ms_json_open_array(j);
	for (size_t i = 0; i < finding->filler_count; i++) {
		const struct ms_filler *filler = &finding->fillers[i];

		ms_json_row(j);
		ms_json_open_object(j);
		ms_json_put_u64(j, "growths", filler->growths);
		ms_json_put_double(j, "share",
				   (double)filler->growths / (double)finding->growths_traced);
		ms_json_put_call(j, "created_by", &filler->created_by);
		ms_json_put_stack(j, &report->trace.stacks, filler->stack);
		ms_json_close_object(j);
	}
	ms_json_close_array(j);
}

static void put_waiters(struct ms_json *j, const struct ms_diagnosis_report *report,
			const struct ms_finding_waiters *w)
{
	ms_json_key(j, "waiters");
	ms_json_open_array(j);
	if (w->behind) {
		ms_json_open_object(j);
		ms_json_put_string(j, "behind", w->behind);
		ms_json_put_u64(j, "count", w->most);
		ms_json_put_u64(j, "looks", w->looks);
		ms_json_put_double(j, "oldest_s", w->oldest_s);
		ms_json_put_call(j, "created_by", &w->created_by);
		ms_json_put_stack(j, &report->trace.stacks, w->stack);
		ms_json_close_object(j);
	}
	ms_json_close_array(j);
}

static void put_users(struct ms_json *j, const struct ms_diagnosis_report *report,
		      const struct ms_finding_users *u)
{
	ms_json_key(j, "users");
	if (!report->has_goroutines) {
		ms_json_null(j);
		return;
	}
	ms_json_open_object(j);
	ms_json_put_u64(j, "total", u->total);
	ms_json_put_u64(j, "growing", u->by_role[MS_ROLE_GROWS]);
	ms_json_put_u64(j, "writing", u->by_role[MS_ROLE_WRITES]);
	ms_json_put_u64(j, "iterating", u->by_role[MS_ROLE_ITERATES]);
	ms_json_put_u64(j, "reading", u->by_role[MS_ROLE_READS]);
	ms_json_put_u64(j, "waiting", u->by_role[MS_ROLE_WAITS]);
	ms_json_put_u64(j, "holding", u->holding);
	ms_json_put_string(j, "behind", u->behind);
	ms_json_close_object(j);
}

static void put_retained(struct ms_json *j, const struct ms_retained *r)
{
	ms_json_put_u64(j, "retained_bytes", r->bytes);
	ms_json_put_u64(j, "retained_objects", r->objects);
	ms_json_put_bool(j, "retained_at_least", r->at_least);
	ms_json_put_string(j, "retained_unknown", r->unknown);
	ms_json_put_double(j, "gc_share", r->gc_share);
}

/** Of an owner's maps; nothing of a single map. */
static void put_sums(struct ms_json *j, const struct ms_finding *f)
{
	ms_json_key(j, "maps");
	if (f->kind != MS_FINDING_OWNER) {
		ms_json_null(j);
		return;
	}
	ms_json_open_object(j);
	ms_json_put_u64(j, "before", f->maps_before);
	ms_json_put_u64(j, "after", f->maps_after);
	ms_json_put_string(j, "type", f->map.type);
	ms_json_put_u64(j, "entries", f->map.entries);
	ms_json_put_u64(j, "capacity", f->map.capacity);
	ms_json_put_u64(j, "live_bytes", f->map.live_bytes);
	ms_json_put_u64(j, "total_bytes", f->map.total_bytes);
	ms_json_put_u64(j, "slack_bytes", f->map.slack_bytes);
	ms_json_close_object(j);
}

static void put_code_line(struct ms_json *j, const struct ms_code_line *line)
{
	const struct ms_stacks one = { (struct ms_stack *)line->stack, 1, 1 };

	ms_json_key(j, "code");
	if (!line->stack) {
		ms_json_null(j);
		return;
	}
	ms_json_open_object(j);
	ms_json_put_double(j, "alloc_bytes_per_s", line->alloc_bytes_per_s);
	ms_json_put_double(j, "alloc_share", line->alloc_share);
	ms_json_put_double(j, "grown_bytes_per_s", line->grown_bytes_per_s);
	ms_json_put_double(j, "cpu_share", line->cpu_share);
	ms_json_put_call(j, "made_at", &line->made_at);
	ms_json_put_stack(j, &one, 0);
	ms_json_close_object(j);
}

static void put_clue(struct ms_json *j, const struct ms_diagnosis_report *report, uint32_t index)
{
	const struct ms_goroutines_report *g = &report->goroutines;

	ms_json_key(j, "race");
	if (index >= g->clue_count) {
		ms_json_null(j);
		return;
	}
	ms_json_open_object(j);
	ms_json_put_string(j, "kind", g->clues[index].kind);
	ms_json_put_string(j, "why", g->clues[index].why);
	ms_json_put_string(j, "lock_state", g->clues[index].lock_state);
	ms_json_key(j, "goroutines");
	ms_json_open_array(j);
	for (size_t i = 0; i < MS_ARRAY_SIZE(g->clues[index].stacks); i++) {
		ms_json_open_object(j);
		ms_json_put_u64(j, "id", g->clues[index].goroutines[i]);
		ms_json_put_stack(j, &g->stacks, g->clues[index].stacks[i]);
		ms_json_close_object(j);
	}
	ms_json_close_array(j);
	ms_json_close_object(j);
}

static void put_leak(struct ms_json *j, const struct ms_diagnosis_report *report, uint32_t index)
{
	const struct ms_goroutines_report *g = &report->goroutines;

	ms_json_key(j, "leak");
	if (index >= g->suspect_count) {
		ms_json_null(j);
		return;
	}
	ms_json_open_object(j);
	ms_json_put_u64(j, "before", g->suspects[index].before);
	ms_json_put_u64(j, "after", g->suspects[index].after);
	ms_json_put_string(j, "wait_reason", g->suspects[index].wait_reason);
	ms_json_put_call(j, "created_by", &g->suspects[index].created_by);
	ms_json_put_stack(j, &g->stacks, g->suspects[index].stack);
	ms_json_close_object(j);
}

static void put_finding(struct ms_json *j, const struct ms_diagnosis_report *report, size_t rank)
{
	const struct ms_finding *finding = &report->findings[rank - 1];

	ms_json_row(j);
	ms_json_open_object(j);
	ms_json_put_u64(j, "rank", rank);
	ms_json_put_string(j, "verdict", ms_verdict_name(finding->verdict));
	ms_json_put_string(j, "kind", ms_finding_kind_name(finding->kind));
	ms_json_key(j, "map");
	if (finding->kind == MS_FINDING_MAP)
		ms_json_map(j, &finding->map);
	else
		ms_json_null(j);
	put_sums(j, finding);
	ms_json_put_string(j, "owner", finding->map.owner);
	ms_json_put_u64(j, "entries_before", finding->entries_before);
	ms_json_put_u64(j, "bytes_before", finding->bytes_before);
	ms_json_put_double(j, "entries_per_s", finding->entries_per_s);
	ms_json_put_double(j, "bytes_per_min", finding->bytes_per_min);
	ms_json_put_u64(j, "growths_seen", finding->growths_seen);
	ms_json_put_u64(j, "entries_low", finding->entries_low);
	ms_json_put_u64(j, "entries_high", finding->entries_high);
	ms_json_put_u64(j, "polls", finding->polls);
	put_fillers(j, report, finding);
	put_waiters(j, report, &finding->waiters);
	ms_json_put_bool(j, "no_delete_in_code", finding->no_delete);
	ms_json_put_double(j, "deleted_share",
			   finding->deleted_share > 0 ? finding->deleted_share : NAN);
	put_code_line(j, &finding->line);
	put_sites(j, &finding->sites);
	put_clue(j, report, finding->clue);
	put_leak(j, report, finding->leak);
	put_users(j, report, &finding->users);
	put_retained(j, &finding->retained);
	put_evidence(j, report, finding);
	put_clock(j, report, finding);
	put_advice(j, &finding->advice);
	ms_json_close_object(j);
}

static void put_owners(struct ms_json *j, const struct ms_diagnosis_report *report)
{
	ms_json_row(j);
	ms_json_key(j, "owners");
	ms_json_open_array(j);
	for (size_t i = 0; i < report->owner_change_count; i++) {
		const struct ms_owner_change *c = &report->owner_changes[i];

		ms_json_row(j);
		ms_json_open_object(j);
		ms_json_put_string(j, "owner", c->owner);
		ms_json_put_string(j, "type", c->type);
		ms_json_put_string(j, "verdict", ms_verdict_name(c->verdict));
		ms_json_put_side(j, "before", &c->before);
		ms_json_put_side(j, "after", &c->after);
		ms_json_close_object(j);
	}
	ms_json_close_array(j);
}

static void put_fleet(struct ms_json *j, const struct ms_fleet *fleet)
{
	ms_json_row(j);
	ms_json_key(j, "fleet");
	ms_json_open_object(j);
	ms_json_put_u64(j, "maps_before", fleet->maps_before);
	ms_json_put_u64(j, "maps_after", fleet->maps_after);
	ms_json_put_u64(j, "entries_before", fleet->entries_before);
	ms_json_put_u64(j, "entries_after", fleet->entries_after);
	ms_json_put_u64(j, "bytes_before", fleet->bytes_before);
	ms_json_put_u64(j, "bytes_after", fleet->bytes_after);
	ms_json_put_u64(j, "appeared", fleet->appeared);
	ms_json_put_u64(j, "vanished", fleet->vanished);
	ms_json_close_object(j);
}

static void put_memory(struct ms_json *j, const struct ms_diagnosis_report *report)
{
	ms_json_row(j);
	ms_json_key(j, "memory");
	ms_json_open_object(j);
	ms_json_put_u64(j, "rss_bytes", report->rss_bytes);
	ms_json_put_u64(j, "heap_bytes", report->heap_bytes);
	ms_json_put_u64(j, "map_bytes", report->map_bytes);
	ms_json_put_u64(j, "map_slack_bytes", report->slack_bytes);
	ms_json_put_memory_parts(j, &report->memory);
	ms_json_close_object(j);
}

static void put_trace(struct ms_json *j, const struct ms_diagnosis_report *report)
{
	const struct ms_trace_report *trace = report->is_traced ? &report->trace : NULL;

	ms_json_put_double(j, "gc_pause_s", trace ? trace->gc_pause_s : NAN);
	ms_json_put_u64(j, "growths_counted",
			trace && trace->source == MS_TRACE_PROBES ? trace->counted : MS_UNKNOWN);
	ms_json_put_u64(j, "growths_dropped",
			trace && trace->source == MS_TRACE_PROBES ? trace->dropped : MS_UNKNOWN);
	ms_json_put_string(j, "no_probes_reason", trace ? trace->no_probes_reason : NULL);
	ms_json_put_collections(j, &report->trace);
}

/** What the program allocated in the window, by its own memory profile. */
static void put_allocations(struct ms_json *j, const struct ms_allocations *a)
{
	bool is_known = !a->unknown && a->window_s > 0;

	ms_json_row(j);
	ms_json_key(j, "allocations");
	ms_json_open_object(j);
	ms_json_put_string(j, "unknown", a->unknown);
	ms_json_put_u64(j, "sampled_one_in_bytes", is_known ? a->rate : MS_UNKNOWN);
	ms_json_put_double(j, "window_s", is_known ? a->window_s : NAN);
	ms_json_put_double(j, "window_bytes", is_known ? a->window_bytes : NAN);
	ms_json_put_double(j, "map_bytes", is_known ? a->map_bytes : NAN);
	ms_json_close_object(j);
}

/** Where the CPU clock found threads that ran. */
static void put_cpu(struct ms_json *j, const struct ms_diagnosis_report *report)
{
	const struct ms_goroutines_report *g = &report->goroutines;
	bool is_known = report->has_goroutines && !g->no_samples;

	ms_json_row(j);
	ms_json_key(j, "cpu_samples");
	ms_json_open_object(j);
	ms_json_put_u64(j, "all", is_known ? g->samples : MS_UNKNOWN);
	ms_json_put_u64(j, "reading", is_known ? g->samples_by_role[MS_ROLE_READS] : MS_UNKNOWN);
	ms_json_put_u64(j, "writing", is_known ? g->samples_by_role[MS_ROLE_WRITES] : MS_UNKNOWN);
	ms_json_put_u64(j, "growing", is_known ? g->samples_by_role[MS_ROLE_GROWS] : MS_UNKNOWN);
	ms_json_put_u64(j, "iterating",
			is_known ? g->samples_by_role[MS_ROLE_ITERATES] : MS_UNKNOWN);
	ms_json_put_u64(j, "hashing", is_known ? g->samples_hashing : MS_UNKNOWN);
	ms_json_put_string(
	    j, "unknown", report->has_goroutines ? g->no_samples : "goroutines were not looked at");
	ms_json_close_object(j);
}

struct ms_error *ms_render_diagnosis_json(const struct ms_diagnosis_report *report,
					  struct ms_sink *sink)
{
	struct ms_json j;
	struct ms_error *err =
	    ms_json_begin(&j, sink, "mapscope.diagnosis/1", &report->target, &report->cost);

	if (err)
		return err;
	ms_json_put_partial(&j, report->partial, report->partial_reason);
	ms_json_row(&j);
	ms_json_put_double(&j, "window_s", report->window_s);
	ms_json_put_u64(&j, "gc_cycles", report->gc_cycles);
	put_trace(&j, report);
	ms_json_put_coverage(&j, &report->coverage);
	put_memory(&j, report);
	put_limits(&j, report);
	put_allocations(&j, &report->allocations);
	put_cpu(&j, report);
	put_fleet(&j, &report->fleet);
	put_owners(&j, report);
	ms_json_row(&j);
	ms_json_key(&j, "findings");
	ms_json_open_array(&j);
	for (size_t i = 0; i < report->finding_count; i++)
		put_finding(&j, report, i + 1);
	ms_json_close_array(&j);
	return ms_json_end(&j);
}
