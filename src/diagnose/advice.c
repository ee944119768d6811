// advice.c - from a verdict to a line of advice:
//
//	will not fit	split one large classic map into several: each doubles on its own
//	suspect		bound it: nothing was ever taken out
//	growing		a hint, if its final size is known: the number of entries, because make
//			adds the room that a table needs itself
//	sawtooth	clear it instead of making it anew; its table is kept
//	slack		copy what is left into a new map: Go never makes a table smaller
//	stable		a large one with pointers inside is read by every collection
//
// A map of sync.Map is none of the program's own to change; its advice comes before all others.
// Text holds numbers and our own words only: names of a target are not for an argument of ours.
#include "diagnose/advice.h"

#include "diagnose/next_growth.h"
#include "maps/swiss.h"

#include <inttypes.h>
#include <math.h>

static const double MAP_BYTES_MIN = 48; // A header, without any table.

enum { SHARDS = 16, HINT_ENTRIES_MIN = 1000, POINTERS_BYTES_MIN = 64 << 20 };

static const uint64_t SHARD_BYTES_MIN = 256 << 20; // Of a growth that is worth splitting a map.

/** Growths from an empty map to the present table, and the bytes of the tables they left. */
struct growths {
	uint64_t count, bytes;
};

static struct growths growths_so_far(const struct ms_go_layout *l, const struct ms_map_row *row)
{
	struct growths g = { 0, 0 };
	uint64_t slots = row->tables > 1 ? MS_SWISS_TABLE_CAPACITY_MAX : row->capacity;

	if (row->capacity == MS_UNKNOWN)
		return g;
	for (uint64_t c = MS_SWISS_SLOTS; c < slots && c <= UINT64_MAX / 2; c *= 2) {
		uint64_t bytes = ms_rebuilt_bytes(l, row, c / MS_SWISS_SLOTS * 6);

		g.count++;
		g.bytes += bytes != MS_UNKNOWN ? bytes : 0;
	}
	if (row->tables > 1 && row->total_bytes != MS_UNKNOWN) {
		g.count += row->tables - 1;
		g.bytes += row->total_bytes / row->tables * (row->tables - 1);
	}
	return g;
}

/** Whether a type's name says that values of it hold pointers; a named struct does not tell. */
static bool has_pointers(const char *type)
{
	static const char *const begins[] = { "*", "[]", "map[", "chan ", "func(", "interface " };

	for (size_t i = 0; type && i < MS_ARRAY_SIZE(begins); i++) {
		if (!strncmp(type, begins[i], strlen(begins[i])))
			return true;
	}
	return type && (!strcmp(type, "string") || !strcmp(type, "error"));
}

static struct ms_error *text_set(struct ms_advice *a, const char *text)
{
	a->text = text;
	return text ? NULL : ms_error_no_memory();
}

static struct ms_error *advise_shard(struct ms_diagnosis_report *r, const struct ms_clock *clock,
				     struct ms_advice *a)
{
	a->saves_bytes = clock->next_growth_bytes - clock->next_growth_bytes / SHARDS;
	a->risk = "a walk over it, or its length, has to visit every part";
	a->until = "1.23";
	return text_set(a,
			ms_arena_printf(&r->arena,
					"split it into %d maps by a hash of the key: each doubles "
					"on its own, with a %dth of the bytes at a time",
					SHARDS, SHARDS));
}

static struct ms_error *advise_bound(struct ms_diagnosis_report *r, const struct ms_finding *f,
				     struct ms_advice *a)
{
	a->risk = "what was dropped has to be made again when it is asked for";
	return text_set(a, ms_arena_printf(&r->arena,
					   "bound it or let entries expire: in %" PRIu64
					   " looks nothing was taken out of it%s; if it is filled "
					   "once, to a known size, make(map[K]V, size)",
					   f->polls,
					   f->no_delete
					       ? ", and no code of the program deletes from a "
						 "map of its type"
					       : ""));
}

static struct ms_error *advise_hint(struct ms_diagnosis_report *r, const struct ms_go_layout *l,
				    const struct ms_finding *f, struct ms_advice *a)
{
	struct growths g = growths_so_far(l, &f->map);

	if (f->map.entries < HINT_ENTRIES_MIN || !g.count)
		return NULL;
	a->saves_bytes = f->next.old_bytes;
	a->risk = "a hint that is too large is memory held for nothing";
	return text_set(a,
			ms_arena_printf(&r->arena,
					"if its final size is known, say it: make(map[K]V, %" PRIu64
					") would have saved %" PRIu64
					" growths and the copying of %.1f MB; the hint is the "
					"number of entries, without room to spare",
					f->map.entries, g.count, (double)g.bytes / 1e6));
}

static struct ms_error *advise_clear(struct ms_diagnosis_report *r, const struct ms_finding *f,
				     struct ms_advice *a)
{
	a->risk = "its table stays as large as at its peak";
	a->since = "1.21";
	return text_set(
	    a, ms_arena_printf(&r->arena,
			       "if it is made anew for every filling, clear(m) keeps its "
			       "table, or make(map[K]V, %" PRIu64 ") makes it as large at once",
			       f->entries_high));
}

static struct ms_error *advise_rebuild(struct ms_diagnosis_report *r, const struct ms_go_layout *l,
				       const struct ms_finding *f, struct ms_advice *a)
{
	uint64_t bytes = ms_rebuilt_bytes(l, &f->map, f->map.entries);

	if (bytes != MS_UNKNOWN && f->map.total_bytes != MS_UNKNOWN && bytes < f->map.total_bytes)
		a->saves_bytes = f->map.total_bytes - bytes;
	a->risk = "old and new map exist together while it is copied; whoever keeps the old one "
		  "keeps its table";
	return text_set(a, ms_arena_printf(&r->arena,
					   "copy what is left into a new map, made with %" PRIu64
					   " as its hint, after a mass delete: Go never makes a "
					   "table smaller",
					   f->map.entries));
}

static struct ms_error *advise_pointers(const struct ms_finding *f, struct ms_advice *a)
{
	if (f->map.total_bytes == MS_UNKNOWN || f->map.total_bytes < POINTERS_BYTES_MIN ||
	    (!has_pointers(f->map.key_type) && !has_pointers(f->map.elem_type)))
		return NULL;
	a->risk = "whatever follows the pointers has to be written anew";
	return text_set(a, "keys and elems without pointers (numbers, arrays, indices) keep its "
			   "table out of every collection, which reads all of it now");
}

static struct ms_error *advise_sync_map(struct ms_advice *a)
{
	a->risk = "a map with a lock is slower where many cores read the same keys";
	a->until = "1.23";
	return text_set(a, "this is one of the two maps of a sync.Map, which copies all its keys "
			   "after enough misses: Go 1.24 does without, and so does a map with a "
			   "lock");
}

static struct ms_error *advise_guard(struct ms_advice *a)
{
	return text_set(a,
			"let every access hold one lock, or give the map to one goroutine: where "
			"the runtime notices two at once it ends the process, and no recover "
			"stops that");
}

static struct ms_error *advise_keep(struct ms_advice *a)
{
	a->risk = "a map that is kept keeps its largest table";
	return text_set(a, "make it with the size that it will have, make(map[K]V, n), or keep one "
			   "and clear it; where it is a copy, hand out one that nobody changes");
}

/** Of a sync.Map whose keys were deleted. */
static struct ms_error *advise_renew(struct ms_diagnosis_report *r, const struct ms_finding *f,
				     struct ms_advice *a)
{
	a->risk = "whoever still uses the old one has to be told";
	a->until = "1.23";
	return text_set(
	    a, ms_arena_printf(&r->arena,
			       "%.0f %% of its keys were deleted, but a sync.Map keeps them "
			       "until new ones are stored and missed often enough: use a map "
			       "with a lock, or Go 1.24, or copy what is left into a new one",
			       100 * f->deleted_share));
}

static struct ms_error *advise_end(struct ms_advice *a)
{
	return text_set(a,
			"let the goroutines that are made there end: they wait for what does not "
			"come, and keep what is on their stacks");
}

/** Of many maps of one owner. */
static struct ms_error *advise_fewer(struct ms_diagnosis_report *r, const struct ms_finding *f,
				     struct ms_advice *a)
{
	double each = f->maps_after ? (double)f->map.entries / (double)f->maps_after : 0;

	a->risk = "whoever still holds one of them has to be told";
	if (f->verdict == MS_VERDICT_SLACK)
		return text_set(a, ms_arena_printf(&r->arena,
						   "they hold %.1f entries each: give make no more "
						   "than that as a hint, or use a slice of pairs",
						   each));
	return text_set(a,
			ms_arena_printf(&r->arena,
					"let each end with what it belongs to, or keep them in one "
					"map with both keys: %" PRIu64 " maps of %.1f entries each "
					"cost %.0f bytes a map before the first entry",
					f->maps_after, each, MAP_BYTES_MIN));
}

struct ms_error *ms_advise(struct ms_diagnosis_report *r, const struct ms_go_layout *l,
			   size_t index)
{
	struct ms_finding *f = &r->findings[index];
	struct ms_clock clock = ms_finding_clock(r, f);
	struct ms_advice *a = &f->advice;
	bool is_classic = f->map.kind == MS_MAP_CLASSIC;

	*a = (struct ms_advice){ .line = MS_UNKNOWN, .saves_bytes = MS_UNKNOWN };
	if (f->verdict == MS_VERDICT_RACE)
		return advise_guard(a);
	if (f->leak < r->goroutines.suspect_count)
		return advise_end(a);
	if (f->kind == MS_FINDING_CODE)
		return advise_keep(a);
	if (f->kind == MS_FINDING_OWNER)
		return advise_fewer(r, f, a);
	if (f->deleted_share > 0)
		return advise_renew(r, f, a);
	if (is_classic && ms_map_row_is_of_sync_map(&f->map))
		return advise_sync_map(a);
	if (f->map.kind == MS_MAP_SYNC_TRIE)
		return NULL; // It has no table: nothing to make larger, to keep or to copy.
	switch (f->verdict) {
	case MS_VERDICT_SUSPECT:
	case MS_VERDICT_GROWING:
		if (is_classic && clock.next_growth_bytes != MS_UNKNOWN &&
		    (clock.will_not_fit || clock.next_growth_bytes >= SHARD_BYTES_MIN))
			return advise_shard(r, &clock, a);
		return f->verdict == MS_VERDICT_SUSPECT ? advise_bound(r, f, a)
							: advise_hint(r, l, f, a);
	case MS_VERDICT_SAWTOOTH:
		return advise_clear(r, f, a);
	case MS_VERDICT_SLACK:
		return advise_rebuild(r, l, f, a);
	case MS_VERDICT_RACE:
	case MS_VERDICT_CHURN:
	case MS_VERDICT_STABLE:
		break;
	}
	return advise_pointers(f, a);
}
