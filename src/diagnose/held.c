// held.c - findings as questions to walk/retained.c.
//
// The answer has the table in it, which the page names by itself: it is taken off.  A map on a
// stack is not asked about, since nothing but that stack leads to it.
#include "diagnose/held.h"

#include "base/cleanup.h"
#include "base/vec.h"
#include "diagnose/more_findings.h"

#include <math.h>
#include <stdlib.h>

enum { HEADER_BYTES = 48 };

static void answer_take(const struct ms_retained_ask *ask,
			const struct ms_retained_figures *figures, struct ms_finding *f)
{
	uint64_t table = f->map.total_bytes, headers;

	f->retained.unknown = ask->unknown;
	f->retained.is_unreached = ask->is_unreached;
	f->retained.reached_maps = figures->cut ? MS_UNKNOWN : ask->reached;
	f->retained.at_least = ask->at_least;
	if (ask->unknown)
		return;
	if (table == MS_UNKNOWN) // A trie: its nodes are objects like any other.
		table = 0;
	headers = HEADER_BYTES * (f->kind == MS_FINDING_OWNER ? f->maps_after : 1);
	table = table > headers ? table - headers : 0;
	f->retained.bytes = ask->bytes > table ? ask->bytes - table : 0;
	f->retained.objects = ask->objects;
	if (figures->scan_bytes && !figures->cut)
		f->retained.gc_share = (double)ask->scan_bytes / (double)figures->scan_bytes;
}

void ms_held_leave(struct ms_diagnosis_report *report, const char *why)
{
	for (size_t i = 0; i < report->finding_count; i++)
		report->findings[i].retained = (struct ms_retained){ .bytes = MS_UNKNOWN,
								     .objects = MS_UNKNOWN,
								     .gc_share = NAN,
								     .reached_maps = MS_UNKNOWN,
								     .unknown = why };
}

struct addresses {
	ms_addr *items;
	size_t count, capacity;
};

/** The maps of a finding, behind those that are there. */
static bool maps_add(const struct ms_finding *f, const struct ms_census_report *census,
		     struct addresses *maps)
{
	bool ok = true;

	if (f->kind == MS_FINDING_MAP)
		return ms_vec_push(maps, f->map.address);
	for (size_t i = 0; i < census->map_count && ok; i++) {
		if (census->maps[i].where == MS_WHERE_HEAP &&
		    ms_finding_has_map(f, &census->maps[i]))
			ok = ms_vec_push(maps, census->maps[i].address);
	}
	return ok;
}

static bool can_be_asked(const struct ms_finding *f)
{
	return f->kind != MS_FINDING_CODE && !ms_map_row_is_hmap(&f->map) &&
	       (f->map.where != MS_WHERE_STACK || f->map.kind == MS_MAP_SYNC_TRIE);
}

struct ms_error *ms_held_fill(struct ms_go_runtime *rt, const struct ms_retained_options *options,
			      const struct ms_census_report *census,
			      struct ms_diagnosis_report *report)
{
	size_t findings = report->finding_count, count = 0;
	MS_AUTO_FREE struct ms_retained_ask *asks = calloc(findings + 1, sizeof(*asks));
	MS_AUTO_FREE size_t *of = calloc(findings + 1, sizeof(*of));
	MS_AUTO_FREE size_t *first = calloc(findings + 1, sizeof(*first));
	struct ms_retained_figures figures;
	struct addresses maps = { 0 };
	struct ms_error *err = NULL;

	if (!asks || !of || !first)
		return ms_error_no_memory();
	ms_held_leave(report, "it lies on a stack");
	for (size_t i = 0; i < findings && !err; i++) {
		if (!can_be_asked(&report->findings[i]))
			continue;
		of[count] = i;
		first[count++] = maps.count;
		if (!maps_add(&report->findings[i], census, &maps))
			err = ms_error_no_memory();
	}
	for (size_t i = 0; i < count; i++) {
		asks[i].maps = maps.items + first[i];
		asks[i].map_count = (i + 1 < count ? first[i + 1] : maps.count) - first[i];
	}
	if (!err)
		err = ms_retained_run(rt, options, asks, count, &figures);
	for (size_t i = 0; i < count && !err; i++)
		answer_take(&asks[i], &figures, &report->findings[of[i]]);
	ms_vec_free(&maps);
	if (err)
		return err;
	report->retained_s = figures.seconds;
	report->retained_objects = figures.objects;
	return NULL;
}
