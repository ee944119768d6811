// classic_reader.c - one classic map of a census: which bytes decide, and what they say.
//
//	table of at most 4 KiB	all of it: the tags must make the count exactly
//	larger			the tags of its first buckets and of one in its middle: they must
//				be tags; where all are empty the whole table decides, up to 1 MiB
//	old array		its object must fit the size before the growth, and its first bucket
//				must be marked as evacuated once one bucket was
//
// While a map grows, entries are in both arrays, so only the tags' form is held against it.
//
// Where no type is known, neither is how far apart tags are: a step is taken that makes all of them
// tags, of up to 64 KiB, and the count where these are all.
#include "census/engine.h"

enum {
	WHOLE_TABLE_MAX = 4096,
	SAMPLE_BYTES = 1024,
	UNTYPED_BYTES = 64 << 10,
	TAG_BYTES = 8,
};

static bool on_stack(const struct ms_candidate *c, ms_addr table)
{
	return c->stack_hi && table >= c->stack_lo && table < c->stack_hi;
}

/** The span of an array whose size fits; NULL with the reason in @p c.  Takes in its bytes. */
static const struct ms_span *array_span(struct ms_engine *e, struct ms_candidate *c, ms_addr array,
					unsigned bucket_log2, struct ms_shape *ret_shape)
{
	const struct ms_span *span =
	    ms_engine_table(e, c, array, ms_classic_buckets(bucket_log2), ret_shape);

	if (span)
		c->table_bytes += span->elem_bytes;
	return span;
}

static struct ms_error *want(struct ms_engine *e, struct ms_candidate *c, ms_addr addr,
			     uint32_t size)
{
	uint32_t index;
	struct ms_error *err = ms_fetch_add(&e->fetch, addr, size, &index);

	if (!err && !c->want_count++)
		c->want = index;
	return err;
}

/** Whether only the bytes of a table of several buckets can say how far apart its tags are. */
static bool is_step_unknown(const struct ms_engine *e, const struct ms_candidate *c)
{
	return ms_engine_is_untyped(e) && c->span && !c->unit_bytes && !c->whole;
}

static struct ms_error *want_tags(struct ms_engine *e, struct ms_candidate *c,
				  const struct ms_classic_map *m)
{
	uint64_t buckets = (uint64_t)1 << m->bucket_log2;
	struct ms_error *err;
	uint32_t sample;

	c->whole = buckets == 1;
	if (is_step_unknown(e, c)) {
		uint64_t size = c->span->elem_bytes - ms_span_header_bytes(e->layout, c->span);

		return want(e, c, m->buckets, (uint32_t)ms_min_u64(size, UNTYPED_BYTES));
	}
	if (c->whole || (!c->unit_bytes && !c->doubtful))
		return want(e, c, m->buckets, TAG_BYTES);
	if (!c->unit_bytes) {
		uint64_t size = c->span->elem_bytes - ms_span_header_bytes(e->layout, c->span);

		return want(e, c, m->buckets, (uint32_t)ms_min_u64(size, MS_READ_BYTES_MAX));
	}
	c->whole = buckets * c->unit_bytes <= (c->doubtful ? MS_READ_BYTES_MAX : WHOLE_TABLE_MAX);
	if (c->whole)
		return want(e, c, m->buckets, (uint32_t)buckets * c->unit_bytes);
	// So many bytes cost as much as one more read would.
	sample = c->unit_bytes * (SAMPLE_BYTES / c->unit_bytes);
	err = want(e, c, m->buckets, sample ? sample : TAG_BYTES);
	return err ? err : want(e, c, m->buckets + buckets / 2 * c->unit_bytes, TAG_BYTES);
}

struct ms_error *ms_classic_plan(struct ms_engine *e, struct ms_candidate *c,
				 enum ms_judgement *ret_judgement)
{
	struct ms_classic_map m;
	struct ms_shape shape = { 0 }, old_shape;
	struct ms_error *err;

	*ret_judgement = MS_JUDGE_AGAIN;
	c->table_bytes = 0;
	c->classic_header = (uint8_t)ms_classic_parse(e->layout, c->raw, &m);
	switch (c->classic_header) {
	case MS_CLASSIC_NOT:
		c->reject = MS_REJECT_HEADER;
		return NULL;
	case MS_CLASSIC_NEVER_WRITTEN:
		*ret_judgement = MS_JUDGE_MAP;
		return NULL;
	default:
		c->classic = m;
	}
	if (on_stack(c, m.buckets)) {
		if (m.bucket_log2 || m.oldbuckets || !m.count) {
			*ret_judgement = MS_JUDGE_DROP;
			c->reject = MS_REJECT_NO_TABLE;
			return NULL;
		}
	} else {
		c->span = array_span(e, c, m.buckets, m.bucket_log2, &shape);
		if (!c->span)
			return NULL;
	}
	if (m.oldbuckets &&
	    !array_span(e, c, m.oldbuckets, m.same_size ? m.bucket_log2 : m.bucket_log2 - 1u,
			&old_shape))
		return NULL;
	c->unit_bytes = shape.table_bytes;
	c->entry_bytes = shape.entry_bytes;
	*ret_judgement = MS_JUDGE_MAP;
	err = want_tags(e, c, &m);
	if (!err && m.oldbuckets)
		err = ms_fetch_add(&e->fetch, m.oldbuckets, TAG_BYTES, &c->old_want);
	if (!err && shape.fits)
		err = ms_engine_want_type(e, c, c->span, m.buckets);
	if (!err && m.extra && m.noverflow)
		err = ms_fetch_add(&e->fetch, m.extra, e->layout->mapextra_next_overflow + 8,
				   &c->extra_want);
	return err;
}

/**
 * Entries by tags that are @p step apart in the first @p size bytes, -1 when they are no tags; *any
 * gets every bit of them.
 */
static int64_t step_count(const uint8_t *bytes, uint64_t size, uint32_t step, uint64_t *any)
{
	int64_t sum = 0;

	for (uint64_t at = 0; at + TAG_BYTES <= size; at += step) {
		int entries = ms_classic_bucket_entries(bytes + at);

		if (entries < 0)
			return -1;
		sum += entries;
		*any |= ms_load_u64(bytes + at);
	}
	return sum;
}

/**
 * Entries by the fetched tags, -1 when they are no tags.  *ret_blank: all are emptyRest, and where
 * the size of a bucket is not known, everything fetched is zero.
 */
static int64_t tags_count(const struct ms_engine *e, const struct ms_candidate *c, bool *ret_blank)
{
	uint64_t any = 0;
	int64_t sum = 0;

	for (uint32_t w = 0; w < c->want_count; w++) {
		const uint8_t *bytes = ms_fetch_bytes(&e->fetch, c->want + w);
		uint32_t size = e->fetch.wants[c->want + w].size;
		uint32_t step = c->unit_bytes ? c->unit_bytes : size;
		int64_t entries;

		for (uint32_t at = 0; !c->unit_bytes && at + 8 <= size; at += 8)
			any |= ms_load_u64(bytes + at); // Where tags are is not known: all of it.
		entries = step_count(bytes, size, step, &any);
		if (entries < 0)
			return -1;
		sum += entries;
	}
	*ret_blank = !any;
	return sum;
}

/**
 * The size of a bucket, of those that its array can have, by its tags.  False: none of them is.
 * Several may be, of a table that is nearly empty: then it stays unknown.
 */
static bool unit_by_tags(struct ms_engine *e, struct ms_candidate *c)
{
	const struct ms_classic_map *m = &c->classic;
	const uint8_t *bytes = ms_fetch_bytes(&e->fetch, c->want);
	uint64_t fetched = e->fetch.wants[c->want].size, buckets = (uint64_t)1 << m->bucket_log2;
	uint32_t units[MS_SHAPE_UNITS_MAX];
	size_t count = ms_shapes_units(e->shapes, ms_classic_buckets(m->bucket_log2),
				       c->span->elem_bytes, ms_span_has_pointers(c->span), units);
	uint64_t any = 0;
	size_t fits = 0;

	for (size_t i = 0; i < count; i++) {
		uint64_t size = buckets * units[i];
		int64_t entries = step_count(bytes, ms_min_u64(size, fetched), units[i], &any);
		bool exact = size <= fetched && !m->noverflow && !m->oldbuckets;

		if (entries < 0 || (uint64_t)entries > m->count ||
		    (m->count && !entries && !m->oldbuckets) ||
		    (exact && (uint64_t)entries != m->count))
			continue;
		c->unit_bytes = units[i];
		c->whole = size <= fetched;
		fits++;
	}
	if (fits > 1) {
		c->unit_bytes = 0;
		c->whole = false;
	}
	return fits > 0;
}

static bool all_fetched(const struct ms_engine *e, struct ms_candidate *c)
{
	for (uint32_t w = 0; w < c->want_count; w++) {
		if (ms_fetch_bytes(&e->fetch, c->want + w))
			continue;
		c->reject = e->fetch.status[c->want + w] == MS_READ_SWAPPED ? MS_REJECT_SWAPPED
									    : MS_REJECT_UNREADABLE;
		return false;
	}
	return true;
}

/** The first bucket of an old array: once it was evacuated its tags say so, all eight. */
static bool old_array_fits(const struct ms_engine *e, const struct ms_candidate *c,
			   const struct ms_classic_map *m)
{
	const uint8_t *tags = ms_fetch_bytes(&e->fetch, c->old_want);

	if (!tags)
		return false;
	// Before the first bucket is done, hardly ever seen, the table is full to the brim.
	return ms_classic_bucket_evacuated(tags) ||
	       (m->nevacuate == 0 && ms_classic_bucket_entries(tags) > 0);
}

enum ms_judgement ms_classic_judge(struct ms_engine *e, struct ms_candidate *c)
{
	const struct ms_classic_map *m = &c->classic;
	int64_t entries;
	bool blank;

	if (c->classic_header == MS_CLASSIC_NEVER_WRITTEN)
		return MS_JUDGE_MAP;
	if (!all_fetched(e, c))
		return MS_JUDGE_AGAIN;
	if (c->span && !ms_engine_take_type(e, c, c->span)) {
		c->reject = MS_REJECT_NO_TYPE;
		return MS_JUDGE_AGAIN;
	}
	c->reject = MS_REJECT_TAGS;
	if (is_step_unknown(e, c) && !unit_by_tags(e, c))
		return MS_JUDGE_AGAIN;
	entries = tags_count(e, c, &blank);
	if (entries < 0)
		return MS_JUDGE_AGAIN;
	c->sound = true;
	c->reject = MS_REJECT_COUNT;
	if (c->met_as && !ms_engine_chains_fit(e, c))
		return MS_JUDGE_AGAIN;
	if (m->oldbuckets) {
		c->reject = MS_REJECT_TAGS;
		return old_array_fits(e, c, m) ? MS_JUDGE_MAP : MS_JUDGE_AGAIN;
	}
	if (c->whole && !m->noverflow)
		return (uint64_t)entries == m->count ? MS_JUDGE_MAP : MS_JUDGE_AGAIN;
	if ((uint64_t)entries > m->count)
		return MS_JUDGE_AGAIN;
	if (!blank || !m->count || c->met_as) // Of one that was met every tag was counted.
		return MS_JUDGE_MAP;
	if (c->whole || (c->doubtful && !c->unit_bytes))
		return MS_JUDGE_AGAIN; // emptyRest everywhere: there is nothing, overflow included.
	if (!c->doubtful) {
		c->doubtful = true;
		return MS_JUDGE_MORE;
	}
	return MS_JUDGE_MAP;
}

/** Overflow buckets that were taken from the array's own tail, by runtime.mapextra. */
static uint64_t overflow_kept(const struct ms_engine *e, const struct ms_candidate *c,
			      const struct ms_classic_map *m)
{
	const struct ms_span *span = c->span;
	uint64_t buckets = (uint64_t)1 << m->bucket_log2;
	const uint8_t *extra;
	ms_addr next, first;

	if (ms_classic_buckets(m->bucket_log2) == buckets || !span || !c->unit_bytes ||
	    c->extra_want == UINT32_MAX)
		return 0;
	extra = ms_fetch_bytes(&e->fetch, c->extra_want);
	if (!extra)
		return 0;
	next = ms_load_u64(extra + e->layout->mapextra_next_overflow);
	first = m->buckets + buckets * c->unit_bytes;
	if (next)
		return next >= first ? (next - first) / c->unit_bytes : 0;
	// All taken: as many as the object has room for (makeBucketArray rounds up).
	return (span->elem_bytes - ms_span_header_bytes(e->layout, span)) / c->unit_bytes - buckets;
}

/** Overflow buckets that are objects of their own. */
static uint64_t overflow_apart(const struct ms_engine *e, const struct ms_candidate *c,
			       const struct ms_classic_map *m)
{
	return m->noverflow - ms_min_u64(overflow_kept(e, c, m), m->noverflow);
}

static uint64_t overflow_bytes(const struct ms_engine *e, const struct ms_candidate *c)
{
	return c->span ? ms_go_alloc_bytes(e->layout, c->unit_bytes, ms_span_has_pointers(c->span))
		       : 0;
}

/** What the allocator makes of an array of that many buckets. */
static uint64_t array_bytes(const struct ms_engine *e, const struct ms_candidate *c,
			    unsigned bucket_log2)
{
	return ms_go_alloc_bytes(e->layout, ms_classic_buckets(bucket_log2) * c->unit_bytes,
				 c->met_as->has_pointers);
}

void ms_classic_fill(struct ms_engine *e, const struct ms_candidate *c, struct ms_map_row *row)
{
	const struct ms_classic_map m = c->classic;

	row->kind = MS_MAP_CLASSIC;
	if (c->classic_header != MS_CLASSIC_MAP)
		return;
	row->entries = m.count;
	row->capacity = (uint64_t)MS_CLASSIC_SLOTS << m.bucket_log2;
	row->grow_at = ms_classic_grow_at(e->layout, m.bucket_log2);
	row->growing = m.oldbuckets != 0;
	if (row->growing) {
		uint64_t old = ms_classic_old_buckets(&m);

		row->growth = (struct ms_map_growth){ .from = old * MS_CLASSIC_SLOTS,
						      .to = row->capacity,
						      .progress = (double)m.nevacuate / (double)old,
						      .same_size = m.same_size };
	}
	row->overflow_buckets = MS_UNKNOWN; // Of these overflow_walk.c counts the buckets.
	row->total_bytes = MS_UNKNOWN;
	if (m.bucket_log2 >= MS_CLASSIC_NOVERFLOW_EXACT || row->growing)
		return;
	row->overflow_buckets = m.noverflow;
	if (m.noverflow && !c->unit_bytes)
		return;
	row->total_bytes = c->table_bytes + ms_engine_header_bytes(e);
	if (m.noverflow)
		row->total_bytes += overflow_apart(e, c, &m) * overflow_bytes(e, c);
}

bool ms_classic_walk(const struct ms_engine *e, const struct ms_candidate *c,
		     struct ms_walk *ret_walk)
{
	const struct ms_classic_map m = c->classic;
	struct ms_walk w = { .unit_bytes = c->unit_bytes };

	if (!c->unit_bytes || c->classic_header != MS_CLASSIC_MAP)
		return false;
	w.buckets = m.buckets;
	w.oldbuckets = m.oldbuckets;
	w.old_count = ms_classic_old_buckets(&m);
	w.overflow_bytes = overflow_bytes(e, c);
	w.known_bytes = c->table_bytes + ms_engine_header_bytes(e);
	if (c->met_as) {
		w.array_bytes = array_bytes(e, c, m.bucket_log2);
		w.old_array_bytes =
		    m.oldbuckets
			? array_bytes(e, c, m.same_size ? m.bucket_log2 : m.bucket_log2 - 1u)
			: 0;
	}
	if (m.bucket_log2 >= MS_CLASSIC_NOVERFLOW_EXACT) {
		w.bucket_count = (uint64_t)1 << m.bucket_log2;
	} else {
		w.known_overflow = m.noverflow;
		w.known_bytes += overflow_apart(e, c, &m) * w.overflow_bytes;
	}
	*ret_walk = w;
	return true;
}
