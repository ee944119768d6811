// text_diagnosis.c - the page of `mapscope PID`: verdicts first, then what all maps hold.
#include "render/finding.h"
#include "render/text.h"
#include "render/text_finding.h"
#include "render/text_trace.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/** A share of the heap below which maps are not what fills it. */
#define SMALL_SHARE 0.10

enum { NAME_COLUMNS_MAX = 120 };

/** Bytes of all maps over bytes of the heap; NAN when it cannot be said. */
static double map_share(const struct ms_diagnosis_report *report)
{
	if (report->heap_bytes == 0 || report->heap_bytes == MS_UNKNOWN ||
	    report->map_bytes == MS_UNKNOWN)
		return NAN;
	return (double)report->map_bytes / (double)report->heap_bytes;
}

static void text_nothing(struct ms_text *t, const struct ms_diagnosis_report *report)
{
	double share = map_share(report);
	struct ms_human h;
	bool noteworthy = false;

	for (size_t i = 0; i < report->finding_count; i++)
		noteworthy = noteworthy || report->findings[i].verdict != MS_VERDICT_STABLE;
	if (noteworthy)
		return;
	ms_text_printf(t, "no single map was seen to grow, and none holds much slack by itself");
	ms_text_end(t, 0);
	if (share < SMALL_SHARE && !report->memory.known) {
		ms_text_printf(t, "maps are %s of the heap: look elsewhere",
			       ms_human_percent(&h, share));
		ms_text_end(t, 0);
	}
	ms_text_end_whole(t);
}

/** Owners of many maps that grow together. */
static void text_owner(struct ms_text *t, const struct ms_owner_change *c)
{
	struct ms_human a, b, d;
	double maps = ms_diff_change(c->before.maps, c->after.maps);
	double entries = ms_diff_change(c->before.entries, c->after.entries);
	double bytes = ms_diff_change(c->before.total_bytes, c->after.total_bytes);

	ms_text_colored(t, MS_TEXT_BOLD, ms_verdict_name(c->verdict));
	ms_text_printf(t, ": %s maps in ", ms_human_count(&a, c->after.maps));
	ms_text_owner(t, c->owner, NAME_COLUMNS_MAX);
	if (c->type) {
		ms_text_printf(t, ", ");
		ms_text_name(t, c->type, 0);
	}
	ms_text_printf(t, ", %s", ms_human_bytes(&b, c->after.total_bytes));
	ms_text_printf(t, "; %+.0f maps, %+.0f entries", maps, entries);
	if (isfinite(bytes))
		ms_text_printf(t, ", %s", ms_human_bytes_change(&d, bytes));
	ms_text_printf(t, " in the window");
	ms_text_end(t, 0);
}

static void text_fleet(struct ms_text *t, const struct ms_fleet *fleet)
{
	struct ms_human a, b, c;

	ms_text_printf(
	    t, "all maps: %s with %s entries in %s", ms_human_count(&a, fleet->maps_after),
	    ms_human_count(&b, fleet->entries_after), ms_human_bytes(&c, fleet->bytes_after));
	ms_text_printf(
	    t, "; at the first look %s with %s in %s", ms_human_count(&a, fleet->maps_before),
	    ms_human_count(&b, fleet->entries_before), ms_human_bytes(&c, fleet->bytes_before));
	ms_text_printf(t, "; %s appeared, %s vanished", ms_human_count(&a, fleet->appeared),
		       ms_human_count(&b, fleet->vanished));
	ms_text_end(t, 0);
}

static void text_summary(struct ms_text *t, const struct ms_diagnosis_report *report)
{
	struct ms_human maps, heap, share, slack;

	ms_text_printf(t, "maps hold %s", ms_human_bytes(&maps, report->map_bytes));
	if (ms_report_target_is_c(&report->target))
		ms_text_printf(t, " of %s resident", ms_human_bytes(&heap, report->rss_bytes));
	else if (!report->memory.known) // Else the first line says it, of what lives.
		ms_text_printf(t, " of %s heap (%s)", ms_human_bytes(&heap, report->heap_bytes),
			       ms_human_percent(&share, map_share(report)));
	ms_text_printf(t, ", %s of it slack", ms_human_bytes(&slack, report->slack_bytes));
	ms_text_end(t, 0);
}

static void text_collections(struct ms_text *t, const struct ms_diagnosis_report *report)
{
	struct ms_human a, b;

	if (report->gc_cycles == MS_UNKNOWN)
		return;
	ms_text_printf(t, "GC cycles in the window: %s", ms_human_count(&a, report->gc_cycles));
	if (report->gc_cycles && report->is_traced && isfinite(report->trace.gc_pause_s))
		ms_text_printf(t, ", which paused it for %s in all",
			       ms_human_pause(&b, report->trace.gc_pause_s));
	ms_text_end(t, 0);
}

/** The share of map code in what is allocated, and in what runs. */
static void text_map_code(struct ms_text *t, const struct ms_diagnosis_report *report)
{
	const struct ms_allocations *a = &report->allocations;
	const struct ms_goroutines_report *g = &report->goroutines;
	const uint64_t *by_role = g->samples_by_role;
	struct ms_human x, y;

	if (a->unknown) {
		ms_text_printf(t, "allocations: not known: ");
		ms_text_name(t, a->unknown, 0);
		ms_text_end(t, 0);
	} else if (a->window_s > 0) {
		ms_text_printf(t, "allocations: %s/s",
			       ms_human_bytes(&x, (uint64_t)(a->window_bytes / a->window_s)));
		if (a->window_bytes > 0)
			ms_text_printf(t, ", %s of it tables of maps",
				       ms_human_percent(&y, a->map_bytes / a->window_bytes));
		ms_text_printf(t, a->rate == MS_UNKNOWN ? ", as sampled: how many is not known"
							: ", by the runtime's own samples");
		ms_text_end(t, 0);
	}
	if (!report->has_goroutines || g->no_samples || !g->samples)
		return;
	ms_text_printf(t, "CPU: of %s samples", ms_human_count(&x, g->samples));
	ms_text_printf(t, " %s were reading maps", ms_human_count(&x, by_role[MS_ROLE_READS]));
	ms_text_printf(t, ", %s writing", ms_human_count(&x, by_role[MS_ROLE_WRITES]));
	ms_text_printf(t, ", %s growing", ms_human_count(&x, by_role[MS_ROLE_GROWS]));
	ms_text_printf(t, ", %s iterating", ms_human_count(&x, by_role[MS_ROLE_ITERATES]));
	ms_text_printf(t, "; %s of these hashed a key", ms_human_count(&x, g->samples_hashing));
	ms_text_end(t, 0);
}

/** What the growths of the page rest on. */
static void text_trace(struct ms_text *t, const struct ms_diagnosis_report *report)
{
	const struct ms_trace_report *trace = &report->trace;
	struct ms_human h;

	if (!report->is_traced)
		return;
	if (trace->source == MS_TRACE_PROBES) {
		ms_text_printf(t, "growths traced: %s of all maps",
			       ms_human_count(&h, trace->counted));
	} else {
		ms_text_printf(t,
			       "nobody is named as filling a map, because there are no probes: ");
		ms_text_name(t, trace->no_probes_reason, 0);
	}
	ms_text_end(t, 0);
}

struct ms_error *ms_render_diagnosis_text(const struct ms_diagnosis_report *report,
					  const struct ms_text_style *style, struct ms_sink *sink)
{
	struct ms_text t;
	struct ms_human h;

	ms_text_init(&t, style, sink);
	ms_text_partial(&t, report->partial, report->partial_reason);
	ms_text_map_share(&t, &report->memory);
	ms_text_target(&t, &report->target);
	ms_text_printf(&t, ", watched for %s", ms_human_seconds(&h, report->window_s));
	ms_text_end(&t, 0);
	ms_text_unproved(&t, &report->target);
	ms_text_end_whole(&t);
	for (size_t i = 0; i < report->finding_count; i++)
		ms_text_finding(&t, report, i + 1);
	text_nothing(&t, report);
	if (report->is_traced)
		ms_text_trace_time(&t, &report->trace);
	text_summary(&t, report);
	for (size_t i = 0; i < report->owner_change_count; i++)
		text_owner(&t, &report->owner_changes[i]);
	text_fleet(&t, &report->fleet);
	ms_limits_line(report, &t.line);
	ms_text_end(&t, 0);
	text_collections(&t, report);
	text_map_code(&t, report);
	text_trace(&t, report);
	ms_text_coverage(&t, &report->coverage, &report->cost);
	ms_text_cost(&t, &report->cost);
	return ms_text_finish(&t);
}
