// creations.h - the part of a trace that shows maps being made, with the hints that they are made
// with.
#pragma once

#include "trace/trace.h"

/**
 * B of the classic map that is made with @p hint; @p unit_bytes is the size of its buckets, 0
 * unknown.
 */
uint64_t ms_creation_bucket_shift(const struct ms_go_layout *layout, uint64_t hint,
				  uint32_t unit_bytes);

extern const struct ms_trace_part ms_creations;
