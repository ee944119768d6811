// spans.h - the heap as the runtime cuts it up: a snapshot of every mspan, and a page index.
//
// A span is a run of 8 KiB pages holding objects of one size (runtime/mheap.go).  The snapshot is
// some milliseconds old by the time it is used; a pointer that fits no span may simply be newer.
#pragma once

#include "golang/runtime.h"

enum { MS_GO_PAGE_BYTES = 8192 };

enum ms_span_state {
	MS_SPAN_DEAD,
	MS_SPAN_IN_USE, // Heap objects.
	MS_SPAN_MANUAL, // Stacks and other runtime memory.
};

/** Where the truth about an object's life is to be read in this span. */
enum ms_span_bits {
	MS_SPAN_BITS_ALLOC,       // Swept: freeindex and allocBits.
	MS_SPAN_BITS_MARK,        // Still to be swept: gcmarkBits say what survived.
	MS_SPAN_BITS_INLINE_MARK, // Likewise, with the marks inside the span (Green Tea).
	MS_SPAN_BITS_SWEEPING,    // Being swept at this moment: ask again.
};

struct ms_span {
	ms_addr address; // Of the mspan itself.
	ms_addr start;
	uint64_t elem_bytes;
	ms_addr alloc_bits, mark_bits;
	ms_addr large_type; // Type descriptor of a large object, 0 for none.
	ms_addr specials;   // First of the records kept of some of its objects, or 0.
	uint32_t pages;
	uint32_t elems;
	uint32_t free_index;
	uint32_t alloc_count;
	uint8_t span_class;  // Size class * 2, plus 1 for objects without pointers.
	uint8_t state;       // ms_span_state
	uint8_t bits;        // ms_span_bits
	bool cached;         // Held by a P: its counts run ahead.
	bool sweepgen_known; // Its sweepgen is one that the heap's allows.
};

struct ms_spans {
	struct ms_span *items;
	size_t count, capacity;
	uint64_t in_use_bytes;
	uint64_t unreadable; // Records of the table that could not be read.
	bool has_holes;      // Of a target that was cut off: some or all spans are missing.
	uint32_t sweepgen;
	struct ms_span_arena *arenas; // Page index by 64 MiB arena, sorted.
	size_t arena_count, arena_capacity;
};

/**
 * Read all spans.  BAD_DATA when the table cannot be one.  Where the runtime lacks its spans there
 * are none, and has_holes.
 */
MS_MUST_USE struct ms_error *ms_spans_load(struct ms_go_runtime *rt, struct ms_spans *ret_spans);

/** The span that holds @p addr, or NULL. */
const struct ms_span *ms_spans_find(const struct ms_spans *spans, ms_addr addr);

/** Have the record of that span come into the cache: ms_spans_find will be asked for it soon. */
void ms_spans_prefetch(const struct ms_spans *spans, ms_addr addr);

/** True when @p addr lies in one of the heap's arenas, in a span or not. */
bool ms_spans_has_arena(const struct ms_spans *spans, ms_addr addr);

static inline ms_addr ms_span_end(const struct ms_span *s)
{
	return s->start + (uint64_t)s->pages * MS_GO_PAGE_BYTES;
}

static inline bool ms_span_has_pointers(const struct ms_span *s)
{
	return !(s->span_class & 1);
}

/** How many objects a span of one small class holds (mheap.initSpan). */
uint32_t ms_span_elems_of(const struct ms_go_layout *layout, uint64_t span_bytes,
			  uint64_t elem_bytes, bool has_pointers);

/** Whether objects here start with a word naming their type (Go >= 1.22, over 512 bytes). */
bool ms_span_has_headers(const struct ms_go_layout *layout, const struct ms_span *s);

/** Bytes of that word: 8 or 0. */
uint32_t ms_span_header_bytes(const struct ms_go_layout *layout, const struct ms_span *s);

/** True when @p addr is where an allocation in this span begins for its owner. */
bool ms_span_is_object(const struct ms_go_layout *layout, const struct ms_span *s, ms_addr addr);

/** Address of the spans table (a Go slice of *mspan) found in the data ranges; fills rt->allspans.
 */
MS_MUST_USE struct ms_error *ms_spans_find_heap(struct ms_go_runtime *rt);

/** Take one raw mspan apart; false when it cannot be one. */
bool ms_span_parse(const struct ms_go_layout *layout, const uint8_t *raw, uint32_t heap_sweepgen,
		   struct ms_span *ret_span);

void ms_spans_deinit(struct ms_spans *spans);
