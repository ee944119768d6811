// spans.c - reading the span table fast, and finding a page's span in a few steps.
//
// allspans is an array of pointers; the mspans behind it come from a fixed-size allocator in
// chunks of 16 KiB and mostly lie one behind the other in table order.  So neighbours are read
// together: one read for a run of them, not one each.
//
//	page index:   arena number (addr >> 26), sorted  ->  8192 span numbers, one per 8 KiB page
#include "golang/spans.h"

#include "base/cleanup.h"
#include "base/vec.h"
#include "golang/scan.h"

#include <inttypes.h>

enum {
	ARENA_SHIFT = 26,
	ARENA_PAGES = (1 << ARENA_SHIFT) / MS_GO_PAGE_BYTES,
	ARENAS_MAX = 16 << 10, // 1 TiB of heap: half a GiB of index.
	SPANS_MAX = 32 << 20,
	SAMPLES = 64,
	SAMPLES_GOOD = 60,  // One may be on its way while it is read.
	SAMPLES_IN_USE = 4, // Many may be dead: a P takes mspans in advance, 64 at a time.
	OLDEST = 4096,      // With fewer: a look at so many of the first, then at the first.
	MSPAN_BYTES_MAX = 512,
	RUN_GAP = 512, // Bytes between two mspans that are still read together.
	RUN_BYTES = 64 << 10,
	INLINE_MARK_ELEM_MIN = 16,
	HEADER_MIN_BYTES = 512,
	LOOKS_MAX = 4,           // At a table that moves.
	ALLSPANS_MIN_CAP = 8192, // recordspan: 64 KiB of pointers at first.
};

struct ms_span_arena {
	uint64_t number;
	uint32_t *spans; // ARENA_PAGES of them: index + 1, 0 for none.
};

/** gcUsesSpanInlineMarkBits: whether the objects have pointers plays no part. */
static bool has_inline_marks(const struct ms_go_layout *l, uint64_t elem_bytes)
{
	return l->inline_marks_size != MS_ABSENT && elem_bytes <= HEADER_MIN_BYTES &&
	       elem_bytes >= INLINE_MARK_ELEM_MIN;
}

uint32_t ms_span_elems_of(const struct ms_go_layout *l, uint64_t span_bytes, uint64_t elem_bytes,
			  bool has_pointers)
{
	uint64_t taken = 0;

	if (!elem_bytes)
		return 0;
	if (ms_go_has_malloc_headers(l) && has_pointers && elem_bytes <= HEADER_MIN_BYTES)
		taken += span_bytes / 64; // Heap bits: one for each word.
	if (has_inline_marks(l, elem_bytes))
		taken += l->inline_marks_size;
	return taken < span_bytes ? (uint32_t)((span_bytes - taken) / elem_bytes) : 0;
}

static uint8_t span_bits(const struct ms_go_layout *l, const struct ms_span *s, uint32_t behind)
{
	bool inline_marks =
	    has_inline_marks(l, s->elem_bytes) && s->pages == 1; // As all of these sizes are.

	// mspan.sweepgen against mheap_.sweepgen; see the comment there in runtime/mheap.go.
	switch (behind) {
	case 2:
	case UINT32_MAX: // One ahead: cached before the sweep began.
		return inline_marks ? MS_SPAN_BITS_INLINE_MARK : MS_SPAN_BITS_MARK;
	case 1:
		return MS_SPAN_BITS_SWEEPING;
	default:
		return MS_SPAN_BITS_ALLOC;
	}
}

bool ms_span_parse(const struct ms_go_layout *l, const uint8_t *raw, uint32_t heap_sweepgen,
		   struct ms_span *ret_span)
{
	bool narrow = l->mspan_nelems_bytes == 2;
	uint64_t elems =
	    narrow ? ms_load_u16(raw + l->mspan_nelems) : ms_load_u64(raw + l->mspan_nelems);
	uint64_t free_index =
	    narrow ? ms_load_u16(raw + l->mspan_freeindex) : ms_load_u64(raw + l->mspan_freeindex);
	uint64_t pages = ms_load_u64(raw + l->mspan_npages);
	uint32_t sweepgen = ms_load_u32(raw + l->mspan_sweepgen);
	struct ms_span s = {
		.start = ms_load_u64(raw + l->mspan_start),
		.elem_bytes = ms_load_u64(raw + l->mspan_elemsize),
		.alloc_bits = ms_load_u64(raw + l->mspan_alloc_bits),
		.mark_bits = ms_load_u64(raw + l->mspan_mark_bits),
		.specials = ms_load_u64(raw + l->mspan_specials),
		.alloc_count = ms_load_u16(raw + l->mspan_alloc_count),
		.span_class = raw[l->mspan_spanclass],
		.state = raw[l->mspan_state],
		.cached = sweepgen == heap_sweepgen + 3 || sweepgen == heap_sweepgen + 1,
	};

	// Elsewhere the field is left over from an earlier life of the mspan.
	if (l->mspan_large_type != MS_ABSENT && s.span_class / 2 == 0 && ms_span_has_pointers(&s))
		s.large_type = ms_load_u64(raw + l->mspan_large_type);
	if (s.state > MS_SPAN_MANUAL || (s.start & (MS_GO_PAGE_BYTES - 1)) ||
	    pages > (uint64_t)1 << 30 || s.start > (ms_addr)1 << 57)
		return false;
	if (s.state == MS_SPAN_IN_USE &&
	    (!pages || !elems || elems > UINT32_MAX || free_index > elems ||
	     s.elem_bytes > pages * MS_GO_PAGE_BYTES || s.elem_bytes < 8 ||
	     s.span_class / 2 >= l->size_class_count ||
	     elems > pages * MS_GO_PAGE_BYTES / s.elem_bytes))
		return false;
	s.pages = (uint32_t)pages;
	s.elems = (uint32_t)elems;
	s.free_index = (uint32_t)free_index;
	s.bits = span_bits(l, &s, heap_sweepgen - sweepgen);
	s.sweepgen_known = heap_sweepgen + 3 - sweepgen <= 5; // From 3 ahead to 2 behind.
	*ret_span = s;
	return true;
}

/** Read SAMPLES of the first @p among elements of a slice, spread evenly: what they point to. */
static struct ms_error *sample_spans(struct ms_go_runtime *rt, const struct ms_go_slice *slice,
				     uint64_t among, uint8_t raw[SAMPLES][MSPAN_BYTES_MAX])
{
	struct ms_read reads[SAMPLES];
	ms_addr at[SAMPLES];
	struct ms_error *err;

	for (size_t i = 0; i < SAMPLES; i++)
		reads[i] = (struct ms_read){ slice->data + among * i / SAMPLES * 8, &at[i], 8,
					     MS_READ_OK };
	err = ms_target_read_many(rt->target, reads, SAMPLES);
	for (size_t i = 0; i < SAMPLES && !err; i++) {
		if (reads[i].status != MS_READ_OK)
			return ms_error_new(MS_ERR_BAD_DATA, "not a table");
		reads[i] = (struct ms_read){ at[i], raw[i], rt->layout->mspan_size, MS_READ_OK };
	}
	if (!err)
		err = ms_target_read_many(rt->target, reads, SAMPLES);
	for (size_t i = 0; i < SAMPLES && !err; i++) {
		if (reads[i].status != MS_READ_OK)
			err = ms_error_new(MS_ERR_BAD_DATA, "not a table of pointers");
	}
	return err;
}

/** How many of the samples are mspans, and how many of these hold objects. */
static struct ms_error *count_spans(struct ms_go_runtime *rt, const struct ms_go_slice *slice,
				    uint64_t among, unsigned *ret_good, unsigned *ret_in_use)
{
	MS_AUTO_FREE uint8_t(*raw)[MSPAN_BYTES_MAX] = malloc(SAMPLES * sizeof(*raw));
	struct ms_error *err;

	if (!raw)
		return ms_error_no_memory();
	err = sample_spans(rt, slice, among, raw);
	if (err)
		return err;
	*ret_good = *ret_in_use = 0;
	for (size_t i = 0; i < SAMPLES; i++) {
		struct ms_span span;

		if (!ms_span_parse(rt->layout, raw[i], 0, &span))
			continue;
		if (span.state == MS_SPAN_DEAD)
			(*ret_good)++;
		else if (ms_regions_find(&rt->regions, span.start)) {
			(*ret_good)++;
			*ret_in_use += span.state == MS_SPAN_IN_USE;
		}
	}
	return NULL;
}

/**
 * The table keeps every mspan there ever was: when a heap was large and is not any more, nearly all
 * are dead.  Those in use are then among the oldest: they were there before it grew, and a freed
 * mspan is the next to be taken.
 */
static struct ms_error *judge_allspans(struct ms_go_runtime *rt, const struct ms_go_slice *slice,
				       void *context, bool *ret_take)
{
	ms_addr *ret_table = context;
	uint64_t among = slice->len;
	unsigned good = 0, in_use = 0;

	for (;;) {
		struct ms_error *err = count_spans(rt, slice, among, &good, &in_use);

		if (err)
			return err;
		if (good < SAMPLES_GOOD || in_use >= SAMPLES_IN_USE || among <= SAMPLES)
			break;
		among = among > OLDEST ? OLDEST : SAMPLES;
	}
	*ret_take = good >= SAMPLES_GOOD && in_use >= SAMPLES_IN_USE;
	if (*ret_take)
		*ret_table = slice->address;
	return NULL;
}

struct ms_error *ms_spans_find_heap(struct ms_go_runtime *rt)
{
	bool found;
	struct ms_error *err;

	if (rt->layout->mspan_size > MSPAN_BYTES_MAX)
		return ms_error_new(MS_ERR_INTERNAL, "mspan is over %d bytes long",
				    MSPAN_BYTES_MAX);
	err = ms_go_scan_slices(rt, ALLSPANS_MIN_CAP, judge_allspans, &rt->allspans, &found);
	if (err)
		return err;
	if (!found)
		return ms_error_new(MS_ERR_UNSUPPORTED,
				    "layout check failed: a table of spans expected in the "
				    "runtime's data, found none");
	return NULL;
}

// --- The page index. ---

static struct ms_span_arena *arena_find(const struct ms_spans *spans, uint64_t number)
{
	size_t low = 0, high = spans->arena_count;
	uint64_t nth = high ? number - spans->arenas[0].number : 0;

	if (nth < high && spans->arenas[nth].number == number)
		return &spans->arenas[nth]; // A heap mostly grows arena by arena, without holes.
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (spans->arenas[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < spans->arena_count && spans->arenas[low].number == number)
		return &spans->arenas[low];
	return NULL;
}

static struct ms_error *error_heap_size(void)
{
	return ms_error_new(MS_ERR_LIMIT, "its span table describes over %d GiB of heap",
			    ARENAS_MAX >> (30 - ARENA_SHIFT));
}

static struct ms_error *arena_get(struct ms_spans *spans, uint64_t number,
				  struct ms_span_arena **ret_arena)
{
	struct ms_span_arena *arena = arena_find(spans, number);
	uint32_t *pages;
	size_t at;

	if (arena) {
		*ret_arena = arena;
		return NULL;
	}
	if (spans->arena_count == ARENAS_MAX)
		return error_heap_size();
	if (!ms_vec_reserve_raw((void **)&spans->arenas, &spans->arena_capacity,
				spans->arena_count + 1, sizeof(*spans->arenas)))
		return ms_error_no_memory();
	pages = calloc(ARENA_PAGES, sizeof(*pages));
	if (!pages)
		return ms_error_no_memory();
	for (at = spans->arena_count; at > 0 && spans->arenas[at - 1].number > number; at--)
		spans->arenas[at] = spans->arenas[at - 1];
	spans->arenas[at] = (struct ms_span_arena){ number, pages };
	spans->arena_count++;
	*ret_arena = &spans->arenas[at];
	return NULL;
}

static struct ms_error *index_span(struct ms_spans *spans, uint32_t index)
{
	const struct ms_span *s = &spans->items[index];
	struct ms_span_arena *arena = NULL;

	for (uint32_t page = 0; page < s->pages; page++) {
		ms_addr addr = s->start + (uint64_t)page * MS_GO_PAGE_BYTES;
		uint64_t number = addr >> ARENA_SHIFT;

		if (!arena || arena->number != number) {
			struct ms_error *err = arena_get(spans, number, &arena);

			if (err)
				return err;
		}
		arena->spans[(addr / MS_GO_PAGE_BYTES) % ARENA_PAGES] = index + 1;
	}
	return NULL;
}

/** Spans do not overlap, so that together they are no more than all arenas. */
static struct ms_error *index_all(struct ms_spans *spans)
{
	uint64_t left = (uint64_t)ARENAS_MAX * ARENA_PAGES;

	for (size_t i = 0; i < spans->count; i++) {
		struct ms_error *err;

		if (spans->items[i].pages > left)
			return error_heap_size();
		left -= spans->items[i].pages;
		err = index_span(spans, (uint32_t)i);
		if (err)
			return err;
	}
	return NULL;
}

const struct ms_span *ms_spans_find(const struct ms_spans *spans, ms_addr addr)
{
	const struct ms_span_arena *arena = arena_find(spans, addr >> ARENA_SHIFT);
	uint32_t index = arena ? arena->spans[(addr / MS_GO_PAGE_BYTES) % ARENA_PAGES] : 0;

	return index ? &spans->items[index - 1] : NULL;
}

void ms_spans_prefetch(const struct ms_spans *spans, ms_addr addr)
{
	const char *span = (const char *)ms_spans_find(spans, addr);

	if (span) { // It may straddle two lines of the cache.
		__builtin_prefetch(span);
		__builtin_prefetch(span + sizeof(struct ms_span) - 1);
	}
}

bool ms_spans_has_arena(const struct ms_spans *spans, ms_addr addr)
{
	return arena_find(spans, addr >> ARENA_SHIFT) != NULL;
}

// --- Loading. ---

struct run {
	size_t first, count; // In the pointer array.
};

static struct ms_error *pointers_read_once(struct ms_go_runtime *rt, ms_addr **ret_pointers,
					   size_t *ret_count)
{
	MS_AUTO_FREE ms_addr *pointers = NULL;
	uint8_t slice[24];
	uint64_t count;
	struct ms_error *err = ms_target_read(rt->target, rt->allspans, slice, sizeof(slice));

	if (err)
		return ms_error_wrap(err, "span table");
	count = ms_load_u64(slice + 8);
	if (!count || count > SPANS_MAX || count > ms_load_u64(slice + 16))
		return ms_error_new(MS_ERR_BAD_DATA, "the span table says it has %" PRIu64 " spans",
				    count);
	pointers = malloc((size_t)count * sizeof(*pointers));
	if (!pointers)
		return ms_error_no_memory();
	err = ms_target_read(rt->target, ms_load_u64(slice), pointers, (size_t)count * 8);
	if (err)
		return ms_error_wrap(err, "span table");
	*ret_pointers = MS_STEAL(pointers);
	*ret_count = (size_t)count;
	return NULL;
}

/** The runtime moves the table when it grows and gives the old one back: then look anew. */
static struct ms_error *pointers_read(struct ms_go_runtime *rt, ms_addr **ret_pointers,
				      size_t *ret_count)
{
	struct ms_error *err = pointers_read_once(rt, ret_pointers, ret_count);

	for (unsigned i = 1; i < LOOKS_MAX && err; i++) {
		struct ms_error *refused;

		if (ms_error_code(err) != MS_ERR_FAULT && ms_error_code(err) != MS_ERR_BAD_DATA)
			return err;
		refused = ms_go_refresh(rt);
		if (refused) {
			ms_error_free(refused);
			return err;
		}
		ms_error_free(err);
		err = pointers_read_once(rt, ret_pointers, ret_count);
	}
	return err;
}

/** Where a span says that it is very large: whether both of its ends are mapped. */
static bool is_there(const struct ms_go_runtime *rt, const struct ms_span *s)
{
	return s->pages <= ARENA_PAGES || (ms_regions_find(&rt->regions, s->start) &&
					   ms_regions_find(&rt->regions, ms_span_end(s) - 1));
}

/** Parse the spans of one run out of the bytes that were read for it. */
static struct ms_error *run_parse(struct ms_go_runtime *rt, struct ms_spans *spans,
				  const ms_addr *pointers, const struct run *run,
				  const uint8_t *bytes)
{
	for (size_t i = run->first; i < run->first + run->count; i++) {
		struct ms_span span;

		if (!ms_span_parse(rt->layout, bytes + (pointers[i] - pointers[run->first]),
				   spans->sweepgen, &span) ||
		    span.state == MS_SPAN_DEAD)
			continue;
		if (!is_there(rt, &span)) {
			spans->unreadable++;
			continue;
		}
		span.address = pointers[i];
		if (!ms_vec_push(spans, span))
			return ms_error_no_memory();
		if (span.state == MS_SPAN_IN_USE)
			spans->in_use_bytes += (uint64_t)span.pages * MS_GO_PAGE_BYTES;
	}
	return NULL;
}

static size_t run_length(const ms_addr *pointers, size_t first, size_t count, size_t span_size)
{
	size_t i = first + 1;

	while (i < count && pointers[i] > pointers[i - 1] &&
	       pointers[i] - pointers[i - 1] <= span_size + RUN_GAP &&
	       pointers[i] - pointers[first] + span_size <= RUN_BYTES)
		i++;
	return i - first;
}

enum { RUNS_AT_ONCE = 256 };

static struct ms_error *spans_read(struct ms_go_runtime *rt, const ms_addr *pointers, size_t count,
				   struct ms_spans *spans)
{
	MS_AUTO_FREE uint8_t *buf = malloc(MS_READ_BYTES_MAX);
	size_t size = rt->layout->mspan_size, next = 0;

	if (!buf)
		return ms_error_no_memory();
	while (next < count) {
		struct ms_read reads[RUNS_AT_ONCE];
		struct run runs[RUNS_AT_ONCE];
		size_t n = 0, used = 0;
		struct ms_error *err;

		while (next < count && n < RUNS_AT_ONCE && used + RUN_BYTES <= MS_READ_BYTES_MAX) {
			size_t len = run_length(pointers, next, count, size);
			size_t bytes = (size_t)(pointers[next + len - 1] - pointers[next]) + size;

			runs[n] = (struct run){ next, len };
			reads[n++] = (struct ms_read){ pointers[next], buf + used, (uint32_t)bytes,
						       MS_READ_OK };
			used += bytes;
			next += len;
		}
		err = ms_target_read_many(rt->target, reads, n);
		for (size_t i = 0; i < n && !err; i++) {
			if (reads[i].status == MS_READ_OK)
				err = run_parse(rt, spans, pointers, &runs[i], reads[i].buf);
			else
				spans->unreadable += runs[i].count;
		}
		if (err)
			return err;
	}
	return NULL;
}

struct ms_error *ms_spans_load(struct ms_go_runtime *rt, struct ms_spans *ret_spans)
{
	MS_AUTO_FREE ms_addr *pointers = NULL;
	struct ms_spans spans = { 0 };
	size_t count = 0;
	struct ms_error *err;

	if (rt->lacks_spans) {
		*ret_spans = (struct ms_spans){ .has_holes = true };
		return NULL;
	}
	err = ms_go_sweepgen(rt, &spans.sweepgen);
	if (!err)
		err = pointers_read(rt, &pointers, &count);
	if (!err)
		err = spans_read(rt, pointers, count, &spans);
	if (!err)
		err = index_all(&spans);
	if (err) {
		ms_spans_deinit(&spans);
		return err;
	}
	spans.has_holes = rt->target->is_cut && spans.unreadable;
	*ret_spans = spans;
	return NULL;
}

bool ms_span_has_headers(const struct ms_go_layout *l, const struct ms_span *s)
{
	return ms_go_has_malloc_headers(l) && ms_span_has_pointers(s) && s->span_class / 2 != 0 &&
	       s->elem_bytes > HEADER_MIN_BYTES;
}

uint32_t ms_span_header_bytes(const struct ms_go_layout *l, const struct ms_span *s)
{
	return ms_span_has_headers(l, s) ? 8 : 0;
}

bool ms_span_is_object(const struct ms_go_layout *l, const struct ms_span *s, ms_addr addr)
{
	uint64_t offset = addr - s->start;

	if (addr < s->start || s->state != MS_SPAN_IN_USE)
		return false;
	if (ms_span_has_headers(l, s)) {
		if (offset < 8)
			return false;
		offset -= 8;
	}
	return offset % s->elem_bytes == 0 && offset / s->elem_bytes < s->elems;
}

void ms_spans_deinit(struct ms_spans *spans)
{
	for (size_t i = 0; i < spans->arena_count; i++)
		free(spans->arenas[i].spans);
	free(spans->arenas);
	free(spans->items);
	*spans = (struct ms_spans){ 0 };
}
