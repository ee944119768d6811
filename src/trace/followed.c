// followed.c - a wheel of rounds: each slot holds the maps that are due then.
//
// A header is one read, and in some ten thousand reads one catches a map between two stores of
// hashGrow.  What the header alone betrays, parsing turns down (maps/classic.c); what the look
// before or the table betrays is turned down by followed_check.c, which also tells when there is
// another map, or none.
#include "trace/followed.h"

#include "base/vec.h"
#include "trace/followed_check.h"

#include <math.h>
#include <time.h>

enum {
	NONE_SLOT = UINT16_MAX,
	REST_AT_ONCE = 64,   // Maps that rest and are due in one round ...
	REST_MIN = 8,        // ... and rounds from one look to the next, however few they are.
	WAIT_CHANGING = 32,  // At most, while entries come and go.
	LOOKS_TO_GROWTH = 4, // So many before the next growth is expected.
	TABLES_AT_ONCE = 64, // Of a larger directory a change is looked at less often.
	SLOTS_MAX = 64,      // Made up for in one round.
	DOUBTS_MAX = 12,     // Looks that do not convince, and then no more.
};

static const uint32_t NONE = UINT32_MAX;
static const double ROUND_MIN_S = 0.002, ROUND_MAX_S = 1;
static const double SHARE = 0.05; // Of one core.
static const double COST_WEIGHT = 0.1;
static const double REFRESH_EVERY_S = 0.1;

/** A map whose tables are being looked at. */
struct ms_followed_pending {
	size_t due; // Place in due and read.
	uint32_t want, table_want;
	struct ms_table_look look;
	bool failed;
};

void ms_followed_init(struct ms_followed *f, struct ms_go_runtime *rt)
{
	*f = (struct ms_followed){ .rt = rt, .round_s = ROUND_MIN_S, .refreshed_s = -INFINITY };
	for (size_t i = 0; i < MS_FOLLOWED_REST; i++)
		f->wheel[i] = NONE;
}

void ms_followed_deinit(struct ms_followed *f)
{
	for (size_t i = 0; i < f->count; i++)
		ms_table_look_deinit(&f->items[i].tables);
	for (size_t i = 0; i < f->looks.count; i++)
		ms_table_look_deinit(&f->looks.items[i].look);
	ms_number_map_deinit(&f->index);
	ms_fetch_deinit(&f->fetch);
	ms_vec_free(&f->due);
	ms_vec_free(&f->read);
	ms_vec_free(&f->tags);
	ms_vec_free(&f->looks);
	ms_vec_free(f);
}

// --- The wheel. ---

static void wheel_remove(struct ms_followed *f, struct ms_followed_map *m)
{
	if (m->slot == NONE_SLOT)
		return;
	if (m->before == NONE)
		f->wheel[m->slot] = m->next;
	else
		f->items[m->before].next = m->next;
	if (m->next != NONE)
		f->items[m->next].before = m->before;
	m->slot = NONE_SLOT;
}

/** Have @p m be due in @p wait rounds from now, the next being 1. */
static void wheel_add(struct ms_followed *f, struct ms_followed_map *m, unsigned wait)
{
	uint32_t place = (uint32_t)(m - f->items);
	uint16_t slot = (uint16_t)((f->round + wait) % MS_FOLLOWED_REST);

	m->slot = slot;
	m->before = NONE;
	m->next = f->wheel[slot];
	if (m->next != NONE)
		f->items[m->next].before = place;
	f->wheel[slot] = place;
}

struct ms_followed_map *ms_followed_add(struct ms_followed *f, ms_addr address)
{
	struct ms_followed_map *m;

	if (f->count == MS_FOLLOWED_MAX || !address ||
	    !ms_vec_push(f, { .address = address, .slot = NONE_SLOT, .wait = 1 }))
		return NULL;
	m = &f->items[f->count - 1];
	if (!ms_number_map_add(&f->index, address, (uint32_t)(f->count - 1))) {
		f->count--;
		return NULL;
	}
	wheel_add(f, m, 1);
	return m;
}

struct ms_followed_map *ms_followed_find(const struct ms_followed *f, ms_addr address)
{
	const uint32_t *place = ms_number_map_find(&f->index, address);

	return place ? &f->items[*place] : NULL;
}

void ms_followed_hurry(struct ms_followed *f, struct ms_followed_map *m)
{
	wheel_remove(f, m);
	m->wait = 1;
	wheel_add(f, m, 1);
}

/** Rounds in which a map at this rate comes a fourth of the way to its next growth. */
static unsigned wait_changing(const struct ms_followed *f, const struct ms_followed_map *m,
			      const struct ms_poll *now, double at)
{
	double gained = (double)now->entries - (double)m->last.entries;
	double rate = gained / fmax(at - m->last_at.from, ROUND_MIN_S), left, rounds;

	if (f->rt->layout->maps == MS_GO_MAPS_SWISS) // When its tables grow depends on hashes.
		return 1 + (unsigned)ms_min_u64(now->size / TABLES_AT_ONCE, WAIT_CHANGING - 1);
	if (gained <= 0)
		return WAIT_CHANGING;
	left = 6.5 * (double)now->size - (double)now->entries;
	rounds = left / rate / LOOKS_TO_GROWTH / f->round_s;
	return rounds < 1 ? 1 : rounds > WAIT_CHANGING ? WAIT_CHANGING : (unsigned)rounds;
}

/** Rounds from one look at a map that rests to the next. */
static unsigned wait_resting(const struct ms_followed *f)
{
	uint64_t wanted = ms_max_u64(f->count / REST_AT_ONCE, REST_MIN);

	return (unsigned)ms_min_u64(wanted, MS_FOLLOWED_REST);
}

static unsigned wait_next(const struct ms_followed *f, const struct ms_followed_map *m,
			  const struct ms_poll *now, double at)
{
	unsigned rest = wait_resting(f);

	if (now->growing)
		return 1;
	if (!m->seen) // Spread over the rounds to come.
		return rest / 2 + (unsigned)(m - f->items) % (rest / 2);
	if (now->entries != m->last.entries || now->table != m->last.table ||
	    now->size != m->last.size)
		return wait_changing(f, m, now, at);
	return m->wait * 2u < rest ? m->wait * 2u : rest;
}

// --- What was read. ---

static struct ms_error *slot_collect(struct ms_followed *f, uint64_t round)
{
	uint32_t *head = &f->wheel[round % MS_FOLLOWED_REST];

	while (*head != NONE) {
		struct ms_followed_map *m = &f->items[*head];

		if (!ms_vec_push(&f->due, *head) ||
		    !ms_vec_push(&f->read, { .address = m->address }))
			return ms_error_no_memory();
		wheel_remove(f, m);
	}
	return NULL;
}

/** What is due now, and what would have been in the time that this round comes late. */
static struct ms_error *due_collect(struct ms_followed *f, double now)
{
	double late = f->round ? (now - f->round_at) / f->round_s : 1;
	struct ms_error *err = NULL;

	f->due.count = f->read.count = 0;
	f->slots = late < 1 ? 1 : late > SLOTS_MAX ? SLOTS_MAX : (unsigned)late;
	f->round_at = now;
	for (unsigned i = 0; i < f->slots && !err; i++)
		err = slot_collect(f, ++f->round);
	return err;
}

/** Nothing is known of it any more: it is another map, or none. */
static void map_forget(struct ms_followed *f, struct ms_followed_map *m)
{
	f->growing -= m->seen && m->last.growing;
	m->seen = false;
	m->type = m->owner = NULL;
	m->unit = (struct ms_map_unit){ 0 };
	m->tables.count = 0;
	m->evacuation.map = 0;
	m->in_census = false;
	m->alive_sweepgen = 0;
}

void ms_followed_confirm(struct ms_followed *f, struct ms_followed_map *m, uint64_t slots,
			 uint64_t entries, uint32_t sweepgen)
{
	m->in_census = true;
	m->census_slots = slots;
	m->census_entries = entries;
	m->alive_sweepgen = sweepgen;
	if (!m->is_parked)
		return;
	m->is_parked = false;
	m->doubts = 0;
	ms_followed_hurry(f, m);
}

/** A look that does not convince: soon another one, and after some no more. */
static void doubt(struct ms_followed *f, struct ms_followed_map *m, struct ms_poll *now)
{
	now->valid = false;
	if (++m->doubts < DOUBTS_MAX)
		return;
	map_forget(f, m);
	m->is_parked = true;
}

/** Turn down what cannot be, and queue the tags of what has to be borne out. */
static struct ms_error *reads_check(struct ms_followed *f)
{
	struct ms_error *err = NULL;

	f->tags.count = 0;
	for (size_t i = 0; i < f->due.count && !err; i++) {
		struct ms_followed_map *m = &f->items[f->due.items[i]];
		struct ms_poll *now = &f->read.items[i];
		uint32_t want = NONE;

		if (now->valid && m->seen && ms_followed_is_torn(f, m, now)) {
			m->wait = 1;
			doubt(f, m, now);
		} else if (now->valid && m->seen && ms_followed_is_other(m, now)) {
			map_forget(f, m);
		}
		if (now->valid && ms_followed_wants_tags(m, now))
			err = ms_fetch_add(&f->fetch, now->table, MS_FOLLOWED_TAGS, &want);
		if (!err && !ms_vec_push(&f->tags, want))
			err = ms_error_no_memory();
	}
	return err;
}

/** After the fetch; *ret_unread: some table could not be read. */
static void tags_check(struct ms_followed *f, bool *ret_unread)
{
	for (size_t i = 0; i < f->due.count; i++) {
		struct ms_followed_map *m = &f->items[f->due.items[i]];
		struct ms_poll *now = &f->read.items[i];
		const uint8_t *tags;

		if (f->tags.items[i] == NONE)
			continue;
		tags = ms_fetch_bytes(&f->fetch, f->tags.items[i]);
		*ret_unread |= !tags;
		if (tags && ms_followed_believes(f, m, now, tags))
			continue;
		if (tags)
			m->wait = 1; // Most likely a write came between.
		doubt(f, m, now);
	}
}

// --- Tables of Swiss maps. ---

static bool wants_look(const struct ms_followed *f, const struct ms_followed_map *m,
		       const struct ms_poll *now)
{
	if (f->rt->layout->maps != MS_GO_MAPS_SWISS || !now->valid || !now->size ||
	    now->size > MS_TABLE_LOOK_MAX)
		return false;
	return !m->tables.count || now->entries != m->tables_entries ||
	       now->table != m->last.table || m->wait >= wait_resting(f);
}

static struct ms_error *directories_want(struct ms_followed *f)
{
	for (size_t i = 0; i < f->due.count; i++) {
		struct ms_followed_map *m = &f->items[f->due.items[i]];
		const struct ms_poll *now = &f->read.items[i];
		struct ms_followed_pending pending = { .due = i };
		struct ms_error *err;

		if (!wants_look(f, m, now))
			continue;
		if (m->seen && !m->last.size) { // It had one group, or none yet.
			err = ms_table_look_first(&m->tables);
			if (err)
				return err;
			m->tables_at = m->last_at;
		}
		err = ms_fetch_add(&f->fetch, now->table, (uint32_t)(now->size * 8), &pending.want);
		if (err)
			return err;
		if (!ms_vec_push(&f->looks, pending))
			return ms_error_no_memory();
	}
	return NULL;
}

/** An error about one map's tables makes its look fail and nothing else. */
static struct ms_error *pending_forgive(struct ms_followed_pending *p, struct ms_error *err)
{
	if (!err || (ms_error_code(err) != MS_ERR_BAD_DATA && ms_error_code(err) != MS_ERR_LIMIT))
		return err;
	ms_error_free(err);
	p->failed = true;
	return NULL;
}

/** Mappings made since the last time are not known to the target yet. */
static struct ms_error *refresh(struct ms_followed *f, double now)
{
	if (now - f->refreshed_s < REFRESH_EVERY_S)
		return NULL;
	f->refreshed_s = now;
	return ms_go_refresh(f->rt);
}

static struct ms_error *tables_look(struct ms_followed *f, double now)
{
	const struct ms_go_layout *l = f->rt->layout;
	struct ms_error *err;
	size_t directories;
	bool failed = false;

	err = directories_want(f);
	directories = f->fetch.count;
	if (!err && directories)
		err = ms_fetch_run(&f->fetch, f->rt->target);
	if (!err)
		tags_check(f, &failed);
	for (size_t i = 0; i < f->looks.count && !err; i++) {
		struct ms_followed_pending *p = &f->looks.items[i];
		const struct ms_followed_map *m = &f->items[f->due.items[p->due]];
		const uint8_t *bytes = ms_fetch_bytes(&f->fetch, p->want);

		p->failed = !bytes;
		if (bytes)
			err = pending_forgive(p, ms_table_look_begin(&p->look, &m->tables, l, bytes,
								     f->read.items[p->due].size,
								     &f->fetch, &p->table_want));
	}
	if (!err && f->fetch.count > directories)
		err = ms_fetch_run_from(&f->fetch, f->rt->target, directories);
	for (size_t i = 0; i < f->looks.count && !err; i++) {
		struct ms_followed_pending *p = &f->looks.items[i];
		struct ms_followed_map *m = &f->items[f->due.items[p->due]];

		if (!p->failed)
			err = pending_forgive(
			    p, ms_table_look_end(&p->look, l, &f->fetch, p->table_want));
		failed |= p->failed;
		if (p->failed && !m->seen) // Nothing but its tables speaks for it.
			doubt(f, m, &f->read.items[p->due]);
	}
	return !err && failed ? refresh(f, now) : err;
}

// --- A round. ---

static void tables_keep(struct ms_followed_map *m, struct ms_followed_pending *p,
			const struct ms_followed_look *look)
{
	struct ms_table_look old = m->tables;

	m->tables = p->look;
	p->look = old;
	m->tables_at = look->at;
	m->tables_entries = look->now->entries;
}

/** What was written while no sweep began was alive: until the next sweep it and its tables stay. */
static void alive_note(const struct ms_followed *f, struct ms_followed_map *m,
		       const struct ms_poll *now)
{
	if (m->seen && m->last_sweepgen == f->sweepgen &&
	    (now->entries != m->last.entries || now->frontier != m->last.frontier ||
	     now->table != m->last.table))
		m->alive_sweepgen = f->sweepgen;
}

static struct ms_error *map_take(struct ms_followed *f, size_t i, struct ms_followed_pending *p,
				 struct ms_moment at, ms_followed_fn fn, void *context)
{
	struct ms_followed_map *m = &f->items[f->due.items[i]];
	const struct ms_followed_look look = { .now = &f->read.items[i],
					       .at = at,
					       .tables = p && !p->failed ? &p->look : NULL,
					       .is_first = !m->seen };
	struct ms_error *err;

	alive_note(f, m, look.now);
	err = fn(context, m, &look);
	if (!err && f->also)
		err = f->also(f->also_context, m, &look);
	if (err)
		return err;
	if (p && p->failed)
		m->wait = (uint16_t)ms_min_u64(m->wait * 2u, MS_FOLLOWED_REST);
	else
		m->wait = (uint16_t)wait_next(f, m, look.now, at.to);
	if (look.tables)
		tables_keep(m, p, &look);
	if (!m->seen)
		m->since_s = at.to;
	f->growing += look.now->growing;
	f->growing -= m->seen && m->last.growing;
	m->last = *look.now;
	m->last_at = at;
	m->last_sweepgen = f->sweepgen;
	m->seen = true;
	m->doubts = 0;
	return NULL;
}

static struct ms_error *maps_take(struct ms_followed *f, struct ms_moment at, ms_followed_fn fn,
				  void *context)
{
	struct ms_error *err = NULL;

	for (size_t i = 0, look = 0; i < f->due.count; i++) {
		struct ms_followed_map *m = &f->items[f->due.items[i]];
		bool valid = f->read.items[i].valid, looked;

		looked = look < f->looks.count && f->looks.items[look].due == i;
		if (valid && !err)
			err =
			    map_take(f, i, looked ? &f->looks.items[look] : NULL, at, fn, context);
		else if (m->wait < MS_FOLLOWED_REST)
			m->wait = (uint16_t)ms_min_u64(m->wait * 2u, MS_FOLLOWED_REST);
		look += looked;
		if (!m->is_parked)
			wheel_add(f, m, m->wait);
	}
	return err;
}

/** Time of all our threads on a core: reads are done by another one than this. */
static double cpu_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/** Where it cannot be read, the last one stands. */
static struct ms_error *sweepgen_read(struct ms_followed *f)
{
	struct ms_error *err = ms_go_sweepgen(f->rt, &f->sweepgen);

	if (!err || ms_error_code(err) != MS_ERR_FAULT)
		return err;
	ms_error_free(err);
	return NULL;
}

static void cost_note(struct ms_followed *f, double taken)
{
	if (f->round == f->slots)
		return; // All were due at once.
	f->cost_s += COST_WEIGHT * (taken / f->slots - f->cost_s);
	f->round_s = fmin(fmax(f->cost_s / SHARE, ROUND_MIN_S), ROUND_MAX_S);
}

struct ms_error *ms_followed_round(struct ms_followed *f, double (*clock)(void *context),
				   ms_followed_fn fn, void *context)
{
	struct ms_moment at = { .from = clock(context) };
	double began = cpu_now();
	struct ms_error *err;

	err = due_collect(f, at.from);
	if (!err)
		err = sweepgen_read(f);
	if (!err && f->due.count)
		err = ms_poll_maps(f->rt, f->read.items, f->due.count);
	if (err)
		return err;
	f->polls += f->due.count;
	ms_fetch_reset(&f->fetch);
	err = reads_check(f);
	if (!err)
		err = tables_look(f, at.from);
	at.to = clock(context);
	if (!err)
		err = maps_take(f, at, fn, context);
	for (size_t i = 0; i < f->looks.count; i++)
		ms_table_look_deinit(&f->looks.items[i].look);
	f->looks.count = 0;
	cost_note(f, cpu_now() - began);
	return err;
}
