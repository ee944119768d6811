// watch.c - polling sees a map's header ten times a second: how many entries, how large a table.
//
// A growth shows as a table of another size, or as an evacuation that was not there before.  Two
// growths between two polls of a Swiss directory look like one, so what is counted is "at least".
//
// Of a long window not every poll is kept: when there is no room every second one is dropped, and
// from then on half as many are taken.  Rises and falls are counted at every poll all the same.
#include "diagnose/watch.h"

#include "base/cleanup.h"

enum { CHOSEN_BY_EACH = MS_WATCHED_MAX / 3 };

static int by_address(const void *a, const void *b)
{
	const struct ms_watched *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

static void watch_add(struct ms_watch *w, const struct ms_map_row *row)
{
	for (size_t i = 0; i < w->count; i++) {
		if (w->items[i].address == row->address)
			return;
	}
	if (w->count < MS_WATCHED_MAX)
		w->items[w->count++] = (struct ms_watched){ .address = row->address };
}

struct ms_error *ms_watch_choose(struct ms_watch *w, const struct ms_census_report *census,
				 const struct ms_hmap_places *places, struct ms_target *target)
{
	static const enum ms_sort_key keys[] = { MS_SORT_BYTES, MS_SORT_ENTRIES };

	*w = (struct ms_watch){ .target = target };
	for (size_t k = 0; k < MS_ARRAY_SIZE(keys); k++) {
		struct ms_census_view view = { .top = CHOSEN_BY_EACH, .sort = keys[k] };
		size_t count;
		MS_AUTO_FREE size_t *order = ms_census_order(census, &view, &count);

		if (!order)
			return ms_error_no_memory();
		for (size_t i = 0; i < count; i++)
			watch_add(w, &census->maps[order[i]]);
	}
	for (size_t i = 0; i < census->map_count && w->count < MS_WATCHED_MAX; i++) {
		if (census->maps[i].growing)
			watch_add(w, &census->maps[i]);
	}
	qsort(w->items, w->count, sizeof(*w->items), by_address);
	for (size_t i = 0; i < w->count; i++) {
		const struct ms_hmap_place *place = ms_hmap_place_of(places, w->items[i].address);

		w->polls[i].address = w->items[i].address;
		w->items[i].registry = place ? place->registry : NULL;
	}
	return NULL;
}

static void sample_keep(struct ms_watched *m, double now)
{
	if (!m->stride)
		m->stride = 1;
	if ((m->polls - 1) % m->stride)
		return;
	if (m->sample_count == MS_WATCH_SAMPLES_MAX) {
		for (size_t i = 0; i < MS_WATCH_SAMPLES_MAX / 2; i++)
			m->samples[i] = m->samples[2 * i];
		m->sample_count = MS_WATCH_SAMPLES_MAX / 2;
		m->stride *= 2;
	}
	m->samples[m->sample_count++] =
	    (struct ms_sample){ now, m->entries_last, MS_UNKNOWN, MS_UNKNOWN };
}

static void watched_take(struct ms_watched *m, const struct ms_poll *p, double now)
{
	if (!m->polls++) {
		m->entries_first = m->entries_low = m->entries_high = p->entries;
		m->time_first = now;
	} else {
		m->rises += p->entries > m->entries_last;
		m->falls += p->entries < m->entries_last;
		// A table of another size, or a new evacuation in the same size.
		m->growths +=
		    p->size > m->size || (p->growing && !m->growing && p->size == m->size);
	}
	m->entries_low = ms_min_u64(m->entries_low, p->entries);
	m->entries_high = ms_max_u64(m->entries_high, p->entries);
	m->entries_last = p->entries;
	m->time_last = now;
	m->size = p->size;
	m->growing = p->growing;
	sample_keep(m, now);
}

/** Go's maps among those that are followed. */
static struct ms_error *poll_go(struct ms_watch *w, struct ms_go_runtime *rt)
{
	struct ms_poll polls[MS_WATCHED_MAX];
	size_t of[MS_WATCHED_MAX], count = 0;
	struct ms_error *err;

	for (size_t i = 0; i < w->count; i++) {
		if (w->items[i].registry)
			continue;
		of[count] = i;
		polls[count++] = w->polls[i];
	}
	if (!rt || !count)
		return NULL;
	err = ms_poll_maps(rt, polls, count);
	for (size_t i = 0; i < count && !err; i++)
		w->polls[of[i]] = polls[i];
	return err;
}

/** The size of a table that grows in place says little: its counters say how often it did. */
static void take_hmap(const struct ms_hmap_look *look, struct ms_poll *p)
{
	const struct ms_hmap_words *words = &look->words;
	struct ms_map_row row;

	*p = (struct ms_poll){ .address = look->address };
	if (look->status != MS_HMAP_READ || !ms_hmap_row_fill(look, MS_UNKNOWN, &row))
		return;
	p->valid = true;
	p->entries = row.entries;
	p->size = row.kind == MS_MAP_HMAP_CLASSIC ? words->c.growths + words->c.compactions
						  : words->growths + words->compactions;
}

/** libhmap's. */
static struct ms_error *poll_hmaps(struct ms_watch *w)
{
	MS_AUTO_FREE struct ms_hmap_look *looks = calloc(MS_WATCHED_MAX, sizeof(*looks));
	size_t of[MS_WATCHED_MAX], count = 0;
	struct ms_error *err;

	if (!looks)
		return ms_error_no_memory();
	for (size_t i = 0; i < w->count; i++) {
		if (!w->items[i].registry)
			continue;
		of[count] = i;
		looks[count++] = (struct ms_hmap_look){ .address = w->items[i].address,
							.registry = w->items[i].registry };
	}
	if (!count)
		return NULL;
	err = ms_hmap_look(w->target, looks, count);
	for (size_t i = 0; i < count && !err; i++)
		take_hmap(&looks[i], &w->polls[of[i]]);
	return err;
}

struct ms_error *ms_watch_poll(struct ms_watch *w, struct ms_go_runtime *rt, double now)
{
	struct ms_error *err = poll_go(w, rt);

	if (!err)
		err = poll_hmaps(w);

	for (size_t i = 0; i < w->count && !err; i++) {
		if (w->polls[i].valid)
			watched_take(&w->items[i], &w->polls[i], now);
	}
	return err;
}

const struct ms_watched *ms_watch_find(const struct ms_watch *w, ms_addr address)
{
	struct ms_watched key = { .address = address };

	return bsearch(&key, w->items, w->count, sizeof(*w->items), by_address);
}

struct ms_history ms_watched_history(const struct ms_watched *w, const struct ms_sample *last,
				     struct ms_sample *samples)
{
	struct ms_history h;
	size_t count = w->sample_count;

	memcpy(samples, w->samples, count * sizeof(*samples));
	if (count && samples[count - 1].time_s < w->time_last)
		samples[count++] =
		    (struct ms_sample){ w->time_last, w->entries_last, MS_UNKNOWN, MS_UNKNOWN };
	if (last)
		samples[count++] = *last;
	h = ms_history_of(samples, count);
	h.looks = w->polls + (last != NULL);
	h.rises = w->rises + (last && last->entries > w->entries_last);
	h.falls = w->falls + (last && last->entries < w->entries_last);
	h.low = ms_min_u64(h.low, w->entries_low);
	h.high = ms_max_u64(h.high, w->entries_high);
	h.growths = w->growths;
	return h;
}
