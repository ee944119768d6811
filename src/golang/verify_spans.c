// verify_spans.c - spans whose sizes, generations, bits and counts have to agree.
//
// What belongs together is read at different moments, so the records are read, then the bits they
// point to, then the records again; counts are held only against bits of a span that held still.
// Each step is one batch for all spans.
#include "golang/verify_internal.h"

#include "base/cleanup.h"
#include "golang/spans.h"

enum {
	SPANS_LOOKED_AT = 512,
	BITS_BYTES_MAX = 1024 / 8 + 8, // 8 KiB of 8-byte objects.
	MSPAN_BYTES_MAX = 512,
	SMALL_ELEM_MAX = 512,
};

/** One mspan, read before (0) and after (1) the bits that it points to. */
struct sample {
	ms_addr address;
	struct ms_span spans[2];
	bool parsed[2];
	ms_addr limit;
	bool has_bits;
	uint8_t bits[BITS_BYTES_MAX];
};

struct samples {
	struct sample items[SPANS_LOOKED_AT];
	struct ms_read reads[SPANS_LOOKED_AT];
	uint8_t raw[SPANS_LOOKED_AT][MSPAN_BYTES_MAX];
	size_t count;
	uint64_t pairs, apart; // Neighbours in the table, and those one mspan apart.
};

/** Half of the samples are the table's first, whose neighbours are known; the others any. */
static uint64_t sample_index(uint64_t i, uint64_t wanted, uint64_t count)
{
	uint64_t half = wanted / 2;

	return i < half ? i : half + (count - half) * (i - half) / (wanted - half);
}

static struct ms_error *addresses_read(struct ms_go_runtime *rt, struct samples *s)
{
	uint8_t slice[24];
	uint64_t count, wanted;
	struct ms_error *err = ms_target_read(rt->target, rt->allspans, slice, sizeof(slice));

	if (err)
		return err;
	count = ms_load_u64(slice + 8);
	wanted = ms_min_u64(count, SPANS_LOOKED_AT);
	for (uint64_t i = 0; i < wanted; i++) {
		ms_addr at = ms_load_u64(slice) + sample_index(i, wanted, count) * 8;

		s->reads[i] = (struct ms_read){ at, &s->items[i].address, 8, MS_READ_OK };
	}
	s->count = (size_t)wanted;
	err = ms_target_read_many(rt->target, s->reads, s->count);
	for (size_t i = 0; i < s->count && !err; i++) {
		if (s->reads[i].status != MS_READ_OK)
			err = ms_error_new(MS_ERR_BAD_DATA, "the span table cannot be read");
		if (i == 0 || i >= wanted / 2)
			continue;
		s->pairs++;
		s->apart += s->items[i].address - s->items[i - 1].address == rt->layout->mspan_size;
	}
	return err;
}

/** Its sweep generation is one that the heap's allows. */
static bool is_current(const struct ms_span *s)
{
	return s->cached || s->sweepgen_known;
}

/** Read all records.  A collection may begin meanwhile, so the heap is asked on both sides. */
static struct ms_error *records_read(struct ms_go_runtime *rt, struct samples *s, unsigned pass)
{
	const struct ms_go_layout *l = rt->layout;
	uint32_t before, after;
	struct ms_error *err = ms_go_sweepgen(rt, &before);

	for (size_t i = 0; i < s->count; i++)
		s->reads[i] =
		    (struct ms_read){ s->items[i].address, s->raw[i], l->mspan_size, MS_READ_OK };
	if (!err)
		err = ms_target_read_many(rt->target, s->reads, s->count);
	if (!err)
		err = ms_go_sweepgen(rt, &after);
	for (size_t i = 0; i < s->count && !err; i++) {
		struct sample *x = &s->items[i];
		struct ms_span *span = &x->spans[pass];

		x->parsed[pass] =
		    s->reads[i].status == MS_READ_OK && ms_span_parse(l, s->raw[i], before, span);
		if (x->parsed[pass] && !is_current(span))
			x->parsed[pass] = ms_span_parse(l, s->raw[i], after, span);
		if (x->parsed[pass])
			x->limit = ms_load_u64(s->raw[i] + l->mspan_limit);
	}
	return err;
}

/** Drop those that hold no objects, and stacks. */
static void keep_in_use(struct samples *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->count; i++) {
		if (!s->items[i].parsed[0] || s->items[i].spans[0].state == MS_SPAN_IN_USE)
			s->items[kept++] = s->items[i];
	}
	s->count = kept;
}

// --- Sizes. ---

/** Sizes that have to agree with each other and with the size class table. */
static bool is_sound(const struct ms_go_layout *l, const struct sample *x)
{
	const struct ms_span *s = &x->spans[0];
	unsigned size_class = s->span_class / 2u;
	uint64_t bytes = (uint64_t)s->pages * MS_GO_PAGE_BYTES;

	if (!x->parsed[0] || x->limit <= s->start || x->limit > s->start + bytes)
		return false;
	if (size_class == 0)
		return s->elems == 1 && s->elem_bytes <= bytes;
	return l->size_classes[size_class] == s->elem_bytes &&
	       x->limit - s->start >= s->elems * s->elem_bytes;
}

static bool is_small(const struct ms_span *s)
{
	return s->span_class / 2u && s->elem_bytes <= SMALL_ELEM_MAX;
}

static struct ms_error *check_sizes(struct ms_go_runtime *rt, const struct samples *s)
{
	uint64_t sound = 0, current = 0, small = 0, full = 0;

	for (size_t i = 0; i < s->count; i++) {
		const struct sample *x = &s->items[i];
		const struct ms_span *span = &x->spans[0];

		sound += is_sound(rt->layout, x);
		current += x->parsed[0] && is_current(span);
		if (!x->parsed[0] || !is_small(span))
			continue;
		small++;
		full +=
		    span->elems == ms_span_elems_of(rt->layout, ms_span_end(span) - span->start,
						    span->elem_bytes, ms_span_has_pointers(span));
	}
	if (!ms_verify_enough(s->apart + 1, s->pairs * 3 / 4))
		return ms_verify_refusal("neighbouring spans one mspan apart", s->apart, s->pairs);
	if (!s->count || !ms_verify_enough(sound, s->count))
		return ms_verify_refusal("spans whose sizes agree", sound, s->count);
	if (!ms_verify_enough(full, small))
		return ms_verify_refusal("small spans with as many objects as fit", full, small);
	if (!ms_verify_enough(current, s->count))
		return ms_verify_refusal("spans of this collection", current, s->count);
	return NULL;
}

// --- Bits and counts. ---

static unsigned count_bits(const uint8_t *bits, uint32_t from, uint32_t to)
{
	unsigned n = 0;

	for (uint32_t i = from; i < to; i++)
		n += (bits[i / 8] >> (i % 8)) & 1;
	return n;
}

static uint32_t bits_bytes(const struct ms_span *s)
{
	return (uint32_t)(ms_round_up(s->elems, 64) / 8);
}

/** Swept, of a size class, and no P allocates from it. */
static bool has_counts(const struct sample *x)
{
	const struct ms_span *s = &x->spans[0];

	return x->parsed[0] && !s->cached && s->bits == MS_SPAN_BITS_ALLOC && s->span_class / 2u &&
	       bits_bytes(s) <= BITS_BYTES_MAX;
}

static struct ms_error *bits_read(struct ms_go_runtime *rt, struct samples *s)
{
	struct sample *of[SPANS_LOOKED_AT];
	size_t n = 0;
	struct ms_error *err;

	for (size_t i = 0; i < s->count; i++) {
		struct sample *x = &s->items[i];

		if (!has_counts(x))
			continue;
		of[n] = x;
		s->reads[n++] = (struct ms_read){ x->spans[0].alloc_bits, x->bits,
						  bits_bytes(&x->spans[0]), MS_READ_OK };
	}
	err = n ? ms_target_read_many(rt->target, s->reads, n) : NULL;
	for (size_t i = 0; i < n && !err; i++)
		of[i]->has_bits = s->reads[i].status == MS_READ_OK;
	return err;
}

static bool held_still(const struct sample *x)
{
	const struct ms_span *before = &x->spans[0], *after = &x->spans[1];

	return x->parsed[1] && before->start == after->start &&
	       before->alloc_bits == after->alloc_bits && before->bits == after->bits &&
	       before->free_index == after->free_index &&
	       before->alloc_count == after->alloc_count && before->cached == after->cached;
}

/** Freeindex and the bits behind it make the count. */
static struct ms_error *check_counts(const struct samples *s)
{
	uint64_t seen = 0, good = 0;

	for (size_t i = 0; i < s->count; i++) {
		const struct sample *x = &s->items[i];
		const struct ms_span *span = &x->spans[0];

		if (!has_counts(x) || !held_still(x))
			continue;
		seen++;
		good += x->has_bits &&
			span->alloc_count ==
			    span->free_index + count_bits(x->bits, span->free_index, span->elems);
	}
	return ms_verify_enough(good, seen)
		   ? NULL
		   : ms_verify_refusal("spans whose bits make their count", good, seen);
}

struct ms_error *ms_go_verify_spans(struct ms_go_runtime *rt)
{
	MS_AUTO_FREE struct samples *s = calloc(1, sizeof(*s));
	struct ms_error *err;

	if (!s)
		return ms_error_no_memory();
	err = addresses_read(rt, s);
	if (!err)
		err = records_read(rt, s, 0);
	if (err)
		return err;
	keep_in_use(s);
	err = check_sizes(rt, s);
	if (!err)
		err = bits_read(rt, s);
	if (!err)
		err = records_read(rt, s, 1);
	return err ? err : check_counts(s);
}
