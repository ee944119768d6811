// memory_profile.c - a list of buckets outside of the heap.
//
//	bucket	next, allnext, typ, hash, size, nstk	stk[nstk]	memRecord
//
// The variable that holds the first has no symbol in a stripped program; it is not initialised, so
// it lies where the file has zeros, and what it points to proves itself: typ is that of a memory
// profile, the stack is of code, and allnext leads to another of the kind.  Such memory comes from
// persistentalloc in the order of time, so windows of it hold many buckets in a row.
//
// A bucket is never moved or freed, new ones come at the front.  Its counts change under our eyes:
// active is what was published, three more are still to be added (memRecord).  Up to Go 1.26 a
// cycle has two counts of objects and two of bytes, from 1.27 on the two of objects alone.
//
// One in MemProfileRate bytes is sampled.  That variable is the first that runtime.nextSample
// loads.
#include "golang/memory_profile.h"

#include "base/cleanup.h"
#include "base/vec.h"
#include "golang/profile_rate.h"
#include "golang/scan.h"
#include "golang/spans.h"

#include <math.h>
#include <stdlib.h>

enum {
	NEXT_ALL = 8,
	TYP = 16,
	SIZE = 32,
	STACK_WORDS = 40,
	HEAD_BYTES = 48,
	TYP_MEMORY = 1, // memProfile; 2 and 3 are of blocking and mutexes.
	STACK_MAX = 1024,
	CYCLES = 4, // active and three to come.
	CYCLE_BYTES_OLD = 32,
	CYCLE_BYTES_NEW = 16,
	BUCKET_BYTES_MAX = HEAD_BYTES + STACK_MAX * 8 + CYCLES * CYCLE_BYTES_OLD,
	CANDIDATES_MAX = 1 << 14,
	CHAIN_MIN = 2, // A program that runs has allocated at more places than one.
	CHAIN_LOOK = 64,
	ROWS_MAX = 1 << 17,
	WINDOW_BYTES = 64 << 10,
	WINDOWS = 8,
};

// --- Windows of memory. ---

struct windows {
	struct ms_go_runtime *rt;
	struct window {
		ms_addr start;
		size_t size; // 0: nothing is known of it.
	} items[WINDOWS];
	uint8_t bytes[WINDOWS][WINDOW_BYTES];
	size_t next;
	struct ms_error *lost; // The target is gone.
};

static const uint8_t *window_get(struct windows *w, ms_addr at, size_t size)
{
	for (size_t i = 0; i < WINDOWS; i++) {
		const struct window *x = &w->items[i];

		if (x->size && at >= x->start && at - x->start <= x->size &&
		    x->size - (at - x->start) >= size)
			return w->bytes[i] + (at - x->start);
	}
	return NULL;
}

/** The bytes at @p at, or NULL where they cannot be read. */
static const uint8_t *bytes_at(struct windows *w, ms_addr at, size_t size)
{
	const uint8_t *known = window_get(w, at, size);
	const struct ms_region *region = known ? NULL : ms_regions_find(&w->rt->regions, at);
	ms_addr start, end;
	struct ms_error *err;
	size_t slot = w->next;

	if (known || w->lost)
		return known;
	if (!region || region->kind != MS_REGION_ANON || region->end - at < size)
		return NULL;
	// Older buckets, which are read next, lie before it.
	end = ms_min_u64(region->end, at + size + WINDOW_BYTES / 8);
	start = end - region->start > WINDOW_BYTES ? end - WINDOW_BYTES : region->start;
	if (start > at || at + size > end)
		return NULL;
	w->next = (w->next + 1) % WINDOWS;
	w->items[slot] = (struct window){ start, 0 };
	err = ms_target_read(w->rt->target, start, w->bytes[slot], (size_t)(end - start));
	if (err && ms_error_code(err) == MS_ERR_FAULT) { // Perhaps without its neighbours.
		ms_error_free(err);
		start = at;
		end = at + size;
		w->items[slot].start = start;
		err = ms_target_read(w->rt->target, start, w->bytes[slot], size);
	}
	if (err && ms_error_code(err) == MS_ERR_FAULT) {
		ms_error_free(err);
		return NULL;
	}
	w->lost = err;
	if (err)
		return NULL;
	w->items[slot].size = (size_t)(end - start);
	return w->bytes[slot] + (at - start);
}

// --- Buckets. ---

struct bucket {
	ms_addr next;
	uint64_t size, words;
};

static bool is_code(const struct ms_go_runtime *rt, ms_addr pc)
{
	for (size_t i = 0; i < rt->module_count; i++) {
		if (pc > rt->modules[i].text && pc <= rt->modules[i].etext)
			return true;
	}
	return false;
}

static bool bucket_parse(const struct ms_go_runtime *rt, const uint8_t *head,
			 struct bucket *ret_bucket)
{
	struct bucket b = { .next = ms_load_u64(head + NEXT_ALL),
			    .size = ms_load_u64(head + SIZE),
			    .words = ms_load_u64(head + STACK_WORDS) };

	if (ms_load_u64(head + TYP) != TYP_MEMORY || !b.words || b.words > STACK_MAX ||
	    b.size > (uint64_t)1 << 47 || (b.next & 7))
		return false;
	*ret_bucket = b;
	return is_code(rt, ms_load_u64(head + HEAD_BYTES));
}

/** A bucket with all that is behind its head, or NULL. */
static const uint8_t *bucket_read(struct windows *w, ms_addr at, struct bucket *ret_bucket)
{
	const uint8_t *head = bytes_at(w, at, HEAD_BYTES + 8);

	if (!head || !bucket_parse(w->rt, head, ret_bucket))
		return NULL;
	return bytes_at(w, at, HEAD_BYTES + ret_bucket->words * 8 + CYCLES * CYCLE_BYTES_NEW);
}

/** How many good buckets in a row begin at @p at, up to @p most. */
static size_t chain_length(struct windows *w, ms_addr at, size_t most)
{
	size_t count = 0;
	struct bucket b;

	while (count < most && at && bucket_read(w, at, &b)) {
		count++;
		at = b.next;
	}
	return at && count < most ? 0 : count; // A list ends with nil, or is none.
}

// --- Finding it. ---

struct search {
	struct ms_go_runtime *rt;
	struct ms_spans spans;
	struct candidates {
		struct candidate {
			ms_addr place, value;
		} * items;
		size_t count, capacity;
	} candidates;
	bool no_memory;
};

static void offer(const uint8_t *raw, ms_addr at, void *context)
{
	struct search *s = context;
	ms_addr value = ms_load_u64(raw);
	const struct ms_region *region;

	if (!value || (value & 7) || s->candidates.count == CANDIDATES_MAX)
		return;
	region = ms_regions_find(&s->rt->regions, value);
	if (!region || region->kind != MS_REGION_ANON || ms_spans_has_arena(&s->spans, value))
		return;
	if (!ms_vec_push(&s->candidates, { at, value }))
		s->no_memory = true;
}

static struct ms_error *list_find(struct windows *w, struct search *s, ms_addr *ret_list)
{
	struct ms_error *err = ms_spans_load(s->rt, &s->spans);
	size_t best = CHAIN_MIN - 1;

	*ret_list = 0;
	if (!err)
		err = ms_go_scan_zeroed(s->rt, 8, offer, s);
	if (!err && s->no_memory)
		err = ms_error_no_memory();
	for (size_t i = 0; !err && i < s->candidates.count && !w->lost; i++) {
		size_t length = chain_length(w, s->candidates.items[i].value, CHAIN_LOOK);

		if (length > best) {
			best = length;
			*ret_list = s->candidates.items[i].place;
		}
	}
	if (!err && w->lost) {
		err = w->lost;
		w->lost = NULL;
	}
	return err;
}

/**
 * What one bucket says: words behind two counts of objects that are their bytes, or are not.  Of
 * cycles beyond the first two only the former counts: with the new form another bucket lies there.
 */
static void cycles_judge(const uint8_t *cycles, uint64_t size, size_t *with_bytes, size_t *without)
{
	for (unsigned i = 0; i < CYCLES; i++) {
		uint64_t allocs = ms_load_u64(cycles + i * CYCLE_BYTES_OLD);
		uint64_t bytes = ms_load_u64(cycles + i * CYCLE_BYTES_OLD + 16);

		if (allocs && size && bytes == allocs * size)
			(*with_bytes)++;
		else if ((allocs || bytes) && i < CYCLES / 2)
			(*without)++; // Bytes of no object are a count of something else.
	}
}

/** Whether cycles have counts of bytes; 0 when their buckets do not agree. */
static uint32_t cycle_bytes_find(struct windows *w, ms_addr at)
{
	size_t with_bytes = 0, without = 0;
	struct bucket b;

	for (size_t i = 0; i < ROWS_MAX && at && with_bytes + without < CHAIN_LOOK; i++) {
		const uint8_t *raw = bucket_read(w, at, &b);

		if (!raw)
			break;
		raw = bytes_at(w, at, HEAD_BYTES + b.words * 8 + CYCLES * CYCLE_BYTES_OLD);
		if (raw)
			cycles_judge(raw + HEAD_BYTES + b.words * 8, b.size, &with_bytes, &without);
		at = b.next;
	}
	if (with_bytes > 4 * without)
		return CYCLE_BYTES_OLD;
	return without > 4 * with_bytes ? CYCLE_BYTES_NEW : 0;
}

struct ms_error *ms_profile_find(struct ms_go_runtime *rt, struct ms_profile_place *ret_place)
{
	MS_AUTO_FREE struct windows *w = calloc(1, sizeof(*w));
	struct ms_profile_place place = { .rate = MS_UNKNOWN };
	struct search search = { .rt = rt };
	struct ms_error *err;
	uint8_t raw[8];

	if (!w)
		return ms_error_no_memory();
	w->rt = rt;
	err = ms_profile_rate_read(rt, &place.rate);
	if (!err && place.rate == 0)
		err = ms_error_new(MS_ERR_UNSUPPORTED,
				   "runtime.MemProfileRate is 0: nothing in the program uses the "
				   "memory profile, or it was switched off");
	if (!err)
		err = list_find(w, &search, &place.list);
	if (!err && !place.list)
		err = ms_error_new(MS_ERR_UNSUPPORTED, "no memory profile was found");
	if (!err)
		err = ms_target_read(rt->target, place.list, raw, sizeof(raw));
	if (!err)
		place.cycle_bytes = cycle_bytes_find(w, ms_load_u64(raw));
	if (!err && w->lost)
		err = w->lost;
	else
		ms_error_free(w->lost);
	if (!err && !place.cycle_bytes)
		err = ms_error_new(
		    MS_ERR_UNSUPPORTED,
		    "the counts of the memory profile are unlike those of any release");
	ms_spans_deinit(&search.spans);
	ms_vec_free(&search.candidates);
	if (!err)
		*ret_place = place;
	return err;
}

// --- Reading it. ---

struct rows {
	struct ms_profile_row *items;
	size_t count, capacity;
};

struct pcs {
	ms_addr *items;
	size_t count, capacity;
};

static bool row_add(struct rows *rows, struct pcs *pcs, const uint8_t *raw, const struct bucket *b,
		    ms_addr at, uint32_t cycle_bytes)
{
	const uint8_t *cycles = raw + HEAD_BYTES + b->words * 8;
	struct ms_profile_row row = { .address = at,
				      .size_bytes = b->size,
				      .first_pc = pcs->count };
	uint64_t frees = ms_load_u64(cycles + 8), all_frees = 0;

	row.pc_count = (uint32_t)ms_min_u64(b->words, MS_PROFILE_PCS_MAX);
	for (uint32_t i = 0; i < row.pc_count; i++) {
		if (!ms_vec_push(pcs, ms_load_u64(raw + HEAD_BYTES + i * 8)))
			return false;
	}
	for (unsigned i = 0; i < CYCLES; i++) {
		row.allocs += ms_load_u64(cycles + i * cycle_bytes);
		all_frees += ms_load_u64(cycles + i * cycle_bytes + 8);
	}
	row.in_use_now = row.allocs > all_frees ? row.allocs - all_frees : 0;
	row.in_use = ms_load_u64(cycles);
	row.in_use = row.in_use > frees ? row.in_use - frees : 0;
	return ms_vec_push(rows, row);
}

static int by_address(const void *a, const void *b)
{
	const struct ms_profile_row *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

struct ms_error *ms_profile_read(struct ms_go_runtime *rt, const struct ms_profile_place *place,
				 struct ms_profile *ret_profile)
{
	MS_AUTO_FREE struct windows *w = calloc(1, sizeof(*w));
	struct rows rows = { 0 };
	struct pcs pcs = { 0 };
	struct ms_error *err;
	bool ok = true;
	uint8_t raw[8];
	ms_addr at;

	if (!w)
		return ms_error_no_memory();
	w->rt = rt;
	err = ms_go_refresh(rt); // New buckets may lie in new mappings.
	if (!err)
		err = ms_target_read(rt->target, place->list, raw, sizeof(raw));
	if (err)
		return err;
	at = ms_load_u64(raw);
	while (at && ok && rows.count < ROWS_MAX) {
		struct bucket b;
		const uint8_t *bytes = bucket_read(w, at, &b);

		if (bytes)
			bytes =
			    bytes_at(w, at, HEAD_BYTES + b.words * 8 + CYCLES * place->cycle_bytes);
		if (!bytes)
			break;
		ok = row_add(&rows, &pcs, bytes, &b, at, place->cycle_bytes);
		at = b.next;
	}
	err = w->lost ? w->lost : ok ? NULL : ms_error_no_memory();
	if (err) {
		ms_vec_free(&rows);
		ms_vec_free(&pcs);
		return err;
	}
	if (rows.count)
		qsort(rows.items, rows.count, sizeof(*rows.items), by_address);
	*ret_profile = (struct ms_profile){ rows.items, rows.count,   rows.capacity, pcs.items,
					    pcs.count,  pcs.capacity, at != 0 };
	return NULL;
}

double ms_profile_scaled_bytes(uint64_t objects, uint64_t size_bytes, uint64_t rate)
{
	double bytes = (double)objects * (double)size_bytes;

	if (rate <= 1 || rate == MS_UNKNOWN || !size_bytes)
		return bytes;
	return bytes / (1 - exp(-(double)size_bytes / (double)rate));
}

void ms_profile_deinit(struct ms_profile *profile)
{
	free(profile->rows);
	free(profile->pcs);
	*profile = (struct ms_profile){ 0 };
}
