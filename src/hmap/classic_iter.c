// classic_iter.c - mapiterinit and mapiternext: all entries of a classic map, whatever happens.
//
// An iteration begins at a random bucket of the present array, walks to the end of that array and
// from its start to where it began, and in each bucket begins at a random slot.  It stays with this
// array for good, and the rules are about what the array has become meanwhile:
//
//	it was new when the iteration began, and growth has not come to the bucket: the entries are
//		in the old bucket still, and of those the ones that will come here are taken
//	it is old, and the bucket was moved: each key is looked up in the present array, where it
// may 		have another value now, or be gone 	else its entries are what they say
//
// Go's collector keeps an array as long as an iteration looks at it.  Here an iteration holds the
// array it began on, and the one that its bucket is of; a forgotten one costs no more than these.
#include "hmap/classic_internal.h"

static const size_t noCheck = SIZE_MAX;

/** Holds the array of the bucket that is looked at; it lets go of the one before. */
static void look_at(struct hmap_classic_iteration *s, struct hmap_classic_table *table)
{
	if (s->at == table)
		return;
	if (table)
		table->refs++;
	if (s->at)
		hmap_classic_unref_table(s->c, s->at);
	s->at = table;
}

static void end_iteration(struct hmap_classic_iteration *s)
{
	struct hmap_classic *c = s->c;

	look_at(s, NULL);
	hmap_classic_unref_table(c, s->own);
	*s->link = s->next;
	if (s->next)
		s->next->link = s->link;
	hmap_classic_release(c, s, sizeof(*s), 16);
}

void hmap_classic_end_iterations(struct hmap_classic *c)
{
	while (c->iterations)
		end_iteration(c->iterations);
}

static struct hmap_classic_iteration *state_of(const struct hmap_iterator *it)
{
	return (struct hmap_classic_iteration *)(void *)it->state;
}

void hmap_classic_iterate_end(struct hmap_iterator *it)
{
	struct hmap_classic_iteration *s = state_of(it);

	it->state = NULL;
	it->key = NULL;
	it->value = NULL;
	if (s)
		end_iteration(s);
}

void hmap_classic_iterate(struct hmap_classic *c, struct hmap_iterator *it)
{
	struct hmap_classic_iteration *s;
	uint64_t r;

	it->key = NULL;
	it->value = NULL;
	it->state = NULL;
	it->status = HMAP_OK;
	if (!c->h.count)
		return;
	it->status = begin_read(c, "concurrent map iteration and map write");
	if (it->status != HMAP_OK)
		return;
	s = hmap_classic_allocate(c, sizeof(*s), 16);
	if (!s) {
		it->status = HMAP_NO_MEMORY;
		return;
	}
	r = hmap_classic_fastrand(c);
	*s = (struct hmap_classic_iteration){
		.c = c,
		.next = c->iterations,
		.link = &c->iterations,
		.own = c->now,
		.clears = c->clears,
		.B = c->h.B,
		.startBucket = (size_t)r & bucketMask(c->h.B),
		.bucket = (size_t)r & bucketMask(c->h.B),
		.offset = (uint8_t)(r >> 61),
		.checkBucket = noCheck,
	};
	s->own->refs++;
	if (s->next)
		s->next->link = &s->next;
	c->iterations = s;
	if (pointer_free(c))
		hmap_classic_createOverflow(c);
	put_flags(c, c->h.flags | iterator | oldIterator);
	it->state = (struct hmap_iteration *)(void *)s;
}

/** Goes on to the next bucket of the array; false: that was all. */
static bool next_bucket(struct hmap_classic_iteration *s)
{
	const struct hmap_classic *c = s->c;
	struct hmap_classic_table *at = s->own;
	size_t number = s->bucket;

	if (number == s->startBucket && s->wrapped)
		return false;
	s->bptr = bucket_at(c, s->own->buckets, number);
	s->checkBucket = noCheck;
	if (growing(c) && s->B == c->h.B) {
		bmap *old = bucket_at(c, c->h.oldbuckets, number & oldbucketmask(c));

		if (!evacuated(old)) {
			s->bptr = old;
			at = c->old;
			if (!is_sameSizeGrow(c))
				s->checkBucket = number;
		}
	}
	look_at(s, at);
	s->i = 0;
	if (++s->bucket == bucketShift(s->B)) {
		s->bucket = 0;
		s->wrapped = true;
	}
	return true;
}

static bool is_itself(const struct hmap_classic *c, const void *key)
{
	return c->reflexivekey || same_key(c, key, key, (enum hmap_classic_keys)c->keys);
}

/** Whether an entry of a bucket that growth has yet to come to will be in the bucket meant. */
static bool will_come_here(const struct hmap_classic_iteration *s, const void *key, uint8_t tag)
{
	const struct hmap_classic *c = s->c;

	if (s->checkBucket == noCheck)
		return true;
	if (is_itself(c, key))
		return ((size_t)hash_of(c, key) & bucketMask(s->B)) == s->checkBucket;
	return s->checkBucket >> (s->B - 1) == (tag & 1u); // As evacuate() decides for a NaN.
}

/** The entry in slot @p i as it is now; false: it is none, or gone, or not meant. */
static bool take_entry(const struct hmap_classic_iteration *s, unsigned i, struct hmap_iterator *it)
{
	const struct hmap_classic *c = s->c;
	uint8_t tag = s->bptr->tophash[i];
	const void *key;
	uint64_t hash;
	bmap *b;

	if (isEmpty(tag) || tag == evacuatedEmpty)
		return false;
	key = key_of(c, s->bptr, i);
	if (!will_come_here(s, key, tag))
		return false;
	if ((tag != evacuatedX && tag != evacuatedY) || !is_itself(c, key)) {
		// Not moved; or a NaN, which cannot have been erased or given another value.
		it->key = key;
		it->value = elem_of(c, s->bptr, i);
		return true;
	}
	hash = hash_of(c, key);
	b = find_in_chain(c, bucket_of_hash(c, hash), key, tophash(hash),
			  (enum hmap_classic_keys)c->keys, &i);
	if (!b)
		return false;
	it->key = key_of(c, b, i);
	it->value = elem_of(c, b, i);
	return true;
}

bool hmap_classic_next(struct hmap_iterator *it)
{
	struct hmap_classic_iteration *s = state_of(it);

	if (!s)
		return false;
	if (s->clears != s->c->clears) { // What it would see came later.
		hmap_classic_iterate_end(it);
		return false;
	}
	if (begin_read(s->c, "concurrent map iteration and map write") != HMAP_OK) {
		hmap_classic_iterate_end(it);
		it->status = HMAP_MISUSE;
		return false;
	}
	for (;;) {
		if (!s->bptr && !next_bucket(s)) {
			hmap_classic_iterate_end(it);
			return false;
		}
		while (s->i < bucketCnt) {
			unsigned i = (s->i++ + s->offset) & (bucketCnt - 1);

			if (take_entry(s, i, it))
				return true;
		}
		s->bptr = overflow(s->c, s->bptr);
		s->i = 0;
	}
}
