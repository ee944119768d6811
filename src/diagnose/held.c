// held.c - findings as questions to walk/retained.c.
//
// The answer has the table in it, which the page names by itself: it is taken off.  A map on a
// stack is not asked about, since nothing but that stack leads to it.
#include "diagnose/held.h"

#include "base/cleanup.h"

#include <math.h>
#include <stdlib.h>

enum { HEADER_BYTES = 48 };

static void answer_take(const struct ms_retained_ask *ask,
			const struct ms_retained_figures *figures, struct ms_finding *f)
{
	uint64_t table = f->map.total_bytes;

	f->retained.unknown = ask->unknown;
	f->retained.at_least = ask->at_least;
	if (ask->unknown)
		return;
	if (table == MS_UNKNOWN) // A trie: its nodes are objects like any other.
		table = 0;
	table = table > HEADER_BYTES ? table - HEADER_BYTES : 0;
	f->retained.bytes = ask->bytes > table ? ask->bytes - table : 0;
	f->retained.objects = ask->objects;
	if (figures->scan_bytes && !figures->cut)
		f->retained.gc_share = (double)ask->scan_bytes / (double)figures->scan_bytes;
}

void ms_held_leave(struct ms_diagnosis_report *report, const char *why)
{
	for (size_t i = 0; i < report->finding_count; i++)
		report->findings[i].retained = (struct ms_retained){
			.bytes = MS_UNKNOWN, .objects = MS_UNKNOWN, .gc_share = NAN, .unknown = why
		};
}

struct ms_error *ms_held_fill(struct ms_go_runtime *rt, const struct ms_retained_options *options,
			      struct ms_diagnosis_report *report)
{
	MS_AUTO_FREE struct ms_retained_ask *asks =
	    calloc(report->finding_count + 1, sizeof(*asks));
	MS_AUTO_FREE size_t *of = calloc(report->finding_count + 1, sizeof(*of));
	struct ms_retained_figures figures;
	struct ms_error *err;
	size_t count = 0;

	if (!asks || !of)
		return ms_error_no_memory();
	ms_held_leave(report, "it lies on a stack");
	for (size_t i = 0; i < report->finding_count; i++) {
		const struct ms_finding *f = &report->findings[i];

		if (f->map.where == MS_WHERE_STACK && f->map.kind != MS_MAP_SYNC_TRIE)
			continue;
		asks[count] = (struct ms_retained_ask){ .maps = &f->map.address, .map_count = 1 };
		of[count++] = i;
	}
	err = ms_retained_run(rt, options, asks, count, &figures);
	if (err)
		return err;
	for (size_t i = 0; i < count; i++)
		answer_take(&asks[i], &figures, &report->findings[of[i]]);
	report->retained_s = figures.seconds;
	report->retained_objects = figures.objects;
	return NULL;
}
