// classic_delete.c - mapdelete and mapclear: how entries leave a classic map.
//
// An erased slot becomes emptyOne.  If nothing follows it in its chain it becomes emptyRest, and so
// do the emptyOne slots right before it: a search then stops there.  The table stays as large as it
// is; overflow buckets stay in their chains until a growth.
//
// An iteration that looks at an array from before a growth finds its keys there and asks for them
// in the present one.  Go's collector keeps what such a key points to; here it may be gone with the
// entry.  So while such iterations are under way, an erased entry is also marked in the arrays
// that are kept for them, as one that was never there.
#include "hmap/classic_internal.h"

/** Whether the slot behind number @p i of @p b is emptyRest, or there is none. */
static bool nothing_follows(const struct hmap_classic *c, const bmap *b, unsigned i)
{
	const bmap *next;

	if (i + 1 < bucketCnt)
		return b->tophash[i + 1] == emptyRest;
	next = overflow(c, b);
	return !next || next->tophash[0] == emptyRest;
}

/** Slot @p i of @p b in the chain from @p first was emptied: its tag, and the tags before it. */
static void mark_empty(const struct hmap_classic *c, bmap *first, bmap *b, unsigned i)
{
	b->tophash[i] = emptyOne;
	if (!nothing_follows(c, b, i))
		return;
	while (b->tophash[i] == emptyOne) {
		b->tophash[i] = emptyRest;
		if (i > 0) {
			i--;
		} else if (b != first) {
			bmap *behind = b;

			for (b = first; overflow(c, b) != behind; b = overflow(c, b))
				;
			i = bucketCnt - 1;
		}
	}
}

/** Where @p table, an older one, still has the entry with this key's bytes, it has it no more. */
static void forget_in(const struct hmap_classic *c, struct hmap_classic_table *table, uint64_t hash,
		      const unsigned char *key_bytes)
{
	bmap *b = bucket_at(c, table->buckets, (size_t)hash & bucketMask(table->B));

	if (!evacuated(b))
		return;
	for (; b; b = overflow(c, b)) {
		for (unsigned i = 0; i < bucketCnt; i++) {
			if (b->tophash[i] != evacuatedEmpty &&
			    memcmp(key_slot(c, b, i), key_bytes, c->keysize) == 0)
				b->tophash[i] = evacuatedEmpty;
		}
	}
}

static void forget_in_older(const struct hmap_classic *c, uint64_t hash,
			    const unsigned char *key_bytes)
{
	if (c->old)
		forget_in(c, c->old, hash, key_bytes);
	for (struct hmap_classic_table *table = c->retired; table; table = table->next)
		forget_in(c, table, hash, key_bytes);
}

static void empty_slot(struct hmap_classic *c, bmap *b, unsigned i)
{
	unsigned char *key = key_slot(c, b, i), *elem = elem_slot(c, b, i);

	hmap_classic_unmake_key(c, key);
	hmap_classic_unmake_value(c, elem);
	if (c->key_points)
		memset(key, 0, c->keysize);
	if (c->elemsize)
		memset(elem, 0, c->elemsize);
}

INLINE enum hmap_status delete_key(struct hmap_classic *c, const void *key,
				   enum hmap_classic_keys keys)
{
	uint64_t hash = hash_of(c, key);
	bmap *first, *b;
	unsigned i;

	if (UNLIKELY(growing(c)))
		(void)hmap_classic_growWork(c, (size_t)hash & bucketMask(c->h.B));
	// If it could not be moved for want of memory, the entry is erased where it is.
	first = bucket_of_hash(c, hash);
	b = find_in_chain(c, first, key, tophash(hash), keys, &i);
	if (!b)
		return HMAP_NOT_FOUND;
	if (UNLIKELY(c->iterations != NULL))
		forget_in_older(c, hash, key_slot(c, b, i));
	empty_slot(c, b, i);
	mark_empty(c, first, b, i);
	if (!--c->h.count)
		c->h.hash0 = (uint32_t)hmap_classic_fastrand(c); // Nothing was hashed with it.
	return HMAP_OK;
}

enum hmap_status hmap_classic_erase(struct hmap_classic *c, const void *key)
{
	enum hmap_status status;

	if (!c->h.count)
		return HMAP_NOT_FOUND;
	status = begin_write(c);
	if (UNLIKELY(status != HMAP_OK))
		return status;
	switch ((enum hmap_classic_keys)c->keys) {
	case HMAP_CLASSIC_KEYS_64:
		status = delete_key(c, key, HMAP_CLASSIC_KEYS_64);
		break;
	case HMAP_CLASSIC_KEYS_32:
		status = delete_key(c, key, HMAP_CLASSIC_KEYS_32);
		break;
	default:
		status = delete_key(c, key, (enum hmap_classic_keys)c->keys);
	}
	return end_write(c, status);
}

static void destroy_chain(struct hmap_classic *c, bmap *b)
{
	for (; b; b = overflow(c, b)) {
		for (unsigned i = 0; i < bucketCnt; i++) {
			if (b->tophash[i] < minTopHash)
				continue;
			hmap_classic_unmake_key(c, key_slot(c, b, i));
			hmap_classic_unmake_value(c, elem_slot(c, b, i));
		}
	}
}

void hmap_classic_destroy_entries(struct hmap_classic *c)
{
	if (pointer_free(c) || !c->h.count)
		return;
	for (size_t n = 0; n < bucketShift(c->h.B); n++)
		destroy_chain(c, bucket_at(c, c->h.buckets, n));
	for (size_t n = 0; c->old && n < bucketShift(c->old->B); n++)
		destroy_chain(c, bucket_at(c, c->h.oldbuckets, n));
}

enum hmap_status hmap_classic_clear(struct hmap_classic *c)
{
	enum hmap_status status;

	if (!c->h.count)
		return HMAP_OK;
	status = begin_write(c);
	if (status != HMAP_OK)
		return status;
	hmap_classic_destroy_entries(c);
	c->clears++;
	put_flags(c, c->h.flags & ~(unsigned)sameSizeGrow);
	if (c->old)
		hmap_classic_drop_table(c, c->old);
	c->old = NULL;
	c->h.oldbuckets = NULL;
	c->h.nevacuate = 0;
	c->h.noverflow = 0;
	c->h.count = 0;
	c->h.hash0 = (uint32_t)hmap_classic_fastrand(c);
	c->extra = (struct go_mapextra){ 0 };
	hmap_classic_wipe_table(c, c->now);
	hmap_classic_use_table(c, c->now);
	return end_write(c, HMAP_OK);
}
