// page_cache.h - pages of the target kept for a moment, for a walk that has nothing but the next
// step to read: a long list is many objects, one behind the other, on few pages.
#pragma once

#include "target/target.h"

enum { MS_WALK_PAGE_BYTES = 8192 };

struct ms_page_cache {
	struct ms_page_slot {
		ms_addr page; // 0: empty.
		double read_at;
	} * slots;
	uint8_t *bytes;
};

/** False: no memory. */
bool ms_page_cache_init(struct ms_page_cache *cache);

/**
 * The @p size bytes at @p address as they were at most a tenth of a second before @p now; NULL when
 * they cross the end of a page or cannot be read.  They hold until the next call.
 */
MS_MUST_USE struct ms_error *ms_page_cache_read(struct ms_page_cache *cache, struct ms_target *t,
						ms_addr address, uint64_t size, double now,
						const uint8_t **ret_bytes);

void ms_page_cache_deinit(struct ms_page_cache *cache);
