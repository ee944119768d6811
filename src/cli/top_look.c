// top_look.c - what costs much waits until its cost, spread over the time since, is a small share.
//
// Maps of libhmap have no header that is read by itself: where there are any, every look is a
// census, and looks are as far apart as that costs.
#include "cli/top_look.h"

#include "cli/interrupt.h"
#include "cli/take_census.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const double CENSUS_SHARE = 0.02, WAITERS_SHARE = 0.005, LOOK_SHARE = 0.04; // Of a core.
static const double NAMING_S_MAX = 0.5;

enum { NAMING_TRIES = 2, WAITERS_LOOKS_MAX = 1000 };

static double cpu_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void ms_top_look_init(struct ms_top_look *l, struct ms_session *session)
{
	*l = (struct ms_top_look){ .session = session,
				   .options = *session->options,
				   .gc_unknown = "not looked for yet" };
	l->every_s = session->options->every_s;
	l->options.quiet = true; // No progress on the screen.
	session->options = &l->options;
	if (!session->rt)
		l->gc_unknown = "libhmap's programs have none";
}

static struct ms_error *census_take(struct ms_top_look *l)
{
	double began = cpu_now(), now = ms_clock_now();
	struct ms_census_report census;
	struct ms_error *err = ms_take_census(l->session, MS_TAKE_MAPS, &census);

	free(l->trouble);
	l->trouble = NULL;
	if (l->maps.looks && ms_error_is_unreadable(err)) {
		l->trouble = strdup(ms_error_message(err));
		ms_error_free(err);
	} else if (err) {
		return err;
	} else {
		err = ms_live_maps_take(&l->maps, &census, now);
		if (err) {
			ms_census_report_deinit(&census);
			return err;
		}
	}
	if (l->session->registries.count)
		l->least_s = (cpu_now() - began) / LOOK_SHARE;
	else
		l->census_due = now + (cpu_now() - began) / CENSUS_SHARE;
	return NULL;
}

// --- The collector. ---

static struct ms_error *gc_find(struct ms_top_look *l)
{
	uint64_t bytes = l->maps.census.heap_bytes;
	struct ms_error *err;

	if (bytes == MS_UNKNOWN)
		return NULL;
	err = ms_go_collections_find(l->session->rt, bytes, &l->collections);
	if (err && !ms_error_is_unreadable(err))
		return err;
	l->has_collections = !err;
	if (err)
		l->gc_unknown = "the runtime's own figures were not found";
	ms_error_free(err);
	return NULL;
}

static struct ms_error *gc_read(struct ms_top_look *l, bool is_census)
{
	struct ms_error *err = NULL;

	if (!l->has_collections && is_census)
		err = gc_find(l);
	if (err || !l->has_collections)
		return err;
	if (is_census)
		l->writable_bytes = ms_regions_writable_bytes(&l->session->rt->regions);
	err = ms_go_collections_read(&l->collections, &l->gc);
	if (err && !ms_error_is_unreadable(err))
		return err;
	l->gc_unknown = err ? "the runtime's own figures make no sense" : NULL;
	ms_error_free(err);
	return NULL;
}

// --- Who waits. ---

static void waiters_count(struct ms_top_look *l)
{
	size_t count;
	const struct ms_waiters_lock *locks = ms_waiters_locks(l->waiters, &count);

	ms_live_maps_clear_waiting(&l->maps);
	for (size_t i = 0; i < count; i++) {
		const struct ms_waiters_lock *lock = &locks[i];
		const struct ms_waiters_seen *last =
		    lock->seen_count ? &lock->seen[lock->seen_count - 1] : NULL;

		if (last && last->at >= l->waiters_at && lock->map)
			ms_live_maps_add_waiting(&l->maps, lock->map, last->waiting);
	}
}

static struct ms_error *waiters_look(struct ms_top_look *l)
{
	double began = cpu_now(), now = ms_clock_now();
	struct ms_error *err = NULL;

	if (now < l->waiters_due)
		return NULL;
	if (l->waiters_looks++ == WAITERS_LOOKS_MAX) { // Each look is kept.
		ms_waiters_destroy(l->waiters);
		l->waiters = NULL;
		l->waiters_looks = 0;
	}
	if (!l->waiters)
		err = ms_waiters_create(l->session->rt, &l->waiters);
	l->waiters_at = now;
	if (!err)
		err = ms_waiters_look(l->waiters, now);
	if (!err && ms_waiters_has_nameless(l->waiters, NAMING_TRIES))
		err = ms_waiters_name(l->waiters, NAMING_S_MAX);
	l->waiters_due = now + (cpu_now() - began) / WAITERS_SHARE;
	if (err && !ms_error_is_unreadable(err))
		return err;
	if (err)
		l->maps.waiting_unknown = "goroutines cannot be read";
	else
		waiters_count(l);
	ms_error_free(err);
	return NULL;
}

// --- A look. ---

struct ms_error *ms_top_look_now(struct ms_top_look *l)
{
	struct ms_session *s = l->session;
	double now = ms_clock_now(), began = cpu_now();
	bool is_census = !l->maps.looks || s->registries.count || now >= l->census_due;
	struct ms_error *err = ms_target_check(s->target);

	if (!err && is_census) {
		err = census_take(l);
		began = cpu_now();
	}
	if (!err && s->rt && l->maps.poll_count)
		err = ms_poll_maps(s->rt, l->maps.polls, l->maps.poll_count);
	if (err)
		return err;
	ms_live_maps_look(&l->maps, now);
	if (!s->registries.count)
		l->least_s = (cpu_now() - began) / (LOOK_SHARE / 2);
	l->every_s = fmax(l->options.every_s, l->least_s);
	if (s->rt)
		err = gc_read(l, is_census);
	if (!err && s->rt)
		err = waiters_look(l);
	return err;
}

static struct ms_top_gc gc_report(const struct ms_top_look *l)
{
	double now = ms_clock_now();
	struct ms_top_gc gc = { .unknown = l->gc_unknown,
				.age_s = NAN,
				.live_bytes = MS_UNKNOWN,
				.goal_bytes = MS_UNKNOWN };

	if (gc.unknown)
		return gc;
	gc.cycles = l->gc.ended;
	gc.is_marking = l->gc.is_marking;
	if (l->gc.last_end_ns > 0)
		gc.age_s = fmax(0, now - (double)l->gc.last_end_ns / 1e9);
	if (l->gc.has_pacer) {
		gc.live_bytes = l->gc.pacer.heap_live_bytes;
		gc.goal_bytes = ms_go_pacer_goal(&l->gc.pacer, l->writable_bytes);
	}
	return gc;
}

struct ms_error *ms_top_look_report(const struct ms_top_look *l, const struct ms_live_view *view,
				    struct ms_top_report *ret_report)
{
	const struct ms_census_report *census = &l->maps.census;
	struct ms_top_report r = { .target = census->target,
				   .cost = census->cost,
				   .rss_bytes = ms_session_rss_bytes(l->session),
				   .seen = census->coverage.seen,
				   .read = census->coverage.read,
				   .skipped = ms_coverage_skipped(&census->coverage),
				   .gc = gc_report(l),
				   .partial = census->partial,
				   .partial_reason = census->partial_reason };
	struct ms_error *err = ms_live_maps_rows(&l->maps, view, ms_clock_now(), &r);

	if (err)
		return err;
	r.cost.read_bytes = l->session->target->cost.read_bytes;
	ms_session_account(l->session, &r.cost);
	*ret_report = r;
	return NULL;
}

void ms_top_look_deinit(struct ms_top_look *l)
{
	ms_live_maps_deinit(&l->maps);
	if (l->has_collections)
		ms_go_collections_deinit(&l->collections);
	ms_waiters_destroy(l->waiters);
	free(l->trouble);
}
