// findings.c - each map of the last census beside what was seen of it before, judged, and ranked.
//
// The rules for the words are in verdict.c.  A map that was polled is judged by the polls and the
// last census; any other by two censuses, which is two looks.  What grows comes first, by what it
// adds in a minute; then what swings and what holds slack, by its bytes; of stable maps the largest
// few are named when there is little else to say.
#include "diagnose/findings.h"

#include "base/cleanup.h"
#include "base/vec.h"

#include <math.h>

enum {
	FINDINGS_MAX = 12,
	STABLE_MAX = 3,
	UNPOLLED_MORE_MIN = 100, // Entries.
};

static const double CHURN_WEIGHT = 0.05;     // Of a byte that is given back, beside one that stays.
static const double CHURN_CPU_BYTES = 600e6; // A minute, that a core's time stands for.

struct findings {
	struct ms_finding *items;
	size_t count, capacity;
};

struct ms_error *ms_befores_take(const struct ms_census_report *census,
				 struct ms_befores *ret_befores)
{
	struct ms_before *items = malloc((census->map_count + 1) * sizeof(*items));

	if (!items)
		return ms_error_no_memory();
	for (size_t i = 0; i < census->map_count; i++) {
		const struct ms_map_row *m = &census->maps[i];

		items[i] = (struct ms_before){ m->address,         m->entries,
					       m->capacity,        m->total_bytes,
					       m->tables,          m->growing,
					       m->growth.progress, m->kind == MS_MAP_SYNC_TRIE };
	}
	*ret_befores = (struct ms_befores){ items, census->map_count, false };
	return NULL;
}

/** Growths that two looks at one map prove, at least. */
static uint64_t growths_between(const struct ms_before *b, const struct ms_map_row *m)
{
	uint64_t n = 0;

	if (m->tables > b->tables && b->tables)
		return m->tables - b->tables; // Each split makes one table more.
	if (m->capacity == MS_UNKNOWN || b->capacity == MS_UNKNOWN || !b->capacity)
		return 0;
	// A table that grows in place has all sizes in between.
	for (uint64_t c = b->capacity;
	     c <= UINT64_MAX / 2 &&
	     (m->kind == MS_MAP_HMAP_STEADY ? 2 * c <= m->capacity : c < m->capacity);
	     c *= 2)
		n++;
	return n;
}

/**
 * An evacuation into a larger array that began or went on; one that only stands there is no growth
 * to speak of, and one of the same size tidies up after deletions.
 */
static bool evacuates(const struct ms_map_row *m, const struct ms_before *b)
{
	return m->growing && !m->growth.same_size &&
	       (!b || !b->growing || b->progress < m->growth.progress);
}

static enum ms_verdict verdict_of(const struct ms_finding *f, const struct ms_before *b,
				  const struct ms_watched *w, double window_s)
{
	struct ms_sample samples[MS_WATCH_SAMPLES_MAX + 2], last = { 0 };
	struct ms_history h;

	last.entries = f->map.entries;
	last.capacity = f->map.capacity;
	last.bytes = f->map.total_bytes;
	if (w && w->polls) {
		last.time_s = w->time_last;
		h = ms_watched_history(w, &last, samples);
	} else if (b) {
		samples[0] = (struct ms_sample){ 0, b->entries, b->capacity, b->total_bytes };
		samples[1] = last;
		samples[1].time_s = window_s;
		h = ms_history_of(samples, 2);
	} else {
		samples[0] = last;
		h = ms_history_of(samples, 1);
	}
	h.growths = f->growths_seen;
	h.evacuating = evacuates(&f->map, b);
	h.slack_bytes = f->map.slack_bytes;
	return ms_verdict_judge(&h);
}

/** There was no second census: the polls say how many entries, and nothing says the table's size.
 */
static void finding_by_polls(struct ms_finding *f, const struct ms_watched *w)
{
	f->entries_before = w->entries_first;
	if (w->entries_last == f->map.entries)
		return;
	f->map.entries = w->entries_last;
	f->map.capacity = f->map.grow_at = f->map.overflow_buckets = f->map.deleted_slots =
	    f->map.live_bytes = f->map.total_bytes = f->map.slack_bytes = MS_UNKNOWN;
	f->map.growing = false;
}

static struct ms_finding finding_make(const struct ms_map_row *m, const struct ms_before *b,
				      const struct ms_watched *w, double window_s)
{
	struct ms_finding f = { .map = *m,
				.maps_before = MS_UNKNOWN,
				.maps_after = MS_UNKNOWN,
				.clue = MS_NO_CLUE,
				.leak = MS_NO_LEAK,
				.entries_before = b ? b->entries : MS_UNKNOWN,
				.bytes_before = b ? b->total_bytes : MS_UNKNOWN,
				.entries_per_s = NAN,
				.bytes_per_min = NAN,
				.entries_low = m->entries,
				.entries_high = m->entries };

	if (b && window_s > 0) {
		f.entries_per_s = ((double)m->entries - (double)b->entries) / window_s;
		if (m->total_bytes != MS_UNKNOWN && b->total_bytes != MS_UNKNOWN)
			f.bytes_per_min =
			    ((double)m->total_bytes - (double)b->total_bytes) / window_s * 60;
		f.growths_seen = growths_between(b, m);
	}
	if (w && w->polls) {
		f.polls = w->polls;
		if (!(window_s > 0))
			finding_by_polls(&f, w);
		f.entries_low = w->entries_low;
		f.entries_high = w->entries_high;
		f.growths_seen = ms_max_u64(f.growths_seen, w->growths);
		if (w->time_last > w->time_first)
			f.entries_per_s = ((double)w->entries_last - (double)w->entries_first) /
					  (w->time_last - w->time_first);
	}
	f.verdict = verdict_of(&f, b, w, window_s);
	return f;
}

/** Bytes a minute. */
static double churn_weight(const struct ms_code_line *line)
{
	double bytes = fmax(line->alloc_bytes_per_s, line->grown_bytes_per_s) * 60 * CHURN_WEIGHT;
	double cpu = line->cpu_share * CHURN_CPU_BYTES;

	return fmax(isnan(bytes) ? 0 : bytes, isnan(cpu) ? 0 : cpu);
}

/** Bytes: what a finding weighs against others of its verdict. */
static double weight(const struct ms_finding *f)
{
	double total = f->map.total_bytes == MS_UNKNOWN ? 0 : (double)f->map.total_bytes;
	double per_entry = f->map.entries ? total / (double)f->map.entries : 0;
	double adds = isnan(f->entries_per_s) ? 0 : f->entries_per_s * 60 * per_entry;

	switch (f->verdict) {
	case MS_VERDICT_GROWING:
	case MS_VERDICT_SUSPECT:
		return adds > 0 ? adds : total / 1e6;
	case MS_VERDICT_CHURN:
		return churn_weight(&f->line);
	case MS_VERDICT_SLACK:
		return f->map.slack_bytes == MS_UNKNOWN ? total : (double)f->map.slack_bytes;
	default:
		return total;
	}
}

/** What grows is one group, whether suspect or not; lines that make maps anew are among it. */
static int group(enum ms_verdict verdict)
{
	return verdict == MS_VERDICT_SUSPECT || verdict == MS_VERDICT_CHURN ? MS_VERDICT_GROWING
									    : (int)verdict;
}

static int by_rank(const void *a, const void *b)
{
	const struct ms_finding *x = a, *y = b;
	double wx = weight(x), wy = weight(y);

	if (group(x->verdict) != group(y->verdict))
		return group(x->verdict) < group(y->verdict) ? -1 : 1;
	if (wx != wy)
		return wx > wy ? -1 : 1;
	return x->map.address < y->map.address ? -1 : x->map.address > y->map.address;
}

static void fleet_add_after(struct ms_diagnosis_report *r, const struct ms_map_row *m)
{
	r->fleet.maps_after++;
	r->fleet.entries_after += m->entries;
	if (m->total_bytes != MS_UNKNOWN) {
		r->fleet.bytes_after += m->total_bytes;
		r->map_bytes += m->total_bytes;
	}
	if (m->slack_bytes != MS_UNKNOWN)
		r->slack_bytes += m->slack_bytes;
}

static void fleet_add_before(const struct ms_befores *before, const struct ms_before *b,
			     struct ms_fleet *fleet)
{
	if (b->is_trie && !before->tries_compare)
		return;
	fleet->maps_before++;
	fleet->entries_before += b->entries;
	if (b->total_bytes != MS_UNKNOWN)
		fleet->bytes_before += b->total_bytes;
}

/** Keep the findings that are worth a paragraph, in order. */
static void findings_cut(struct findings *f)
{
	size_t kept = 0, stable = 0;

	if (f->count)
		qsort(f->items, f->count, sizeof(*f->items), by_rank);
	for (size_t i = 0; i < f->count && kept < FINDINGS_MAX; i++) {
		if (f->items[i].verdict == MS_VERDICT_STABLE &&
		    (stable == STABLE_MAX || kept >= STABLE_MAX))
			break;
		stable += f->items[i].verdict == MS_VERDICT_STABLE;
		f->items[kept++] = f->items[i];
	}
	f->count = kept;
}

/**
 * Whether a map can be a finding at all; a million small stable ones are not even sorted.  Of one
 * that was not polled there are two looks, between which a header that is made anew for each
 * request may be of two maps: a few entries more are nothing to speak of.
 */
static bool worth_keeping(const struct ms_finding *f, const struct ms_watched *w)
{
	if (w)
		return true;
	if (f->verdict == MS_VERDICT_GROWING || f->verdict == MS_VERDICT_SUSPECT)
		return f->entries_before == MS_UNKNOWN ||
		       f->map.entries >= f->entries_before + UNPOLLED_MORE_MIN;
	return f->verdict != MS_VERDICT_STABLE;
}

struct ms_error *ms_findings_add(struct ms_diagnosis_report *report, const struct ms_finding *more,
				 size_t count)
{
	struct findings all = { report->findings, report->finding_count, report->finding_count };

	for (size_t i = 0; i < count; i++) {
		if (!ms_vec_push(&all, more[i])) {
			report->findings = all.items;
			return ms_error_no_memory();
		}
	}
	findings_cut(&all);
	report->findings = all.items;
	report->finding_count = all.count;
	return NULL;
}

struct ms_error *ms_findings_make(const struct ms_befores *before,
				  const struct ms_census_report *census,
				  const struct ms_watch *watch, double window_s,
				  struct ms_diagnosis_report *report)
{
	struct findings findings = { 0 };
	size_t b = 0, matched = 0;

	for (size_t i = 0; i < census->map_count; i++) {
		const struct ms_map_row *m = &census->maps[i];
		const struct ms_watched *w = ms_watch_find(watch, m->address);
		const struct ms_before *same = NULL;
		struct ms_finding f;

		if (m->kind == MS_MAP_SYNC_TRIE && !before->tries_compare) {
			report->map_bytes += m->total_bytes != MS_UNKNOWN ? m->total_bytes : 0;
			continue;
		}
		for (; b < before->count && before->items[b].address < m->address; b++)
			fleet_add_before(before, &before->items[b], &report->fleet);
		if (b < before->count && before->items[b].address == m->address)
			same = &before->items[b];
		matched += same != NULL;
		fleet_add_after(report, m);
		f = finding_make(m, same, w, window_s);
		if (worth_keeping(&f, w) && !ms_vec_push(&findings, f)) {
			ms_vec_free(&findings);
			return ms_error_no_memory();
		}
	}
	for (; b < before->count; b++)
		fleet_add_before(before, &before->items[b], &report->fleet);
	report->fleet.appeared = report->fleet.maps_after - matched;
	report->fleet.vanished = report->fleet.maps_before - matched;
	findings_cut(&findings);
	report->findings = findings.items;
	report->finding_count = findings.count;
	return NULL;
}

void ms_befores_deinit(struct ms_befores *befores)
{
	free(befores->items);
	*befores = (struct ms_befores){ 0 };
}
