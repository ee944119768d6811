// race_clues.c - what shows that two were inside at one time, and what only looks like it.
//
// Two lawful writes under one lock are microseconds apart, too: nearness alone says little.  These
// say more:
//
//   - Two threads sampled within half a microsecond.  A thread that is sampled stands still while
//     the kernel copies its stack, which takes longer than that: both were inside at one moment.
//   - Shares of time.  Whoever holds a lock keeps all others out, so what goroutines spend writing
//     one map, and what any other spends inside it, adds up to the window at most.  If it is more,
//     they were inside together.  Samples count only time on a CPU: the truth is not less.
//   - Locks, by code. One writes it with no lock held by any function on its stack, as all their
//     code says, the other is inside it with one held for certain, and they take turns: what the
//     second relies on, the first does not.
//   - Two that rest inside one map's code, and still do when both are looked at again.
//
// Up to five microseconds a lock passed on at once explains it as well: a weak clue.  So
// is a loop that goes through a table which was replaced meanwhile: the loop's own body may have
// filled the map, or have waited for whoever did.
#include "goroutines/race_clues.h"

#include "base/cleanup.h"
#include "base/vec.h"
#include "goroutines/lock_code.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

enum {
	CLUES_MAX = 64,
	USERS_MAX = 16, // Goroutines of one map that are compared with each other.
	SAMPLES_MIN = 10,
	TURNS_MIN = 3, // One after the other, and the first again ...
	LOCK_SAMPLES_MIN = 3,
};

static const double TOGETHER_S = 0.5e-6; // A sample takes longer than that.
static const double NEAR_S = 5e-6;
static const double SHARE_MARGIN = 0.1;
static const double SIGMAS = 4;

/** Samples of one goroutine inside one map. */
struct user {
	uint64_t goroutine;
	const struct ms_sample_seen *first; // In the order of time.
	size_t count, writes;
};

struct clues {
	struct ms_goroutines_run *run;
	const struct ms_clue_sources *sources;
	struct ms_race_clue *items;
	size_t count, capacity;
	struct ms_lock_code *locks; // Made when it is first needed.
};

static bool changes(uint8_t role)
{
	return role == MS_ROLE_WRITES || role == MS_ROLE_GROWS;
}

static const char *kind_of(uint8_t a, uint8_t b)
{
	if (changes(a) && changes(b))
		return "two writers";
	return a == MS_ROLE_ITERATES || b == MS_ROLE_ITERATES ? "a writer and a loop"
							      : "a writer and a reader";
}

/** Who waits for the lock that guards @p map, as the places say; NULL when nobody is known to. */
static struct ms_error *lock_state_of(const struct ms_goroutines_report *report, ms_addr map,
				      struct ms_arena *arena, const char **ret_state)
{
	*ret_state = NULL;
	for (size_t i = 0; i < report->place_count; i++) {
		const struct ms_wait_place *place = &report->places[i];

		if (place->map_address != map || !strstr(place->kind, "mutex"))
			continue;
		*ret_state =
		    ms_arena_printf(arena, "%" PRIu64 " waiting for %s (%s)", place->waiting,
				    place->name ? place->name : "it", place->kind);
		return *ret_state ? NULL : ms_error_no_memory();
	}
	return NULL;
}

/** Add a clue about @p map; what a row of the census says of it is filled in. */
static struct ms_error *clue_add(struct clues *c, ms_addr map, ms_addr type,
				 struct ms_race_clue clue)
{
	const struct ms_map_row *row = ms_map_finder_row(c->sources->finder, map);
	struct ms_arena *arena = &c->run->report->arena;

	struct ms_error *err;

	if (c->count == CLUES_MAX)
		return NULL;
	err = lock_state_of(c->run->report, map, arena, &clue.lock_state);
	if (err)
		return err;
	clue.map = map;
	if (row && row->owner)
		clue.owner = ms_arena_strndup(arena, row->owner, strlen(row->owner));
	clue.type = row && row->type ? ms_arena_strndup(arena, row->type, strlen(row->type))
				     : ms_map_finder_type_name(c->sources->finder, type, arena);
	return ms_vec_push(c, clue) ? NULL : ms_error_no_memory();
}

// --- Samples of one map. ---

static int by_user(const void *a, const void *b)
{
	const struct ms_sample_seen *x = a, *y = b;

	if (x->map != y->map)
		return x->map < y->map ? -1 : 1;
	if (x->goroutine != y->goroutine)
		return x->goroutine < y->goroutine ? -1 : 1;
	return x->time < y->time ? -1 : x->time > y->time;
}

/** The stack that a user was sampled with most, or nearly so. */
static uint32_t usual_stack(const struct ms_sample_store *store, const struct user *u, bool writing)
{
	uint32_t stack = MS_NO_SAMPLED_STACK;
	size_t votes = 0;

	for (size_t i = 0; i < u->count; i++) {
		const struct ms_sample_seen *s = &u->first[i];

		if (s->stack == MS_NO_SAMPLED_STACK || (writing && !changes(s->role)))
			continue;
		if (!votes)
			stack = s->stack;
		if (store->stacks.items[s->stack].code == store->stacks.items[stack].code)
			votes++;
		else
			votes--;
	}
	return stack;
}

/** Two samples that are nearest to each other. */
struct nearest {
	const struct ms_sample_seen *a, *b;
	double apart_s;
	uint64_t near; // Pairs within NEAR_S.
};

static void nearest_take(struct nearest *n, const struct ms_sample_seen *a,
			 const struct ms_sample_seen *b)
{
	double apart = fabs(a->time - b->time);

	if (a->thread == b->thread || (!changes(a->role) && !changes(b->role)))
		return;
	n->near += apart <= NEAR_S;
	if (!n->a || apart < n->apart_s) {
		n->a = a;
		n->b = b;
		n->apart_s = apart;
	}
}

/** Both in the order of time: each sample is held against its neighbours among the others. */
static struct nearest nearest_find(const struct user *a, const struct user *b)
{
	struct nearest n = { .apart_s = INFINITY };
	size_t k = 0;

	for (size_t i = 0; i < a->count; i++) {
		while (k < b->count && b->first[k].time < a->first[i].time)
			k++;
		if (k > 0)
			nearest_take(&n, &a->first[i], &b->first[k - 1]);
		if (k < b->count)
			nearest_take(&n, &a->first[i], &b->first[k]);
	}
	return n;
}

static struct ms_error *stacks_write(struct clues *c, const uint32_t stacks[2],
				     struct ms_race_clue *clue)
{
	struct ms_error *err = NULL;

	for (size_t i = 0; i < 2 && !err; i++)
		err = ms_sample_store_write(c->sources->store, stacks[i], c->run->book,
					    &clue->stacks[i]);
	return err;
}

static struct ms_error *nearest_add(struct clues *c, const struct nearest *n)
{
	bool together = n->apart_s <= TOGETHER_S;
	struct ms_race_clue clue = {
		.kind = kind_of(n->a->role, n->b->role),
		.goroutines = { n->a->goroutine, n->b->goroutine },
		.apart_s = n->apart_s,
		.seen = n->near,
		.strength = together ? MS_CLUE_STRONG : MS_CLUE_WEAK,
		.why = together ? "the first stood still inside, being sampled, when the second was"
				: "a lock that is passed on at once would explain it, too",
	};
	struct ms_error *err =
	    stacks_write(c, (const uint32_t[2]){ n->a->stack, n->b->stack }, &clue);

	return err ? err : clue_add(c, n->a->map, n->a->type, clue);
}

/** Of the window, by samples. */
static double share(const struct clues *c, size_t samples)
{
	return (double)samples * c->sources->period_s / c->sources->window_s;
}

/** Whether @p a and @p b samples are more than mutual exclusion lets them be, beyond chance. */
static bool is_too_much(const struct clues *c, size_t a, size_t b)
{
	double x = fmin(share(c, a), 1), y = fmin(share(c, b), 1);
	double looks = c->sources->window_s / c->sources->period_s;
	double sigma = sqrt((x * (1 - x) + y * (1 - y)) / looks);

	return a >= SAMPLES_MIN && b >= SAMPLES_MIN && x + y > 1 + SHARE_MARGIN + SIGMAS * sigma;
}

static struct ms_error *share_add(struct clues *c, const struct user *writer,
				  const struct user *other)
{
	const struct ms_sample_store *store = c->sources->store;
	bool both = other->writes * 2 > other->count;
	const uint32_t stacks[2] = { usual_stack(store, writer, true),
				     usual_stack(store, other, both) };
	struct ms_race_clue clue = {
		.kind = kind_of(MS_ROLE_WRITES, both ? MS_ROLE_WRITES : other->first->role),
		.goroutines = { writer->goroutine, other->goroutine },
		.apart_s = NAN,
		.seen = 1,
		.strength = MS_CLUE_STRONG,
		.why = ms_arena_printf(
		    &c->run->report->arena,
		    "the one was writing it for %.0f %% of the time and the other inside it for "
		    "%.0f %%: together more than a lock lets through",
		    100 * share(c, writer->writes), 100 * share(c, other->count)),
	};
	struct ms_error *err = clue.why ? stacks_write(c, stacks, &clue) : ms_error_no_memory();

	return err ? err : clue_add(c, writer->first->map, writer->first->type, clue);
}

// --- Locks. ---

enum stack_lock { LOCK_UNSURE, LOCK_NONE, LOCK_HELD };

/** Whether the functions of a stack hold any lock, as far as their code leaves no other reading. */
static struct ms_error *stack_lock_find(struct clues *c, uint32_t stack, enum stack_lock *ret_lock)
{
	const struct ms_stored_stack *s = &c->sources->store->stacks.items[stack];
	struct ms_error *err = NULL;
	bool none = !s->cut;

	*ret_lock = LOCK_UNSURE;
	if (!c->locks)
		err = ms_lock_code_create(c->run->rt, c->run->functions, &c->locks);
	for (uint32_t i = 0; i < s->count && !err; i++) {
		ms_addr pc = s->pcs[i].pc - s->pcs[i].is_return;
		const struct ms_function *f = ms_functions_find(c->run->functions, pc);
		const struct ms_lock_at *at;

		if (!f) {
			none = false;
			continue;
		}
		if (f->flags & MS_FUNCTION_RUNTIME)
			continue; // Its locks are of other kinds.
		err = ms_lock_code_at(c->locks, f, pc, &at);
		for (unsigned class = 0; !err && at && class < MS_LOCK_CLASSES; class ++) {
			if (at->hold[class] == MS_HOLD_HELD)
				*ret_lock = LOCK_HELD;
			none = none && (!at->hold[class] || at->hold[class] == MS_HOLD_NONE);
		}
	}
	if (!err && *ret_lock != LOCK_HELD && none)
		*ret_lock = LOCK_NONE;
	return err;
}

/** How often the one comes behind the other, both in the order of time. */
static size_t turns_of(const struct user *a, const struct user *b)
{
	size_t i = 0, k = 0, turns = 0;
	int last = -1;

	while (i < a->count || k < b->count) {
		bool is_a = k == b->count || (i < a->count && a->first[i].time <= b->first[k].time);

		turns += last != is_a;
		last = is_a;
		if (is_a)
			i++;
		else
			k++;
	}
	return turns;
}

/** @p free writes with no lock held, @p locked is inside with one. */
static struct ms_error *lock_add(struct clues *c, const struct user *free_one, uint32_t free_stack,
				 const struct user *locked, uint32_t locked_stack)
{
	const uint32_t stacks[2] = { free_stack, locked_stack };
	struct ms_race_clue clue = {
		.kind =
		    kind_of(MS_ROLE_WRITES, locked->writes ? MS_ROLE_WRITES : locked->first->role),
		.goroutines = { free_one->goroutine, locked->goroutine },
		.apart_s = NAN,
		.seen = turns_of(free_one, locked),
		.strength = MS_CLUE_STRONG,
		.why = "the one writes it with no lock held by its code, the other holds one, and "
		       "they take turns",
	};
	struct ms_error *err = stacks_write(c, stacks, &clue);

	return err ? err : clue_add(c, free_one->first->map, free_one->first->type, clue);
}

/** *ret_found: there is a clue in what locks they hold. */
static struct ms_error *locks_compare(struct clues *c, const struct user *a, const struct user *b,
				      bool *ret_found)
{
	const struct user *users[2] = { a, b };
	enum stack_lock locks[2] = { LOCK_UNSURE, LOCK_UNSURE };
	uint32_t stacks[2];
	struct ms_error *err = NULL;

	*ret_found = false;
	if (a->count < LOCK_SAMPLES_MIN || b->count < LOCK_SAMPLES_MIN ||
	    (!a->writes && !b->writes) || turns_of(a, b) < TURNS_MIN)
		return NULL;
	for (size_t i = 0; i < 2 && !err; i++) {
		stacks[i] = usual_stack(c->sources->store, users[i], users[i]->writes > 0);
		if (stacks[i] != MS_NO_SAMPLED_STACK)
			err = stack_lock_find(c, stacks[i], &locks[i]);
	}
	for (size_t i = 0; i < 2 && !err; i++) {
		if (locks[i] != LOCK_NONE || locks[1 - i] != LOCK_HELD || !users[i]->writes)
			continue;
		*ret_found = true;
		return lock_add(c, users[i], stacks[i], users[1 - i], stacks[1 - i]);
	}
	return err;
}

static struct ms_error *pair_compare(struct clues *c, const struct user *a, const struct user *b)
{
	struct nearest n = nearest_find(a, b);
	bool found;
	struct ms_error *err = locks_compare(c, a, b, &found);

	if (err || found)
		return err;
	if (is_too_much(c, a->writes, b->count))
		return share_add(c, a, b);
	if (is_too_much(c, b->writes, a->count))
		return share_add(c, b, a);
	return n.apart_s <= NEAR_S ? nearest_add(c, &n) : NULL;
}

static int by_count(const void *a, const void *b)
{
	const struct user *x = a, *y = b;

	return x->count > y->count ? -1 : x->count < y->count;
}

/** The goroutines of one map, those with the most samples first. */
static struct ms_error *map_compare(struct clues *c, struct ms_sample_seen *samples, size_t count)
{
	struct {
		struct user *items;
		size_t count, capacity;
	} users = { 0 };
	struct ms_error *err = NULL;

	for (size_t i = 0; i < count && !err; i++) {
		if (!i || samples[i].goroutine != samples[i - 1].goroutine) {
			struct user u = { samples[i].goroutine, &samples[i], 0, 0 };

			if (!ms_vec_push(&users, u))
				err = ms_error_no_memory();
		}
		if (!err) {
			users.items[users.count - 1].count++;
			users.items[users.count - 1].writes += changes(samples[i].role);
		}
	}
	if (!err && users.count > 1)
		qsort(users.items, users.count, sizeof(*users.items), by_count);
	for (size_t i = 0; i < users.count && i < USERS_MAX && !err; i++) {
		for (size_t k = i + 1; k < users.count && k < USERS_MAX && !err; k++)
			err = pair_compare(c, &users.items[i], &users.items[k]);
	}
	ms_vec_free(&users);
	return err;
}

static struct ms_error *samples_compare(struct clues *c)
{
	const struct ms_sample_store *store = c->sources->store;
	MS_AUTO_FREE struct ms_sample_seen *inside =
	    malloc((store->seen.count + 1) * sizeof(*inside));
	struct ms_error *err = NULL;
	size_t count = 0;

	if (!inside)
		return ms_error_no_memory();
	for (size_t i = 0; i < store->seen.count; i++) {
		const struct ms_sample_seen *s = &store->seen.items[i];

		if (s->map && s->goroutine && s->role != MS_ROLE_NONE)
			inside[count++] = *s;
	}
	if (count)
		qsort(inside, count, sizeof(*inside), by_user);
	for (size_t i = 0, next; i < count && !err; i = next) {
		for (next = i + 1; next < count && inside[next].map == inside[i].map;)
			next++;
		err = map_compare(c, inside + i, next - i);
	}
	return err;
}

// --- Goroutines that rest. ---

static bool still_rests(struct ms_goroutines_run *run, const struct ms_goroutine *g)
{
	struct ms_goroutine now;
	struct ms_error *err = ms_goroutine_reread(run->rt, g->address, &now);
	bool same = !err && ms_goroutine_is_same_stop(g, &now);

	ms_error_free(err);
	return same;
}

static struct ms_error *rests_compare(struct clues *c)
{
	const struct ms_clue_sources *s = c->sources;
	struct ms_error *err = NULL;

	for (size_t i = 0; i < s->rests.count && !err; i++) {
		for (size_t k = i + 1; k < s->rests.count && !err; k++) {
			const struct ms_map_rest *a = &s->rests.items[i], *b = &s->rests.items[k];
			struct ms_race_clue clue = {
				.kind = kind_of(a->role, b->role),
				.goroutines = { a->g.id, b->g.id },
				.stacks = { a->stack, b->stack },
				.apart_s = NAN,
				.seen = 1,
				.strength = MS_CLUE_STRONG,
				.why = "both rested inside it, and still did when looked at again",
			};

			if (a->map == b->map && (changes(a->role) || changes(b->role)) &&
			    still_rests(c->run, &a->g) && still_rests(c->run, &b->g))
				err = clue_add(c, a->map, a->type, clue);
		}
	}
	return err;
}

/** A sample of somebody else changing @p map, growing it if there is one; NULL for none. */
static const struct ms_sample_seen *changer_find(const struct clues *c, ms_addr map,
						 uint64_t not_this)
{
	const struct ms_sample_store *store = c->sources->store;
	const struct ms_sample_seen *found = NULL;

	for (size_t i = 0; i < store->seen.count; i++) {
		const struct ms_sample_seen *s = &store->seen.items[i];

		if (s->map != map || !s->goroutine || s->goroutine == not_this || !changes(s->role))
			continue;
		if (!found || (s->role == MS_ROLE_GROWS && found->role != MS_ROLE_GROWS))
			found = s;
	}
	return found;
}

static struct ms_error *loops_compare(struct clues *c)
{
	struct ms_error *err = NULL;

	for (size_t i = 0; i < c->sources->loops.count && !err && c->count < CLUES_MAX; i++) {
		const struct ms_open_loop *l = &c->sources->loops.items[i];
		const struct ms_sample_seen *other = changer_find(c, l->map, l->goroutine);
		struct ms_race_clue clue = {
			.kind = l->is_replaced ? "iterates a table that was replaced"
					       : "a writer and a loop",
			.goroutines = { l->goroutine, other ? other->goroutine : 0 },
			.stacks = { l->stack, MS_NO_STACK },
			.apart_s = NAN,
			.seen = 1,
			.strength = MS_CLUE_WEAK,
			.why = l->is_replaced ? "the map grew under an open loop; the loop's own "
						"body, or who it waits for, may do that lawfully"
					      : "the loop is open but rests; who it waits for may "
						"write lawfully",
		};

		if (!l->is_replaced && !other)
			continue;
		if (other)
			err = ms_sample_store_write(c->sources->store, other->stack, c->run->book,
						    &clue.stacks[1]);
		if (!err)
			err = clue_add(c, l->map, l->type, clue);
	}
	return err;
}

static int by_strength(const void *a, const void *b)
{
	const struct ms_race_clue *x = a, *y = b;

	if (x->strength != y->strength)
		return x->strength > y->strength ? -1 : 1;
	return x->map < y->map ? -1 : x->map > y->map;
}

struct ms_error *ms_race_clues_find(struct ms_goroutines_run *run,
				    const struct ms_clue_sources *sources)
{
	struct ms_goroutines_report *report = run->report;
	struct clues c = { .run = run, .sources = sources };
	struct ms_error *err = sources->window_s > 0 ? samples_compare(&c) : NULL;

	if (!err)
		err = rests_compare(&c);
	if (!err)
		err = loops_compare(&c);
	ms_lock_code_destroy(c.locks);
	if (err) {
		ms_vec_free(&c);
		return err;
	}
	if (c.count)
		qsort(c.items, c.count, sizeof(*c.items), by_strength);
	report->clues = c.items;
	report->clue_count = c.count;
	report->clue_capacity = c.capacity;
	return NULL;
}
