// places.c - from parked goroutines to places, one for all that wait for the same thing.
//
//	frames ──► waits ──► addresses ──► walk: names, types, maps ──► places ──► holders
//
// Goroutines that wait for one RWMutex wait for one of its two semaphores, or for the mutex inside;
// once the walk has said where the lock begins these are one place for readers and one for writers.
// A select waits for several channels: it is counted with the one for which most wait.
#include "goroutines/places.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/vec.h"
#include "goroutines/lock_holders.h"
#include "goroutines/look_clock.h"
#include "goroutines/waits.h"
#include "walk/walk.h"

#include <math.h>

enum { WANTS_MAX = 1 << 16 };

static const double WALK_SECONDS_MAX = 10;

struct places {
	struct ms_waits waits;
	struct ms_lock_holders holders;
	struct ms_walk_want *wants; // By address.
	size_t want_count;
	struct ms_number_map place_of; // By address and kind: index in the report's places.
	struct {
		struct ms_held_lock *items; // By address.
		size_t count, capacity;
	} locks;
};

static void places_destroy(void *state)
{
	struct places *p = state;

	if (!p)
		return;
	ms_waits_deinit(&p->waits);
	ms_lock_holders_deinit(&p->holders);
	ms_number_map_deinit(&p->place_of);
	ms_vec_free(&p->locks);
	free(p->wants);
	free(p);
}

static struct ms_error *places_start(struct ms_goroutines_run *run, void **ret_state)
{
	struct places *p = calloc(1, sizeof(*p));
	struct ms_error *err;

	if (!p)
		return ms_error_no_memory();
	err = ms_waits_init(&p->waits, run->rt);
	if (!err)
		err = ms_lock_holders_init(&p->holders, run->rt, run->functions);
	if (err)
		places_destroy(p);
	else
		*ret_state = p;
	return err;
}

static struct ms_error *places_goroutine(struct ms_goroutines_run *run, void *state,
					 const struct ms_goroutine *g,
					 const struct ms_frames *frames,
					 struct ms_goroutine_row *row)
{
	struct places *p = state;
	uint32_t index = (uint32_t)(row - run->report->rows);
	struct ms_error *err = ms_waits_add(&p->waits, g, frames, index);

	return err ? err : ms_lock_holders_add(&p->holders, g, frames, row->stack, index);
}

// --- Selects. ---

/** Each select counts with the channel that most wait for. */
static struct ms_error *choose_channels(struct ms_waits *w)
{
	struct ms_number_map counts = { 0 };
	struct ms_error *err = NULL;

	for (size_t i = 0; i < w->count + w->choices.count && !err; i++) {
		bool plain = i < w->count;
		ms_addr channel =
		    plain ? w->items[i].object : w->choices.items[i - w->count].channel;
		uint32_t *count;

		if (!channel || (plain && !ms_wait_is_channel(w->items[i].kind)))
			continue;
		count = ms_number_map_find(&counts, channel);
		if (count)
			(*count)++;
		else if (!ms_number_map_add(&counts, channel, 1))
			err = ms_error_no_memory();
	}
	for (size_t i = 0; i < w->count && !err; i++) {
		struct ms_wait *wait = &w->items[i];
		uint32_t most = 0;

		for (uint32_t k = 0; k < wait->choices; k++) {
			ms_addr channel = w->choices.items[wait->first_choice + k].channel;
			const uint32_t *count = ms_number_map_find(&counts, channel);

			if (!count || *count < most ||
			    (*count == most && wait->object && channel > wait->object))
				continue;
			most = *count;
			wait->object = channel;
		}
	}
	ms_number_map_deinit(&counts);
	return err;
}

// --- Names. ---

static int by_address(const void *a, const void *b)
{
	const struct ms_walk_want *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

/** What is waited for, each once, by address; of those who wait for it the first is the user. */
static struct ms_error *wants_collect(struct places *p)
{
	struct {
		struct ms_walk_want *items;
		size_t count, capacity;
	} wants = { 0 };
	struct ms_number_map seen = { 0 };
	bool ok = true;

	for (size_t i = 0; i < p->waits.count && ok; i++) {
		const struct ms_wait *wait = &p->waits.items[i];

		if (!wait->object || wait->ended || ms_number_map_find(&seen, wait->object))
			continue;
		ok = ms_vec_push(&wants, { .address = wait->object,
					   .user = wait->user,
					   .is_channel = ms_wait_is_channel(wait->kind) }) &&
		     ms_number_map_add(&seen, wait->object, 1);
	}
	ms_number_map_deinit(&seen);
	if (wants.count)
		qsort(wants.items, wants.count, sizeof(*wants.items), by_address);
	p->wants = wants.items;
	p->want_count = wants.count;
	return ok ? NULL : ms_error_no_memory();
}

static struct ms_error *find_names(struct ms_goroutines_run *run, struct places *p)
{
	struct ms_error *err = wants_collect(p);

	if (err || !p->want_count || p->want_count > WANTS_MAX)
		return err; // A channel for each goroutine: names would tell nothing.
	return ms_walk_find(run->rt, WALK_SECONDS_MAX, p->wants, p->want_count,
			    &run->report->arena);
}

static const struct ms_walk_want *want_of(const struct places *p, ms_addr address)
{
	const struct ms_walk_want key = { .address = address };

	return p->want_count && address
		   ? bsearch(&key, p->wants, p->want_count, sizeof(key), by_address)
		   : NULL;
}

// --- Places. ---

static const char *why_nameless(const struct ms_wait *wait, const struct ms_walk_want *want)
{
	if (wait->kind == MS_WAIT_FOREVER)
		return "a nil channel, or a select without cases";
	if (!wait->object)
		return "its frame does not show what it waits for";
	if (want && want->is_global)
		return "a variable whose name the program has not kept";
	if (want && want->owner)
		return "nothing says of which type the object is that it lies in";
	return "nothing that could be followed leads to it";
}

static void place_name(struct ms_wait_place *place, const struct ms_wait *wait,
		       const struct ms_walk_want *want)
{
	if (want) {
		place->name = want->name;
		place->owner = want->owner;
		if (ms_wait_is_lock(wait->kind)) {
			place->map = want->map_owner;
			place->maps = want->maps;
		}
	}
	if (!place->name)
		place->unknown = why_nameless(wait, want);
}

static struct ms_error *place_get(struct ms_goroutines_report *r, struct places *p,
				  const struct ms_wait *wait, uint32_t *ret_index)
{
	const struct ms_walk_want *want = want_of(p, wait->object);
	ms_addr lock = ms_lock_address(&p->holders.layout, wait),
		address = lock ? lock : wait->object;
	uint64_t key = ms_hash_number(address ^ (uint64_t)wait->kind << 56) | 1;
	struct ms_wait_place place = { .address = address,
				       .kind = ms_wait_kind_name(wait->kind),
				       .oldest_s = NAN,
				       .holder_stack = MS_NO_STACK,
				       .length = MS_UNKNOWN,
				       .capacity = MS_UNKNOWN };
	struct {
		struct ms_wait_place *items;
		size_t count, capacity;
	} places = { r->places, r->place_count, r->place_capacity };
	const uint32_t *known = ms_number_map_find(&p->place_of, key);
	bool added;

	if (known) {
		*ret_index = *known;
		return NULL;
	}
	place_name(&place, wait, want);
	added = ms_vec_push(&places, place);
	r->places = places.items;
	r->place_count = places.count;
	r->place_capacity = places.capacity;
	*ret_index = (uint32_t)r->place_count - 1;
	return added && ms_number_map_add(&p->place_of, key, *ret_index) ? NULL
									 : ms_error_no_memory();
}

/** A nil channel has no sudog, so what it waits for is known all the same. */
static bool is_for_nil(const struct ms_wait *wait, const struct ms_goroutine_row *row)
{
	return !wait->object && ms_wait_is_channel(wait->kind) && row->wait_reason &&
	       strstr(row->wait_reason, "(nil chan)");
}

static struct ms_error *make_places(struct ms_goroutines_run *run, struct places *p)
{
	struct ms_goroutines_report *r = run->report;
	double now = ms_look_clock(run);

	for (size_t i = 0; i < p->waits.count; i++) {
		struct ms_wait *wait = &p->waits.items[i];
		struct ms_wait_place *place;
		struct ms_error *err;
		uint32_t index;

		if (wait->ended)
			continue;
		if (is_for_nil(wait, &r->rows[wait->row]))
			wait->kind = MS_WAIT_FOREVER;
		err = place_get(r, p, wait, &index);
		if (err)
			return err;
		place = &r->places[index];
		place->waiting++;
		place->choices = wait->choices > place->choices ? wait->choices : place->choices;
		if (wait->since) // fmax leaves out what is not a number.
			place->oldest_s =
			    fmax(place->oldest_s, fmax(now - (double)wait->since / 1e9, 0));
		r->rows[wait->row].place = index;
	}
	return NULL;
}

// --- Channels. ---

static struct ms_error *look_into_channels(struct ms_goroutines_run *run, struct places *p)
{
	const struct ms_go_layout *l = run->rt->layout;
	struct ms_goroutines_report *r = run->report;
	uint32_t size = l->hchan_closed + 4;
	struct ms_fetch *fetch = &p->waits.fetch;
	struct ms_error *err = NULL;
	uint32_t want = 0;

	ms_fetch_reset(fetch);
	for (unsigned write = 0; write < 2 && !err; write++) {
		for (size_t i = 0; i < r->place_count && !err; i++) {
			struct ms_wait_place *place = &r->places[i];
			const uint8_t *raw;

			if (!place->address || (strncmp(place->kind, "channel", 7) != 0 &&
						strcmp(place->kind, "select") != 0))
				continue;
			if (!write) {
				err = ms_fetch_add(fetch, place->address, size, &want);
				continue;
			}
			raw = ms_fetch_bytes(fetch, want++);
			if (!raw || ms_load_u64(raw + l->hchan_qcount) >
					ms_load_u64(raw + l->hchan_dataqsiz))
				continue;
			place->length = ms_load_u64(raw + l->hchan_qcount);
			place->capacity = ms_load_u64(raw + l->hchan_dataqsiz);
			place->is_closed = ms_load_u32(raw + l->hchan_closed) != 0;
		}
		if (!write && !err && fetch->count)
			err = ms_fetch_run(fetch, run->rt->target);
		want = 0;
	}
	return err;
}

// --- Maps. ---

/** The headers that the guarding fields lead to. */
static struct ms_error *find_maps(struct ms_goroutines_run *run, struct places *p)
{
	struct ms_goroutines_report *r = run->report;

	for (size_t i = 0; i < p->waits.count; i++) {
		const struct ms_wait *wait = &p->waits.items[i];
		const struct ms_walk_want *want = want_of(p, wait->object);
		struct ms_goroutine_row *row = &r->rows[wait->row];
		struct ms_wait_place *place;
		uint8_t word[8];
		struct ms_error *err;

		if (wait->ended || row->place == MS_NO_PLACE || !want || !want->map_word)
			continue;
		place = &r->places[row->place];
		if (!place->map)
			continue;
		if (!place->map_address) {
			err = ms_target_read(run->rt->target, want->map_word, word, sizeof(word));
			if (err && ms_error_code(err) != MS_ERR_FAULT)
				return err;
			if (!err)
				place->map_address = ms_load_u64(word);
			ms_error_free(err);
		}
		if (row->role == MS_ROLE_NONE) {
			row->role = MS_ROLE_WAITS;
			row->map = place->map_address;
			row->map_owner = place->map;
		}
	}
	return NULL;
}

// --- Holders. ---

static int by_lock(const void *a, const void *b)
{
	const struct ms_held_lock *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

static struct ms_error *collect_locks(struct places *p)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->waits.count; i++) {
		const struct ms_wait *wait = &p->waits.items[i];
		ms_addr lock = wait->ended ? 0 : ms_lock_address(&p->holders.layout, wait);

		if (lock && !ms_vec_push(&p->locks,
					 { .address = lock, .is_rw = wait->kind != MS_WAIT_MUTEX }))
			return ms_error_no_memory();
	}
	if (!p->locks.count)
		return NULL;
	qsort(p->locks.items, p->locks.count, sizeof(*p->locks.items), by_lock);
	for (size_t i = 0; i < p->locks.count; i++) {
		if (!kept || p->locks.items[kept - 1].address != p->locks.items[i].address)
			p->locks.items[kept++] = p->locks.items[i];
	}
	p->locks.count = kept;
	return ms_lock_holders_find(&p->holders, p->locks.items, p->locks.count);
}

/** The holder's stack from the function that holds the lock outwards. */
static struct ms_error *stack_from(struct ms_goroutines_run *run, const struct ms_holding *h,
				   uint32_t *ret_stack)
{
	struct ms_goroutines_report *r = run->report;
	uint32_t whole = r->rows[h->row].stack, first = 0, count = 0;
	MS_AUTO_FREE struct ms_stack_pc *pcs = NULL;
	const struct ms_stack *stack;

	*ret_stack = MS_NO_STACK;
	if (whole >= r->stacks.count)
		return NULL;
	stack = &r->stacks.items[whole];
	while (first < stack->count && stack->calls[first].pc != h->pc)
		first++;
	if (first == stack->count)
		return NULL;
	pcs = calloc(stack->count, sizeof(*pcs));
	if (!pcs)
		return ms_error_no_memory();
	for (uint32_t i = first; i < stack->count; i++) {
		if (!count || pcs[count - 1].pc != stack->calls[i].pc)
			pcs[count++] = (struct ms_stack_pc){ stack->calls[i].pc, false };
	}
	return ms_stack_book_add(run->book, pcs, count, stack->cut, ret_stack);
}

static const char *state_text(const struct ms_held_lock *lock)
{
	if (!lock->has_state)
		return NULL;
	if (!lock->is_rw)
		return !lock->state.is_locked    ? "free"
		       : lock->state.is_starving ? "held, and handed from one to the next"
						 : "held";
	if (lock->state.is_locked)
		return "held by a writer";
	if (lock->state.writer_waits)
		return lock->state.readers == 1 ? "held by one reader, a writer waits"
						: "held by readers, a writer waits";
	return !lock->state.readers       ? "free"
	       : lock->state.readers == 1 ? "held by one reader"
					  : "held by readers";
}

static struct ms_error *name_holders(struct ms_goroutines_run *run, struct places *p)
{
	struct ms_error *err = collect_locks(p);

	for (size_t i = 0; i < run->report->place_count && !err; i++) {
		struct ms_wait_place *place = &run->report->places[i];
		const struct ms_held_lock key = { .address = place->address };
		const struct ms_held_lock *lock =
		    p->locks.count
			? bsearch(&key, p->locks.items, p->locks.count, sizeof(key), by_lock)
			: NULL;
		bool is_lock = !strcmp(place->kind, ms_wait_kind_name(MS_WAIT_MUTEX)) ||
			       !strncmp(place->kind, "rwmutex", 7);

		if (!is_lock)
			continue;
		if (!lock) {
			place->holder_unknown = place->address
						    ? "the program does not describe its locks"
						    : "it is not known which lock it is";
			continue;
		}
		place->state = state_text(lock);
		place->holder_unknown = lock->unknown;
		if (!lock->holding)
			continue;
		place->holder = lock->holding->id;
		err = stack_from(run, lock->holding, &place->holder_stack);
	}
	return err;
}

// --- Order. ---

struct ranked {
	uint64_t waiting;
	uint32_t index;
};

static int by_waiting(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->waiting != y->waiting)
		return x->waiting > y->waiting ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

/** Most waited for first; rows keep theirs. */
static struct ms_error *sort_places(struct ms_goroutines_report *r)
{
	MS_AUTO_FREE struct ranked *order = calloc(r->place_count + 1, sizeof(*order));
	MS_AUTO_FREE uint32_t *moved = calloc(r->place_count + 1, sizeof(*moved));
	struct ms_wait_place *sorted = calloc(r->place_count + 1, sizeof(*sorted));

	if (!order || !moved || !sorted) {
		free(sorted);
		return ms_error_no_memory();
	}
	for (size_t i = 0; i < r->place_count; i++)
		order[i] = (struct ranked){ r->places[i].waiting, (uint32_t)i };
	if (r->place_count)
		qsort(order, r->place_count, sizeof(*order), by_waiting);
	for (size_t i = 0; i < r->place_count; i++) {
		sorted[i] = r->places[order[i].index];
		moved[order[i].index] = (uint32_t)i;
	}
	for (size_t i = 0; i < r->row_count; i++) {
		if (r->rows[i].place < r->place_count)
			r->rows[i].place = moved[r->rows[i].place];
	}
	free(r->places);
	r->places = sorted;
	r->place_capacity = r->place_count + 1;
	return NULL;
}

static struct ms_error *places_end(struct ms_goroutines_run *run, void *state)
{
	struct places *p = state;
	struct ms_error *err;

	if (!p->waits.count)
		return NULL;
	err = ms_waits_find(&p->waits);
	if (!err)
		err = choose_channels(&p->waits);
	if (!err)
		err = find_names(run, p);
	if (!err)
		err = make_places(run, p);
	if (!err)
		err = look_into_channels(run, p);
	if (!err)
		err = find_maps(run, p);
	if (!err)
		err = name_holders(run, p);
	return err ? err : sort_places(run->report);
}

const struct ms_goroutines_pass ms_places_pass = {
	.name = "places",
	.start = places_start,
	.goroutine = places_goroutine,
	.end = places_end,
	.destroy = places_destroy,
};
