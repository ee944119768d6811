// classic_assign.c - mapassign: how an entry gets into a classic map.
//
// The key is looked for in its chain of buckets, and on the way the first empty slot is remembered.
// Where it is not found, the table may have to grow first, and the search starts anew; then it goes
// into that slot, or into a new overflow bucket at the end of the chain.
//
// What can fail - the overflow bucket, the copies of key and value - is had before anything of the
// map is changed.
#include "hmap/classic_internal.h"

/** What is to be done with a key that is there. */
enum assign_how { REPLACE, KEEP };

/** Where a key is, or where it would go: b NULL, the chain is full and ends at last. */
struct place {
	bmap *b, *last;
	unsigned i;
	bool found;
};

INLINE struct place look_for(const struct hmap_classic *c, bmap *b, const void *key, uint8_t top,
			     enum hmap_classic_keys keys)
{
	struct place place = { 0 };

	for (;; b = overflow(c, b)) {
		struct tag_matches matches = match_tags(b, top);

		for (; matches.same; matches.same = without_first(matches.same)) {
			unsigned i = first_of(matches.same);

			if (LIKELY(same_key(c, key, key_of(c, b, i), keys)))
				return (struct place){ .b = b, .i = i, .found = true };
		}
		if (!place.b) {
			tag_mask empty = match_empty(b);

			if (empty) {
				place.b = b;
				place.i = first_of(empty);
			}
		}
		place.last = b;
		if (matches.rest || !overflow(c, b))
			return place;
	}
}

/** Makes @p to, of the object's size, a copy. */
static bool copy_object(void *to, const void *from, size_t size, hmap_copy_fn copy, void *state)
{
	if (!from)
		memset(to, 0, size);
	else if (copy)
		return copy(to, from, state);
	else if (size)
		memmove(to, from, size);
	return true;
}

/** Fills @p slot, which is not the map's yet, with a copy of a key or value. */
static bool make_object(struct hmap_classic *c, unsigned char *slot, const void *from, size_t size,
			uint32_t align, bool indirect, hmap_copy_fn copy)
{
	void *memory;

	if (!indirect)
		return copy_object(slot, from, size, copy, c->state);
	align = align > 16 ? align : 16;
	memory = hmap_classic_allocate(c, size, align);
	if (!memory)
		return false;
	if (!copy_object(memory, from, size, copy, c->state)) {
		hmap_classic_release(c, memory, size, align);
		return false;
	}
	memcpy(slot, &memory, sizeof(memory));
	return true;
}

/** A value in the memory of @p slot, as make_object; keys likewise. */
static bool make_value(struct hmap_classic *c, unsigned char *slot, const void *value)
{
	const struct hmap_type *t = c->type;

	return make_object(c, slot, value, t->value_size, t->value_align, c->indirectelem,
			   t->value_copy);
}

static bool make_key(struct hmap_classic *c, unsigned char *slot, const void *key)
{
	const struct hmap_type *t = c->type;

	return make_object(c, slot, key, t->key_size, t->key_align, c->indirectkey, t->key_copy);
}

void hmap_classic_unmake_key(struct hmap_classic *c, unsigned char *slot)
{
	const struct hmap_type *t = c->type;
	void *key = c->indirectkey ? pointer_in(slot) : slot;

	if (t->key_destroy)
		t->key_destroy(key, c->state);
	if (c->indirectkey)
		hmap_classic_release(c, key, t->key_size, t->key_align > 16 ? t->key_align : 16);
}

void hmap_classic_unmake_value(struct hmap_classic *c, unsigned char *slot)
{
	const struct hmap_type *t = c->type;
	void *value = c->indirectelem ? pointer_in(slot) : slot;

	if (t->value_destroy)
		t->value_destroy(value, c->state);
	if (c->indirectelem)
		hmap_classic_release(c, value, t->value_size,
				     t->value_align > 16 ? t->value_align : 16);
}

/** Another value for an entry: the old one goes when the new one is there. */
static enum hmap_status replace_value(struct hmap_classic *c, unsigned char *slot,
				      const void *value)
{
	const struct hmap_type *t = c->type;
	_Alignas(16) unsigned char made[HMAP_GO_MAX_SIZE];

	if (!t->value_copy && !t->value_destroy) {
		copy_object(c->indirectelem ? pointer_in(slot) : slot, value, t->value_size, NULL,
			    NULL);
		return HMAP_OK;
	}
	if (!make_value(c, made, value))
		return HMAP_NO_MEMORY;
	hmap_classic_unmake_value(c, slot);
	memcpy(slot, made, c->elemsize);
	return HMAP_OK;
}

/** A new entry at @p place, of a key that is nowhere in the map. */
INLINE enum hmap_status insert(struct hmap_classic *c, struct place *place, const void *key,
			       const void *value, uint8_t top, enum hmap_classic_keys keys)
{
	unsigned char *key_at, *value_at;
	_Alignas(16) unsigned char made_key[HMAP_GO_MAX_SIZE], made_value[HMAP_GO_MAX_SIZE];

	if (UNLIKELY(!place->b) && !hmap_classic_reserve_overflow(c, 1))
		return HMAP_NO_MEMORY;
	if (c->key_points || c->elem_points) {
		if (!make_key(c, made_key, key))
			return HMAP_NO_MEMORY;
		if (!make_value(c, made_value, value)) {
			hmap_classic_unmake_key(c, made_key);
			return HMAP_NO_MEMORY;
		}
	}
	if (UNLIKELY(!place->b)) {
		place->b = hmap_classic_newoverflow(c, place->last);
		place->i = 0;
	}
	key_at = key_slot(c, place->b, place->i);
	value_at = elem_slot(c, place->b, place->i);
	if (c->key_points || c->elem_points) {
		memcpy(key_at, made_key, c->keysize);
		if (c->elemsize)
			memcpy(value_at, made_value, c->elemsize);
	} else {
		memcpy(key_at, key,
		       keys == HMAP_CLASSIC_KEYS_64   ? 8
		       : keys == HMAP_CLASSIC_KEYS_32 ? 4
						      : c->keysize);
		if (c->elemsize == 8 && value)
			memcpy(value_at, value, 8);
		else
			copy_object(value_at, value, c->elemsize, NULL, NULL);
	}
	place->b->tophash[place->i] = top;
	c->h.count++;
	return HMAP_OK;
}

static enum hmap_status first_bucket(struct hmap_classic *c)
{
	struct hmap_classic_table *table = hmap_classic_makeBucketArray(c, 0);

	if (!table)
		return HMAP_NO_MEMORY;
	hmap_classic_use_table(c, table);
	return HMAP_OK;
}

/** The table has to grow before one more entry, and it could. */
INLINE bool has_grown(struct hmap_classic *c)
{
	if (growing(c))
		return false;
	if (UNLIKELY(overLoadFactor(c, c->h.count + 1, c->h.B)))
		return hmap_classic_hashGrow(c, (uint8_t)(c->h.B + 1), 1);
	if (UNLIKELY(tooManyOverflowBuckets(c->h.noverflow, c->h.B)))
		return hmap_classic_hashGrow(c, c->h.B, 1);
	return false;
}

/** Finds the key or makes its entry, whose place is then in *ret_place. */
INLINE enum hmap_status assign(struct hmap_classic *c, const void *key, const void *value,
			       enum assign_how how, enum hmap_classic_keys keys,
			       struct place *ret_place)
{
	uint64_t hash = hash_of(c, key);
	uint8_t top = tophash(hash);
	bool stuck;

	if (UNLIKELY(!c->h.buckets) && first_bucket(c) != HMAP_OK)
		return HMAP_NO_MEMORY;
	do {
		stuck = UNLIKELY(growing(c)) &&
			!hmap_classic_growWork(c, (size_t)hash & bucketMask(c->h.B));
		*ret_place = look_for(c, bucket_of_hash(c, hash), key, top, keys);
		if (ret_place->found) {
			unsigned char *slot = elem_slot(c, ret_place->b, ret_place->i);

			if (how == KEEP)
				return HMAP_OK;
			// Keys that are equal need not be the same: of 0.0 and -0.0 the last one
			// stays, which Go calls needkeyupdate.
			if (UNLIKELY(!c->reflexivekey) && !c->key_points)
				memcpy(key_slot(c, ret_place->b, ret_place->i), key, c->keysize);
			return replace_value(c, slot, value);
		}
		if (stuck) // Nothing new goes into a bucket that is to be moved.
			return HMAP_NO_MEMORY;
	} while (has_grown(c));
	return insert(c, ret_place, key, value, top, keys);
}

INLINE enum hmap_status mapassign(struct hmap_classic *c, const void *key, const void *value,
				  enum assign_how how, struct place *ret_place)
{
	enum hmap_status status = begin_write(c);

	if (UNLIKELY(status != HMAP_OK))
		return status;
	switch ((enum hmap_classic_keys)c->keys) {
	case HMAP_CLASSIC_KEYS_64:
		status = assign(c, key, value, how, HMAP_CLASSIC_KEYS_64, ret_place);
		break;
	case HMAP_CLASSIC_KEYS_32:
		status = assign(c, key, value, how, HMAP_CLASSIC_KEYS_32, ret_place);
		break;
	default:
		status = assign(c, key, value, how, (enum hmap_classic_keys)c->keys, ret_place);
	}
	return end_write(c, status);
}

enum hmap_status hmap_classic_put(struct hmap_classic *c, const void *key, const void *value)
{
	struct place place;

	return mapassign(c, key, value, REPLACE, &place);
}

enum hmap_status hmap_classic_get_or_put(struct hmap_classic *c, const void *key, const void *value,
					 void **ret_value, bool *ret_added)
{
	struct place place;
	enum hmap_status status = mapassign(c, key, value, KEEP, &place);

	if (status != HMAP_OK)
		return status;
	if (ret_value)
		*ret_value = elem_of(c, place.b, place.i);
	if (ret_added)
		*ret_added = !place.found;
	return HMAP_OK;
}

enum hmap_status hmap_classic_add(struct hmap_classic *c, uint64_t hash, const void *key,
				  const void *value)
{
	struct place place = { 0 };

	for (bmap *b = bucket_at(c, c->h.buckets, (size_t)hash & bucketMask(c->h.B)); b && !place.b;
	     b = overflow(c, b)) {
		tag_mask empty = match_empty(b);

		place.last = b;
		if (empty) {
			place.b = b;
			place.i = first_of(empty);
		}
	}
	return insert(c, &place, key, value, tophash(hash), HMAP_CLASSIC_KEYS_CALL);
}
