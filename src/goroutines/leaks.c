// leaks.c - what a leak looks like from outside, and never more than that.
//
// A goroutine that leaked waits for what nobody will ever do.  From outside it is seen that it
// waits; that nobody will wake it, is not.  So a go statement is suspect when all of this holds:
//
//	- at the second look it has more goroutines than at the first;
//	- each one that waited at the first look waits still, for the same reason, not woken
//	  between; nine in ten, where there are ten: others of them may do what they are for;
//	- they wait for other goroutines: a timer, the network or a collection wakes by itself;
//	- nearly all of its goroutines wait for that one reason.
//
// A queue that is longer than its workers are fast looks the same while it grows.  The proof is the
// runtime's own: from Go 1.26 on a collection can tell which goroutines wait for what nothing that
// runs can reach.
#include "goroutines/leaks.h"

#include "base/cleanup.h"
#include "base/number_map.h"
#include "base/vec.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	STAYED_MIN = 2,
	MANY_WAITED = 10, // Of so many some may have been woken.
	STAYED_PERCENT = 90,
	SAME_WAIT_PERCENT = 90,
	SUSPECTS_MAX = 50,
	PROOF_SINCE = MS_GO(1, 26),        // With an experiment ...
	PROOF_ALWAYS_SINCE = MS_GO(1, 27), // ... and without.
};

/** What is kept of a goroutine from the first look. */
struct seen {
	uint64_t id, wait_since;
	ms_addr created_at;
	uint32_t status, wait_reason;
};

/** All goroutines of one go statement. */
struct site {
	uint64_t before, waited_before, after, stayed;
	// What most of them wait for, if most wait for one thing: Boyer and Moore's vote, counted
	// afterwards.
	const char *reason;
	uint64_t votes, waiting;
	uint32_t oldest; // Row.
};

struct leaks {
	double at;         // The first look.
	struct seen *seen; // By id.
	size_t seen_count;
	struct ms_number_map site_of; // By the address of the go statement.
	struct {
		struct site *items;
		size_t count, capacity;
	} sites;
	struct vote {
		uint32_t site;      // 1 + its number, 0 for none.
		const char *reason; // NULL where it does not wait for others.
	} * votes;                  // By row.
};

const char *ms_leak_proof(const struct ms_build_info *build)
{
	if (build->release >= PROOF_ALWAYS_SINCE ||
	    (build->release >= PROOF_SINCE && strstr(build->experiments, "goroutineleakprofile")))
		return "the program's own leak profile: curl "
		       "http://HOST/debug/pprof/goroutineleak?debug=2 where it serves "
		       "net/http/pprof, or pprof.Lookup(\"goroutineleak\").WriteTo(os.Stderr, 2); "
		       "it runs a collection";
	if (build->release >= PROOF_SINCE)
		return "a leak profile: build the program with "
		       "GOEXPERIMENT=goroutineleakprofile go build, then curl "
		       "http://HOST/debug/pprof/goroutineleak?debug=2";
	return NULL;
}

static int by_id(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static void destroy(void *state)
{
	struct leaks *l = state;

	if (!l)
		return;
	free(l->seen);
	ms_number_map_deinit(&l->site_of);
	ms_vec_free(&l->sites);
	free(l->votes);
	free(l);
}

static struct ms_error *first_look(struct ms_goroutines_run *run, struct leaks *l)
{
	struct ms_goroutines all = { 0 };
	struct ms_error *err = ms_goroutines_load(run->rt, &all);

	if (err)
		return err;
	l->at = run->options->now(run->options->context);
	l->seen = calloc(all.count + 1, sizeof(*l->seen));
	for (size_t i = 0; i < all.count && l->seen; i++) {
		const struct ms_goroutine *g = &all.items[i];

		l->seen[l->seen_count++] =
		    (struct seen){ g->id, g->wait_since, g->created_at, g->status, g->wait_reason };
	}
	ms_goroutines_deinit(&all);
	if (!l->seen)
		return ms_error_no_memory();
	qsort(l->seen, l->seen_count, sizeof(*l->seen), by_id);
	return NULL;
}

static struct ms_error *start(struct ms_goroutines_run *run, void **ret_state)
{
	struct leaks *l;
	struct ms_error *err;

	run->report->proof = ms_leak_proof(&run->rt->build);
	if (run->options->seconds <= 0)
		return NULL;
	l = calloc(1, sizeof(*l));
	if (!l)
		return ms_error_no_memory();
	err = first_look(run, l);
	if (err)
		destroy(l);
	else
		*ret_state = l;
	return err;
}

static struct ms_error *site_find(struct leaks *l, ms_addr created_at, struct site **ret_site)
{
	const uint32_t *known = ms_number_map_find(&l->site_of, created_at);

	if (!known) {
		if (!ms_vec_push(&l->sites, { .before = 0 }) ||
		    !ms_number_map_add(&l->site_of, created_at, (uint32_t)l->sites.count - 1))
			return ms_error_no_memory();
		*ret_site = &l->sites.items[l->sites.count - 1];
		return NULL;
	}
	*ret_site = &l->sites.items[*known];
	return NULL;
}

static bool has_sync(const struct ms_frames *frames)
{
	for (size_t i = 0; i < frames->count; i++) {
		const char *name = frames->items[i].function->name;

		if (!strncmp(name, "sync.", 5) || !strncmp(name, "internal/sync.", 14))
			return true;
	}
	return false;
}

/** What it waits for, if another goroutine of the program has to do it; else NULL. */
static const char *wait_for_others(const struct ms_goroutine_row *row,
				   const struct ms_frames *frames)
{
	static const char *const fronts[] = { "chan receive", "chan send", "select", "sync." };

	if (!row->wait_reason)
		return NULL;
	for (size_t i = 0; i < MS_ARRAY_SIZE(fronts); i++) {
		if (!strncmp(row->wait_reason, fronts[i], strlen(fronts[i])))
			return row->wait_reason;
	}
	// Before Go 1.20 all of package sync; the runtime waits so for itself, too.
	return !strcmp(row->wait_reason, "semacquire") && has_sync(frames) ? row->wait_reason
									   : NULL;
}

static struct ms_error *count_before(struct leaks *l)
{
	for (size_t i = 0; i < l->seen_count; i++) {
		const struct seen *s = &l->seen[i];
		struct site *site;
		struct ms_error *err = s->created_at ? site_find(l, s->created_at, &site) : NULL;

		if (err)
			return err;
		if (!s->created_at)
			continue;
		site->before++;
		site->waited_before += s->status == MS_GO_WAITING;
	}
	return NULL;
}

static const struct seen *seen_find(const struct leaks *l, uint64_t id)
{
	const struct seen key = { .id = id };

	return bsearch(&key, l->seen, l->seen_count, sizeof(key), by_id);
}

/** By a collection's note when there is one: it waited from before the first look on. */
static bool has_stayed(const struct seen *s, const struct ms_goroutine *g)
{
	return s && s->status == MS_GO_WAITING && g->status == MS_GO_WAITING &&
	       s->wait_reason == g->wait_reason && s->created_at == g->created_at &&
	       (!s->wait_since || s->wait_since == g->wait_since);
}

static void vote(struct site *site, const char *reason)
{
	if (!site->votes)
		site->reason = reason;
	if (site->reason == reason)
		site->votes++;
	else
		site->votes--;
}

static struct ms_error *goroutine(struct ms_goroutines_run *run, void *state,
				  const struct ms_goroutine *g, const struct ms_frames *frames,
				  struct ms_goroutine_row *row)
{
	struct leaks *l = state;
	const char *reason;
	struct site *site;
	struct ms_error *err;

	if (!l || !g->created_at || row->is_system)
		return NULL;
	if (!l->votes)
		l->votes = calloc(run->report->row_count + 1, sizeof(*l->votes));
	if (!l->votes)
		return ms_error_no_memory();
	err = site_find(l, g->created_at, &site);
	if (err)
		return err;
	site->after++;
	site->stayed += has_stayed(seen_find(l, g->id), g);
	reason = wait_for_others(row, frames);
	vote(site, reason);
	l->votes[row - run->report->rows] =
	    (struct vote){ (uint32_t)(site - l->sites.items) + 1, reason };
	return NULL;
}

/** How many of each go statement do what won the vote, and which of them for longest. */
static void count_votes(struct leaks *l, const struct ms_goroutines_report *report)
{
	for (size_t i = 0; l->votes && i < report->row_count; i++) {
		const struct ms_goroutine_row *row = &report->rows[i];
		struct site *site;

		if (!l->votes[i].site)
			continue;
		site = &l->sites.items[l->votes[i].site - 1];
		if (!site->reason || l->votes[i].reason != site->reason)
			continue;
		if (!site->waiting++ ||
		    fmax(row->waited_s, 0) > fmax(report->rows[site->oldest].waited_s, 0))
			site->oldest = (uint32_t)i;
	}
}

static const char *why(struct ms_arena *arena, const struct site *site)
{
	return ms_arena_printf(arena,
			       "%s%" PRIu64 " that waited at the first look wait still, and "
			       "%" PRIu64 " more came; a queue behind slow workers looks the same "
			       "while it grows",
			       site->stayed == site->waited_before ? "all " : "", site->stayed,
			       site->after - site->before);
}

static struct ms_error *suspect_add(struct ms_goroutines_run *run, const struct site *site)
{
	struct ms_goroutines_report *report = run->report;
	struct {
		struct ms_leak_suspect *items;
		size_t count, capacity;
	} suspects = { report->suspects, report->suspect_count, report->suspect_capacity };
	const struct ms_goroutine_row *row = &report->rows[site->oldest];
	struct ms_leak_suspect suspect = {
		.created_by = row->created_by,
		.before = site->before,
		.after = site->after,
		.stayed = site->stayed,
		.wait_reason = row->wait_reason,
		.stack = row->stack,
		.oldest_s = row->waited_s,
		.why = why(&report->arena, site),
	};
	bool added = suspect.why && ms_vec_push(&suspects, suspect);

	report->suspects = suspects.items;
	report->suspect_count = suspects.count;
	report->suspect_capacity = suspects.capacity;
	return added ? NULL : ms_error_no_memory();
}

static bool have_stayed(const struct site *site)
{
	return site->stayed == site->waited_before ||
	       (site->waited_before >= MANY_WAITED &&
		site->stayed * 100 >= site->waited_before * STAYED_PERCENT);
}

static bool is_suspect(const struct site *site)
{
	return site->after > site->before && site->waited_before >= STAYED_MIN &&
	       have_stayed(site) && site->reason &&
	       site->waiting * 100 >= site->after * SAME_WAIT_PERCENT;
}

static int by_growth(const void *a, const void *b)
{
	const struct ms_leak_suspect *x = a, *y = b;
	uint64_t more_x = x->after - x->before, more_y = y->after - y->before;

	if (more_x != more_y)
		return more_x > more_y ? -1 : 1;
	return x->created_by.pc < y->created_by.pc ? -1 : x->created_by.pc > y->created_by.pc;
}

static struct ms_error *end(struct ms_goroutines_run *run, void *state)
{
	struct leaks *l = state;
	struct ms_error *err = l ? count_before(l) : NULL;

	if (!l || err)
		return err;
	count_votes(l, run->report);
	run->report->apart_s = run->options->now(run->options->context) - l->at;
	for (size_t i = 0; i < l->sites.count && !err; i++) {
		if (is_suspect(&l->sites.items[i]) && run->report->suspect_count < SUSPECTS_MAX)
			err = suspect_add(run, &l->sites.items[i]);
	}
	if (run->report->suspect_count)
		qsort(run->report->suspects, run->report->suspect_count,
		      sizeof(*run->report->suspects), by_growth);
	return err;
}

const struct ms_goroutines_pass ms_leaks_pass = {
	.name = "leaks",
	.start = start,
	.goroutine = goroutine,
	.end = end,
	.destroy = destroy,
};
