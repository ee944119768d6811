// verify.c - invariants, each tied to the fields it would betray:
//
//	functions	maps (classic or Swiss): the map code that the pclntab names
//	span table	mspan_size: spans from one allocator chunk are that far apart
//	spans		start, npages, elemsize, spanclass, nelems, freeindex, limit: sizes agree
//			with the size class table; sweepgen: within three of the heap's
//	counts		alloc_bits, mark_bits, alloc_count: in a swept span that nobody allocates
//			from, freeindex and the bits behind it make the count
//	goroutines	sched, goid, status, stack: goroutine 1 exists, stacks hold their pointers
//	types		type_*, maptype_*: map types whose size stands twice
//
// A process moves while it is looked at, so a check asks for a share of what it looked at, not for
// all; a wrong offset fails nearly everywhere, and each time it is tried.
#include "golang/verify.h"

#include "base/cleanup.h"
#include "golang/goroutines.h"
#include "golang/spans.h"
#include "golang/types.h"

#include <inttypes.h>

enum {
	SPANS_LOOKED_AT = 512,
	GOOD_PERCENT = 90,
	ATTEMPTS = 4,
	BITS_BYTES_MAX = 1024 / 8 + 8, // 8 KiB of 8-byte objects.
};

static struct ms_error *error_check(const char *what, uint64_t good, uint64_t seen)
{
	return ms_error_new(MS_ERR_UNSUPPORTED,
			    "layout check failed: %s: expected of %" PRIu64 " looked at, found of "
			    "%" PRIu64,
			    what, seen, good);
}

static bool enough(uint64_t good, uint64_t seen)
{
	return good * 100 >= seen * GOOD_PERCENT;
}

static struct ms_error *check_functions(struct ms_go_runtime *rt)
{
	static const char *const names[] = { "runtime.growWork",
					     "internal/runtime/maps.(*Map).growToTable" };
	bool has[2];
	size_t mine = rt->layout->maps == MS_GO_MAPS_SWISS;

	for (size_t i = 0; i < 2; i++) {
		struct ms_error *err =
		    ms_pclntab_has_function(rt->target, &rt->pclntab, names[i], &has[i]);

		if (err)
			return err;
	}
	if (has[mine] || !has[!mine])
		return NULL;
	return ms_error_new(MS_ERR_UNSUPPORTED,
			    "layout check failed: map functions: expected %s, found %s",
			    names[mine], names[!mine]);
}

/** What was read of one raw mspan, with the fields that only verification looks at. */
struct sample {
	ms_addr address;
	struct ms_span span;
	ms_addr limit;
	bool parsed;
};

struct samples {
	struct sample items[SPANS_LOOKED_AT];
	size_t count;
	uint64_t pairs, apart; // Neighbours in the table, and those one mspan apart.
	uint32_t sweepgen;
};

/** Its sweep generation is one that the heap's allows. */
static bool is_current(const struct sample *x)
{
	return x->parsed && (x->span.cached || x->span.sweepgen_known);
}

static struct ms_error *samples_read(struct ms_go_runtime *rt, struct samples *s)
{
	const struct ms_go_layout *l = rt->layout;
	uint8_t slice[24], raw[512];
	ms_addr at[SPANS_LOOKED_AT];
	uint64_t count;
	struct ms_error *err =
	    ms_target_read(rt->target, rt->mheap + l->mheap_allspans, slice, sizeof(slice));

	if (err)
		return err;
	count = ms_min_u64(ms_load_u64(slice + 8), SPANS_LOOKED_AT);
	err = ms_target_read(rt->target, ms_load_u64(slice), at, (size_t)count * 8);
	if (!err)
		err = ms_go_sweepgen(rt, &s->sweepgen);
	for (size_t i = 0; i < count && !err; i++) {
		struct sample *x = &s->items[s->count];

		if (i + 1 < count) {
			s->pairs++;
			s->apart += at[i + 1] - at[i] == l->mspan_size;
		}
		err = ms_target_read(rt->target, at[i], raw, l->mspan_size);
		if (err)
			break;
		x->address = at[i];
		x->parsed = ms_span_parse(l, raw, s->sweepgen, &x->span);
		if (x->parsed && !is_current(x)) { // Another collection may have begun meanwhile.
			err = ms_go_sweepgen(rt, &s->sweepgen);
			x->parsed = ms_span_parse(l, raw, s->sweepgen, &x->span);
		}
		x->limit = ms_load_u64(raw + l->mspan_limit);
		if (!x->parsed || x->span.state == MS_SPAN_IN_USE)
			s->count++;
	}
	return err;
}

/** Sizes that have to agree with each other and with the size class table. */
static bool span_is_sound(const struct ms_go_layout *l, const struct sample *x)
{
	const struct ms_span *s = &x->span;
	unsigned size_class = s->span_class / 2u;
	uint64_t bytes = (uint64_t)s->pages * MS_GO_PAGE_BYTES;
	uint64_t used = (uint64_t)s->elems * s->elem_bytes;
	uint64_t slack_max = s->elem_bytes + bytes / 64 + 256; // Heap bits and inline marks.

	if (!x->parsed || x->limit <= s->start || x->limit > s->start + bytes)
		return false;
	if (size_class == 0)
		return s->elems == 1 && s->elem_bytes <= bytes;
	return l->size_classes[size_class] == s->elem_bytes && bytes - used < slack_max &&
	       x->limit - s->start <= used + slack_max && x->limit - s->start >= used;
}

static struct ms_error *check_spans(struct ms_go_runtime *rt, const struct samples *s)
{
	uint64_t good = 0, current = 0;

	for (size_t i = 0; i < s->count; i++) {
		const struct sample *x = &s->items[i];

		good += span_is_sound(rt->layout, x);
		current += is_current(x);
	}
	if (!enough(s->apart + 1, s->pairs * 3 / 4))
		return error_check("distance between spans", s->apart, s->pairs);
	if (!s->count || !enough(good, s->count))
		return error_check("sizes in spans that agree", good, s->count);
	if (!enough(current, s->count))
		return error_check("spans of this collection", current, s->count);
	return NULL;
}

static unsigned count_bits(const uint8_t *bits, uint32_t from, uint32_t to)
{
	unsigned n = 0;

	for (uint32_t i = from; i < to; i++)
		n += (bits[i / 8] >> (i % 8)) & 1;
	return n;
}

static bool held_still(const struct ms_span *before, const struct ms_span *after)
{
	return before->alloc_bits == after->alloc_bits && before->bits == after->bits &&
	       before->free_index == after->free_index &&
	       before->alloc_count == after->alloc_count && before->cached == after->cached;
}

/** One span of check_counts; one that moves meanwhile is not counted as seen. */
static struct ms_error *check_count(struct ms_go_runtime *rt, ms_addr address, uint64_t *seen,
				    uint64_t *good)
{
	struct ms_span x, after;
	uint8_t bits[BITS_BYTES_MAX];
	uint32_t bytes, sweepgen;
	struct ms_error *err = ms_go_sweepgen(rt, &sweepgen), *fault;

	if (!err)
		err = ms_span_reread(rt, sweepgen, address, &x);
	if (err)
		return err;
	bytes = ms_round_up(x.elems, 64) / 8 & UINT32_MAX;
	if (x.cached || x.bits != MS_SPAN_BITS_ALLOC || x.span_class / 2 == 0 ||
	    bytes > sizeof(bits))
		return NULL;
	fault = ms_target_read(rt->target, x.alloc_bits, bits, bytes);
	if (fault && ms_error_code(fault) != MS_ERR_FAULT)
		return fault;
	err = ms_go_sweepgen(rt, &sweepgen);
	if (!err)
		err = ms_span_reread(rt, sweepgen, address, &after);
	if (!err && held_still(&x, &after)) {
		++*seen;
		*good += !fault &&
			 x.alloc_count == x.free_index + count_bits(bits, x.free_index, x.elems);
	}
	ms_error_free(fault);
	return err;
}

/** In a swept span that no P allocates from, freeindex and the bits behind it make the count. */
static struct ms_error *check_counts(struct ms_go_runtime *rt, const struct samples *s)
{
	uint64_t seen = 0, good = 0;

	for (size_t i = 0; i < s->count; i++) {
		struct ms_error *err = check_count(rt, s->items[i].address, &seen, &good);

		if (err && ms_error_code(err) != MS_ERR_BAD_DATA) // It is no span any more.
			return err;
		ms_error_free(err);
	}
	return enough(good, seen) ? NULL
				  : error_check("spans whose bits make their count", good, seen);
}

static struct ms_error *check_goroutines(struct ms_go_runtime *rt)
{
	struct ms_goroutines all;
	uint64_t first = 0, good = 0, seen = 0;
	struct ms_error *err = ms_goroutines_load(rt, &all);

	if (err)
		return err;
	for (size_t i = 0; i < all.count; i++) {
		const struct ms_goroutine *g = &all.items[i];

		first += g->id == 1;
		if (g->status == MS_GO_RUNNING)
			continue;
		seen++;
		good += g->sp >= g->stack_lo && g->sp <= g->stack_hi;
	}
	ms_goroutines_deinit(&all);
	if (!enough(good, seen))
		return error_check("goroutines whose stack holds their stack pointer", good, seen);
	if (first > 1 || (!first && !all.unreadable && seen < 2))
		return ms_error_new(MS_ERR_UNSUPPORTED,
				    "layout check failed: goroutine 1: expected once, found "
				    "%" PRIu64 " times",
				    first);
	if (!enough(seen, seen + all.unreadable))
		return error_check("goroutines that can be read", seen, seen + all.unreadable);
	return NULL;
}

static struct ms_error *check_types(struct ms_go_runtime *rt)
{
	struct ms_types types;
	struct ms_error *err = ms_types_load(rt, &types);
	size_t count, named = 0;

	if (err)
		return err;
	count = types.count;
	for (size_t i = 0; i < count; i++) {
		const char *text;
		size_t size;

		named += ms_types_name(&types, rt->layout, types.items[i].address, &text, &size) &&
			 size > 2;
	}
	ms_types_deinit(&types);
	if (!count)
		return ms_error_new(MS_ERR_UNSUPPORTED,
				    "layout check failed: map types: expected at least one in the "
				    "type section, found none");
	return enough(named, count) ? NULL : error_check("map types with a name", named, count);
}

static struct ms_error *verify_once(struct ms_go_runtime *rt, struct samples *samples)
{
	struct ms_error *err = samples_read(rt, samples);

	if (!err)
		err = check_spans(rt, samples);
	if (!err)
		err = check_counts(rt, samples);
	if (!err)
		err = check_goroutines(rt);
	return err;
}

struct ms_error *ms_go_verify(struct ms_go_runtime *rt)
{
	MS_AUTO_FREE struct samples *samples = malloc(sizeof(*samples));
	struct ms_error *err, *refreshed;

	if (!samples)
		return ms_error_no_memory();
	err = check_functions(rt);
	if (err)
		return err;
	for (unsigned i = 0; i < ATTEMPTS; i++) {
		ms_error_free(err);
		*samples = (struct samples){ 0 };
		err = verify_once(rt, samples);
		if (!err || (ms_error_code(err) != MS_ERR_UNSUPPORTED &&
			     ms_error_code(err) != MS_ERR_FAULT))
			break;
		// Spans and bits may lie in memory mapped a moment ago.
		refreshed = ms_go_refresh(rt);
		if (refreshed) {
			ms_error_free(err);
			return refreshed;
		}
	}
	return err ? err : check_types(rt);
}
