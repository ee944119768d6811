// shape.h - does an allocation of this size hold that many buckets or groups of some map type?
//
// The strongest check that needs no reading: a table of 2^B buckets of a type that the program
// has can only be of a few sizes.  Where its types are not known, any size that a bucket can have
// is taken, and ms_shapes_units says which these are.
#pragma once

#include "golang/types.h"

struct ms_shape {
	bool fits;
	uint32_t table_bytes; // Bytes of one bucket or group; 0 when several types differ in it.
	uint32_t entry_bytes; // Bytes of a stored key and elem; 0 likewise.
};

struct ms_shapes;

enum { MS_SHAPE_UNITS_MAX = 260 };

/** @p types, NULL where they are not known, and @p layout must outlive the result. */
MS_MUST_USE struct ms_error *ms_shapes_create(const struct ms_types *types,
					      const struct ms_go_layout *layout,
					      struct ms_shapes **ret_shapes);

/** What fits an object of @p elem_bytes that holds @p units buckets (or groups). */
struct ms_shape ms_shapes_fit(struct ms_shapes *shapes, uint64_t units, uint64_t elem_bytes,
			      bool has_pointers);

/** Of types that are not known: the bytes that one bucket (or group) may have; how many sizes. */
size_t ms_shapes_units(const struct ms_shapes *shapes, uint64_t units, uint64_t elem_bytes,
		       bool has_pointers, uint32_t ret_bytes[MS_SHAPE_UNITS_MAX]);

/** Buckets that makeBucketArray allocates for 2^log2: with those kept for overflow, from 16 on. */
uint64_t ms_classic_buckets(unsigned bucket_log2);

/** Accepts NULL. */
void ms_shapes_destroy(struct ms_shapes *shapes);
