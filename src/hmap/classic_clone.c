// classic_clone.c - mapclone: a copy of a classic map, as Go 1.21 and newer make it.
//
// The copy has the same hash0, so that it has the same tags and hash bits, and a table that fits
// the entries.  They are taken bucket by bucket, first those of the present array and then those
// that a growth has not moved yet.
#include "hmap/classic_internal.h"

static enum hmap_status clone_chain(const struct hmap_classic *from, bmap *b,
				    struct hmap_classic *to)
{
	for (; b; b = overflow(from, b)) {
		for (unsigned i = 0; i < bucketCnt; i++) {
			const void *key = key_of(from, b, i);
			enum hmap_status status;

			if (b->tophash[i] < minTopHash)
				continue;
			status = hmap_classic_add(to, hash_of(to, key), key, elem_of(from, b, i));
			if (status != HMAP_OK)
				return status;
		}
	}
	return HMAP_OK;
}

static enum hmap_status clone_table(const struct hmap_classic *from,
				    struct hmap_classic_table *table, struct hmap_classic *to)
{
	enum hmap_status status = HMAP_OK;

	for (size_t n = 0; table && status == HMAP_OK && n < bucketShift(table->B); n++) {
		bmap *b = bucket_at(from, table->buckets, n);

		if (!evacuated(b))
			status = clone_chain(from, b, to);
	}
	return status;
}

enum hmap_status hmap_classic_clone(const struct hmap_classic *c, struct hmap *map,
				    struct hmap_classic **ret)
{
	struct hmap_options options = {
		.engine = HMAP_CLASSIC,
		.hint = c->h.count,
		.load = (double)c->load_num / 16,
		.allocator = c->allocator,
	};
	struct hmap_classic *to;
	enum hmap_status status = begin_read(c, "concurrent map clone and map write");

	if (status == HMAP_OK)
		status = hmap_classic_create(map, c->type, &options, c->h.hash0, &to);
	if (status != HMAP_OK)
		return status;
	if (c->h.count && !to->now) {
		struct hmap_classic_table *table = hmap_classic_makeBucketArray(to, 0);

		status = table ? HMAP_OK : HMAP_NO_MEMORY;
		if (table)
			hmap_classic_use_table(to, table);
	}
	if (status == HMAP_OK)
		status = clone_table(c, c->now, to);
	if (status == HMAP_OK)
		status = clone_table(c, c->old, to);
	if (status != HMAP_OK) {
		hmap_classic_destroy(to);
		return status;
	}
	*ret = to;
	return HMAP_OK;
}
