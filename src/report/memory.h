// memory.h - where the resident memory of a process is: parts that add up to what the kernel
// counts.
//
//	rss_bytes = map_live + map_slack + map_untyped + other_live
//		  + garbage + span_free                                        in-use spans
//		  + heap_free                                                  heap pages of no span
//		  + stacks + manual                                            manual spans
//		  + runtime + off_heap                                         anonymous, no heap
//		  + executable + files
//		  + unknown - excess
//
// Each part counts resident bytes only: an object whose pages were never touched is in none.
#pragma once

#include "base/types.h"

/** Live objects of one type in one span class. */
struct ms_type_total {
	const char *type;
	uint64_t objects, bytes;
	uint8_t span_class; // Size class * 2, plus 1 for objects without pointers.
	bool is_map;        // A map's own: its header, buckets, groups, tables, directory.
};

/** All spans of one size class, with and without pointers apart.  Bytes are those of whole slots.
 */
struct ms_size_class_row {
	uint64_t object_bytes; // Size of a slot; 0 for large objects, each of which has its own.
	uint64_t spans, span_bytes;
	uint64_t live_objects, live_bytes;
	uint64_t garbage_objects, garbage_bytes;
	uint64_t free_bytes; // Of the spans: slots that are free, tails, mark and heap bits.
	uint8_t span_class;
};

enum { MS_MEMORY_TYPES_MAX = 64, MS_SPAN_CLASSES_MAX = 256 };

struct ms_memory {
	bool known; // False: nothing below was measured, not even what is 0.
	uint64_t rss_bytes;

	uint64_t map_live_bytes, map_slack_bytes;
	uint64_t map_untyped_bytes; // Of maps whose type does not tell live from slack.
	uint64_t map_absent_bytes;  // Of their tables, never touched: in no part.
	uint64_t other_live_bytes;  // Objects that are no part of a map.
	uint64_t garbage_bytes;     // Dead, and not yet swept.
	uint64_t span_free_bytes;
	uint64_t heap_free_bytes; // Given back by no one yet; kept for new spans.
	uint64_t stack_bytes;     // Stacks of goroutines, those at rest in caches with them.
	uint64_t manual_bytes;    // Other manual spans: work buffers of the collector.
	uint64_t runtime_bytes;   // The runtime's own structures outside of the heap.
	uint64_t off_heap_bytes;  // Anonymous memory that is not Go's: C heap, mmap, thread stacks.
	uint64_t executable_bytes;
	uint64_t file_bytes;    // Shared libraries, files and memory mapped.
	uint64_t unknown_bytes; // What the kernel counts and no mapping shows.
	uint64_t excess_bytes;  // The other way round: it moved, or its pages are not counted.

	struct ms_size_class_row *classes; // By span class; rows without spans are left out.
	size_t class_count;
	struct ms_type_total *types; // By bytes, descending; as many as are worth a name.
	size_t type_count;
	double wall_s; // What measuring took.
};

/** Bytes of live heap objects, maps with them; MS_UNKNOWN when not measured. */
uint64_t ms_memory_live_bytes(const struct ms_memory *m);

/** All bytes of maps, headers with them. */
uint64_t ms_memory_map_bytes(const struct ms_memory *m);

/** What maps take, as a census sums it. */
struct ms_map_bytes {
	uint64_t total;
	uint64_t live;    // Of the total.
	uint64_t untyped; // Of the total, where it is not known what is live.
};

/**
 * Split the live objects anew into maps and others: a walk may have found more maps, or more of
 * their types.  What died since it was counted gives way.
 */
void ms_memory_split_maps(struct ms_memory *m, struct ms_map_bytes maps);

/** Maps' share of the live heap, 0 to 1; NAN when it cannot be said. */
double ms_memory_map_share(const struct ms_memory *m);

/** Below this share maps are not what fills a heap. */
#define MS_MAP_SHARE_SMALL 0.10

/** One part of the whole, for those that list all. */
struct ms_memory_part {
	const char *field; // Of the documents: "map_live_bytes".
	const char *text;  // Of the page: "maps: entries".
	uint64_t bytes;
};

enum { MS_MEMORY_PARTS = 14 };

/** All parts in the order in which they are shown; MS_UNKNOWN when not measured. */
void ms_memory_parts(const struct ms_memory *m, struct ms_memory_part ret_parts[MS_MEMORY_PARTS]);

/** The best types that are no maps' own, classes summed, by bytes; *ret_count is at most @p most.
 */
void ms_memory_top_types(const struct ms_memory *m, size_t most, struct ms_type_total *ret_types,
			 size_t *ret_count);

/**
 * Indices of the size classes by bytes of their live objects, descending; NULL when memory is
 * short.  The caller frees it.
 */
size_t *ms_memory_class_order(const struct ms_memory *m);

/**
 * Keep the first MS_MEMORY_TYPES_MAX types, by bytes, of @p types; the names are borrowed.  False:
 * no memory.
 */
bool ms_memory_take_types(struct ms_memory *m, const struct ms_type_total *types, size_t count);

void ms_memory_deinit(struct ms_memory *m);
