// retained.c - a mark phase from outside, like the collector's, in two parts.
//
//	1. from data and stacks, past the headers of the maps asked about, which are left out
//	2. from each of these maps in turn: what is new belongs to it alone
//
// What a later map reaches too belongs to neither, and what hangs on that likewise: it is gone
// through once more, as shared.  A map that only another one of them leads to comes after that one,
// and what it holds counts for both.
//
// Objects wait by span, as in Green Tea: while a span stands in the queue, more of its objects
// become known, and one read serves them all.  A byte for each object says who has reached it.
#include "walk/retained.h"

#include "base/cleanup.h"
#include "golang/goroutines.h"
#include "golang/spans.h"
#include "target/fetch.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	WORD_BYTES = 8,
	UNSEEN = 0,
	REST = 1,
	FIRST_ASK = 2, // And one for each ask.
	SHARED = 255,
	BATCH_BYTES = 1 << 20,
	CHUNK_BYTES = 256 << 10, // Of a large object, of data.
	STACK_BYTES_MAX = 1 << 20,
	TRIE_BYTES = 48, // internal/sync.HashTrieMap, Go 1.24 to 1.27.
	ASK_NONE = -1,
	ASK_REST = -2,
	ASK_MANY = -3,
};

static const uint64_t OBJECTS_MAX = (uint64_t)1 << 30;

/** Where a map's header lies: its words are the map's, not those of what it lies in. */
struct header {
	ms_addr start;
	size_t ask;
	bool is_met;
};

struct span_note {
	uint64_t first;  // Its first object's number.
	uint32_t divide; // offset * divide >> 32 is the object; 0: there is only one.
	bool is_queued;
	bool has_header;
};

struct mark {
	struct ms_go_runtime *rt;
	const struct ms_retained_options *options;
	struct ms_retained_ask *asks;
	size_t ask_count;
	struct ms_retained_figures *figures;
	struct ms_spans spans;
	struct span_note *notes;
	uint8_t *reached;  // By object.
	uint64_t *pending; // Bits by object: reached, and not gone through.
	uint32_t *queue;   // Of spans, a ring.
	size_t head, queued;
	ms_addr lo, hi; // Of all spans.
	struct header *headers;
	size_t header_count;
	uint32_t header_bytes;
	int *met_by; // By ask: ASK_..., or the ask that leads to it.
	struct ms_fetch fetch;
	uint8_t *chunk;
	double until;
	bool is_over;
};

static double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/** Between batches. */
static bool is_over(struct mark *m)
{
	const struct ms_retained_options *o = m->options;

	if (!m->is_over)
		m->is_over = (o->tick && o->tick(o->tick_context)) ||
			     (o->seconds > 0 && seconds_now() >= m->until);
	return m->is_over;
}

// --- Who has reached an object. ---

static bool is_ask(uint8_t reached)
{
	return reached >= FIRST_ASK && reached != SHARED;
}

/** Whether the ask of @p child is only reached through that of @p above. */
static bool is_below(const struct mark *m, uint8_t child, uint8_t above)
{
	int ask = child - FIRST_ASK;

	for (size_t steps = 0; ask >= 0 && steps < m->ask_count; steps++) {
		ask = m->met_by[ask];
		if (ask == above - FIRST_ASK)
			return true;
	}
	return false;
}

/** Of an object that @p was has reached, when @p by comes to it. */
static uint8_t reached_next(const struct mark *m, uint8_t was, uint8_t by)
{
	if (was == REST || was == SHARED || was == by)
		return was;
	if (by == SHARED || was == UNSEEN)
		return by;
	return is_below(m, by, was) ? was : SHARED;
}

static void account(struct mark *m, const struct ms_span *s, uint8_t was, uint8_t now)
{
	uint64_t bytes = s->elem_bytes, scan = ms_span_has_pointers(s) ? bytes : 0;

	if (was == UNSEEN) {
		m->figures->objects++;
		m->figures->bytes += bytes;
		m->figures->scan_bytes += scan;
	}
	if (is_ask(was)) {
		m->asks[was - FIRST_ASK].objects--;
		m->asks[was - FIRST_ASK].bytes -= bytes;
		m->asks[was - FIRST_ASK].scan_bytes -= scan;
	}
	if (is_ask(now)) {
		m->asks[now - FIRST_ASK].objects++;
		m->asks[now - FIRST_ASK].bytes += bytes;
		m->asks[now - FIRST_ASK].scan_bytes += scan;
	}
}

static void enqueue(struct mark *m, size_t span)
{
	size_t at = m->head + m->queued;

	m->notes[span].is_queued = true;
	m->queue[at < m->spans.count ? at : at - m->spans.count] = (uint32_t)span;
	m->queued++;
}

/** A word that may be the address of an object, or of something in it. */
static void meet(struct mark *m, ms_addr word, uint8_t by)
{
	const struct ms_span *s = ms_spans_find(&m->spans, word);
	struct span_note *note;
	uint64_t object;
	uint8_t now;

	if (!s || s->state != MS_SPAN_IN_USE)
		return;
	note = &m->notes[s - m->spans.items];
	object = note->divide ? ((word - s->start) * note->divide) >> 32 : 0;
	if (object >= s->elems)
		return;
	object += note->first;
	now = reached_next(m, m->reached[object], by);
	if (now == m->reached[object])
		return;
	account(m, s, m->reached[object], now);
	m->reached[object] = now;
	if (!ms_span_has_pointers(s))
		return;
	m->pending[object / 64] |= (uint64_t)1 << object % 64;
	if (!note->is_queued)
		enqueue(m, (size_t)(s - m->spans.items));
}

// --- Words. ---

static void words(struct mark *m, const uint8_t *bytes, uint64_t size, uint8_t by)
{
	uint64_t span = m->hi - m->lo;

	for (uint64_t at = 0; at + WORD_BYTES <= size; at += WORD_BYTES) {
		ms_addr word = ms_load_u64(bytes + at);

		if (word - m->lo < span)
			meet(m, word, by);
	}
}

/** The first header that ends behind @p address. */
static size_t header_at(const struct mark *m, ms_addr address)
{
	size_t low = 0, high = m->header_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (m->headers[middle].start + m->header_bytes <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void note_meeting(struct mark *m, size_t ask, uint8_t by)
{
	int who = by == REST ? ASK_REST : by == SHARED ? ASK_MANY : by - FIRST_ASK;
	int *met = &m->met_by[ask];

	if (who == (int)ask || *met == ASK_REST)
		return;
	*met = *met == ASK_NONE || who == ASK_REST || *met == who ? who : ASK_MANY;
}

/** Words that lie at @p address; those of headers are noted and left out. */
static void words_at(struct mark *m, const uint8_t *bytes, uint64_t size, ms_addr address,
		     uint8_t by)
{
	uint64_t at = 0;

	for (size_t i = header_at(m, address);
	     i < m->header_count && m->headers[i].start < address + size; i++) {
		ms_addr start = m->headers[i].start;
		uint64_t from = start > address ? start - address : 0;

		if (from > at)
			words(m, bytes + at, from - at, by);
		note_meeting(m, m->headers[i].ask, by);
		m->asks[m->headers[i].ask].reached += !m->headers[i].is_met;
		m->headers[i].is_met = true;
		at = ms_max_u64(at, ms_min_u64(start + m->header_bytes - address, size));
	}
	words(m, bytes + at, size - at, by);
}

// --- Objects. ---

/** A piece of memory of which nothing is known but that it has words. */
static struct ms_error *piece(struct mark *m, ms_addr start, ms_addr end, uint8_t by)
{
	for (ms_addr at = ms_round_up(start, WORD_BYTES); at < end && !is_over(m);
	     at += CHUNK_BYTES) {
		size_t size = (size_t)ms_min_u64(CHUNK_BYTES, end - at);
		struct ms_error *err = ms_target_read(m->rt->target, at, m->chunk, size);

		if (err && ms_error_code(err) != MS_ERR_FAULT)
			return err;
		if (err)
			m->figures->unread++;
		else
			words_at(m, m->chunk, size, at, by);
		ms_error_free(err);
	}
	return NULL;
}

static bool take_pending(struct mark *m, uint64_t object)
{
	uint64_t bit = (uint64_t)1 << object % 64;
	bool is_pending = m->pending[object / 64] & bit;

	m->pending[object / 64] &= ~bit;
	return is_pending;
}

/** The first and last pending object of a span; false when there is none. */
static bool pending_range(const struct mark *m, const struct ms_span *s, uint64_t first,
			  uint32_t *ret_low, uint32_t *ret_high)
{
	bool found = false;

	for (uint32_t i = 0; i < s->elems;) {
		uint64_t object = first + i, word = m->pending[object / 64] >> object % 64;

		if (!word) {
			i += 64 - (uint32_t)(object % 64);
			continue;
		}
		i += (uint32_t)__builtin_ctzll(word);
		if (i >= s->elems)
			break;
		if (!found)
			*ret_low = i;
		*ret_high = i++;
		found = true;
	}
	return found;
}

static struct ms_error *large(struct mark *m, const struct ms_span *s, uint64_t object)
{
	uint8_t by = m->reached[object];

	return take_pending(m, object) ? piece(m, s->start, s->start + s->elem_bytes, by) : NULL;
}

/** The objects of one span that were pending when @p bytes were asked for. */
static void span_scan(struct mark *m, size_t span, uint32_t low, const uint8_t *bytes,
		      uint32_t size)
{
	const struct ms_span *s = &m->spans.items[span];
	const struct span_note *note = &m->notes[span];

	for (uint32_t i = 0; i < size / s->elem_bytes; i++) {
		uint64_t object = note->first + low + i, at = i * s->elem_bytes;

		if (!take_pending(m, object))
			continue;
		if (!bytes)
			m->figures->unread++;
		else if (note->has_header)
			words_at(m, bytes + at, s->elem_bytes, s->start + (low + i) * s->elem_bytes,
				 m->reached[object]);
		else
			words(m, bytes + at, s->elem_bytes, m->reached[object]);
	}
}

enum { BATCH_SPANS = 512 };

/** The spans at the queue's head, read together. */
static struct ms_error *batch(struct mark *m)
{
	size_t spans[BATCH_SPANS], count = 0;
	uint32_t lows[BATCH_SPANS];
	struct ms_error *err = NULL;
	uint64_t bytes = 0;

	ms_fetch_reset(&m->fetch);
	while (!err && m->queued && count < BATCH_SPANS && bytes < BATCH_BYTES) {
		size_t span = m->queue[m->head];
		const struct ms_span *s = &m->spans.items[span];
		struct span_note *note = &m->notes[span];
		uint32_t low, high, want;

		m->head = m->head + 1 < m->spans.count ? m->head + 1 : 0;
		m->queued--;
		note->is_queued = false;
		if (s->elem_bytes > CHUNK_BYTES) {
			err = large(m, s, note->first);
			bytes += BATCH_BYTES; // The clock is asked after each.
			continue;
		}
		if (!pending_range(m, s, note->first, &low, &high))
			continue;
		spans[count] = span;
		lows[count++] = low;
		want = (uint32_t)((high - low + 1) * s->elem_bytes);
		bytes += want;
		err = ms_fetch_add(&m->fetch, s->start + low * s->elem_bytes, want, &want);
	}
	if (!err && count)
		err = ms_fetch_run(&m->fetch, m->rt->target);
	for (size_t i = 0; i < count && !err; i++)
		span_scan(m, spans[i], lows[i], ms_fetch_bytes(&m->fetch, (uint32_t)i),
			  m->fetch.wants[i].size);
	return err;
}

static struct ms_error *drain(struct mark *m)
{
	struct ms_error *err = NULL;

	while (m->queued && !err && !is_over(m))
		err = batch(m);
	return err;
}

// --- Roots. ---

/** The bytes of one batch, each piece at its address, as the rest has them. */
static struct ms_error *stacks_scan(struct mark *m)
{
	struct ms_error *err = ms_fetch_run(&m->fetch, m->rt->target);

	for (size_t i = 0; i < m->fetch.count && !err; i++) {
		const uint8_t *bytes = ms_fetch_bytes(&m->fetch, (uint32_t)i);

		if (bytes)
			words_at(m, bytes, m->fetch.wants[i].size, m->fetch.wants[i].addr, REST);
		else
			m->figures->unread++;
	}
	ms_fetch_reset(&m->fetch);
	return err;
}

static struct ms_error *from_stacks(struct mark *m)
{
	struct ms_goroutines all = { 0 };
	struct ms_error *err = ms_goroutines_load(m->rt, &all);
	uint64_t bytes = 0;
	uint32_t want;

	ms_fetch_reset(&m->fetch);
	for (size_t i = 0; i < all.count && !err && !m->is_over; i++) {
		const struct ms_goroutine *g = &all.items[i];
		ms_addr from = ms_goroutine_rests(g) ? g->sp & ~(ms_addr)7 : g->stack_lo;

		meet(m, g->address, REST);
		if (from < g->stack_lo || from >= g->stack_hi)
			continue;
		from = ms_max_u64(from, g->stack_hi - ms_min_u64(g->stack_hi, STACK_BYTES_MAX));
		err = ms_fetch_add(&m->fetch, from, (uint32_t)(g->stack_hi - from), &want);
		bytes += g->stack_hi - from;
		if (!err && bytes >= BATCH_BYTES) {
			err = stacks_scan(m);
			bytes = 0;
			(void)is_over(m);
		}
	}
	m->figures->unread += all.unreadable;
	ms_goroutines_deinit(&all);
	return err ? err : stacks_scan(m);
}

static struct ms_error *from_roots(struct mark *m)
{
	struct ms_error *err = NULL;

	for (size_t i = 0; i < m->rt->module_count && !err; i++) {
		const struct ms_go_module *module = &m->rt->modules[i];

		err = piece(m, module->data, module->edata, REST);
		if (!err)
			err = piece(m, module->bss, module->ebss, REST);
	}
	if (!err)
		err = from_stacks(m);
	return err ? err : drain(m);
}

// --- The maps asked about. ---

static struct ms_error *from_ask(struct mark *m, size_t ask)
{
	struct ms_retained_ask *a = &m->asks[ask];
	struct ms_error *err = NULL;
	uint32_t want;

	ms_fetch_reset(&m->fetch);
	for (size_t i = 0; i < a->map_count && !err; i++)
		err = ms_fetch_add(&m->fetch, a->maps[i], m->header_bytes, &want);
	if (!err && a->map_count)
		err = ms_fetch_run(&m->fetch, m->rt->target);
	for (size_t i = 0; i < a->map_count && !err; i++) {
		const uint8_t *bytes = ms_fetch_bytes(&m->fetch, (uint32_t)i);

		if (bytes)
			words(m, bytes, m->header_bytes, (uint8_t)(FIRST_ASK + ask));
		else
			m->figures->unread++;
	}
	if (!err)
		err = drain(m);
	a->at_least = m->is_over;
	return err;
}

static void forget(struct ms_retained_ask *a, const char *why)
{
	a->bytes = a->objects = a->scan_bytes = a->reached = MS_UNKNOWN;
	a->at_least = false;
	a->unknown = why;
}

/** An ask that what has been gone through leads to, and that was not gone through itself. */
static size_t ask_next(const struct mark *m, const bool *is_done)
{
	for (unsigned nested = 0; nested < 2; nested++) {
		for (size_t i = 0; i < m->ask_count; i++) {
			if (!is_done[i] && m->met_by[i] != ASK_NONE &&
			    (nested || m->met_by[i] == ASK_REST))
				return i;
		}
	}
	return SIZE_MAX;
}

/** What a map inside another holds is held by that one as well; the innermost come last. */
static void sum_nested(struct mark *m, const size_t *order, size_t count)
{
	for (size_t i = count; i-- > 0;) {
		const struct ms_retained_ask *inner = &m->asks[order[i]];
		struct ms_retained_ask *outer;

		if (m->met_by[order[i]] < 0)
			continue;
		outer = &m->asks[m->met_by[order[i]]];
		outer->bytes += inner->bytes;
		outer->objects += inner->objects;
		outer->scan_bytes += inner->scan_bytes;
		outer->at_least = outer->at_least || inner->at_least;
	}
}

static struct ms_error *from_asks(struct mark *m)
{
	MS_AUTO_FREE bool *is_done = calloc(m->ask_count + 1, sizeof(*is_done));
	MS_AUTO_FREE size_t *order = calloc(m->ask_count + 1, sizeof(*order));
	struct ms_error *err = NULL;
	size_t count = 0, ask;

	if (!is_done || !order)
		return ms_error_no_memory();
	while (!err && !m->is_over && (ask = ask_next(m, is_done)) != SIZE_MAX) {
		is_done[ask] = true;
		order[count++] = ask;
		err = from_ask(m, ask);
	}
	if (err)
		return err;
	sum_nested(m, order, count);
	for (size_t i = 0; i < m->ask_count; i++) {
		m->asks[i].is_unreached = !is_done[i] && !m->is_over;
		if (!is_done[i])
			forget(&m->asks[i], m->is_over ? "there was no time to go through it"
						       : "nothing was seen that leads to it");
	}
	return NULL;
}

// --- Beginning. ---

static int by_start(const void *a, const void *b)
{
	const struct header *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static struct ms_error *headers_make(struct mark *m)
{
	const struct ms_go_layout *l = m->rt->layout;
	size_t count = 0;

	m->header_bytes = l->maps == MS_GO_MAPS_SWISS ? l->map_size : l->hmap_size;
	m->header_bytes = (uint32_t)ms_max_u64(m->header_bytes, TRIE_BYTES) & ~7u;
	for (size_t i = 0; i < m->ask_count; i++)
		count += m->asks[i].map_count;
	m->headers = calloc(count + 1, sizeof(*m->headers));
	if (!m->headers)
		return ms_error_no_memory();
	for (size_t i = 0; i < m->ask_count; i++) {
		for (size_t k = 0; k < m->asks[i].map_count; k++)
			m->headers[m->header_count++] =
			    (struct header){ m->asks[i].maps[k], i, false };
	}
	if (count)
		qsort(m->headers, count, sizeof(*m->headers), by_start);
	for (size_t i = 0; i < count; i++) {
		const struct ms_span *s = ms_spans_find(&m->spans, m->headers[i].start);

		if (s)
			m->notes[s - m->spans.items].has_header = true;
	}
	return NULL;
}

static struct ms_error *notes_make(struct mark *m)
{
	uint64_t objects = 0;

	m->notes = calloc(m->spans.count + 1, sizeof(*m->notes));
	m->queue = calloc(m->spans.count + 1, sizeof(*m->queue));
	m->chunk = malloc(CHUNK_BYTES);
	m->met_by = calloc(m->ask_count + 1, sizeof(*m->met_by));
	if (!m->notes || !m->queue || !m->chunk || !m->met_by)
		return ms_error_no_memory();
	m->lo = UINT64_MAX;
	for (size_t i = 0; i < m->spans.count; i++) {
		const struct ms_span *s = &m->spans.items[i];

		if (s->state != MS_SPAN_IN_USE)
			continue;
		m->notes[i].first = objects;
		if (s->elems > 1)
			m->notes[i].divide = (uint32_t)(UINT32_MAX / s->elem_bytes + 1);
		objects += s->elems;
		m->lo = ms_min_u64(m->lo, s->start);
		m->hi = ms_max_u64(m->hi, ms_span_end(s));
	}
	if (objects > OBJECTS_MAX)
		return ms_error_new(MS_ERR_LIMIT, "the heap has too many objects");
	if (m->lo > m->hi)
		m->lo = m->hi;
	m->reached = calloc(objects + 1, 1);
	m->pending = calloc(objects / 64 + 1, sizeof(*m->pending));
	return m->reached && m->pending ? NULL : ms_error_no_memory();
}

static struct ms_error *mark(struct mark *m)
{
	struct ms_error *err = ms_spans_load(m->rt, &m->spans);

	if (!err)
		err = notes_make(m);
	if (!err)
		err = headers_make(m);
	for (size_t i = 0; i < m->ask_count; i++) {
		m->asks[i].bytes = m->asks[i].objects = m->asks[i].scan_bytes = 0;
		m->asks[i].reached = 0;
		m->asks[i].at_least = m->asks[i].is_unreached = false;
		m->asks[i].unknown = NULL;
		if (!err)
			m->met_by[i] = ASK_NONE;
	}
	if (!err)
		err = from_roots(m);
	// What was not reached in time may be held by others as well: nothing can be said then.
	return err ? err : from_asks(m);
}

struct ms_error *ms_retained_run(struct ms_go_runtime *rt,
				 const struct ms_retained_options *options,
				 struct ms_retained_ask *asks, size_t count,
				 struct ms_retained_figures *ret_figures)
{
	struct ms_retained_figures figures = { 0 };
	double began = seconds_now();
	struct mark m = { .rt = rt,
			  .options = options,
			  .asks = asks,
			  .ask_count = count,
			  .figures = &figures,
			  .until = began + options->seconds };
	struct ms_error *err = count > MS_RETAINED_ASKS_MAX
				   ? ms_error_new(MS_ERR_INTERNAL, "too many maps at once")
				   : mark(&m);

	if (err && (ms_error_code(err) == MS_ERR_LIMIT || ms_error_code(err) == MS_ERR_BAD_DATA)) {
		for (size_t i = 0; i < count; i++)
			forget(&asks[i], "the heap could not be gone through");
		ms_error_free(err);
		err = NULL;
	}
	figures.cut = m.is_over;
	figures.seconds = seconds_now() - began;
	*ret_figures = figures;
	ms_fetch_deinit(&m.fetch);
	ms_spans_deinit(&m.spans);
	free(m.notes);
	free(m.queue);
	free(m.chunk);
	free(m.met_by);
	free(m.headers);
	free(m.reached);
	free(m.pending);
	return err;
}
