// memory_internal.h - what the files behind measure_memory.h share.
#pragma once

#include "census/measure_memory.h"
#include "target/resident.h"

/** Objects of one span. */
struct ms_span_life {
	uint32_t live, garbage;
};

/** Address ranges of one kind. */
struct ms_ranges {
	struct ms_range {
		ms_addr start, end;
	} * items;
	size_t count, capacity;
};

/** Count the objects of all in-use spans; @p ret_lives has room for each span. */
MS_MUST_USE struct ms_error *ms_memory_count_lives(struct ms_go_runtime *rt,
						   const struct ms_spans *spans,
						   struct ms_span_life *ret_lives);

/** The parts of the address space that the heap lies in. */
MS_MUST_USE struct ms_error *ms_memory_find_arenas(const struct ms_go_runtime *rt,
						   const struct ms_spans *spans,
						   struct ms_ranges *ret_arenas);

/** Where the runtime's own structures lie, by evidence; may reach into what is not anonymous. */
MS_MUST_USE struct ms_error *ms_memory_find_runtime(struct ms_go_runtime *rt,
						    const struct ms_spans *spans,
						    struct ms_ranges *ret_ranges);

/** Sort, and join what touches. */
void ms_ranges_settle(struct ms_ranges *ranges);

/** Resident bytes of [start, end) that lie in @p ranges, which are settled. */
uint64_t ms_ranges_resident(const struct ms_ranges *ranges, const struct ms_resident *resident,
			    ms_addr start, ms_addr end);

/** True when @p ranges, which are settled, and [start, end) have an address in common. */
bool ms_ranges_meet(const struct ms_ranges *ranges, ms_addr start, ms_addr end);
