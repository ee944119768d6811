// classic_inspect.c - a classic map's figures, its buckets one by one, and what must hold in it.
#include "hmap/classic_internal.h"

static size_t entries_in(const bmap *b)
{
	size_t entries = 0;

	for (unsigned i = 0; i < bucketCnt; i++)
		entries += b->tophash[i] >= minTopHash;
	return entries;
}

static size_t grow_at(const struct hmap_classic *c)
{
	size_t most = c->load_num * (bucketShift(c->h.B) / HMAP_GO_LOAD_DEN);

	return (most > bucketCnt ? most : bucketCnt) + 1;
}

static size_t longest_chain(const struct hmap_classic *c, struct hmap_classic_table *table)
{
	size_t longest = 0;

	for (size_t n = 0; table && n < bucketShift(table->B); n++) {
		size_t length = 0;

		for (bmap *b = bucket_at(c, table->buckets, n); (b = overflow(c, b));)
			length++;
		longest = length > longest ? length : longest;
	}
	return longest;
}

enum hmap_status hmap_classic_stats(const struct hmap_classic *c, enum hmap_stats_how how,
				    struct hmap_stats *ret_stats)
{
	struct hmap_stats s = {
		.engine = HMAP_CLASSIC,
		.entries = c->h.count,
		.buckets = bucketShift(c->h.B),
		.slots = bucketShift(c->h.B) * bucketCnt,
		.grow_at = grow_at(c),
		.overflow = c->h.noverflow,
		.total_bytes = c->bytes,
		.reserved_bytes = c->bytes,
		.growths = c->growths,
		.compactions = c->compactions,
	};

	s.load = (double)s.entries / (double)s.slots;
	s.live_bytes = s.entries * ((size_t)c->type->key_size + c->type->value_size + 1);
	s.slack_bytes = s.total_bytes - s.live_bytes;
	if (growing(c)) {
		s.pass = is_sameSizeGrow(c) ? HMAP_PASS_COMPACT : HMAP_PASS_GROW;
		s.pass_from = noldbuckets(c) * bucketCnt;
		s.pass_to = s.slots;
		s.pass_done = c->h.nevacuate;
		s.pass_of = noldbuckets(c);
	}
	if (how == HMAP_STATS_WALK) {
		size_t now = longest_chain(c, c->now), old = longest_chain(c, c->old);

		s.longest_chain = now > old ? now : old;
	}
	*ret_stats = s;
	return HMAP_OK;
}

static bool visit_table(const struct hmap_classic *c, struct hmap_classic_table *table, bool old,
			hmap_bucket_fn visit, void *state)
{
	for (size_t n = 0; n < bucketShift(table->B); n++) {
		bmap *b = bucket_at(c, table->buckets, n);
		struct hmap_bucket_view view = {
			.number = n,
			.old = old,
			.entries = entries_in(b),
			.slots = bucketCnt,
			.tags = b->tophash,
		};

		if (growing(c))
			view.moved = evacuated(
			    old ? b : bucket_at(c, c->h.oldbuckets, n & oldbucketmask(c)));
		while ((b = overflow(c, b))) {
			view.overflow_nodes++;
			view.overflow_entries += entries_in(b);
		}
		if (!visit(&view, state))
			return false;
	}
	return true;
}

void hmap_classic_each_bucket(const struct hmap_classic *c, hmap_bucket_fn visit, void *state)
{
	if (c->old && !visit_table(c, c->old, true, visit, state))
		return;
	if (c->now)
		(void)visit_table(c, c->now, false, visit, state);
}

void hmap_classic_look(const struct hmap_classic *c, const void *key, struct hmap_access *ret)
{
	enum hmap_classic_keys keys = (enum hmap_classic_keys)c->keys;
	uint64_t hash = hash_of(c, key);

	ret->hash = hash;
	ret->shift = c->h.B;
	ret->bucket = (size_t)hash & bucketMask(c->h.B);
	ret->tag = tophash(hash);
	if (!c->h.buckets)
		return;
	for (bmap *b = bucket_of_hash(c, hash); b && !ret->found; b = overflow(c, b)) {
		struct tag_matches matches = match_tags(b, ret->tag);

		ret->probes++;
		for (; matches.same && !ret->found; matches.same = without_first(matches.same))
			ret->found = same_key(c, key, key_of(c, b, first_of(matches.same)), keys);
		if (matches.rest)
			return;
	}
}

/** What a walk over an array found. */
struct walked {
	size_t entries, overflow;
	const char *wrong; // The first thing that does not hold.
};

static void check_entry(const struct hmap_classic *c, size_t number, uint8_t B, bmap *b, unsigned i,
			struct walked *w)
{
	enum hmap_classic_keys keys = (enum hmap_classic_keys)c->keys;
	void *key = key_of(c, b, i);
	uint64_t hash;
	unsigned where;

	if (!c->reflexivekey && !same_key(c, key, key, keys))
		return;
	hash = hash_of(c, key);
	if (b->tophash[i] != tophash(hash))
		w->wrong = "a tag is not that of its key's hash";
	else if (((size_t)hash & bucketMask(B)) != number)
		w->wrong = "an entry is in a bucket that is not its hash's";
	else if (find_in_chain(c, bucket_of_hash(c, hash), key, tophash(hash), keys, &where) != b ||
		 where != i)
		w->wrong = "a key is there twice, or is not found";
}

static void check_chain(const struct hmap_classic *c, size_t number, uint8_t B, bmap *b,
			struct walked *w)
{
	bool rest = false;

	for (bool first = true; b && !w->wrong; b = overflow(c, b), first = false) {
		w->overflow += !first;
		for (unsigned i = 0; i < bucketCnt && !w->wrong; i++) {
			uint8_t tag = b->tophash[i];

			if (tag > emptyOne && tag < minTopHash)
				w->wrong = "a slot that was not moved says that it was";
			else if (rest && tag != emptyRest)
				w->wrong = "something follows emptyRest";
			rest = tag == emptyRest;
			if (tag >= minTopHash) {
				w->entries++;
				check_entry(c, number, B, b, i, w);
			}
		}
	}
}

static void check_old(const struct hmap_classic *c, struct walked *w)
{
	if (c->h.nevacuate >= noldbuckets(c) || c->old->B + !is_sameSizeGrow(c) != c->h.B)
		w->wrong = "the growth under way does not fit the old array";
	for (size_t n = 0; !w->wrong && n < noldbuckets(c); n++) {
		bmap *b = bucket_at(c, c->h.oldbuckets, n);

		if (!evacuated(b) && n < c->h.nevacuate)
			w->wrong = "an old bucket was not moved, but counted";
		else if (!evacuated(b))
			check_chain(c, n, c->old->B, b, w);
	}
	w->overflow = 0; // Those of the old array are not counted in the header.
}

static const char *what_is_wrong(const struct hmap_classic *c)
{
	struct walked w = { 0 };

	if (c->h.flags & hashWriting)
		return "a write is under way";
	if (!c->now)
		return c->h.count || c->h.B || c->h.oldbuckets ? "entries without a table" : NULL;
	if (c->h.buckets != c->now->buckets || c->h.B != c->now->B ||
	    c->h.oldbuckets != (c->old ? c->old->buckets : NULL))
		return "the header and the arrays do not belong together";
	if (c->old)
		check_old(c, &w);
	for (size_t n = 0; !w.wrong && n < bucketShift(c->h.B); n++) {
		bmap *b = bucket_at(c, c->h.buckets, n);

		if (c->old && !evacuated(bucket_at(c, c->h.oldbuckets, n & oldbucketmask(c))) &&
		    (b->tophash[0] != emptyRest || overflow(c, b)))
			return "a new bucket is in use before the old one was moved";
		check_chain(c, n, c->h.B, b, &w);
	}
	if (w.wrong)
		return w.wrong;
	if (w.entries != c->h.count)
		return "the count is not that of the entries";
	if (c->h.B < 16 && w.overflow != c->h.noverflow && c->h.noverflow != UINT16_MAX)
		return "noverflow is not the number of overflow buckets";
	return NULL;
}

enum hmap_status hmap_classic_check(const struct hmap_classic *c, const char **ret_text)
{
	const char *wrong = what_is_wrong(c);

	if (ret_text && wrong)
		*ret_text = wrong;
	return wrong ? HMAP_BROKEN : HMAP_OK;
}
