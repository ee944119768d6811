// page_cache.c - direct-mapped: a page has one place, and takes it from whoever is there.
#include "walk/page_cache.h"

#include <stdlib.h>

enum { SLOTS = 512 };

static const double AGE_MAX = 0.1;

bool ms_page_cache_init(struct ms_page_cache *c)
{
	c->slots = calloc(SLOTS, sizeof(*c->slots));
	c->bytes = malloc((size_t)SLOTS * MS_WALK_PAGE_BYTES);
	return c->slots && c->bytes;
}

struct ms_error *ms_page_cache_read(struct ms_page_cache *c, struct ms_target *t, ms_addr address,
				    uint64_t size, double now, const uint8_t **ret_bytes)
{
	ms_addr page = address & ~(ms_addr)(MS_WALK_PAGE_BYTES - 1);
	size_t slot = (size_t)(page / MS_WALK_PAGE_BYTES % SLOTS);
	uint8_t *bytes = c->bytes + slot * MS_WALK_PAGE_BYTES;

	*ret_bytes = NULL;
	if (!page || address - page + size > MS_WALK_PAGE_BYTES)
		return NULL;
	if (c->slots[slot].page != page || now - c->slots[slot].read_at > AGE_MAX) {
		struct ms_error *err = ms_target_read(t, page, bytes, MS_WALK_PAGE_BYTES);

		c->slots[slot].page = 0;
		if (err && ms_error_code(err) == MS_ERR_FAULT) {
			ms_error_free(err);
			return NULL;
		}
		if (err)
			return err;
		c->slots[slot].page = page;
		c->slots[slot].read_at = now;
	}
	*ret_bytes = bytes + (address - page);
	return NULL;
}

void ms_page_cache_deinit(struct ms_page_cache *c)
{
	free(c->slots);
	free(c->bytes);
	*c = (struct ms_page_cache){ 0 };
}
