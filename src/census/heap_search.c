// heap_search.c - candidates in the heap: live objects of a map header's size class.
//
// What is read of a span - its record, its bits, its objects - is read at different moments, and a
// collection in between would make live maps look dead.  So the record is read again behind the
// rest; a span that changed is done again.
//
// Where the runtime keeps heap bits inside small spans (Go >= 1.22), they tell pointers from
// other words, and an object whose pointers are not where a header's are is no map.
//
//	span of 8 KiB:  objects ... | heap bits 128 | inline marks 128 (Green Tea)
#include "census/engine.h"

#include "base/cleanup.h"
#include "base/vec.h"

enum {
	SPANS_AT_ONCE = 32,
	ROUNDS_MAX = 5,
	SPAN_BYTES_MAX = 4 * MS_GO_PAGE_BYTES,
	BITS_BYTES_MAX = SPAN_BYTES_MAX / 8 / 8,
	HEAP_BITS_SPAN_BYTES = MS_GO_PAGE_BYTES,
	QUEUE_MAX = 4 << 10,
};

/** One span under way. */
struct item {
	struct ms_span span;
	uint32_t want_before, want_bits, want_marks, want_objects, want_after;
};

struct batch {
	struct item items[SPANS_AT_ONCE];
	size_t count;
	uint32_t sweepgen_before, sweepgen_after;
	struct ms_addrs {
		ms_addr *items;
		size_t count, capacity;
	} todo; // mspans still to be looked at.
	struct ms_fetch fetch;
};

static bool holds_headers(const struct ms_engine *e, const struct ms_span *s)
{
	uint64_t size = ms_go_alloc_bytes(e->layout, ms_engine_header_bytes(e), true);

	return s->state == MS_SPAN_IN_USE && ms_span_has_pointers(s) && s->elem_bytes == size &&
	       s->span_class / 2 && (uint64_t)s->pages * MS_GO_PAGE_BYTES <= SPAN_BYTES_MAX;
}

static bool bit(const uint8_t *bits, uint32_t i)
{
	return bits[i / 8] >> (i % 8) & 1;
}

/** Whether object @p i lives; bits as the span's state wants them. */
static bool is_live(const struct ms_engine *e, const struct item *item, uint32_t i,
		    const uint8_t *bits, const uint8_t *objects)
{
	const struct ms_span *s = &item->span;
	const struct ms_go_layout *l = e->layout;

	if (s->bits == MS_SPAN_BITS_ALLOC)
		return i < s->free_index || bit(bits, i);
	if (s->bits == MS_SPAN_BITS_INLINE_MARK) {
		const uint8_t *inline_bits = objects + (ms_span_end(s) - s->start) -
					     l->inline_marks_size + l->inline_marks_marks;

		if (bit(inline_bits, i))
			return true;
	}
	return bit(bits, i);
}

/** Whether the object's pointers are where a map header has its own. */
static bool pointers_fit(const struct ms_engine *e, const struct ms_span *s, uint32_t i,
			 const uint8_t *objects)
{
	const struct ms_go_layout *l = e->layout;
	uint64_t bytes = (uint64_t)s->pages * MS_GO_PAGE_BYTES;
	uint64_t bits_at = bytes - bytes / 64;
	uint32_t words = ms_engine_header_bytes(e) / 8, first = i * (uint32_t)(s->elem_bytes / 8);
	uint32_t mask = 0, want;

	if (!ms_go_has_malloc_headers(l) || bytes != HEAP_BITS_SPAN_BYTES)
		return true;
	if (l->inline_marks_size != MS_ABSENT)
		bits_at -= l->inline_marks_size;
	for (uint32_t w = 0; w < words; w++)
		mask |= (uint32_t)bit(objects + bits_at, first + w) << w;
	if (l->maps == MS_GO_MAPS_SWISS)
		want = 1u << (l->map_dir_ptr / 8);
	else
		want = 1u << (l->hmap_buckets / 8) | 1u << (l->hmap_oldbuckets / 8) |
		       1u << (l->hmap_extra / 8);
	return mask == want;
}

static bool looks_like_header(const struct ms_engine *e, const uint8_t *raw)
{
	struct ms_classic_map classic;
	struct ms_swiss_map swiss;

	return e->layout->maps == MS_GO_MAPS_SWISS
		   ? ms_swiss_parse(e->layout, raw, &swiss) != MS_SWISS_NOT
		   : ms_classic_parse(e->layout, raw, &classic) != MS_CLASSIC_NOT;
}

static struct ms_error *objects_take(struct ms_engine *e, const struct batch *b,
				     const struct item *item)
{
	const struct ms_span *s = &item->span;
	const uint8_t *objects = ms_fetch_bytes(&b->fetch, item->want_objects);
	const uint8_t *bits = ms_fetch_bytes(
	    &b->fetch, s->bits == MS_SPAN_BITS_ALLOC ? item->want_bits : item->want_marks);

	if (!objects || !bits) {
		e->skips[MS_REJECT_SPAN]++;
		return NULL;
	}
	for (uint32_t i = 0; i < s->elems; i++) {
		const uint8_t *raw = objects + i * s->elem_bytes;
		struct ms_candidate c = { .address = s->start + i * s->elem_bytes };

		if (!is_live(e, item, i, bits, objects) || !looks_like_header(e, raw) ||
		    !pointers_fit(e, s, i, objects))
			continue;
		memcpy(c.raw, raw, ms_engine_header_bytes(e));
		if (!ms_vec_push(&e->queue, c))
			return ms_error_no_memory();
	}
	return NULL;
}

/** Read each span's record, then bits and objects, then the record again. */
static struct ms_error *batch_read(struct ms_engine *e, struct batch *b, const ms_addr *mspans,
				   size_t count)
{
	uint32_t record = e->layout->mspan_size;
	struct ms_error *err = ms_go_sweepgen(e->rt, &b->sweepgen_before);

	ms_fetch_reset(&b->fetch);
	for (size_t i = 0; i < count && !err; i++)
		err = ms_fetch_add(&b->fetch, mspans[i], record, &b->items[i].want_before);
	if (!err)
		err = ms_fetch_run(&b->fetch, e->rt->target);
	b->count = 0;
	for (size_t i = 0; i < count && !err; i++) {
		const uint8_t *raw = ms_fetch_bytes(&b->fetch, b->items[i].want_before);
		struct ms_span span;

		if (!raw)
			e->skips[MS_REJECT_SPAN]++;
		if (!raw || !ms_span_parse(e->layout, raw, b->sweepgen_before, &span) ||
		    !holds_headers(e, &span))
			continue; // Freed since the span table was read, with all in it.
		span.address = mspans[i];
		b->items[b->count++] = (struct item){ .span = span };
	}
	ms_fetch_reset(&b->fetch);
	for (size_t i = 0; i < b->count && !err; i++) {
		struct item *x = &b->items[i];
		uint32_t bits = (uint32_t)(ms_round_up(x->span.elems, 64) / 8);
		uint32_t bytes = (uint32_t)(ms_span_end(&x->span) - x->span.start);

		err = ms_fetch_add(&b->fetch, x->span.alloc_bits, bits, &x->want_bits);
		if (!err)
			err = ms_fetch_add(&b->fetch, x->span.mark_bits, bits, &x->want_marks);
		if (!err)
			err = ms_fetch_add(&b->fetch, x->span.start, bytes, &x->want_objects);
	}
	return err ? err : ms_fetch_run(&b->fetch, e->rt->target);
}

static bool same_record(const struct ms_span *a, const struct ms_span *b)
{
	return a->start == b->start && a->alloc_bits == b->alloc_bits &&
	       a->mark_bits == b->mark_bits && a->free_index <= b->free_index &&
	       a->span_class == b->span_class && a->state == b->state && a->bits == b->bits;
}

/** Take what held still; queue the rest again, or take it as it is in the last round. */
static struct ms_error *batch_settle(struct ms_engine *e, struct batch *b, unsigned round)
{
	struct ms_fetch after = { 0 };
	uint32_t index = 0;
	struct ms_error *err = NULL;

	for (size_t i = 0; i < b->count && !err; i++)
		err = ms_fetch_add(&after, b->items[i].span.address, e->layout->mspan_size, &index);
	if (!err)
		err = ms_go_sweepgen(e->rt, &b->sweepgen_after);
	if (!err)
		err = ms_fetch_run(&after, e->rt->target);
	for (size_t i = 0; i < b->count && !err; i++) {
		struct item *x = &b->items[i];
		const uint8_t *raw = ms_fetch_bytes(&after, (uint32_t)i);
		struct ms_span now;
		bool still = raw && ms_span_parse(e->layout, raw, b->sweepgen_after, &now) &&
			     x->span.bits != MS_SPAN_BITS_SWEEPING && same_record(&x->span, &now);

		if (!still && round + 1 < ROUNDS_MAX) {
			e->report->cost.reads_retried++;
			if (!ms_vec_push(&b->todo, x->span.address))
				err = ms_error_no_memory();
			continue;
		}
		e->report->cost.reads_given_up += !still;
		err = objects_take(e, b, x);
	}
	ms_fetch_deinit(&after);
	return err;
}

static struct ms_error *round_run(struct ms_engine *e, struct batch *b, struct ms_addrs *now,
				  unsigned round)
{
	for (size_t at = 0; at < now->count; at += SPANS_AT_ONCE) {
		size_t count = now->count - at < SPANS_AT_ONCE ? now->count - at : SPANS_AT_ONCE;
		struct ms_error *err = batch_read(e, b, now->items + at, count);

		if (!err)
			err = batch_settle(e, b, round);
		if (!err && e->queue.count >= QUEUE_MAX)
			err = ms_engine_judge(e);
		if (err)
			return err;
		if (ms_engine_stopped(e))
			return NULL;
	}
	return ms_engine_judge(e);
}

static int by_start(const void *a, const void *b)
{
	const struct ms_span *const *x = a, *const *y = b;

	return (*x)->start < (*y)->start ? -1 : (*x)->start > (*y)->start;
}

/** The spans to look at, in the order of their addresses: so rows come out sorted. */
static struct ms_error *spans_choose(struct ms_engine *e, struct ms_addrs *todo)
{
	struct {
		const struct ms_span **items;
		size_t count, capacity;
	} chosen = { 0 };
	size_t objects = 0;
	bool fits = true;

	for (size_t i = 0; i < e->spans.count && fits; i++) {
		if (holds_headers(e, &e->spans.items[i]))
			fits = ms_vec_push(&chosen, &e->spans.items[i]);
	}
	if (chosen.count)
		qsort(chosen.items, chosen.count, sizeof(*chosen.items), by_start);
	for (size_t i = 0; i < chosen.count && fits; i++) {
		fits = ms_vec_push(todo, chosen.items[i]->address);
		objects += chosen.items[i]->alloc_count;
	}
	ms_engine_expect_rows(e, objects + objects / 16);
	ms_vec_free(&chosen);
	return fits ? NULL : ms_error_no_memory();
}

struct ms_error *ms_engine_search_heap(struct ms_engine *e)
{
	MS_AUTO_FREE struct batch *b = calloc(1, sizeof(*b));
	struct ms_error *err;

	if (!b)
		return ms_error_no_memory();
	err = spans_choose(e, &b->todo);
	for (unsigned round = 0; round < ROUNDS_MAX && b->todo.count && !err; round++) {
		struct ms_addrs now = b->todo;

		b->todo = (struct ms_addrs){ 0 };
		err = round_run(e, b, &now, round);
		free(now.items);
	}
	free(b->todo.items);
	ms_fetch_deinit(&b->fetch);
	return err;
}
