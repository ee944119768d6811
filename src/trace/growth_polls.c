// growth_polls.c - what a trace learns of growth by reading headers again and again.
//
// Without probes, each growth that two looks at a map leave between them becomes an event: it
// happened between earliest_s and time_s, and nobody knows by whom.  A map that grew twice between
// two looks makes two events of one bracket.  What leaves no trace is not counted: a map of several
// growths in its own size, a map made and dropped between two censuses.  So it is "at least".
//
// With probes, events come from them, and the looks add what a probe cannot see: when the last old
// bucket was emptied (evacuations.c).  Swiss maps have nothing of that kind.
//
// How large a table is, in bytes, follows from its map's type.  Where that is not known, the heap's
// spans tell what its buckets were allocated as; they are read when a map without a type grows, and
// within a twentieth of one core.
//
// Maps made since the first census are found by further ones, as often as that stays within a
// twentieth of one core; a process whose census takes longer than CENSUS_MAX_S gets none.
#include "trace/growth_polls.h"

#include "base/vec.h"
#include "census/census_run.h"
#include "trace/evacuations.h"
#include "trace/growth_steps.h"
#include "trace/map_units.h"

#include <math.h>

enum { EVENTS_MAX = 1 << 17 };

static const double CENSUS_EVERY_S = 1, CENSUS_MAX_S = 0.5, CENSUS_SHARE = 0.05;
static const double MEASURE_EVERY_S = 1, MEASURE_SHARE = 0.05;
static const double PATIENCE_S = 2; // For events of probes.

struct polls {
	struct ms_trace *trace;
	struct ms_followed followed;
	struct ms_evacuations evacuations;
	struct ms_map_units units;
	bool makes_events;
	const struct ms_census_report *census; // The trace's that was taken in; NULL: none yet.
	size_t events_seen;                    // Of the probes.
	bool wants_measure;                    // A map of unknown buckets grew.
	double next_round, next_census, next_measure; // On options->now.
};

static double clock_of(void *context)
{
	const struct polls *p = context;

	return ms_trace_time(p->trace);
}

static double now_of(const struct polls *p)
{
	return p->trace->options->now(p->trace->options->context);
}

// --- Events. ---

/** What an event is made of. */
struct making {
	struct polls *polls;
	struct ms_followed_map *map;
	const struct ms_followed_look *look;
	double earliest_s;
};

static struct ms_error *event_add(struct ms_trace_report *r, const struct ms_growth_event *event)
{
	r->counted++;
	if (r->event_count == EVENTS_MAX) {
		r->dropped++;
		return NULL;
	}
	return ms_trace_add_event(r, event);
}

static struct ms_error *step_take(void *context, const struct ms_growth_step *step)
{
	const struct making *m = context;
	struct polls *p = m->polls;
	struct ms_trace_report *r = p->trace->report;
	struct ms_map_unit unit = m->map->unit;
	const struct ms_growth_event event = {
		.time_s = m->look->at.to,
		.earliest_s = m->earliest_s,
		.number = r->counted + 1,
		.map = m->map->address,
		.type = m->map->type,
		.owner = m->map->owner,
		.map_kind =
		    p->trace->rt->layout->maps == MS_GO_MAPS_SWISS ? MS_MAP_SWISS : MS_MAP_CLASSIC,
		.kind = step->kind,
		.from = step->from,
		.to = step->to,
		.from_bytes = step->from ? ms_map_unit_table_bytes(&p->units, unit, step->from) : 0,
		.to_bytes = ms_map_unit_table_bytes(&p->units, unit, step->to),
		.entries = step->entries,
		.capacity = step->capacity,
		.goroutine = MS_UNKNOWN,
		.table_entries = MS_UNKNOWN,
		.p = UINT32_MAX,
		.stack = MS_NO_STACK,
		.duration_s = NAN,
		.duration_error_s = NAN,
		.together_bytes = MS_UNKNOWN,
		.gc_sooner_bytes = NAN,
		.one_of_several = step->one_of_several,
	};

	p->wants_measure |= !unit.bytes;
	if (step->kind == MS_GROWTH_EVENT_TO_SMALL) {
		r->to_small++;
		if (!p->trace->options->small_growths)
			return NULL;
	}
	return event_add(r, &event);
}

static struct ms_error *steps_make(struct polls *p, struct ms_followed_map *map,
				   const struct ms_followed_look *look)
{
	struct making m = { p, map, look, map->last_at.from };
	struct ms_error *err;

	if (p->trace->rt->layout->maps == MS_GO_MAPS_CLASSIC)
		return ms_growth_steps_classic(p->trace->rt->layout, map, look->now, step_take, &m);
	err = ms_growth_steps_swiss(map, look->now, step_take, &m);
	if (!err && look->tables) {
		m.earliest_s = map->tables_at.from;
		err = ms_growth_steps_tables(map, look->tables, step_take, &m);
	}
	return err;
}

static struct ms_error *look_take(void *context, struct ms_followed_map *map,
				  const struct ms_followed_look *look)
{
	struct polls *p = context;
	struct ms_error *err = NULL;

	if (!look->is_first && p->makes_events)
		err = steps_make(p, map, look);
	p->wants_measure |= look->now->growing && !map->unit.bytes;
	if (!err && p->trace->rt->layout->maps == MS_GO_MAPS_CLASSIC)
		err = ms_evacuations_look(&p->evacuations, map, look, p->followed.sweepgen);
	return err;
}

// --- Which maps. ---

/** A copy in the report's arena; NULL stays NULL. */
static const char *copy(struct polls *p, const char *text, struct ms_error **err)
{
	const char *copied =
	    text ? ms_arena_strndup(&p->trace->report->arena, text, strlen(text)) : NULL;

	if (text && !copied && !*err)
		*err = ms_error_no_memory();
	return copied;
}

/** Follow a row of a census; without room for it, it is not.  A later one may have its name. */
static struct ms_error *row_follow(struct polls *p, const struct ms_census_report *census,
				   const struct ms_map_row *row)
{
	struct ms_error *err = NULL;
	struct ms_followed_map *map;

	if (row->kind == MS_MAP_SYNC_TRIE || ms_map_row_is_hmap(row))
		return NULL;
	map = ms_followed_find(&p->followed, row->address);
	if (!map)
		map = ms_followed_add(&p->followed, row->address);
	if (map)
		ms_followed_confirm(&p->followed, map, row->capacity, row->entries,
				    (uint32_t)census->cost.gc_cycle * 2);
	if (map && !map->type && row->type) {
		struct ms_map_unit unit = ms_map_units_find(&p->units, row->type);

		map->type = copy(p, row->type, &err);
		map->unit = unit.bytes ? unit : map->unit;
	}
	if (map && !map->owner)
		map->owner = copy(p, row->owner, &err);
	return err;
}

/** Those that grow first, then the largest. */
static struct ms_error *census_follow(struct polls *p, const struct ms_census_report *census)
{
	struct ms_census_view view = { .top = SIZE_MAX, .sort = MS_SORT_BYTES };
	struct ms_error *err = NULL;
	size_t count, missed = 0;
	size_t *order = ms_census_order(census, &view, &count);

	if (!order)
		return ms_error_no_memory();
	for (size_t i = 0; i < census->map_count && !err; i++) {
		if (census->maps[i].growing)
			err = row_follow(p, census, &census->maps[i]);
	}
	for (size_t i = 0; i < count && !err; i++) {
		const struct ms_map_row *row = &census->maps[order[i]];

		err = row_follow(p, census, row);
		missed += row->kind != MS_MAP_SYNC_TRIE && !ms_map_row_is_hmap(row) &&
			  !ms_followed_find(&p->followed, row->address);
	}
	p->trace->report->not_followed = missed;
	free(order);
	return err;
}

static struct ms_error *census_anew(struct polls *p)
{
	const struct ms_trace_options *o = p->trace->options;
	const struct ms_census_options options = { .stop = o->stop, .stop_context = o->context };
	double began = now_of(p), took;
	struct ms_census_report census;
	struct ms_error *err = ms_census_run(p->trace->rt, &options, &census);

	p->next_census = INFINITY;
	if (err && (ms_error_code(err) == MS_ERR_FAULT || ms_error_code(err) == MS_ERR_LIMIT ||
		    ms_error_code(err) == MS_ERR_BAD_DATA)) {
		ms_error_free(err); // Those that are known are followed on.
		return NULL;
	}
	if (err)
		return err;
	err = census_follow(p, &census);
	ms_census_report_deinit(&census);
	took = now_of(p) - began;
	p->next_census =
	    took > CENSUS_MAX_S ? INFINITY : now_of(p) + fmax(CENSUS_EVERY_S, took / CENSUS_SHARE);
	return err;
}

/** The trace's own census, which may come some time after the trace began. */
static struct ms_error *census_take(struct polls *p)
{
	if (p->census == p->trace->census)
		return NULL;
	p->census = p->trace->census;
	if (p->makes_events)
		p->next_census = now_of(p) + CENSUS_EVERY_S;
	return p->census ? census_follow(p, p->census) : NULL;
}

/** Maps that probes saw grow and no census had. */
static struct ms_error *probed_follow(struct polls *p)
{
	const struct ms_trace_report *r = p->trace->report;
	bool added = false;

	for (; p->events_seen < r->event_count; p->events_seen++) {
		const struct ms_growth_event *e = &r->events[p->events_seen];
		struct ms_followed_map *map = ms_followed_find(&p->followed, e->map);

		if (!map) {
			map = ms_followed_add(&p->followed, e->map);
			added = true;
		}
		if (map && e->from != MS_UNKNOWN)
			ms_followed_confirm(&p->followed, map, e->from, e->entries,
					    map->alive_sweepgen);
		if (map && !map->unit.bytes)
			map->unit = ms_map_units_find(&p->units, e->type);
		if (map)
			ms_followed_hurry(&p->followed, map);
	}
	return added ? ms_go_refresh(p->trace->rt) : NULL;
}

// --- Sizes. ---

/** The buckets of classic maps without a type, by the spans they lie in. */
static struct ms_error *units_measure(struct polls *p)
{
	double began = now_of(p);
	struct ms_spans spans;
	struct ms_error *err = ms_spans_load(p->trace->rt, &spans);

	p->wants_measure = false;
	p->next_measure = INFINITY;
	if (err && (ms_error_code(err) == MS_ERR_FAULT || ms_error_code(err) == MS_ERR_BAD_DATA)) {
		ms_error_free(err); // They stay unknown.
		return NULL;
	}
	if (err)
		return err;
	for (size_t i = 0; i < p->followed.count; i++) {
		struct ms_followed_map *m = &p->followed.items[i];

		if (!m->unit.bytes && m->seen && m->last.table)
			m->unit =
			    ms_map_units_measure(&p->units, &spans, m->last.table, m->last.size);
	}
	ms_spans_deinit(&spans);
	p->next_measure = now_of(p) + fmax(MEASURE_EVERY_S, (now_of(p) - began) / MEASURE_SHARE);
	return NULL;
}

/** What became known of a map after its event was written. */
static void event_complete(struct polls *p, struct ms_growth_event *e)
{
	const struct ms_followed_map *m = ms_followed_find(&p->followed, e->map);

	if (!m || e->time_s <= m->since_s)
		return; // Another map lies there by now.
	e->type = e->type ? e->type : m->type;
	e->owner = e->owner ? e->owner : m->owner;
	if (e->to_bytes != MS_UNKNOWN)
		return;
	if (e->from)
		e->from_bytes = ms_map_unit_table_bytes(&p->units, m->unit, e->from);
	e->to_bytes = ms_map_unit_table_bytes(&p->units, m->unit, e->to);
	if (!isnan(e->duration_s) && e->to_bytes != MS_UNKNOWN)
		e->together_bytes = e->from_bytes + e->to_bytes;
}

// --- The part. ---

static struct ms_error *round_do(struct polls *p)
{
	struct ms_trace *t = p->trace;
	struct ms_error *err = ms_followed_round(&p->followed, clock_of, look_take, p);

	t->report->polls = p->followed.polls;
	t->report->followed = p->followed.count;
	if (!err && p->wants_measure && t->rt->layout->maps == MS_GO_MAPS_CLASSIC &&
	    now_of(p) >= p->next_measure)
		err = units_measure(p);
	p->next_round = now_of(p) + p->followed.round_s;
	return err;
}

static void polls_destroy(void *state)
{
	struct polls *p = state;

	p->trace->followed = NULL;
	ms_followed_deinit(&p->followed);
	ms_evacuations_deinit(&p->evacuations);
	ms_map_units_deinit(&p->units);
	free(p);
}

static struct ms_error *polls_start(struct ms_trace *t, void **ret_state)
{
	bool makes_events;
	struct ms_error *err;
	struct polls *p;

	if (t->options->no_probes)
		t->report->source = MS_TRACE_POLLING;
	makes_events = t->report->source == MS_TRACE_POLLING;
	if (makes_events && t->options->no_polling)
		return NULL;
	if (!makes_events && t->rt->layout->maps == MS_GO_MAPS_SWISS)
		return NULL; // Probes say all there is.
	p = calloc(1, sizeof(*p));
	if (!p)
		return ms_error_no_memory();
	p->trace = t;
	p->makes_events = makes_events;
	p->next_census = makes_events ? now_of(p) + CENSUS_EVERY_S : INFINITY;
	ms_followed_init(&p->followed, t->rt);
	err = ms_map_units_load(t->rt, &p->units);
	if (!err && makes_events && !t->census)
		err = census_anew(p); // The trace's own may take some time.
	if (!err)
		err = census_take(p);
	if (!err)
		err = round_do(p);
	if (err) {
		polls_destroy(p);
		return err;
	}
	t->followed = &p->followed;
	*ret_state = p;
	return NULL;
}

static double polls_due(const void *state)
{
	const struct polls *p = state;

	return fmin(p->next_round, p->next_census);
}

static struct ms_error *polls_tick(struct ms_trace *t, void *state)
{
	struct polls *p = state;
	struct ms_error *err = census_take(p);

	if (!err && !p->makes_events)
		err = probed_follow(p);
	if (!err && now_of(p) >= p->next_round)
		err = round_do(p);
	if (!err && now_of(p) >= p->next_census)
		err = census_anew(p);
	if (!err)
		ms_evacuations_settle(&p->evacuations, t->report, ms_trace_time(t), PATIENCE_S);
	return err;
}

/** One more look at all maps, or at those that the last one did not convince of. */
static struct ms_error *last_look(struct polls *p, bool doubtful)
{
	for (size_t i = 0; i < p->followed.count; i++) {
		struct ms_followed_map *m = &p->followed.items[i];

		if (!m->is_parked && (!doubtful || m->doubts))
			ms_followed_hurry(&p->followed, m);
	}
	return round_do(p);
}

/** What grew in the last second is not lost. */
static struct ms_error *polls_end(struct ms_trace *t, void *state)
{
	struct polls *p = state;
	struct ms_error *err = ms_go_refresh(t->rt);

	if (!err)
		err = last_look(p, false);
	if (!err)
		err = last_look(p, true);
	ms_evacuations_settle(&p->evacuations, t->report, ms_trace_time(t), 0);
	for (size_t i = 0; p->makes_events && i < t->report->event_count; i++)
		event_complete(p, &t->report->events[i]);
	return err;
}

const struct ms_trace_part ms_growth_polls = {
	.name = "polls",
	.start = polls_start,
	.due = polls_due,
	.tick = polls_tick,
	.end = polls_end,
	.destroy = polls_destroy,
};
