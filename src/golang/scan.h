// scan.h - walking a module's data ranges word by word, for roots that have no symbol.
#pragma once

#include "golang/runtime.h"

/** Three words that look like a Go slice of pointers. */
struct ms_go_slice {
	ms_addr address; // Of the slice itself.
	ms_addr data;
	uint64_t len, cap;
};

/**
 * Judge a candidate.  Sets *ret_take when it is what is looked for; the walk then ends.  FAULT and
 * BAD_DATA mean no; any other error ends the walk.
 */
typedef struct ms_error *(*ms_slice_fn)(struct ms_go_runtime *rt, const struct ms_go_slice *slice,
					void *context, bool *ret_take);

/** Offer every slice with min_cap <= cap, len <= cap in the data ranges of the first module. */
MS_MUST_USE struct ms_error *ms_go_scan_slices(struct ms_go_runtime *rt, uint64_t min_cap,
					       ms_slice_fn fn, void *context, bool *ret_found);

/** Read @p count elements (pointers) of a slice, spread evenly over it, into @p ret_items. */
MS_MUST_USE struct ms_error *ms_go_slice_sample(struct ms_go_runtime *rt,
						const struct ms_go_slice *slice, size_t count,
						ms_addr *ret_items);
