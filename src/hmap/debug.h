// debug.h - what libhmap and libhmap-debug know of each other.
//
// libhmap prints nothing and serves nothing: a library of its own does, loaded when HMAP_DEBUG is
// set.  It gets its libhmap from this table, which may be one that is linked statically and exports
// nothing.
#pragma once

#include <hmap/hmap_debug.h>
#include <hmap/hmap_registry.h>

#define HMAPI_DEBUG_VERSION 1
#define HMAPI_DEBUG_LIBRARY "libhmap-debug.so.0"
#define HMAPI_DEBUG_START "hmap_debug_start"

/** The calls that it uses.  Never changed: a new version has a new number, and ends likewise. */
struct hmapi_debug_calls {
	uint32_t version, size;
	enum hmap_status (*observe)(const struct hmap_observer *observer);
	void (*each_map)(hmap_each_fn visit, void *state);
	void (*totals)(struct hmap_totals *ret_totals);
	size_t (*totals_by_name)(struct hmap_named_totals *ret, size_t count,
				 struct hmap_totals *ret_all);
	void (*peek)(const struct hmap *map, struct hmap_stats *ret_stats);
	const void *(*created_at)(const struct hmap *map);
	const struct hmap_type *(*type_of)(const struct hmap *map);
	const char *(*name_of)(const struct hmap *map);
	const char *(*library_version)(void);
	bool (*audit_next)(const struct hmap *map);
};

/** Its one entry: @p words are those of hmap_debug.h. */
typedef enum hmap_status (*hmapi_debug_start_fn)(const struct hmapi_debug_calls *calls,
						 const char *words);

/** With the first map: loads it, where that is asked for. */
void hmapi_begin_debug(void);
