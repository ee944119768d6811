// classic_grow.c - how a classic map grows: hashGrow begins it, each write moves a bucket or two.
//
// hashGrow makes the new array, of twice the size or, when overflow buckets have piled up, of the
// same, and hangs the present one beside it as the old one.  From then on each write first moves
// the old bucket that its own key belongs to, and one more, the first that was not moved
// (nevacuate), so that it ends even if some keys are never written.
//
//	old   |  E  |  .  |  E  |  .  |              E: its tags say where each entry went
//	         |   .        '------.
//	new   |  X  |     |  X  |     |  Y  |     |  Y  |     |
//
// Bucket n goes to bucket n (X) and, in a doubling, to n + the old size (Y), by the next bit of the
// hash.  Go may take memory in the middle of that.  We may be refused, so an upper bound is taken
// before: a chain of n buckets becomes two chains of at most n + 1 in all, of which two are there,
// and n - 1 are what its own overflow was.  So a bucket without overflow never needs any.
//
// A growth that cannot begin for want of memory is not missed: the next insert tries again.
#include "hmap/classic_internal.h"
#include "hmap/registry.h"

/** Where entries go to: Go's evacDst. */
struct evacDst {
	bmap *b;
	unsigned i;
};

void hmap_classic_tell(const struct hmap_classic *c, enum hmap_event_kind kind, size_t from,
		       size_t to, size_t entries)
{
	struct hmap_event event = { .kind = kind, .from = from, .to = to, .entries = entries };

	if (c->map)
		hmapi_notify(c->map, &event);
}

static void tell_growth(const struct hmap_classic *c, uint8_t from_B, uint8_t B, size_t adding)
{
	struct hmap_event event = { .kind = HMAP_EVENT_GROWS,
				    .from = (size_t)bucketCnt << from_B,
				    .to = (size_t)bucketCnt << B,
				    .entries = c->h.count,
				    .adding = adding };

	if (!c->map)
		return;
	hmapi_ask_for_moves((struct hmap *)(uintptr_t)c->map);
	if (B == from_B) {
		event.kind = HMAP_EVENT_COMPACTS;
		event.adding = 0;
	}
	hmapi_notify(c->map, &event);
}

bool hmap_classic_hashGrow(struct hmap_classic *c, uint8_t B, size_t adding)
{
	uint64_t began = c->map ? hmapi_clock(c->map) : 0;
	struct hmap_classic_table *old = c->now, *table = hmap_classic_makeBucketArray(c, B);
	unsigned flags = c->h.flags & ~(unsigned)(iterator | oldIterator);
	bool same = B == old->B;

	if (!table)
		return false;
	tell_growth(c, old->B, B, adding);
	if (c->h.flags & iterator)
		flags |= oldIterator;
	put_flags(c, flags | (same ? sameSizeGrow : 0u));
	c->old = old;
	c->h.oldbuckets = old->buckets;
	c->h.nevacuate = 0;
	c->h.noverflow = 0;
	c->extra.oldoverflow = c->extra.overflow;
	c->extra.overflow = NULL;
	hmap_classic_use_table(c, table);
	same ? c->compactions++ : c->growths++;
	if (c->map)
		hmapi_note_time((struct hmap *)(uintptr_t)c->map, began);
	return true;
}

/** The old array is empty: it goes. */
static void end_growth(struct hmap_classic *c)
{
	struct hmap_classic_table *old = c->old;
	unsigned old_B = old->B;

	c->h.oldbuckets = NULL;
	c->old = NULL;
	c->extra.oldoverflow = NULL;
	put_flags(c, c->h.flags & ~(unsigned)sameSizeGrow);
	if (old->refs) {
		hmap_classic_drop_table(c, old);
	} else { // The key of the write under way may be in it.
		old->next = c->dropped;
		c->dropped = old;
	}
	hmap_classic_tell(c, HMAP_EVENT_GROWN, (size_t)bucketCnt << old_B,
			  (size_t)bucketCnt << c->h.B, c->h.count);
}

static void advanceEvacuationMark(struct hmap_classic *c, size_t newbit)
{
	enum { STEPS_MOST = 1024 }; // So that no write has to look at all of them.
	size_t stop;

	c->h.nevacuate++;
	stop = newbit - c->h.nevacuate > STEPS_MOST ? c->h.nevacuate + STEPS_MOST : newbit;
	while (c->h.nevacuate != stop && evacuated(bucket_at(c, c->h.oldbuckets, c->h.nevacuate)))
		c->h.nevacuate++;
	if (c->h.nevacuate == newbit)
		end_growth(c);
}

/** Which half an entry goes to; may change its tag. */
INLINE unsigned choose_half(const struct hmap_classic *c, const void *key, size_t newbit,
			    uint8_t *top, enum hmap_classic_keys keys)
{
	uint64_t hash = hash_of(c, key);

	if (UNLIKELY(!c->reflexivekey) && (c->h.flags & iterator) && !same_key(c, key, key, keys)) {
		// The hash of a NaN may be another one each time.  An iteration has to know which
		// way it will go, so the tag decides, and is made anew for the next time.
		unsigned half = *top & 1;

		*top = tophash(hash);
		return half;
	}
	return ((size_t)hash & newbit) != 0;
}

INLINE void copy_slot(void *to, const void *from, size_t size)
{
	if (size == 8)
		memcpy(to, from, 8);
	else if (size)
		memcpy(to, from, size);
}

INLINE void move_entry(struct hmap_classic *c, struct evacDst *dst, const bmap *b, unsigned i,
		       uint8_t top, size_t keysize)
{
	if (dst->i == bucketCnt) {
		dst->b = hmap_classic_newoverflow(c, dst->b);
		dst->i = 0;
	}
	dst->b->tophash[dst->i] = top;
	copy_slot(key_slot(c, dst->b, dst->i), key_slot(c, b, i), keysize);
	copy_slot(elem_slot(c, dst->b, dst->i), elem_slot(c, b, i), c->elemsize);
	dst->i++;
}

/** Moves the chain from @p b; how many entries went to the upper half. */
INLINE size_t move_chain(struct hmap_classic *c, bmap *b, struct evacDst xy[2], size_t newbit,
			 enum hmap_classic_keys keys)
{
	bool doubling = !is_sameSizeGrow(c);
	size_t keysize = keys == HMAP_CLASSIC_KEYS_64   ? 8
			 : keys == HMAP_CLASSIC_KEYS_32 ? 4
							: c->keysize;
	size_t moved = 0;

	for (; b; b = overflow(c, b)) {
		for (unsigned i = 0; i < bucketCnt; i++) {
			uint8_t top = b->tophash[i];
			unsigned useY = 0;

			if (isEmpty(top)) {
				b->tophash[i] = evacuatedEmpty;
				continue;
			}
			if (doubling)
				useY = choose_half(c, key_of(c, b, i), newbit, &top, keys);
			b->tophash[i] = (uint8_t)(evacuatedX + useY);
			move_entry(c, &xy[useY], b, i, top, keysize);
			moved += doubling ? useY : 1;
		}
	}
	return moved;
}

static size_t overflow_count(const struct hmap_classic *c, const bmap *b)
{
	size_t count = 0;

	while ((b = overflow(c, b)))
		count++;
	return count;
}

bool hmap_classic_evacuate(struct hmap_classic *c, size_t oldbucket)
{
	bmap *b = bucket_at(c, c->h.oldbuckets, oldbucket);
	size_t newbit = noldbuckets(c), to = is_sameSizeGrow(c) ? oldbucket : oldbucket + newbit;

	if (!evacuated(b)) {
		struct evacDst xy[2] = { { bucket_at(c, c->h.buckets, oldbucket), 0 },
					 { bucket_at(c, c->h.buckets, to), 0 } };
		size_t moved;

		if (UNLIKELY(overflow(c, b) != NULL) &&
		    !hmap_classic_reserve_overflow(c, overflow_count(c, b)))
			return false;
		switch ((enum hmap_classic_keys)c->keys) {
		case HMAP_CLASSIC_KEYS_64:
			moved = move_chain(c, b, xy, newbit, HMAP_CLASSIC_KEYS_64);
			break;
		case HMAP_CLASSIC_KEYS_32:
			moved = move_chain(c, b, xy, newbit, HMAP_CLASSIC_KEYS_32);
			break;
		default:
			moved = move_chain(c, b, xy, newbit, (enum hmap_classic_keys)c->keys);
		}
		// Go helps its collector so, where nobody can be looking.
		if (!(c->h.flags & oldIterator) && !c->iterations && !pointer_free(c))
			memset((unsigned char *)b + dataOffset, 0, c->bucketsize - dataOffset);
		if (UNLIKELY(c->map && c->map->kinds & 1u << HMAP_EVENT_MIGRATES))
			hmap_classic_tell(c, HMAP_EVENT_MIGRATES, oldbucket, to, moved);
	}
	if (oldbucket == c->h.nevacuate)
		advanceEvacuationMark(c, newbit);
	return true;
}

bool hmap_classic_growWork(struct hmap_classic *c, size_t bucket)
{
	if (!hmap_classic_evacuate(c, bucket & oldbucketmask(c)))
		return false;
	if (growing(c))
		hmap_classic_evacuate(c, c->h.nevacuate);
	return true;
}

enum hmap_status hmap_classic_begin_pass(struct hmap_classic *c, enum hmap_pass pass)
{
	enum hmap_status status;

	if (pass == HMAP_PASS_SHRINK)
		return HMAP_NOT_SUPPORTED;
	if (pass != HMAP_PASS_GROW && pass != HMAP_PASS_COMPACT)
		return HMAP_BAD_ARGUMENT;
	status = begin_write(c);
	if (status != HMAP_OK)
		return status;
	if (growing(c))
		return end_write(c, HMAP_NOT_SUPPORTED);
	if (!c->h.buckets) {
		struct hmap_classic_table *table = hmap_classic_makeBucketArray(c, 0);

		if (!table)
			return end_write(c, HMAP_NO_MEMORY);
		hmap_classic_use_table(c, table);
	}
	if (!hmap_classic_hashGrow(c, (uint8_t)(c->h.B + (pass == HMAP_PASS_GROW)), 0))
		status = HMAP_NO_MEMORY;
	return end_write(c, status);
}

size_t hmap_classic_step(struct hmap_classic *c, size_t blocks)
{
	if (!growing(c) || begin_write(c) != HMAP_OK)
		return 0;
	while (blocks-- && growing(c) && hmap_classic_evacuate(c, c->h.nevacuate))
		;
	(void)end_write(c, HMAP_OK);
	return growing(c) ? noldbuckets(c) - c->h.nevacuate : 0;
}
