// finding.c - a finding in sentences: entries, table, clock, growths, evacuation.
#include "render/finding.h"

#include "render/escape.h"
#include "render/human.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { CLASSIC_BUCKET_SLOTS = 8 };

static const double AHEAD_S_MIN = 0.05; // Sooner than this is now.

static void line_entries(const struct ms_finding *f, double window_s, struct ms_sink *line)
{
	struct ms_human a, b, c;

	if (f->entries_before == MS_UNKNOWN)
		ms_sink_printf(line, "%s entries, new since the first look",
			       ms_human_count(&a, f->map.entries));
	else if (f->entries_before == f->map.entries)
		ms_sink_printf(line, "%s entries, as many as %s before",
			       ms_human_count(&a, f->map.entries), ms_human_seconds(&c, window_s));
	else
		ms_sink_printf(line, "from %s to %s entries in %s",
			       ms_human_count(&a, f->entries_before),
			       ms_human_count(&b, f->map.entries), ms_human_seconds(&c, window_s));
	if (isfinite(f->entries_per_s) && f->entries_before != f->map.entries)
		ms_sink_printf(line, ": %s entries/s", ms_human_rate(&a, f->entries_per_s));
	if (f->verdict == MS_VERDICT_SAWTOOTH)
		ms_sink_printf(line, "; between %s and %s in %s looks",
			       ms_human_count(&a, f->entries_low),
			       ms_human_count(&b, f->entries_high), ms_human_count(&c, f->polls));
}

/** Of many maps of one owner. */
static void line_maps(const struct ms_finding *f, double window_s, struct ms_sink *line)
{
	struct ms_human a, b, c, d;

	if (f->maps_before == MS_UNKNOWN) {
		ms_sink_printf(line, "%s maps with %s entries", ms_human_count(&a, f->maps_after),
			       ms_human_count(&b, f->map.entries));
		return;
	}
	ms_sink_printf(line, "from %s to %s maps, with %s entries then and %s now, in %s",
		       ms_human_count(&a, f->maps_before), ms_human_count(&b, f->maps_after),
		       ms_human_count(&c, f->entries_before), ms_human_count(&d, f->map.entries),
		       ms_human_seconds(&(struct ms_human){ 0 }, window_s));
}

/** Of a line that makes maps which do not last. */
static void line_churn(const struct ms_code_line *l, struct ms_sink *line)
{
	const char *before = "";
	struct ms_human a, b;

	if (l->alloc_bytes_per_s > 0) {
		ms_sink_printf(line, "tables of maps take %s/s there, %s of all that is allocated",
			       ms_human_bytes(&a, (uint64_t)l->alloc_bytes_per_s),
			       ms_human_percent(&b, l->alloc_share));
		before = "; ";
	}
	if (l->grown_bytes_per_s > 0) {
		ms_sink_printf(line, "%smaps that are gone by now grew by %s/s", before,
			       ms_human_bytes(&a, (uint64_t)l->grown_bytes_per_s));
		before = "; ";
	}
	if (l->cpu_share > 0)
		ms_sink_printf(line, "%smaking and filling them is %s of what runs", before,
			       ms_human_percent(&a, l->cpu_share));
}

static void line_table(const struct ms_finding *f, struct ms_sink *line)
{
	double load = ms_map_row_load(&f->map);
	struct ms_human a, b;

	ms_sink_printf(line, "table %s", ms_human_bytes(&a, f->map.total_bytes));
	if (isfinite(f->bytes_per_min) && fabs(f->bytes_per_min) >= 1)
		ms_sink_printf(line, " (%s/min)", ms_human_bytes_change(&a, f->bytes_per_min));
	ms_sink_printf(line, ", load %s", ms_human_percent(&a, load));
	if (f->map.kind == MS_MAP_CLASSIC && isfinite(load))
		ms_sink_printf(line, " (%s/8)", ms_human_rate(&a, load * CLASSIC_BUCKET_SLOTS));
	ms_sink_printf(line, " of %s slots, slack %s", ms_human_count(&a, f->map.capacity),
		       ms_human_bytes(&b, f->map.slack_bytes));
}

static void limit_leaves(const struct ms_limit *limit, struct ms_sink *line)
{
	static const char *const words[] = {
		[MS_LIMIT_CGROUP_V2] = "the container's limit leaves",
		[MS_LIMIT_CGROUP_V2_HIGH] = "the container's memory.high leaves",
		[MS_LIMIT_CGROUP_V1] = "the container's limit leaves",
		[MS_LIMIT_GOMEMLIMIT] = "GOMEMLIMIT leaves",
		[MS_LIMIT_MACHINE] = "the machine leaves",
		[MS_LIMIT_RLIMIT] = "its rlimit leaves",
	};
	struct ms_human a;

	ms_sink_printf(line, "; %s %s", words[limit->kind], ms_human_bytes(&a, limit->left_bytes));
}

/** Why the next growth of a map cannot be told. */
static const char *no_clock_reason(const struct ms_finding *f)
{
	if (f->map.kind == MS_MAP_SWISS && f->map.tables > 1)
		return "its tables could not be read";
	return "it moved while it was read";
}

static void clock_needs(const struct ms_finding *f, const struct ms_clock *clock,
			enum ms_finding_detail detail, struct ms_sink *line)
{
	struct ms_human a;

	if (f->map.kind == MS_MAP_HMAP_STEADY) {
		ms_sink_printf(line, ", in place: about %s more, a piece at a time",
			       ms_human_bytes(&a, f->map.total_bytes));
		return;
	}
	if (clock->next_growth_bytes == MS_UNKNOWN) {
		ms_sink_printf(line, "; what it needs is not known, as its keys and elems are not");
		return;
	}
	ms_sink_printf(line, ", needs %s%s", ms_human_bytes(&a, clock->next_growth_bytes),
		       detail == MS_FINDING_FULL ? " for old and new together" : ", old and new");
	if (f->next.new_directory_bytes && detail == MS_FINDING_FULL)
		ms_sink_printf(line, ", %s of it for a directory of twice the size",
			       ms_human_bytes(&a, f->next.new_directory_bytes));
	if (!clock->limit) {
		ms_sink_printf(line, "; what is left for it is not known");
		return;
	}
	limit_leaves(clock->limit, line);
	if (clock->will_not_fit)
		ms_sink_printf(line, ms_limit_is_soft(clock->limit->kind)
					 ? ": it will be passed, which is slow but allowed"
					 : ": it will not fit");
}

static void line_clock(const struct ms_diagnosis_report *report, const struct ms_finding *f,
		       enum ms_finding_detail detail, struct ms_sink *line)
{
	struct ms_clock clock = ms_finding_clock(report, f);
	struct ms_human a, b;

	if (f->kind != MS_FINDING_MAP ||
	    (f->verdict != MS_VERDICT_GROWING && f->verdict != MS_VERDICT_SUSPECT))
		return;
	if (ms_map_row_is_hmap(&f->map) && f->map.growing)
		return; // Another line says how far it is.
	if (clock.next_growth_entries == MS_UNKNOWN) {
		ms_sink_printf(line, "next growth not known: %s", no_clock_reason(f));
		return;
	}
	ms_sink_printf(line, "next %s",
		       f->next.kind == MS_GROWTH_SPLIT ? "split of one table in two" : "doubling");
	if (isfinite(clock.next_growth_s) && clock.next_growth_s < AHEAD_S_MIN)
		ms_sink_printf(line, " at any moment,");
	else if (isfinite(clock.next_growth_s))
		ms_sink_printf(line, " in %s,", ms_human_ahead(&a, clock.next_growth_s));
	ms_sink_printf(line, " at %s%s entries", f->next.is_estimate ? "about " : "",
		       ms_human_count(&a, f->next.at_entries));
	clock_needs(f, &clock, detail, line);
	if (f->next.all_at_entries && detail == MS_FINDING_FULL)
		ms_sink_printf(line,
			       "; by about %s entries all its tables have split, which takes %s",
			       ms_human_count(&a, f->next.all_at_entries),
			       ms_human_bytes(&b, f->next.all_bytes));
}

static void line_growths(const struct ms_finding *f, struct ms_sink *line)
{
	struct ms_human a, b;

	if (f->growths_seen == 0 || f->growths_seen == MS_UNKNOWN)
		return;
	ms_sink_printf(line, "grew at least %s %s, seen in %s looks",
		       ms_human_count(&a, f->growths_seen), f->growths_seen == 1 ? "time" : "times",
		       ms_human_count(&b, f->polls));
}

/** libhmap's passes, which go both ways. */
static void line_pass(const struct ms_map_growth *growth, struct ms_sink *line)
{
	struct ms_human a, b, c;

	if (growth->same_size)
		ms_sink_printf(line, "tidying up %s slots, %s done", ms_human_count(&a, growth->to),
			       ms_human_percent(&b, growth->progress));
	else
		ms_sink_printf(line, "%s from %s to %s slots, %s done",
			       growth->to > growth->from ? "growing" : "shrinking",
			       ms_human_count(&a, growth->from), ms_human_count(&b, growth->to),
			       ms_human_percent(&c, growth->progress));
}

void ms_finding_evacuation(const struct ms_finding *f, struct ms_sink *line)
{
	const struct ms_map_growth *growth = &f->map.growth;
	uint64_t buckets = growth->from / CLASSIC_BUCKET_SLOTS;
	struct ms_human a, b;

	if (f->map.growing && ms_map_row_is_hmap(&f->map))
		line_pass(growth, line);
	if (!f->map.growing || f->map.kind != MS_MAP_CLASSIC)
		return;
	ms_sink_printf(line, "evacuating %s of %s buckets%s",
		       ms_human_percent(&a, growth->progress),
		       ms_human_count(&b, growth->from == MS_UNKNOWN ? MS_UNKNOWN : buckets),
		       growth->same_size ? " into an array of the same size" : "");
}

/** What lives through it beside its table, and what of the collector's reading it causes. */
static void line_retained(const struct ms_finding *f, enum ms_finding_detail detail,
			  struct ms_sink *line)
{
	const char *before = detail == MS_FINDING_BRIEF ? "; " : "";
	const struct ms_retained *r = &f->retained;
	struct ms_human a, b;

	if (r->bytes == MS_UNKNOWN) {
		if (r->unknown)
			ms_sink_printf(line, "%sretained beside its table: not known, %s", before,
				       r->unknown);
		return;
	}
	if (r->bytes || r->at_least)
		ms_sink_printf(line, "%sretains %s %s beside its table", before,
			       r->at_least ? "at least" : "about", ms_human_bytes(&a, r->bytes));
	else
		ms_sink_printf(line, "%sretains nothing beside its table", before);
	if (isfinite(r->gc_share) && r->gc_share >= 0.005)
		ms_sink_printf(line, "; with it %s of what a collection reads",
			       ms_human_percent(&b, r->gc_share));
}

void ms_finding_line(const struct ms_diagnosis_report *report, const struct ms_finding *finding,
		     enum ms_finding_detail detail, unsigned index, struct ms_sink *line)
{
	if (finding->kind == MS_FINDING_CODE) {
		if (index == 0)
			line_churn(&finding->line, line);
		return;
	}
	switch (index) {
	case 0:
		if (finding->kind == MS_FINDING_OWNER)
			line_maps(finding, report->window_s, line);
		else
			line_entries(finding, report->window_s, line);
		break;
	case 1:
		line_table(finding, line);
		if (detail == MS_FINDING_BRIEF)
			line_retained(finding, detail, line);
		break;
	case 2:
		if (detail == MS_FINDING_FULL)
			line_retained(finding, detail, line);
		break;
	case 3:
		line_clock(report, finding, detail, line);
		break;
	case 4:
		if (detail == MS_FINDING_FULL || finding->growths_traced == MS_UNKNOWN)
			line_growths(finding, line);
		break;
	case 5:
		if (detail == MS_FINDING_FULL) // The page has it beside the goroutines.
			ms_finding_evacuation(finding, line);
		break;
	}
}

static const char *file_name(const char *file)
{
	const char *slash = strrchr(file, '/');

	return slash && slash[1] ? slash + 1 : file;
}

void ms_finding_advice(const struct ms_advice *advice, struct ms_sink *line)
{
	struct ms_human a;

	if (!advice->text)
		return;
	ms_sink_printf(line, "advice: ");
	if (advice->file && advice->line != MS_UNKNOWN) {
		ms_sink_printf(line, "at ");
		ms_escape_text(line, file_name(advice->file), MS_CHARSET_UNICODE);
		ms_sink_printf(line, ":%" PRIu64 ", ", advice->line);
	}
	ms_sink_printf(line, "%s", advice->text);
	if (advice->saves_bytes != MS_UNKNOWN)
		ms_sink_printf(line, "; saves %s", ms_human_bytes(&a, advice->saves_bytes));
	if (advice->risk)
		ms_sink_printf(line, "; risk: %s", advice->risk);
	if (advice->since)
		ms_sink_printf(line, "; from Go %s on", advice->since);
	if (advice->until)
		ms_sink_printf(line, "; up to Go %s", advice->until);
}

static void limit_describe(const struct ms_limit *limit, struct ms_sink *line)
{
	struct ms_human a, b;

	ms_sink_printf(line, "%s%s %s with %s left", ms_limit_kind_name(limit->kind),
		       limit->kind == MS_LIMIT_CGROUP_V2_HIGH ? " memory.high" : "",
		       ms_human_bytes(&a, limit->limit_bytes),
		       ms_human_bytes(&b, limit->left_bytes));
	if (isfinite(limit->reached_s))
		ms_sink_printf(line, ", reached in %s", ms_human_ahead(&a, limit->reached_s));
	if (limit->kind == MS_LIMIT_GOMEMLIMIT)
		ms_sink_printf(line, " (soft: above it the collector runs more often)");
	else if (ms_limit_is_soft(limit->kind))
		ms_sink_printf(line, " (soft: above it the process is slowed down)");
}

void ms_limits_line(const struct ms_diagnosis_report *report, struct ms_sink *line)
{
	struct ms_human a;

	ms_sink_printf(line, "memory limits: ");
	for (size_t i = 0; i < report->limit_count; i++) {
		ms_sink_printf(line, "%s", i ? "; " : "");
		limit_describe(&report->limits[i], line);
	}
	if (!report->limit_count)
		ms_sink_printf(line, "none could be read");
	if (report->limits_hidden)
		ms_sink_printf(line, "; %s", report->limits_hidden);
	if (!isfinite(report->rss_bytes_per_s))
		return;
	if (report->rss_bytes_per_s > 0)
		ms_sink_printf(line, "; resident memory: %s/s",
			       ms_human_bytes_change(&a, report->rss_bytes_per_s));
	else
		ms_sink_printf(line, "; resident memory did not rise in the window");
}
