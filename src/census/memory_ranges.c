// memory_ranges.c - which addresses are the heap's, and which the runtime's own.
//
// The heap grows in arenas of 64 MiB from an address that is a multiple of it.  Free pages belong
// to no span, so that spans alone do not tell where the heap ends.  Two rules find it:
//   - mappings that touch each other, from a multiple of 64 MiB on, with a span in them: the
//     runtime chose that address, and nothing else is mapped there;
//   - where the runtime had to take what the kernel gave, among libraries and buffers: the
//     64 MiB in which a span lies.
//
// The runtime's own structures lie in mappings that the kernel joins with whatever is mapped beside
// them: a mapping is no evidence.  What is known points there: span records lie in chunks of
// 256 KiB, their bits in blocks of 64 KiB; the table of spans is a slice.  The words of
// runtime.mheap around the address of that slice (pages, arenas) are pointers and slices too, and
// the arena table leads to what is kept for each arena.
#include "base/vec.h"
#include "census/memory_internal.h"

#include "base/cleanup.h"

enum {
	ARENA_SHIFT = 26,
	RECENT = 1024, // Blocks seen a moment ago: neighbours share theirs.
	CHUNK_BYTES = 256 << 10,
	BITS_BLOCK_BYTES = 64 << 10,
	BLOCK_SHIFT = 16,
	SMALL_MAPPING_BYTES = 1 << 20,
	HEAP_BEFORE = 80 << 10,     // mheap_.pages lies before allspans, with 64 KiB of its own,
	HEAP_BEHIND = 2 << 10,      // mheap_.arenas behind it.
	PAGE_CHUNK_BYTES = 1 << 20, // 8192 pallocData of 128 bytes.
	ARENA_INDEX_BYTES = 32 << 20,
	ARENA_BITMAP_BYTES = 2 << 20, // Go < 1.22.
	ARENA_RECORD_BYTES = 80 << 10,
	ARENAS_ASKED_MAX = 16 << 10,
	SLICE_BYTES_MAX = 1 << 30,
};

static bool ranges_add(struct ms_ranges *r, ms_addr start, ms_addr end)
{
	return start >= end || ms_vec_push(r, { start, end });
}

static int by_start(const void *a, const void *b)
{
	const struct ms_range *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

void ms_ranges_settle(struct ms_ranges *r)
{
	size_t kept = 0;

	if (!r->count)
		return;
	qsort(r->items, r->count, sizeof(*r->items), by_start);
	for (size_t i = 1; i < r->count; i++) {
		if (r->items[i].start <= r->items[kept].end)
			r->items[kept].end = ms_max_u64(r->items[kept].end, r->items[i].end);
		else
			r->items[++kept] = r->items[i];
	}
	r->count = kept + 1;
}

/** The first range that ends behind @p addr. */
static size_t range_from(const struct ms_ranges *r, ms_addr addr)
{
	size_t low = 0, high = r->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (r->items[middle].end <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint64_t ms_ranges_resident(const struct ms_ranges *r, const struct ms_resident *resident,
			    ms_addr start, ms_addr end)
{
	uint64_t sum = 0;

	for (size_t i = range_from(r, start); i < r->count && r->items[i].start < end; i++)
		sum += ms_resident_bytes(resident, ms_max_u64(start, r->items[i].start),
					 ms_min_u64(end, r->items[i].end));
	return sum;
}

bool ms_ranges_meet(const struct ms_ranges *r, ms_addr start, ms_addr end)
{
	size_t i = range_from(r, start);

	return i < r->count && r->items[i].start < end;
}

// --- The heap. ---

/** Whole runs of touching anonymous mappings from a multiple of 64 MiB on, where a span is. */
static struct ms_error *extend_arenas(const struct ms_regions *regions, struct ms_ranges *arenas)
{
	size_t settled = arenas->count, i = 0;

	while (i < regions->count) {
		const struct ms_region *first = &regions->items[i];
		ms_addr end = first->end;
		struct ms_ranges found = { arenas->items, settled, 0 };

		for (i++; i < regions->count && regions->items[i].start == end &&
			  regions->items[i].kind == MS_REGION_ANON;
		     i++)
			end = regions->items[i].end;
		if (first->kind != MS_REGION_ANON || first->start % ((ms_addr)1 << ARENA_SHIFT) ||
		    !ms_ranges_meet(&found, first->start, end))
			continue;
		if (!ranges_add(arenas, first->start, end))
			return ms_error_no_memory();
	}
	return NULL;
}

struct ms_error *ms_memory_find_arenas(const struct ms_go_runtime *rt, const struct ms_spans *spans,
				       struct ms_ranges *ret_arenas)
{
	struct ms_ranges arenas = { 0 };
	struct ms_error *err = NULL;
	uint64_t last = UINT64_MAX;

	for (size_t i = 0; i < spans->count && !err; i++) {
		const struct ms_span *s = &spans->items[i];
		uint64_t first = s->start >> ARENA_SHIFT;
		uint64_t end = (ms_span_end(s) + ((ms_addr)1 << ARENA_SHIFT) - 1) >> ARENA_SHIFT;

		if (first == last && end == first + 1)
			continue;
		last = first;
		if (!ranges_add(&arenas, first << ARENA_SHIFT, end << ARENA_SHIFT))
			err = ms_error_no_memory();
	}
	ms_ranges_settle(&arenas);
	if (!err)
		err = extend_arenas(&rt->regions, &arenas);
	ms_ranges_settle(&arenas);
	if (err)
		free(arenas.items);
	else
		*ret_arenas = arenas;
	return err;
}

// --- The runtime's own. ---

struct finder {
	struct ms_go_runtime *rt;
	const struct ms_spans *spans;
	struct ms_ranges arenas;
	struct ms_ranges found;
	uint64_t recent[RECENT]; // Blocks + 1.
};

/** Something of the runtime lies at @p addr, and @p around to both sides. */
static bool evidence(struct finder *f, ms_addr addr, uint64_t around)
{
	uint64_t block = addr >> BLOCK_SHIFT;
	uint64_t *seen = &f->recent[block % RECENT];
	ms_addr start = block << BLOCK_SHIFT;

	if (!block || *seen == block + 1)
		return true;
	*seen = block + 1;
	return ranges_add(&f->found, start > around ? start - around : 0,
			  start + (1u << BLOCK_SHIFT) + around);
}

static bool span_evidence(struct finder *f)
{
	for (size_t i = 0; i < f->spans->count; i++) {
		const struct ms_span *s = &f->spans->items[i];

		if (!evidence(f, s->address, CHUNK_BYTES) ||
		    !evidence(f, s->alloc_bits, BITS_BLOCK_BYTES) ||
		    !evidence(f, s->mark_bits, BITS_BLOCK_BYTES))
			return false;
	}
	return true;
}

/** The anonymous mapping at @p addr that is no heap, or NULL. */
static const struct ms_region *plain_region(const struct finder *f, ms_addr addr)
{
	const struct ms_region *r = ms_regions_find(&f->rt->regions, addr);

	return r && r->kind == MS_REGION_ANON && !ms_ranges_meet(&f->arenas, addr, addr + 1) ? r
											     : NULL;
}

/** What is kept for each arena, by the table at @p table.  False: no memory. */
static struct ms_error *arena_evidence(struct finder *f, ms_addr table)
{
	bool bitmap = !ms_go_has_malloc_headers(f->rt->layout);
	uint64_t base = f->rt->elf.arch == MS_ARCH_AMD64 ? (uint64_t)1 << 47 : 0;
	unsigned asked = 0;

	for (size_t i = 0; i < f->arenas.count; i++) {
		const struct ms_range *a = &f->arenas.items[i];

		for (ms_addr at = a->start; at < a->end; at += (ms_addr)1 << ARENA_SHIFT) {
			ms_addr entry = table + ((at + base) >> ARENA_SHIFT) * 8, record;
			struct ms_read read = { entry, &record, 8, MS_READ_OK };
			struct ms_error *err = ms_target_read_many(f->rt->target, &read, 1);

			if (err || asked++ == ARENAS_ASKED_MAX)
				return err;
			if (read.status != MS_READ_OK || record % 8 || !plain_region(f, record))
				continue;
			if (!ranges_add(&f->found, record,
					record + ARENA_RECORD_BYTES +
					    (bitmap ? ARENA_BITMAP_BYTES : 0)))
				return ms_error_no_memory();
		}
	}
	return NULL;
}

/** Take in what one word of runtime.mheap, with the two behind it, points to. */
static struct ms_error *heap_word(struct finder *f, const uint8_t *words, bool behind)
{
	ms_addr at = ms_load_u64(words);
	uint64_t len = ms_load_u64(words + 8), cap = ms_load_u64(words + 16);
	bool slice = cap && len <= cap && cap <= SLICE_BYTES_MAX / 8;
	const struct ms_region *region = at % 4096 ? NULL : plain_region(f, at);
	uint64_t bytes = slice ? cap * 8 : PAGE_CHUNK_BYTES;

	if (!region)
		return NULL;
	if (!slice && behind) // The table of arenas is a single pointer.
		return arena_evidence(f, at);
	if (!slice)
		bytes = ms_min_u64(bytes, region->end - at);
	return ranges_add(&f->found, at, at + bytes) ? NULL : ms_error_no_memory();
}

static struct ms_error *heap_evidence(struct finder *f)
{
	MS_AUTO_FREE uint8_t *words = malloc(HEAP_BEFORE + HEAP_BEHIND);
	ms_addr from = f->rt->allspans - HEAP_BEFORE;
	struct ms_error *err = NULL;

	if (!words)
		return ms_error_no_memory();
	for (uint32_t at = 0; at < HEAP_BEFORE + HEAP_BEHIND && !err; at += 1024) {
		struct ms_read read = { from + at, words + at, 1024, MS_READ_OK };

		err = ms_target_read_many(f->rt->target, &read, 1);
		if (read.status != MS_READ_OK)
			memset(words + at, 0, 1024);
	}
	for (uint32_t at = 0; at + 24 <= HEAP_BEFORE + HEAP_BEHIND && !err; at += 8)
		err = heap_word(f, words + at, at > HEAP_BEFORE);
	return err;
}

/** A small mapping with evidence in it is the runtime's as a whole. */
static struct ms_error *widen(struct finder *f)
{
	size_t settled = f->found.count;

	for (size_t i = 0; i < f->rt->regions.count; i++) {
		const struct ms_region *r = &f->rt->regions.items[i];
		struct ms_ranges found = { f->found.items, settled, 0 };

		if (r->end - r->start > SMALL_MAPPING_BYTES ||
		    !ms_ranges_meet(&found, r->start, r->end))
			continue;
		if (!ranges_add(&f->found, r->start, r->end))
			return ms_error_no_memory();
	}
	return NULL;
}

struct ms_error *ms_memory_find_runtime(struct ms_go_runtime *rt, const struct ms_spans *spans,
					struct ms_ranges *ret_ranges)
{
	MS_AUTO_FREE struct finder *f = calloc(1, sizeof(*f));
	struct ms_error *err;

	if (!f)
		return ms_error_no_memory();
	f->rt = rt;
	f->spans = spans;
	err = ms_memory_find_arenas(rt, spans, &f->arenas);
	if (!err && !span_evidence(f))
		err = ms_error_no_memory();
	if (!err)
		err = heap_evidence(f);
	ms_ranges_settle(&f->found);
	if (!err)
		err = widen(f);
	ms_ranges_settle(&f->found);
	free(f->arenas.items);
	if (err)
		free(f->found.items);
	else
		*ret_ranges = f->found;
	return err;
}
