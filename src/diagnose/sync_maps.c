// sync_maps.c - Delete of a key that is in the read part of a sync.Map sets its entry to nil and
// leaves the key where it is, until a Store of a new key copies what is left into another map and
// enough misses put that in its place (sync/map.go, Go 1.18 to 1.23).  A map that is read and not
// stored into any more keeps all keys it ever had.
//
// An entry is one word: nil, or "expunged" (one and the same address for all that are copied no
// more), or where the value is, which is another place for each.  Some buckets, evenly spread,
// stand for all.
#include "diagnose/sync_maps.h"

#include "base/cleanup.h"
#include "diagnose/findings.h"
#include "diagnose/more_findings.h"
#include "target/fetch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	SLOTS = 8,
	KEY_BYTES = 16, // An interface.
	ELEM_BYTES = 8,
	BUCKET_BYTES = SLOTS + SLOTS * (KEY_BYTES + ELEM_BYTES) + 8,
	TOP_MIN = 5, // runtime.minTopHash: a slot that is in use.
	LOOK_AT = 8, // Maps.
	ENTRIES_MIN = 10000,
	BUCKETS_MAX = 1024,
	SAMPLES_MIN = 100,
};

static const double DELETED_SHARE_MIN = 0.5;

/** Whether its buckets can be looked at: all of them are in one array. */
static bool can_be_looked_at(const struct ms_map_row *row)
{
	return row->kind == MS_MAP_CLASSIC && !row->growing && ms_map_row_is_of_sync_map(row);
}

static int by_word(const void *a, const void *b)
{
	ms_addr x = *(const ms_addr *)a, y = *(const ms_addr *)b;

	return x < y ? -1 : x > y;
}

/** Entries that hold no value, of @p count: nil, or a place that several have. */
static size_t deleted_of(ms_addr *values, size_t count)
{
	size_t deleted = 0;

	qsort(values, count, sizeof(*values), by_word);
	for (size_t i = 0, next; i < count; i = next) {
		for (next = i + 1; next < count && values[next] == values[i];)
			next++;
		if (!values[i] || next - i > 1)
			deleted += next - i;
	}
	return deleted;
}

/** Have the elems of some buckets read; they are in @p fetch afterwards. */
static struct ms_error *elems_fetch(struct ms_go_runtime *rt, const struct ms_map_row *row,
				    struct ms_fetch *fetch)
{
	MS_AUTO_FREE ms_addr *elems = malloc(BUCKETS_MAX * SLOTS * sizeof(*elems));
	uint64_t buckets = row->capacity / SLOTS, step = ms_max_u64(buckets / BUCKETS_MAX, 1);
	size_t count = 0;
	uint8_t raw[8];
	struct ms_error *err =
	    ms_target_read(rt->target, row->address + rt->layout->hmap_buckets, raw, sizeof(raw));
	uint32_t want;

	if (!elems)
		err = err ? err : ms_error_no_memory();
	for (uint64_t b = 0; b < buckets && !err && fetch->count < BUCKETS_MAX; b += step)
		err = ms_fetch_add(fetch, ms_load_u64(raw) + b * BUCKET_BYTES, BUCKET_BYTES, &want);
	if (!err)
		err = ms_fetch_run(fetch, rt->target);
	for (uint32_t i = 0; !err && i < fetch->count; i++) {
		const uint8_t *bucket = ms_fetch_bytes(fetch, i);

		for (unsigned slot = 0; bucket && slot < SLOTS; slot++) {
			if (bucket[slot] >= TOP_MIN)
				elems[count++] = ms_load_u64(bucket + SLOTS + SLOTS * KEY_BYTES +
							     slot * ELEM_BYTES);
		}
	}
	ms_fetch_reset(fetch);
	for (size_t i = 0; i < count && !err; i++)
		err = ms_fetch_add(fetch, elems[i], ELEM_BYTES, &want);
	return err || !count ? err : ms_fetch_run(fetch, rt->target);
}

/** The share of keys whose entries are deleted; NAN when too few could be looked at. */
static struct ms_error *deleted_share(struct ms_go_runtime *rt, const struct ms_map_row *row,
				      double *ret_share)
{
	MS_AUTO_FREE ms_addr *values = malloc(BUCKETS_MAX * SLOTS * sizeof(*values));
	struct ms_fetch fetch = { 0 };
	struct ms_error *err = values ? elems_fetch(rt, row, &fetch) : ms_error_no_memory();
	size_t count = 0;

	*ret_share = NAN;
	for (uint32_t i = 0; !err && i < fetch.count; i++) {
		const uint8_t *entry = ms_fetch_bytes(&fetch, i);

		if (entry)
			values[count++] = ms_load_u64(entry);
	}
	if (!err && count >= SAMPLES_MIN)
		*ret_share = (double)deleted_of(values, count) / (double)count;
	ms_fetch_deinit(&fetch);
	if (err && ms_error_code(err) == MS_ERR_FAULT) {
		ms_error_free(err);
		err = NULL;
	}
	return err;
}

static struct ms_error *finding_put(const struct ms_map_row *row, double share,
				    struct ms_diagnosis_report *report)
{
	struct ms_finding f = ms_finding_of_map(row, MS_VERDICT_SLACK);
	struct ms_finding *known = NULL;

	for (size_t i = 0; i < report->finding_count; i++) {
		if (ms_finding_has_map(&report->findings[i], row))
			known = &report->findings[i];
	}
	if (known && known->verdict != MS_VERDICT_STABLE)
		return NULL;
	if (known) {
		known->verdict = MS_VERDICT_SLACK;
		known->deleted_share = share;
		return ms_findings_add(report, NULL, 0);
	}
	f.deleted_share = share;
	return ms_findings_add(report, &f, 1);
}

/** The other map of a sync.Map, made to copy what is left into, is no finding of its own. */
static void siblings_drop(struct ms_diagnosis_report *report)
{
	size_t kept = 0;

	for (size_t i = 0; i < report->finding_count; i++) {
		const struct ms_finding *f = &report->findings[i];
		bool is_sibling = false;

		for (size_t k = 0; k < report->finding_count; k++) {
			const struct ms_finding *other = &report->findings[k];

			is_sibling |= other->deleted_share > 0 && !(f->deleted_share > 0) &&
				      f->kind == MS_FINDING_MAP &&
				      (!f->map.type || can_be_looked_at(&f->map)) && f->map.owner &&
				      other->map.owner && !strcmp(f->map.owner, other->map.owner);
		}
		if (!is_sibling)
			report->findings[kept++] = *f;
	}
	report->finding_count = kept;
}

struct ms_error *ms_sync_maps_look(struct ms_go_runtime *rt, const struct ms_census_report *census,
				   struct ms_diagnosis_report *report)
{
	struct ms_error *err = NULL;
	unsigned looked = 0;

	if (rt->layout->maps != MS_GO_MAPS_CLASSIC)
		return NULL;
	for (size_t i = 0; i < census->map_count && !err && looked < LOOK_AT; i++) {
		const struct ms_map_row *row = &census->maps[i];
		double share;

		if (row->entries < ENTRIES_MIN || row->capacity == MS_UNKNOWN ||
		    !can_be_looked_at(row))
			continue;
		looked++;
		err = deleted_share(rt, row, &share);
		if (!err && share >= DELETED_SHARE_MIN)
			err = finding_put(row, share, report);
	}
	siblings_drop(report);
	return err;
}
