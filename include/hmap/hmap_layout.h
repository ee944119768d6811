/*
 * hmap_layout.h - how a bucket lies in memory, for any key and value: field, offset, size, padding.
 */
#ifndef HMAP_HMAP_LAYOUT_H
#define HMAP_HMAP_LAYOUT_H

#include <hmap/hmap.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { HMAP_LAYOUT_FIELDS_MAX = 12 };

/** One field of a bucket; repeated ones are one row. */
struct hmap_layout_field {
	const char *name;  /**< "tags", "key", ...; "(padding)" where nothing lies */
	const char *where; /**< which run of memory: "bucket", "tags of a block", "slot" */
	size_t offset;     /**< within it */
	size_t size;       /**< bytes, of all repetitions together */
	size_t count;      /**< repetitions */
};

/** A bucket of the classic engine, or a block of the steady one. */
struct hmap_layout {
	enum hmap_engine engine;
	struct hmap_layout_field fields[HMAP_LAYOUT_FIELDS_MAX];
	size_t field_count;
	size_t slots;            /**< entries in it: 8, or 56 */
	size_t bytes;            /**< of it: for the steady engine its tags and slots together */
	size_t padding;          /**< bytes in it that hold nothing, for good */
	double bytes_per_entry;  /**< at the load at which it grows */
	double bytes_on_average; /**< half way between two growths, which is 3/4 of that load */
	bool key_by_reference, value_by_reference;
};

/**
 * The layout of a type's bucket in an engine.  HMAP_BAD_ARGUMENT: no map can have such a type.
 * The source of the classic one is Go 1.19, cmd/compile/internal/reflectdata, MapBucketType.
 */
HMAP_API enum hmap_status hmap_layout(const struct hmap_type *type, enum hmap_engine engine,
				      struct hmap_layout *ret_layout);

#ifdef __cplusplus
}
#endif

#endif
