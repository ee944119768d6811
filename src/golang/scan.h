// scan.h - walking a module's data ranges word by word, for roots that have no symbol.
#pragma once

#include "golang/runtime.h"

enum { MS_GO_SLICE_SAMPLES = 16 };

/** Three words that look like a Go slice of pointers. */
struct ms_go_slice {
	ms_addr address; // Of the slice itself.
	ms_addr data;
	uint64_t len, cap;
	ms_addr samples[MS_GO_SLICE_SAMPLES]; // Elements, spread evenly over it.
	size_t sample_count;                  // Less than MS_GO_SLICE_SAMPLES in a short slice.
};

/**
 * Judge a candidate.  Sets *ret_take when it is what is looked for; the walk then ends.  FAULT and
 * BAD_DATA mean no; any other error ends the walk.
 */
typedef struct ms_error *(*ms_slice_fn)(struct ms_go_runtime *rt, const struct ms_go_slice *slice,
					void *context, bool *ret_take);

/** Look at the bytes at @p at; only those asked for may be read.  They may change under way. */
typedef void (*ms_place_fn)(const uint8_t *raw, ms_addr at, void *context);

/**
 * Offer every aligned place with @p need bytes behind it in the two ranges of the first module that
 * are zeros in the file: there a variable of the runtime without an initial value lies.  Pages
 * that cannot be read are passed over.  UNSUPPORTED when @p need is 0 or over MS_GO_PLACE_MAX.
 */
MS_MUST_USE struct ms_error *ms_go_scan_zeroed(struct ms_go_runtime *rt, size_t need,
					       ms_place_fn fn, void *context);

enum { MS_GO_PLACE_MAX = 1 << 20 };

/**
 * Offer every slice with min_cap <= cap, len <= cap in the data ranges of the first module whose
 * elements and samples lie in anonymous memory.
 */
MS_MUST_USE struct ms_error *ms_go_scan_slices(struct ms_go_runtime *rt, uint64_t min_cap,
					       ms_slice_fn fn, void *context, bool *ret_found);
